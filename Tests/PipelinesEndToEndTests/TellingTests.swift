import Pipelines
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What a run tells machines: lines of JSON, a trace, events of OpenLineage.
@Suite struct TellingTests {
  private func lines(_ text: String) throws -> [JSONValue] { try text.split(separator: "\n").map { try json(String($0)) } }

  @Test func everyLineOfALogIsAnObject() throws {
    let folder = shop()
    let first = folder.millrace("run", "shop.json", "-j", "1", "--log", "json", "--json")
    #expect(first.code == 0, "\(first.error)")
    let events = try lines(first.error).filter { $0["event"] != "stage-progressed" }
    #expect(events.map { "\($0["event"]?.string ?? "") \($0["stage"]?.string ?? "")" } == [
      "run-started ", "stage-started sales", "stage-ended sales", "stage-started good", "stage-ended good", "stage-started spent", "stage-ended spent",
      "run-ended ",
    ])
    let run = try json(first.out)["run"]
    #expect(run != nil && events.allSatisfy { $0["run"] == run })
    #expect(events.allSatisfy { $0["time"]?.string?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil })
    #expect(events[1]["reasons"]?.array?.first?["kind"] == "first-run")
    #expect(events[2]["kind"] == "ingest" && events[2]["status"] == "executed" && events[2]["rows"]?.int != nil)
    #expect(events[7]["status"] == "succeeded" && events[7]["executed"] == 3)

    let mistaken = folder.millrace("run", "shop.json", "--log", "json", "--set", "nothing=1")
    #expect(mistaken.code == 2 && mistaken.out == "")
    let told = try lines(mistaken.error)
    #expect(told.count == 1 && told[0]["event"] == "error" && told[0]["severity"] == "error")
    #expect(told[0]["text"]?.string == folder.millrace("run", "shop.json", "--set", "nothing=1").error.trimmed)
    #expect(folder.millrace("run", "shop.json", "--log", "json", "--quiet").error == "")
    let plain = folder.millrace("run", "shop.json", "--force", "sales", "--to", "sales", "--log", "plain")
    #expect(plain.error.wholeMatch(of: /sales \(ingest\): executed in [^\n]*\n/) != nil, "\(plain.error)")
  }

  @Test func aTraceHasASliceForEachStageThatRan() throws {
    let folder = shop()
    #expect(folder.millrace("run", "shop.json", "--quiet", "--trace", "t.json").code == 0)
    let trace = try json(folder.text("t.json"))
    let events = try #require(trace["traceEvents"]?.array)
    let slices = events.filter { $0["ph"] == "X" }
    #expect(slices.map { $0["name"]?.string } == ["shop", "sales", "good", "spent"])
    #expect(slices.map { $0["cat"]?.string } == ["run", "ingest", "clean", "aggregate"])
    // What reads another begins when that has ended, and no slice lies outside of the run.
    let whole = try #require(slices[0]["dur"]?.int)
    for slice in slices {
      let begin = try #require(slice["ts"]?.int), duration = try #require(slice["dur"]?.int)
      #expect(begin >= 0 && duration >= 0 && begin + duration <= whole)
    }
    #expect(events.filter { $0["ph"] == "s" }.count == 2 && events.filter { $0["ph"] == "f" }.count == 2)
    // The same later, from the record; a run with nothing to do has its own slice only.
    #expect(folder.millrace("runs", "trace", "last").out == folder.text("t.json"))
    #expect(folder.millrace("run", "shop.json", "--quiet").code == 0)
    #expect(folder.millrace("runs", "trace", "--out", "u.json").out == "")
    let idle = try json(folder.text("u.json"))
    #expect(idle["traceEvents"]?.array?.filter { $0["ph"] == "X" }.count == 1)
  }

  @Test func lineageSaysWhereColumnsComeFrom() throws {
    let folder = shop()
    let first = folder.millrace("run", "shop.json", "-j", "1", "--quiet", "--lineage", "events.jsonl", environment: ["OPENLINEAGE_NAMESPACE=tests"])
    #expect(first.code == 0, "\(first.error)")
    let events = try lines(folder.text("events.jsonl"))
    #expect(events.map { "\($0["eventType"]?.string ?? "") \($0["job"]?["name"]?.string ?? "")" } == [
      "START shop", "START shop.sales", "COMPLETE shop.sales", "START shop.good", "COMPLETE shop.good", "START shop.spent", "COMPLETE shop.spent",
      "COMPLETE shop",
    ])
    let whole = try #require(events[0]["run"]?["runId"]?.string)
    #expect(whole.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    #expect(events[7]["run"]?["runId"]?.string == whole)
    #expect(events[1...6].allSatisfy { $0["run"]?["facets"]?["parent"]?["run"]?["runId"]?.string == whole })
    #expect(events.allSatisfy { $0["job"]?["namespace"] == "tests" && $0["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent" })
    // The file, with its version.
    let read = try #require(events[2]["inputs"]?.array?.first)
    #expect(read["namespace"] == "file" && read["name"]?.string == folder.path + "/sales.csv" && read["facets"]?["version"]?["datasetVersion"] != nil)
    // A column that a rule left as it is, and one that was summed up.
    let good = try #require(events[4]["outputs"]?.array?.first)
    #expect(good["name"] == "shop.good.clean" || good["name"] == "shop.good.table", "\(good["name"]?.string ?? "")")
    #expect(events[4]["inputs"]?.array?.first?["name"]?.string?.hasPrefix("shop.sales.") == true)
    #expect(good["outputFacets"]?["outputStatistics"]?["rowCount"]?.int != nil)
    let spent = try #require(events[6]["outputs"]?.array?.first?["facets"])
    let fields = try #require(spent["columnLineage"]?["fields"]?.members)
    #expect(fields.map(\.key) == spent["schema"]?["fields"]?.array?.compactMap { $0["name"]?.string })
    for field in fields {
      let sources = try #require(field.value["inputFields"]?.array)
      #expect(!sources.isEmpty && sources.allSatisfy { $0["namespace"] == "tests" && $0["name"]?.string?.hasPrefix("shop.good.") == true && $0["field"]?.string != nil })
    }
    // Nothing to do: the pipeline's own two events behind those of before.
    #expect(folder.millrace("run", "shop.json", "--quiet", "--lineage", "events.jsonl").code == 0)
    let again = try lines(folder.text("events.jsonl"))
    #expect(again.dropFirst(8).map { $0["eventType"]?.string } == ["START", "COMPLETE"])
  }

  /// A server that takes what is sent to it, for one run.
  private static let server = """
    import http.server, sys
    class Server(http.server.BaseHTTPRequestHandler):
      def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        with open('got.jsonl', 'ab') as out: out.write(body + b'\\n')
        with open('asked.txt', 'a') as out: out.write(self.path + ' ' + self.headers['Content-Type'] + ' ' + str(self.headers.get('Authorization')) + '\\n')
        self.send_response(int(sys.argv[1])); self.end_headers()
      def log_message(self, *all): pass
    server = http.server.HTTPServer(('127.0.0.1', 0), Server)
    with open('port.tmp', 'w') as out: out.write(str(server.server_address[1]))
    import os; os.rename('port.tmp', 'port')
    server.serve_forever()
    """

  private func served(_ status: Int, in folder: Folder, _ body: (Int) throws -> Void) throws {
    guard dlopen("libcurl.so.4", RTLD_NOW) != nil || dlopen("libcurl-gnutls.so.4", RTLD_NOW) != nil || dlopen("libcurl.4.dylib", RTLD_NOW) != nil else {
      return print("lineage: libcurl is not here, nothing sent")
    }
    folder.write(Self.server, to: "server.py")
    let child = Executable.Child(program: ["python3", "server.py", "\(status)"], in: folder.path)
    defer {
      child.send(SIGKILL)
      _ = child.wait()
    }
    for _ in 0..<3000 where access(folder.path + "/port", R_OK) != 0 { usleep(10_000) }
    try body(try #require(Int(folder.text("port"))))
  }

  @Test func aServerIsSentTheSameEvents() throws {
    let folder = shop()
    try served(201, in: folder) { port in
      let outcome = folder.millrace(
        "run", "shop.json", "-j", "1", "--quiet", environment: ["OPENLINEAGE_URL=http://127.0.0.1:\(port)", "OPENLINEAGE_API_KEY=k3y"])
      #expect(outcome.code == 0 && outcome.error == "", "\(outcome.error)")
      let got = try lines(folder.text("got.jsonl"))
      #expect(got.map { $0["eventType"]?.string } == ["START", "START", "COMPLETE", "START", "COMPLETE", "START", "COMPLETE", "COMPLETE"])
      #expect(folder.text("asked.txt") == String(repeating: "/api/v1/lineage application/json Bearer k3y\n", count: 8))
      #expect(folder.millrace("run", "shop.json", "--quiet", "--lineage", "http://127.0.0.1:\(port)/mine").code == 0)
      #expect(folder.text("asked.txt").hasSuffix("\n/mine application/json None\n/mine application/json None\n"))
    }
  }

  @Test func eventsThatDoNotArriveAreToldAndTheRunGoesOn() throws {
    let folder = shop()
    try served(503, in: folder) { port in
      let outcome = folder.millrace("run", "shop.json", "--log", "plain", "--lineage", "http://me:secret@127.0.0.1:\(port)/")
      #expect(outcome.code == 0)
      #expect(outcome.error.hasSuffix("""
        warning: events of lineage do not arrive at http://127.0.0.1:\(port)/api/v1/lineage
          expected a status of 200 to 299, found status 503
          hint: 8 of 8 events were not delivered; the run itself is not touched by it

        """), "\(outcome.error)")
    }
    // Nobody listens there; or, without libcurl, nobody could ask.
    let away = folder.millrace("run", "shop.json", "--log", "json", "--lineage", "http://127.0.0.1:1")
    #expect(away.code == 0)
    let told = try lines(away.error)
    #expect(told.contains { $0["event"] == "warning" && $0["message"] == "events of lineage do not arrive at http://127.0.0.1:1/api/v1/lineage" })
    let wrong = folder.millrace("run", "shop.json", "--lineage", "ftp://there/")
    #expect(wrong.code == 2)
    #expect(wrong.error == "error: events of lineage cannot go to \"ftp://there/\"\n  expected a file, or an address that begins with http:// or https://, found ftp://\n")
    let nowhere = folder.millrace("run", "shop.json", "--lineage", "no/such/folder/e.jsonl")
    #expect(nowhere.code == 1)
    #expect(nowhere.error.hasPrefix("error: cannot write events of lineage to"), "\(nowhere.error)")
  }
}

extension String {
  fileprivate var trimmed: String { last == "\n" ? String(dropLast()) : self }
}
