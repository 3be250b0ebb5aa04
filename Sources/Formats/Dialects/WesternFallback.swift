/// Text that says it is UTF-8, with bytes that are not: each of those is taken for one character of windows-1252, or of
/// latin-1 where that has none. Nothing becomes U+FFFD.
// @unchecked: by the protocol's contract one thread uses it at a time.
final class WesternFallback: ByteSource, @unchecked Sendable {
  var name: String { source.name }
  private let source: ByteSource
  private var pending: [UInt8] = []
  private var output = ConvertedBytes()
  private var ended = false
  /// Bytes so far that were not UTF-8.
  private(set) var westernBytes = 0

  init(_ source: ByteSource) { self.source = source }

  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    while output.areAllGiven {
      if ended { return 0 }
      try convert()
    }
    return output.give(room)
  }

  private func convert() throws {
    output.removeAll()
    let had = pending.count
    pending.append(contentsOf: repeatElement(0, count: 64 << 10))
    let n = try pending.withUnsafeMutableBytes { try source.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[had...])) }
    pending.removeLast((64 << 10) - n)
    ended = n == 0
    var at = 0
    pending.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      while at < bytes.count {
        let bad = firstInvalidUTF8(base, from: at, to: bytes.count) ?? bytes.count
        output.bytes.append(contentsOf: bytes[at..<bad])
        at = bad
        guard at < bytes.count else { break }
        // The last character may not be whole yet.
        if !ended, bytes.count - at < 4, bytes[at] >= 0xC2, bytes[(at + 1)...].allSatisfy({ $0 & 0xC0 == 0x80 }) { break }
        let byte = bytes[at]
        let high = (0x80..<0xA0).contains(byte) ? windows1252High[Int(byte) - 0x80] : UInt32(byte)
        output.bytes.append(contentsOf: String(Unicode.Scalar(high == 0 ? UInt32(byte) : high) ?? " ").utf8)
        at += 1
        westernBytes += 1
      }
    }
    pending.removeFirst(at)
  }
}
