import Columns

/// What reading one file came to. `rows` = `kept` + `quarantined`, always.
public struct CSVReport: Sendable {
  public internal(set) var rows = 0
  public internal(set) var kept = 0
  public internal(set) var quarantined = 0
  /// Counts by reason, in the order of `QuarantineReason`; those that are zero are left out.
  public internal(set) var reasons: [(reason: QuarantineReason, rows: Int)] = []
  /// Columns of the file that no column asked for, in the file's order.
  public internal(set) var ignored: [String] = []
  public internal(set) var blankRows = 0
  /// Bytes of text, after unpacking and as UTF-8.
  public internal(set) var bytes = 0
  /// Of the batches; known also when no row was kept.
  public internal(set) var schema = Schema([])
  /// What was done to text that breaks the rules; nil where it was read by them.
  public internal(set) var loose: LooseReport?
  /// The dialect that was found in the file; nil where it was told.
  public internal(set) var found: FoundDialect?
}

/// Why a row could not be read.
public enum QuarantineReason: String, CaseIterable, Hashable, Sendable {
  case fieldCount = "number of fields"
  case quotes = "quotes"
  case encoding = "not UTF-8"
  /// Of JSON Lines: a line that is no object, or has a key twice.
  case syntax = "not a JSON object"
  case type = "not of the type"
  case range = "out of range"
  case digits = "too many digits"
  /// Behind the table another one begins.
  case otherTable = "of another table"
}

/// The table of rows that could not be read, in the order of the file.
public enum Quarantine {
  /// `line` and `byte` (from 0, in the unpacked text as UTF-8; null where `line` is the row of a sheet or of a query) say
  /// where the row begins, for a bad cell where the cell does; `text` is the whole row, with bytes that are not UTF-8 as `\xNN`.
  public static let schema = Schema([
    Field("file", .string), Field("line", .int64), Field("byte", .int64), Field("column", .string), Field("text", .string),
    Field("reason", .string),
  ])
}

/// Makes the quarantine of one window.
struct QuarantineBuilder: ~Copyable {
  private var files = TextBuilder(), columns = TextBuilder(), texts = TextBuilder(), reasons = TextBuilder()
  private var lines = FixedBuilder<Int64>(.int64), bytes = FixedBuilder<Int64>(.int64)
  private(set) var count = 0

  init() {}

  mutating func append(file: String, line: Int, byte: Int?, column: String?, text: String, reason: String) {
    files.append(file)
    lines.append(Int64(line))
    if let byte { bytes.append(Int64(byte)) } else { bytes.appendNull() }
    if let column { columns.append(column) } else { columns.appendNull() }
    texts.append(text)
    reasons.append(reason)
    count += 1
  }

  consuming func finish() -> Batch {
    let n = count
    return Batch(
      schema: Quarantine.schema,
      columns: [files.finish(), lines.finish(), bytes.finish(), columns.finish(), texts.finish(), reasons.finish()], count: n)
  }
}
