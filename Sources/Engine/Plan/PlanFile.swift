import Diagnostics
import Pipelines

/// A plan that was written down, `plan --out p.json`, so that `run --plan p.json` does just that or nothing.
public struct PlanFile: Sendable {
  private static let format = 1

  /// Its name for messages.
  private let file: String
  /// As the person named it.
  public let document: String
  /// Of parameters, as typed after `--set`.
  public let values: [(name: String, value: String)]
  public let allowPath: [String]
  private let to: [String], only: [String], exclude: [String], force: [String]
  private let noCache: Bool
  /// Every stage that takes part, in the order of the plan.
  private let stages: [Planned]

  private struct Planned {
    let name: String, status: String, key: String
    /// Status and reasons for people.
    let words: String
  }

  // MARK: Written

  /// `plan --out`: what was asked, and what it came to.
  public static func json(
    _ report: PlanReport, document: String, values: [(name: String, value: String)], allowPath: [String], options: RunOptions
  ) -> JSONValue {
    let texts = { (list: [String]) in JSONValue.array(list.map { .string($0) }) }
    return [
      "format": .integer(format), "pipeline": .string(report.pipeline), "document": .string(document), "millrace": .string(options.toolVersion),
      "set": .array(values.map { ["name": .string($0.name), "value": .string($0.value)] }), "allow": texts(allowPath),
      "to": texts(options.to), "only": texts(options.only), "exclude": texts(options.exclude), "force": texts(options.force),
      "no-cache": .bool(options.noCache),
      "stages": .array(report.nodes.map { stage in
        [
          "name": .string(stage.name), "kind": .string(stage.kind), "status": .string(stage.status.rawValue),
          "recipe": .string(stage.recipe.key.description), "words": .string(words(of: stage)), "reasons": .array(stage.reasons.map(\.json)),
        ]
      }),
    ]
  }

  private static func words(of stage: PlanReport.Stage) -> String {
    stage.status.rawValue + (stage.reasons.isEmpty ? "" : ": " + stage.reasons.map(\.description).joined(separator: "; "))
  }

  // MARK: Read

  /// `file` is its name for messages.
  public init(_ bytes: [UInt8], file: String) throws {
    let json = try JSONReader.read(bytes, file: file).value
    guard json["format"]?.int == Self.format, let document = json["document"]?.string, let stages = json["stages"]?.array else {
      throw Diagnostic("\(file) is no plan of this version", hint: "millrace plan P.json --out \(file)")
    }
    let texts = { (key: String) in (json[key]?.array ?? []).compactMap(\.string) }
    self.file = file
    self.document = document
    values = (json["set"]?.array ?? []).compactMap { item in
      if let name = item["name"]?.string, let value = item["value"]?.string { (name, value) } else { nil }
    }
    allowPath = texts("allow")
    (to, only, exclude, force) = (texts("to"), texts("only"), texts("exclude"), texts("force"))
    noCache = json["no-cache"]?.bool ?? false
    self.stages = stages.map { stage in
      let text = { (key: String) in stage[key]?.string ?? "" }
      return Planned(name: text("name"), status: text("status"), key: text("recipe"), words: stage["words"]?.string ?? text("status"))
    }
  }

  /// Asks for what was planned. Width and memory, which change no plan, stay.
  public func choose(_ options: inout RunOptions) {
    (options.to, options.only, options.exclude, options.force, options.noCache) = (to, only, exclude, force, noCache)
    options.promise = self
  }

  // MARK: Compared

  /// What is no longer as it was planned; empty when everything is.
  func moved(to report: PlanReport) -> [Diagnostic] {
    var moved: [Diagnostic] = []
    let present = Dictionary(uniqueKeysWithValues: report.nodes.map { ($0.name, $0) }), planned = Set(stages.map(\.name))
    for stage in stages {
      guard let now = present[stage.name] else {
        moved.append(Diagnostic("stage \"\(stage.name)\" was planned and is not there"))
        continue
      }
      if now.status.rawValue == stage.status, now.recipe.key.description == stage.key { continue }
      let words = Self.words(of: now)
      if words == stage.words {
        // The status is the same for the same reasons: what differs lies before it.
        moved.append(Diagnostic("stage \"\(stage.name)\" would read something else than was planned"))
      } else {
        moved.append(Diagnostic("stage \"\(stage.name)\" is not as it was planned", expected: stage.words, found: words))
      }
    }
    for stage in report.nodes where !planned.contains(stage.name) {
      moved.append(Diagnostic("stage \"\(stage.name)\" was not planned"))
    }
    if let last = moved.indices.last { moved[last].hint = "plan anew: millrace plan \(document) --out \(file)" }
    return moved
  }
}

/// What is there differs from what was locked, planned or recorded.
public struct Moved: Error, Sendable {
  public let all: [Diagnostic]

  public init(_ all: [Diagnostic]) { self.all = all }
}
