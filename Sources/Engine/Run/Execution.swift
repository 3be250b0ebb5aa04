import Columns
import Diagnostics
import Pipelines
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One run while it runs: what each stage came to, and the work of one stage from recipe to commit.
// @unchecked: mutable state lies in `ledger`, a mutex; `scheduler` and `temporary` are set before any work starts.
final class Execution: @unchecked Sendable {
  private let plan: BoundPlan
  private let planned: PlanReport
  private let entries: [Int: PlanReport.Stage]
  private let options: RunOptions
  private let freshness: Freshness
  private let sources: SourceVersions
  private let cancellation: CancellationFlag
  private let observer: (any RunObserver)?
  private let clock: Stopwatch
  private var scheduler: Scheduler?
  private var temporary: TemporaryFolder?

  /// What a stage came to.
  private struct Settled {
    var status: RunReport.Stage.Status
    var reasons: [Reason] = []
    var recipe: Recipe
    var made: Freshness.Made?
    var start: Double?
    /// Of the execution; nil when there was none.
    var seconds: Double?
    var mistakes: [Diagnostic] = []
  }

  private struct Ledger {
    var settled: [Int: Settled] = [:]
    /// Recipes executed in this run.
    var executed: Set<Digest> = []
    /// Artifacts whose bytes were compared with their checksums, or written, by this process.
    var intact: Set<Digest> = []
    var files: [(stage: String, file: String)] = []
  }
  private let ledger = Mutex(Ledger())

  init(
    plan: BoundPlan, planned: PlanReport, options: RunOptions, freshness: Freshness, cancellation: CancellationFlag,
    observer: (any RunObserver)?, clock: Stopwatch
  ) {
    self.plan = plan
    self.planned = planned
    entries = Dictionary(uniqueKeysWithValues: planned.stages.map { ($0.index, $0) })
    self.options = options
    self.freshness = freshness
    sources = SourceVersions(catalog: freshness.catalog, width: options.width)
    self.cancellation = cancellation
    self.observer = observer
    self.clock = clock
  }

  // MARK: The whole run

  func settleCached() {
    for stage in planned.stages {
      guard let made = stage.made else { continue }
      ledger.withLock { $0.files += fileNames(of: made).map { (stage.name, $0) } }
      settle(stage.index, Settled(status: .cached, recipe: stage.recipe, made: made))
    }
  }

  /// `pending` are the stages whose artifacts are not known yet.
  func run(_ pending: [PlanReport.Stage], history: [String: Catalog.StageHistory]) throws {
    temporary = try TemporaryFolder(in: freshness.store)
    defer { temporary = nil }
    let places = Dictionary(uniqueKeysWithValues: pending.enumerated().map { ($1.index, $0) })
    let needs = pending.map { stage in
      (plan.stages[stage.index].inputs.map(\.stage) + [stage.twin].compactMap { $0 }).compactMap { places[$0] }
    }
    let scheduler = Scheduler(
      needs: needs, costs: pending.map { history[$0.name]?.seconds ?? 1 }, width: options.width,
      memory: pending.map { max(0, plan.stages[$0.index].binding.memory ?? 0) }, budget: options.memory ?? .max)
    self.scheduler = scheduler
    _ = scheduler.run { self.work(pending[$0], history[pending[$0].name]) }
    self.scheduler = nil
    let settled = ledger.withLock { $0.settled }
    for stage in pending where settled[stage.index] == nil {
      settle(stage.index, Settled(status: .skipped, reasons: stage.reasons, recipe: stage.recipe))
    }
  }

  var status: RunReport.Status {
    let statuses = ledger.withLock { $0.settled.mapValues(\.status) }
    let isWhole = !statuses.values.contains { $0 == .failed || $0 == .skipped }
    if isWhole { return .succeeded }
    return cancellation.isCancelled ? .cancelled : .failed
  }

  /// In the order of the plan.
  var reports: [RunReport.Stage] {
    let settled = ledger.withLock { $0.settled }
    return planned.stages.compactMap { stage in settled[stage.index].map { report(stage.index, $0) } }
  }

  /// What the catalog remembers: the recipes that have artifacts now.
  var settledRecipes: [(name: String, recipe: Recipe, seconds: Double?)] {
    let settled = ledger.withLock { $0.settled }
    return planned.stages.compactMap { stage in
      guard let entry = settled[stage.index], entry.made != nil else { return nil }
      return (stage.name, entry.recipe, entry.seconds)
    }
  }

  // MARK: One stage

  private func work(_ entry: PlanReport.Stage, _ history: Catalog.StageHistory?) -> Scheduler.Verdict {
    if cancellation.isCancelled { return .stop }
    let stage = plan.stages[entry.index]
    var settled = Settled(status: .executed, reasons: entry.reasons, recipe: entry.recipe)
    do {
      if let twin = entry.twin {
        let made = made(by: twin)
        settled = Settled(status: .cached, recipe: recipe(of: entry), made: made)
        try claim(files: made, of: stage)
      } else {
        settled.recipe = recipe(of: entry)
        let isForced = options.force.contains(stage.name)
        if !entry.recipe.isComplete, !isForced {
          // The wave stops here when the inputs came out equal.
          let finding = freshness.find(settled.recipe.key, of: stage)
          if case .made(let made) = finding, !wasExecuted(made.key) {
            try claim(files: made, of: stage)
            settle(entry.index, Settled(status: .cached, recipe: settled.recipe, made: made))
            return .done
          }
          settled.reasons = freshness.reasons(
            for: settled.recipe, of: stage, finding: finding, history: history, producers: stage.inputs.map { plan.stages[$0.stage].name })
        }
        try execute(entry, &settled, isForced: isForced)
      }
      settle(entry.index, settled)
      return .done
    } catch is RunCancelled {
      settled.status = .skipped
      settle(entry.index, settled)
      return .stop
    } catch {
      settled.status = .failed
      settled.mistakes = Mistakes(describing: error, in: stage).all
      settled.seconds = settled.start.map { clock.seconds - $0 }
      settle(entry.index, settled)
      return options.keepGoing ? .failed : .stop
    }
  }

  /// With the inputs as they came out.
  private func recipe(of entry: PlanReport.Stage) -> Recipe {
    if entry.recipe.isComplete { return entry.recipe }
    let stage = plan.stages[entry.index]
    return Recipe(
      stage: stage, inputs: stage.inputs.map { .known(made(by: $0.stage).record(of: $0.output)) },
      sources: entry.sources.map { $0.map { ($0.file.name, $0.digest) } })
  }

  private func execute(_ entry: PlanReport.Stage, _ settled: inout Settled, isForced: Bool) throws {
    let stage = plan.stages[entry.index], key = settled.recipe.key
    let lock = try lock(key, stage)
    defer { lock.removeFile() }
    if !isForced, case .made(let made) = freshness.find(key, of: stage), !wasExecuted(key) {
      // Another process made it while this one waited.
      try claim(files: made, of: stage)
      settled = Settled(status: .cached, recipe: settled.recipe, made: made)
      return
    }
    settled.start = clock.seconds
    observer?.stageStarted(stage.name, reasons: settled.reasons)
    settled.made = try make(entry, settled.recipe, claimsFiles: true)
    settled.seconds = clock.seconds - settled.start!
  }

  /// Runs a stage whose lock is held, and commits what it gives.
  private func make(_ entry: PlanReport.Stage, _ recipe: Recipe, claimsFiles: Bool) throws -> Freshness.Made {
    let stage = plan.stages[entry.index], store = freshness.store
    guard let temporary else { preconditionFailure("a stage was started outside of a run") }
    var inputs: [Inputs<Artifact>.Entry] = []
    for input in stage.inputs {
      let record = made(by: input.stage).record(of: input.output)
      let reads = stage.binding.reads.first { $0.alias == input.alias }?.columns ?? .all
      if reads != .named([]) { try ensureIntact(record, madeBy: input.stage) }
      inputs.append(.init(port: input.port, alias: input.alias, value: try store.open(record, type: input.type, reads: reads)))
    }
    let context = try StageContext(
      stage: stage, folder: temporary.fresh("stage"), width: { self.grantedWidth }, cancellation: cancellation, observer: observer)
    defer { context.discard() }
    let metrics = try stage.stage.run(Inputs(inputs), context)
    try sources.check(entry.sources)
    let sealed = try context.seal()
    let made = Freshness.Made(
      key: recipe.key, outputs: sealed.map { ($0.name, $0.record) },
      metrics: .object(metrics.members.map { JSONMember($0.name, $0.value) }), warnings: context.warnings)
    if claimsFiles { try claim(files: made, of: stage) }
    for output in sealed {
      // What is there under this name may be damaged in a way that sizes do not show.
      let replaces = Disk.exists(store.folder(of: output.record.digest)) && !isIntact(output.record)
      try store.commit(output.record, from: output.folder, replacing: replaces)
    }
    let record = RecipeRecord(
      recipe: recipe.json, outputs: made.outputs.map { ($0.name, $0.record.digest) }, metrics: made.metrics, warnings: made.warnings)
    try store.commit(record, key: recipe.key, through: temporary.fresh("recipe"))
    freshness.catalog.record(recipe: recipe)
    ledger.withLock {
      $0.executed.insert(recipe.key)
      $0.intact.formUnion(sealed.map(\.record.digest))
    }
    return made
  }

  /// `-j` shared among the stages that run: kernels ask again for every piece of work.
  private var grantedWidth: Int { max(1, options.width / max(1, scheduler?.runningCount ?? 1)) }

  /// The right to make what a recipe gives; waits while another process has it.
  private func lock(_ key: Digest, _ stage: BoundStage) throws -> FileLock {
    let path = freshness.store.locks + "/\(key)"
    var hasTold = false
    while true {
      if let lock = try FileLock.attempt(path) { return lock }
      if !hasTold { observer?.stageWaits(stage.name, holder: FileLock.holder(path)) }
      hasTold = true
      if cancellation.isCancelled { throw RunCancelled() }
      usleep(20_000)
    }
  }

  // MARK: Damage

  private func isIntact(_ record: ArtifactRecord) -> Bool {
    if ledger.withLock({ $0.intact.contains(record.digest) }) { return true }
    guard case .sound(let stored) = freshness.store.condition(of: record.digest),
      freshness.store.isIntact(stored, width: grantedWidth)
    else { return false }
    ledger.withLock { _ = $0.intact.insert(record.digest) }
    return true
  }

  /// Reads an artifact once per process before it is used; one that is damaged is made again by its stage.
  private func ensureIntact(_ record: ArtifactRecord, madeBy index: Int) throws {
    if isIntact(record) { return }
    guard let entry = entries[index], var settled = ledger.withLock({ $0.settled[index] }) else {
      preconditionFailure("an artifact is used whose stage is not part of the run")
    }
    let stage = plan.stages[index]
    let lock = try lock(settled.recipe.key, stage)
    defer { lock.removeFile() }
    // Another stage or process may have mended it while this one waited.
    if isIntact(record) { return }
    settled.reasons = [Reason(.damaged)]
    settled.start = clock.seconds
    observer?.stageStarted(stage.name, reasons: settled.reasons)
    let made = try make(entry, settled.recipe, claimsFiles: false)
    guard made.outputs.map(\.record.digest) == settled.made?.outputs.map(\.record.digest) else {
      throw Diagnostic(
        "stage \"\(stage.name)\" was run again because its artifact was damaged, and did not give the same content",
        at: stage.span.map { .text($0) } ?? .nowhere, hint: "run again with --force \(stage.name)")
    }
    settled.status = .executed
    settled.made = made
    settled.seconds = clock.seconds - settled.start!
    settle(index, settled)
  }

  // MARK: Ledger

  private func made(by index: Int) -> Freshness.Made {
    guard let made = ledger.withLock({ $0.settled[index]?.made }) else {
      preconditionFailure("stage \"\(plan.stages[index].name)\" was used before it was made")
    }
    return made
  }

  private func wasExecuted(_ key: Digest) -> Bool { ledger.withLock { $0.executed.contains(key) } }

  private func claim(files made: Freshness.Made, of stage: BoundStage) throws {
    let names = fileNames(of: made)
    if names.isEmpty { return }
    let found = ledger.withLock { ledger in
      let found = clashes(ledger.files + names.map { (stage.name, $0) })
      if found.isEmpty { ledger.files += names.map { (stage.name, $0) } }
      return found
    }
    if !found.isEmpty { throw Mistakes(found) }
  }

  private func settle(_ index: Int, _ settled: Settled) {
    ledger.withLock { $0.settled[index] = settled }
    observer?.stageEnded(report(index, settled))
  }

  private func report(_ index: Int, _ settled: Settled) -> RunReport.Stage {
    let stage = plan.stages[index]
    var needs: [String] = []
    for input in stage.inputs where !needs.contains(plan.stages[input.stage].name) { needs.append(plan.stages[input.stage].name) }
    return RunReport.Stage(
      name: stage.name, kind: stage.contract.kind, status: settled.status, reasons: settled.reasons, start: settled.start,
      seconds: settled.seconds ?? 0, outputs: (settled.made?.outputs ?? []).map { RunReport.Output(name: $0.name, record: $0.record) },
      metrics: settled.made?.metrics ?? [:], warnings: settled.made?.warnings ?? [], mistakes: settled.mistakes, needs: needs, span: stage.span)
  }
}
