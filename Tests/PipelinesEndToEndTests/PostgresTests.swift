import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A server of PostgreSQL of this test's own, where the machine has one installed.
private final class Server {
  let folder = Folder()
  private let port = Int.random(in: 20_000...32_000)
  static let secret = "planted-secret-91c4"

  /// What the shell needs to know, in front of every script. The server refuses to run as root.
  private static let prelude = """
    set -e
    export LC_ALL=C PGPASSWORD=\(secret)
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
    user=$(id -u postgres >/dev/null 2>&1 && echo postgres || echo nobody)
    as() { if [ "$(id -u)" = 0 ]; then runuser -u "$user" -- "$@"; else "$@"; fi; }

    """

  init?() {
    let started = Executable.shell(Self.prelude + """
      [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] || exit 3
      data=$(mktemp -d /tmp/millrace-postgres-XXXXXX)
      printf '%s' '\(Self.secret)' > "$data.word"
      if [ "$(id -u)" = 0 ]; then chown "$user" "$data" "$data.word"; fi
      cd /tmp
      as "$bin/initdb" -N -D "$data" -A scram-sha-256 -U shop --pwfile="$data.word" -E UTF8 >/dev/null
      rm "$data.word"
      as "$bin/pg_ctl" -D "$data" -w -l "$data/log" -o "-F -p \(port) -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" start >/dev/null
      printf '%s' "$data"
      """, in: folder.path)
    guard started.code == 0 else {
      if started.code != 3 { Issue.record("PostgreSQL did not start: \(started.error)") }
      print("PostgreSQL: no server is installed here, nothing checked")
      return nil
    }
    folder.write(started.out, to: "data")
  }

  deinit {
    _ = Executable.shell(Self.prelude + "data=$(cat data); cd /tmp; as \"$bin/pg_ctl\" -D \"$data\" -m immediate stop >/dev/null; rm -rf \"$data\"", in: folder.path)
  }

  func sql(_ statements: String) {
    folder.write(statements, to: "sql")
    let done = Executable.shell(Self.prelude + "\"$bin/psql\" -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p \(port) -U shop postgres -f sql", in: folder.path)
    precondition(done.code == 0, done.error)
  }

  func url(password: String = secret) -> String { "postgresql://shop:\(password)@127.0.0.1:\(port)/postgres" }

  func millrace(_ arguments: String...) -> Executable.Outcome {
    Executable.run(arguments, in: folder.path, environment: ["MILLRACE_CONNECTION_THE_SHOP=" + url()])
  }

  func run(_ arguments: String...) throws -> [JSONValue] {
    let outcome = Executable.run(
      ["run", "shop.json", "--json", "--quiet"] + arguments, in: folder.path, environment: ["MILLRACE_CONNECTION_THE_SHOP=" + url()])
    try #require(outcome.code == 0, "\(outcome.error)")
    return try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value["stages"]!.array!
  }
}

@Suite(.serialized) struct PostgresTests {
  private func document(_ query: String, version: String? = nil) -> String {
    """
    { "pipeline": "shop", "stages": {
        "sales": { "stage": "ingest", "with": { "connection": "the-shop", "query": \(JSONValue.string(query).canonical),\(version.map { " \"version\": \(JSONValue.string($0).canonical)," } ?? "")
          "columns": { "id": { "type": "int64" }, "amount": { "type": "decimal(8,2)" }, "note": { "type": "string" }, "day": { "type": "date" },
            "at": { "type": "timestamp[UTC]" }, "paid": { "type": "bool" } } } },
        "sum": { "stage": "aggregate", "from": "sales", "with": { "aggregates": { "total": "sum(amount)" } } } } }
    """
  }

  private let sales = """
    CREATE TABLE sales (id bigint, amount numeric, note text, day date, at timestamptz, paid boolean);
    INSERT INTO sales VALUES (1, 6.95, 'mug', '2011-12-09', '2011-12-09 12:50:00.25+01', true), (2, 10, NULL, NULL, NULL, false),
      (3, 1.005, 'née', '2011-12-10', '2011-12-10 00:00:00+00', NULL), (4, 'NaN', '', 'infinity', NULL, NULL);
    INSERT INTO sales SELECT i, i / 100.0, 'row ' || i, NULL, NULL, NULL FROM generate_series(5, 10000) i;

    """

  @Test func aQueryGivesTypedRows() throws {
    guard let server = Server() else { return }
    server.sql(sales)
    server.folder.write(document("SELECT * FROM sales WHERE id <= 5 ORDER BY id; -- some"), to: "shop.json")
    let first = try server.run()
    #expect(first.map { $0["status"]?.string } == ["executed", "executed"])
    #expect(server.millrace("export", "shop.json", "sales", "--to", "sales.csv", "--quiet").code == 0)
    #expect(server.folder.text("sales.csv") == """
      id,amount,note,day,at,paid
      1,6.95,mug,2011-12-09,2011-12-09 11:50:00.25,true
      2,10.00,,,,false
      5,0.05,row 5,,,

      """)
    #expect(server.millrace("export", "shop.json", "sales.quarantine", "--to", "bad.csv", "--quiet").code == 0)
    #expect(server.folder.text("bad.csv") == #"""
      file,line,byte,column,text,reason
      the-shop,3,,amount,id=3 | amount=1.005 | note=née | day=2011-12-10 | at=2011-12-10 00:00:00Z | paid=,"expected decimal(8,2), found ""1.005"": more digits than the type holds"
      the-shop,4,,amount,id=4 | amount=NaN | note= | day=infinity | at= | paid=,"expected decimal(8,2), found ""NaN"""

      """#)

    // No version: asked in every run, and what is behind it stays.
    #expect(try server.run().map { $0["status"]?.string } == ["executed", "cached"])
    #expect(server.millrace("plan", "shop.json").out.contains("the query is asked in every run"))
    // More rows than come at a time.
    server.folder.write(document("SELECT * FROM sales ORDER BY id"), to: "shop.json")
    #expect(try server.run()[0]["metrics"]?["kept"]?.int == 9_998)
    for name in server.folder.names(under: "artifacts") {
      #expect(!text(ofFile: server.folder.path + "/artifacts/" + name).contains(Server.secret), "\(name)")
    }
  }

  @Test func aVersionSaysWhenRowsAreTheSame() throws {
    guard let server = Server() else { return }
    server.sql(sales)
    server.folder.write(document("SELECT * FROM sales WHERE id < 3 ORDER BY id", version: "SELECT count(*) FROM sales"), to: "shop.json")
    #expect(try server.run().map { $0["status"]?.string } == ["executed", "executed"])
    #expect(try server.run().map { $0["status"]?.string } == ["cached", "cached"])
    server.sql("INSERT INTO sales (id) VALUES (20000)")
    #expect(server.millrace("plan", "shop.json").out.contains("file the-shop changed"))
    #expect(try server.run().map { $0["status"]?.string } == ["executed", "cached"])
    server.folder.write(document("SELECT * FROM sales WHERE id < 3", version: "SELECT clock_timestamp()"), to: "shop.json")
    let changed = server.millrace("run", "shop.json", "--quiet")
    #expect(changed.code == 1 && changed.error.contains("the-shop: its version changed while rows were read; nothing was kept of this stage\n"), "\(changed.error)")
    server.folder.write(document("SELECT * FROM sales", version: "SELECT id FROM sales"), to: "shop.json")
    #expect(server.millrace("plan", "shop.json").error.contains("the query does not give one value\n"))
  }

  @Test func onlyReadingIsAllowed() throws {
    guard let server = Server() else { return }
    server.sql(sales + "CREATE SEQUENCE counter; CREATE FUNCTION leave() RETURNS int LANGUAGE sql AS 'DELETE FROM sales RETURNING 1';")
    for (query, expected) in [
      ("DELETE FROM sales RETURNING *", "the query is refused: syntax error at or near \"DELETE\""),
      ("SELECT 1; DELETE FROM sales", "the query is refused: cannot insert multiple commands into a prepared statement"),
      ("WITH gone AS (DELETE FROM sales RETURNING *) SELECT * FROM gone", "the query is refused: DECLARE CURSOR must not contain data-modifying statements in WITH"),
      ("SELECT x FROM sales", "the query is refused: column \"x\" does not exist"),
      ("SELECT id FROM sales", "the query has no column \"amount\""),
      ("", "the query is refused: syntax error at end of input"),
    ] {
      server.folder.write(document(query), to: "shop.json")
      let outcome = server.millrace("plan", "shop.json")
      #expect(outcome.code == 2 && outcome.error.contains(expected), "\(query): \(outcome.error)")
    }
    for query in ["nextval('counter')", "leave()"] {
      server.folder.write(document("SELECT \(query) AS id, 1 AS amount, '' AS note, NULL AS day, NULL AS at, NULL AS paid"), to: "shop.json")
      let outcome = server.millrace("run", "shop.json", "--quiet")
      #expect(outcome.code == 1 && outcome.error.contains("in a read-only transaction"), "\(outcome.error)")
    }
    server.folder.write(document("SELECT * FROM sales"), to: "shop.json")
    #expect(try server.run()[0]["metrics"]?["rows"]?.int == 10_000)
  }

  /// `convert` and `infer` read a query as they read files.
  @Test func aQueryIsConvertedAndInferred() throws {
    guard let server = Server() else { return }
    server.sql(sales)
    let query = "SELECT id, amount, note, day, paid FROM sales WHERE id < 4 ORDER BY id"
    let expected = """
      id,amount,note,day,paid
      1,6.950,mug,2011-12-09,true
      2,10.000,,,false
      3,1.005,née,2011-12-10,

      """
    for source in ["connection:the-shop", server.url()] {
      let made = server.millrace("convert", source, "-", "--format", "csv", "--query", query, "--text")
      #expect(made.code == 0 && made.error == "", "\(made.error)")
      #expect(made.out.split(separator: "\n").count == 4)
      let typed = server.millrace("convert", source, "t.parquet", "--query", query, "--quiet")
      #expect(typed.code == 0, "\(typed.error)")
      #expect(server.millrace("convert", "t.parquet", "-", "--format", "csv").out == expected)
      let missing = server.millrace("convert", source, "-", "--format", "csv")
      #expect(missing.code != 0 && missing.error == "error: no query says what to read of the database\n  expected one SELECT\n", "\(missing.error)")
      let refused = server.millrace("infer", source, "--query", "DELETE FROM sales")
      #expect(refused.code != 0 && refused.error.contains("the query is refused: ") && !refused.error.contains(Server.secret), "\(refused.error)")
    }
    let inferred = server.millrace("infer", "connection:the-shop", "--query", query, "--write", "found.json", "--quiet")
    #expect(inferred.code == 0, "\(inferred.error)")
    let settings = try JSONReader.read(Array(server.folder.text("found.json").utf8), file: "found.json").value["stages"]?["table"]?["with"]
    #expect(settings?["connection"]?.string == "the-shop" && settings?["query"]?.string == query && settings?["path"] == nil)
    #expect(settings?["columns"]?.members?.map { "\($0.key) \($0.value["type"]?.string ?? "")" } == [
      "id int64", "amount decimal(5,3)", "note string", "day date", "paid bool",
    ])
    let run = server.millrace("run", "found.json", "--quiet")
    #expect(run.code == 0, "\(run.error)")
    let named = server.millrace("infer", server.url(), "--query", query, "--write", "other.json")
    #expect(named.code != 0 && named.error.hasPrefix("error: a document does not say where a database is\n"), "\(named.error)")
  }

  @Test func whoMayReadIsSaidByThePerson() throws {
    guard let server = Server() else { return }
    let folder = server.folder
    folder.write(document("SELECT 1"), to: "shop.json")
    #expect(Executable.run(["plan", "shop.json"], in: folder.path).error == """
      shop.json:2:59: error: pipeline "shop", stage "sales" (ingest): the connection "the-shop" is not allowed
        2 |     "sales": { "stage": "ingest", "with": { "connection": "the-shop", "query": "SELECT 1",
          |                                                           ^~~~~~~~~~
        hint: allow it with --allow-connection the-shop=postgresql://host/database, or with MILLRACE_CONNECTION_THE_SHOP in the environment

      """)
    for (address, expected) in [
      (server.url(password: "wrong-\(Server.secret)"), "the database cannot be reached: "), ("postgresql://shop:\(Server.secret)@[::1/x", "the connection's address is not understood"),
      ("postgresql://shop:\(Server.secret)/1@127.0.0.1/x", "the connection's address is not understood"),
      ("mysql://shop:\(Server.secret)@h/x", "the address of connection \"the-shop\" is not understood"),
      ("postgresql://shop:\(Server.secret)@127.0.0.1:1/x", "the database cannot be reached: "),
    ] {
      let outcome = folder.millrace("plan", "shop.json", "--allow-connection", "the-shop=" + address)
      #expect(outcome.code == 2 && outcome.error.contains(expected) && !outcome.error.contains(Server.secret), "\(outcome.error)")
    }
  }
}

/// What is said of connections before any server is asked.
@Suite struct ConnectionTests {
  @Test(arguments: [
    ("\"connection\": \"shop\"", ["no query says what to read", "the columns of the file are not said"]),
    ("\"connection\": \"shop\", \"path\": \"a.csv\", \"query\": \"SELECT 1\", \"columns\": { \"a\": { \"type\": \"string\" } }", ["a connection is read, or files are"]),
    ("\"path\": \"a.csv\", \"version\": \"SELECT 1\", \"columns\": { \"a\": { \"type\": \"string\" } }", ["only the rows of a connection have a version"]),
  ]) func settings(with: String, expected: [String]) {
    let folder = Folder()
    folder.write("{ \"pipeline\": \"p\", \"stages\": { \"t\": { \"stage\": \"ingest\", \"with\": { \(with) } } } }", to: "p.json")
    let outcome = folder.millrace("check", "p.json")
    #expect(outcome.code == 2)
    for words in expected { #expect(outcome.error.contains("stage \"t\" (ingest): \(words)\n"), "\(outcome.error)") }
  }

  @Test func aDatabaseIsNoPath() {
    let folder = Folder()
    folder.write(
      "{ \"pipeline\": \"p\", \"parameters\": { \"source\": { \"type\": \"path\", \"default\": \"a.csv\" } }, \"stages\": { \"t\": { \"stage\": \"ingest\", \"with\": { \"path\": \"${source}\", \"columns\": { \"a\": { \"type\": \"string\" } } } } } }", to: "p.json")
    let outcome = folder.millrace("plan", "p.json", "--set", "source=postgresql://someone:word@host/db")
    #expect(outcome.code == 2 && outcome.error.contains("a database is no path") && !outcome.error.contains("word@"), "\(outcome.error)")
  }
}
