import Columns
import Diagnostics
import Pipelines

/// What a run came to, for its record.
extension Execution {
  var status: RunReport.Status {
    let settled = ledger.withLock { $0.settled }
    let isWhole = !settled.contains { index, stage in
      stage.status == .failed || stage.status == .skipped || isUnmet(index, stage)
    }
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
    return planned.nodes.compactMap { stage in
      guard let entry = settled[stage.index], entry.made != nil else { return nil }
      return (stage.name, entry.recipe, entry.seconds)
    }
  }

  /// What the catalog is told of them.
  var committedRecipes: [(key: Digest, skeleton: Digest)] { ledger.withLock { $0.committed } }

  /// Keys of what this run made, ascending, those of pieces among them.
  var executedRecipes: [Digest] { ledger.withLock { $0.executed }.sorted() }

  func report(_ index: Int, _ settled: Settled) -> RunReport.Stage {
    let stage = plan.stages[index]
    var needs: [String] = []
    for input in stage.inputs where !needs.contains(plan.stages[input.stage].name) { needs.append(plan.stages[input.stage].name) }
    let about = bySubject[stage.name] ?? []
    let (others, attempts) = ledger.withLock { ledger in (about.map { ledger.settled[$0] }, ledger.attempts[index] ?? 0) }
    let expected = zip(about, others).compactMap { at, other in other.flatMap { expectationReport(at, $0) } }
    return RunReport.Stage(
      name: stage.name, kind: stage.contract.kind, variant: stage.variant, status: settled.status, reasons: settled.reasons, start: settled.start,
      seconds: settled.seconds ?? 0, outputs: (settled.made?.outputs ?? []).map { RunReport.Output(name: $0.name, record: $0.record, isKept: settled.made?.isStored ?? true) },
      metrics: settled.made?.metrics ?? [:], expectations: expected, parts: settled.parts, attempts: attempts + (settled.start == nil ? 0 : 1),
      warnings: settled.made?.warnings ?? [], mistakes: settled.mistakes, needs: needs,
      recipe: settled.recipe.key.description, sources: (entries[index]?.sources ?? []).flatMap { $0.map { (name: $0.file.name, digest: $0.digest.description) } },
      span: stage.span)
  }
}
