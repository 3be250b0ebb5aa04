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
  }

  public struct Stage: Sendable {
    public let name: String
    public let kind: String
    public let status: Status
    /// Empty when cached.
    public let reasons: [Reason]

    /// The setting for which its work is not cut into partitions, where several come in.
    public let whole: String?

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
    var isPending: Bool { made == nil || status == .wouldExecute }
  }

  public let pipeline: String
  /// In the order of the plan; without those that nothing asked for needs.
  public let stages: [Stage]

  public subscript(stage name: String) -> Stage? { stages.first { $0.name == name } }

  public func names(_ status: Status) -> [String] { stages.filter { $0.status == status }.map(\.name) }

  /// `plan --json`.
  public var json: JSONValue {
    [
      "pipeline": .string(pipeline), "status": "planned",
      "would-execute": .integer(names(.wouldExecute).count), "may-execute": .integer(names(.mayExecute).count),
      "cached": .integer(names(.cached).count),
      "stages": .array(stages.map { stage in
        .object([
          JSONMember("name", .string(stage.name)), JSONMember("kind", .string(stage.kind)), JSONMember("status", .string(stage.status.rawValue)),
          JSONMember("recipe", .string(stage.recipe.key.description)), JSONMember("reasons", .array(stage.reasons.map(\.json))), stage.whole.map { JSONMember("whole", .string($0)) },
        ].compactMap { $0 })
      }),
    ]
  }
}
