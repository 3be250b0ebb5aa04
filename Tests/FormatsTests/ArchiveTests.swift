import CZlib
import Columns
import Diagnostics
import Foundation
import Testing

@testable import Formats

@Suite struct ArchiveTests {
  /// Keys of the partitions and all cells of column "a".
  static func read(_ path: String, member: String? = nil, _ columns: [CSVColumn] = [CSVColumn("a", .int32)]) throws -> [String] {
    var options = TableSource.Options()
    (options.columns, options.member) = (columns, member)
    return try TableSource.open(path, options).map { part in
      var cells: [String] = []
      try part.read { cells += $0["a"].allValues.map(\.description) }
      return "\(part.key): \(cells.joined(separator: " "))"
    }
  }

  /// Every format as a member of one archive.
  @Test func membersOfEveryFormat() throws {
    let scratch = Scratch()
    let schema = Schema([Field("a", .int32)]), batch = Batch(schema: schema, columns: [.int32s([4, 5])], count: 2)
    let parquet = scratch.file("t.parquet"), arrow = scratch.file("t.arrow")
    let one = try ParquetFileWriter(path: parquet, schema: schema)
    try one.append(batch)
    try one.finish()
    let two = ArrowFileWriter(path: arrow, schema: schema)
    try two.append(batch)
    try two.finish()
    var zip = ZipFile(["in/1.csv": "a\n1\n", "in/2.jsonl": "{\"a\":2}\n", "in/deep/é.csv": "a\n9\n", "notes.md": "none"])
    zip.add("in/3.csv.gz", ZipFile.gzipped("a\n3\n"))
    zip.add("in/4.jsonl.gz", ZipFile.gzipped("{\"a\":4}"))
    zip.add("in/5.parquet", Array(try Data(contentsOf: URL(fileURLWithPath: parquet))))
    zip.add("in/6.arrow", Array(try Data(contentsOf: URL(fileURLWithPath: arrow))))
    zip.add("in/inner.zip", ZipFile(["x.csv": "a\n"]).content)
    let path = scratch.file("t.zip", bytes: zip.content)
    #expect(try Self.read(path, member: "in/?.*") == ["in/1.csv: 1", "in/2.jsonl: 2", "in/3.csv.gz: 3", "in/4.jsonl.gz: 4", "in/5.parquet: 4 5", "in/6.arrow: 4 5"])
    #expect(try Self.read(path, member: "**/é.csv") == [": 9"])
    #expect(message { try Self.read(path, member: "*.zip") } == """
      t.zip: error: member "in/inner.zip" is an archive, and archives in archives are not opened
        hint: unpack the outer one first
      """)
    #expect(message { try Self.read(path, member: "in/1.cvs") } == """
      t.zip: error: the archive has no member "in/1.cvs"
        found "in/1.csv", "in/2.jsonl", "in/3.csv.gz", "in/4.jsonl.gz", "in/5.parquet", "in/6.arrow", "in/deep/é.csv", "in/inner.zip", …
        hint: did you mean "in/1.csv"?
      """)
    #expect(message { try Self.read(path) }.hasPrefix("t.zip: error: the archive has 9 members\n  expected one, or \"member\" to name some, found \"in/1.csv\", "))
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    let name: String, zip: ZipFile, words: String
    var testDescription: String { name }
    init(_ name: String, _ members: KeyValuePairs<String, String>, _ words: String) { (self.name, zip, self.words) = (name, ZipFile(members), words) }
  }

  @Test(arguments: [
    Bad("out of the folder", ["../x.csv": "a\n"], "error: the name of member \"../x.csv\" leads out of its folder, which is refused"),
    Bad("out of it with backslashes", ["a\\..\\..\\x.csv": "a\n"], "error: the name of member \"a/../../x.csv\" leads out of its folder, which is refused"),
    Bad("absolute", ["/etc/x.csv": "a\n"], "error: the name of member \"/etc/x.csv\" is absolute, which is refused"),
    Bad("drive", ["C:/x.csv": "a\n"], "error: the name of member \"C:/x.csv\" names a drive, which is refused"),
    Bad("control character", ["a\u{1B}[2J.csv": "a\n"], "error: the name of member \"a\\x1b[2J.csv\" holds control characters, which is refused"),
    Bad("twice", ["x.csv": "a\n1\n", "y.csv": "a\n", "x.csv": "a\n2\n"], "error: the archive has two members named \"x.csv\""),
    Bad("folders only", ["x/": ""], "error: the archive holds folders only\n  expected a file"),
    Bad("nothing", [:], "error: the archive has no members"),
  ])
  func refused(_ row: Bad) throws {
    let scratch = Scratch()
    #expect(message { try Self.read(scratch.file("t.zip", bytes: row.zip.content)) } == "t.zip: \(row.words)")
  }

  @Test func overlappingEntries() throws {
    let scratch = Scratch()
    var bytes = ZipFile(["a.csv": "a\n1\n", "b.csv": "a\n2\n"]).content
    // The second entry of the directory points to where the first does, and takes its sizes.
    let entries = bytes.indices.dropLast(4).filter { Array(bytes[$0..<$0 + 4]) == [0x50, 0x4B, 1, 2] }
    for at in 42..<46 { bytes[entries[1] + at] = bytes[entries[0] + at] }
    #expect(message { try Self.read(scratch.file("t.zip", bytes: bytes), member: "*") }
      == "t.zip: error: the archive's directory lists 2 members, and 1 can be told apart: entries overlap, which is refused")
  }

  @Test func limits() throws {
    let scratch = Scratch()
    let path = scratch.file("t.zip", bytes: ZipFile(["a.csv": "a\n" + String(repeating: "1\n", count: 1000), "b.csv": "a\n"]).content)
    var options = TableSource.Options()
    options.member = "a.csv"
    options.limits.entries = 1
    #expect(message { try TableSource.open(path, options) } == "t.zip: error: the archive has more than the limit of 1 entries")
    options.limits = UnpackLimits(bytes: 1000)
    #expect(message { try TableSource.open(path, options)[0].read { _ in } } == """
      a.csv: error: unpacks to more than the limit of 1000 bytes
        hint: raise the limit if the file is to be trusted
      """)
  }

  /// Archives and packed files that other tools made, where the data is.
  @Test func formatsOfOthers() throws {
    guard let folder = shared("corpora/libarchive-archives") else { return }
    for (name, members) in [
      ("tar/test_compat_lz4_1.tar.lz4", ["d1/f1", "d1/f2", "d1/f3", "f1", "f2", "f3"]), ("tar/test_compat_zstd_1.tar.zst", ["d1/f1", "d1/f2", "d1/f3", "f1", "f2", "f3"]), ("gz/test_compat_gzip_1.tgz", ["d1/f1", "d1/f2", "d1/f3", "f1", "f2", "f3"]),
      ("zip/test_compat_lzip_1.tlz", ["d1/f1", "d1/f2", "d1/f3", "f1", "f2", "f3"]), ("tar/test_read_format_gtar_filename_eucjp.tar.Z", ["%B4%C1%BB%FA.txt", "ɽ.txt"]),
      ("zip/test_read_format_zip_filename_utf8_ru.zip", ["ПРИВЕТ", "привет"]), ("7z/test_read_format_7zip_lzma1_2.7z", ["dir1/file1", "file2", "file3", "file4"]),
    ] { #expect(try Archive(path: "\(folder)/\(name)").members == members, "\(name)") }
    #expect(message { try Archive(path: folder + "/zip/test_read_format_zip_winzip_aes256_stored.zip", name: "t.zip") } == "t.zip: error: member \"README\" is encrypted, which is unsupported")
  }
}
