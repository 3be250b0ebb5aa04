import Columns
import Diagnostics
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where the files of a shared cache lie, by their names below it: `recipes/<key>.json`, `objects/<digest>/artifact.json`. Whatever is put
/// there is there whole or not at all.
protocol SharedPlace: Sendable {
  /// Nil when there is none of that name.
  func size(_ name: String) throws -> Int?
  /// Writes a copy to a new file of this machine; more than `bytes` are not taken.
  func fetch(_ name: String, to path: String, atMost bytes: Int) throws
  func put(_ path: String, as name: String) throws
  /// Names directly below a folder, ascending.
  func names(in folder: String) throws -> [String]
}

/// A folder of this machine or of one that it has mounted.
struct SharedFolder: SharedPlace {
  let path: String

  func size(_ name: String) throws -> Int? { Disk.size(ofFile: path + "/" + name) }

  func fetch(_ name: String, to target: String, atMost bytes: Int) throws {
    try copy(FileBytes(path: path + "/" + name, name: name), to: target, atMost: bytes)
  }

  func put(_ from: String, as name: String) throws {
    let target = path + "/" + name, folder = Disk.folder(of: target)
    try Disk.makeFolders(folder)
    let aside = "\(folder)/.\(getpid())-\(UInt64.random(in: .min ... .max))"
    defer { unlink(aside) }
    try copy(FileBytes(path: from), to: aside, atMost: .max)
    guard rename(aside, target) == 0 else { throw Disk.failure("write", target) }
    try Disk.flushFolder(folder)
  }

  func names(in folder: String) throws -> [String] { try Disk.list(path + "/" + folder).filter { !$0.hasPrefix(".") } }
}

/// Objects behind an address.
struct SharedObjects: SharedPlace {
  let address: RemoteAddress

  func size(_ name: String) throws -> Int? { try RemoteObject.size(address.below(name)) }

  func fetch(_ name: String, to target: String, atMost bytes: Int) throws {
    try copy(RemoteBytes(RemoteObject(address.below(name), name: name)), to: target, atMost: bytes)
  }

  func put(_ from: String, as name: String) throws { try RemoteObject.write(from, to: address.below(name)) }

  func names(in folder: String) throws -> [String] { try RemoteObject.names(in: address.below(folder)) }
}

/// Copies bytes to a new file that is on the disk when this returns; ends early, and says nothing, when there are more than the limit: whoever
/// compares the digest will.
func copy(_ source: any ByteSource, to path: String, atMost limit: Int) throws {
  let file = try OutputFile(path: path)
  var room = [UInt8](repeating: 0, count: 1 << 20)
  var have = 0
  while have <= limit {
    let n = try room.withUnsafeMutableBytes { try source.read(into: $0) }
    if n == 0 { break }
    have += n
    try file.write(n == room.count ? room : Array(room[..<n]))
  }
  try file.finish()
}
