import Columns
import Foundation
import Testing

@testable import Formats

@Suite struct WritersTests {
  private func sample() -> Batch {
    Batch(
      schema: Schema([
        Field("text", .string), Field("code", .string), Field("n", .int32), Field("big", .int64), Field("x", .float64),
        Field("price", .decimal(precision: 12, scale: 3)), Field("day", .date), Field("at", .timestamp()), Field("yes", .bool),
      ]),
      columns: [
        .strings(["plain", "a,b", "", nil]), .dictionary(codes: [0, 1, 0, nil], values: ["q\"q", "line\nend"]), .int32s([0, -7, 2_147_483_647, nil]),
        .int64s([.min, .max, 10, nil]), .float64s([0.1, -0.0, 1e300, nil]), .decimals([6950, -1, 0, nil], precision: 12, scale: 3),
        .dates([0, 15317, -1, nil]), .timestamps([0, 1_323_435_000_000_001, -1, nil]), .bools([true, false, true, nil]),
      ], count: 4)
  }

  @Test func csvText() throws {
    let text = String(decoding: CSVWriter.text(sample()), as: UTF8.self)
    #expect(text == """
      text,code,n,big,x,price,day,at,yes
      plain,"q""q",0,-9223372036854775808,0.1,6.950,1970-01-01,1970-01-01 00:00:00,true
      "a,b","line
      end",-7,9223372036854775807,-0.0,-0.001,2011-12-09,2011-12-09 12:50:00.000001,false
      "","q""q",2147483647,10,1e+300,0.000,1969-12-31,1969-12-31 23:59:59.999999,true
      ,,,,,,,,

      """)
    let columns = sample().schema.fields.map { CSVColumn($0.name, $0.type) }
    let reading = try Reading(text, columns)
    #expect(reading.report.quarantined == 0)
    for (name, column) in zip(sample().schema.names, sample().columns) {
      #expect(reading.batches[0][name].allValues == column.allValues)
    }
  }

  @Test func jsonLines() throws {
    let scratch = Scratch()
    let path = scratch.path + "/t.jsonl"
    let writer = try JSONLinesWriter(path: path, schema: sample().schema)
    try writer.append(sample().slice(1..<2))
    #expect(try writer.finish() > 0)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == """
      {"text":"a,b","code":"line\\nend","n":-7,"big":9223372036854775807,"x":-0.0,"price":-0.001,"day":"2011-12-09","at":"2011-12-09 12:50:00.000001","yes":false}

      """)
  }

  @Test func arrowRoundTrip() throws {
    let scratch = Scratch()
    let path = scratch.path + "/t.arrow"
    let writer = ArrowFileWriter(path: path, schema: sample().schema)
    try writer.append(sample())
    // Another dictionary, then none: both recoded.
    var columns = sample().columns
    columns[1] = .dictionary(codes: [0, 1, nil, 1], values: ["new", "q\"q"])
    try writer.append(Batch(schema: sample().schema, columns: columns, count: 4))
    columns[1] = .strings(["x", "new", "", nil])
    try writer.append(Batch(schema: sample().schema, columns: columns, count: 4))
    #expect(try writer.finish() > 500)
    for trusted in [true, false] {
      let file = try ArrowFile(path: path, trusted: trusted)
      #expect(file.schema == sample().schema)
      #expect(file.batchCount == 3)
      #expect(try file.rowCount() == 12)
      let first = try file.read(batch: 0)
      for (a, b) in zip(first.columns, sample().columns) { #expect(a.allValues == b.allValues) }
      #expect(first["code"].isDictionary && !first["text"].isDictionary)
      #expect(try file.read(batch: 1, columns: ["code", "n"])["code"].allValues == [.string("new"), .string("q\"q"), .null, .string("q\"q")])
      #expect(try file.read(batch: 2, columns: ["code"])["code"].allValues == [.string("x"), .string("new"), .string(""), .null])
      #expect(try file.read(batch: 2, columns: []).count == 4)
    }
    #expect(message { try ArrowFile(path: scratch.file("bad.arrow", "ARROW1 is not all"), trusted: false) }.contains("bad.arrow"))
  }

  @Test func parquetRoundTrip() throws {
    let scratch = Scratch()
    let path = scratch.path + "/t.parquet"
    let writer = try ParquetFileWriter(path: path, schema: sample().schema)
    try writer.append(sample())
    #expect(try writer.finish() > 500)
    let file = try ParquetFile(path: path)
    #expect(file.schema == sample().schema)
    #expect(file.rowCount == 4)
    var read: [Batch] = []
    try file.read(columns: ["price", "code"]) { read.append($0) }
    #expect(read[0].schema.names == ["price", "code"])
    #expect(read[0]["code"].allValues == sample()["code"].allValues)
    #expect(read[0]["price"].allValues == sample()["price"].allValues)
    var options = TableSource.Options()
    options.columns = [CSVColumn("cost", from: .name("price"), .decimal(precision: 12, scale: 3)), CSVColumn("n", .date)]
    #expect(message { try TableSource.open(path, options) } == """
      t.parquet, column "n": error: column "n" is of another type
        expected date, found int32
      """)
    options.columns = [options.columns![0]]
    options.sourceRow = "row"
    let partition = try TableSource.open(path, options)[0]
    var rows: [Value] = []
    #expect(try partition.read { rows += $0["row"].allValues }.kept == 4)
    #expect(rows == [.int(1), .int(2), .int(3), .int(4)])
  }

  @Test func severalFiles() throws {
    let scratch = Scratch()
    _ = scratch.file("in/b.csv", "x\n2\n")
    _ = scratch.file("in/a.csv", "x\n1\n")
    _ = scratch.file("in/deep/er/c.csv", "x\n3\n")
    _ = scratch.file("in/.hidden.csv", "x\n4\n")
    #expect(try TableSource.open(scratch.path + "/in/*.csv").map(\.key) == ["a.csv", "b.csv"])
    #expect(try TableSource.open(scratch.path + "/in/**/*.csv").map(\.key) == ["a.csv", "b.csv", "deep/er/c.csv"])
    #expect(try TableSource.open(scratch.path + "/in/?.csv").map { try $0.read { _ in }.kept } == [1, 1])
    #expect(try TableSource.open(scratch.path + "/in/a.csv").map(\.key) == [""])
    #expect(message { try TableSource.open(scratch.path + "/in/*.tsv") }.hasPrefix("error: no file matches"))
    #expect(try TableSource.open(scratch.path + "/in").map(\.key) == ["a.csv", "b.csv"])
    #expect(message { try TableSource.open(scratch.path + "/in/deep") }.hasPrefix("error: no file matches"))
    #expect(message { try TableSource.open(scratch.path + "/in/no.csv") } == "no.csv: error: cannot be opened: No such file or directory")
  }
}
