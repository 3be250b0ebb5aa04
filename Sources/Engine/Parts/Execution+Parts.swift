import Columns
import Diagnostics
import Pipelines
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// From the pieces of the work to the artifacts of the whole.
extension Execution {
  /// A pass whose work is cut: every piece goes through all of its stages.
  func workInParts(
    _ pass: [PlanReport.Stage], _ cuts: [Cut], _ settled: inout [Int: Settled], _ history: [String: Catalog.StageHistory]
  ) -> Scheduler.Verdict {
    let start = clock.seconds
    for entry in pass where entry.expectation == nil { observer?.stageStarted(entry.name, reasons: entry.reasons) }
    let done: CutWork
    do {
      done = try makeInParts(pass, cuts, isForced: pass.contains { $0.isForced }, verifies: false)
    } catch {
      let failure = error as? CutFailure ?? CutFailure(stage: pass[0].index, error: error)
      var verdict = Scheduler.Verdict.done
      if !(failure.error is RunCancelled), let entry = pass.first(where: { $0.index == failure.stage }), let delay = retryDelay(entry, failure.error) {
        return .again(delay)
      }
      for entry in pass {
        var own = settled[entry.index]!
        if entry.index == failure.stage {
          own.start = start
          if case .stop = fail(entry, &own, failure.error) { verdict = .stop }
        } else {
          settle(entry.index, own)
        }
      }
      return verdict
    }
    for (at, entry) in pass.enumerated() {
      var own = settled[entry.index]!
      own.start = start
      if !hasInputs(entry) {
        own.start = nil
        settle(entry.index, own)
        continue
      }
      do {
        own.recipe = recipe(of: entry)
        if !entry.recipe.isComplete { own.reasons = reasons(entry, own.recipe, freshness.find(own.recipe.key, of: plan.stages[entry.index]), history[entry.name]) }
        own.made = try commit(done, at: at, entry, own.recipe, claimsFiles: true)
        own.status = .executed
        own.parts = done.parts
        own.seconds = clock.seconds - start
        settle(entry.index, own)
      } catch {
        if case .stop = fail(entry, &own, error) { return .stop }
      }
    }
    return .done
  }

  /// Puts the pieces of one stage of a pass together, or merges its states. `at`: its place in the pass.
  func commit(
    _ done: CutWork, at: Int = 0, _ entry: PlanReport.Stage, _ recipe: Recipe, claimsFiles: Bool
  ) throws -> Freshness.Made {
    let stage = plan.stages[entry.index]
    let pieces = done.made.map { $0[at] }
    if case .mergeable(let state) = stage.binding.work { return try merge(pieces, state, stage, entry, recipe, claimsFiles: claimsFiles) }
    var warnings: [Diagnostic] = []
    let metrics = try stage.stage.combined(pieces.map(\.metrics))
    for warning in pieces.flatMap(\.warnings) + stage.stage.warnings(about: metrics) where !warnings.contains(warning) { warnings.append(warning) }
    for warning in warnings { observer?.warned(stage.name, warning) }
    let sealed = SealedOutputs(
      outputs: try stage.binding.outputs.map { output in try joined(pieces.map { $0.record(of: output.name) }, output, keep: stage.keep) },
      metrics: metrics, warnings: warnings)
    // Files of pieces that were there before are read before they are used.
    return try commit(
      stage, entry, recipe, sealed, claimsFiles: claimsFiles, isAssembled: true, isWritten: done.parts.executed == done.parts.total)
  }

  /// A table of the partitions of all pieces: its files are further names of theirs.
  private func joined(_ pieces: [ArtifactRecord], _ output: Binding.Output, keep: Bool) throws -> StageContext.Sealed {
    guard let temporary, case .table(let type) = output.type else { preconditionFailure("only tables are made in pieces") }
    let folder = temporary.fresh("object")
    if keep, mkdir(folder, 0o777) != 0 { throw Disk.failure("make the folder", folder) }
    let all = pieces.flatMap { piece in (piece.table?.partitions ?? []).map { (partition: $0, from: freshness.store.place(of: piece.digest)) } }
    let sorted = all.sorted { $0.partition.key.utf8.lexicographicallyPrecedes($1.partition.key.utf8) }
    let partitions = try sorted.enumerated().map { at, entry in
      var file: ArtifactRecord.StoredFile?
      if keep, let before = entry.partition.file {
        let name = StageContext.partName(at)
        try entry.from.linkOrCopy(before.name, to: folder + "/" + name)
        file = ArtifactRecord.StoredFile(name: name, bytes: before.bytes, checksum: before.checksum)
      }
      return ArtifactRecord.Partition(key: entry.partition.key, batchRows: entry.partition.batchRows, file: file, columns: entry.partition.columns)
    }
    return StageContext.Sealed(
      name: output.name, record: ArtifactRecord(table: ArtifactRecord.Table(schema: type.schema, partitions: partitions)), folder: folder)
  }

  private func merge(
    _ pieces: [Freshness.Made], _ state: TableType, _ stage: BoundStage, _ entry: PlanReport.Stage, _ recipe: Recipe, claimsFiles: Bool
  ) throws -> Freshness.Made {
    guard let kind = stage.stage as? any MergeableStage else { preconditionFailure("stage \"\(stage.name)\" cannot merge its states") }
    let states = try pieces.map { piece -> TableArtifact in
      let opened = try freshness.store.open(piece.record(of: "state"), type: .table(state), reads: .all)
      guard case .table(let table) = opened else { preconditionFailure("a state is no table") }
      return table
    }
    let context = context(of: stage, entry.index, keepsRows: false) { _ in nil }
    defer { context.discard() }
    let sealed = try busily {
      let metrics = try kind.merge(states, metrics: pieces.map(\.metrics), context)
      return try seal([], metrics.json, context)
    }
    return try commit(stage, entry, recipe, sealed, claimsFiles: claimsFiles)
  }
}
