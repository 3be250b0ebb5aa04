import Columns
import Diagnostics
import Pipelines

/// Rows that are not kept, of stages that are made in pieces: of every piece those that somebody reads.
extension Execution {
  /// The rows of the partitions in `wanted`; nil when their stage is made as a whole. Pieces whose rows are not there are made again.
  func looseRows(
    _ port: StreamPlan.Port, _ wanted: ArtifactRecord, type: ArtifactType, _ reads: Binding.Read.Columns, for consumer: BoundStage
  ) throws -> TableArtifact? {
    guard ledger.withLock({ $0.loose[port] == nil }), let entry = entries[port.stage], let table = wanted.table, let cuts = cuts(of: [entry]) else {
      return nil
    }
    let keys = table.partitions.map(\.key)
    let missing = ledger.withLock { ledger in Set(keys.filter { ledger.looseParts[port]?[$0] == nil }) }
    if !missing.isEmpty {
      let needed = cuts.filter { cut in
        let found = found(cut, [entry], verifies: false)?[0].record(of: port.output)
        return found?.table?.partitions.contains { missing.contains($0.key) } ?? true
      }
      try performConcurrently(needed.count, width: options.width) { try makeRows(needed[$0], entry, port, for: consumer, of: cuts.count) }
    }
    var partitions: [TablePartition] = [], opened: TableType?
    for key in keys {
      guard let loose = ledger.withLock({ $0.looseParts[port]?[key] }), let at = loose.record.table?.partitions.firstIndex(where: { $0.key == key }),
        case .table(let part) = try freshness.store.open(loose.record.part(at), type: type, reads: reads, in: .folder(loose.folder))
      else { preconditionFailure("rows of partition \"\(key)\" were made again and are not there") }
      partitions += part.partitions
      opened = part.type
    }
    return opened.map { TableArtifact(type: $0, partitions: partitions, digest: wanted.digest) }
  }

  /// Runs a stage on one piece for the rows alone: what comes out is known.
  private func makeRows(_ cut: Cut, _ entry: PlanReport.Stage, _ port: StreamPlan.Port, for consumer: BoundStage, of total: Int) throws {
    let stage = plan.stages[entry.index], recipe = recipe(cut, entry, [:])
    let lock = try lock(recipe.key, stage)
    defer { unlock(lock) }
    let before = found(cut, [entry], verifies: false)?[0]
    // Another stage may have made them while this one waited.
    if let keys = before?.record(of: port.output).table?.partitions.map(\.key),
      ledger.withLock({ ledger in keys.allSatisfy { ledger.looseParts[port]?[$0] != nil } })
    { return }
    let start = clock.seconds
    let threads = try run([entry], cut, keepsRows: true)
    defer { for thread in threads { thread.context.discard() } }
    guard let outcome = threads[0].outcome else { preconditionFailure("a stage ended without an outcome") }
    let made = try commit(stage, entry, recipe, try outcome.get(), claimsFiles: false, keepsRows: true, isPart: true)
    if let before, !made.agrees(with: before) {
      throw Self.notTheSame(stage, because: "its rows were not kept")
    }
    ledger.withLock { ledger in
      guard var settled = ledger.settled[entry.index] else { return }
      if settled.status == .cached {
        settled.status = .executed
        settled.reasons = [Reason(.unkept, name: consumer.name)]
        settled.start = start
        settled.seconds = 0
      }
      settled.seconds = (settled.seconds ?? 0) + clock.seconds - start
      settled.parts = RunReport.Parts(executed: min(total, (settled.parts?.executed ?? 0) + 1), total: total)
      ledger.settled[entry.index] = settled
    }
  }
}
