import CSQLite
import Columns
import Diagnostics
import Foundation
import Testing

@testable import Formats

/// A database in a folder of its own, open as another program has it.
private final class Shop {
  let scratch = Scratch()
  let path: String
  private var handle: OpaquePointer?

  init(_ statements: String = "", name: String = "shop.sqlite") {
    path = scratch.path + "/" + name
    precondition(sqlite3_open(path, &handle) == SQLITE_OK)
    run(statements)
  }

  deinit { close() }

  func run(_ statements: String) {
    var words: UnsafeMutablePointer<CChar>?
    let code = sqlite3_exec(handle, statements, nil, nil, &words)
    precondition(code == SQLITE_OK, words.map { String(cString: $0) } ?? "")
  }

  func close() {
    sqlite3_close(handle)
    handle = nil
  }
}

@Suite struct SQLiteTests {
  static let columns = [
    CSVColumn("id", .int64), CSVColumn("amount", .decimal(precision: 8, scale: 2)), CSVColumn("note"), CSVColumn("day", .date),
  ]

  struct Outcome {
    var types: [String] = [], rows: [String] = [], rejects: [String] = []
    var report = CSVReport()
  }

  static func read(_ path: String, _ query: String? = nil, _ columns: [CSVColumn]? = nil, change: (inout TableSource.Options) -> Void = { _ in }) throws -> Outcome {
    var options = TableSource.Options()
    (options.query, options.columns) = (query, columns)
    change(&options)
    var outcome = Outcome()
    for part in try TableSource.open(path, options) {
      outcome.types = (part.schema?.fields ?? []).map { "\($0.name) \($0.type)" }
      func lines(_ batch: Batch) -> [String] {
        (0..<batch.count).map { row in batch.columns.map { $0.isNull(row) ? "∅" : $0.value(at: row).description }.joined(separator: "|") }
      }
      outcome.report = try part.read { outcome.rows += lines($0) } quarantine: { outcome.rejects += lines($0) }
      #expect(outcome.report.rows == outcome.report.kept + outcome.report.quarantined)
    }
    return outcome
  }

  private static let sales = """
    CREATE TABLE sales (id INTEGER PRIMARY KEY, amount REAL, note TEXT, day TEXT);
    INSERT INTO sales VALUES (1, 6.95, 'mug', '2011-12-09'), (2, 10, NULL, NULL), (3, 0.5, '', '2011-12-10');
    """

  @Test func aQueryGivesTypedRows() throws {
    let shop = Shop(Self.sales)
    shop.close()
    let read = try Self.read(shop.path, "SELECT id, amount, note, day, 1 AS extra FROM sales ORDER BY id DESC", Self.columns)
    #expect(read.rows == ["3|0.50||2011-12-10", "2|10.00|∅|∅", "1|6.95|mug|2011-12-09"])
    #expect(read.rejects == [] && read.report.ignored == ["extra"])
    #expect(try Self.read(shop.path, "SELECT * FROM sales -- all of it\n;  ", [CSVColumn("id", .int64)], change: { $0.sourceRow = "n" }).rows == ["1|1", "2|2", "3|3"])
  }

  @Test func withoutAQueryTheOnlyTableIsRead() throws {
    let shop = Shop("CREATE TABLE \"a \"\"b\"\"\" (x, y, x2 TEXT); INSERT INTO \"a \"\"b\"\"\" VALUES (1, 1.5, '7'), (2, 2, '2011-01-01');")
    #expect(try Self.read(shop.path).types == ["x int64", "y decimal(2,1)", "x2 string"])
    #expect(try Self.read(shop.path).rows == ["1|1.5|7", "2|2.0|2011-01-01"])
    #expect(try Self.read(shop.path, change: { $0.asText = true }).types == ["x string", "y string", "x2 string"])
    shop.run("CREATE VIEW v AS SELECT 1")
    #expect(message { try Self.read(shop.path) } == """
      shop.sqlite: error: the database has 2 tables, and no query says what to read
        found "a "b"", "v"
        hint: say it with a query: SELECT … FROM …
      """)
    let none = Shop("PRAGMA user_version = 1")
    #expect(message { try Self.read(none.path) } == "shop.sqlite: error: the database has no table")
  }

  /// Whatever a column was declared as, its cells may be anything.
  @Test func cellsThatDoNotFitGoToQuarantine() throws {
    let shop = Shop("""
      CREATE TABLE sales (id INTEGER, amount REAL, note TEXT, day TEXT);
      INSERT INTO sales VALUES (1, 1.25, 'a', '2011-12-09'), ('two', 2, 'b', NULL), (3.0, 3.333, 'c', NULL), (4, 'much', x'00ff', NULL),
        (5, 5, x'6869', NULL), (6, 6, CAST(x'61ff' AS TEXT), NULL), (7, 1e300, 'g', NULL), (8, 8, 'h', '9 Dec'), (9, 9.0, 10, NULL), (3e10, 1, 'j', NULL);
      """)
    let read = try Self.read(shop.path, "SELECT * FROM sales ORDER BY rowid", Self.columns)
    #expect(read.rows == ["1|1.25|a|2011-12-09", "9|9.00|10|∅", "30000000000|1.00|j|∅"])
    #expect(read.rejects == [
      "shop.sqlite|2|∅|id|id=two | amount=2 | note=b | day=|expected int64, found \"two\"",
      "shop.sqlite|3|∅|amount|id=3 | amount=3.333 | note=c | day=|expected decimal(8,2), found \"3.333\": more digits than the type holds",
      "shop.sqlite|4|∅|note|id=4 | amount=much | note=(2 bytes) | day=|expected string, found a blob of 2 bytes; the query may give hex(…) or CAST(… AS TEXT)",
      "shop.sqlite|5|∅|note|id=5 | amount=5 | note=(2 bytes) | day=|expected string, found a blob of 2 bytes; the query may give hex(…) or CAST(… AS TEXT)",
      "shop.sqlite|6|∅|note|id=6 | amount=6 | note=a\\xFF | day=|not UTF-8",
      "shop.sqlite|7|∅|amount|id=7 | amount=1e+300 | note=g | day=|expected decimal(8,2), found \"1e+300\"",
      "shop.sqlite|8|∅|day|id=8 | amount=8 | note=h | day=9 Dec|expected date, found \"9 Dec\"",
    ])
    #expect(read.report.reasons.map { "\($0.reason.rawValue) \($0.rows)" } == ["not UTF-8 1", "not of the type 5", "too many digits 1"])
  }

  @Test(arguments: [
    ("two statements", "SELECT 1; DELETE FROM sales", "the query is more than one statement"),
    ("half a second one", "SELECT 1; SELEC", "the query is more than one statement"),
    ("a change", "DELETE FROM sales", "the query may not use statements that change a database"),
    ("a change that gives rows", "INSERT INTO sales VALUES (9, 9, '', '') RETURNING id", "the query may not use statements that change a database"),
    ("a table made", "CREATE TEMP TABLE t AS SELECT 1", "the query may not use statements that change a database"),
    ("another file", "ATTACH 'other.db' AS other", "the query may not use ATTACH"),
    ("vacuum into a file", "VACUUM INTO 'other.db'", "the query may not use ATTACH"),
    ("a setting", "PRAGMA journal_mode", "the query may not use PRAGMA journal_mode"),
    ("a library", "SELECT load_extension('x')", "the query may not use the function load_extension"),
    ("chance", "SELECT random() AS id", "the query may not use the function random"),
    ("a plan", "EXPLAIN SELECT 1", "the query gives no rows"),
    ("nothing", " -- nothing\n", "the query is empty"),
    ("a zero byte", "SELECT 1\0", "the query holds a zero byte"),
    ("a mistake", "SELECT x FROM sales", "the query is not understood: no such column: x"),
    ("no table", "SELECT 1 FROM sails", "the query is not understood: no such table: sails"),
  ]) func onlyOneSelectIsRun(name: String, query: String, expected: String) throws {
    let shop = Shop(Self.sales)
    shop.close()
    let before = FileManager.default.contents(atPath: shop.path)
    #expect(message { try Self.read(shop.path, query, Self.columns) } == "error: \(expected) (setting /query)\n  expected one SELECT" || name == "vacuum into a file")
    #expect(FileManager.default.contents(atPath: shop.path) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: shop.scratch.path) == ["shop.sqlite"])
  }

  @Test func columnsThatTheQueryDoesNotGive() throws {
    let shop = Shop(Self.sales)
    #expect(message { try Self.read(shop.path, "SELECT id, note, note FROM sales", [CSVColumn("ids", .int64), CSVColumn("note")]) } == """
      shop.sqlite: error: the query has no column "ids"
        hint: did you mean "id"?
      shop.sqlite: error: the query has 2 columns "note"
        hint: name them by position: 2, 3
      """)
    #expect(try Self.read(shop.path, "SELECT id FROM sales", Self.columns, change: { $0.missing = .null }).rows == ["1|∅|∅|∅", "2|∅|∅|∅", "3|∅|∅|∅"])
  }

  /// A schema is as little to be trusted as a cell.
  @Test func hostileSchemas() throws {
    let shop = Shop("""
      CREATE TABLE t (x); INSERT INTO t VALUES (1);
      CREATE VIEW reach AS SELECT load_extension('evil') AS x;
      CREATE VIEW big AS SELECT zeroblob(900000000) AS x;
      CREATE VIEW chance AS SELECT x + random() AS x FROM t;
      """)
    #expect(message { try Self.read(shop.path, "SELECT x FROM reach", [CSVColumn("x")]) } == "error: the query is not understood: unsafe use of load_extension() (setting /query)\n  expected one SELECT")
    #expect(message { try Self.read(shop.path, "SELECT x FROM chance", [CSVColumn("x")]) } == "error: the query may not use the function random (setting /query)\n  expected one SELECT")
    #expect(message { try Self.read(shop.path, "SELECT x FROM big", [CSVColumn("x")]) } == "shop.sqlite: error: cannot be read: string or blob too big")
  }

  @Test func filesThatAreNoDatabase() throws {
    let scratch = Scratch()
    let noise = scratch.file("noise.db", String(repeating: "no database ", count: 200))
    #expect(message { try Self.read(noise, "SELECT 1") } == "noise.db: error: cannot be opened: file is not a database")
    #expect(message { try Self.read(scratch.file("empty.db"), "SELECT 1") } == "empty.db: error: the file is empty\n  expected an SQLite database")
    #expect(message { try Self.read(scratch.file("t.csv", "a\n1\n"), "SELECT 1") } == """
      t.csv: error: a query is given, and the file is no database
        expected an SQLite database, found csv
      """)
    let shop = Shop("CREATE TABLE t (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i || ' is a number' FROM n;")
    shop.close()
    var bytes = try #require(FileManager.default.contents(atPath: shop.path))
    let middle = bytes.count / 2
    for at in middle..<middle + 8192 { bytes[at] = 0xAA }
    try bytes.write(to: URL(fileURLWithPath: shop.path))
    #expect(message { try Self.read(shop.path, "SELECT x FROM t", [CSVColumn("x")]) }.hasPrefix("shop.sqlite: error: cannot be read: database disk image is malformed"))
  }

  /// In write-ahead mode the newest rows are in the log, as long as another program has the database open.
  @Test func theLogBesideTheFileIsRead() throws {
    let shop = Shop("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t VALUES (2);")
    #expect(FileBytes.exists(shop.path + "-wal"))
    #expect(try Self.read(shop.path, "SELECT x FROM t ORDER BY x").rows == ["1", "2"])
    shop.close()
    #expect(try Self.read(shop.path, "SELECT x FROM t ORDER BY x").rows == ["1", "2"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: shop.scratch.path) == ["shop.sqlite"])
  }

  @Test func textOfOtherEncodingsAndInArchives() throws {
    let shop = Shop("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (x); INSERT INTO t VALUES ('né'), (NULL), ('');", name: "odd %41#?.db")
    shop.close()
    #expect(try Self.read(shop.path, "SELECT x FROM t ORDER BY rowid").rows == ["né", "∅", ""])
    var zip = ZipFile([:])
    zip.add("in/shop.db", Array(try #require(FileManager.default.contents(atPath: shop.path))))
    let packed = shop.scratch.path + "/t.zip"
    try Data(zip.content).write(to: URL(fileURLWithPath: packed))
    #expect(try Self.read(packed, "SELECT x FROM t ORDER BY rowid").rows == ["né", "∅", ""])
  }

  @Test func manyRowsComeInBatches() throws {
    let shop = Shop("CREATE TABLE t (x, y); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000) INSERT INTO t SELECT i, 'row ' || i FROM n;")
    var options = TableSource.Options()
    (options.query, options.columns) = ("SELECT x, y FROM t ORDER BY x", [CSVColumn("x", .int32), CSVColumn("y")])
    var batches: [Int] = [], sum = 0
    for part in try TableSource.open(shop.path, options) {
      try part.read { batch in
        batches.append(batch.count)
        let xs = batch["x"]
        for row in 0..<batch.count { sum += Int(xs.value(at: row).description) ?? 0 }
      }
    }
    #expect(batches == [65536, 4464] && sum == 70_000 * 70_001 / 2)
  }
}
