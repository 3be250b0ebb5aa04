import Columns
import Foundation
import Testing

@testable import Formats

/// The whole reader against the twin: typed cells, nulls, quarantine; windows and units of a few bytes.
@Suite struct TypedTwinTests {
  struct Expected: Equatable {
    var rows: [[Value]] = []
    /// line, column, row's text, what is wrong
    var rejects: [[String]] = []
  }

  static func expected(_ bytes: [UInt8], _ columns: [CSVColumn], fieldCount: Int, header: Int = 1) -> Expected {
    var expected = Expected(), line = 1, counted = 0
    for row in CSVTwin.rows(bytes).dropFirst(header) {
      // A blank line is no row, unless a row has only one cell.
      if fieldCount != 1, row.cells.count == 1, row.cells[0].text.isEmpty, !row.cells[0].quoted { continue }
      var raw = bytes[row.bytes]
      while let last = raw.last, last == 10 || last == 13 { raw.removeLast() }
      func reject(_ column: String, _ flaw: String) {
        while counted < row.bytes.lowerBound {
          if bytes[counted] == 10 || bytes[counted] == 13 && bytes[counted + 1] != 10 { line += 1 }
          counted += 1
        }
        expected.rejects.append(["\(line)", column, printable(raw), flaw])
      }
      if String(validating: bytes[row.bytes], as: UTF8.self) == nil, !row.spoiled {
        reject("", "not UTF-8")
        continue
      }
      if row.spoiled || row.cells.count != fieldCount {
        reject("", row.spoiled ? "quotes" : "expected \(fieldCount) fields, found \(row.cells.count)")
        continue
      }
      var values: [Value] = [], flaw: (String, String)?
      for column in columns {
        guard case .position(let position) = column.source else { preconditionFailure("the test names positions") }
        switch verdict(row.cells[position - 1], column) {
        case .value(let value): values.append(value)
        case .flaw(let found):
          let words = found == .outOfRange ? "range" : found == .tooManyDigits ? "digits" : "type"
          if flaw == nil { flaw = (column.name, words) }
        }
      }
      if let flaw { reject(flaw.0, flaw.1) } else { expected.rows.append(values) }
    }
    return expected
  }

  private static func verdict(_ cell: CSVTwin.Cell, _ column: CSVColumn) -> TwinCells.Verdict {
    if cell.text.isEmpty, !cell.quoted || column.type != .string { return .value(.null) }
    var text = cell.text
    if column.trim {
      text = text.trimmingCharacters(in: CharacterSet(charactersIn: " \t"))
      if text.isEmpty, !cell.text.isEmpty { return .value(.null) }
    }
    // Those of the columns below.
    for replacement in column.replace where !text.isEmpty {
      let edited =
        replacement.pattern.hasPrefix("^") ? String(text.trimmingPrefix(replacement.pattern.dropFirst())) : text.hasSuffix(".0") ? String(text.dropLast(2)) : text
      if edited.isEmpty { return .value(.null) }
      text = edited
    }
    if column.nulls.contains(text) { return .value(.null) }
    return TwinCells.read(text, column.type)
  }

  private static func printable(_ raw: ArraySlice<UInt8>) -> String { raw.withUnsafeBufferPointer { Formats.printable($0) } }

  static func found(_ reading: Reading) -> Expected {
    Expected(
      rows: reading.rows,
      rejects: reading.rejects.map { row in
        let reason = row[5].description
        let flaw =
          reason.hasSuffix("out of range") ? "range" : reason.hasSuffix("the type holds") ? "digits" : reason.hasPrefix("not UTF-8") ? "not UTF-8"
          : reason.contains("quote") && row[3] == .null ? "quotes" : row[3] == .null ? reason : "type"
        return [row[1].description, row[3] == .null ? "" : row[3].description, row[4].description, flaw]
      })
  }

  /// The first difference.
  static func difference(_ found: Expected, _ expected: Expected) -> String {
    for (at, (a, b)) in zip(found.rejects, expected.rejects).enumerated() where a != b { return "reject \(at): \(a) where \(b) is expected" }
    for (at, (a, b)) in zip(found.rows, expected.rows).enumerated() where a != b { return "row \(at): \(a) where \(b) is expected" }
    if found.rejects.count != expected.rejects.count { return "\(found.rejects.count) rejects where \(expected.rejects.count) are expected" }
    return found.rows.count == expected.rows.count ? "none" : "\(found.rows.count) rows where \(expected.rows.count) are expected"
  }

  /// Each way a column can go: direct or adjusted, fixed, dictionary or plain text.
  static let columns = [
    CSVColumn("n", from: .position(1), .int32), CSVColumn("t", from: .position(2), replace: [.init("\\.0$", with: "")]),
    CSVColumn("d", from: .position(3), .decimal(precision: 12, scale: 3)), CSVColumn("s", from: .position(2)),
    CSVColumn("f", from: .position(4), .float64, nulls: ["NA", "-"], trim: true), CSVColumn("at", from: .position(5), .timestamp()),
    CSVColumn("day", from: .position(6), .date), CSVColumn("b", from: .position(7), .bool), CSVColumn("l", from: .position(1), .int64),
    CSVColumn("x", from: .position(2), nulls: ["", "NA"], trim: true), CSVColumn("y", from: .position(2), replace: [.init("^a", with: "")]),
  ]

  /// Text of seven columns, most rows sound.
  static func text(_ dice: inout Dice, rows: Int, dirt: Int) -> [UInt8] {
    let end = ["\n", "\r\n", "\r"].randomElement(using: &dice)!
    func sound(_ column: Int) -> String {
      switch column {
      case 0: "\(Int.random(in: -3...120, using: &dice))"
      case 1: ["", "a", "a.0", ".0", "NA", "éé", "twelve bytes", "sixteen bytes...", "more than sixteen bytes.0", " b ", "\"\"", "\"q\"\"q\"", "\"a,b\"", "\"l\(end)e\""].randomElement(using: &dice)!
      case 2: ["6.95", "0.001", "-12", "1234567.5", "", "\"2.5\""].randomElement(using: &dice)!
      case 3: ["1.5", " 2 ", "NA", "-", "1e3", "-0", ""].randomElement(using: &dice)!
      case 4: ["2009-12-01 08:00:24", "2009-12-01", "\"2010-01-02T03:04\"", ""].randomElement(using: &dice)!
      case 5: ["2009-12-01", "2024-02-29", ""].randomElement(using: &dice)!
      default: ["1", "0", "yes", "FALSE", ""].randomElement(using: &dice)!
      }
    }
    var bytes = Array("a,b,c,d,e,f,g".utf8) + Array(end.utf8)
    for _ in 0..<rows {
      var cells = (0..<7).map { sound($0) }
      if dirt > 0, Int.random(in: 0..<dirt, using: &dice) == 0 {
        switch Int.random(in: 0..<5, using: &dice) {
        case 0: cells.removeLast()
        case 1: cells.append("more")
        default: cells[Int.random(in: 0..<7, using: &dice)] = CellReadersTests.adversarial.randomElement(using: &dice)!
        }
      }
      bytes += Array(cells.joined(separator: ",").utf8) + Array(end.utf8)
      if dirt > 0, Int.random(in: 0..<(dirt * 4), using: &dice) == 0 {
        // A byte that has no place there.
        bytes.insert([34, 10, 13, 44, 0xFF, 0xC3, 0][Int.random(in: 0..<7, using: &dice)], at: Int.random(in: (bytes.count - 8)..<bytes.count, using: &dice))
      }
    }
    return bytes
  }

  @Test(arguments: 1...60) func dirtyText(seed: Int) throws {
    var dice = Dice(state: UInt64(1000 + seed))
    let bytes = Self.text(&dice, rows: [3, 20, 200][seed % 3], dirt: [0, 3, 12, 60][seed % 4])
    let expected = Self.expected(bytes, Self.columns, fieldCount: 7)
    for _ in 0..<rounds(6) {
      let window = Int.random(in: 1...64, using: &dice), unit = Int.random(in: 1...64, using: &dice), width = Int.random(in: 1...3, using: &dice)
      let windows = Int.random(in: 1...5, using: &dice), header = Int.random(in: 16...200, using: &dice)
      let source = MemoryBytes(bytes, name: "t.csv", piece: Int.random(in: 1...200, using: &dice))
      let reading = try Reading(source, Self.columns, window: window, unit: unit, windows: windows, header: header, width: width)
      let found = Self.found(reading)
      let place = "seed \(seed), windows of \(window), \(windows) a batch, units of \(unit), width \(width)"
      #expect(Self.difference(found, expected) == "none", "\(place)")
      #expect(reading.report.rows == expected.rows.count + expected.rejects.count, "\(place)")
    }
  }

  /// The usual sizes, with enough text for several batches.
  @Test func manyWindows() throws {
    var dice = Dice(state: 77)
    let bytes = Self.text(&dice, rows: 3000, dirt: 40)
    let expected = Self.expected(bytes, Self.columns, fieldCount: 7)
    var first: [Int]?
    for (unit, width) in [(4096, 1), (1000, 2), (64, 3), (20_000, 5)] {
      let reading = try Reading(MemoryBytes(bytes, name: "t.csv"), Self.columns, window: 16_384, unit: unit, windows: 2, header: 64, width: width)
      #expect(Self.difference(Self.found(reading), expected) == "none", "units of \(unit), width \(width)")
      // Batches end where windows do, whatever the units and the width.
      let counts = reading.batches.map(\.count)
      #expect(counts.count > 2)
      if let first { #expect(counts == first, "units of \(unit), width \(width)") } else { first = counts }
    }
  }

  /// Line ends in quotes at every unit's border: the borders have to be found by counting quotes.
  @Test func bordersInQuotes() throws {
    let row = "1,\"one\ntwo\nthree\nfour\n\",2.5\n"
    let text = "a,b,c\n" + String(repeating: row, count: 500)
    let columns = [CSVColumn("a", .int32), CSVColumn("b"), CSVColumn("c", .float64)]
    for unit in [1, 7, 25, 26, 27, 500] {
      for window in [40, 1000, 1 << 20] {
        let reading = try Reading(text, columns, window: window, unit: unit, header: 64, width: 2)
        #expect(reading.report.quarantined == 0)
        #expect(reading.lines == Array(repeating: "1|one\ntwo\nthree\nfour\n|2.5", count: 500), "units of \(unit), windows of \(window)")
      }
    }
  }

  /// Every delimited file of the corpora, with small windows and with the usual ones; what it holds does not matter.
  @Test func corpora() throws {
    guard let folder = shared("corpora") else { return }
    var dice = Dice(state: 9), read = 0, refused = 0
    for pattern in ["/*/csv/*.csv", "/*/files/*.csv", "/*/files/*/*.csv", "/pollock*/*/*.csv", "/pollock*/*/*/*.csv", "/*/files/*.tsv", "/*/files/*.txt"] {
      for path in (try? Glob(folder + pattern).files()) ?? [] {
        guard let data = FileManager.default.contents(atPath: path), data.count < (isOptimized ? 200_000 : 20_000) else { continue }
        var bytes = [UInt8](data)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        // UTF-16, which the twin does not know.
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { continue }
        let dialect = CSVDialect(headerRows: 0)
        func reading(_ window: Int, _ unit: Int, _ width: Int, _ header: Int) -> Reading? {
          try? Reading(MemoryBytes(bytes, name: "t.csv"), dialect: dialect, window: window, unit: unit, header: header, width: width)
        }
        guard let usual = reading(4 << 20, 256 << 10, 2, 1 << 16) else {
          refused += 1
          continue
        }
        read += 1
        let rows = CSVTwin.rows(bytes).filter { $0.cells.count != 1 || !$0.cells[0].text.isEmpty || $0.cells[0].quoted }
        guard let first = rows.first, !first.spoiled else { continue }
        let columns = first.cells.indices.map { CSVColumn("\($0)", from: .position($0 + 1)) }
        let expected = Self.expected(bytes, columns, fieldCount: columns.count, header: 0)
        let found = Self.found(usual)
        #expect(Self.difference(found, expected) == "none", "\(path)")
        let window = Int.random(in: 64...4096, using: &dice), unit = Int.random(in: 1...512, using: &dice)
        if bytes.count < 50_000, let small = reading(window, unit, 1 + read % 3, 1 << 14) {
          #expect(small.rows == usual.rows && small.rejects == usual.rejects, "\(path), windows of \(window), units of \(unit)")
        }
      }
    }
    print("corpora: \(read) files read, \(refused) refused at their header")
  }
}
