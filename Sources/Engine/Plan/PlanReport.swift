import Columns
import Diagnostics
import Pipelines

/// What a run would do, and why.
///
/// The promise: a run executes all of `would-execute`, none of `cached`, and of `may-execute` exactly those whose read
/// columns come out different from all that the store held when the run began.
public struct PlanReport: Sendable {
  public enum Status: String, Hashable, Sendable {
    case wouldExecute = "would-execute"
    /// An input will be made again and may come out equal.
    case mayExecute = "may-execute"
    case cached
    /// What is expected of its inputs is not met, or something before it is blocked.
    case blocked
  }

  // A class: of thousands of stages many lists are made, and each would hold copies of all that a stage has.
  public final class Stage: Sendable {
    public let name: String
    public let kind: String
    public let status: Status
    /// Empty when cached.
    public let reasons: [Reason]

    /// The setting for which its work is not cut into partitions, where several come in.
    public let whole: String?

    /// Of an expectation, what it says and, where that is known, how it comes out.
    public let expectation: BoundExpectation?
    public var outcome: ExpectationOutcome? { made.flatMap { made in expectation?.expectation.outcome(of: made.metrics) } }

    /// Whether something before it has still to be met: it is not settled before that is known.
    let isHeld: Bool

    /// Place in the bound plan.
    let index: Int
    let recipe: Recipe
    let sources: [[SourceVersions.File]]
    /// What it gives, where that is known: of what is cached and not another stage's work first, and of what was not kept and
    /// is made again.
    let made: Freshness.Made?
    /// An earlier stage of the same recipe: what it gives is this stage's too.
    let twin: Int?

    /// By `--force`, or because what it reads has no version.
    var isForced: Bool { reasons.contains { $0.kind == .forced || $0.kind == .unversioned } }

    /// Whether a run has to do something about it. What was not kept and may be needed is made when it is.
    var isPending: Bool { status != .blocked && (made == nil || status == .wouldExecute || isHeld) }

    /// What stops the stages behind it.
    var isUnmet: Bool { expectation?.expectation.severity == .error && outcome?.holds == false }

    init(
      name: String, kind: String, status: Status, reasons: [Reason], whole: String?, expectation: BoundExpectation?, isHeld: Bool = false, index: Int, recipe: Recipe,
      sources: [[SourceVersions.File]], made: Freshness.Made?, twin: Int?
    ) {
      self.name = name
      self.kind = kind
      self.status = status
      self.reasons = reasons
      self.whole = whole
      self.expectation = expectation
      self.isHeld = isHeld
      self.index = index
      self.recipe = recipe
      self.sources = sources
      self.made = made
      self.twin = twin
    }

    /// With another status; `isHeld`: waiting for what is expected of something before it.
    func with(_ status: Status, _ reasons: [Reason], isHeld: Bool = false) -> Stage {
      Stage(
        name: name, kind: kind, status: status, reasons: reasons, whole: whole, expectation: expectation, isHeld: isHeld, index: index, recipe: recipe,
        sources: sources, made: made, twin: twin)
    }
  }

  public let pipeline: String
  /// Stages and expectations, in the order of the plan; without those that nothing asked for needs.
  let nodes: [Stage]
  public let stages: [Stage]
  /// Of a stage, in the order of the document.
  public func expectations(of stage: String) -> [Stage] { nodes.filter { $0.expectation?.subject == stage } }
  public var expectations: [Stage] { nodes.filter { $0.expectation != nil } }

  init(pipeline: String, nodes: [Stage]) {
    self.pipeline = pipeline
    self.nodes = nodes
    stages = nodes.filter { $0.expectation == nil }
  }

  public subscript(stage name: String) -> Stage? { stages.first { $0.name == name } }

  public func names(_ status: Status) -> [String] { stages.filter { $0.status == status }.map(\.name) }

  /// `plan --json`.
  public var json: JSONValue {
    let expected = Dictionary(grouping: expectations) { $0.expectation?.subject ?? "" }
    return [
      "pipeline": .string(pipeline), "status": "planned",
      "would-execute": .integer(names(.wouldExecute).count), "may-execute": .integer(names(.mayExecute).count),
      "cached": .integer(names(.cached).count), "blocked": .integer(names(.blocked).count),
      "stages": .array(stages.map { stage in
        .object([
          JSONMember("name", .string(stage.name)), JSONMember("kind", .string(stage.kind)), JSONMember("status", .string(stage.status.rawValue)),
          JSONMember("recipe", .string(stage.recipe.key.description)), JSONMember("reasons", .array(stage.reasons.map(\.json))), stage.whole.map { JSONMember("whole", .string($0)) },
          expected[stage.name].map { JSONMember("expectations", .array($0.map(\.expectationJSON))) },
        ].compactMap { $0 })
      }),
    ]
  }
}

extension PlanReport.Stage {
  fileprivate var expectationJSON: JSONValue {
    guard let expectation else { preconditionFailure("stage \"\(name)\" was told of as an expectation and is none") }
    return .object(
      expectation.members + [JSONMember("status", .string(status.rawValue)), JSONMember("reasons", .array(reasons.map(\.json)))]
        + (outcome?.members ?? []))
  }
}

extension BoundExpectation {
  /// For plans and records.
  var members: [JSONMember] {
    [
      JSONMember("expects", .string(expectation.words)), JSONMember("of", .string(output)), JSONMember("severity", .string(expectation.severity.rawValue)),
    ]
  }
}

extension ExpectationOutcome {
  var members: [JSONMember] {
    [JSONMember("holds", .bool(holds)), found.map { JSONMember("found", .string($0)) }].compactMap { $0 }
  }
}
