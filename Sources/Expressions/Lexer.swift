import Diagnostics

/// One word of an expression.
struct Token: Hashable {
  enum Kind: Hashable {
    /// A bare word: a keyword, function or column.
    case word
    /// `"a column"`, unquoted.
    case quotedName
    case number
    case string
    case parameter
    case symbol
    case end
  }
  var kind: Kind
  /// Without quotes; symbols and words as written.
  var text: String
  /// UTF-8 bytes.
  var range: Range<Int>
}

/// Cuts a text into tokens.
struct Lexer {
  private let bytes: [UInt8]
  private var at = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  static func tokens(_ text: String) throws(Mistakes) -> [Token] {
    var lexer = Lexer(text)
    var tokens: [Token] = []
    while true {
      let token = try lexer.next()
      tokens.append(token)
      if token.kind == .end { return tokens }
    }
  }

  private mutating func next() throws(Mistakes) -> Token {
    while at < bytes.count, isSpace(bytes[at]) { at += 1 }
    let start = at
    guard at < bytes.count else { return Token(kind: .end, text: "", range: start..<start) }
    let byte = bytes[at]
    if isWordStart(byte) {
      while at < bytes.count, isWordStart(bytes[at]) || isDigit(bytes[at]) { at += 1 }
      return token(.word, start)
    }
    if isDigit(byte) || byte == UInt8(ascii: ".") && at + 1 < bytes.count && isDigit(bytes[at + 1]) { return try number() }
    switch byte {
    case UInt8(ascii: "'"): return try quoted(.string, byte)
    case UInt8(ascii: "\""): return try quoted(.quotedName, byte)
    case UInt8(ascii: "$"):
      at += 1
      let name = at
      while at < bytes.count, isWordStart(bytes[at]) || isDigit(bytes[at]) { at += 1 }
      if at == name { throw mistake("a parameter needs a name after \"$\"", start..<at) }
      return Token(kind: .parameter, text: String(decoding: bytes[name..<at], as: UTF8.self), range: start..<at)
    default: break
    }
    if at + 1 < bytes.count, isPair(byte, bytes[at + 1]) {
      at += 2
      return token(.symbol, start)
    }
    at += 1
    guard symbols.contains(byte) else {
      throw mistake("unexpected character \"\(Unicode.Scalar(byte))\" in an expression", start..<at)
    }
    return token(.symbol, start)
  }

  private mutating func number() throws(Mistakes) -> Token {
    let start = at
    while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    }
    if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
      guard at < bytes.count, isDigit(bytes[at]) else { throw mistake("a number ends in its exponent", start..<at) }
      while at < bytes.count, isDigit(bytes[at]) { at += 1 }
    }
    if at < bytes.count, isWordStart(bytes[at]) {
      while at < bytes.count, isWordStart(bytes[at]) || isDigit(bytes[at]) { at += 1 }
      throw mistake(
        "\"\(String(decoding: bytes[start..<at], as: UTF8.self))\" is neither a number nor a name", start..<at,
        hint: "a column whose name begins with a digit is written in double quotes")
    }
    return token(.number, start)
  }

  private mutating func quoted(_ kind: Token.Kind, _ quote: UInt8) throws(Mistakes) -> Token {
    let start = at
    var content: [UInt8] = []
    at += 1
    while at < bytes.count {
      if bytes[at] == quote {
        guard at + 1 < bytes.count, bytes[at + 1] == quote else {
          at += 1
          return Token(kind: kind, text: String(decoding: content, as: UTF8.self), range: start..<at)
        }
        at += 1
      }
      content.append(bytes[at])
      at += 1
    }
    throw mistake(kind == .string ? "a text has no closing '" : "a quoted name has no closing \"", start..<bytes.count)
  }

  private func token(_ kind: Token.Kind, _ start: Int) -> Token {
    Token(kind: kind, text: String(decoding: bytes[start..<at], as: UTF8.self), range: start..<at)
  }
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

private let symbols = Set("+-*/%=<>(),[]".utf8)

private func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

/// `<=`, `>=`, `<>`, `!=`, `==`, `||`, `::`.
private func isPair(_ a: UInt8, _ b: UInt8) -> Bool {
  switch a {
  case UInt8(ascii: "<"): b == UInt8(ascii: "=") || b == UInt8(ascii: ">")
  case UInt8(ascii: ">"), UInt8(ascii: "!"), UInt8(ascii: "="): b == UInt8(ascii: "=")
  case UInt8(ascii: "|"), UInt8(ascii: ":"): a == b
  default: false
  }
}

/// Bytes from 0x80 on belong to letters beyond ASCII.
func isWordStart(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "_") || byte >= 0x80 }

/// A mistake in the text of an expression.
func mistake(
  _ message: String, _ range: Range<Int>, expected: String? = nil, found: String? = nil, hint: String? = nil
) -> Mistakes {
  Mistakes(Diagnostic(
    message, at: .setting([], offset: range.lowerBound, length: range.count), expected: expected, found: found, hint: hint))
}
