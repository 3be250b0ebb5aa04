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

/// Runs the replacements that need a regular expression; one a worker. Each distinct text is worked out once.
final class PatternEditor {
  private let steps: [(regex: Regex<AnyRegexOutput>, template: [Piece])]
  private var known: [String: String] = [:]
  private static let knownLimit = 1 << 16

  private enum Piece {
    case text(String)
    case group(Int)
  }

  init(_ replacements: [CSVColumn.Replacement]) {
    steps = replacements.map { replacement in
      guard let regex = try? Regex(replacement.pattern) else { preconditionFailure("a pattern was not checked at plan time") }
      return (regex.matchingSemantics(.unicodeScalar), Self.pieces(replacement.template))
    }
  }

  func edit(_ text: String) -> String {
    if let done = known[text] { return done }
    var result = text
    for (regex, template) in steps {
      result = result.replacing(regex) { match in
        template.reduce(into: "") { to, piece in
          switch piece {
          case .text(let text): to += text
          case .group(let group): if group < match.output.count, let found = match.output[group].substring { to += found }
          }
        }
      }
    }
    if known.count < Self.knownLimit { known[text] = result }
    return result
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
