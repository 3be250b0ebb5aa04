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
    if Disk.exists(store.packs.folder) { for name in names(in: "packs") where !name.hasPrefix(".") { readPack(name) } }
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

  /// What it holds, as if that lay in files: with the list at its beginning that is every byte. What has a file of its own meanwhile nobody reads here.
  private mutating func readPack(_ name: String) {
    let path = "packs/\(name)"
    guard let pack = Pack(path: store.path + "/" + path) else { return tell(path, "it is no pack, or not what was written; cache gc takes it away") }
    bytes += pack.byteCount
    var named: Set<String> = [], own: Set<String> = []
    for entry in pack.entries {
      let parts = entry.name.split(separator: "/"), place = "\(path): \(entry.name)"
      if parts.count == 2, parts[0] == "recipes" {
        if Disk.exists(store.path + "/" + entry.name) { continue }
        recipes += 1
        readRecipe(String(parts[1]), place, pack.contents(entry))
      } else if parts.count == 3, parts[0] == "objects" {
        if Disk.exists(store.objects + "/" + parts[1]) { continue }
        own.insert(entry.name)
        guard parts[2] == "artifact.json" else { continue }
        artifacts += 1
        let folder = "objects/\(parts[1])/"
        named.insert(entry.name)
        guard let record = record(String(parts[1]), path + ": " + folder.dropLast(), pack.contents(entry)) else { continue }
        for file in record.files {
          named.insert(folder + file.name)
          guard let found = pack.entries.first(where: { $0.name == folder + file.name }) else {
            tell("\(path): \(folder)\(file.name)", "it is missing")
            continue
          }
          if pack.contents(found).map({ FileDigest.of($0) }) != file.checksum { tell("\(path): \(folder)\(file.name)", "its bytes are not what was written") }
        }
      } else {
        tell(place, "it is neither a recipe nor part of an artifact")
      }
    }
    for name in own.subtracting(named).sorted() { tell("\(path): \(name)", "it is no part of the artifact") }
  }

  private mutating func readArtifact(_ name: String) {
    artifacts += 1
    let path = "objects/\(name)", folder = store.objects + "/" + name
    guard Digest(name) == nil || Disk.exists(folder + "/artifact.json") else { return tell(path, "it has no artifact.json") }
    guard let record = record(name, path, Disk.contents(folder + "/artifact.json")) else { return }
    for file in record.files { read(file, path) }
    for other in Disk.names(in: folder) where other != "artifact.json" && !record.files.contains(where: { $0.name == other }) {
      tell(path + "/" + other, "it is no part of the artifact")
    }
  }

  /// What `artifact.json` says of the artifact of a name; nil: it says nothing.
  private mutating func record(_ name: String, _ path: String, _ written: [UInt8]?) -> ArtifactRecord? {
    guard let digest = Digest(name) else {
      tell(path, "it is not the name of an artifact")
      return nil
    }
    guard let content = written.flatMap({ Sealed.document(of: $0, path)?.value }) else {
      tell(path + "/artifact.json", "it is not what was written")
      return nil
    }
    guard let record = ArtifactRecord(content) else {
      tell(path + "/artifact.json", "it is of another version of Millrace, or not what was written")
      return nil
    }
    if record.digest != digest { tell(path, "it holds another artifact, \(record.digest)") }
    if let table = record.table, table.partitions.contains(where: { $0.file == nil }) { tell(path, "it has no rows") }
    return record
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
    readRecipe(name, path, Disk.contents(store.path + "/" + path))
  }

  private mutating func readRecipe(_ name: String, _ path: String, _ written: [UInt8]?) {
    guard name.hasSuffix(".json"), let key = Digest(name.dropLast(5)) else { return tell(path, "it is not the name of a recipe") }
    guard let (record, own) = written.flatMap({ Sealed.document(of: $0, path) }).flatMap({ RecipeRecord.read($0) }) else { return tell(path, "it is not what was written") }
    if own != key { tell(path, "it holds another recipe, \(own)") }
    for output in record.outputs where output.unkept == nil && !Disk.exists(store.folder(of: output.digest)) {
      if store.packs.file("objects/\(output.digest)/artifact.json") == nil { tell(path, "its artifact \(output.digest) is missing") }
    }
  }
}
