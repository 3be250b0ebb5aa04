import Diagnostics

/// How rows and cells are told apart in delimited text. The default is RFC 4180 with a header row.
///
/// Rows end with LF, CRLF or CR, in any mixture. Blank lines are no rows (unless a row has only one cell).
public struct CSVDialect: Hashable, Sendable {
  /// One ASCII character.
  public var delimiter: Character = ","
  /// Encloses cells that hold delimiters, quotes or line ends; nil: nothing is enclosed.
  public var quote: Character? = "\""
  /// Makes the next character literal; nil: a quote within quotes is written twice.
  public var escape: Character?
  /// Rows of names above the data; 0: columns are named by position.
  public var headerRows = 1
  /// Lines in front of the header that are no part of the table.
  public var preambleRows = 0
  /// Lines that begin with it are left out.
  public var comment: Character?
  /// Columns stand under each other: any run of blanks and tabs separates, blanks at both ends of a line say nothing.
  public var blankAligned = false
  /// `,` where 6,95 is a number.
  public var decimal: Character = "."
  public var encoding = TextEncoding.utf8
  /// The longest row; a longer one is a mistake, because it is nearly always an unclosed quote.
  public var rowLimit = 64 << 20

  public init(
    delimiter: Character = ",", quote: Character? = "\"", escape: Character? = nil, headerRows: Int = 1, preambleRows: Int = 0,
    comment: Character? = nil, blankAligned: Bool = false, decimal: Character = ".", encoding: TextEncoding = .utf8
  ) {
    self.delimiter = delimiter
    self.quote = quote
    self.escape = escape
    self.headerRows = headerRows
    self.preambleRows = preambleRows
    self.comment = comment
    self.blankAligned = blankAligned
    self.decimal = decimal
    self.encoding = encoding
  }

  /// All that is wrong with it.
  public var mistakes: [Diagnostic] {
    var mistakes: [Diagnostic] = []
    func refuse(_ setting: PathStep, _ expected: String, _ found: String) {
      mistakes.append(Diagnostic("setting \(setting) does not fit", at: .setting([setting]), expected: expected, found: found))
    }
    for (name, character) in [("delimiter", delimiter), ("quote", quote), ("escape", escape), ("comment", comment)] {
      guard let character else { continue }
      if character.asciiValue == nil || character.isNewline { refuse(.key(name), "one ASCII character", "\"\(character)\"") }
    }
    if delimiter == quote { refuse("quote", "another character than the delimiter", "\"\(delimiter)\"") }
    if delimiter == decimal, !blankAligned {
      refuse("decimal", "another character than the delimiter", "\"\(decimal)\"")
    }
    if decimal != ".", decimal != "," { refuse("decimal", "\".\" or \",\"", "\"\(decimal)\"") }
    if headerRows < 0 { refuse("headerRows", "0 or more", "\(headerRows)") }
    if preambleRows < 0 { refuse("preambleRows", "0 or more", "\(preambleRows)") }
    return mistakes
  }

  /// Whether the scanner with masks can read it; the others take the state machine.
  var isPlain: Bool { (escape == nil || escape == quote) && comment == nil && !blankAligned }
}
