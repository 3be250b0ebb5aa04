import Columns
import Diagnostics
import Pipelines

/// Whether a recipe's artifacts are in the store, and why not. Knows recipes and nothing of order.
struct Freshness: Sendable {
  let store: ArtifactStore
  let catalog: Catalog
  let asked: AskedColumns
  /// Of a run: what is found stays until it ends. Nil for plans, which use nothing.
  var gate: StoreGate?
  /// Of a run that has one: where recipes are looked for that the store does not hold.
  var shared: (cache: SharedCache, arrival: SharedArrival)?

  /// What a recipe gave, all of it in the store.
  struct Made: Sendable {
    let key: Digest
    /// In the order of the binding.
    let outputs: [(name: String, record: ArtifactRecord)]
    let metrics: JSONValue
    let warnings: [Diagnostic]
    /// False: the outputs were not kept, and their rows have to be made again where they are needed.
    var isStored = true

    /// Whether another may have given the same content.
    func agrees(with other: Made) -> Bool {
      outputs.map(\.name) == other.outputs.map(\.name) && zip(outputs, other.outputs).allSatisfy { $0.record.agrees(with: $1.record) }
    }

    func record(of output: String) -> ArtifactRecord {
      guard let found = outputs.first(where: { $0.name == output }) else {
        preconditionFailure("an artifact was asked for output \"\(output)\", which its stage does not have")
      }
      return found.record
    }
  }

  enum Finding: Sendable {
    case made(Made)
    /// Never made, or its recipe is gone.
    case unknown
    /// Its recipe is there, an artifact is not.
    case missing
    case damaged
    /// Made without being kept, which is wanted now.
    case unkept
    /// Made without being kept, when nobody read a column that a stage, which is named, reads now.
    case unread(by: String)
  }

  /// Looks at names and sizes only; opens no data.
  func find(_ key: Digest, of stage: BoundStage) -> Finding {
    let finding = found(key, of: stage)
    if case .made = finding { return finding }
    // What is known here without its rows is not asked for: it is known there so too.
    if case .unread = finding { return finding }
    guard let shared, shared.cache.bring(key, shared.arrival) else { return finding }
    return found(key, of: stage)
  }

  private func found(_ key: Digest, of stage: BoundStage) -> Finding {
    guard let gate else { return look(for: key, of: stage) }
    return gate.hold {
      let finding = look(for: key, of: stage)
      if case .made = finding { store.markUsed(key) }
      return finding
    }
  }

  private func look(for key: Digest, of stage: BoundStage) -> Finding {
    guard let recipe = store.recipe(key), recipe.outputs.map(\.name) == stage.binding.outputs.map(\.name) else { return .unknown }
    var outputs: [(name: String, record: ArtifactRecord)] = []
    var isDamaged = false, isMissing = false
    for (output, declared) in zip(recipe.outputs, stage.binding.outputs) {
      switch store.condition(of: output.digest) {
      case .sound(let record) where record.suits(declared.type): outputs.append((output.name, record))
      case .sound, .damaged: isDamaged = true
      case .missing: isMissing = true
      }
    }
    if isDamaged || isMissing {
      let unkept = recipe.outputs.compactMap { output in output.unkept.map { (name: output.name, record: $0) } }
      let isKnown = unkept.count == recipe.outputs.count && zip(unkept, stage.binding.outputs).allSatisfy { $0.record.suits($1.type) }
      if isKnown, !stage.keep {
        for output in unkept {
          if let reader = asked.reader(of: output.name, of: stage, missedBy: output.record) { return .unread(by: reader) }
        }
        return .made(Made(key: key, outputs: unkept, metrics: recipe.metrics, warnings: recipe.warnings, isStored: false))
      }
      return isDamaged ? .damaged : isKnown ? .unkept : .missing
    }
    return .made(Made(key: key, outputs: outputs, metrics: recipe.metrics, warnings: recipe.warnings))
  }

  /// Whether a recipe with inputs still to be made may turn out to be one whose artifacts are here.
  func mayBeFound(_ recipe: Recipe, of stage: BoundStage) -> Bool {
    catalog.recipes(withSkeleton: recipe.skeleton).contains { key in
      guard let stored = store.recipe(key), recipe.mayBecome(stored.recipe), case .made = find(key, of: stage) else { return false }
      return true
    }
  }

  /// Why a stage whose recipe was not found has to be executed; never empty.
  func reasons(
    for recipe: Recipe, of stage: BoundStage, finding: Finding, history: Catalog.StageHistory?, producers: [String]
  ) -> [Reason] {
    switch finding {
    case .damaged: return [Reason(.damaged)]
    case .missing: return [Reason(.missing)]
    case .unkept: return [Reason(.unkept)]
    case .unread(let reader): return [Reason(.unkept, name: reader)]
    case .made, .unknown: break
    }
    guard let history else { return [Reason(.firstRun)] }
    let reasons = Reasons.between(history.recipe, and: recipe, of: stage, producers: producers)
    return reasons.isEmpty ? [Reason(.missing)] : reasons
  }
}

extension ArtifactRecord {
  /// Whether it is what the binding says: another schema under an old recipe would be a broken store.
  func suits(_ type: ArtifactType) -> Bool {
    switch (content, type) {
    case (.table(let table), .table(let wanted)): table.schema == wanted.schema
    case (.document, .document): true
    case (.file(_, _, let mediaType), .file(let wanted)): mediaType == wanted
    case (_, .open): true
    case (.table, _), (.document, _), (.file, _): false
    }
  }
}
