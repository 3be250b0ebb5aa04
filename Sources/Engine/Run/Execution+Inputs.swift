import Diagnostics
import Pipelines

/// What a stage reads: from the store, from a file of this run, or made again because it is damaged or was not kept.
extension Execution {
  /// Whether every input from outside of the run or from a stage that ended well is there.
  func hasInputs(_ entry: PlanReport.Stage, besides members: [Int] = []) -> Bool {
    let needed = plan.stages[entry.index].inputs.map(\.stage) + [entry.twin].compactMap { $0 }
    // Within the lock: a copy of what is settled would be copied for good by the next stage that ends.
    return ledger.withLock { ledger in needed.allSatisfy { ledger.settled[$0]?.made != nil || members.contains($0) } }
  }

  /// Opens what a stage reads; `arriving` gives the inputs that stream.
  func inputs(
    of entry: PlanReport.Stage, cut: Cut? = nil, arriving: (BoundInput) -> TableArtifact? = { _ in nil }
  ) throws -> Inputs<Artifact> {
    let stage = plan.stages[entry.index]
    return Inputs(try stage.inputs.map { input in
      let value = try arriving(input).map { Artifact.table($0) } ?? open(input, of: stage, cut?.rows)
      return .init(port: input.port, alias: input.alias, value: value)
    })
  }

  /// `part` is what the stage gets of the table.
  private func open(_ input: BoundInput, of stage: BoundStage, _ part: ArtifactRecord?) throws -> Artifact {
    let reads = stage.binding.reads.first { $0.alias == input.alias }?.columns ?? .all
    let record = made(by: input.stage).record(of: input.output)
    if stage.needsRows(of: input) {
      if made(by: input.stage).isStored { try ensureIntact(record, madeBy: input.stage) }
      if !made(by: input.stage).isStored {
        let port = StreamPlan.Port(stage: input.stage, output: input.output)
        if let rows = try looseRows(port, part ?? record, type: input.type, reads, for: stage) { return .table(rows) }
        let loose = try looseArtifact(port, for: stage)
        return try freshness.store.open(part?.files(from: loose.record) ?? loose.record, type: input.type, reads: reads, in: .folder(loose.folder), sharing: opened)
      }
    }
    return try freshness.store.open(part ?? record, type: input.type, reads: reads, in: freshness.store.place(of: record.digest), sharing: opened)
  }

  /// Rows that are not kept: made again when nobody needed them before.
  private func looseArtifact(_ port: StreamPlan.Port, for consumer: BoundStage) throws -> LooseArtifact {
    if let loose = ledger.withLock({ $0.loose[port] }) { return loose }
    try makeAgain(
      port.stage, [Reason(.unkept, name: consumer.name)], unless: { self.ledger.withLock { $0.loose[port] } != nil },
      because: "its rows were not kept")
    guard let loose = ledger.withLock({ $0.loose[port] }) else { preconditionFailure("rows were made again and are not there") }
    return loose
  }

  /// After a pass: files of rows that nobody reads any more go.
  func release(_ pass: [PlanReport.Stage]) {
    for entry in pass where entry.twin == nil {
      for input in plan.stages[entry.index].inputs where plan.stages[entry.index].needsRows(of: input) {
        let port = StreamPlan.Port(stage: input.stage, output: input.output)
        let folders = ledger.withLock { ledger -> [String] in
          guard let left = ledger.readers[port] else { return [] }
          ledger.readers[port] = left - 1
          if left > 1 { return [] }
          let parts = ledger.looseParts.removeValue(forKey: port) ?? [:]
          return [ledger.loose.removeValue(forKey: port)?.folder].compactMap { $0 } + parts.values.map(\.folder)
        }
        for folder in folders { Disk.remove(folder) }
      }
    }
  }

  // MARK: Damage

  func isIntact(_ record: ArtifactRecord) -> Bool {
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
    try makeAgain(index, [Reason(.damaged)], unless: { self.isIntact(record) }, because: "its artifact was damaged")
  }

  /// Runs a stage whose outputs are known already. `isThere`: another stage or process may have done so while this one waited.
  private func makeAgain(_ index: Int, _ reasons: [Reason], unless isThere: () -> Bool, because: String) throws {
    guard let entry = entries[index], var settled = ledger.withLock({ $0.settled[index] }) else {
      preconditionFailure("an artifact is used whose stage is not part of the run")
    }
    let stage = plan.stages[index]
    let inputs = stage.keep && cuts(of: [entry]) != nil ? Inputs([]) : try inputs(of: entry)
    let lock = try lock(settled.recipe.key, stage)
    defer { unlock(lock) }
    if isThere() { return }
    settled.reasons = reasons
    settled.start = clock.seconds
    observer?.stageStarted(stage.name, reasons: settled.reasons)
    let (made, parts) = try make(entry, settled.recipe, inputs, claimsFiles: false, isForced: false, keepsRows: true)
    guard settled.made.map(made.agrees) ?? false else { throw Self.notTheSame(stage, because: because) }
    settled.status = .executed
    opened.forget()
    settled.made = made
    settled.parts = parts
    settled.seconds = clock.seconds - settled.start!
    settle(index, settled)
  }

  static func notTheSame(_ stage: BoundStage, because: String) -> Diagnostic {
    Diagnostic(
      "stage \"\(stage.name)\" was run again because \(because), and did not give the same content",
      at: stage.span.map { .text($0) } ?? .nowhere, hint: "run again with --force \(stage.name)")
  }
}
