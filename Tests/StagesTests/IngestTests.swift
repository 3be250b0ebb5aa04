import Columns
import Diagnostics
import Formats
import Foundation
import Pipelines
import Testing

@testable import Stages

@Suite struct IngestTests {
  /// Files in a folder of their own, as a source gives them.
  final class Files {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ingest-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func write(_ name: String, _ text: String) throws -> SourceFile { try write(name, Data(text.utf8)) }

    func write(_ name: String, _ data: Data) throws -> SourceFile {
      try data.write(to: URL(fileURLWithPath: path(name)))
      return SourceFile(name: name, path: path(name))
    }
  }

  static let columns: JSONValue = ["id": ["type": "string"], "n": ["type": "int32"]]

  func ingest(_ files: [SourceFile], _ more: [JSONMember] = [], columns: JSONValue? = columns) throws -> StageResult {
    let settings: [JSONMember] = [JSONMember("path", .string(files.count > 1 ? "*" : files[0].name))] + (columns.map { [JSONMember("columns", $0)] } ?? [])
    return try runStage(Ingest.self, .object(settings + more), [], files: [files])
  }

  @Test func rowsAreNumberedWhereAskedFor() throws {
    let files = try Files()
    let run = try ingest([files.write("a.csv", "n,id\n1,a\n,b\n")], [JSONMember("sourceRow", true)])
    #expect(run.table().schema.names == ["id", "n", "source_row"])
    #expect(run.rows() == [["a", "1", "1"], ["b", "", "2"]])
    #expect(run.rows("quarantine").isEmpty && run.metrics["rows"] == 2 && run.metrics["kept"] == 2 && run.metrics["quarantined"] == 0)
  }

  @Test func gzipIsReadAsItIs() throws {
    let files = try Files()
    let packed = try #require(Data(base64Encoded: "H4sIAAAAAAACA8tM0cnjStQx5ErSMeICAAlg10cNAAAA"))
    #expect(try ingest([files.write("a.csv.gz", packed)]).rows() == [["a", "1"], ["b", "2"]])
  }

  @Test func everyFileOfAPatternIsAPartition() throws {
    let files = try Files()
    let run = try ingest([files.write("2010.csv", "id,n\na,1\n"), files.write("2011.csv", "id,n\n"), files.write("2012.csv", "n,id\n3,c\n")])
    #expect(run.context.tables.filter { $0.output == "table" }.map(\.partition) == ["2010.csv", "2011.csv", "2012.csv"])
    #expect(run.rows() == [["a", "1"], ["c", "3"]])
  }

  @Test func whatCannotBeReadIsKeptWithItsPlaceAndReason() throws {
    let files = try Files()
    let run = try ingest([files.write("a.csv", "id,n\na,1\nb,many\nc\nd,4\n"), files.write("b.csv", "id,n\ne,99999999999\n")])
    #expect(run.table("quarantine").schema.names == ["file", "line", "byte", "column", "text", "reason"])
    #expect(run.rows("quarantine") == [
      ["a.csv", "3", "11", "n", "b,many", "expected int32, found \"many\""],
      ["a.csv", "4", "16", "", "c", "expected 2 fields, found 1"],
      ["b.csv", "2", "7", "n", "e,99999999999", "expected int32, found \"99999999999\": out of range"],
    ])
    #expect(run.rows() == [["a", "1"], ["d", "4"]])
    #expect(run.metrics["rows"] == 5 && run.metrics["kept"] == 2 && run.metrics["quarantined"] == 3)
    #expect(run.metrics["reasons"] == ["number of fields": 1, "not of the type": 1, "out of range": 1])
  }

  @Test func tooManyUnreadableRowsEndTheStage() throws {
    let files = try Files()
    let file = try files.write("a.csv", "id,n\na,1\nb,many\nc\nd,4\ne,x\n")
    #expect(try ingest([file], [JSONMember("maxQuarantine", 3)]).metrics["quarantined"] == 3)
    #expect(complaints { try ingest([file], [JSONMember("maxQuarantine", 2)]) } == [
      "3 of 5 rows cannot be read; expected at most 2; found 1 × number of fields, 2 × not of the type; hint: raise maxQuarantine and look at the quarantine output, or mend the source"
    ])
  }

  @Test(arguments: [("header only", "id,n\n"), ("header without line end", "id,n")]) func aTableWithoutRows(name: String, text: String) throws {
    let files = try Files()
    let run = try ingest([files.write("a.csv", text)])
    #expect(run.rows().isEmpty && run.rows("quarantine").isEmpty && run.metrics["rows"] == 0)
    #expect(run.table().schema == Schema([Field("id", .string), Field("n", .int32)]))
  }

  @Test(arguments: [
    ("an empty file", "", ["the file is empty; expected a header row"]),
    ("a missing column", "id,m\na,1\n", ["the header has no column \"n\"; hint: did you mean \"m\"?"]),
  ]) func filesThatAreNoSuchTable(name: String, text: String, expected: [String]) throws {
    let files = try Files()
    let file = try files.write("a.csv", text)
    #expect(complaints { try ingest([file]) } == expected)
  }

  @Test func theOtherColumnsAreNamed() throws {
    let files = try Files()
    let run = try ingest([files.write("a.csv", "id,extra,n,more\na,x,1,y\n")])
    #expect(run.warnings.map(\.message) == ["2 columns of the source are not ingested: extra, more"])
  }

  static let sample = batch(
    ("id", .strings(["a", nil, "c"])), ("n", .full(.int32, [Int32(1), 2, 3])), ("price", .decimals([100, 250, nil], precision: 8, scale: 2)))

  @Test func parquetAndArrowBringTheirColumns() throws {
    let files = try Files()
    let parquet = try ParquetFileWriter(path: files.path("t.parquet"), schema: Self.sample.schema)
    try parquet.append(Self.sample)
    _ = try parquet.finish()
    let arrow = ArrowFileWriter(path: files.path("t.arrow"), schema: Self.sample.schema)
    try arrow.append(Self.sample)
    _ = try arrow.finish()
    for name in ["t.parquet", "t.arrow"] {
      let file = SourceFile(name: name, path: files.path(name))
      let all = try ingest([file], columns: nil)
      #expect(all.table().schema == Self.sample.schema, "\(name)")
      #expect(all.rows() == [["a", "1", "1.00"], ["", "2", "2.50"], ["c", "3", ""]], "\(name)")
      let some = try ingest([file], columns: ["count": ["source": "n", "type": "int32"]])
      #expect(some.table().schema.names == ["count"] && some.rows() == [["1"], ["2"], ["3"]], "\(name)")
    }
  }

  /// A type alone is short for a column with this type: the same table by the same recipe.
  @Test func aTypeAloneIsAColumn() throws {
    let files = try Files()
    let file = try files.write("a.csv", "id,n\na,1\nb,x\n")
    let short: JSONValue = ["id": "string", "n": "int32"]
    let run = try ingest([file], columns: short)
    #expect(run.table().schema == Schema([Field("id", .string), Field("n", .int32)]))
    #expect(run.rows() == [["a", "1"]] && run.rows("quarantine").count == 1)
    let written = [short, Self.columns, ["id": "string", "n": ["nulls": [], "type": "int32"]]].map { canonicalSettings(of: Ingest.self, written: ["path": "a.csv", "columns": $0]) }
    #expect(written.allSatisfy { $0.mistakes.isEmpty && $0.canonical.canonical == written[0].canonical.canonical })
    let mixed = canonicalSettings(of: Ingest.self, written: ["path": "a.csv", "columns": ["id": "strin", "n": 5, "m": ["typ": "int32"]]])
    #expect(mixed.mistakes.map(\.message) == [
      "setting \"columns.id\" does not fit", "setting \"columns.n\" does not fit", "unknown setting \"columns.m.typ\"", "missing setting \"columns.m.type\"",
    ])
    #expect(complaints { try bindStage(Ingest.self, ["path": "a.csv", "comment": "##", "columns": short], []) } == [
      "setting comment does not fit; expected one character; found \"##\""
    ])
  }

  /// Each of the settings is wrong, and each is told.
  @Test func mistakesOfSettingsAllAtOnce() {
    #expect(complaints {
      try bindStage(
        Ingest.self,
        [
          "path": "a.csv", "header": false, "delimiter": ";;", "encoding": "utf8x",
          "columns": ["id": ["type": "string", "source": "Id", "position": 1], "n": ["type": "int32", "source": "N"]],
        ], [])
    } == [
      "a column has a name or a position in the file, not both",
      "a file without a header has no names; hint: give its \"position\"",
      "setting delimiter does not fit; expected one character; found \";;\"",
      "unknown encoding \"utf8x\"; hint: known: utf-8, latin-1, windows-1252, utf-16le, utf-16be, utf-32le, utf-32be",
    ])
    #expect(complaints { try bindStage(Ingest.self, ["columns": Self.columns], []) } == [
      "nothing to read; hint: set \"path\", or connect a file with \"from\""
    ])
    #expect(complaints { try bindStage(Ingest.self, ["path": "a.csv"], []) } == [
      "the columns of the file are not said; hint: say each one's name and type under \"columns\""
    ])
  }
}
