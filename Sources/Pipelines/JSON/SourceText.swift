import Diagnostics

/// The bytes of a text file and where its lines begin.
public struct SourceText: Sendable {
  /// As the person typed it.
  public let file: String
  public let bytes: [UInt8]
  private let lineStarts: [Int]
  /// Then bytes are scalars, and none have to be counted.
  let isASCII: Bool
  /// Whether there is an address anywhere: only those hold what excerpts have to hide.
  private let hasAddress: Bool
  /// Of a line longer than that, an excerpt is the part around the span: thousands of spans may lie in one line.
  private static let excerptBytes = 1024

  public init(file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes
    (isASCII, lineStarts, hasAddress) = bytes.withUnsafeBufferPointer { bytes in
      var all: UInt8 = 0, starts = [0], hasAddress = false
      for index in 0..<bytes.count {
        let byte = bytes[index]
        all |= byte
        if byte == UInt8(ascii: "\n") { starts.append(index + 1) }
        if byte == UInt8(ascii: "/"), index > 1, bytes[index - 1] == UInt8(ascii: "/"), bytes[index - 2] == UInt8(ascii: ":") { hasAddress = true }
      }
      return (all < 0x80, starts, hasAddress)
    }
  }

  /// How many mistakes of it are told: each shows its line, and a text of many megabytes was not written by a person.
  var mistakeLimit: Int { bytes.count > 1 << 20 ? 3 : 100 }

  /// Line, column and excerpt of a byte range; only its part on the first line is marked.
  public func span(of range: Range<Int>) -> TextSpan {
    let at = min(max(0, range.lowerBound), bytes.count)
    var low = 0, high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= at { low = middle } else { high = middle }
    }
    let start = lineStarts[low]
    var end = low + 1 < lineStarts.count ? lineStarts[low + 1] - 1 : bytes.count
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    end = max(start, end)
    let stop = min(max(at, range.upperBound), max(at, end), at + 2 * Self.excerptBytes)
    let isLong = end - start > 2 * Self.excerptBytes
    let first = isLong ? character(atOrBehind: max(start, min(at, end) - Self.excerptBytes)) : start
    let last = isLong ? character(atOrBehind: min(end, first + 2 * Self.excerptBytes)) : end
    let all = start..<end
    return TextSpan(
      file: file, line: low + 1, column: scalars(in: start..<at) + 1, excerpt: shown(first..<last, of: all),
      length: max(1, scalars(in: at..<stop)), excerptStart: scalars(in: start..<first), isCutBehind: last < end)
  }

  /// A part of a line as messages show it: the password of an address, `scheme://user:password@host`, as stars, one for each character.
  private func shown(_ part: Range<Int>, of line: Range<Int>) -> String {
    if !hasAddress { return bytes.withUnsafeBufferPointer { String(decoding: UnsafeBufferPointer(rebasing: $0[part]), as: UTF8.self) } }
    let mark = Array("://".utf8), reach = 512
    var shown: [UInt8] = [], at = max(line.lowerBound, part.lowerBound - reach), hiddenUntil = at
    while at < part.upperBound {
      if at >= hiddenUntil, bytes[at] == mark[0], bytes[at...].starts(with: mark) {
        // Up to the end of the host, of the text, or of what anybody writes.
        let host = bytes[(at + mark.count)..<min(line.upperBound, at + mark.count + reach)].prefix { ![0x22, 0x2F, 0x20, 0x5C].contains($0) }
        if let end = host.lastIndex(of: UInt8(ascii: "@")), let colon = host[..<end].firstIndex(of: UInt8(ascii: ":")) {
          if part.contains(at) { shown += bytes[at..<min(colon + 1, part.upperBound)] } else if colon + 1 > part.lowerBound { shown += bytes[part.lowerBound..<min(colon + 1, part.upperBound)] }
          at = colon + 1
          hiddenUntil = end
          continue
        }
      }
      if part.contains(at) {
        if at >= hiddenUntil { shown.append(bytes[at]) } else if bytes[at] & 0xC0 != 0x80 { shown.append(UInt8(ascii: "*")) }
      }
      at += 1
    }
    return String(decoding: shown, as: UTF8.self)
  }

  /// A place that is not inside of a character.
  private func character(atOrBehind place: Int) -> Int {
    var place = place
    while place < bytes.count, bytes[place] & 0xC0 == 0x80 { place += 1 }
    return place
  }

  private func scalars(in range: Range<Int>) -> Int {
    isASCII ? range.count : bytes[range].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
  }

  /// The bytes of a part of a string literal: `offset` and `length` count UTF-8 bytes of the unescaped value.
  /// "a\nb" → offset 2 is byte 4 of the literal: quote, a, backslash, n, b.
  func rangeInString(_ literal: Range<Int>, offset: Int, length: Int) -> Range<Int> {
    var value = 0, at = literal.lowerBound + 1
    let end = literal.upperBound - 1
    let last = offset.addingReportingOverflow(max(0, length)).partialValue
    var start: Int?
    while at < end {
      if start == nil, value >= offset { start = at }
      if let start, value >= last { return start..<max(at, start + 1) }
      let (width, bytes) = escapeWidth(at)
      at += width
      value += bytes
    }
    guard let start else { return max(literal.lowerBound, end)..<literal.upperBound }
    return start..<max(min(at, end), start + 1)
  }

  // How many bytes of the literal one step takes and how many bytes of the value it makes.
  private func escapeWidth(_ at: Int) -> (literal: Int, value: Int) {
    guard bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count else { return (1, 1) }
    guard bytes[at + 1] == UInt8(ascii: "u"), at + 6 <= bytes.count,
      let unit = UInt32(String(decoding: bytes[at + 2..<at + 6], as: UTF8.self), radix: 16)
    else { return (2, 1) }
    switch unit {
    case 0..<0x80: return (6, 1)
    case 0x80..<0x800: return (6, 2)
    case 0xD800..<0xDC00: return (12, 4)
    default: return (6, 3)
    }
  }
}
