import Columns
import Diagnostics
import Pipelines

/// One execution: what ran and why, what came out, how long it took.
public struct RunReport: Sendable {
  public enum Status: String, Hashable, Sendable { case succeeded, failed, cancelled }

  // A class: of thousands of stages many lists are made, and each would hold copies of all that a stage has.
  public final class Stage: Sendable {
    public enum Status: String, Hashable, Sendable {
      case executed, cached, failed
      /// Something before it failed, or the run was stopped.
      case skipped
    }

    public let name: String
    public let kind: String
    /// The values of the matrix that it was made with.
    public let variant: Variant
    public let status: Status
    public let reasons: [Reason]
    /// After the beginning of the run; nil when the stage was not started.
    public let start: Double?
    public let seconds: Double
    public let outputs: [Output]
    /// An object; of the execution that made the artifacts.
    public let metrics: JSONValue
    /// Of the metrics, what is meant to be read as text.
    public var notes: [String] { (metrics["notes"]?.array ?? []).compactMap(\.string) }
    /// What is expected of its outputs and inputs, in the order of the document.
    public let expectations: [Expectation]
    /// Where the work was done by partitions.
    public let parts: Parts?
    /// How often it was begun.
    public let attempts: Int
    public let warnings: [Diagnostic]
    public let mistakes: [Diagnostic]
    /// Names of the stages it reads.
    public let needs: [String]
    /// Its key.
    public let recipe: String
    /// Names and digests of the files it read.
    public let sources: [(name: String, digest: String)]
    /// Where the document has its name, for messages.
    public let span: TextSpan?

    init(
      name: String, kind: String, variant: Variant, status: Status, reasons: [Reason], start: Double?, seconds: Double, outputs: [Output], metrics: JSONValue,
      expectations: [Expectation], parts: Parts?, attempts: Int, warnings: [Diagnostic], mistakes: [Diagnostic], needs: [String], recipe: String,
      sources: [(name: String, digest: String)], span: TextSpan?
    ) {
      self.name = name
      self.kind = kind
      self.variant = variant
      self.status = status
      self.reasons = reasons
      self.start = start
      self.seconds = seconds
      self.outputs = outputs
      self.metrics = metrics
      self.expectations = expectations
      self.parts = parts
      self.attempts = attempts
      self.warnings = warnings
      self.mistakes = mistakes
      self.needs = needs
      self.recipe = recipe
      self.sources = sources
      self.span = span
    }
  }

  /// An expectation, and how it came out.
  public struct Expectation: Sendable {
    let bound: BoundExpectation
    /// `executed`: rows were looked at; `skipped`: what it is about was not made.
    public let status: Stage.Status
    public let outcome: ExpectationOutcome?
    let counts: JSONValue
    public let mistakes: [Diagnostic]
    let recipe: String

    public var words: String { bound.expectation.words }
    public var severity: Pipelines.Expectation.Severity { bound.expectation.severity }
    /// The output that it is about.
    public var output: String { bound.output }
    /// What is told where it is not met.
    public var diagnostic: Diagnostic? { outcome.flatMap(bound.diagnostic) }
    /// `met`, `not met`, `failed`, `skipped`.
    public var word: String { outcome.map { $0.holds ? "met" : "not met" } ?? status.rawValue }
  }

  /// How many partitions had to be made, of how many.
  public struct Parts: Hashable, Sendable {
    public let executed: Int
    public let total: Int
  }

  public struct Output: Sendable {
    public let name: String
    public let record: ArtifactRecord
    /// False: nothing lies in the store, by the document's wish.
    public let isKept: Bool

    /// Of the first file, below the store's folder.
    public var path: String { "objects/\(record.digest)/" + (record.files.count == 1 ? record.files[0].name : "") }
  }

  /// Sortable by time: `20261121T024512Z-3f2a`.
  public let id: String
  public let pipeline: String
  /// The document, as the person named it.
  public let file: String
  public let status: Status
  /// ISO 8601, UTC.
  public let started: String
  public let seconds: Double
  public let width: Int
  public let toolVersion: String
  /// In the order of the plan.
  public let stages: [Stage]
  /// The document with every parameter resolved.
  public let resolved: JSONValue
  /// Where every value came from; nil where nobody said.
  let origins: JSONValue?
  public var heading: RunHeading {
    RunHeading(
      id: id, pipeline: pipeline, file: file, status: status, started: started, seconds: seconds, executed: count(.executed), cached: count(.cached),
      failed: count(.failed), skipped: count(.skipped), width: width, toolVersion: toolVersion)
  }

  public func count(_ status: Stage.Status) -> Int { stages.reduce(0) { $0 + ($1.status == status ? 1 : 0) } }
  public subscript(stage name: String) -> Stage? { stages.first { $0.name == name } }
}

extension RunReport {
  /// `run --json`, with paths below `store` (the folder as the person gave it; nil: below the store).
  public func json(store: String? = nil) -> JSONValue {
    .object(summary.members! + [JSONMember("stages", .array(stages.map { $0.json(store: store) }))])
  }

  /// What the run left to see, beside its heading. In `run.json` paths are below the store.
  var findings: RunFolder.Findings {
    var members = [JSONMember("stages", .array(stages.map { $0.json(store: nil) })), JSONMember("document", resolved)]
    if let origins { members.append(JSONMember("origins", origins)) }
    return RunFolder.Findings(files: files, page: RunPage(self).findings, members: JSONValue.object(members).prettyMembers)
  }

  /// What `runs list` shows.
  public var summary: JSONValue { heading.json }

  /// The file artifacts of the run, in the order of the plan.
  public var files: [RunFile] {
    stages.flatMap { stage in
      stage.outputs.compactMap { output in
        guard output.isKept, case .file(let file, let name, let mediaType) = output.record.content else { return nil }
        return RunFile(name: name, mediaType: mediaType, place: "objects/\(output.record.digest)/\(file.name)")
      }
    }
  }
}

extension RunReport.Stage {
  func json(store: String?) -> JSONValue {
    var members: [JSONMember] = [
      JSONMember("name", .string(name)), JSONMember("kind", .string(kind)), JSONMember("status", .string(status.rawValue)),
      JSONMember("reasons", .array(reasons.map(\.json))), JSONMember("needs", .array(needs.map { .string($0) })),
      JSONMember("seconds", .double(rounded(seconds))), JSONMember("recipe", .string(recipe)),
    ]
    if !sources.isEmpty { members.append(JSONMember("sources", .object(sources.map { JSONMember($0.name, .string($0.digest)) }))) }
    if attempts > 1 { members.append(JSONMember("attempts", .integer(attempts))) }
    if !variant.entries.isEmpty { members.append(JSONMember("variant", variant.json)) }
    if let parts { members.append(JSONMember("partitions", ["executed": .integer(parts.executed), "of": .integer(parts.total)])) }
    if let start { members.append(JSONMember("start", .double(rounded(start)))) }
    members += [
      JSONMember("outputs", .object(outputs.map { JSONMember($0.name, $0.json(store: store)) })), JSONMember("metrics", metrics),
    ]
    if !expectations.isEmpty { members.append(JSONMember("expectations", .array(expectations.map(\.json)))) }
    if !warnings.isEmpty { members.append(JSONMember("warnings", .array(warnings.map(\.json)))) }
    if !mistakes.isEmpty { members.append(JSONMember("mistakes", .array(mistakes.map(\.json)))) }
    return .object(members)
  }
}

extension RunReport.Expectation {
  var json: JSONValue {
    .object(
      bound.members + [JSONMember("status", .string(status.rawValue))] + (outcome?.members ?? []) + [
        JSONMember("counts", counts), JSONMember("recipe", .string(recipe)),
      ] + (mistakes.isEmpty ? [] : [JSONMember("mistakes", .array(mistakes.map(\.json)))]))
  }
}

extension RunReport {
  /// The stages that have variants, and what their metrics say: one table for each, a row for each variant.
  public var metricTables: [MetricTable] { MetricTable.all(of: stages) }
}

extension RunReport.Output {
  func json(store: String?) -> JSONValue {
    var members = [JSONMember("digest", .string(record.digest.description))]
    switch record.content {
    case .table(let table): members.append(JSONMember("rows", .integer(table.rows)))
    case .document: break
    case .file(_, let name, let mediaType):
      members += [JSONMember("name", .string(name)), JSONMember("mediaType", .string(mediaType))]
    }
    if !isKept { return .object(members + [JSONMember("kept", false)]) }
    members.append(JSONMember("bytes", .integer(record.byteCount)))
    members.append(JSONMember("path", .string(store.map { $0 + "/" + path } ?? path)))
    return .object(members)
  }
}

/// To the microsecond.
func rounded(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e6 }
