/// How delimited text is read where it may break the rules: what separates and encloses cells, and what becomes of rows that
/// do not have the table's number of cells.
///
/// Unlike `CSVDialect` a delimiter may be several bytes long.
public struct LooseDialect: Hashable, Sendable {
  /// What is done with a row that has fewer cells than the table.
  public enum ShortRows: String, CaseIterable, Hashable, Sendable {
    /// Missing cells are null, at the end unless the other columns say where.
    case pad
    /// The row stays as it is: for text that is written as text again.
    case keep
    case quarantine
  }

  /// What is done with a row that has more cells than the table.
  public enum LongRows: String, CaseIterable, Hashable, Sendable {
    /// Empty cells too many are left out and cells that a delimiter inside text has torn apart are joined where the columns
    /// say so; what is still too much is cut off at the end.
    case trim
    /// As `trim`, but a row of which text would be cut off is quarantined.
    case mend
    case keep
    case quarantine
  }

  public var delimiter: [UInt8] = [44]
  public var quote: UInt8? = 34
  /// Makes the next byte literal; nil: a quote within quotes is written twice.
  public var escape: UInt8?
  /// Rows of names above the data.
  public var headerRows = 1
  /// Lines in front of the header that are no part of the table.
  public var preambleRows = 0
  public var short = ShortRows.pad
  public var long = LongRows.trim
  /// Rows without any text stay; otherwise they are counted and left out.
  public var keepsBlankRows = false
  /// Whether what breaks the rules of quotes is read as well as it goes; otherwise its row is a bad one.
  public var isTolerant = true
  /// The longest row; a quote that has not closed within it does not enclose anything.
  public var rowLimit = 16 << 20
  /// Behind this many bytes looked at in vain, quotes end with their lines as far as has been looked.
  var lookLimit = 16 << 20

  public init() {}

  /// As an ordinary dialect says it.
  public init(_ dialect: CSVDialect) {
    delimiter = Array(String(dialect.delimiter).utf8)
    quote = dialect.quote?.asciiValue
    escape = dialect.escape == dialect.quote ? nil : dialect.escape?.asciiValue
    headerRows = dialect.headerRows
    preambleRows = dialect.preambleRows
  }
}
