import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// From what a stage wrote to what the store holds.
extension Execution {
  func commit(
    _ stage: BoundStage, _ entry: PlanReport.Stage, _ recipe: Recipe, _ sealed: SealedOutputs, claimsFiles: Bool, keepsRows: Bool = false,
    isPart: Bool = false, isAssembled: Bool = false, isWritten: Bool = true
  ) throws -> Freshness.Made {
    // What was digested for other readers stays known.
    let before = stage.keep ? [] : freshness.store.recipe(recipe.key)?.outputs ?? []
    let made = Freshness.Made(
      key: recipe.key,
      outputs: sealed.outputs.map { output in
        if stage.keep { return (output.name, output.record) }
        let record = output.record.withoutRows
        return (output.name, before.first { $0.name == output.name }?.unkept.map(record.completed) ?? record)
      }, metrics: sealed.metrics, warnings: sealed.warnings, isStored: stage.keep)
    // Consumers' recipes were made from what was recorded.
    if let before = entry.made, !isPart, !made.agrees(with: before) {
      throw Self.notTheSame(stage, because: "its rows were not kept")
    }
    if claimsFiles { try claim(files: made, of: stage) }
    try publish(made, stage, entry, recipe, sealed, keepsRows: keepsRows, isPart: isPart, isAssembled: isAssembled, isWritten: isWritten)
    return made
  }

  /// So many stages that could start at once will not take long, most of them.
  private static let manyReady = 16

  private func publish(
    _ made: Freshness.Made, _ stage: BoundStage, _ entry: PlanReport.Stage, _ recipe: Recipe, _ sealed: SealedOutputs, keepsRows: Bool, isPart: Bool,
    isAssembled: Bool, isWritten: Bool
  ) throws {
    let store = freshness.store
    guard let temporary, let scheduler, let commits else { preconditionFailure("a stage ended outside of a run") }
    // One of several threads of one place in the schedule makes a part.
    let isOneOfMany = !isPart && scheduler.readyCount >= Self.manyReady
    let isPacked = isOneOfMany && stage.keep && mayBePacked(recipe.key, sealed)
    var objects: [GroupCommit.Object] = [], files: [Pack.File] = []
    for output in sealed.outputs {
      let port = StreamPlan.Port(stage: entry.index, output: output.name)
      if isPacked, let small = output.small {
        let folder = "objects/\(output.record.digest)/"
        files.append(Pack.File(name: folder + "artifact.json", bytes: Sealed.bytes(output.record.json)))
        files += small.map { Pack.File(name: folder + $0.name, bytes: $0.bytes) }
      } else if stage.keep {
        // What is there under this name may be damaged in a way that sizes do not show.
        let replaces = Disk.exists(store.folder(of: output.record.digest)) && !isIntact(output.record)
        try output.write()
        try store.finish(output.record, in: output.folder, durably: false)
        objects.append(.init(record: output.record, folder: output.folder, replaces: replaces))
      } else if isAssembled {
        continue
      } else if keepsRows || streams.readers[port] != nil {
        let loose = LooseArtifact(record: output.record, folder: temporary.fresh("rows"))
        try output.write()
        guard rename(output.folder, loose.folder) == 0 else { throw Disk.failure("write", loose.folder) }
        ledger.withLock { ledger in
          if !isPart { ledger.loose[port] = loose }
          for partition in loose.record.table?.partitions ?? [] where isPart { ledger.looseParts[port, default: [:]][partition.key] = loose }
        }
      }
    }
    let record = RecipeRecord(
      recipe: recipe.json,
      outputs: made.outputs.map { .init(name: $0.name, digest: $0.record.digest, unkept: stage.keep ? nil : $0.record) },
      metrics: made.metrics, warnings: made.warnings)
    ledger.withLock {
      // Before others can find the recipe: what this run made is no news of an earlier one.
      $0.executed.insert(recipe.key)
      if stage.keep, isWritten { $0.intact.formUnion(sealed.outputs.map(\.record.digest)) }
    }
    let words = Sealed.bytes(record.json)
    let publication: GroupCommit.Publication
    if isPacked {
      publication = .small(files + [Pack.File(name: "recipes/\(recipe.key).json", bytes: words)])
    } else {
      let path = temporary.fresh("recipe")
      try Disk.write(words, to: path, durably: false)
      publication = .large(objects: objects, key: recipe.key, recipe: path)
    }
    if isPart { try commits.commit(publication) } else { try scheduler.aside { try commits.commit(publication, expectsMore: isOneOfMany) } }
    let skeleton = recipe.skeleton
    ledger.withLock { $0.committed.append((recipe.key, skeleton)) }
  }

  /// Whether a pack is the place for what a stage gave: small, and nothing of it to be replaced, since what has a file of its own goes before a pack.
  private func mayBePacked(_ key: Digest, _ sealed: SealedOutputs) -> Bool {
    let store = freshness.store
    let isSmall = sealed.outputs.allSatisfy { $0.small != nil && $0.record.byteCount <= StageContext.mostHeld }
    guard isSmall, store.packs.file("recipes/\(key).json") == nil, !Disk.exists(store.recipes + "/\(key).json") else { return false }
    return sealed.outputs.allSatisfy { output in
      // Many stages may give the same, an empty table for one.
      if case .missing = store.condition(of: output.record.digest) { return true }
      return isIntact(output.record)
    }
  }
}
