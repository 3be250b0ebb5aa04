import Columns
import Diagnostics

/// What the cells of columns of numbers and dates say about how they are written: decimal marks, marks between thousands,
/// formats of dates, blanks at the ends.
struct ColumnMarks {
  struct Settled {
    var decimal: Character = "."
    /// Only those that were looked at.
    var columns: [CSVColumn] = []
    var formats: [(column: String, format: String)] = []
    var thousands: [(column: String, mark: Character)] = []
    var reasons: [String] = []
  }

  private let columns: [CSVColumn]
  private var guesses: [ColumnGuess]
  private let toldDecimal: Character?

  /// Of `columns` those that are numbers, or dates without a format.
  init(_ columns: [CSVColumn], decimal: Character?) {
    self.columns = columns.filter { column in
      switch column.type {
      case .int32, .int64, .float64, .decimal: true
      case .date, .timestamp: column.format == nil
      case .string, .bool: false
      }
    }
    guesses = Array(repeating: ColumnGuess(), count: self.columns.count)
    toldDecimal = decimal
  }

  var isEmpty: Bool { columns.isEmpty }

  /// The columns to be looked at, as text.
  var asText: [CSVColumn] {
    columns.map { CSVColumn($0.name, from: $0.source, .string, nulls: $0.nulls, trim: $0.trim, replace: $0.replace) }
  }

  /// A batch of `asText`.
  mutating func add(_ batch: Batch) {
    for at in guesses.indices { guesses[at].add(batch[columns[at].name]) }
  }

  /// Whether a column may be read in two ways so far.
  var isDoubtful: Bool {
    let mark = decimal
    return columns.indices.contains { found(at: $0, mark).isDoubtful }
  }

  /// The decimal mark of most columns that tell one; nil where none does.
  private var decimal: Character? {
    if let toldDecimal { return toldDecimal }
    let votes = columns.indices.filter { columns[$0].type.isNumeric }.compactMap { guesses[$0].decimalVote }
    let commas = votes.filter { $0 == "," }.count
    return votes.isEmpty ? nil : commas * 2 > votes.count ? "," : "."
  }

  private func found(at column: Int, _ decimal: Character?) -> ColumnGuess.Found {
    columns[column].type.isNumeric ? guesses[column].found(decimal: toldDecimal ?? guesses[column].decimalVote ?? decimal) : guesses[column].found
  }

  func settled(delimiter: [UInt8], file: String) throws -> Settled {
    var settled = Settled(), mistakes: [Diagnostic] = []
    let mark = decimal
    // Of one file with commas between cells only quoted numbers have a decimal comma.
    if let mark, delimiter != Array(String(mark).utf8) { settled.decimal = mark }
    if settled.decimal == ",", toldDecimal == nil { settled.reasons.append("decimal mark \",\": as numbers have it") }
    for (at, told) in columns.enumerated() {
      let found = found(at: at, mark)
      var column = told
      if found.isDoubtful {
        mistakes.append(Diagnostic(
          "column \"\(told.name)\" may be read in two ways", at: .data(file: file, line: nil, byte: nil, column: told.name), found: found.note,
          hint: told.type.isNumeric ? "say \"decimal\"" : "say the column's \"format\""))
      } else if told.type.isNumeric {
        number(found, &column, &settled)
      } else if let format = found.format, case .success = DateFormat.parse(format, withTime: told.type != .date) {
        column.format = format
        settled.formats.append((told.name, format))
        settled.reasons.append("column \"\(told.name)\" has dates as \(format)")
      }
      if found.trim, found.type != .string { column.trim = true }
      settled.columns.append(column)
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return settled
  }

  /// Marks are put right by replacements, which the column may have already.
  private func number(_ found: ColumnGuess.Found, _ column: inout CSVColumn, _ settled: inout Settled) {
    guard found.type.isNumeric else { return }
    if let mark = found.thousands {
      column.replace.append(.init(pattern(String(mark)), with: ""))
      settled.thousands.append((column.name, mark))
      settled.reasons.append("column \"\(column.name)\" has \"\(mark)\" between thousands")
    }
    if let mark = found.decimal, mark != settled.decimal {
      column.replace.append(.init(pattern(String(mark)), with: String(settled.decimal)))
      settled.reasons.append("column \"\(column.name)\" has the decimal mark \"\(mark)\", the file \"\(settled.decimal)\"")
    }
    if let end = found.zeroEnd, column.type == .int32 || column.type == .int64 {
      column.replace.append(.init(pattern(end) + "$", with: ""))
      settled.reasons.append("column \"\(column.name)\" has whole numbers with \(end) behind them, which is taken off")
    }
  }

  private func pattern(_ text: String) -> String { text.first == "." ? "\\" + text : text }
}
