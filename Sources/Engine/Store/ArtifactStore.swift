import Columns
import Diagnostics
import Pipelines
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The bytes of a store: what was made, and from which recipe.
///
///     objects/<digest>/   the files of an artifact and artifact.json
///     recipes/<key>.json  recipe → outputs, metrics
///     packs/<digest>.pack small artifacts and their recipes that came to the disk together, under the names they would have above
///     runs/<id>/          run.json, run.html and the file artifacts under their own names
///     locks/ tmp/ gate    of runs in progress, and of collections
///
/// Whatever is written gets a temporary name, is flushed, renamed, and its folder flushed: a killed run leaves nothing
/// to repair.
public struct ArtifactStore: Sendable {
  /// As the person gave it.
  public let path: String

  let packs: Packs

  public init(path: String) {
    self.path = path
    packs = Packs(in: path)
  }

  var objects: String { path + "/objects" }
  var recipes: String { path + "/recipes" }
  var runs: String { path + "/runs" }
  var locks: String { path + "/locks" }
  var temporary: String { path + "/tmp" }

  /// Makes the folders that are missing.
  func prepare() throws {
    if Disk.exists(path), !Disk.isFolder(path) { throw Diagnostic("the store \"\(path)\" is not a folder") }
    for folder in [objects, recipes, runs, locks, temporary] { try Disk.makeFolders(folder) }
  }

  // MARK: Objects

  enum Condition: Sendable {
    case sound(ArtifactRecord)
    case missing
    /// There is something of that name, and it is not what was written.
    case damaged
  }

  func folder(of digest: Digest) -> String { objects + "/" + digest.description }

  func path(of file: ArtifactRecord.StoredFile, in digest: Digest) -> String { folder(of: digest) + "/" + file.name }

  /// Looks at `artifact.json` and the sizes of the files; reads none of them.
  func condition(of digest: Digest) -> Condition { condition(of: digest, in: place(of: digest)) }

  func condition(of digest: Digest, in place: ArtifactPlace) -> Condition {
    guard let content = place.contents("artifact.json").flatMap({ Sealed.document(of: $0, "artifact.json")?.value }), let record = ArtifactRecord(content),
      record.digest == digest
    else {
      if case .folder(let folder) = place, !Disk.exists(folder) { return .missing }
      return .damaged
    }
    // A folder of the store holds all of its artifact.
    if let table = record.table, table.partitions.contains(where: { $0.file == nil }) { return .damaged }
    for file in record.files where place.size(file.name) != file.bytes { return .damaged }
    return .sound(record)
  }

  /// Reads every byte and compares checksums.
  func isIntact(_ record: ArtifactRecord, width: Int) -> Bool {
    let place = place(of: record.digest)
    return record.files.allSatisfy { place.size($0.name) == $0.bytes && place.checksum($0.name, width: width) == $0.checksum }
  }

  /// Makes a folder, its files flushed, an artifact, and durable.
  func commit(_ record: ArtifactRecord, from folder: String, replacing: Bool) throws {
    try finish(record, in: folder, durably: true)
    try Disk.flushFolder(folder)
    try place(record, from: folder, replacing: replacing)
    try Disk.flushFolder(objects)
  }

  /// Writes the last file of an artifact's folder.
  func finish(_ record: ArtifactRecord, in folder: String, durably: Bool) throws {
    try Disk.write(Sealed.bytes(record.json), to: folder + "/artifact.json", durably: durably)
  }

  /// Gives a finished folder its place, which is still to be flushed. An intact artifact that is there already stays.
  func place(_ record: ArtifactRecord, from folder: String, replacing: Bool) throws {
    let target = self.folder(of: record.digest)
    for _ in 0..<8 {
      if rename(folder, target) == 0 { return }
      guard errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR else { throw Disk.failure("write", target) }
      // There already, damaged, or made by another process this moment.
      if !replacing, case .sound = condition(of: record.digest, in: .folder(target)) {
        Disk.remove(folder)
        return
      }
      discard(record.digest, through: folder + "-old")
    }
    throw Diagnostic("cannot write \"\(target)\": another process keeps writing it")
  }

  /// Takes an artifact away in one step, so that no one ever sees half of it.
  func discard(_ digest: Digest, through aside: String) {
    Disk.remove(aside)
    rename(folder(of: digest), aside)
    Disk.remove(aside)
  }

  // MARK: Recipes

  func recipe(_ key: Digest) -> RecipeRecord? {
    writtenRecipe(key).flatMap { Self.recipe(key, of: $0) }
  }

  /// The recipe that bytes hold; nil when they are not what was written under that key.
  static func recipe(_ key: Digest, of written: [UInt8]) -> RecipeRecord? {
    guard let read = Sealed.document(of: written, "\(key).json").flatMap({ RecipeRecord.read($0) }), read.key == key else { return nil }
    return read.record
  }

  /// After the artifacts it names.
  func commit(_ record: RecipeRecord, key: Digest, through temporary: String) throws {
    try Disk.write(Sealed.bytes(record.json), to: temporary, durably: true)
    try place(key, from: temporary)
    try Disk.flushFolder(recipes)
  }

  /// Gives a file of a recipe's words its place, which is still to be flushed.
  func place(_ key: Digest, from temporary: String) throws {
    let target = recipes + "/\(key).json"
    guard rename(temporary, target) == 0 else { throw Disk.failure("write", target) }
  }

  /// So that a collection beside this run sees that it is used.
  func markUsed(_ key: Digest) {
    if utimensat(AT_FDCWD, recipes + "/\(key).json", nil, 0) != 0, let found = packs.file("recipes/\(key).json") { utimensat(AT_FDCWD, found.pack.path, nil, 0) }
  }

  /// Ascending.
  var recipeKeys: [Digest] {
    let packed = packs.all.flatMap(\.entries).filter { $0.name.hasPrefix("recipes/") }.map { $0.name.dropFirst(8) }
    let keys = (Disk.names(in: recipes).map { $0[...] } + packed).compactMap { $0.hasSuffix(".json") ? Digest($0.dropLast(5)) : nil }
    return Set(keys).sorted()
  }
}

/// A folder in the store's `tmp` that ends with its owner: removed by it, or by the next run when the owner was killed.
// @unchecked: all members are constants; `FileLock` is safe to share.
final class TemporaryFolder: @unchecked Sendable {
  let path: String
  private let lock: FileLock
  private let next = Atomic<Int>(0)

  init(in store: ArtifactStore) throws {
    while true {
      let name = String(UInt64.random(in: .min ... .max), radix: 36)
      let path = store.temporary + "/" + name
      guard let lock = try FileLock.attempt(path + ".lock") else { continue }
      guard mkdir(path, 0o700) == 0 else {
        if errno == EEXIST { continue }
        throw Disk.failure("make the folder", path)
      }
      self.path = path
      self.lock = lock
      return
    }
  }

  deinit {
    Disk.remove(path)
    lock.removeFile()
  }

  /// A path that nobody else gets.
  func fresh(_ word: String) -> String { "\(path)/\(word)-\(next.wrappingAdd(1, ordering: .relaxed).oldValue)" }

  /// Removes what killed runs left behind.
  static func sweep(_ store: ArtifactStore) {
    let names = Disk.names(in: store.temporary)
    for name in names where name.hasSuffix(".lock") {
      guard let lock = try? FileLock.attempt(store.temporary + "/" + name) else { continue }
      Disk.remove(store.temporary + "/" + name.dropLast(5))
      lock.removeFile()
    }
    // A folder without its lock belongs to nobody: the lock is made first and removed last.
    for name in names where !name.hasSuffix(".lock") && !Disk.exists(store.temporary + "/" + name + ".lock") {
      Disk.remove(store.temporary + "/" + name)
    }
    // The kernel freed the locks of those that were killed; what is left of them are names.
    for name in Disk.names(in: store.locks) {
      if let lock = try? FileLock.attempt(store.locks + "/" + name) { lock.removeFile() }
    }
  }
}
