import Columns
import FuzzFiles

@testable import Formats

/// Any text: the reader agrees with its slow twin and with itself at any cut; every row is kept or quarantined, and what is
/// read as well as it goes comes out as text by the rules.
///
/// The first byte of an input says how large the pieces are, the second what is looked at.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let data, count > 2 else { return 0 }
  let bytes = Array(UnsafeBufferPointer(start: data + 2, count: count - 2))
  let piece = 1 + Int(data[0] & 63)
  switch data[1] % 4 {
  case 0: FuzzCSV.twin(bytes, piece)
  case 1: FuzzCSV.typed(bytes, piece)
  case 2: FuzzCSV.tolerant(bytes, piece)
  default: FuzzCSV.detected(bytes)
  }
  return 0
}

enum FuzzCSV {
  struct Rows: Equatable {
    var kept: [String] = []
    var rejects: [String] = []
    var quarantined = 0
  }

  static func read(_ bytes: [UInt8], _ columns: [CSVColumn]?, dialect: CSVDialect = CSVDialect(), piece: Int, unit: Int, width: Int = 1) -> Rows? {
    guard var reader = try? CSVReader(dialect: dialect, columns: columns) else { return nil }
    reader.windowBytes = 1 << 16
    reader.unitBytes = unit
    reader.width = width
    var rows = Rows()
    do {
      let report = try reader.read(MemoryBytes(bytes, piece: piece)) { batch in
        for row in 0..<batch.count { rows.kept.append(batch.columns.map { $0.isNull(row) ? "∅" : $0.value(at: row).description }.joined(separator: "|")) }
      } quarantine: { batch in
        for row in 0..<batch.count { rows.rejects.append(batch.columns.map { $0.value(at: row).description }.joined(separator: "|")) }
      }
      precondition(report.kept == rows.kept.count && report.quarantined == rows.rejects.count, "rows were not counted")
      precondition(report.rows == report.kept + report.quarantined, "kept and quarantined rows are not all rows")
      rows.quarantined = report.quarantined
      return rows
    } catch { return nil }
  }

  static let header = Array("h,h,h\n".utf8)

  static func twin(_ bytes: [UInt8], _ piece: Int) {
    guard String(validating: bytes, as: UTF8.self) != nil else { return }
    let columns = (1...3).map { CSVColumn("c\($0)", from: .position($0)) }
    guard let fast = read(header + bytes, columns, piece: piece, unit: piece * 3, width: 2) else { preconditionFailure("sound bytes were refused") }
    var kept: [String] = [], bad = 0
    for row in CSVTwin.rows(bytes) {
      if row.cells.count == 1, row.cells[0].text.isEmpty, !row.cells[0].quoted { continue }
      if row.spoiled || row.cells.count != 3 { bad += 1 } else {
        kept.append(row.cells.map { $0.text.isEmpty && !$0.quoted ? "∅" : $0.text }.joined(separator: "|"))
      }
    }
    precondition(fast.kept == kept && fast.quarantined == bad, "the reader and its twin differ")
  }

  static func typed(_ bytes: [UInt8], _ piece: Int) {
    let columns = [
      CSVColumn("i", from: .position(1), .int32), CSVColumn("d", from: .position(2), .decimal(precision: 12, scale: 3)),
      CSVColumn("f", from: .position(2), .float64, nulls: ["NA"], trim: true), CSVColumn("t", from: .position(3), .timestamp()),
      CSVColumn("s", from: .position(3), .string, replace: [.init("\\.0$", with: "")]),
    ]
    for dialect in [CSVDialect(), CSVDialect(delimiter: ";", escape: "\\", comment: "#", decimal: ","), CSVDialect(blankAligned: true)] {
      let whole = read(header + bytes, columns, dialect: dialect, piece: .max, unit: 1 << 16)
      precondition(whole == read(header + bytes, columns, dialect: dialect, piece: piece, unit: piece), "what is read depends on how it is cut")
    }
  }

  static func tolerant(_ bytes: [UInt8], _ piece: Int) {
    var dialect = LooseDialect()
    let options = Array(bytes.prefix(3)), text = Array(bytes.dropFirst(3))
    guard options.count == 3 else { return }
    dialect.delimiter = [[44], [59], [9], [124, 124]][Int(options[0] & 3)]
    dialect.quote = options[0] & 4 == 0 ? 34 : 39
    dialect.escape = options[0] & 8 == 0 ? nil : 92
    dialect.headerRows = Int(options[1] & 3)
    dialect.preambleRows = Int(options[1] >> 2 & 3)
    dialect.long = LooseDialect.LongRows.allCases.filter { $0 != .keep }[Int(options[2] % 3)]
    dialect.isTolerant = options[2] & 8 == 0
    dialect.rowLimit = 4096
    guard let table = try? LooseTable(WesternFallback(MemoryBytes(text, piece: piece)), dialect) else { return }
    var made: [UInt8] = [], row = LooseRow(), rows = 0
    do {
      while try table.next(into: &row) != nil {
        rows += 1
        row.pad(to: table.width)
        row.cut(to: table.width)
        LooseText.append(row, to: &made)
      }
    } catch { return }
    precondition(rows == table.report.kept && table.takeRejects().count == table.report.rejected, "rows were not counted")
    // What was put right is text by the rules.
    let again = read(made, nil, dialect: CSVDialect(headerRows: 0), piece: .max, unit: 1 << 16)
    precondition(rows == 0 || again?.kept.count == rows && again?.quarantined == 0, "what was made of the text breaks the rules")
    guard let reader = try? LooseReader(dialect: dialect, like: CSVDialect(), columns: nil, sourceRow: nil) else { return }
    var kept = 0, quarantined = 0
    guard let report = try? reader.read(MemoryBytes(text, piece: piece), batch: { kept += $0.count }, quarantine: { quarantined += $0.count }) else { return }
    precondition(report.rows == kept + quarantined && report.kept == kept && report.quarantined == quarantined, "kept and quarantined rows are not all rows")
  }

  static func detected(_ bytes: [UInt8]) {
    guard let found = try? DetectedText(MemoryBytes(bytes), encoding: nil) else { return }
    var auto = AutoDialect(), options = TableSource.Options()
    if bytes.count % 2 == 0 { auto.tolerant = LooseDialect() }
    options.auto = auto
    options.kind = .csv
    options.width = 1
    options.columns = [CSVColumn("n", from: .position(1), .decimal(precision: 9, scale: 2)), CSVColumn("d", from: .position(1), .date)]
    let file = NamelessFile(bytes)
    defer { withExtendedLifetime(file) {} }
    if let part = try? TableSource.open(file: file.path, name: "t.csv", options).first {
      var kept = 0, quarantined = 0
      if let report = try? part.read(batch: { kept += $0.count }, quarantine: { quarantined += $0.count }) {
        precondition(report.kept == kept && report.quarantined == quarantined && report.rows == kept + quarantined, "kept and quarantined rows are not all rows")
      }
    }
    guard let rules = found.rules(), let reader = try? CSVReader(dialect: rules) else { return }
    var guesses: [ColumnGuess] = []
    _ = try? reader.read(MemoryBytes(bytes)) { batch in
      if guesses.isEmpty { guesses = batch.columns.map { _ in ColumnGuess() } }
      for (at, column) in batch.columns.enumerated() { guesses[at].add(column) }
    }
    for guess in guesses { precondition(guess.found.misfits <= guess.cells / 100, "more misfits than few") }
  }
}
