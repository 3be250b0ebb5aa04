import Diagnostics

extension NumberFormat {
  /// Reads D3's short form with words around it: `,.0f`, `.0%`, `£,.0f`, `,.1f weeks`, `.3s` (shortened with k, M, bn). Thousands
  /// are always separated. Nil when the text is no such form.
  public init?(spelling text: String) {
    let letters = Array(text)
    for start in letters.indices {
      guard let form = Self.form(letters, at: start) else { continue }
      let isShort = form.letter == "s"
      self.init(
        prefix: String(letters[..<start]), suffix: String(letters[form.end...]), decimals: isShort ? nil : form.decimals,
        isPercent: form.letter == "%", isCompact: isShort)
      return
    }
    return nil
  }

  /// The same for a setting: what is no form is a mistake at its place, and shown plainly.
  public static func read(_ text: String?, at place: Place, _ mistakes: inout [Diagnostic]) -> NumberFormat? {
    guard let text else { return nil }
    if let format = NumberFormat(spelling: text) { return format }
    mistakes.append(
      Diagnostic(
        "\"\(text)\" is no number format", at: place,
        expected: "a form such as \",.0f\" (1,234), \".1%\" (25.6%), \"£,.2f\" (£1,234.50) or \".3s\" (1.2M)"))
    return nil
  }

  // `,.2f` at a place of the text. A letter alone is a form only where nothing else is written: "days" is none.
  private static func form(_ letters: [Character], at start: Int) -> (decimals: Int?, letter: Character, end: Int)? {
    var at = start, decimals: Int?
    if at < letters.count, letters[at] == "," { at += 1 }
    if at < letters.count, letters[at] == "." {
      at += 1
      let digits = letters[at...].prefix { $0.isASCII && $0.isNumber }
      guard digits.count <= 2, let count = Int(String(digits)), count <= 12 else { return nil }
      decimals = count
      at += digits.count
    }
    guard at < letters.count, "fd%s".contains(letters[at]), at > start || letters.count == 1 else { return nil }
    let letter = letters[at]
    return (letter == "d" ? 0 : decimals ?? (letter == "%" ? 0 : nil), letter, at + 1)
  }
}
