import Diagnostics

/// How the characters of a text file are written as bytes.
public enum TextEncoding: String, CaseIterable, Hashable, Sendable {
  case utf8 = "utf-8"
  case latin1 = "latin-1"
  case windows1252 = "windows-1252"
  case utf16LittleEndian = "utf-16le"
  case utf16BigEndian = "utf-16be"
  case utf32LittleEndian = "utf-32le"
  case utf32BigEndian = "utf-32be"

  /// Reads the names in use; nil for one that is not known.
  public init?(named name: String) {
    switch name.lowercased() {
    case "utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii": self = .utf8
    case "latin-1", "latin1", "iso-8859-1": self = .latin1
    case "windows-1252", "cp1252": self = .windows1252
    case "utf-32", "utf-32le": self = .utf32LittleEndian
    case "utf-32be": self = .utf32BigEndian
    case "utf-16", "utf-16le": self = .utf16LittleEndian
    case "utf-16be": self = .utf16BigEndian
    default: return nil
    }
  }
}

/// A text source as UTF-8. A byte-order mark goes before the encoding told and is taken off; `skipped` says how many
/// bytes of UTF-8 text it took.
func utf8Text(_ source: ByteSource, encoding told: TextEncoding) throws -> (text: ByteSource, skipped: Int) {
  let head = try source.head(4)
  if head == [0xFF, 0xFE, 0, 0] { return (TranscodedBytes(source, from: .utf32LittleEndian), 0) }
  if head == [0, 0, 0xFE, 0xFF] { return (TranscodedBytes(source, from: .utf32BigEndian), 0) }
  if head.starts(with: [0xEF, 0xBB, 0xBF]) { return (PrefixedBytes(Array(head[3...]), then: source), 3) }
  if head.starts(with: [0xFF, 0xFE]) {
    return (TranscodedBytes(PrefixedBytes(Array(head[2...]), then: source), from: .utf16LittleEndian), 0)
  }
  if head.starts(with: [0xFE, 0xFF]) {
    return (TranscodedBytes(PrefixedBytes(Array(head[2...]), then: source), from: .utf16BigEndian), 0)
  }
  let whole = PrefixedBytes(head, then: source)
  return (told == .utf8 ? whole : TranscodedBytes(whole, from: told), 0)
}

/// UTF-8 made of another encoding. What the encoding does not allow throws with the byte's offset; nothing is replaced.
// @unchecked: by the protocol's contract one thread uses it at a time.
final class TranscodedBytes: ByteSource, @unchecked Sendable {
  var name: String { source.name }
  private let source: ByteSource
  private let encoding: TextEncoding
  private var input = [UInt8](repeating: 0, count: 64 << 10)
  private var unread = 0..<0
  private var output = ConvertedBytes()
  private var offset = 0
  private var ended = false

  init(_ source: ByteSource, from encoding: TextEncoding) {
    self.source = source
    self.encoding = encoding
  }

  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    while output.areAllGiven {
      if ended { return 0 }
      try convert()
    }
    return output.give(room)
  }

  private func convert() throws {
    output.removeAll()
    // Up to 3 bytes of a character that is not whole yet stay in front.
    let kept = unread.count
    for i in 0..<kept { input[i] = input[unread.lowerBound + i] }
    let n = try input.withUnsafeMutableBytes { try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[kept...])) }
    ended = n == 0
    unread = 0..<kept + n
    switch encoding {
    case .utf8: preconditionFailure("UTF-8 was given to be made UTF-8")
    case .latin1:
      for i in unread { append(UInt32(input[i])) }
      consume(unread.count)
    case .windows1252:
      for i in unread {
        let byte = input[i]
        let scalar = (0x80..<0xA0).contains(byte) ? windows1252High[Int(byte) - 0x80] : UInt32(byte)
        guard scalar != 0 else { throw mistake("holds a byte that windows-1252 does not know", byte: offset + i) }
        append(scalar)
      }
      consume(unread.count)
    case .utf16LittleEndian: try convertUnits(high: 1, low: 0)
    case .utf16BigEndian: try convertUnits(high: 0, low: 1)
    case .utf32LittleEndian: try convertScalars([3, 2, 1, 0])
    case .utf32BigEndian: try convertScalars([0, 1, 2, 3])
    }
  }

  /// `order`: where the four bytes of a character are, the highest first.
  private func convertScalars(_ order: [Int]) throws {
    var at = 0
    while at + 3 < unread.upperBound {
      let scalar = order.reduce(UInt32(0)) { $0 << 8 | UInt32(input[at + $1]) }
      guard scalar < 0x11_0000, !(0xD800..<0xE000).contains(scalar) else { throw mistake("holds what is no character of UTF-32", byte: offset + at) }
      append(scalar)
      at += 4
    }
    consume(at)
    if ended, !unread.isEmpty { throw mistake("ends inside a UTF-32 character", byte: offset) }
  }

  private func convertUnits(high: Int, low: Int) throws {
    func unit(_ at: Int) -> UInt32 { UInt32(input[at + high]) << 8 | UInt32(input[at + low]) }
    var at = 0
    while at + 1 < unread.upperBound {
      let first = unit(at)
      if (0xD800..<0xDC00).contains(first) {
        if at + 3 >= unread.upperBound { break }
        let second = unit(at + 2)
        guard (0xDC00..<0xE000).contains(second) else { throw mistake("holds half of a UTF-16 pair", byte: offset + at) }
        append(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        at += 4
      } else {
        guard !(0xDC00..<0xE000).contains(first) else { throw mistake("holds half of a UTF-16 pair", byte: offset + at) }
        append(first)
        at += 2
      }
    }
    consume(at)
    if ended, !unread.isEmpty { throw mistake("ends inside a UTF-16 character", byte: offset) }
  }

  private func consume(_ count: Int) {
    offset += count
    unread = count..<unread.upperBound
  }

  private func append(_ scalar: UInt32) {
    switch scalar {
    case ..<0x80: output.bytes.append(UInt8(scalar))
    case ..<0x800: output.bytes += [UInt8(0xC0 | scalar >> 6), UInt8(0x80 | scalar & 0x3F)]
    case ..<0x10000: output.bytes += [UInt8(0xE0 | scalar >> 12), UInt8(0x80 | scalar >> 6 & 0x3F), UInt8(0x80 | scalar & 0x3F)]
    default:
      output.bytes += [
        UInt8(0xF0 | scalar >> 18), UInt8(0x80 | scalar >> 12 & 0x3F), UInt8(0x80 | scalar >> 6 & 0x3F),
        UInt8(0x80 | scalar & 0x3F),
      ]
    }
  }
}

/// 0x80 to 0x9F of windows-1252 (unicode.org, CP1252.TXT); 0 where nothing is defined.
let windows1252High: [UInt32] = [
  0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
  0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
]
