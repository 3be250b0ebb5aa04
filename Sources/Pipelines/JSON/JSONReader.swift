import Diagnostics

/// Reads strict JSON (RFC 8259) from UTF-8 bytes and keeps the place of every value and key.
///
///     let document = try JSONReader.read(bytes, file: "shop.json")
///     document.span(of: ["stages", "sales", "with"])
///
/// Duplicate keys are mistakes, and all of them are told; the first mistake of grammar ends the reading. Nesting is held on
/// a stack of its own, so no text can exhaust the thread's.
public enum JSONReader {
  /// Deeper nesting is refused: nothing a person writes comes near.
  public static let depthLimit = 512

  public static func read(_ bytes: [UInt8], file: String) throws(Mistakes) -> JSONDocument {
    let (document, mistakes) = readAll(bytes, file: file)
    guard let document, mistakes.isEmpty else { throw Mistakes(mistakes) }
    return document
  }

  /// The document, unless its grammar is broken, and every mistake that could be known. Of members with one key the first stands.
  public static func readAll(_ bytes: [UInt8], file: String) -> (document: JSONDocument?, mistakes: [Diagnostic]) {
    let text = SourceText(file: file, bytes: bytes)
    var parser = JSONParser(text: text)
    do throws(Diagnostic) {
      try parser.checkEncoding()
      let root = try parser.parse()
      return (JSONDocument(text: text, root: root), parser.duplicates)
    } catch {
      return (nil, parser.duplicates + [error])
    }
  }
}

struct JSONParser {
  let text: SourceText
  private let bytes: [UInt8]
  private var at = 0
  private(set) var duplicates: [Diagnostic] = []

  init(text: SourceText) {
    self.text = text
    bytes = text.bytes
  }

  // One list or object whose end has not been read.
  private struct Open {
    let isObject: Bool
    let start: Int
    var items: [JSONNode] = []
    var members: [JSONNode.Member] = []
    /// Of an object with so many members that looking through them would take long.
    var keys: Set<KeyBytes> = []
    var key = "", keyRange = 0..<0
    var isDuplicate = false
  }

  /// Keys are compared as bytes: RFC 8259 knows no Unicode equivalence, which texts of Swift do.
  private struct KeyBytes: Hashable {
    let key: String

    static func == (a: KeyBytes, b: KeyBytes) -> Bool { a.key.utf8.elementsEqual(b.key.utf8) }

    func hash(into hasher: inout Hasher) {
      var key = key
      key.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  /// Whether an object has its newest key already.
  private static func isRepeated(_ object: inout Open) -> Bool {
    let few = 12
    if object.members.count < few { return object.members.contains { $0.key.utf8.elementsEqual(object.key.utf8) } }
    if object.keys.isEmpty { for member in object.members { object.keys.insert(KeyBytes(key: member.key)) } }
    return !object.keys.insert(KeyBytes(key: object.key)).inserted
  }

  func checkEncoding() throws(Diagnostic) {
    let head = bytes.prefix(4)
    if head.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw fail("the file begins with a byte order mark", at: 0..<3, hint: "save it as UTF-8 without BOM")
    }
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) || head.prefix(2).contains(0) && bytes.count > 1 {
      throw Diagnostic(
        "the file is UTF-16 or UTF-32", at: .text(TextSpan(file: text.file, line: 1, column: 1, excerpt: "", length: 1)),
        expected: "UTF-8", hint: "save it as UTF-8 without BOM")
    }
    // Of a text without letters beyond ASCII nothing can be wrong.
    guard !text.isASCII, String(validating: bytes, as: UTF8.self) == nil else { return }
    var decoder = UTF8(), iterator = bytes.makeIterator(), offset = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) { offset += UTF8.width(scalar) }
    let hex = offset < bytes.count ? String(bytes[offset], radix: 16, uppercase: true) : ""
    throw fail("the file is not UTF-8", at: offset..<offset + 1, found: "byte 0x\(hex)", hint: "save it as UTF-8")
  }

  mutating func parse() throws(Diagnostic) -> JSONNode {
    var open: [Open] = []
    skipBlanks()
    reading: while true {
      var node: JSONNode
      let start = at
      switch peek ?? 0 {
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        let isObject = bytes[at] == UInt8(ascii: "{")
        guard open.count < JSONReader.depthLimit else {
          throw fail("nested too deeply", at: at..<at + 1, expected: "at most \(JSONReader.depthLimit) lists and objects within each other")
        }
        at += 1
        skipBlanks()
        if peek == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
          at += 1
          node = JSONNode(content: isObject ? .object([]) : .array([]), range: start..<at)
        } else {
          open.append(Open(isObject: isObject, start: start))
          if isObject { try readKey(&open[open.count - 1]) }
          continue reading
        }
      case UInt8(ascii: "\""): node = JSONNode(content: .string(try readString()), range: start..<at)
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        node = JSONNode(content: .number(try readNumber()), range: start..<at)
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): node = try readWord()
      default: throw unexpected(expected: "a value")
      }
      // A value is complete; it may complete the lists and objects around it.
      while true {
        skipBlanks()
        guard !open.isEmpty else {
          guard at == bytes.count else { throw unexpected(expected: "the end of the file") }
          return node
        }
        let top = open.count - 1
        let isObject = open[top].isObject
        if !isObject {
          open[top].items.append(node)
        } else if !open[top].isDuplicate {
          open[top].members.append(.init(key: open[top].key, keyRange: open[top].keyRange, value: node))
        }
        if peek == UInt8(ascii: ",") {
          at += 1
          skipBlanks()
          if isObject {
            try readKey(&open[top])
          } else if peek == UInt8(ascii: "]") {
            throw unexpected(expected: "a value", hint: "remove the comma before it")
          }
          continue reading
        }
        guard peek == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          throw unexpected(expected: isObject ? "\",\" or \"}\"" : "\",\" or \"]\"")
        }
        at += 1
        let done = open.removeLast()
        node = JSONNode(content: isObject ? .object(done.members) : .array(done.items), range: done.start..<at)
      }
    }
  }

  private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipBlanks() {
    while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 { at += 1 }
  }

  private mutating func readKey(_ object: inout Open) throws(Diagnostic) {
    guard peek == UInt8(ascii: "\"") else {
      let comma = peek == UInt8(ascii: "}") && !object.members.isEmpty
      throw unexpected(expected: "a key in double quotes", hint: comma ? "remove the comma before it" : nil)
    }
    let start = at
    object.key = try readString()
    object.keyRange = start..<at
    object.isDuplicate = Self.isRepeated(&object)
    if object.isDuplicate, duplicates.count < text.mistakeLimit {
      let first = object.members.first { $0.key.utf8.elementsEqual(object.key.utf8) }
      let line = first.map { text.span(of: $0.keyRange).line }
      duplicates.append(
        fail(
          "duplicate key \(JSONValue.string(object.key).canonical)", at: object.keyRange,
          hint: line.map { "it is already given in line \($0); keep one of them" }))
    }
    skipBlanks()
    guard peek == UInt8(ascii: ":") else { throw unexpected(expected: "\":\"") }
    at += 1
    skipBlanks()
  }

  private mutating func readWord() throws(Diagnostic) -> JSONNode {
    let start = at
    while let byte = peek, isWordByte(byte) { at += 1 }
    switch String(decoding: bytes[start..<at], as: UTF8.self) {
    case "null": return JSONNode(content: .null, range: start..<at)
    case "true": return JSONNode(content: .bool(true), range: start..<at)
    case "false": return JSONNode(content: .bool(false), range: start..<at)
    case let word:
      let hint: String? =
        switch word.lowercased() {
        case "true", "false", "null": "write \(word.lowercased())"
        case "none", "nil", "nan", "undefined": "write null"
        default: "texts stand in double quotes"
        }
      throw fail("not JSON", at: start..<at, expected: "a value", found: word, hint: hint)
    }
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"): true
    default: false
    }
  }

  private mutating func readNumber() throws(Diagnostic) -> JSONNumber {
    let start = at
    if peek == UInt8(ascii: "-") { at += 1 }
    if peek == UInt8(ascii: "0") {
      at += 1
      if let byte = peek, isDigit(byte) {
        throw fail("not JSON", at: start..<at + 1, expected: "a number without leading zeros")
      }
    } else {
      try readDigits()
    }
    if peek == UInt8(ascii: ".") {
      at += 1
      try readDigits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      at += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at += 1 }
      try readDigits()
    }
    let end = at
    return JSONNumber(checked: bytes.withUnsafeBufferPointer { String(decoding: UnsafeBufferPointer(rebasing: $0[start..<end]), as: UTF8.self) })
  }

  private mutating func readDigits() throws(Diagnostic) {
    guard let byte = peek, isDigit(byte) else { throw unexpected(expected: "a digit") }
    while let byte = peek, isDigit(byte) { at += 1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private mutating func readString() throws(Diagnostic) -> String {
    let start = at
    at += 1
    // Most texts stand there as they are.
    let plain = bytes.withUnsafeBufferPointer { bytes -> Int? in
      var end = at
      while end < bytes.count, bytes[end] >= 0x20, bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: "\\") { end += 1 }
      return end < bytes.count && bytes[end] == UInt8(ascii: "\"") ? end : nil
    }
    if let plain {
      defer { at = plain + 1 }
      return bytes.withUnsafeBufferPointer { String(decoding: UnsafeBufferPointer(rebasing: $0[at..<plain]), as: UTF8.self) }
    }
    var run = at, value: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        value += bytes[run..<at]
        at += 1
        return String(decoding: value, as: UTF8.self)
      case UInt8(ascii: "\\"):
        value += bytes[run..<at]
        value += try readEscape()
        run = at
      case 0x0A, 0x0D:
        throw fail("the text is not closed on its line", at: start..<at, hint: "close it with \", or write \\n for a line break")
      case 0..<0x20:
        let hex = String(byte, radix: 16)
        throw fail(
          "control character in a text", at: at..<at + 1,
          hint: byte == 0x09 ? "write \\t" : "write it as an escape, \\u00\(byte < 16 ? "0" : "")\(hex)")
      default: at += 1
      }
    }
    throw fail("the text is not closed", at: start..<at, expected: "\"", found: "the end of the file")
  }

  private mutating func readEscape() throws(Diagnostic) -> [UInt8] {
    let start = at
    at += 1
    guard let byte = peek else { throw fail("the text is not closed", at: start..<at, expected: "\"", found: "the end of the file") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): break
    default:
      at = start + 1
      throw fail("unknown escape", at: start..<start + 2, expected: #"one of \" \\ \/ \b \f \n \r \t \u"#, hint: #"for a backslash itself write \\"#)
    }
    let unit = try readHex(start)
    if unit < 0xD800 || unit > 0xDFFF { return Unicode.Scalar(unit).map { Array(String(Character($0)).utf8) } ?? [] }
    guard unit < 0xDC00, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else {
      throw fail("half of a surrogate pair", at: start..<at, expected: #"two escapes such as \ud83d\ude00"#)
    }
    at += 2
    let low = try readHex(start)
    guard (0xDC00...0xDFFF).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) else {
      throw fail("half of a surrogate pair", at: start..<at, expected: #"two escapes such as \ud83d\ude00"#)
    }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func readHex(_ start: Int) throws(Diagnostic) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw fail("unknown escape", at: start..<at, expected: #"four hexadecimal digits after \u"#)
      }
      unit = unit << 4 | UInt32(digit)
      at += 1
    }
    return unit
  }

  private func unexpected(expected: String, hint: String? = nil) -> Diagnostic {
    guard at < bytes.count else { return fail("not JSON", at: at..<at, expected: expected, found: "the end of the file", hint: hint) }
    var end = at + 1
    while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
    let found = String(decoding: bytes[at..<end], as: UTF8.self)
    let advice: String? =
      switch found {
      case "'": "texts stand in double quotes"
      case "/", "#": "JSON has no comments"
      default: nil
      }
    return fail("not JSON", at: at..<end, expected: expected, found: JSONValue.string(found).canonical, hint: hint ?? advice)
  }

  private func fail(
    _ message: String, at range: Range<Int>, expected: String? = nil, found: String? = nil, hint: String? = nil
  ) -> Diagnostic {
    Diagnostic(message, at: .text(text.span(of: range)), expected: expected, found: found, hint: hint)
  }
}
