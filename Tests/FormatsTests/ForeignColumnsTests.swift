import Columns
import Diagnostics
import Foundation
import Testing

@testable import Formats

/// Parquet and Arrow files read with columns of other types than theirs.
@Suite struct ForeignColumnsTests {
  struct Cast: Sendable, CustomTestStringConvertible {
    let column: Column, type: ColumnType, rows: [String], bad: [String]
    var testDescription: String { "\(column.type) as \(type)" }
    init(_ column: Column, _ type: ColumnType, _ rows: [String], bad: [String] = []) { (self.column, self.type, self.rows, self.bad) = (column, type, rows, bad) }
  }

  static let money = ColumnType.decimal(precision: 6, scale: 2)

  static func read(_ path: String, _ options: TableSource.Options) throws -> (rows: [String], bad: [String], report: CSVReport) {
    var rows: [String] = [], bad: [String] = [], total = CSVReport()
    for part in try TableSource.open(path, options) {
      let report = try part.read { batch in
        for row in 0..<batch.count { rows.append(batch.columns.map { $0.isNull(row) ? "∅" : $0.value(at: row).description }.joined(separator: "|")) }
      } quarantine: { batch in
        for row in 0..<batch.count { bad.append((1..<6).filter { $0 != 2 }.map { batch.columns[$0].value(at: row).description }.joined(separator: "|")) }
      }
      total.rows += report.rows
      total.kept += report.kept
      total.quarantined += report.quarantined
      total.ignored = report.ignored
      #expect(report.rows == report.kept + report.quarantined)
    }
    return (rows, bad, total)
  }

  static func file(_ columns: [(String, Column)], in scratch: Scratch, _ name: String) throws -> String {
    let path = scratch.file(name), schema = Schema(columns.map { Field($0.0, $0.1.type) })
    let batch = Batch(schema: schema, columns: columns.map(\.1), count: columns[0].1.count)
    if name.hasSuffix("parquet") {
      let writer = try ParquetFileWriter(path: path, schema: schema)
      try writer.append(batch)
      try writer.finish()
    } else {
      let writer = ArrowFileWriter(path: path, schema: schema)
      try writer.append(batch)
      try writer.finish()
    }
    return path
  }

  @Test(arguments: [
    Cast(.int32s([1, nil, -3]), .int64, ["1|0", "∅|1", "-3|2"]),
    Cast(.int64s([1, 3_000_000_000]), .int32, ["1|0"], bad: ["2|a|a=3000000000 | n=1|expected int32, found \"3000000000\": out of range"]),
    Cast(.int64s([7]), money, ["7.00|0"]), Cast(.int32s([7]), .float64, ["7.0|0"]), Cast(.int32s([7]), .string, ["7|0"]),
    Cast(.float64s([6.95, 6.955, .nan, nil]), money, ["6.95|0", "∅|3"], bad: [
      "2|a|a=6.955 | n=1|expected decimal(6,2), found \"6.955\": more digits than the type holds", "3|a|a=nan | n=2|expected decimal(6,2), found \"nan\"",
    ]),
    Cast(.float64s([5, 1e10, 0.5]), .int64, ["5|0", "10000000000|1"], bad: ["3|a|a=0.5 | n=2|expected int64, found \"0.5\""]),
    Cast(.float64s([0.1, 1e-7]), .string, ["0.1|0", "1e-07|1"]),
    Cast(.decimals([695, nil, 700], precision: 6, scale: 2), .float64, ["6.95|0", "∅|1", "7.0|2"]),
    Cast(.decimals([695, 700], precision: 6, scale: 2), .int32, ["7|1"], bad: ["1|a|a=6.95 | n=0|expected int32, found \"6.95\""]),
    Cast(.decimals([695], precision: 6, scale: 2), .decimal(precision: 18, scale: 4), ["6.9500|0"]),
    Cast(.strings(["5", "", nil, "x"]), .int32, ["5|0", "∅|1", "∅|2"], bad: ["4|a|a=x | n=3|expected int32, found \"x\""]),
    Cast(.dictionary(codes: [0, 1, nil, 0], values: ["2011-12-09", "no"]), .date, ["2011-12-09|0", "∅|2", "2011-12-09|3"], bad: ["2|a|a=no | n=1|expected date, found \"no\""]),
    Cast(.dates([15_317, nil]), .timestamp(), ["2011-12-09 00:00:00|0", "∅|1"]),
    Cast(.timestamps([15_317 * 86_400_000_000, 1]), .date, ["2011-12-09|0"], bad: ["2|a|a=1970-01-01 00:00:00.000001 | n=1|expected date, found \"1970-01-01 00:00:00.000001\""]),
    Cast(.timestamps([0], zone: "Europe/London"), .timestamp(zone: "UTC"), ["1970-01-01 00:00:00|0"]),
    Cast(.bools([true, nil]), .string, ["true|0", "∅|1"]),
  ], ["t.parquet", "t.arrow"])
  func cast(_ row: Cast, _ name: String) throws {
    let scratch = Scratch(), count = row.column.count
    let path = try Self.file([("a", row.column), ("extra", .int32s((0..<count).map { _ in 0 })), ("n", .int32s((0..<count).map { Int32($0) }))], in: scratch, name)
    var options = TableSource.Options()
    options.columns = [CSVColumn("x", from: .name("a"), row.type), CSVColumn("n", .int32)]
    options.columns?[0].name = "a"
    let read = try Self.read(path, options)
    #expect(read.rows == row.rows && read.bad == row.bad && read.report.ignored == ["extra"])
  }

  @Test func editsAndMissingColumns() throws {
    let scratch = Scratch()
    let path = try Self.file([("a", .strings([" 1,5 EUR ", "-", "2,00 EUR"])), ("b", .int32s([-1, 2, 3]))], in: scratch, "t.parquet")
    var options = TableSource.Options()
    options.dialect = CSVDialect(delimiter: ";", decimal: ",")
    options.columns = [
      CSVColumn("a", Self.money, nulls: ["-"], trim: true, replace: [.init(" EUR$", with: "")]), CSVColumn("b", .int32, nulls: ["-1"]),
      CSVColumn("c", .float64), CSVColumn("again", from: .name("b"), .string),
    ]
    #expect(message { try TableSource.open(path, options) } == "t.parquet: error: the file has no column \"c\"\n  hint: did you mean \"a\"?")
    options.missing = .null
    options.sourceRow = "row"
    #expect(try Self.read(path, options).rows == ["1.50|∅|∅|-1|1", "∅|2|∅|2|2", "2.00|3|∅|3|3"])
  }

  @Test func missingInTextAndLines() throws {
    let scratch = Scratch()
    _ = scratch.file("in/1.csv", "a,b\n1,2\n")
    _ = scratch.file("in/2.csv", "b\n3\nx\n")
    _ = scratch.file("in/3.jsonl", "{\"b\":4}\n")
    var options = TableSource.Options()
    options.columns = [CSVColumn("a", .int32), CSVColumn("b", .int32)]
    options.missing = .null
    let read = try Self.read(scratch.path + "/in", options)
    #expect(read.rows == ["1|2", "∅|3", "∅|4"] && read.bad == ["3|b|x|expected int32, found \"x\""])
    options.missing = .refused
    #expect(message { try Self.read(scratch.path + "/in/2.csv", options) } == "2.csv: error: the header has no column \"a\"\n  hint: did you mean \"b\"?")
  }

  /// Types that our own writers do not write.
  @Test func typesOfOthers() throws {
    guard let folder = shared("corpora/arrow-testing/arrow-ipc-stream/integration/cpp-21.0.0"), let parquet = shared("corpora/parquet-testing/data") else { return }
    var options = TableSource.Options()
    options.asText = true
    var kept = 0
    for name in ["generated_datetime", "generated_decimal256", "generated_binary", "generated_list_view", "generated_null_trivial", "generated_dictionary_unsigned"] {
      for ending in [".stream", ".arrow_file"] {
        let report = try Self.read("\(folder)/\(name)\(ending)", options).report
        #expect(report.quarantined == 0, "\(name)")
        kept += report.kept
      }
    }
    #expect(kept > 100)
    #expect(message { try Self.read(folder + "/generated_union.stream", options) }.contains("is of an unsupported type: a union"))
    options.columns = [CSVColumn("a", .timestamp())]
    let nanoseconds = try Self.read(parquet + "/int96_from_spark.parquet", options)
    #expect(nanoseconds.report.quarantined > 0 && nanoseconds.bad[0].contains(": more digits than the type holds"))
    options.columns = [CSVColumn("a", .string)]
    #expect(try Self.read(parquet + "/int96_from_spark.parquet", options).report.quarantined == 0)
    #expect(message { try Self.read(parquet + "/large_string_map.brotli.parquet", TableSource.Options()) }.contains(", more than 1000 times"))
    let nested = try Self.read(parquet + "/nested_maps.snappy.parquet", TableSource.Options())
    #expect(nested.rows[0] == #"[["a",[[1,true],[2,false]]]]|1|1.0"#)
  }

  @Test func twoColumnsOfOneNameAreRefusedWithAdvice() throws {
    let scratch = Scratch()
    let path = try Self.file([("k", .int32s([1])), ("x1", .int32s([2])), ("x2", .int32s([3]))], in: scratch, "t.arrow")
    // Names of two bytes each, wherever the file has them.
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    for at in 0..<bytes.count - 1 where bytes[at] == 0x78 && bytes[at + 1] == 0x32 { bytes[at + 1] = 0x31 }
    let twice = scratch.file("twice.arrow", bytes: bytes)
    let text = message { try TableSource.open(twice) }
    #expect(text.contains("two columns are named \"x1\"") && text.contains("columns 2 and 3") && text.contains("give one of them another where the file is written"), "\(text)")
  }
}
