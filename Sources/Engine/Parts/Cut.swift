import Columns
import Pipelines
import Synchronization

/// One piece of the work of a stage, or of stages that stream into each other: a file of a source, or a partition of a table.
struct Cut: Sendable {
  let name: String
  /// What is read of the source; nil where a table is cut.
  let files: [SourceVersions.File]?
  /// What is read of the table; nil where a source is cut.
  let rows: ArtifactRecord?
}

/// What the pieces came to.
struct CutWork: Sendable {
  /// By piece, then by stage.
  let made: [[Freshness.Made]]
  let parts: RunReport.Parts
}

/// A stage that failed on a piece.
struct CutFailure: Error {
  /// Place in the plan.
  let stage: Int
  let error: any Error
}

extension Execution {
  /// How the work of a pass is cut; nil when it is not: a stage needs everything at once, or there is a single piece.
  func cuts(of pass: [PlanReport.Stage]) -> [Cut]? {
    let root = plan.stages[pass[0].index]
    for entry in pass {
      let stage = plan.stages[entry.index]
      switch stage.binding.work {
      case .whole: return nil
      case .eachPartition: break
      case .mergeable:
        // What is merged is made once, after the last piece: it cannot stream on.
        guard stage.keep, stage.stage is any MergeableStage else { return nil }
      }
      if entry.index != pass[0].index {
        guard stage.stage.sources.isEmpty, stage.inputs.count == 1, streams.streams(stage.inputs[0], into: entry.index) else { return nil }
      }
    }
    if root.inputs.isEmpty {
      guard pass[0].sources.count == 1, pass[0].sources[0].count > 1 else { return nil }
      return pass[0].sources[0].map { Cut(name: $0.file.name, files: [$0], rows: nil) }
    }
    guard root.inputs.count == 1, pass[0].sources.isEmpty else { return nil }
    let record = made(by: root.inputs[0].stage).record(of: root.inputs[0].output)
    guard let partitions = record.table?.partitions, partitions.count > 1 else { return nil }
    return partitions.indices.map { Cut(name: partitions[$0].key, files: nil, rows: record.part($0)) }
  }

  /// The stage as it runs on one piece: one that is merged writes a state.
  func partStage(_ entry: PlanReport.Stage) -> BoundStage {
    let stage = plan.stages[entry.index]
    guard case .mergeable(let state) = stage.binding.work else { return stage }
    var binding = stage.binding
    binding.outputs = [Binding.Output("state", .table(state))]
    return BoundStage(
      name: stage.name, stage: stage.stage, contract: stage.contract, settings: stage.settings, binding: binding, inputs: stage.inputs,
      files: stage.files, parameters: stage.parameters, span: stage.span, keep: stage.keep)
  }

  /// Makes what is missing of each piece. `verifies`: files that are there are read before they are believed.
  func makeInParts(_ pass: [PlanReport.Stage], _ cuts: [Cut], isForced: Bool, verifies: Bool) throws -> CutWork {
    let results = CutResults(cuts.count)
    try performConcurrently(cuts.count, width: options.width) { at in
      if cancellation.isCancelled { throw RunCancelled() }
      results.set(at, try make(cuts[at], of: pass, isForced: isForced, verifies: verifies))
    }
    let all = results.all
    return CutWork(
      made: all.map(\.made), parts: RunReport.Parts(executed: all.reduce(0) { $0 + ($1.wasExecuted ? 1 : 0) }, total: cuts.count))
  }

  private func make(_ cut: Cut, of pass: [PlanReport.Stage], isForced: Bool, verifies: Bool) throws -> CutResults.Result {
    if !isForced, let found = found(cut, pass, verifies: verifies) { return .init(made: found, wasExecuted: false) }
    let lock = try lock(recipe(cut, pass[0], [:]).key, plan.stages[pass[0].index])
    defer { unlock(lock) }
    if !isForced, let found = found(cut, pass, verifies: verifies) { return .init(made: found, wasExecuted: false) }
    let threads = try run(pass, cut)
    defer { for thread in threads { thread.context.discard() } }
    for thread in threads {
      if case .failure(let error)? = thread.outcome, !(error is StreamBroken) { throw CutFailure(stage: thread.entry.index, error: error) }
    }
    var made: [Int: Freshness.Made] = [:]
    for thread in threads {
      guard let outcome = thread.outcome else { preconditionFailure("a stage ended without an outcome") }
      let recipe = recipe(cut, thread.entry, made)
      made[thread.entry.index] = try commit(
        thread.stage, thread.entry, recipe, try outcome.get(), claimsFiles: false, isPart: true)
    }
    return .init(made: pass.map { made[$0.index]! }, wasExecuted: true)
  }

  /// What the stages of a pass gave for a piece, when all of it is there.
  func found(_ cut: Cut, _ pass: [PlanReport.Stage], verifies: Bool) -> [Freshness.Made]? {
    var made: [Int: Freshness.Made] = [:]
    for entry in pass {
      let stage = partStage(entry)
      guard case .made(let found) = freshness.find(recipe(cut, entry, made).key, of: stage) else { return nil }
      // States are read at once.
      var isRead = verifies
      if case .mergeable = plan.stages[entry.index].binding.work { isRead = true }
      if isRead, found.isStored, !found.outputs.allSatisfy({ isIntact($0.record) }) { return nil }
      made[entry.index] = found
    }
    return pass.map { made[$0.index]! }
  }

  func recipe(_ cut: Cut, _ entry: PlanReport.Stage, _ made: [Int: Freshness.Made]) -> Recipe {
    let stage = plan.stages[entry.index]
    let contents = stage.inputs.map { input -> Recipe.Content in
      if let before = made[input.stage] { return .known(before.record(of: input.output)) }
      guard let rows = cut.rows else { preconditionFailure("a piece of a source was asked for rows of a table") }
      return .known(rows)
    }
    let files = entry.sources.isEmpty ? [] : [(cut.files ?? []).map { ($0.file.name, $0.digest) }]
    return Recipe(stage: stage, inputs: contents, sources: files, part: cut.name)
  }
}

/// One result for each piece.
private final class CutResults: Sendable {
  struct Result: Sendable {
    let made: [Freshness.Made]
    let wasExecuted: Bool
  }
  private let results: Mutex<[Result?]>

  init(_ count: Int) { results = Mutex(Array(repeating: nil, count: count)) }

  func set(_ at: Int, _ result: Result) { results.withLock { $0[at] = result } }

  var all: [Result] { results.withLock { $0.map { $0! } } }
}
