import Diagnostics
import Pipelines

/// A plan that was written down, `plan --out p.json`, so that `run --plan p.json` does just that or nothing.
public struct PlanFile: Sendable {
  private static let format = 1

  /// As the person named it.
  public let document: String
  /// Of parameters, as typed after `--set`.
  public let values: [(name: String, value: String)]
  public let allowPath: [String]
  private let to: [String], only: [String], exclude: [String], force: [String]
  private let noCache: Bool
  /// Name, status and recipe of every stage that takes part, in the order of the plan.
  let stages: [(name: String, status: String, key: String)]

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
          "recipe": .string(stage.recipe.key.description), "reasons": .array(stage.reasons.map(\.json)),
        ]
      }),
    ]
  }

  // MARK: Read

  /// `file` is its name for messages.
  public init(_ bytes: [UInt8], file: String) throws {
    let json = try JSONReader.read(bytes, file: file).value
    guard json["format"]?.int == Self.format, let document = json["document"]?.string, let stages = json["stages"]?.array else {
      throw Diagnostic("\(file) is no plan of this version", hint: "millrace plan P.json --out \(file)")
    }
    let texts = { (key: String) in (json[key]?.array ?? []).compactMap(\.string) }
    self.document = document
    values = (json["set"]?.array ?? []).compactMap { item in
      if let name = item["name"]?.string, let value = item["value"]?.string { (name, value) } else { nil }
    }
    allowPath = texts("allow")
    (to, only, exclude, force) = (texts("to"), texts("only"), texts("exclude"), texts("force"))
    noCache = json["no-cache"]?.bool ?? false
    self.stages = stages.map { ($0["name"]?.string ?? "", $0["status"]?.string ?? "", $0["recipe"]?.string ?? "") }
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
    for (name, status, key) in stages {
      guard let now = present[name] else {
        moved.append(Diagnostic("stage \"\(name)\" was planned and is not there"))
        continue
      }
      if now.status.rawValue == status, now.recipe.key.description == key { continue }
      moved.append(Diagnostic(
        "stage \"\(name)\" is not as it was planned", expected: status,
        found: now.status.rawValue + (now.reasons.isEmpty ? "" : ": " + now.reasons.map(\.description).joined(separator: "; "))))
    }
    for stage in report.nodes where !planned.contains(stage.name) {
      moved.append(Diagnostic("stage \"\(stage.name)\" was not planned"))
    }
    return moved
  }
}

/// What is there differs from what was locked, planned or recorded.
public struct Moved: Error, Sendable {
  public let all: [Diagnostic]

  public init(_ all: [Diagnostic]) { self.all = all }
}
