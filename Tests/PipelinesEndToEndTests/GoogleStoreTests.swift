import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A server on this machine that speaks as Google's storage does (gcp-storage-emulator, from PyPI), with one bucket.
private final class GoogleStore {
  let folder = Folder()
  private let server: Executable.Child
  /// Below those that the system gives to others.
  private let port = Int.random(in: 20_000...26_000)

  /// Where it is: MILLRACE_GCS, else what `.ci/setup more` brought; nil, with a note, where it is not.
  private static let packages: String? = {
    let place = getenv("MILLRACE_GCS").map { String(cString: $0) } ?? Executable.packageRoot + "/.deps/gcs"
    if access(place + "/gcp_storage_emulator", R_OK) == 0 { return place }
    print("object stores: gcp-storage-emulator is not here, nothing checked (.ci/setup more brings it)")
    return nil
  }()

  init?() {
    guard let packages = Self.packages else { return nil }
    server = Executable.Child(
      program: ["python3", "-m", "gcp_storage_emulator", "start", "--host=127.0.0.1", "--port=\(port)", "--in-memory"], in: folder.path,
      environment: ["PYTHONPATH=" + packages])
    for _ in 0..<200 {
      if Executable.shell("exec 3<>/dev/tcp/127.0.0.1/\(port)", in: folder.path).code == 0 { break }
      usleep(100_000)
    }
    folder.write(#"{"name": "shop"}"#, to: "bucket")
    post("storage/v1/b?project=tests", file: "bucket", type: "application/json")
  }

  deinit {
    server.send(SIGKILL)
    _ = server.wait()
  }

  private func post(_ path: String, file: String, type: String) {
    let script = """
      python3 - <<'END'
      import urllib.request
      body = open('\(file)', 'rb').read()
      urllib.request.urlopen(urllib.request.Request('http://127.0.0.1:\(port)/\(path)', body, {'Content-Type': '\(type)'}, method='POST'), timeout=20)
      END
      """
    // The emulator is slow on a busy machine and answers one request at a time.
    var outcome = Executable.shell(script, in: folder.path)
    for _ in 0..<3 where outcome.code != 0 {
      sleep(1)
      outcome = Executable.shell(script, in: folder.path)
    }
    if outcome.code != 0 { Issue.record("the emulator did not take \(path): \(outcome.error)") }
  }

  func put(_ key: String, file: String) { post("upload/storage/v1/b/shop/o?uploadType=media&name=" + key, file: file, type: "application/octet-stream") }
  func put(_ key: String, _ text: String) {
    folder.write(text, to: "put")
    put(key, file: "put")
  }

  func millrace(_ arguments: String...) -> Executable.Outcome {
    Executable.run(arguments, in: folder.path, environment: ["CLOUD_STORAGE_EMULATOR_ENDPOINT=http://127.0.0.1:\(port)", "GS_NO_SIGN_REQUEST=YES"])
  }
}

@Suite(.serialized) struct GoogleStoreTests {
  private let table = "id,n,note\na,1,first\nb,2,\"second, quoted\"\nc,3,née\n"

  @Test func formatsAreReadAsFromAFile() throws {
    guard let store = GoogleStore() else { return }
    let folder = store.folder
    folder.write(table, to: "t.csv")
    for name in ["t.parquet", "t.arrow", "t.jsonl"] { #expect(store.millrace("convert", "t.csv", name, "--quiet").code == 0) }
    #expect(Executable.shell("gzip -k t.csv", in: folder.path).code == 0)
    for name in ["t.csv", "t.csv.gz", "t.jsonl", "t.parquet", "t.arrow"] {
      store.put("all/" + name, file: name)
      let outcome = store.millrace("convert", "gs://shop/all/" + name, "-", "--format", "csv")
      #expect(outcome.code == 0 && outcome.out == table && outcome.error == "", "\(name): \(outcome.error)")
    }
    let absent = store.millrace("convert", "gs://shop/all/none.csv", "-", "--format", "csv")
    #expect(absent.code != 0 && absent.error.hasPrefix("none.csv: error: gs://shop cannot be read: "), "\(absent.error)")
  }

  @Test func objectsAreRememberedByTheirTags() throws {
    guard let store = GoogleStore() else { return }
    store.folder.write("""
      { "pipeline": "shop", "stages": { "sales": { "stage": "ingest", "with": { "path": "gs://shop/sales/*.csv", "columns": { "id": "string", "n": "int32" } } } } }
      """, to: "shop.json")
    for month in 1...2 { store.put("sales/2011-0\(month).csv", "id,n\nm\(month),\(month)\n") }
    func run() throws -> JSONValue {
      let outcome = store.millrace("run", "shop.json", "--allow-path", "gs://shop/sales", "--json", "--quiet")
      try #require(outcome.code == 0, "\(outcome.error)")
      return try JSONReader.read(Array(outcome.out.utf8), file: "run --json").value["stages"]!.array![0]
    }
    #expect(try run()["partitions"]?["executed"]?.int == 2)
    #expect(try run()["status"]?.string == "cached")
    store.put("sales/2011-02.csv", "id,n\nm2,20\n")
    #expect(try run()["partitions"]?["executed"]?.int == 1)
    #expect(store.millrace("export", "shop.json", "sales", "--to", "all.csv", "--allow-path", "gs://shop/sales", "--quiet").code == 0)
    #expect(store.folder.text("all.csv") == "id,n\nm1,1\nm2,20\n")
  }
}
