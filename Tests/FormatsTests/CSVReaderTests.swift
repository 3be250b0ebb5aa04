import Columns
import Testing

@testable import Formats

@Suite struct CSVReaderTests {
  @Test(arguments: [
    ("plain", "a,b\n1,2\n", ["1|2"], []),
    ("no last line end", "a,b\n1,2\n3,4", ["1|2", "3|4"], []),
    ("CRLF", "a,b\r\n1,2\r\n3,4\r\n", ["1|2", "3|4"], []),
    ("CR", "a,b\r1,2\r3,4\r", ["1|2", "3|4"], []),
    ("mixed line ends", "a,b\n1,2\r\n3,4\r5,6\n", ["1|2", "3|4", "5|6"], []),
    ("CR CR LF", "a,b\r\r\n1,2\r\r\n", ["1|2"], []),
    ("empty cell is null, quoted empty is text", "a,b\n,\"\"\n", ["∅|"], []),
    ("doubled quotes", "a,b\n\"x\"\"y\",\"\"\"\"\n", ["x\"y|\""], []),
    ("line end in quotes", "a,b\n\"1\n2\",\"3\r\n4\"\n", ["1\n2|3\r\n4"], []),
    ("delimiter in quotes", "a,b\n\"1,2\",3\n", ["1,2|3"], []),
    ("quote inside a bare cell", "a,b\n5\" pipe,x\n6,y\"z\"\n", ["5\" pipe|x", "6|y\"z\""], []),
    ("text behind a quote", "a,b\n\"x\"y,1\n2,3\n", ["2|3"], ["2: text behind a closing quote"]),
    ("short and long rows", "a,b\n1\n1,2,3\n4,5\n", ["4|5"], ["2: expected 2 fields, found 1", "3: expected 2 fields, found 3"]),
    ("blank lines", "a,b\n\n1,2\n\n\n3,4\n\n", ["1|2", "3|4"], []),
    ("unclosed quote", "a,b\n1,2\n\"3,4\n5,6\n", ["1|2", "5|6"], ["3: the quote that opens on line 3 is never closed"]),
    ("one column, blank line", "a\n1\n\n2\n", ["1", "∅", "2"], []),
    ("header only", "a,b\n", [], []),
    ("NUL in a cell", "a,b\n1,x\0y\n", ["1|x\0y"], []),
    ("byte-order mark", "\u{FEFF}a,b\n1,2\n", ["1|2"], []),
  ] as [(String, String, [String], [String])])
  func rows(name: String, text: String, rows: [String], reasons: [String]) throws {
    for piece in [1, 2, 3, 5, 64, Int.max] {
      for (window, unit) in [(16 << 20, 256 << 10), (1 << 16, 1), (1 << 16, 3), (1 << 16, 64)] {
        let reading = try Reading(text, piece: piece, window: window, unit: unit)
        #expect(reading.lines == rows, "\(name), pieces of \(piece), units of \(unit)")
        #expect(reading.reasons == reasons, "\(name), pieces of \(piece), units of \(unit)")
        #expect(reading.report.kept + reading.report.quarantined == reading.report.rows)
      }
    }
  }

  @Test(arguments: [
    (ColumnType.int32, "2147483647", "2147483647", nil), (.int32, "-2147483648", "-2147483648", nil),
    (.int32, "2147483648", nil, "expected int32, found \"2147483648\": out of range"),
    (.int32, "+7", "7", nil), (.int32, "007", "7", nil), (.int32, "1.0", nil, "expected int32, found \"1.0\""),
    (.int32, "-", nil, "expected int32, found \"-\""), (.int32, "1_000", nil, "expected int32, found \"1_000\""),
    (.int64, "9223372036854775807", "9223372036854775807", nil), (.int64, "-9223372036854775808", "-9223372036854775808", nil),
    (.int64, "9223372036854775808", nil, "expected int64, found \"9223372036854775808\": out of range"),
    (.decimal(precision: 12, scale: 3), "6.95", "6.950", nil), (.decimal(precision: 12, scale: 3), "-0.5", "-0.500", nil),
    (.decimal(precision: 12, scale: 3), "3", "3.000", nil), (.decimal(precision: 12, scale: 3), "1.2340", "1.234", nil),
    (.decimal(precision: 12, scale: 3), "1.2345", nil, "expected decimal(12,3), found \"1.2345\": more digits than the type holds"),
    (.decimal(precision: 12, scale: 3), "1234567890", nil, "expected decimal(12,3), found \"1234567890\": out of range"),
    (.decimal(precision: 18, scale: 0), "999999999999999999", "999999999999999999", nil),
    (.decimal(precision: 12, scale: 3), ".", nil, "expected decimal(12,3), found \".\""),
    (.float64, "0.1", "0.1", nil), (.float64, "1e308", "1e+308", nil), (.float64, "123456789012345678901", "1.2345678901234568e+20", nil),
    (.float64, "1e309", nil, "expected float64, found \"1e309\": out of range"),
    (.float64, "NaN", nil, "expected float64, found \"NaN\""), (.float64, "0x1p3", nil, "expected float64, found \"0x1p3\""),
    (.date, "2024-02-29", "2024-02-29", nil), (.date, "2023-02-29", nil, "expected date, found \"2023-02-29\""),
    (.date, "0000-00-00", nil, "expected date, found \"0000-00-00\""), (.date, "9999-12-31", "9999-12-31", nil),
    (.timestamp(), "2009-12-01 07:45:00", "2009-12-01 07:45:00", nil), (.timestamp(), "2009-12-01T07:45", "2009-12-01 07:45:00", nil),
    (.timestamp(), "2009-12-01 07:45:00.25", "2009-12-01 07:45:00.25", nil), (.timestamp(), "2009-12-01", "2009-12-01 00:00:00", nil),
    (.timestamp(), "2016-12-31T23:59:60", nil, "expected timestamp, found \"2016-12-31T23:59:60\""),
    (.timestamp(), "2024-03-31T02:30:00+01:00", nil, "expected timestamp, found \"2024-03-31T02:30:00+01:00\""),
    (.timestamp(zone: "UTC"), "2024-03-31T02:30:00+01:00", "2024-03-31 01:30:00", nil),
    (.bool, "TRUE", "true", nil), (.bool, "0", "false", nil), (.bool, "maybe", nil, "expected bool, found \"maybe\""),
  ] as [(ColumnType, String, String?, String?)])
  func cell(type: ColumnType, text: String, value: String?, reason: String?) throws {
    // Neighbours on both sides, so that wide loads see other bytes.
    let reading = try Reading("x,c,y\n77,\(text),88\n77,,88\n", [CSVColumn("c", type)], sourceRow: "row")
    #expect(reading.lines == (value.map { ["\($0)|1"] } ?? []) + ["∅|2"])
    #expect(reading.rejects.map { $0[5].description } == (reason.map { [$0] } ?? []))
    if reason != nil {
      #expect(reading.rejects[0].map(\.description).prefix(5) == ["t.csv", "2", "9", "c", "77,\(text),88"])
    }
  }

  @Test(arguments: [
    ("%Y%m%d", ColumnType.date, "19970101", "1997-01-01"), ("yyyyMMdd", .date, "19970101", "1997-01-01"),
    ("%d/%m/%Y", .date, "1/2/2011", "2011-02-01"), ("dd.MM.yyyy", .date, "01.02.2011", "2011-02-01"),
    ("%d %b %Y", .date, "9 Dec 2011", "2011-12-09"), ("%m/%d/%y %H:%M", .timestamp(), "12/9/10 8:26", "2010-12-09 08:26:00"),
    ("%m/%d/%Y %I:%M %p", .timestamp(), "12/09/2010 12:05 AM", "2010-12-09 00:05:00"), ("%Y%m%d", .date, "1997131", "reject"),
  ])
  func format(format: String, type: ColumnType, text: String, value: String) throws {
    let reading = try Reading("c\n\(text)\n", [CSVColumn("c", type, format: format)])
    #expect((reading.lines.first ?? "reject") == value)
  }

  @Test func textOfCells() throws {
    let reading = try Reading(
      "id,n,t,r,p\n13085.0,NA, x ,a1b22,£5\n.0,7,\"  \",c,£\n\"\",NA,y,\"\",6\n",
      [
        CSVColumn("id", replace: [.init("\\.0$", with: "")]), CSVColumn("n", .int32, nulls: ["NA"]), CSVColumn("t", trim: true),
        CSVColumn("r", replace: [.init("([0-9]+)", with: "<$1>")]), CSVColumn("p", .int32, replace: [.init("^£", with: "")]),
      ])
    #expect(reading.lines == ["13085|∅|x|a<1>b<22>|5", "∅|7|∅|c|∅", "|∅|y||6"])
  }

  @Test func blankAligned() throws {
    let dialect = CSVDialect(headerRows: 0, blankAligned: true)
    let reading = try Reading(
      " 00004 0001 19970101  2   29.33\r\n 00004 0001 19970118  2   29.73\r\n\r\n 00021 0003  19970101  3   63.34\r\n",
      [
        CSVColumn("customer", from: .position(1)), CSVColumn("day", from: .position(3), .date, format: "%Y%m%d"),
        CSVColumn("units", from: .position(4), .int32), CSVColumn("spend", from: .position(5), .decimal(precision: 12, scale: 2)),
      ], dialect: dialect)
    #expect(reading.lines == ["00004|1997-01-01|2|29.33", "00004|1997-01-18|2|29.73", "00021|1997-01-01|3|63.34"])
    #expect(reading.report.rows == 3)
  }

  @Test func otherDialects() throws {
    let semicolons = try Reading(
      "# made by hand\na;b\n# more\n1,5;x\\;y\n", [CSVColumn("a", .float64), CSVColumn("b")],
      dialect: CSVDialect(delimiter: ";", escape: "\\", comment: "#", decimal: ","))
    #expect(semicolons.lines == ["1.5|x;y"])
    let below = try Reading("title\n\na,b\nkg,m\n1,2\n", dialect: CSVDialect(headerRows: 2, preambleRows: 1))
    #expect(below.report.schema.names == ["a kg", "b m"])
    #expect(below.lines == ["1|2"])
    let none = try Reading("1,2\n3,4\n", dialect: CSVDialect(headerRows: 0))
    #expect(none.report.schema.names == ["column_1", "column_2"])
    #expect(none.lines == ["1|2", "3|4"])
  }

  @Test(arguments: [
    (TextEncoding.latin1, [UInt8]("a\n".utf8) + [0xE9, 10], ["é"]), (.windows1252, Array("a\n".utf8) + [0x80, 10], ["€"]),
    (.utf8, [0xFF, 0xFE, 0x61, 0, 10, 0, 0x3D, 0xD8, 0x00, 0xDE, 10, 0], ["😀"]), (.utf16BigEndian, [0, 0x61, 0, 10, 0x20, 0xAC, 0, 10], ["€"]),
  ])
  func encodings(encoding: TextEncoding, bytes: [UInt8], rows: [String]) throws {
    for piece in [1, 3, 100] {
      #expect(try Reading(MemoryBytes(bytes, piece: piece), dialect: CSVDialect(encoding: encoding)).lines == rows)
    }
  }

  @Test func invalidUTF8() throws {
    let bytes = Array("a,b\nok,1\nx".utf8) + [0xC0, 0xAF] + Array(",2\nfine,3\n\u{E9},4\n".utf8) + [0xED, 0xA0, 0x80] + Array(",5\n".utf8)
    let reading = try Reading(MemoryBytes(bytes, name: "t.csv"))
    #expect(reading.lines == ["ok|1", "fine|3", "é|4"])
    #expect(reading.reasons == ["3: not UTF-8 at byte 10", "6: not UTF-8 at byte 27"])
    #expect(reading.rejects[0][4] == .string("x\\xC0\\xAF,2"))
  }

  @Test(arguments: [
    ("", "t.csv: error: the file is empty\n  expected a header row"), ("\n\n", "t.csv: error: the file has no header row\n  expected 1 header row"),
    ("Quantity,Price\n1,2\n", "t.csv: error: the header has no column \"quantity\"\n  hint: did you mean \"Quantity\"?"),
    ("quantity,quantity\n1,2\n", "t.csv: error: the header has 2 columns \"quantity\"\n  hint: name them by position: 1, 2"),
  ])
  func refusals(text: String, words: String) {
    #expect(message { try Reading(text, [CSVColumn("quantity", .int32)]) } == words)
  }

  @Test func headers() throws {
    let reading = try Reading("a,a,,b\n1,2,3,4\n")
    #expect(reading.report.schema.names == ["a", "a_2", "column_3", "b"])
    let some = try Reading("a,b,c\n1,2,3\n", [CSVColumn("b", .int32)])
    #expect(some.report.ignored == ["a", "c"])
    #expect(try Reading("", [CSVColumn("x", from: .position(1), .int32)], dialect: CSVDialect(headerRows: 0)).report.rows == 0)
  }

  @Test func planMistakes() {
    #expect(message {
      try CSVReader(dialect: CSVDialect(delimiter: "é"), columns: [CSVColumn("a", replace: [.init("(", with: "")]), CSVColumn("b", .int32, format: "%Y")])
    }.split(separator: "\n").filter { !$0.contains("regular") } == [
      "error: setting delimiter does not fit (setting /delimiter)", "  expected one ASCII character, found \"é\"", "  found \"(\"",
      "error: a format is for dates and timestamps (setting /columns/b/format)",
      "  expected a column of type date or timestamp, found \"%Y\" for type int32",
    ])
  }
}
