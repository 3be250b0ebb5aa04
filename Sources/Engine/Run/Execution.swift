import Columns
import Diagnostics
import Dispatch
import Pipelines
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One run while it runs: what each stage came to, and the work of one stage from recipe to commit.
// @unchecked: mutable state lies in `ledger`, a mutex; `streams`, `temporary`, `scheduler` and `commits` are set before any work starts.
final class Execution: @unchecked Sendable {
  let plan: BoundPlan
  let planned: PlanReport
  let entries: [Int: PlanReport.Stage]
  /// By the stage that they are about: the expectations that take part.
  let expectations: [Int: [Int]]
  /// The same by the name of the stage whose entry in the document has them.
  let bySubject: [String: [Int]]
  let options: RunOptions
  let freshness: Freshness
  private let sources: SourceVersions
  let cancellation: CancellationFlag
  let observer: (any RunObserver)?
  let clock: Stopwatch
  private(set) var streams = StreamPlan()
  private(set) var temporary: TemporaryFolder?
  private(set) var scheduler: Scheduler?
  private(set) var commits: GroupCommit?
  /// Lock files of this run that lock no recipe at this moment, in its temporary folder: giving one a further name costs a fraction of making
  /// and removing a file.
  let idleLocks = Mutex<[FileLock]>([])
  /// What stages of this run read.
  let opened = OpenedFiles()
  /// Stages whose threads are at work at this moment.
  let busy = Atomic<Int>(0)

  /// What a stage came to.
  struct Settled {
    var status: RunReport.Stage.Status
    var reasons: [Reason] = []
    var recipe: Recipe
    var made: Freshness.Made?
    var start: Double?
    /// Of the execution; nil when there was none.
    var seconds: Double?
    var mistakes: [Diagnostic] = []
    /// Of an execution by partitions: how many had to be made, of how many.
    var parts: RunReport.Parts?
  }

  /// Rows of an output that is not kept, in a file of this run.
  struct LooseArtifact {
    let record: ArtifactRecord
    let folder: String
  }

  struct Ledger {
    var settled: [Int: Settled] = [:]
    /// Recipes executed in this run.
    var executed: Set<Digest> = []
    /// The same with their skeletons, for the catalog: told at the end, in one transaction. A run that is killed leaves that to the next one.
    var committed: [(key: Digest, skeleton: Digest)] = []
    /// Artifacts whose bytes were compared with their checksums, or written, by this process.
    var intact: Set<Digest> = []
    var files: [(stage: String, file: String)] = []
    var loose: [StreamPlan.Port: LooseArtifact] = [:]
    /// The same by the key of a partition, of stages that are made in pieces.
    var looseParts: [StreamPlan.Port: [String: LooseArtifact]] = [:]
    /// How many stages have still to read them.
    var readers: [StreamPlan.Port: Int] = [:]
    /// What was counted for expectations while the rows were written, by place in the plan.
    var counted: [Int: JSONValue] = [:]
    /// How often stages failed and were to be tried again.
    var attempts: [Int: Int] = [:]
  }
  let ledger = Mutex(Ledger())

  init(
    plan: BoundPlan, planned: PlanReport, options: RunOptions, freshness: Freshness, cancellation: CancellationFlag,
    observer: (any RunObserver)?, clock: Stopwatch
  ) {
    self.plan = plan
    self.planned = planned
    entries = Dictionary(uniqueKeysWithValues: planned.nodes.map { ($0.index, $0) })
    expectations = Dictionary(grouping: planned.nodes.filter { $0.expectation != nil }.map(\.index)) { plan.stages[$0].inputs[0].stage }
    bySubject = Dictionary(grouping: planned.nodes.filter { $0.expectation != nil }.map(\.index)) { plan.stages[$0].expectation?.subject ?? "" }
    self.options = options
    self.freshness = freshness
    sources = SourceVersions(catalog: freshness.catalog, width: options.width)
    self.cancellation = cancellation
    self.observer = observer
    self.clock = clock
  }

  // MARK: The whole run

  func settleCached() {
    for stage in planned.nodes {
      if stage.status == .blocked { settle(stage.index, Settled(status: .skipped, reasons: stage.reasons, recipe: stage.recipe)) }
      guard let made = stage.made, !stage.isPending, stage.status != .blocked else { continue }
      ledger.withLock { $0.files += fileNames(of: made).map { (stage.name, $0) } }
      settle(stage.index, Settled(status: .cached, recipe: stage.recipe, made: made))
    }
  }

  /// `pending` are the stages whose artifacts are not known yet.
  func run(_ pending: [PlanReport.Stage], history: [String: Catalog.StageHistory]) throws {
    Self.beginDispatch()
    temporary = try TemporaryFolder(in: freshness.store)
    defer {
      idleLocks.withLock { $0 = [] }
      (temporary, scheduler, commits) = (nil, nil, nil)
    }
    streams = StreamPlan(plan, pending: pending)
    ledger.withLock { $0.readers = streams.readers }
    let passes = streams.passes.map { $0.map { entries[$0]! } }
    var places: [Int: Int] = [:]
    for (at, pass) in passes.enumerated() { for stage in pass { places[stage.index] = at } }
    let needs = passes.enumerated().map { at, pass in
      pass.flatMap { plan.stages[$0.index].inputs.map(\.stage) + plan.stages[$0.index].guards + [$0.twin].compactMap { $0 } }.compactMap { places[$0] }.filter { $0 != at }
    }
    commits = GroupCommit(freshness.store, gate: freshness.gate, temporary: { [temporary] in temporary!.fresh("pack") })
    let scheduler = Scheduler(
      needs: needs, costs: passes.map { $0.reduce(0) { $0 + (history[$1.name]?.seconds ?? 1) } }, width: options.width,
      memory: passes.map { $0.reduce(0) { $0 + max(0, plan.stages[$1.index].binding.memory ?? 0) } }, budget: options.memory ?? .max,
      isCancelled: { [cancellation] in cancellation.isCancelled })
    self.scheduler = scheduler
    _ = scheduler.run { at in
      let pass = passes[at]
      let verdict = pass.count == 1 ? self.work(pass[0], history[pass[0].name]) : self.workTogether(pass, history)
      // Who is tried again reads again.
      if case .again = verdict { return verdict }
      self.release(pass)
      return verdict
    }
    let settled = ledger.withLock { $0.settled }
    for stage in pending where settled[stage.index] == nil {
      settle(stage.index, Settled(status: .skipped, reasons: stage.reasons, recipe: stage.recipe))
    }
  }

  /// Has Dispatch open the files that it needs for its threads while there are some to be had: later it would end the process.
  private static func beginDispatch() {
    let begun = DispatchSemaphore(value: 0)
    DispatchQueue.global().async { begun.signal() }
    begun.wait()
  }

  // MARK: One stage

  private func work(_ entry: PlanReport.Stage, _ history: Catalog.StageHistory?) -> Scheduler.Verdict {
    if cancellation.isCancelled { return .stop }
    let stage = plan.stages[entry.index]
    var settled = Settled(status: .executed, reasons: entry.reasons, recipe: entry.recipe)
    if let unmet = unmetExpectation(before: entry) { settled.reasons = [unmet] }
    if settled.reasons.first?.kind == .expectation || !hasInputs(entry) {
      settled.status = .skipped
      settle(entry.index, settled)
      return .failed
    }
    do {
      if entry.status == .cached, entry.twin == nil, let made = entry.made {
        // It waited for an expectation.
        try claim(files: made, of: stage)
        settle(entry.index, Settled(status: .cached, recipe: entry.recipe, made: made))
        return .done
      }
      if let twin = entry.twin {
        let made = made(by: twin)
        settled = Settled(status: .cached, recipe: recipe(of: entry), made: made)
        try claim(files: made, of: stage)
      } else {
        settled.recipe = recipe(of: entry)
        let isForced = entry.isForced || entry.made != nil
        if !entry.recipe.isComplete, !isForced {
          // The wave stops here when the inputs came out equal.
          let finding = freshness.find(settled.recipe.key, of: stage)
          if case .made(let made) = finding, !wasExecuted(made.key), made.isStored || entry.status != .wouldExecute {
            try claim(files: made, of: stage)
            settle(entry.index, Settled(status: .cached, recipe: settled.recipe, made: made))
            return .done
          }
          settled.reasons = reasons(entry, settled.recipe, finding, history)
        }
        try execute(entry, &settled, isForced: isForced)
      }
      settle(entry.index, settled)
      return .done
    } catch {
      return fail(entry, &settled, error)
    }
  }

  /// Settles a stage that threw.
  func fail(_ entry: PlanReport.Stage, _ settled: inout Settled, _ error: any Error) -> Scheduler.Verdict {
    if error is RunCancelled {
      settled.status = .skipped
      settle(entry.index, settled)
      return .stop
    }
    if let delay = retryDelay(entry, error) { return .again(delay) }
    settled.status = .failed
    settled.mistakes = Mistakes(describing: error, in: plan.stages[entry.index]).all.map { Disk.advised($0, store: freshness.store.path) }
    if let change = sources.change(among: entry.sources), !settled.mistakes.contains(where: { $0.message == change.message }) {
      settled.mistakes.insert(change, at: 0)
    }
    settled.seconds = settled.start.map { clock.seconds - $0 }
    settle(entry.index, settled)
    return options.keepGoing ? .failed : .stop
  }

  /// Why a stage is executed, with its inputs known.
  func reasons(
    _ entry: PlanReport.Stage, _ recipe: Recipe, _ finding: Freshness.Finding, _ history: Catalog.StageHistory?
  ) -> [Reason] {
    let stage = plan.stages[entry.index]
    if case .made = finding, let unkept = entry.reasons.first(where: { $0.kind == .unkept }) { return [unkept] }
    return freshness.reasons(
      for: recipe, of: stage, finding: finding, history: history, producers: stage.inputs.map { plan.stages[$0.stage].name })
  }

  /// With the inputs as they came out.
  func recipe(of entry: PlanReport.Stage) -> Recipe {
    recipe(of: entry) { self.made(by: $0) }
  }

  func recipe(of entry: PlanReport.Stage, made: (Int) -> Freshness.Made) -> Recipe {
    if entry.recipe.isComplete { return entry.recipe }
    let stage = plan.stages[entry.index]
    return Recipe(
      stage: stage, inputs: stage.inputs.map { .known(made($0.stage).record(of: $0.output)) },
      sources: entry.sources.map { $0.map { ($0.file.name, $0.digest) } })
  }

  private func execute(_ entry: PlanReport.Stage, _ settled: inout Settled, isForced: Bool) throws {
    let stage = plan.stages[entry.index], key = settled.recipe.key
    // Before the lock is held: what an input needs may have to be locked too. Pieces open what they need themselves.
    let inputs = cuts(of: [entry]) == nil ? try inputs(of: entry) : Inputs([])
    let lock = try lock(key, stage)
    defer { unlock(lock) }
    if !isForced, case .made(let made) = freshness.find(key, of: stage), !wasExecuted(key), made.isStored || entry.status != .wouldExecute {
      // Another process made it while this one waited.
      try claim(files: made, of: stage)
      settled = Settled(status: .cached, recipe: settled.recipe, made: made)
      return
    }
    settled.start = clock.seconds
    if stage.isStage { observer?.stageStarted(stage.name, reasons: settled.reasons) }
    (settled.made, settled.parts) = try make(entry, settled.recipe, inputs, claimsFiles: true, isForced: isForced)
    settled.seconds = clock.seconds - settled.start!
  }

  // MARK: From inputs to artifacts

  /// Runs a stage whose lock is held, and commits what it gives. What the inputs hold open is closed before it waits for the disk. `keepsRows`: of outputs that are not stored too, for this run.
  func make(
    _ entry: PlanReport.Stage, _ recipe: Recipe, _ inputs: consuming Inputs<Artifact>, claimsFiles: Bool, isForced: Bool, keepsRows: Bool = false
  ) throws -> (Freshness.Made, RunReport.Parts?) {
    if !keepsRows || plan.stages[entry.index].keep, let cuts = cuts(of: [entry]) {
      let done: CutWork
      do { done = try makeInParts([entry], cuts, isForced: isForced, verifies: keepsRows) } catch let failure as CutFailure { throw failure.error }
      return (try commit(done, entry, recipe, claimsFiles: claimsFiles), done.parts)
    }
    let stage = plan.stages[entry.index]
    if let counts = ledger.withLock({ $0.counted[entry.index] }) {
      // The rows were looked at when they were written.
      return (try commit(stage, entry, recipe, SealedOutputs(outputs: [], metrics: counts, warnings: []), claimsFiles: false), nil)
    }
    let context = context(of: stage, entry.index, keepsRows: keepsRows) { _ in nil }
    defer { context.discard() }
    let sealed = try busily {
      let metrics = try stage.stage.run(inputs, context)
      return try seal(entry.sources, metrics.json, context)
    }
    note(context.counts)
    return (try commit(stage, entry, recipe, sealed, claimsFiles: claimsFiles, keepsRows: keepsRows), nil)
  }

  /// Counts as a stage at work, for the width that others are granted.
  func busily<Result>(_ body: () throws -> Result) rethrows -> Result {
    busy.add(1, ordering: .relaxed)
    defer { busy.subtract(1, ordering: .relaxed) }
    return try body()
  }

  /// What a stage wrote: finished, and not in the store yet.
  struct SealedOutputs {
    let outputs: [StageContext.Sealed]
    let metrics: JSONValue
    let warnings: [Diagnostic]
  }

  func seal(_ files: [[SourceVersions.File]], _ metrics: JSONValue, _ context: StageContext) throws -> SealedOutputs {
    try sources.check(files)
    return SealedOutputs(outputs: try context.seal(), metrics: metrics, warnings: context.warnings)
  }

  /// `stream` gives the place of an output that goes straight into another stage.
  func context(
    of stage: BoundStage, _ index: Int, keepsRows: Bool, cut: Cut? = nil, stream: (StreamPlan.Port) -> StageContext.Place?
  ) -> StageContext {
    guard let temporary else { preconditionFailure("a stage was started outside of a run") }
    var places: [String: StageContext.Place] = [:], asked: [String: Set<String>] = [:]
    for output in stage.binding.outputs { asked[output.name] = freshness.asked.columns(of: output.name, of: stage) }
    for output in stage.binding.outputs where !stage.keep && !keepsRows {
      let port = StreamPlan.Port(stage: index, output: output.name)
      places[output.name] = stream(port) ?? (streams.readers[port] == nil ? .nowhere : .file)
    }
    return StageContext(
      stage: stage, prefix: temporary.fresh("stage"), places: places, asked: asked, width: { self.grantedWidth }, cancellation: cancellation,
      observer: cut == nil && stage.isStage ? observer : nil, part: cut?.name, files: cut?.files.map { [$0.map(\.file)] },
      tallies: cut == nil && !keepsRows ? tallies(of: stage, index) : [:], deadline: stage.timeout.map { timeout in
        StageDeadline(clock: clock, end: clock.seconds + timeout.count(of: .second), words: "\(timeout)")
      })
  }

  /// `-j` shared among the stages at work: kernels ask again for every piece of work.
  var grantedWidth: Int { max(1, options.width / max(1, busy.load(ordering: .relaxed))) }

  // MARK: Ledger

  func made(by index: Int) -> Freshness.Made {
    guard let made = ledger.withLock({ $0.settled[index]?.made }) else {
      preconditionFailure("stage \"\(plan.stages[index].name)\" was used before it was made")
    }
    return made
  }

  func wasExecuted(_ key: Digest) -> Bool { ledger.withLock { $0.executed.contains(key) } }

  func claim(files made: Freshness.Made, of stage: BoundStage) throws {
    let names = fileNames(of: made)
    if names.isEmpty { return }
    let found = ledger.withLock { ledger in
      let found = clashes(ledger.files + names.map { (stage.name, $0) })
      if found.isEmpty { ledger.files += names.map { (stage.name, $0) } }
      return found
    }
    if !found.isEmpty { throw Mistakes(found) }
  }

  func settle(_ index: Int, _ settled: Settled) {
    ledger.withLock { $0.settled[index] = settled }
    if plan.stages[index].isStage {
      observer?.stageEnded(report(index, settled))
    } else if let ended = expectationReport(index, settled) {
      observer?.expectationEnded(plan.stages[index].expectation?.subject ?? "", ended)
    }
  }
}
