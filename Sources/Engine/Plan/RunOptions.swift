import Pipelines

/// What the person asked of a run or a plan. Stages are named by selectors (`Selector`).
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
  /// `--to`: these stages and what they need. Empty, with `only`: all.
  public var to: [String] = []
  /// `--only`: these stages; what they need must be in the store.
  public var only: [String] = []
  /// `--exclude`: not these; what they give must be in the store where it is needed.
  public var exclude: [String] = []
  /// `--plan`: what was planned; a run that would do anything else does not begin.
  public var promise: PlanFile?
  /// `--locked`: what was read and given before; a run that would read anything else does not begin.
  public var lock: LockFile?
  /// `--wait`: for how many seconds a stage waits for another run that makes the same. Nil: as long as it takes.
  public var wait: Double?
  /// `--cache`: where artifacts are looked for that the store does not hold, and where those go that the run made.
  public var cache: SharedCache?
  /// For the record of the run: what it was started with.
  public var provenance: Provenance?
  /// What it was begun with, where the next run of the same words may rest on what this one finds.
  public var words: RunWords?
  /// For the record of the run.
  public var toolVersion = ""

  public init(width: Int = 1) { self.width = width }

  /// Whether stages that read what has no version are executed: in runs and plans, not where results are only looked at.
  var asksAgain = false

  /// With the stages that read what has no version among those that are executed, but for those that are only to be read from the store.
  func asking(_ plan: BoundPlan) -> RunOptions {
    var options = self
    options.asksAgain = plan.stages.contains { $0.isAskedAlways }
    return options
  }
}
