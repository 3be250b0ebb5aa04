import Columns
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where the files of an artifact lie: in a folder, or, small ones, in a pack.
enum ArtifactPlace: Sendable {
  case folder(String)
  /// Their names begin with this one.
  case pack(Packs, String)

  /// What the paths of its files begin with; of those in a pack their names.
  var path: String {
    switch self {
    case .folder(let folder): folder + "/"
    case .pack(_, let prefix): prefix
    }
  }

  /// Nil when there is no such file or it cannot be read.
  func contents(_ file: String) -> [UInt8]? {
    switch self {
    case .folder(let folder): Disk.contents(folder + "/" + file)
    case .pack(let packs, let prefix): packs.file(prefix + file)?.contents
    }
  }

  func size(_ file: String) -> Int? {
    switch self {
    case .folder(let folder): Disk.size(ofFile: folder + "/" + file)
    case .pack(let packs, let prefix): packs.file(prefix + file)?.entry.place.count
    }
  }

  /// Of all bytes of a file, as they are now.
  func checksum(_ file: String, width: Int) -> Digest? {
    switch self {
    case .folder(let folder): try? FileDigest.of(folder + "/" + file, width: width, isOurs: true)
    case .pack: contents(file).map { FileDigest.of($0) }
    }
  }

  /// The same bytes under another name; a new file.
  func linkOrCopy(_ file: String, to path: String) throws {
    switch self {
    case .folder(let folder): try Disk.linkOrCopy(folder + "/" + file, to: path)
    case .pack:
      guard let bytes = contents(file) else { throw Disk.failure("read", file, code: ENOENT) }
      try Disk.write(bytes, to: path, durably: false)
    }
  }

  func arrowFile(_ file: String) throws -> ArrowFile {
    switch self {
    case .folder(let folder): return try ArrowFile(path: folder + "/" + file, trusted: true)
    case .pack(_, let prefix):
      guard let bytes = contents(file) else { throw Disk.failure("read", prefix + file, code: ENOENT) }
      return try ArrowFile(bytes: bytes, name: prefix + file)
    }
  }
}

extension ArtifactStore {
  /// What lies in a folder of its own goes before what lies in a pack: a damaged one is made again there.
  func place(of digest: Digest) -> ArtifactPlace {
    let folder = folder(of: digest), prefix = "objects/\(digest)/"
    if packs.file(prefix + "artifact.json") == nil || Disk.exists(folder) { return .folder(folder) }
    return .pack(packs, prefix)
  }

  /// Of a recipe's file; nil when there is none, or it cannot be read.
  func writtenRecipe(_ key: Digest) -> [UInt8]? { Disk.contents(recipes + "/\(key).json") ?? packs.file("recipes/\(key).json")?.contents }
}
