import Columns
import Diagnostics
import Testing

@testable import Formats

/// All that a reading of JSON Lines gave, as text.
private func read(
  _ text: String, _ columns: [CSVColumn], sourceRow: String? = nil, piece: Int = .max, window: Int = 8 << 20, unit: Int = 256 << 10, width: Int = 2
) throws -> (rows: [String], bad: [String], report: CSVReport) {
  var reader = try JSONLinesReader(columns: columns, sourceRow: sourceRow)
  (reader.windowBytes, reader.unitBytes, reader.width) = (window, unit, width)
  var rows: [String] = [], bad: [String] = []
  let report = try reader.read(MemoryBytes(text, name: "t.jsonl", piece: piece)) { batch in
    for row in 0..<batch.count { rows.append(batch.columns.map { $0.isNull(row) ? "∅" : $0.value(at: row).description }.joined(separator: "|")) }
  } quarantine: { batch in
    for row in 0..<batch.count { bad.append(batch.columns.map { $0.isNull(row) ? "∅" : $0.value(at: row).description }.joined(separator: "|")) }
  }
  return (rows, bad, report)
}

@Suite struct JSONLinesTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String, type: ColumnType, value: String, row: String?, reason: String
    var testDescription: String { name }

    init(_ name: String, _ type: ColumnType, _ value: String, _ row: String) { (self.name, self.type, self.value, self.row, reason) = (name, type, value, row, "") }
    init(_ name: String, _ type: ColumnType, _ value: String, bad reason: String) {
      (self.name, self.type, self.value, row, self.reason) = (name, type, value, nil, reason)
    }
  }

  static let money = ColumnType.decimal(precision: 8, scale: 2)

  @Test(arguments: [
    Case("text", .string, #""Müller""#, "Müller"), Case("escapes", .string, #""a\"\\\/\n\tA\u00e9""#, "a\"\\/\n\tAé"),
    Case("surrogate pair", .string, #""\ud83c\udf63""#, "🍣"), Case("a character outside of the first plane", .string, #""🍣""#, "🍣"),
    Case("empty text", .string, #""""#, ""), Case("empty text as a number", .int32, #""""#, "∅"), Case("null", .string, "null", "∅"),
    Case("number as text keeps its spelling", .string, "1.50e2", "1.50e2"), Case("bool as text", .string, "true", "true"),
    Case("object as text", .string, #"{"b": [1, {"c": null}]}"#, #"{"b": [1, {"c": null}]}"#), Case("array as text", .string, "[ ]", "[ ]"),
    Case("int", .int32, "-17", "-17"), Case("int in quotes", .int32, #""-17""#, "-17"), Case("int with exponent", .int64, "1.5e3", "1500"),
    Case("int with zeros behind the point", .int64, "3.00", "3"), Case("int of no size", .int64, "-0.0", "0"),
    Case("largest int64", .int64, "9223372036854775807", "9223372036854775807"),
    Case("beyond int64", .int64, "9223372036854775808", bad: "expected int64, found \"9223372036854775808\": out of range"),
    Case("beyond int32", .int32, "1e10", bad: "expected int32, found \"1e10\": out of range"),
    Case("fraction as int", .int32, "1.5", bad: "expected int32, found \"1.5\""),
    Case("decimal", money, "6.9", "6.90"), Case("decimal with exponent", money, "695e-2", "6.95"),
    Case("decimal with too many digits", money, "6.955", bad: "expected decimal(8,2), found \"6.955\": more digits than the type holds"),
    Case("huge exponent", money, "1e400", bad: "expected decimal(8,2), found \"1e400\""), Case("double", .float64, "1e-5", "1e-05"),
    Case("double out of range", .float64, "1e400", bad: "expected float64, found \"1e400\": out of range"),
    Case("bool", .bool, "false", "false"), Case("bool of another kind", .bool, "2", bad: "expected bool, found \"2\""),
    Case("day", .date, #""2011-12-09""#, "2011-12-09"), Case("no day", .date, #""2011-02-29""#, bad: "expected date, found \"2011-02-29\""),
    Case("time", .timestamp(), #""2011-12-09T12:50:00""#, "2011-12-09 12:50:00"),
    Case("object as a number", .int32, "{}", bad: "expected int32, found \"{}\""),
    Case("bare word", .string, "nul", bad: "expected a value, found n"), Case("leading zero", .string, "01", bad: "a number begins with a needless 0"),
    Case("plus", .string, "+1", bad: "expected a value, found +"), Case("no digit behind the point", .string, "1.", bad: "expected a digit, found }"),
    Case("NaN", .string, "NaN", bad: "expected a value, found N"), Case("unknown escape", .string, #""\x41""#, bad: "an unknown escape in a string"),
    Case("half a pair", .string, #""\ud83c!""#, bad: "half of a surrogate pair in a string"),
    Case("short escape", .string, #""\u12""#, bad: "\\u without four digits in a string"),
    Case("open string", .string, #""abc"#, bad: "the string does not end"), Case("tab in a string", .string, "\"a\tb\"", bad: "a control character in a string"),
    Case("comma before the end of an array", .string, "[1,]", bad: "expected a value, found ]"),
    Case("deep", .string, String(repeating: "[", count: 300) + String(repeating: "]", count: 300), bad: "objects and arrays within each other 256 times"),
    Case("twice", .string, #"1, "a": 2"#, bad: "the key \"a\" is there twice"), Case("more behind", .string, "1} {", bad: "expected the end of the line, found {"),
  ])
  func value(_ row: Case) throws {
    // A good line before and one behind: what is wrong with one does no harm to others.
    let good = row.type == .bool ? "true" : row.type == .string ? "\"x\"" : "null"
    let shown = row.type == .bool ? "true" : row.type == .string ? "x" : "∅"
    let (rows, bad, report) = try read("{\"a\":\(good)}\n{\"a\": \(row.value)}\n{\"a\":\(good)}", [CSVColumn("a", row.type)])
    #expect(rows == [shown] + (row.row.map { [$0] } ?? []) + [shown])
    #expect(bad.map { $0.split(separator: "|", omittingEmptySubsequences: false).last.map(String.init) } == (row.row == nil ? [row.reason] : []))
    #expect(report.rows == 3 && report.kept + report.quarantined == 3)
  }

  @Test func placesOfBadRows() throws {
    let text = "\u{FEFF}{\"n\":1,\"x\":0}\r\n\r\n{\"n\":\"a\",\"y\":0}\r\n[1]\n{\"y\":9}\n{\"n\":2,\"n\":3}\n{\"n\": 4} \n\n"
    let (rows, bad, report) = try read(text, [CSVColumn("n", .int32)], sourceRow: "row")
    #expect(rows == ["1|1", "∅|4", "4|6"])
    #expect(bad == [
      "t.jsonl|3|25|n|{\"n\":\"a\",\"y\":0}|expected int32, found \"a\"", "t.jsonl|4|37|∅|[1]|expected an object, found [",
      "t.jsonl|6|56|∅|{\"n\":2,\"n\":3}|the key \"n\" is there twice",
    ])
    #expect(report.blankRows == 2 && report.ignored == ["x", "y"] && report.rows == 6)
    #expect(report.reasons.map { "\($0.reason.rawValue) \($0.rows)" } == ["not a JSON object 2", "not of the type 1"])
  }

  @Test func bytesThatAreNoUTF8() throws {
    let reader = try JSONLinesReader(columns: [CSVColumn("a")])
    var bad: [String] = [], kept = 0
    try reader.read(MemoryBytes(Array("{\"a\":\"x\"}\n{\"a\":\"".utf8) + [0xC3, 0x28] + Array("\"}\n{\"a\":\"y\"}".utf8), name: "t")) { kept += $0.count } quarantine: {
      bad.append("\($0["byte"].value(at: 0)) \($0["text"].value(at: 0)) \($0["reason"].value(at: 0))")
    }
    #expect(bad == [#"16 {"a":"\xC3("} not UTF-8"#] && kept == 2)
  }

  /// Rows, messages and their places do not depend on how the bytes come or who reads them.
  @Test(arguments: [1, 2, 3, 7, 16, 61, 64, 1000])
  func sameAtAnyCut(_ size: Int) throws {
    var text = ""
    for row in 0..<200 {
      text += row % 7 == 3 ? "{\"a\":\(row),\"b\":oops}\n" : row % 11 == 5 ? "\r\n" : "{\"b\":\"t\\u00e9xt \(row % 5)\",\"a\":\(row)\(row % 3 == 0 ? ",\"c\":[{}]" : "")}\r\n"
    }
    let columns = [CSVColumn("a", .int64), CSVColumn("b"), CSVColumn("c")]
    let whole = try read(text, columns, sourceRow: "n", width: 1)
    let cut = try read(text, columns, sourceRow: "n", piece: size, window: 64 + size, unit: size, width: 4)
    #expect(whole.rows == cut.rows && whole.bad == cut.bad && whole.report.bytes == cut.report.bytes)
    #expect(whole.rows.count + whole.bad.count == whole.report.rows)
  }

  @Test func aKeyThatNoLineHas() throws {
    #expect(message { try read("{\"price\":1}", [CSVColumn("pric", .int32)]) } == """
      t.jsonl: error: no line has the key "pric"
        hint: did you mean "price"?
      """)
  }

  @Test func positionsAreRefused() throws {
    #expect(message { try JSONLinesReader(columns: [CSVColumn("a", from: .position(2))]) } == """
      error: keys have no position (setting /columns/a/position)
        hint: give the key's name as "source"
      """)
  }

  @Test func columnsFound() throws {
    let text = """
      {"i":1,"d":1.5,"f":1e3,"s":"x","b":true,"day":"2011-12-09","mixed":1}
      {"i":-20,"d":12,"new":null,"time":"2011-12-09T12:50:00","mixed":"a","long":12345678901234567890,"day":null}
      not JSON
      {"o":{"a":1}}
      """
    let found = try JSONLinesReader.columns(of: MemoryBytes(text), asText: false)
    #expect(found.map { "\($0.name) \($0.type)" } == [
      "i int64", "d decimal(3,1)", "f float64", "s string", "b bool", "day date", "mixed string", "new string", "time timestamp", "long string", "o string",
    ])
    #expect(try JSONLinesReader.columns(of: MemoryBytes(text), asText: true).allSatisfy { $0.type == .string })
    #expect(message { try JSONLinesReader.columns(of: MemoryBytes("a,b\n1,2\n", name: "t"), asText: false) } == """
      t: error: no line holds an object with a key
        hint: is it JSON Lines, an object a line?
      """)
  }

  @Test func whatTheWriterWrites() throws {
    let scratch = Scratch(), path = scratch.file("t.jsonl")
    let schema = Schema([Field("a", .string), Field("b", Self.money), Field("c", .timestamp())])
    let batch = Batch(schema: schema, columns: [.strings(["q\"\\\n", nil]), .decimals([695, -1], precision: 8, scale: 2), .timestamps([0, nil])], count: 2)
    let writer = try JSONLinesWriter(path: path, schema: schema)
    try writer.append(batch)
    try writer.finish()
    var options = TableSource.Options()
    options.columns = schema.fields.map { CSVColumn($0.name, $0.type) }
    var rows: [[Value]] = []
    for part in try TableSource.open(path, options) { try part.read { batch in for row in 0..<batch.count { rows.append(batch.columns.map { $0.value(at: row) }) } } }
    #expect(rows == (0..<2).map { row in batch.columns.map { $0.value(at: row) } })
  }

  @Test func packed() throws {
    let scratch = Scratch(), text = "{\"a\":1}\n{\"a\":2}\n"
    let zip = ZipFile(["in/x.jsonl": text, "y.csv": "a\n1\n"])
    for path in [scratch.file("t.jsonl.gz", bytes: ZipFile.gzipped(text)), scratch.file("t.zip", bytes: zip.content)] {
      var options = TableSource.Options()
      options.columns = [CSVColumn("a", .int32)]
      options.member = path.hasSuffix("zip") ? "*.jsonl" : nil
      var rows: [Value] = []
      for part in try TableSource.open(path, options) { try part.read { rows += $0["a"].allValues } }
      #expect(rows == [.int(1), .int(2)])
    }
  }
}
