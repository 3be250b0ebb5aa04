import Columns
import Diagnostics

/// Which parts of the dialect of delimited text each file says itself: what is told here is not looked for.
public struct AutoDialect: Sendable {
  public var told = DialectDetection.Told()
  public var encoding: TextEncoding?
  public var decimal: Character?
  /// What is done with rows that break the rules; nil: they are quarantined.
  public var tolerant: LooseDialect?

  public init() {}
}

/// The dialect that was found in one file, and what its columns need besides. It depends on the file's bytes and on what was
/// told, and on nothing else.
public struct FoundDialect: Sendable, Equatable {
  public let file: String
  public let encoding: TextEncoding
  public let dialect: LooseDialect
  /// Of numbers in the whole file; a column that has another one is told in `reasons`.
  public let decimal: Character
  /// Formats of dates, and marks between thousands, of the columns that have any.
  public let formats: [(column: String, format: String)]
  public let thousands: [(column: String, mark: Character)]
  /// What was chosen and why, a sentence each.
  public let reasons: [String]

  public static func == (a: FoundDialect, b: FoundDialect) -> Bool {
    a.file == b.file && a.encoding == b.encoding && a.dialect == b.dialect && a.decimal == b.decimal && a.reasons == b.reasons
      && a.formats.elementsEqual(b.formats, by: ==) && a.thousands.elementsEqual(b.thousands, by: ==)
  }

  /// `";"`, `tab`: for people.
  public var delimiterName: String { Formats.delimiterName(dialect.delimiter) }
}

/// Settles how one text is read: finds its dialect in its beginning, then the marks in its numbers and the order of its dates
/// in the cells of the columns that are told to be numbers and dates. Where cells at the beginning may be read in two ways,
/// more rows are looked at; where all may, it is a mistake.
struct AutoText {
  private(set) var options: TableSource.Options
  private(set) var found: FoundDialect

  private static let rowsPerLook = 10_000
  private struct Enough: Error {}

  /// `reading` opens the text with options in which everything is settled.
  init(
    _ bytes: @Sendable () throws -> ByteSource, _ name: String, _ auto: AutoDialect, _ told: TableSource.Options,
    reading: (TableSource.Options) throws -> TablePartition
  ) throws {
    var wanted = auto.told
    var text = try DetectedText(bytes(), encoding: auto.encoding, told: wanted)
    let hasNames = told.columns?.contains { if case .name = $0.source { true } else { false } } ?? false
    if wanted.headerRows == nil, text.dialect.headerRows == 0, hasNames {
      // Columns that are told by name say that there is a header.
      wanted.headerRows = 1
      text = try DetectedText(bytes(), encoding: auto.encoding, told: wanted)
    }
    options = told
    options.auto = nil
    options.dialect.encoding = text.encoding
    if var loose = auto.tolerant ?? (text.rules() == nil ? Self.strict : nil) {
      (loose.delimiter, loose.quote, loose.escape) = (text.dialect.delimiter, text.dialect.quote, text.dialect.escape)
      (loose.headerRows, loose.preambleRows) = (text.dialect.headerRows, text.dialect.preambleRows)
      options.loose = loose
    } else if let rules = text.rules(told.dialect) {
      options.dialect = rules
    }
    options.dialect.decimal = "."
    var cells = ColumnMarks(options.columns ?? [], decimal: auto.decimal)
    if !cells.isEmpty {
      var look = options, rows = 0
      look.columns = cells.asText
      look.sourceRow = nil
      do {
        try reading(look).read { batch in
          var from = 0
          while from < batch.count {
            let step = min(batch.count - from, Self.rowsPerLook - rows % Self.rowsPerLook)
            cells.add(batch.slice(from..<from + step))
            from += step
            rows += step
            if rows % Self.rowsPerLook == 0, !cells.isDoubtful { throw Enough() }
          }
        }
      } catch is Enough {}
    }
    let settled = try cells.settled(delimiter: text.dialect.delimiter, file: name)
    options.dialect.decimal = settled.decimal
    options.columns = options.columns.map { columns in columns.map { column in settled.columns.first { $0.name == column.name } ?? column } }
    found = FoundDialect(
      file: name, encoding: text.encoding, dialect: text.dialect, decimal: settled.decimal, formats: settled.formats, thousands: settled.thousands,
      reasons: text.reasons + settled.reasons)
  }

  /// By the rules, for delimiters that only the loose reader knows.
  private static var strict: LooseDialect {
    var dialect = LooseDialect()
    (dialect.isTolerant, dialect.short, dialect.long) = (false, .quarantine, .quarantine)
    return dialect
  }
}
