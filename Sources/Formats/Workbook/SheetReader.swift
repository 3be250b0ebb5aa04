import Columns
import Diagnostics

/// Reads one sheet of a workbook into typed batches. Rows without a cell are no rows; a cell that holds nothing is null.
///
/// Header cells that are merged name all the columns they span; several header rows are joined by a blank, as in CSV.
public struct SheetReader: Sendable {
  public let workbook: Workbook
  public let sheet: String
  private let part: String
  private let dialect: CSVDialect
  private let sourceRow: String?
  private let header: Header
  private let layout: RowLayout
  /// nil: the sheet has no such column.
  private let positions: [Int?]
  private let ignored: [String]

  /// What stands above the rows.
  private struct Header {
    var names: [String] = []
    /// Its last row; rows up to it are no data.
    var lastRow = 0
  }

  /// `columns` nil: all, with the narrowest types that hold their cells; `asText`: as text. Of the dialect, the numbers of
  /// header and preamble rows and the decimal mark (of numbers in texts) count.
  public init(
    _ workbook: Workbook, sheet wanted: String? = nil, columns: [CSVColumn]?, dialect: CSVDialect = CSVDialect(), sourceRow: String? = nil,
    asText: Bool = false, missing: TableSource.Options.Missing = .refused
  ) throws {
    self.workbook = workbook
    (sheet, part) = try workbook.part(ofSheet: wanted)
    self.dialect = dialect
    self.sourceRow = sourceRow
    header = try Self.readHeader(workbook, sheet, part, dialect)
    var columns = columns, fieldCount = header.names.count
    if columns == nil { columns = try Self.allColumns(workbook, sheet, part, header, asText: asText) }
    for column in columns ?? [] { if case .position(let at) = column.source { fieldCount = max(fieldCount, min(at, SheetPart.columnLimit)) } }
    layout = try RowLayout(columns ?? [], sourceRow: sourceRow)
    let names = header.names + Array(repeating: "", count: fieldCount - header.names.count)
    let plans = layout.plans
    let there = plans.indices.filter { at in
      guard missing == .null, case .name(let name) = plans[at].column.source else { return true }
      return names.contains(name)
    }
    let table = try TableLayout(
      plans: there.map { plans[$0] }, names: dialect.headerRows > 0 ? names : nil, fieldCount: fieldCount, dialect: dialect,
      file: "\(workbook.name), sheet \(escaped(sheet))")
    var positions: [Int?] = Array(repeating: nil, count: plans.count)
    for (at, plan) in there.enumerated() { positions[plan] = table.positions[at] }
    self.positions = positions
    ignored = dialect.headerRows > 0 ? table.ignored.filter { !$0.isEmpty } : []
  }

  public var schema: Schema { layout.schema }

  private static func forEachRow(_ workbook: Workbook, _ sheet: String, _ part: String, _ row: @escaping (SheetRow) throws -> Bool) throws {
    try XMLPart.parse(
      workbook.bytes(part), SheetPart(workbook, sheet: sheet, texts: workbook.sharedTexts(), formats: workbook.styles(), row: row))
  }

  private static func readHeader(_ workbook: Workbook, _ sheet: String, _ part: String, _ dialect: CSVDialect) throws -> Header {
    var header = Header(lastRow: dialect.preambleRows)
    guard dialect.headerRows > 0 else { return header }
    var rows: [SheetRow] = []
    try forEachRow(workbook, sheet, part) { row in
      if row.number <= dialect.preambleRows || row.cells.isEmpty { return true }
      rows.append(row)
      return rows.count < dialect.headerRows
    }
    guard let last = rows.last, rows.count == dialect.headerRows else {
      throw Diagnostic(
        "sheet \"\(escaped(sheet))\" has no header row", at: .data(file: workbook.name, line: nil, byte: nil, column: nil),
        expected: "\(dialect.headerRows) header row\(dialect.headerRows == 1 ? "" : "s")")
    }
    header.lastRow = last.number
    var width = rows.reduce(0) { max($0, ($1.cells.map(\.column).max() ?? -1) + 1) }
    var grid = rows.map { row in
      row.cells.reduce(into: [Int: String]()) { $0[$1.column] = row.text($1) }
    }
    let merged = MergedCells()
    try XMLPart.parse(workbook.bytes(part), merged)
    for area in merged.areas {
      guard let first = rows.firstIndex(where: { $0.number == area.rows.lowerBound }), let text = grid[first][area.columns.lowerBound] else { continue }
      // Downwards a merged cell says the same once more, which would double the name.
      for column in area.columns.prefix(SheetPart.columnLimit) where grid[first][column] == nil { grid[first][column] = text }
      width = max(width, min(area.columns.upperBound + 1, SheetPart.columnLimit))
    }
    header.names = (0..<width).map { column in grid.compactMap { $0[column] }.filter { !$0.isEmpty }.joined(separator: " ") }
    return header
  }

  private static func allColumns(
    _ workbook: Workbook, _ sheet: String, _ part: String, _ header: Header, asText: Bool
  ) throws -> [CSVColumn] {
    var evidence: [Int: ColumnEvidence] = [:], width = header.names.count
    try forEachRow(workbook, sheet, part) { row in
      if row.number <= header.lastRow { return true }
      row.bytes.withUnsafeBufferPointer { bytes in
        for cell in row.cells {
          width = max(width, cell.column + 1)
          // Numbers are Doubles here: what has many digits was computed.
          evidence[cell.column, default: ColumnEvidence(fractionLimit: 4, readsTimes: false)].see(cell.kind, UnsafeBufferPointer(rebasing: bytes[cell.text]))
        }
      }
      return true
    }
    var distinct = DistinctNames(header.names)
    var columns: [CSVColumn] = []
    for at in 0..<width {
      let name = at < header.names.count ? header.names[at] : ""
      // Between a table's columns there may be empty ones, which have no name.
      if name.isEmpty, !header.names.isEmpty, evidence[at] == nil { continue }
      columns.append(CSVColumn(distinct.next(name, at: at), from: .position(at + 1), asText ? .string : evidence[at]?.type ?? .string))
    }
    return columns
  }

  /// Reads the sheet to its end. Both callbacks run on the calling thread; batches are never empty.
  @discardableResult public func read(
    batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void = { _ in }
  ) throws -> CSVReport {
    let assembler = RowAssembler(layout.plans, point: dialect.decimal.asciiValue ?? 46)
    // Where a column of the sheet goes; the same cell may go to several.
    var wanted: [[Int]] = []
    for (at, position) in positions.enumerated() {
      guard let position else { continue }
      while wanted.count <= position { wanted.append([]) }
      wanted[position].append(at)
    }
    var tally = RowTally(schema), ordinal = 0
    try withoutActuallyEscaping(batch) { batch in
      try withoutActuallyEscaping(quarantine) { quarantine in
        try Self.forEachRow(workbook, sheet, part) { row in
          if row.number <= header.lastRow || row.cells.isEmpty { return true }
          row.bytes.withUnsafeBufferPointer { bytes in
            for cell in row.cells where cell.column < wanted.count {
              for at in wanted[cell.column] { assembler.set(at, cell.kind, UnsafeBufferPointer(rebasing: bytes[cell.text])) }
            }
          }
          let mistake = assembler.finishRow(ordinal: ordinal)
          ordinal += 1
          tally.add(rows: 1, kept: mistake == nil ? 1 : 0)
          if let mistake {
            tally.reject(mistake.reason)
            var bad = QuarantineBuilder()
            bad.append(
              file: workbook.name, line: row.number, byte: nil, column: mistake.column,
              text: row.cells.map { "\(SheetPart.letters($0.column))=\(row.text($0))" }.joined(separator: " | "), reason: mistake.words)
            try quarantine(bad.finish())
          }
          if assembler.isFull { try batch(assembler.take(schema)) }
          return true
        }
        if assembler.rows > 0 { try batch(assembler.take(schema)) }
      }
    }
    return tally.finished(ignored: ignored)
  }
}
