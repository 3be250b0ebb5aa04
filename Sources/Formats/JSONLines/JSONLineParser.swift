/// Takes what a line holds.
protocol JSONLineSink {
  /// The number of a key's column; nil: nobody wants it. `at` is the key's offset.
  mutating func column(_ key: UnsafeBufferPointer<UInt8>) -> Int?
  /// A cell of a column; false: the column had one already. `text` nil is null.
  mutating func cell(_ column: Int, _ kind: CellKind, _ text: UnsafeBufferPointer<UInt8>?, at: Int) -> Bool
}

/// Reads one JSON object (RFC 8259) that stands on one line, strictly. Objects and arrays within it are checked and
/// handed over as they are written.
final class JSONLineParser {
  struct Flaw: Error {
    let at: Int
    let words: String
  }

  static let depthLimit = 256
  private var base: UnsafePointer<UInt8>
  private var at = 0, end = 0
  private let unescaped = Slab<UInt8>()
  private let escapedKey = Slab<UInt8>()

  init() { base = UnsafePointer(unescaped.pointer) }

  /// The object in `base[from..<to]`; the byte at `to` may be read and is no part of it.
  func parse<Sink: JSONLineSink>(_ base: UnsafePointer<UInt8>, from: Int, to: Int, into sink: inout Sink) throws(Flaw) {
    (self.base, at, end) = (base, from, to)
    skipBlanks()
    guard at < end, base[at] == UInt8(ascii: "{") else { throw flaw("expected an object, \(found)") }
    at &+= 1
    skipBlanks()
    if at < end, base[at] == UInt8(ascii: "}") {
      at &+= 1
    } else {
      while true {
        guard at < end, base[at] == 34 else { throw flaw("expected a key in quotes, \(found)") }
        let keyAt = at
        let key = try string(escapedKey)
        let column = sink.column(key)
        skipBlanks()
        guard at < end, base[at] == UInt8(ascii: ":") else { throw flaw("expected : behind a key, \(found)") }
        at &+= 1
        skipBlanks()
        let start = at
        let (kind, text) = try value()
        if let column, !sink.cell(column, kind, text, at: start) {
          throw Flaw(at: keyAt, words: "the key \"\(String(decoding: key, as: UTF8.self))\" is there twice")
        }
        skipBlanks()
        guard at < end else { throw flaw("the object does not end") }
        let byte = base[at]
        at &+= 1
        if byte == UInt8(ascii: "}") { break }
        guard byte == UInt8(ascii: ",") else {
          at &-= 1
          throw flaw("expected , or }, \(found)")
        }
        skipBlanks()
      }
    }
    skipBlanks()
    if at < end { throw flaw("expected the end of the line, \(found)") }
  }

  private func flaw(_ words: String) -> Flaw { Flaw(at: at, words: words) }

  private var found: String {
    if at >= end { return "found the end of the line" }
    let byte = base[at]
    return byte > 32 && byte < 127 ? "found \(Character(Unicode.Scalar(byte)))" : "found byte \(byte)"
  }

  @inline(__always) private func skipBlanks() {
    while at < end, base[at] == 32 || base[at] == 9 || base[at] == 13 { at &+= 1 }
  }

  private func slice(_ from: Int) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base + from, count: at &- from) }

  private func value() throws(Flaw) -> (CellKind, UnsafeBufferPointer<UInt8>?) {
    let start = at
    switch at < end ? base[at] : 0 {
    case 34: return (.text, try string(unescaped))
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      try skipNested(depth: 1)
      return (.nested, slice(start))
    case UInt8(ascii: "t"):
      try word("true")
      return (.bool, slice(start))
    case UInt8(ascii: "f"):
      try word("false")
      return (.bool, slice(start))
    case UInt8(ascii: "n"):
      try word("null")
      return (.text, nil)
    default:
      try number()
      return (.number, slice(start))
    }
  }

  private func word(_ word: StaticString) throws(Flaw) {
    for i in 0..<word.utf8CodeUnitCount where at + i >= end || base[at + i] != word.utf8Start[i] { throw flaw("expected a value, \(found)") }
    at += word.utf8CodeUnitCount
  }

  private func number() throws(Flaw) {
    if at < end, base[at] == UInt8(ascii: "-") { at &+= 1 }
    guard at < end, base[at] &- 48 <= 9 else { throw flaw("expected a value, \(found)") }
    if base[at] == 48 {
      at &+= 1
      if at < end, base[at] &- 48 <= 9 { throw flaw("a number begins with a needless 0") }
    } else {
      try digits()
    }
    if at < end, base[at] == UInt8(ascii: ".") {
      at &+= 1
      try digits()
    }
    if at < end, base[at] | 0x20 == UInt8(ascii: "e") {
      at &+= 1
      if at < end, base[at] == UInt8(ascii: "-") || base[at] == UInt8(ascii: "+") { at &+= 1 }
      try digits()
    }
  }

  private func digits() throws(Flaw) {
    let start = at
    while at < end, base[at] &- 48 <= 9 { at &+= 1 }
    if at == start { throw flaw("expected a digit, \(found)") }
  }

  /// The text of the string that begins here; a copy where it has escapes.
  private func string(_ room: Slab<UInt8>) throws(Flaw) -> UnsafeBufferPointer<UInt8> {
    at &+= 1
    let start = at
    while at < end {
      let byte = base[at]
      if byte == 34 {
        at &+= 1
        return UnsafeBufferPointer(start: base + start, count: at &- 1 &- start)
      }
      if byte == 92 { return try escapedString(start, room) }
      if byte < 32 { throw flaw("a control character in a string") }
      at &+= 1
    }
    throw Flaw(at: start - 1, words: "the string does not end")
  }

  private func escapedString(_ start: Int, _ room: Slab<UInt8>) throws(Flaw) -> UnsafeBufferPointer<UInt8> {
    room.clear(for: end - start + 16)
    let to = room.pointer
    var out = at - start
    to.update(from: base + start, count: out)
    while at < end {
      let byte = base[at]
      at &+= 1
      if byte == 34 { return UnsafeBufferPointer(start: to, count: out) }
      if byte < 32 {
        at &-= 1
        throw flaw("a control character in a string")
      }
      guard byte == 92 else {
        to[out] = byte
        out &+= 1
        continue
      }
      let escape = at < end ? base[at] : 0
      at &+= 1
      switch escape {
      case 34, 92, UInt8(ascii: "/"): to[out] = escape
      case UInt8(ascii: "n"): to[out] = 10
      case UInt8(ascii: "t"): to[out] = 9
      case UInt8(ascii: "r"): to[out] = 13
      case UInt8(ascii: "b"): to[out] = 8
      case UInt8(ascii: "f"): to[out] = 12
      case UInt8(ascii: "u"):
        for unit in UTF8.encode(try scalar())! {
          to[out] = unit
          out &+= 1
        }
        out &-= 1
      default:
        at &-= 2
        throw flaw("an unknown escape in a string")
      }
      out &+= 1
    }
    throw Flaw(at: start - 1, words: "the string does not end")
  }

  /// What follows `\u`: four digits, or a pair of surrogates.
  private func scalar() throws(Flaw) -> Unicode.Scalar {
    let start = at - 2
    let first = try hex(start)
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, at + 1 < end, base[at] == 92, base[at + 1] == UInt8(ascii: "u") {
      at += 2
      let second = try hex(start)
      if (0xDC00...0xDFFF).contains(second), let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) { return scalar }
    }
    throw Flaw(at: start, words: "half of a surrogate pair in a string")
  }

  private func hex(_ start: Int) throws(Flaw) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let byte = at < end ? base[at] : 0
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw Flaw(at: start, words: "\\u without four digits in a string") }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }

  /// An object or array that begins here, checked.
  private func skipNested(depth: Int) throws(Flaw) {
    if depth > Self.depthLimit { throw flaw("objects and arrays within each other \(Self.depthLimit) times") }
    let isObject = base[at] == UInt8(ascii: "{"), close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    at &+= 1
    skipBlanks()
    if at < end, base[at] == close {
      at &+= 1
      return
    }
    while true {
      if isObject {
        guard at < end, base[at] == 34 else { throw flaw("expected a key in quotes, \(found)") }
        _ = try string(unescaped)
        skipBlanks()
        guard at < end, base[at] == UInt8(ascii: ":") else { throw flaw("expected : behind a key, \(found)") }
        at &+= 1
        skipBlanks()
      }
      if at < end, base[at] == UInt8(ascii: "{") || base[at] == UInt8(ascii: "[") {
        try skipNested(depth: depth + 1)
      } else {
        _ = try value()
      }
      skipBlanks()
      guard at < end, base[at] == UInt8(ascii: ",") || base[at] == close else {
        throw flaw("expected , or \(isObject ? "}" : "]"), \(found)")
      }
      at &+= 1
      if base[at &- 1] == close { return }
      skipBlanks()
    }
  }
}
