import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A server on this machine that speaks as S3 does (moto, from PyPI), with one bucket.
private final class ObjectStore {
  let folder = Folder()
  private let server: Executable.Child
  private let port = Int.random(in: 20_000...32_000)
  static let secret = "planted-secret-5f2a"

  /// Where moto is: MILLRACE_MOTO, else what `.ci/setup more` brought; nil, with a note, where it is not.
  private static let packages: String? = {
    let place = getenv("MILLRACE_MOTO").map { String(cString: $0) } ?? Executable.packageRoot + "/.deps/moto"
    if access(place + "/moto", R_OK) == 0 { return place }
    print("object stores: moto is not here, nothing checked (.ci/setup more brings it)")
    return nil
  }()

  init?() {
    guard let packages = Self.packages else { return nil }
    server = Executable.Child(
      program: ["python3", "-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"], in: folder.path, environment: ["PYTHONPATH=" + packages])
    for _ in 0..<200 {
      if Executable.shell("exec 3<>/dev/tcp/127.0.0.1/\(port)", in: folder.path).code == 0 { break }
      usleep(100_000)
    }
    request("PUT", "shop")
  }

  deinit {
    server.send(SIGKILL)
    _ = server.wait()
  }

  var environment: [String] {
    [
      "AWS_ENDPOINT_URL=http://127.0.0.1:\(port)", "AWS_ACCESS_KEY_ID=someone", "AWS_SECRET_ACCESS_KEY=" + Self.secret,
      "AWS_EC2_METADATA_DISABLED=true",
    ]
  }

  private func request(_ method: String, _ path: String, file: String = "/dev/null", headers: String = "") {
    let script = """
      python3 - <<'END'
      import urllib.request
      body = open('\(file)', 'rb').read()
      # Who writes over an object has to be someone; who, is not checked.
      headers = {'Content-Type': 'application/octet-stream', 'Authorization': '\(Self.someone)'\(headers)}
      urllib.request.urlopen(urllib.request.Request('http://127.0.0.1:\(port)/\(path)', body, headers, method='\(method)'), timeout=20)
      END
      """
    let outcome = Executable.shell(script, in: folder.path)
    precondition(outcome.code == 0, outcome.error)
  }

  private static let someone = "AWS4-HMAC-SHA256 Credential=someone/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"

  func put(_ key: String, file: String, isPublic: Bool = false) {
    request("PUT", "shop/" + key, file: file, headers: isPublic ? ", 'x-amz-acl': 'public-read'" : "")
  }
  func put(_ key: String, _ text: String, isPublic: Bool = false) {
    folder.write(text, to: "put")
    put(key, file: "put", isPublic: isPublic)
  }

  /// Of somebody without credentials.
  var strange: [String] { ["AWS_ENDPOINT_URL=http://127.0.0.1:\(port)", "AWS_EC2_METADATA_DISABLED=true", "HOME=" + folder.path] }

  /// Runs `body` with the environment of somebody who reaches the store through a man in the middle: before the object's bytes are asked
  /// for the `count`th time, another object of this key takes its place.
  func replacing<T>(_ key: String, with text: String, before count: Int, _ body: ([String]) throws -> T) rethrows -> T {
    folder.write(text, to: "other")
    folder.write("""
      import http.server, sys, urllib.error, urllib.request
      port, back, key, count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
      asked = 0
      class Between(http.server.BaseHTTPRequestHandler):
          protocol_version = 'HTTP/1.1'
          def log_message(self, *words): pass
          def forward(self):
              global asked
              if self.command == 'GET' and self.path.split('?')[0] == key:
                  asked += 1
                  if asked == count:
                      urllib.request.urlopen(urllib.request.Request(back + key, open('other', 'rb').read(), {'Content-Type': 'text/csv', 'Authorization': '\(Self.someone)'}, method='PUT'))
              try: answer = urllib.request.urlopen(urllib.request.Request(back + self.path, None, dict(self.headers.items()), method=self.command), timeout=20)
              except urllib.error.HTTPError as refusal: answer = refusal
              content = answer.read()
              self.send_response(answer.status)
              for name, value in answer.headers.items():
                  if name.lower() not in ('transfer-encoding', 'connection', 'content-length'): self.send_header(name, value)
              self.send_header('Content-Length', answer.headers.get('Content-Length', '0') if self.command == 'HEAD' else str(len(content)))
              self.end_headers()
              if self.command != 'HEAD': self.wfile.write(content)
          do_GET = do_HEAD = forward
      http.server.ThreadingHTTPServer(('127.0.0.1', port), Between).serve_forever()
      """, to: "between.py")
    let own = port + 1000 + count
    let between = Executable.Child(program: ["python3", "between.py", "\(own)", "http://127.0.0.1:\(port)", "/shop/" + key, "\(count)"], in: folder.path)
    defer {
      between.send(SIGKILL)
      _ = between.wait()
    }
    for _ in 0..<200 {
      if Executable.shell("exec 3<>/dev/tcp/127.0.0.1/\(own)", in: folder.path).code == 0 { break }
      usleep(50_000)
    }
    return try body(environment.dropFirst() + ["AWS_ENDPOINT_URL=http://127.0.0.1:\(own)"])
  }

  func millrace(_ arguments: String...) -> Executable.Outcome { Executable.run(arguments, in: folder.path, environment: environment) }
}

@Suite(.serialized) struct ObjectStoreTests {
  private let table = "id,n,note\na,1,first\nb,2,\"second, quoted\"\nc,3,née\n"

  @Test func everyFormatIsReadAsFromAFile() throws {
    guard let store = ObjectStore() else { return }
    let folder = store.folder
    folder.write(table, to: "t.csv")
    for name in ["t.parquet", "t.arrow", "t.jsonl"] { #expect(store.millrace("convert", "t.csv", name, "--quiet").code == 0) }
    let packing = Executable.shell("""
      gzip -k t.csv && python3 - <<'END'
      import sqlite3, zipfile
      zipfile.ZipFile('t.zip', 'w').write('t.csv')
      shop = sqlite3.connect('t.sqlite')
      shop.execute('CREATE TABLE t (id, n, note)')
      shop.executemany('INSERT INTO t VALUES (?, ?, ?)', [('a', 1, 'first'), ('b', 2, 'second, quoted'), ('c', 3, 'née')])
      shop.commit()
      END
      """, in: folder.path)
    #expect(packing.code == 0, "\(packing.error)")
    for name in ["t.csv", "t.csv.gz", "t.zip", "t.jsonl", "t.parquet", "t.arrow", "t.sqlite"] {
      store.put("all/an%20odd%2B%C3%A9/" + name, file: name)
      let outcome = store.millrace("convert", "s3://shop/all/an odd+é/" + name, "-", "--format", "csv")
      #expect(outcome.code == 0 && outcome.out == table, "\(name): \(outcome.error)")
      #expect(outcome.error == "")
    }
    // Many ranges of one object.
    var long = "id,n\n"
    for row in 0..<400_000 { long += "row number \(row),\(row)\n" }
    folder.write(long, to: "long.csv")
    store.put("long.csv", file: "long.csv")
    #expect(store.millrace("convert", "s3://shop/long.csv", "-", "--format", "csv").out == long)
  }

  private let document = """
    { "pipeline": "shop", "stages": { "sales": { "stage": "ingest", "with": {
        "path": "s3://shop/sales/*.csv", "columns": { "id": { "type": "string" }, "n": { "type": "int32" } } } } } }
    """

  @Test func objectsAreAllowedByNameAndAreRememberedByTheirTags() throws {
    guard let store = ObjectStore() else { return }
    let folder = store.folder
    folder.write(document, to: "shop.json")
    for month in 1...3 { store.put("sales/2011-0\(month).csv", "id,n\nm\(month),\(month)\n") }
    store.put("sales/deeper/2011-04.csv", "id,n\nd,4\n")
    store.put("sales/readme.txt", "no table")

    #expect(store.millrace("run", "shop.json", "--quiet").error == """
      shop.json:2:13: error: pipeline "shop", stage "sales" (ingest): the path "s3://shop/sales/*.csv" leads outside of the project
        2 |     "path": "s3://shop/sales/*.csv", "columns": { "id": { "type": "string" }, "n": { "type": "int32"…
          |             ^~~~~~~~~~~~~~~~~~~~~~~
        hint: allow it with --allow-path, or give it on the command line with --set

      """)
    for place in ["s3://shop/sal", "s3://shops", "s3://shop/sales/2011-01.csv"] {
      #expect(store.millrace("plan", "shop.json", "--allow-path", place).code == 2, "\(place)")
    }

    func run() throws -> JSONValue {
      let outcome = store.millrace("run", "shop.json", "--allow-path", "s3://shop/sales", "--json", "--quiet")
      try #require(outcome.code == 0, "\(outcome.error)")
      return try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value["stages"]!.array![0]
    }
    #expect(try run()["partitions"]?["executed"]?.int == 3)
    #expect(try run()["status"]?.string == "cached")
    // The same bytes again have the same tag.
    store.put("sales/2011-02.csv", "id,n\nm2,2\n")
    #expect(try run()["status"]?.string == "cached")
    store.put("sales/2011-02.csv", "id,n\nm2,20\nm2,x\n")
    #expect(try run()["partitions"]?["executed"]?.int == 1)
    store.put("sales/2011-05.csv", "id,n\nm5,5\n")
    #expect(try run()["partitions"]?["executed"]?.int == 1)
    let shown = store.millrace("export", "shop.json", "sales", "--to", "all.csv", "--allow-path", "s3://shop/sales", "--quiet")
    #expect(shown.code == 0, "\(shown.error)")
    #expect(folder.text("all.csv") == "id,n\nm1,1\nm2,20\nm3,3\nm5,5\n")
    for name in folder.names(under: "artifacts") {
      #expect(!text(ofFile: folder.path + "/artifacts/" + name).contains(ObjectStore.secret), "\(name)")
    }
  }

  /// Another object under the key, before its first byte was read or when half of it was: nothing is kept, least of all a mixture.
  @Test(arguments: [
    ("as long, at the first bytes", 1, "new", 40_000), ("as long, in the middle", 2, "new", 40_000), ("as long, at the end", 3, "new", 40_000),
    ("shorter", 2, "new", 100), ("longer", 3, "new", 90_000), ("no table", 2, "\u{1}", 40_000),
  ]) func anObjectThatChangesWhileItIsRead(name: String, count: Int, word: String, rows: Int) throws {
    guard let store = ObjectStore() else { return }
    let folder = store.folder
    func table(_ word: String, _ rows: Int) -> String { "id,n\n" + (0..<rows).map { "\(word) \(100_000 + $0),1\n" }.joined() }
    folder.write(document, to: "shop.json")
    store.put("sales/a.csv", table("old", 40_000))
    let call = ["run", "shop.json", "--allow-path", "s3://shop/sales", "--quiet"]
    let outcome = store.replacing("sales/a.csv", with: table(word, rows), before: count) { Executable.run(call, in: folder.path, environment: $0) }
    #expect(outcome.code == 1, "\(name)")
    #expect(outcome.error.contains("a.csv: the file changed while it was read; nothing was kept of this stage\n"), "\(name): \(outcome.error)")
    #expect(!folder.names(under: "artifacts").contains { $0.contains("recipes/") && $0.hasSuffix(".json") })
    // The next run begins with what is there now.
    #expect(Executable.run(call, in: folder.path, environment: store.environment).code == 0)
    #expect(store.millrace("export", "shop.json", "sales", "--to", "all.csv", "--allow-path", "s3://shop/sales", "--quiet").code == 0)
    #expect(folder.text("all.csv") == table(word, rows))
  }

  /// Requests of somebody without credentials are not signed, and read what everybody may.
  @Test func publicObjectsNeedNoCredentials() throws {
    guard let store = ObjectStore() else { return }
    store.put("open.csv", table, isPublic: true)
    store.put("closed.csv", table)
    let open = Executable.run(["convert", "s3://shop/open.csv", "-", "--format", "csv"], in: store.folder.path, environment: store.strange)
    #expect(open.code == 0 && open.out == table, "\(open.error)")
    let closed = Executable.run(["convert", "s3://shop/closed.csv", "-", "--format", "csv"], in: store.folder.path, environment: store.strange)
    #expect(closed.code != 0 && closed.error.contains("AWS Error ACCESS_DENIED"), "\(closed.error)")
  }

  @Test func typesAreInferred() throws {
    guard let store = ObjectStore() else { return }
    store.put("t.csv", table)
    let found = store.millrace("infer", "s3://shop/t.csv", "--quiet")
    #expect(found.out == """
      {
        "columns": {
          "id": { "type": "string" },
          "n": { "type": "int64" },
          "note": { "type": "string" }
        }
      }

      """, "\(found.error)")
    #expect(store.millrace("infer", "s3://shop/*.csv", "--quiet", "--write", "p.json").code == 0)
    let run = store.millrace("run", "p.json", "--allow-path", "s3://shop", "--quiet")
    #expect(run.code == 0, "\(run.error)")
  }

  @Test func mistakes() throws {
    guard let store = ObjectStore() else { return }
    store.put("t.csv", "id\n1\n")
    #expect(store.millrace("convert", "s3://shop/none.csv", "-", "--format", "csv").error == """
      none.csv: error: s3://shop cannot be read: Path does not exist 'shop/none.csv' ([errno 2] No such file or directory)

      """)
    #expect(store.millrace("convert", "s3://shop/none/*.csv", "-", "--format", "csv").error == """
      error: no object matches "s3://shop/none/*.csv"
        hint: * and ? match within one name, ** matches folders

      """)
    let user = store.millrace("convert", "s3://someone:\(ObjectStore.secret)@shop/t.csv", "-", "--format", "csv")
    #expect(user.code == 2 && user.error == """
      error: an address holds no user and no password
        expected s3://bucket/key
        hint: credentials are taken from the environment

      """)
  }

  @Test func aSharedCache() throws {
    guard let store = ObjectStore() else { return }
    let folder = store.folder
    folder.write(salesCSV, to: "sales.csv")
    folder.write(shopDocument, to: "shop.json")
    let place = "s3://shop/shared/cache"
    func run(_ artifacts: String, _ more: String...) throws -> JSONValue {
      let outcome = Executable.run(["run", "shop.json", "--artifacts", artifacts, "--json"] + more, in: folder.path, environment: store.environment)
      try #require(outcome.code == 0, "\(outcome.error)")
      return try json(outcome.out)
    }
    let first = try run("one")
    #expect(store.millrace("cache", "push", place, "--artifacts", "one").out.hasPrefix("pushed 3 recipes, "))
    #expect(store.millrace("cache", "push", place, "--artifacts", "one").out == "pushed 0 recipes, 0 artifacts, 0 B; 3 recipes were there\n")
    let pulled = store.millrace("cache", "pull", place, "--artifacts", "two")
    #expect(pulled.code == 0 && pulled.out.hasPrefix("pulled 3 recipes, "), "\(pulled.out)\(pulled.error)")
    #expect(store.millrace("cache", "verify", "--artifacts", "two").code == 0)
    let outputs = { (report: JSONValue) in (report["stages"]?.array ?? []).map { $0["outputs"]?.members?.compactMap { $0.value["digest"]?.string } ?? [] } }
    let second = try run("two")
    #expect(second["executed"]?.int == 0 && outputs(second) == outputs(first))

    // A run that asks, and gives what it made.
    let third = try run("three", "--cache", place, "--set", "least=1")
    #expect(third["cached"]?.int == 1 && third["executed"]?.int == 2)
    let fourth = try run("four", "--cache", place, "--cache-read-only", "--set", "least=1")
    #expect(fourth["cached"]?.int == 3 && outputs(fourth) == outputs(third))
    _ = try run("five", "--cache", place, "--cache-read-only", "--set", "least=2")
    #expect(try run("six", "--cache", place, "--set", "least=2")["executed"]?.int == 2)

    // What is not as it was written is not taken.
    let digest = try #require(first["stages"]?.array?.first?["outputs"]?["table"]?["digest"]?.string)
    store.put("shared/cache/objects/\(digest)/part-00000.arrow", "no table")
    let refused = store.millrace("cache", "pull", place, "--artifacts", "seven")
    #expect(refused.code == 3)
    #expect(refused.out.hasPrefix("objects/\(digest)/part-00000.arrow: it is missing or of another size\n"))
    let outcome = Executable.run(["run", "shop.json", "--artifacts", "eight", "--cache", place], in: folder.path, environment: store.environment)
    #expect(outcome.code == 0)
    #expect(outcome.error.contains("warning: shared cache \"\(place)\": objects/\(digest)/part-00000.arrow: it is missing or of another size; it is not used\n"))
    #expect(store.millrace("cache", "pull", place, "--artifacts", "ten").code == 0)
    let away = Executable.run(["run", "shop.json", "--artifacts", "nine", "--cache", "s3://nowhere/cache"], in: folder.path, environment: store.environment)
    #expect(away.code == 0 && away.error.contains("warning: the shared cache \"s3://nowhere/cache\" is left out: "), "\(away.error)")
    #expect(!away.error.contains(ObjectStore.secret))
  }
}

/// What is said of addresses before anything is asked for.
@Suite struct RemoteAddressTests {
  @Test(arguments: [
    ("s3://bucket", "an address needs a key"), ("s3:///key", "an address needs a bucket"), ("gs://b/../c", "an address has no steps up"),
    ("s3://b/k#f", "an address holds a bucket and a key only"), ("s3://b?endpoint_override=evil/k", "an address holds a bucket and a key only"),
    ("hdfs://user@host/k", "an address holds no user and no password"),
  ]) func addressesThatAreNone(address: String, expected: String) {
    let folder = Folder()
    folder.write(
      "{ \"pipeline\": \"p\", \"stages\": { \"t\": { \"stage\": \"ingest\", \"with\": { \"path\": \"\(address)\", \"columns\": { \"id\": { \"type\": \"string\" } } } } } }", to: "p.json")
    let outcome = folder.millrace("plan", "p.json", "--allow-path", "s3://b")
    #expect(outcome.code == 2 && outcome.error.contains("stage \"t\" (ingest): \(expected)\n"), "\(outcome.error)")
  }
}
