import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Puts order, freshness and bytes together: plans a bound plan against a store, and runs what is stale.
///
///     let executor = Executor(store: ArtifactStore(path: "artifacts"))
///     let report = try executor.run(plan, RunOptions(width: 8))
public struct Executor: Sendable {
  public let store: ArtifactStore

  public init(store: ArtifactStore) { self.store = store }

  /// What a run would do, and why. Throws `Mistakes` when it cannot begin: unknown stage names, unreadable sources.
  public func plan(_ plan: BoundPlan, _ options: RunOptions) throws -> PlanReport {
    try self.plan(plan, asking: options.asking(plan))
  }

  /// As they stand in the store: what has no version is not asked again.
  func plan(_ plan: BoundPlan, asking options: RunOptions) throws -> PlanReport {
    // With --no-cache nothing is there: as in a store that does not exist.
    let store = options.noCache ? ArtifactStore(path: store.temporary + "/none") : store
    return try planner(plan, options, Freshness(store: store, catalog: Catalog.open(store), asked: AskedColumns(plan))).report()
  }

  /// Runs what is stale. Throws `Mistakes` when it cannot begin; a stage that fails is told in the report, and the run
  /// is recorded however it ends.
  public func run(
    _ plan: BoundPlan, _ options: RunOptions, observer: (any RunObserver)? = nil, cancellation: CancellationFlag = CancellationFlag()
  ) throws -> RunReport {
    let clock = Stopwatch(), options = options.asking(plan)
    try store.prepare()
    TemporaryFolder.sweep(store)
    let live = try LiveRun(in: store)
    defer { live.end() }
    let catalog = Catalog.open(store)
    // --no-cache: a store of the run's own within the run's temporary folder, gone after it.
    let temporary = options.noCache ? try TemporaryFolder(in: store) : nil
    let working = temporary.map { ArtifactStore(path: $0.fresh("store")) } ?? store
    if options.noCache { try working.prepare() }
    let workingCatalog = options.noCache ? Catalog.inMemory() : catalog
    var freshness = Freshness(
      store: working, catalog: workingCatalog, asked: AskedColumns(plan), gate: options.noCache ? nil : StoreGate(store) { observer?.storeWaits(holder: $0) })
    if let cache = options.cache, !options.noCache {
      freshness.shared = (cache, try SharedArrival(store, width: options.width) { observer?.cacheFailed($0) })
    }
    let planned = try planner(plan, options, freshness).report()
    let moved = (options.promise?.moved(to: planned) ?? []) + (options.lock?.movedInputs(planned, of: plan) ?? [])
    if !moved.isEmpty { throw Moved(moved) }

    let folder = try RunFolder(in: store)
    let execution = Execution(
      plan: plan, planned: planned, options: options, freshness: freshness,
      cancellation: cancellation, observer: observer, clock: clock)
    let pending = planned.nodes.filter(\.isPending)
    observer?.runStarted(
      id: folder.id, stages: planned.stages.count, toExecute: pending.filter { $0.status != .cached && $0.expectation == nil }.count)
    execution.settleCached()
    if !pending.isEmpty {
      try execution.run(pending, history: workingCatalog.history(of: plan.pipeline))
    }
    if let cache = options.cache, !options.noCache {
      cache.give(execution.executedRecipes, from: store, width: options.width) { observer?.cacheFailed($0) }
    }
    let report = RunReport(
      id: folder.id, pipeline: plan.pipeline, file: plan.file, status: execution.status, started: folder.started, seconds: clock.seconds,
      width: options.width, toolVersion: options.toolVersion, stages: execution.reports, resolved: plan.resolved,
      origins: options.provenance?.origins)
    let startedWith = options.provenance?.members(options, hasMade: !pending.isEmpty) ?? []
    try folder.write(report.heading, report.findings, startedWith: startedWith, files: working)
    let keys = workingCatalog.keys(of: plan.pipeline)
    let settled = execution.settledRecipes.filter { $0.seconds != nil || keys[$0.name] != $0.recipe.key.description }
    if options.noCache {
      catalog.record(runs: [(report.id, report.summary)])
    } else {
      catalog.record(
        pipeline: plan.pipeline, stages: settled, recipes: execution.committedRecipes, run: (report.id, report.summary),
        next: options.words.flatMap { execution.settledRun($0) })
    }
    return report
  }

  func planner(_ plan: BoundPlan, _ options: RunOptions, _ freshness: Freshness) -> Planner {
    Planner(
      plan: plan, options: options, freshness: freshness, sources: SourceVersions(catalog: freshness.catalog, width: options.width), registry: RunRegistry(store: self.store))
  }

  /// The names of the stages that `--to`, `--only` and `--exclude` leave, in the order of the plan; runs nothing.
  public func selected(_ plan: BoundPlan, _ options: RunOptions) throws -> [String] {
    let catalog = options.isAboutStore ? Catalog.open(store) : Catalog.inMemory()
    let asked = try planner(plan, options, Freshness(store: store, catalog: catalog, asked: AskedColumns(plan))).selection().asked
    return zip(plan.stages, asked).filter { $0.isStage && $1 }.map(\.0.name)
  }
}

/// Seconds since it was made, by a clock that never goes back.
struct Stopwatch: Sendable {
  private let begin = Stopwatch.now

  var seconds: Double { Double(Stopwatch.now &- begin) / 1e9 }

  private static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
  }
}
