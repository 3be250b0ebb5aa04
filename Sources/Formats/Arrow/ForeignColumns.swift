import Columns
import Diagnostics

/// The columns wanted of a file that knows its own types: which are taken as they are, which are cast, which are missing.
///
/// Casts lose nothing: a cell that its declared type cannot hold exactly takes its row to quarantine.
struct ForeignColumns {
  enum Making {
    /// As it is read; the number of the source.
    case same(Int)
    /// Through the text of its cells: the numbers of the source and of the cast.
    case cast(Int, Int)
    /// The file has no such column.
    case null(ColumnType)
  }

  let file: String
  /// Columns of the file to be read, each once.
  let sources: [ForeignSchema.Field]
  let making: [Making]
  let casts: [ColumnPlan]
  let schema: Schema
  let isNumbered: Bool
  let ignored: [String]
  let point: UInt8
  /// Bytes that are not UTF-8 are spelled `\xNN`; else they take their row to quarantine.
  let printsBinary: Bool

  init(_ inFile: [ForeignSchema.Field], _ options: TableSource.Options, _ file: String) throws {
    var sources: [ForeignSchema.Field] = [], making: [Making] = [], casts: [ColumnPlan] = [], mistakes: [Diagnostic] = []
    let names = inFile.map(\.name)
    let told = options.columns ?? inFile.map { CSVColumn($0.name, options.asText || $0.isWide ? .string : $0.type ?? .string) }
    printsBinary = options.columns == nil && options.asText
    _ = try RowLayout(told, sourceRow: options.sourceRow)
    for column in told {
      let place = Place.data(file: file, line: nil, byte: nil, column: column.name)
      let found: ForeignSchema.Field?, source: String
      switch column.source {
      case .name(let name): (found, source) = (inFile.first { $0.name == name }, name)
      case .position(let at): (found, source) = (at >= 1 && at <= inFile.count ? inFile[at - 1] : nil, "#\(at)")
      }
      guard let found else {
        if options.missing == .null {
          making.append(.null(column.type))
        } else {
          mistakes.append(Diagnostic(
            "the file has no column \"\(source)\"", at: .data(file: file, line: nil, byte: nil, column: nil), hint: hint(forUnknown: source, among: names)))
        }
        continue
      }
      guard let type = found.type else {
        mistakes.append(Diagnostic(
          "column \"\(escaped(source))\" is of an unsupported type: \(Self.words(found.format))", at: place,
          hint: options.columns == nil ? "say the columns wanted, without this one" : nil))
        continue
      }
      let at: Int
      if let known = sources.firstIndex(where: { $0.name == found.name }) { at = known } else {
        at = sources.count
        sources.append(found)
      }
      let isEdited = column.trim || column.format != nil || !column.nulls.isEmpty || !column.replace.isEmpty
      if type == column.type, !isEdited, !(found.isBinary && printsBinary) {
        making.append(.same(at))
      } else if Self.canCast(type, column.type) {
        making.append(.cast(at, casts.count))
        casts.append(ColumnPlan(column, &mistakes))
      } else {
        mistakes.append(Diagnostic("column \"\(source)\" is of another type", at: place, expected: "\(column.type)", found: "\(type)"))
      }
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    self.file = file
    self.sources = sources
    self.making = making
    self.casts = casts
    schema = Schema(told.map { Field($0.name, $0.type) } + (options.sourceRow.map { [Field($0, .int64)] } ?? []))
    isNumbered = options.sourceRow != nil
    ignored = names.filter { name in !sources.contains { $0.name == name } }
    point = options.dialect.decimal.asciiValue ?? 46
  }

  /// Whether a cell of one type may say the same in another.
  private static func canCast(_ from: ColumnType, _ to: ColumnType) -> Bool {
    if from == to { return true }
    let utc = { (zone: String?) in zone == "UTC" || zone == "Etc/UTC" || zone == "+00:00" }
    switch (from, to) {
    case (.string, _), (_, .string): return true
    case (.date, .timestamp(let zone)): return zone == nil || utc(zone)
    case (.timestamp(nil), .date): return true
    // An instant is the same in every zone; wall-clock time of no zone says an instant only in UTC.
    case (.timestamp(let a), .timestamp(let b)): return a != nil && b != nil || a == nil && utc(b)
    default: return from.isNumeric && to.isNumeric
    }
  }

  /// Arrow's format in words.
  private static func words(_ format: String) -> String {
    if format.hasPrefix("tD") { return "a duration" }
    if format.hasPrefix("ti") { return "an interval" }
    if format.hasPrefix("+u") { return "a union" }
    return "Arrow's \"\(escaped(format))\""
  }
}

/// Reads batches of one file through `ForeignColumns`, counts them and takes out rows that do not fit.
final class ForeignReading {
  private let columns: ForeignColumns
  private let assembler: RowAssembler
  private let castSchema: Schema
  private var tally: RowTally
  private var bad: [Int: RowAssembler.Mistake] = [:]

  init(_ columns: ForeignColumns) {
    self.columns = columns
    assembler = RowAssembler(columns.casts, point: columns.point)
    castSchema = Schema(columns.casts.map { Field($0.column.name, $0.column.type) })
    tally = RowTally(columns.schema)
  }

  var report: CSVReport { tally.finished(ignored: columns.ignored) }

  /// `read` holds the sources in their order.
  func add(_ read: Batch, _ misfits: ImportMisfits, _ batch: (Batch) throws -> Void, _ quarantine: (Batch) throws -> Void) throws {
    bad.removeAll(keepingCapacity: true)
    var texts: [Int: [Int: String]] = [:]
    for cell in misfits.cells {
      guard let source = columns.sources.firstIndex(where: { $0.name == cell.column }) else { continue }
      texts[source, default: [:]][cell.row] = cell.text
    }
    for (at, making) in columns.making.enumerated() {
      guard case .same(let source) = making else { continue }
      let field = columns.schema.fields[at]
      for cell in misfits.cells where cell.column == columns.sources[source].name {
        let found = "expected \(field.type), found \"\(cell.text)\""
        note(cell.row, RowAssembler.Mistake(
          column: field.name, reason: cell.hasTooManyDigits ? .digits : .range,
          words: found + (cell.hasTooManyDigits ? ": more digits than the type holds" : ": out of range")))
      }
    }
    for (source, field) in columns.sources.enumerated() where field.isBinary && !columns.printsBinary {
      let column = read.columns[source], text = column.text
      for row in 0..<read.count where !column.isNull(row) {
        let cell = text[row]
        if let base = cell.baseAddress, firstInvalidUTF8(base, from: 0, to: cell.count) != nil {
          note(row, RowAssembler.Mistake(column: field.name, reason: .encoding, words: "binary, and not UTF-8"))
        }
      }
    }
    if !columns.casts.isEmpty { cast(read, texts) }
    try giveOut(read, texts, batch, quarantine)
  }

  private func note(_ row: Int, _ mistake: RowAssembler.Mistake) { if bad[row] == nil { bad[row] = mistake } }

  private func cast(_ read: Batch, _ texts: [Int: [Int: String]]) {
    let casts = columns.making.compactMap { making -> (source: Int, cast: Int)? in
      if case .cast(let source, let cast) = making { (source, cast) } else { nil }
    }
    let cells = casts.map { pair in
      ForeignCells(read.columns[pair.source], texts[pair.source] ?? [:], instant: columns.casts[pair.cast].column.type, printsBinary: columns.printsBinary)
    }
    for row in 0..<read.count where bad[row] == nil {
      for (at, pair) in casts.enumerated() { cells[at].give(row) { assembler.set(pair.cast, $0, $1) } }
      if let mistake = assembler.finishRow(ordinal: row) { bad[row] = mistake }
    }
  }

  private func giveOut(
    _ read: Batch, _ texts: [Int: [Int: String]], _ batch: (Batch) throws -> Void, _ quarantine: (Batch) throws -> Void
  ) throws {
    let kept: [Int32]? = bad.isEmpty ? nil : (0..<Int32(read.count)).filter { bad[Int($0)] == nil }
    let count = kept?.count ?? read.count, before = tally.report.rows
    let cast = assembler.take(castSchema)
    var made = columns.making.map { making -> Column in
      switch making {
      case .same(let source): kept.map { read.columns[source].gather($0) } ?? read.columns[source]
      case .cast(_, let at): cast.columns[at]
      case .null(let type): .nulls(type, count: count)
      }
    }
    if columns.isNumbered { made.append(.full(.int64, kept?.map { Int64(before) + Int64($0) + 1 } ?? (0..<read.count).map { Int64(before + $0 + 1) })) }
    tally.add(rows: read.count, kept: count)
    if count > 0 { try batch(Batch(schema: columns.schema, columns: made, count: count)) }
    if bad.isEmpty { return }
    var rejects = QuarantineBuilder()
    for row in bad.keys.sorted() {
      guard let mistake = bad[row] else { continue }
      tally.reject(mistake.reason)
      let text = columns.sources.enumerated().map { source, field in "\(field.name)=\(texts[source]?[row] ?? Self.text(read.columns[source], row))" }
      rejects.append(
        file: columns.file, line: before + row + 1, byte: nil, column: mistake.column, text: text.joined(separator: " | "), reason: mistake.words)
    }
    try quarantine(rejects.finish())
  }

  private static func text(_ column: Column, _ row: Int) -> String {
    column.type == .string && !column.isNull(row) ? printable(column.text[row]) : column.value(at: row).description
  }
}

/// The cells of a column as texts, for casts.
private struct ForeignCells {
  private let column: Column
  private let kind: CellKind
  private let texts: [Int: String]
  private let suffix: String
  private let printsBinary: Bool

  /// `texts`: of cells that the column itself does not hold. `instant`: the wanted type.
  init(_ column: Column, _ texts: [Int: String], instant: ColumnType, printsBinary: Bool) {
    self.column = column
    self.printsBinary = printsBinary
    self.texts = texts
    var suffix = ""
    switch column.type {
    case .bool: kind = .bool
    case .int32, .int64, .float64, .decimal: kind = .number
    case .string: kind = .text
    case .date: kind = .date
    case .timestamp(let zone):
      kind = .timestamp
      if zone != nil, case .timestamp = instant { suffix = "Z" }
    }
    self.suffix = suffix
  }

  func give(_ row: Int, _ body: (CellKind, UnsafeBufferPointer<UInt8>) -> Void) {
    if column.isNull(row) { return }
    if kind == .text {
      let cell = column.text[row]
      guard printsBinary, let base = cell.baseAddress, firstInvalidUTF8(base, from: 0, to: cell.count) != nil else { return body(.text, cell) }
      var text = printable(cell)
      return text.withUTF8 { body(.text, $0) }
    }
    var text = (texts[row] ?? column.value(at: row).description) + suffix
    text.withUTF8 { body(kind, $0) }
  }
}
