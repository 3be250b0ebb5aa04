import Columns
import Diagnostics
import Formats
import Pipelines
import Testing

@testable import Stages

@Suite struct ExportTests {
  /// Settings as an argument: the test library would encode a bare `JSONValue`, which only knows its own encoder.
  struct Written: Sendable, ExpressibleByDictionaryLiteral {
    let json: JSONValue
    init(dictionaryLiteral elements: (String, JSONValue)...) { json = .object(elements.map { JSONMember($0.0, $0.1) }) }
  }

  private let sales = batch(
    ("customer", .dictionary(codes: [0, 1, nil], values: ["a", "b,c"])), ("paid", .decimals([1250, nil, -5], precision: 9, scale: 2)),
    ("at", .dates([0, 1, 2])))

  private var table: BenchInput {
    .table("table", partitions: [("x", [sales.slice(0..<1), sales.slice(1..<2)]), ("y", [sales.slice(2..<3)])])
  }

  @Test(arguments: [
    (["file": "s.csv"], "customer,paid,at\na,12.50,1970-01-01\n\"b,c\",,1970-01-02\n,-0.05,1970-01-03\n"),
    (["file": "s.csv", "columns": ["at", "customer"], "delimiter": "tab"], "at\tcustomer\n1970-01-01\ta\n1970-01-02\tb,c\n1970-01-03\t\n"),
    (
      ["file": "s.txt", "format": "jsonl", "columns": ["customer", "paid"]],
      "{\"customer\":\"a\",\"paid\":12.50}\n{\"customer\":\"b,c\",\"paid\":null}\n{\"customer\":null,\"paid\":-0.05}\n"
    ),
  ] as [(Written, String)])
  func rowsAsText(settings: Written, text: String) throws {
    let result = try runStage(Export.self, settings.json, [table])
    let file = try #require(result.file("file"))
    #expect(String(decoding: file.bytes, as: UTF8.self) == text)
    #expect(file.name == settings.json["file"]?.string && result.metrics["rows"] == 3)
  }

  @Test func onlyTheColumnsOfTheFileAreRead() throws {
    let binding = try bindStage(Export.self, ["file": "s.parquet", "columns": ["paid", "at"]], [table])
    #expect(binding.reads == [.init("table", .named(["at", "paid"]), .once)])
    #expect(binding.outputs == [.init("file", .file(mediaType: "application/vnd.apache.parquet"))])
    #expect(try bindStage(Export.self, ["file": "s.csv"], [table]).reads == [.init("table", .all, .once)])
  }

  /// How the input was cut into batches, and dictionaries, do not show in the bytes.
  @Test(arguments: ["s.parquet", "s.arrow"])
  func binaryFilesDependOnContentAlone(name: String) throws {
    let plain = Batch(schema: sales.schema, columns: sales.columns.map { $0.type == .string ? $0.decoded() : $0 }, count: 3)
    let one = try runStage(Export.self, ["file": .string(name)], [table]), other = try runStage(Export.self, ["file": .string(name)], [.table("table", plain)])
    let bytes = try #require(one.file("file")?.bytes)
    #expect(bytes.count > 100 && bytes == other.file("file")?.bytes)
    if name.hasSuffix("parquet") {
      var rows: [[Value]] = []
      try ParquetFile(path: one.file("file")!.path).read { batch in rows += batch.columns.map(\.allValues) }
      #expect(rows[0] == [.string("a"), .string("b,c"), .null])
    }
  }

  @Test(arguments: [
    (
      ["file": "../s.csv"],
      [
        """
        error: "../s.csv" cannot name a file (setting /file)
          expected a plain name such as "customers.csv"
          hint: files are put into the run's folder; no other can be named
        """
      ]
    ),
    (
      ["file": "s.xls", "columns": ["paid", "pad", "paid"], "delimiter": "ab"],
      [
        """
        error: the ending of "s.xls" names no format (setting /file)
          expected a name that ends in .csv, .jsonl, .parquet or .arrow
          hint: or say it: "format": "csv"
        """,
        """
        error: "ab" cannot stand between cells (setting /delimiter)
          expected one ASCII character other than quote and line end, or "tab"
        """,
        """
        error: no column "pad" in the input (setting /columns/1)
          hint: did you mean "paid"?
        """,
        "error: column \"paid\" is named twice (setting /columns/2)",
      ]
    ),
    (["file": "s.parquet", "delimiter": ";"], ["error: a parquet file has no delimiter (setting /delimiter)"]),
  ] as [(Written, [String])])
  func everyMistakeIsToldAtOnce(settings: Written, messages: [String]) {
    #expect(mistakes(of: Export.self, settings.json, [table]) == messages)
  }
}
