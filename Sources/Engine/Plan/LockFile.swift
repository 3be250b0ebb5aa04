import Diagnostics
import Pipelines

/// What a document read and gave, in a small file that fits beside it into version control: `lock`, `run --locked`. The record of
/// a run says the same, for `runs reproduce`.
public struct LockFile: Sendable {
  private static let format = 1

  /// Names and values.
  let parameters: JSONValue
  /// By stage: names and digests of its files.
  let sources: [(stage: String, files: [(name: String, digest: String)])]
  /// `stage.output` and digest.
  let outputs: [(name: String, digest: String)]
  /// As it was written; nil for what a run recorded.
  private let written: JSONDocument?

  // MARK: Made

  /// Of a plan whose stages have all been run. Throws what has not.
  public init(_ report: PlanReport, of plan: BoundPlan) throws {
    let missing = report.stages.filter { $0.made == nil || $0.status != .cached }
    if !missing.isEmpty {
      throw Mistakes(missing.map { stage in
        Diagnostic(
          "stage \"\(stage.name)\" has not been run as the document stands now",
          at: plan[stage: stage.name]?.span.map { .text($0) } ?? .nowhere, hint: "millrace run \(plan.file)")
      })
    }
    written = nil
    parameters = plan.resolved["parameters"] ?? [:]
    sources = Self.sources(of: report)
    outputs = report.stages.flatMap { stage in
      (stage.made?.outputs ?? []).map { ("\(stage.name).\($0.name)", $0.record.digest.description) }
    }
  }

  /// Of the record of a run; nil when it is of an earlier version, which did not say what was read.
  public init?(record: JSONValue) {
    guard record["started-with"] != nil, let stages = record["stages"]?.array else { return nil }
    written = nil
    parameters = record["document"]?["parameters"] ?? [:]
    sources = stages.compactMap { stage in stage["sources"].map { (stage["name"]?.string ?? "", Self.files($0)) } }
    outputs = stages.flatMap { stage in
      (stage["outputs"]?.members ?? []).map { ("\(stage["name"]?.string ?? "").\($0.key)", $0.value["digest"]?.string ?? "") }
    }
  }

  private static func sources(of report: PlanReport) -> [(stage: String, files: [(name: String, digest: String)])] {
    report.stages.filter { !$0.sources.isEmpty }.map { stage in
      (stage.name, stage.sources.joined().map { ($0.file.name, $0.digest.description) })
    }
  }

  // MARK: Written and read

  public func json(pipeline: String, toolVersion: String) -> JSONValue {
    [
      "format": .integer(Self.format), "pipeline": .string(pipeline), "millrace": .string(toolVersion), "parameters": parameters,
      "sources": .object(sources.map { source in
        JSONMember(source.stage, .object(source.files.map { JSONMember($0.name, .string($0.digest)) }))
      }),
      "outputs": .object(outputs.map { JSONMember($0.name, .string($0.digest)) }),
    ]
  }

  /// `file` is its name for messages.
  public init(_ bytes: [UInt8], file: String) throws {
    let written = try JSONReader.read(bytes, file: file), json = written.value
    guard json["format"]?.int == Self.format, let sources = json["sources"]?.members, let outputs = json["outputs"]?.members else {
      throw Diagnostic("\(file) is no lock of this version", hint: "millrace lock writes it anew")
    }
    self.written = written
    parameters = json["parameters"] ?? [:]
    self.sources = sources.map { ($0.key, Self.files($0.value)) }
    self.outputs = outputs.map { ($0.key, $0.value.string ?? "") }
  }

  private static func files(_ json: JSONValue) -> [(name: String, digest: String)] {
    (json.members ?? []).map { ($0.key, $0.value.string ?? "") }
  }

  // MARK: Compared

  private var verb: String { written == nil ? "recorded" : "locked" }

  private func place(_ path: [PathStep]) -> Place { written.map { .text($0.span(of: path)) } ?? .nowhere }

  /// What can be done stands behind the last.
  private func told(_ moved: [Diagnostic]) -> [Diagnostic] {
    var moved = moved
    if let last = moved.indices.last {
      moved[last].hint =
        written == nil
        ? "a run is done again with what it read" : "where that is meant: millrace run without --locked, then millrace lock"
    }
    return moved
  }

  /// What of the inputs is not what was locked, among the stages that take part.
  func movedInputs(_ report: PlanReport, of plan: BoundPlan) -> [Diagnostic] {
    let found = plan.resolved["parameters"] ?? [:]
    var moved = (found.members ?? []).compactMap { parameter -> Diagnostic? in
      let locked = parameters[parameter.key]
      if locked == parameter.value { return nil }
      return Diagnostic(
        "parameter \"\(parameter.key)\" has not the value that was \(verb)", at: place(["parameters", .key(parameter.key)]),
        expected: locked?.canonical ?? "no such parameter", found: parameter.value.canonical)
    }
    for (stage, files) in Self.sources(of: report) {
      let path: [PathStep] = ["sources", .key(stage)]
      guard let locked = sources.first(where: { $0.stage == stage })?.files else {
        moved.append(Diagnostic("stage \"\(stage)\" reads files and was not \(verb)", at: place(["sources"])))
        continue
      }
      for file in files {
        guard let before = locked.first(where: { $0.name == file.name }) else {
          moved.append(Diagnostic("stage \"\(stage)\" reads \"\(file.name)\", which was not \(verb)", at: place(path)))
          continue
        }
        if before.digest == file.digest { continue }
        moved.append(Diagnostic(
          "file \"\(file.name)\" of stage \"\(stage)\" is not what was \(verb)", at: place(path + [.key(file.name)]),
          expected: before.digest, found: file.digest))
      }
      for file in locked where !files.contains(where: { $0.name == file.name }) {
        moved.append(Diagnostic("stage \"\(stage)\" does not find \"\(file.name)\", which was \(verb)", at: place(path + [.key(file.name)])))
      }
    }
    return told(moved)
  }

  /// One output of a run beside what was locked.
  public struct Comparison: Sendable {
    public let name: String
    /// Nil: it was not there.
    public let locked: String?
    public let found: String?
    public var isSame: Bool { locked == found }

    public var json: JSONValue {
      [
        "output": .string(name), "same": .bool(isSame), "recorded": locked.map { .string($0) } ?? .null, "found": found.map { .string($0) } ?? .null,
      ]
    }
  }

  /// Every output of a run's stages beside what was locked. Outputs of stages that took no part are left out.
  public func compared(with report: RunReport) -> [Comparison] {
    let locked = Dictionary(outputs.map { ($0.name, $0.digest) }, uniquingKeysWith: { first, _ in first })
    var found = report.stages.flatMap { stage in
      stage.outputs.map { output -> Comparison in
        let name = "\(stage.name).\(output.name)"
        return Comparison(name: name, locked: locked[name], found: output.record.digest.description)
      }
    }
    let told = Set(found.map(\.name)), stages = Set(report.stages.map(\.name))
    for output in outputs where !told.contains(output.name) && stages.contains(String(output.name.prefix { $0 != "." })) {
      found.append(Comparison(name: output.name, locked: output.digest, found: nil))
    }
    return found
  }

  /// The same as mistakes.
  public func movedOutputs(_ report: RunReport) -> [Diagnostic] {
    told(compared(with: report).filter { !$0.isSame }.map {
      Diagnostic(
        "output \"\($0.name)\" is not what was \(verb)", at: place(["outputs", .key($0.name)]), expected: $0.locked ?? "no such output",
        found: $0.found ?? "nothing")
    })
  }
}
