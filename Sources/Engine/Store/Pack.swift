import Columns
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Small files of a store in one file: recipes, and artifacts of a few KiB, which came to the disk together. They have the names that they would have
/// below the store: `recipes/<key>.json`, `objects/<digest>/artifact.json`. The pack itself is named by the digest of its bytes.
///
///     8 bytes  MILLPACK
///     4 bytes  how many files                     numbers are little-endian
///     4 bytes  how long the list is
///    16 bytes  digest of the list
///              the list: of each file 2 bytes for the length of its name, the name, 4 bytes for its size
///              the files, one behind the other
struct Pack: Sendable {
  struct File: Sendable {
    let name: String
    let bytes: [UInt8]
  }

  struct Entry: Sendable {
    let name: String
    /// In the pack.
    let place: Range<Int>
  }

  let path: String
  let name: String
  let entries: [Entry]
  let byteCount: Int

  private static let mark = Array("MILLPACK".utf8), headBytes = 32
  /// A list of more is none of ours.
  private static let mostListed = 64 << 20

  /// Every name once.
  static func bytes(of files: [File]) -> [UInt8] {
    var list: [UInt8] = []
    for file in files {
      append(file.name.utf8.count, 2, to: &list)
      list += file.name.utf8
      append(file.bytes.count, 4, to: &list)
    }
    var bytes = mark
    append(files.count, 4, to: &bytes)
    append(list.count, 4, to: &bytes)
    let digest = list.withUnsafeBytes { Digest(of: $0) }
    append(Int(truncatingIfNeeded: digest.high), 8, to: &bytes)
    append(Int(truncatingIfNeeded: digest.low), 8, to: &bytes)
    bytes += list
    for file in files { bytes += file.bytes }
    return bytes
  }

  /// How large a pack of such files is.
  static func byteCount(of files: [(name: String, bytes: Int)]) -> Int { files.reduce(headBytes) { $0 + 6 + $1.name.utf8.count + $1.bytes } }

  private static func append(_ number: Int, _ count: Int, to bytes: inout [UInt8]) {
    for at in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * at))) }
  }

  /// Reads the list; nil when it is not what was written, or the file has another size than it says.
  init?(path: String) {
    let file = Disk.opened(path, O_RDONLY | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    guard let size = Disk.size(ofFile: path), let head = Self.read(file, 0..<Self.headBytes, of: size), head.starts(with: Self.mark) else { return nil }
    let number = { (bytes: [UInt8], at: Int, count: Int) in (0..<count).reduce(UInt64(0)) { $0 | UInt64(bytes[at + $1]) << (8 * $1) } }
    let count = Int(number(head, 8, 4)), listed = Int(number(head, 12, 4))
    guard listed <= Self.mostListed, let list = Self.read(file, Self.headBytes..<Self.headBytes + listed, of: size),
      list.withUnsafeBytes({ Digest(of: $0) }) == Digest(high: number(head, 16, 8), low: number(head, 24, 8))
    else { return nil }
    var entries: [Entry] = [], at = 0, end = Self.headBytes + listed
    while at + 2 <= listed {
      let length = Int(number(list, at, 2))
      guard at + 6 + length <= listed, let name = String(validating: list[at + 2..<at + 2 + length], as: UTF8.self) else { return nil }
      let bytes = Int(number(list, at + 2 + length, 4))
      entries.append(Entry(name: name, place: end..<end + bytes))
      end += bytes
      at += 6 + length
    }
    guard at == listed, entries.count == count, end == size else { return nil }
    self.path = path
    name = Disk.name(of: path)
    self.entries = entries
    byteCount = size
  }

  /// Nil when it cannot be read, or is cut off.
  func contents(_ entry: Entry) -> [UInt8]? {
    let file = Disk.opened(path, O_RDONLY | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return Self.read(file, entry.place, of: byteCount)
  }

  private static func read(_ file: Int32, _ place: Range<Int>, of size: Int) -> [UInt8]? {
    guard place.upperBound <= size else { return nil }
    var bytes = [UInt8](repeating: 0, count: place.count), have = 0
    while have < bytes.count {
      let n = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress! + have, $0.count - have, off_t(place.lowerBound + have)) }
      if n < 0, errno == EINTR { continue }
      if n <= 0 { return nil }
      have += n
    }
    return bytes
  }
}
