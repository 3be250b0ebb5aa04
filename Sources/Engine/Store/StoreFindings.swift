import Columns
import Diagnostics
import Pipelines

/// Something in a store that is not what was written: `cache verify`.
public struct StoreFinding: Hashable, Sendable {
  /// Below the store.
  public let path: String
  public let what: String

  public var json: JSONValue { ["path": .string(path), "what": .string(what)] }
}

/// What `cache verify` read, and found.
public struct StoreFindings: Sendable {
  public private(set) var artifacts = 0
  public private(set) var recipes = 0
  /// Files with several names are read, and counted, once.
  public private(set) var bytes = 0
  public private(set) var all: [StoreFinding] = []

  private let store: ArtifactStore
  private let width: Int
  private var checksums: [String: Digest] = [:]

  /// Reads every byte of every artifact and recipe, and the records of runs.
  public init(of store: ArtifactStore, width: Int) {
    self.store = store
    self.width = width
    for name in names(in: "objects") { readArtifact(name) }
    for name in names(in: "recipes") { readRecipe(name) }
    for name in names(in: "runs") where name != "latest" && !name.hasPrefix(".") {
      let path = "runs/\(name)/run.json"
      if Disk.exists("\(store.path)/\(path)"), Disk.json("\(store.path)/\(path)") == nil { tell(path, "it is no JSON") }
    }
  }

  public var json: JSONValue {
    [
      "artifacts": .integer(artifacts), "recipes": .integer(recipes), "bytes": .integer(bytes), "findings": .array(all.map(\.json)),
    ]
  }

  private mutating func names(in folder: String) -> [String] {
    do { return try Disk.list(store.path + "/" + folder) } catch {
      tell(folder, "it cannot be read")
      return []
    }
  }

  private mutating func tell(_ path: String, _ what: String) { all.append(StoreFinding(path: path, what: what)) }

  private mutating func readArtifact(_ name: String) {
    artifacts += 1
    let path = "objects/\(name)", folder = store.objects + "/" + name
    guard let digest = Digest(name) else { return tell(path, "it is not the name of an artifact") }
    guard Disk.exists(folder + "/artifact.json") else { return tell(path, "it has no artifact.json") }
    guard let content = Sealed.content(folder + "/artifact.json") else { return tell(path + "/artifact.json", "it is not what was written") }
    guard let record = ArtifactRecord(content) else { return tell(path + "/artifact.json", "it is of another version of Millrace, or not what was written") }
    if record.digest != digest { tell(path, "it holds another artifact, \(record.digest)") }
    if let table = record.table, table.partitions.contains(where: { $0.file == nil }) { tell(path, "it has no rows") }
    for file in record.files { read(file, path) }
    for other in Disk.names(in: folder) where other != "artifact.json" && !record.files.contains(where: { $0.name == other }) {
      tell(path + "/" + other, "it is no part of the artifact")
    }
  }

  private mutating func read(_ file: ArtifactRecord.StoredFile, _ folder: String) {
    let path = folder + "/" + file.name, full = store.path + "/" + path
    guard let size = Disk.size(ofFile: full), let identity = Disk.identity(full) else { return tell(path, "it is missing") }
    guard size == file.bytes else { return tell(path, "it has \(size) bytes in place of \(file.bytes)") }
    if checksums[identity] == nil {
      guard let checksum = try? FileDigest.of(full, width: width) else { return tell(path, "it cannot be read") }
      checksums[identity] = checksum
      bytes += size
    }
    if checksums[identity] != file.checksum { tell(path, "its bytes are not what was written") }
  }

  private mutating func readRecipe(_ name: String) {
    recipes += 1
    let path = "recipes/" + name
    guard name.hasSuffix(".json"), let key = Digest(name.dropLast(5)) else { return tell(path, "it is not the name of a recipe") }
    guard let (record, own) = Sealed.document(store.path + "/" + path).flatMap({ RecipeRecord.read($0) }) else { return tell(path, "it is not what was written") }
    if own != key { return tell(path, "it holds another recipe, \(own)") }
    for output in record.outputs where output.unkept == nil && !Disk.exists(store.folder(of: output.digest)) {
      tell(path, "its artifact \(output.digest) is missing")
    }
  }
}
