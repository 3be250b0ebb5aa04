import Diagnostics
import Pipelines

/// What the person asked of a run or a plan.
public struct RunOptions: Sendable {
  /// `-j`: how many threads may be busy.
  public var width = 1
  /// `--memory` in bytes; stages run together while their estimates fit. Nil: no bound.
  public var memory: Int?
  /// `--keep-going`: a failed stage stops only what needs it.
  public var keepGoing = false
  /// `--no-cache`: no earlier artifact is read, and objects and recipes of the store stay as they are.
  public var noCache = false
  /// `--force`: stages that are executed whatever the store holds.
  public var force: [String] = []
  /// `--to`: these stages and what they need. Empty: all.
  public var to: [String] = []
  /// `--only`: these stages; what they need must be in the store.
  public var only: [String] = []
  /// For the record of the run.
  public var toolVersion = ""

  public init(width: Int = 1) { self.width = width }

  /// With the stages that read what has no version among those that are executed, but for those that are only to be read from the store.
  func asking(_ plan: BoundPlan) -> RunOptions {
    var options = self
    options.force += plan.stages.filter { $0.isAskedAlways && (only.isEmpty || only.contains($0.name)) && !force.contains($0.name) }.map(\.name)
    return options
  }

  /// Unknown stage names, all of them.
  func mistakes(in plan: BoundPlan) -> [Diagnostic] { mistakes(among: plan.stages.map(\.name), of: plan.pipeline) }

  /// The same, of a document that may not have been bound: they are told together with what is wrong in it.
  public func mistakes(among names: [String], of pipeline: String) -> [Diagnostic] {
    [("--force", force), ("--to", to), ("--only", only)].flatMap { option, asked in
      asked.filter { !names.contains($0) }.map {
        Diagnostic("\(option) names stage \"\($0)\", which pipeline \"\(pipeline)\" does not have", hint: hint(forUnknown: $0, among: names))
      }
    }
  }
}
