/// One replacement on a cell's text. The common ones, a literal cut from an end, need no regular expression.
enum TextEdit {
  /// `lit$` → "": cut from the end.
  case dropSuffix([UInt8])
  /// `^lit` → "": cut from the front.
  case dropPrefix([UInt8])
  case pattern(CSVColumn.Replacement)

  /// Throws what the regular expression's own parser says.
  init(_ replacement: CSVColumn.Replacement) throws {
    _ = try Regex(replacement.pattern)
    if replacement.template.isEmpty {
      if replacement.pattern.hasSuffix("$"), let text = Self.literal(replacement.pattern.dropLast()) {
        self = .dropSuffix(text)
        return
      }
      if replacement.pattern.hasPrefix("^"), let text = Self.literal(replacement.pattern.dropFirst()) {
        self = .dropPrefix(text)
        return
      }
    }
    self = .pattern(replacement)
  }

  /// The text a pattern stands for when nothing in it is special; `\.` is a point.
  private static func literal(_ pattern: Substring) -> [UInt8]? {
    var bytes: [UInt8] = [], escaped = false
    for byte in pattern.utf8 {
      let isWord = byte >= 0x80 || (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
      if escaped {
        if isWord { return nil }
        bytes.append(byte)
        escaped = false
      } else if byte == UInt8(ascii: "\\") {
        escaped = true
      } else {
        if "^$.|?*+()[]{}/#".utf8.contains(byte) { return nil }
        bytes.append(byte)
      }
    }
    return escaped || bytes.isEmpty ? nil : bytes
  }
}

/// Runs a column's replacements where one of them needs a regular expression; one a worker. Each distinct text is
/// worked out once.
final class PatternEditor {
  private enum Step {
    case suffix(String)
    case prefix(String)
    case pattern(Regex<AnyRegexOutput>, [Piece])
  }

  private let steps: [Step]
  private var known: [String: String] = [:]
  private static let knownLimit = 1 << 16

  private enum Piece {
    case text(String)
    case group(Int)
  }

  init(_ edits: [TextEdit]) {
    steps = edits.map { edit in
      switch edit {
      case .dropSuffix(let bytes): return .suffix(String(decoding: bytes, as: UTF8.self))
      case .dropPrefix(let bytes): return .prefix(String(decoding: bytes, as: UTF8.self))
      case .pattern(let replacement):
        guard let regex = try? Regex(replacement.pattern) else { preconditionFailure("a pattern was not checked at plan time") }
        return .pattern(regex.matchingSemantics(.unicodeScalar), Self.pieces(replacement.template))
      }
    }
  }

  func edit(_ text: String) -> String {
    if let done = known[text] { return done }
    let result = steps.reduce(text, Self.apply)
    if known.count < Self.knownLimit { known[text] = result }
    return result
  }

  private static func apply(_ text: String, _ step: Step) -> String {
    switch step {
    case .suffix(let end): text.utf8.reversed().starts(with: end.utf8.reversed()) ? String(decoding: text.utf8.dropLast(end.utf8.count), as: UTF8.self) : text
    case .prefix(let start): text.utf8.starts(with: start.utf8) ? String(decoding: text.utf8.dropFirst(start.utf8.count), as: UTF8.self) : text
    case .pattern(let regex, let template):
      text.replacing(regex) { match in
        template.reduce(into: "") { to, piece in
          switch piece {
          case .text(let text): to += text
          case .group(let group): if group < match.output.count, let found = match.output[group].substring { to += found }
          }
        }
      }
    }
  }

  /// `a$1b` → a, group 1, b; `$$` is a dollar.
  private static func pieces(_ template: String) -> [Piece] {
    var pieces: [Piece] = [], text = "", rest = Substring(template)
    while let character = rest.popFirst() {
      guard character == "$" else {
        text.append(character)
        continue
      }
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      if let group = Int(digits) {
        pieces += [.text(text), .group(group)]
        text = ""
        rest = rest.dropFirst(digits.count)
      } else {
        if rest.first == "$" { rest = rest.dropFirst() }
        text.append("$")
      }
    }
    return pieces + [.text(text)]
  }
}
