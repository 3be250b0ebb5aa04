import Columns
import Diagnostics
import Testing

@testable import Formats

@Suite struct LooseTableTests {
  /// Rows as texts, `|` between cells, the header first.
  private func rows(_ text: String, _ change: (inout LooseDialect) -> Void = { _ in }, piece: Int = .max) throws -> (rows: [String], report: LooseReport) {
    var dialect = LooseDialect()
    change(&dialect)
    let table = try LooseTable(MemoryBytes(text, name: "t.csv", piece: piece), dialect)
    var rows = table.header.map { [$0.joined(separator: "|")] } ?? [], row = LooseRow()
    while try table.next(into: &row) != nil { rows.append(row.texts.joined(separator: "|")) }
    return (rows, table.report)
  }

  @Test(arguments: [
    ("plain", "a,b\n1,2\n", ["a|b", "1|2"]),
    ("quotes by the rules", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", ["a|b", "x,y|say \"hi\""]),
    ("line end in quotes", "a,b\n\"x\ny\",2\n", ["a|b", "x\ny|2"]),
    ("quote that opens nothing", "a,b\n1,\"2\n3,\"x\"\n", ["a|b", "1|\"2", "3|x"]),
    ("quote that opens nothing, at the end", "a,b\n1,\"2\n", ["a|b", "1|\"2"]),
    ("quote doubled at the beginning", "a,b\n\"\"x,y\",2\n", ["a|b", "\"x,y|2"]),
    ("doubled quote that closes", "a,b\n\"5\"\",\"x,y\"\n3,\"z\"\n", ["a|b", "5\"|x,y", "3|z"]),
    ("quote inside text", "a,b\n5\" pipe,6\n", ["a|b", "5\" pipe|6"]),
    ("text behind a quote", "a,b\n\"x\"y,1\n2,\"z\"\n", ["a|b", "\"x\"y|1", "2|z"]),
    ("blanks around quotes", "a,b\n\"x\" , \"y,z\"\n", ["a|b", "x|y,z"]),
    ("line ends mixed", "a,b\r\n1,2\r3,4\n5,6\r\r\n7,8", ["a|b", "1|2", "3|4", "5|6", "7|8"]),
    ("NUL", "a,b\n1,\0\n", ["a|b", "1|\0"]),
    ("blank lines and rows without text", "a,b\n\n1,2\n,\n  \n3,4\n", ["a|b", "1|2", "3|4"]),
    ("short and long rows", "a,b\n1\n1,2,3\n4,5\n", ["a|b", "1|", "1|2", "4|5"]),
    ("long rows where none is as long as the header", "a,b\n1\n1,2,3\n", ["a|b|", "1||", "1|2|3"]),
    ("one column", "a\n1\n\n2\n", ["a", "1", "", "2"]),
    ("nothing", "", []),
    ("header only", "a,b\n", ["a|b"]),
    ("header too short", "a,b\n1,2,3\n4,5,6\n", ["a|b|", "1|2|3", "4|5|6"]),
    ("the header again", "a,b\n1,2\na,b\n3,4\n", ["a|b", "1|2", "3|4"]),
    ("another table", "a,b,c\n1,2,3\n4,5,6\na,b,c,d\n1,2,3,4\n", ["a|b|c", "1|2|3", "4|5|6"]),
  ])
  func tolerant(name: String, text: String, expected: [String]) throws {
    for piece in [1, 2, 3, 7, 64, Int.max] {
      #expect(try rows(text, piece: piece).rows == expected, "\(name), pieces of \(piece)")
    }
  }

  /// Twelve rows whose columns are a date, a time, a number of one or two digits, a code, a text in quotes.
  private static func shop(_ broken: String) -> String {
    "day,time,n,code,text\n" + (0..<12).map { "0\($0 % 9 + 1)/02/2018,1\($0 % 10):15,\($0),AB-10\($0 % 9),\"Boots\(String(repeating: "x", count: $0)), large\"\n" }.joined() + broken + "\n"
  }

  @Test(arguments: [
    ("delimiter missing between a time and a number", "01/02/2018,10:152,AB-100,\"Boots\"", "01/02/2018|10:15|2|AB-100|Boots"),
    ("delimiter missing before a quote", "01/02/2018,10:15,2,AB-100\"Boots, x\"", "01/02/2018|10:15|2|AB-100|Boots, x"),
    ("an empty cell too many", "01/02/2018,,10:15,2,AB-100,\"Boots\"", "01/02/2018|10:15|2|AB-100|Boots"),
    ("a null in the middle", "01/02/2018,2,AB-100,\"Boots\"", "01/02/2018||2|AB-100|Boots"),
    ("a delimiter in text", "01/02/2018,10:15,2,AB-100,Boots, large", "01/02/2018|10:15|2|AB-100|Boots, large"),
    ("another delimiter", "01/02/2018;10:15;2;AB-100;\"Boots, large\"", "01/02/2018|10:15|2|AB-100|Boots, large"),
    ("blanks between cells", "01/02/2018 10:15 2 AB-100 Large boots", "01/02/2018|10:15|2|AB-100|Large boots"),
    ("last cell missing", "01/02/2018,10:15,2,AB-100", "01/02/2018|10:15|2|AB-100|"),
  ])
  func mended(name: String, broken: String, expected: String) throws {
    let read = try rows(Self.shop(broken))
    #expect(read.rows.last == expected, "\(name)")
    #expect(read.rows.count == 14)
  }

  /// Found by fuzzing: of what is left of this text, one empty cell, the reader by the rules made no row at all.
  @Test func aTextOfOneEmptyCell() throws {
    let text = "cht\n\nid;dat\t\0\0\0um;preis\n1;28.01.2018;1.234,50\n2903.02.2018;6,95\n\n"
    var dialect = LooseDialect()
    (dialect.delimiter, dialect.quote, dialect.headerRows, dialect.isTolerant) = ([59], 39, 2, false)
    let table = try LooseTable(MemoryBytes(text, name: "t.csv", piece: 4), dialect)
    var row = LooseRow(), made: [UInt8] = []
    while try table.next(into: &row) != nil { LooseText.append(row, to: &made) }
    #expect(table.header == ["cht"] && table.report.kept == 1)
    #expect(table.takeRejects().map(\.line) == [3, 4, 5])
    #expect(String(decoding: made, as: UTF8.self) == "\"\"\n")
    for rows in 1...3 {
      let again = try Reading(String(repeating: "\"\"\n", count: rows), dialect: CSVDialect(headerRows: 0))
      #expect(again.rows == Array(repeating: [.string("")], count: rows) && again.report.quarantined == 0)
    }
    #expect(try Reading("\n\"\"", dialect: CSVDialect(headerRows: 0)).rows == [[.null], [.string("")]])
    #expect(try Reading("\n\n", dialect: CSVDialect(headerRows: 0)).rows == [])
  }

  @Test func policies() throws {
    let text = "a,b\n1\n\n1,2,3\n4,5\n"
    let kept = try rows(text) { ($0.short, $0.long, $0.keepsBlankRows) = (.keep, .keep, true) }
    #expect(kept.rows == ["a|b", "1", "", "1|2|3", "4|5"])
    let refused = try rows(text) { ($0.short, $0.long) = (.quarantine, .quarantine) }
    #expect(refused.rows == ["a|b", "4|5"])
    #expect(refused.report.rejected == 2 && refused.report.kept == 1 && refused.report.reasons == [.fieldCount: 2])
    let tolerant = try rows(text).report
    #expect(tolerant.words == ["1 short row padded", "1 long row cut", "1 cell with text cut off"])
  }

  @Test(arguments: [
    ("1,\"2\n", "3: the quote that opens on line 3 is never closed"), ("1,x\"y\n", "3: a quote inside text that is not in quotes"),
    ("\"1\"x,2\n", "3: text behind a closing quote"),
    ("\"1\n2 \"x,3\n", "3: the quote that opens on line 3 is never closed; 4: a quote inside text that is not in quotes"), ("1\n", "3: expected 2 fields, found 1"),
  ])
  func strict(broken: String, reason: String) throws {
    var dialect = LooseDialect()
    dialect.isTolerant = false
    let table = try LooseTable(MemoryBytes("a,b\n1,2\n" + broken, name: "t.csv"), dialect)
    var row = LooseRow(), kept = 0
    while try table.next(into: &row) != nil { kept += 1 }
    #expect(kept == 1)
    #expect(table.takeRejects().map { "\($0.line): \($0.reason.words(line: $0.line))" }.joined(separator: "; ") == reason)
  }

  @Test func delimitersOfSeveralCharacters() throws {
    #expect(try rows("a||b\n1|x||2\n") { $0.delimiter = [124, 124] }.rows == ["a|b", "1|x|2"])
    #expect(try rows("a, b\n\"x, y\", 2\n") { $0.delimiter = [44, 32] }.rows == ["a|b", "x, y|2"])
  }

  @Test func escapes() throws {
    #expect(try rows("a,b\n\"x\\\"y\",z\\,w\n") { $0.escape = 92 }.rows == ["a|b", "x\"y|z,w"])
  }

  @Test func severalRowsOfNames() throws {
    let read = try rows("speed,,place,\nx,y,,name\n1,2,3,4\n") { $0.headerRows = 2 }
    #expect(read.rows == ["speed x|speed y|place|place name", "1|2|3|4"])
  }

  /// kept + quarantined = rows, places are those of the file, in its order.
  @Test func typedReading() throws {
    let text = "n,t\n1,a\nx,b\n2\n3,c,d\n\"4,e\n5,\"f\ng\"\ny,h\n"
    var dialect = LooseDialect()
    dialect.long = .quarantine
    var rejects: [String] = [], kept: [String] = []
    let reader = try LooseReader(dialect: dialect, like: CSVDialect(), columns: [CSVColumn("n", .int32), CSVColumn("t")], sourceRow: nil)
    let report = try reader.read(MemoryBytes(text, name: "t.csv")) { batch in
      for row in 0..<batch.count { kept.append(batch.columns.map { $0.isNull(row) ? "null" : $0.value(at: row).description }.joined(separator: "|")) }
    } quarantine: { batch in
      for row in 0..<batch.count { rejects.append("\(batch["line"].value(at: row)) \(batch["byte"].value(at: row)): \(batch["reason"].value(at: row))") }
    }
    #expect(kept == ["1|a", "2|null", "5|f\ng"])
    #expect(rejects == [
      "3 8: expected int32, found \"x\"", "5 14: expected 2 fields, found 3", "6 20: expected int32, found \"\"\"\"4\"\"", "9 33: expected int32, found \"y\"",
    ])
    #expect(report.rows == 7 && report.kept == 3 && report.quarantined == 4)
    #expect(report.reasons.map { "\($0.reason): \($0.rows)" } == ["fieldCount: 1", "type: 3"])
  }

  /// Any text at all: every row is kept or rejected, and pieces change nothing.
  @Test func anyText() throws {
    var dice = Dice(state: 7)
    let alphabet = ["a", "b", ",", ",", "\"", "\"", "\n", "\r\n", "\r", " ", ";", "\"\"", ",\"", "\",", "1", "\0", "é"]
    for _ in 0..<800 {
      let text = (0..<Int.random(in: 0...60, using: &dice)).map { _ in alphabet.randomElement(using: &dice)! }.joined()
      let whole = try rows(text), cut = try rows(text, piece: Int.random(in: 1...9, using: &dice))
      #expect(whole.rows == cut.rows && whole.report == cut.report, "\(text.debugDescription)")
    }
  }

  @Test func longestRow() throws {
    // In the first 256 KiB and behind them, ended by a line end and not, in quotes and not.
    let row = "1," + String(repeating: "y", count: 1021) + "\n"
    for before in [0, 300] {
      for cell in [String(repeating: "x", count: 70_000), "\"" + String(repeating: "x", count: 70_000) + "\"", "\"" + String(repeating: "x", count: 70_000)] {
        for end in ["", "\n1,2\n"] {
          let text = "a,b\n" + String(repeating: row, count: before) + "1," + cell + end
          let refusal = #expect(throws: Diagnostic.self) { try rows(text) { $0.rowLimit = 1 << 16 } }
          #expect(refusal?.message == "a row is longer than 65536 bytes")
          #expect(try rows(text) { $0.rowLimit = 1 << 17 }.rows.count == before + (end.isEmpty ? 2 : 3))
        }
      }
    }
  }

  /// Quotes that open nothing, in every row: what follows must not be read to its end for each of them.
  @Test func quotesInVain() throws {
    let count = 6000, text = "a,b\n" + String(repeating: "1,\"\"x\n", count: count) + "2,\"y\nz\"\n"
    var dialect = LooseDialect()
    dialect.lookLimit = 1 << 20
    let table = try LooseTable(MemoryBytes(text, name: "t.csv"), dialect)
    var rows: [String] = [], row = LooseRow()
    while try table.next(into: &row) != nil { rows.append(row.texts.joined(separator: "|")) }
    #expect(rows.count == count + 1)
    #expect(rows.dropLast().allSatisfy { $0 == "1|\"\"x" })
    #expect(rows.last == "2|y\nz")
    // The last look that was begun may be as long as the text.
    #expect((1 << 20...1 << 20 + 2 * text.utf8.count).contains(table.looked))
  }
}
