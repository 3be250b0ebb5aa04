import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Takes artifacts and recipes of elsewhere into a store: into a temporary folder first, then, when every byte is what it should be, to their places.
final class SharedArrival: Sendable {
  let store: ArtifactStore
  let tell: @Sendable (Diagnostic) -> Void
  private let width: Int
  private let temporary: TemporaryFolder
  private let gate: StoreGate?
  /// Of `artifact.json` and recipes, in bytes: tables of ten thousand partitions fit, and memory does not end.
  static let recordLimit = 64 << 20

  init(_ store: ArtifactStore, width: Int, tell: @escaping @Sendable (Diagnostic) -> Void = { _ in }) throws {
    self.store = store
    self.width = width
    self.tell = tell
    temporary = try TemporaryFolder(in: store)
    gate = StoreGate(store)
  }

  func fresh(_ word: String) -> String { temporary.fresh(word) }

  func folder() throws -> String {
    let path = temporary.fresh("object")
    guard mkdir(path, 0o777) == 0 else { throw Disk.failure("make the folder", path) }
    return path
  }

  /// What a folder's `artifact.json` says; nil when it is not the record of that artifact, or names files that could lie elsewhere.
  static func record(in folder: String, _ digest: Digest) -> ArtifactRecord? {
    guard let content = Sealed.content(folder + "/artifact.json"), let record = ArtifactRecord(content), record.digest == digest else { return nil }
    if let table = record.table, table.partitions.contains(where: { $0.file == nil }) { return nil }
    let names = record.files.map(\.name)
    let isSafe = names.allSatisfy { $0 != "artifact.json" && !$0.isEmpty && !$0.hasPrefix(".") && !$0.contains("/") && !$0.utf8.contains(0) }
    return isSafe && Set(names).count == names.count ? record : nil
  }

  /// Gives an artifact its place, its files read whole before; the name of the file that is not what was written, where one is not.
  func commit(_ record: ArtifactRecord, from folder: String) throws -> String? {
    for file in record.files {
      let path = folder + "/" + file.name
      guard Disk.size(ofFile: path) == file.bytes, try FileDigest.of(path, width: width) == file.checksum else { return file.name }
      try Disk.flushFile(path)
    }
    // The store writes its own.
    unlink(folder + "/artifact.json")
    try held {
      let replaces = if case .damaged = store.condition(of: record.digest) { true } else { false }
      try store.commit(record, from: folder, replacing: replaces)
    }
    return nil
  }

  /// After its artifacts.
  func commit(_ recipe: RecipeRecord, key: Digest) throws { try held { try store.commit(recipe, key: key, through: temporary.fresh("recipe")) } }

  private func held(_ body: () throws -> Void) throws { if let gate { try gate.hold(body) } else { try body() } }
}

extension ArtifactStore {
  /// Whether a recipe and all its artifacts are here, by names and sizes.
  func holds(_ key: Digest) -> Bool {
    guard let recipe = recipe(key) else { return false }
    return recipe.outputs.allSatisfy { output in
      if output.unkept != nil { return true }
      if case .sound = condition(of: output.digest) { return true }
      return false
    }
  }
}
