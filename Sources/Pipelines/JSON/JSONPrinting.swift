/// How JSON values are printed: compact for recipes and digests, indented for people.
extension JSONValue {
  /// Compact, members in their order, canonical numbers: equal values have equal text, whatever machine prints them.
  public var canonical: String { String(decoding: canonicalBytes, as: UTF8.self) }

  /// `canonical` as UTF-8.
  public var canonicalBytes: [UInt8] {
    var out: [UInt8] = []
    print(into: &out)
    return out
  }

  /// The same value with the members of every object in ascending order of their keys' UTF-8 bytes.
  public var sorted: JSONValue {
    switch self {
    case .object(let members):
      .object(members.map { JSONMember($0.key, $0.value.sorted) }.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    case .array(let items): .array(items.map(\.sorted))
    case .null, .bool, .number, .string: self
    }
  }

  /// Indented by two blanks, numbers canonical, with a line feed at the end. Lists and objects that hold only scalars stay on
  /// one line when they fit within `width`.
  public func pretty(width: Int = 120) -> String {
    var out: [UInt8] = []
    printPretty(into: &out, indent: 0, width: width)
    out.append(UInt8(ascii: "\n"))
    return String(decoding: out, as: UTF8.self)
  }

  /// Of an object, its members as they stand in `pretty` where the object takes several lines: without brackets, no line feed at the end.
  public var prettyMembers: String {
    var out: [UInt8] = []
    for (index, member) in (members ?? []).enumerated() {
      out += (index > 0 ? ",\n  " : "  ").utf8
      Self.quote(member.key, into: &out)
      out += ": ".utf8
      member.value.printPretty(into: &out, indent: 2, width: 120)
    }
    return String(decoding: out, as: UTF8.self)
  }

  private func print(into out: inout [UInt8]) {
    switch self {
    case .null: out += "null".utf8
    case .bool(let value): out += (value ? "true" : "false").utf8
    case .number(let number): out += number.canonicalText.utf8
    case .string(let text): Self.quote(text, into: &out)
    case .array(let items):
      out.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        item.print(into: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        Self.quote(member.key, into: &out)
        out.append(UInt8(ascii: ":"))
        member.value.print(into: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private func printPretty(into out: inout [UInt8], indent: Int, width: Int) {
    let start = out.count
    if printOneLine(into: &out) {
      if indent + out.count - start <= width { return }
      out.removeLast(out.count - start)
    }
    switch self {
    case .null, .bool, .number, .string: print(into: &out)
    case .array(let items):
      Self.printBlock(items, "[", "]", into: &out, indent: indent) { $0.printPretty(into: &$1, indent: indent + 2, width: width) }
    case .object(let members):
      Self.printBlock(members, "{", "}", into: &out, indent: indent) { member, out in
        Self.quote(member.key, into: &out)
        out += ": ".utf8
        member.value.printPretty(into: &out, indent: indent + 2, width: width)
      }
    }
  }

  private static func printBlock<Item>(
    _ items: [Item], _ open: Unicode.Scalar, _ close: Unicode.Scalar, into out: inout [UInt8], indent: Int,
    _ print: (Item, inout [UInt8]) -> Void
  ) {
    out.append(UInt8(ascii: open))
    for (index, item) in items.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out.append(UInt8(ascii: "\n"))
      out += repeatElement(UInt8(ascii: " "), count: indent + 2)
      print(item, &out)
    }
    out.append(UInt8(ascii: "\n"))
    out += repeatElement(UInt8(ascii: " "), count: indent)
    out.append(UInt8(ascii: close))
  }

  // Not when the value holds a list or an object that holds something: those read better on lines of their own.
  private func printOneLine(into out: inout [UInt8]) -> Bool {
    switch self {
    case .null, .bool, .number, .string: print(into: &out)
    case .array(let items):
      guard items.allSatisfy({ $0.isLeaf }) else { return false }
      out.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        if index > 0 { out += ", ".utf8 }
        item.print(into: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      guard members.allSatisfy({ $0.value.isLeaf }) else { return false }
      if members.isEmpty {
        out += "{}".utf8
        return true
      }
      out += "{ ".utf8
      for (index, member) in members.enumerated() {
        if index > 0 { out += ", ".utf8 }
        Self.quote(member.key, into: &out)
        out += ": ".utf8
        member.value.print(into: &out)
      }
      out += " }".utf8
    }
    return true
  }

  private var isLeaf: Bool {
    switch self {
    case .null, .bool, .number, .string: true
    case .array(let items): items.isEmpty
    case .object(let members): members.isEmpty
    }
  }

  /// Eight bytes at a time (Mycroft's test for a zero byte): a byte that is less than another number, or equal to one, leaves its highest bit.
  private static func standsAsItIs(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101, highs: UInt64 = 0x8080_8080_8080_8080
    let quotes = ones &* 0x22, backslashes = ones &* 0x5C, deletes = ones &* 0x7F, blanks = ones &* 0x20
    let words = UnsafeRawBufferPointer(bytes)
    var at = 0
    while at &+ 8 <= bytes.count {
      let word = words.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      let (quote, backslash, delete) = (word ^ quotes, word ^ backslashes, word ^ deletes)
      let found = ((word &- blanks) & ~word) | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((delete &- ones) & ~delete)
      if found & highs != 0 { return false }
      at &+= 8
    }
    while at < bytes.count {
      let byte = bytes[at]
      if byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0x7F { return false }
      at &+= 1
    }
    return true
  }

  // Only what RFC 8259 asks for is escaped, and DEL, so that a document printed to a terminal is harmless.
  static func quote(_ text: String, into out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    defer { out.append(UInt8(ascii: "\"")) }
    var text = text
    text.withUTF8 { bytes in
      // Most texts stand there as they are.
      if standsAsItIs(bytes) { return out.append(contentsOf: bytes) }
      var start = 0
      for (at, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0x7F {
        out.append(contentsOf: bytes[start..<at])
        start = at + 1
        switch byte {
        case UInt8(ascii: "\""): out += "\\\"".utf8
        case UInt8(ascii: "\\"): out += "\\\\".utf8
        case 0x08: out += "\\b".utf8
        case 0x09: out += "\\t".utf8
        case 0x0A: out += "\\n".utf8
        case 0x0C: out += "\\f".utf8
        case 0x0D: out += "\\r".utf8
        default:
          let hex = String(byte, radix: 16)
          out += "\\u00\(hex.utf8.count == 1 ? "0" : "")\(hex)".utf8
        }
      }
      out.append(contentsOf: bytes[start...])
    }
  }
}
