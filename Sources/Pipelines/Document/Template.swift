import Diagnostics

/// A text with `${p}` in it, taken apart: `a${p}` → literal `a`, parameter `p`. `$${` is a literal `${`.
struct Template {
  struct Piece {
    enum Content {
      case literal(String)
      case parameter(String)
    }
    let content: Content
    /// Bytes of the text.
    let source: Range<Int>
  }

  private(set) var pieces: [Piece] = []
  /// Where a `${` without `}` begins.
  private(set) var unfinished: Int?

  init(_ text: String) {
    let bytes = Array(text.utf8)
    var literal: [UInt8] = [], start = 0, at = 0
    func starts(_ word: StaticString) -> Bool {
      word.withUTF8Buffer { bytes[at...].starts(with: $0) }
    }
    func flush(into pieces: inout [Piece]) {
      if !literal.isEmpty { pieces.append(Piece(content: .literal(String(decoding: literal, as: UTF8.self)), source: start..<at)) }
      literal = []
    }
    while at < bytes.count {
      if starts("$${") {
        // Pieces map source to result byte by byte, so the shorter result is a piece of its own.
        flush(into: &pieces)
        pieces.append(Piece(content: .literal("${"), source: at..<at + 3))
        at += 3
        start = at
      } else if starts("${") {
        guard let close = bytes[at...].firstIndex(of: UInt8(ascii: "}")) else {
          unfinished = at
          literal += bytes[at...]
          at = bytes.count
          break
        }
        flush(into: &pieces)
        pieces.append(
          Piece(content: .parameter(String(decoding: bytes[at + 2..<close], as: UTF8.self)), source: at..<close + 1))
        at = close + 1
        start = at
      } else {
        literal.append(bytes[at])
        at += 1
      }
    }
    flush(into: &pieces)
  }

  /// The text with its parameters replaced; a template that is one parameter keeps the parameter's type.
  func resolved(_ values: [String: ParameterValue]) -> JSONValue {
    if pieces.count == 1, case .parameter(let name) = pieces[0].content, let value = values[name] { return value.json }
    return .string(pieces.map { $0.text(values) }.joined())
  }

  /// Which bytes of the text made a part of the result.
  func source(ofResult offset: Int, length: Int, _ values: [String: ParameterValue]) -> Range<Int> {
    var made = 0
    var start: Int?
    for piece in pieces {
      let width = piece.text(values).utf8.count
      func map(_ byte: Int, isEnd: Bool) -> Int {
        guard case .literal = piece.content, width == piece.source.count else { return isEnd ? piece.source.upperBound : piece.source.lowerBound }
        return piece.source.lowerBound + byte - made
      }
      if start == nil, offset < made + width { start = map(offset, isEnd: false) }
      if let start, offset + length <= made + width { return start..<max(start, map(offset + length, isEnd: true)) }
      made += width
    }
    let end = pieces.last?.source.upperBound ?? 0
    return (start ?? end)..<end
  }

  /// Which of `names` stand in `text` as `$name`, the way expressions name parameters.
  static func mentions(of names: [String], in text: String) -> [String] {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return [] }
    let bytes = Array(text.utf8)
    return names.filter { name in
      let wanted = [UInt8(ascii: "$")] + Array(name.utf8)
      return bytes.indices.contains { at in
        guard bytes[at] == UInt8(ascii: "$"), bytes[at...].starts(with: wanted) else { return false }
        guard at + wanted.count < bytes.count else { return true }
        let next = bytes[at + wanted.count]
        return !((97...122).contains(next) || (65...90).contains(next) || (48...57).contains(next) || next == UInt8(ascii: "_"))
      }
    }
  }
}

extension Template.Piece {
  func text(_ values: [String: ParameterValue]) -> String {
    switch content {
    case .literal(let text): text
    case .parameter(let name): values[name]?.text ?? "${\(name)}"
    }
  }

  var parameter: String? { if case .parameter(let name) = content { name } else { nil } }
}

extension JSONValue {
  /// Every text among the values (not the keys), in order, with its path.
  func forEachText(at path: [PathStep], _ body: (String, [PathStep]) -> Void) {
    switch self {
    case .string(let text): body(text, path)
    case .array(let items): for (index, item) in items.enumerated() { item.forEachText(at: path + [.index(index)], body) }
    case .object(let members): for member in members { member.value.forEachText(at: path + [.key(member.key)], body) }
    case .null, .bool, .number: break
    }
  }

  /// The value with every text replaced.
  func mappingTexts(at path: [PathStep], _ body: (String, [PathStep]) -> JSONValue) -> JSONValue {
    switch self {
    case .string(let text): body(text, path)
    case .array(let items): .array(items.enumerated().map { $0.element.mappingTexts(at: path + [.index($0.offset)], body) })
    case .object(let members):
      .object(members.map { JSONMember($0.key, $0.value.mappingTexts(at: path + [.key($0.key)], body)) })
    case .null, .bool, .number: self
    }
  }
}
