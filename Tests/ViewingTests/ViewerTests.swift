import Columns
import Engine
import Pipelines
import Testing

@testable import Viewing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What `millrace view` answers, without a socket.
@Suite(.serialized) struct ViewerTests {
  private func get(_ viewer: Viewer, _ target: String) -> ViewResponse { viewer.answer(ViewRequest("GET", target, host: "127.0.0.1:8765")) }
  private func text(_ response: ViewResponse) -> String { String(decoding: response.body, as: UTF8.self) }
  private func page(_ viewer: Viewer, _ target: String, _ status: Int = 200) -> String {
    let response = get(viewer, target)
    #expect(response.status == status, "\(target)")
    return text(response)
  }
  private func json(_ viewer: Viewer, _ target: String) throws -> JSONValue {
    let response = get(viewer, target)
    #expect(response.status == 200 && response["Content-Type"] == "application/json", "\(target)")
    return try JSONReader.read(response.body, file: target).value
  }

  // MARK: Refusals

  static let headers = [
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
  ]

  struct Refused: Sendable, CustomTestStringConvertible {
    let method: String, target: String, host: String?, status: Int, reason: String, said: String
    var more: [(String, String)] = []
    var testDescription: String { "\(method) \(target) at \(host ?? "nowhere")" }
  }

  @Test(arguments: [
    Refused(method: "GET", target: "/", host: "evil.example", status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "GET", target: "/", host: "evil.example:8765", status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "GET", target: "/", host: "127.0.0.1", status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "GET", target: "/", host: "127.0.0.1:80", status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "GET", target: "/", host: "127.0.0.1:8765.evil.example", status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "GET", target: "/", host: "[::1]", status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "GET", target: "/", host: "[::2]:8765", status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "GET", target: "", host: "[::1]:8765", status: 400, reason: "Bad Request", said: "the address cannot be read\n"),
    Refused(method: "GET", target: "/", host: nil, status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "POST", target: "/", host: "evil.example", status: 421, reason: "Misdirected Request", said: elsewhere),
    Refused(method: "POST", target: "/", host: "127.0.0.1:8765", status: 405, reason: "Method Not Allowed", said: "this page only shows: GET and HEAD\n", more: [("Allow", "GET, HEAD")]),
    Refused(method: "DELETE", target: "/runs/x", host: "localhost:8765", status: 405, reason: "Method Not Allowed", said: "this page only shows: GET and HEAD\n", more: [("Allow", "GET, HEAD")]),
    Refused(method: "OPTIONS", target: "*", host: "LocalHost:8765", status: 405, reason: "Method Not Allowed", said: "this page only shows: GET and HEAD\n", more: [("Allow", "GET, HEAD")]),
    Refused(method: "GET", target: "http://127.0.0.1:8765/", host: "127.0.0.1:8765", status: 400, reason: "Bad Request", said: "the address cannot be read\n"),
    Refused(method: "GET", target: "/runs/%ff", host: "127.0.0.1:8765", status: 400, reason: "Bad Request", said: "the address cannot be read\n"),
    Refused(method: "GET", target: "/runs/%2", host: "127.0.0.1:8765", status: 400, reason: "Bad Request", said: "the address cannot be read\n"),
    Refused(method: "GET", target: "/runs/%-0", host: "127.0.0.1:8765", status: 400, reason: "Bad Request", said: "the address cannot be read\n"),
    Refused(method: "GET", target: "", host: "127.0.0.1:8765", status: 400, reason: "Bad Request", said: "the address cannot be read\n"),
  ])
  func refuses(_ refused: Refused) {
    let response = Viewer(ArtifactStore(path: "/nowhere"), port: 8765).answer(ViewRequest(refused.method, refused.target, host: refused.host))
    #expect(response.status == refused.status)
    #expect(response.reason == refused.reason)
    #expect(text(response) == refused.said)
    let expected = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", String(refused.said.utf8.count))] + Self.headers + refused.more
    #expect(response.headers.map { "\($0.name): \($0.value)" } == expected.map { "\($0.0): \($0.1)" })
  }

  static let elsewhere = "this page is at http://127.0.0.1:8765/ and answers to no other name\n"

  @Test func variantsAreShownSideBySide() throws {
    let small = SmallStore()
    let run = try small.run(matrix: " \"matrix\": { \"least\": [0, 1] },")
    let viewer = Viewer(small.store, port: 8765)
    let text = page(viewer, "/runs/\(run)")
    #expect(text.contains("<h2>Matrix</h2>") && text.contains("<caption>Variants of good</caption>"))
    #expect(text.contains("<th scope=\"row\">0</th>") && text.contains("<th scope=\"row\">1</th>"))
    #expect(!page(viewer, "/runs/\(try small.run())").contains("Variants of"))
  }

  /// No word is wider than its box, whatever the font.
  @Test(arguments: [("feature-engineer", "executed"), ("fit", "cached"), ("x", "executed")]) func wordsOfTheGraphStayInTheirBoxes(kind: String, status: String) throws {
    let svg = RunGraph([PicturedStage(name: "n", kind: kind, status: status, needs: [], start: 0, seconds: 1)]).svg
    let width = try #require(svg.firstRange(of: "class=\"box\"").flatMap { found in
      svg[found.upperBound...].firstRange(of: " width=\"").flatMap { Int(svg[$0.upperBound...].prefix { $0.isNumber }) }
    })
    #expect(svg.contains(">\(kind) · \(status)</text>"))
    #expect(Double((kind + " · " + status).count) * 6 + 20 <= Double(width))
  }

  @Test(arguments: [
    ("/nothing", "there is no such page"), ("//", "there is no such page"), ("/runs/", "there is no run &quot;&quot;"),
    ("/runs/last", "there is no run &quot;last&quot;"), ("/runs/latest", "there is no run &quot;latest&quot;"),
    ("/runs/..%2F..%2Fetc%2Fpasswd", "there is no run &quot;../../etc/passwd&quot;"), ("/runs/../../etc/passwd", "there is no such page"),
    ("/runs/%3Cb%3E", "there is no run &quot;&lt;b&gt;&quot;"),
    ("/compare", "two runs are compared: /compare?a=…&amp;b=…, and &quot;a&quot; is missing"),
    ("/compare?a=x", "there is no run &quot;x&quot;"),
    ("/artifacts/../catalog.sqlite", "there is no such page"),
    ("/artifacts/..%2Fcatalog.sqlite", "&quot;../catalog.sqlite&quot; is no digest of an artifact"),
    ("/artifacts/00000000000000000000000000000000", "artifact 00000000000000000000000000000000 is not in the store: it was not kept, was collected, or is damaged (millrace cache verify)"),
    ("/artifacts/00000000000000000000000000000000/content", "artifact 00000000000000000000000000000000 is not in the store: it was not kept, was collected, or is damaged (millrace cache verify)"),
  ])
  func isNotHere(_ target: String, words: String) {
    #expect(page(Viewer(ArtifactStore(path: "/nowhere"), port: 8765), target, 404).contains("<h1>Not here</h1>\n<p>\(words)</p>\n"))
  }

  // MARK: Pages

  @Test func everyKindOfPage() throws {
    let small = SmallStore()
    let first = try small.run(), second = try small.run(least: 1)
    let viewer = Viewer(small.store, port: 8765), before = small.state
    let (sales, good, valued, spent) = (try small.digest("sales"), try small.digest("good"), try small.digest("valued"), try small.digest("spent"))
    let column = percentEncoded(SmallStore.column)

    let runs = page(viewer, "/")
    #expect(runs.contains("<th scope=\"row\"><a href=\"/runs/\(second)\">\(second)</a><br><small>20"))
    #expect(runs.contains("Z</small></th><td><span class=\"status succeeded\">succeeded</span></td><td>shop<br>"))
    #expect(runs.contains("<input type=\"radio\" name=\"a\" value=\"\(first)\" aria-label=\"first: \(first)\" checked>") && runs.contains("<input type=\"radio\" name=\"b\" value=\"\(second)\" aria-label=\"second: \(second)\" checked>"))
    #expect(try #require(runs.firstRange(of: second)).lowerBound < #require(runs.firstRange(of: first)).lowerBound)
    #expect(page(viewer, "/runs") == runs)
    for word in ["latest", "last", String(first.dropLast())] { #expect(page(viewer, "/runs/\(word)", 404).contains("there is no run")) }

    let run = page(viewer, "/runs/\(second)")
    #expect(run.contains("<h1>Run of shop</h1>"))
    #expect(run.contains("<a href=\"/compare?a=\(first)&amp;b=\(second)\">What differs from the run before</a>"))
    #expect(run.contains("<tr id=\"stage-good\"><th scope=\"row\">good<br><small>clean</small></th><td><span class=\"status executed\">executed</span></td><td>parameter least: [&quot;int&quot;,0] → [&quot;int&quot;,1]</td>"))
    #expect(run.contains("<tr id=\"stage-sales\"><th scope=\"row\">sales<br><small>ingest</small></th><td><span class=\"status cached\">cached</span></td>"))
    #expect(run.contains("<a href=\"/artifacts/\(good)\" aria-label=\"artifact \(good)\"><code>\(good.prefix(8))</code></a> 2 rows"))
    #expect(run.contains("role=\"group\" aria-label=\"5 stages and what flows between them\"") && run.contains("<a href=\"#stage-good\">"))
    #expect(run.contains("<caption>Parameters</caption>") && run.contains("<th scope=\"row\">least</th><td><code>1</code></td><td>default</td>"))
    #expect(run.contains("<th scope=\"row\">shop.csv</th><td>sales</td>"))

    let compared = page(viewer, "/compare?a=\(first)&b=\(second)")
    #expect(compared.contains("<th scope=\"row\">/parameters/least</th><td><code>0</code></td><td><code>1</code></td>"))
    #expect(compared.contains("<h2>Stage good <small>(clean)</small></h2>"))
    #expect(compared.contains("<th scope=\"row\">quantity</th><td>int32, 1 … 4, 3 distinct, 0 nulls of 4 rows</td><td>int32, 2 … 4, 2 distinct, 0 nulls of 2 rows</td>"))
    #expect(compared.contains("<h2>The same</h2>\n<p>sales</p>"))
    #expect(page(viewer, "/compare?a=\(first)&b=\(first)").contains("<p>Settings, files and everything that came out are the same.</p>"))

    let artifact = page(viewer, "/artifacts/\(sales)")
    #expect(artifact.contains("<h1>sales.table</h1>\n<p class=\"facts\">table · digest <code>\(sales)</code>"))
    #expect(artifact.contains("5 rows · 5 columns"))
    #expect(artifact.contains("<dt>stage</dt><dd>sales (ingest), output table</dd>") && artifact.contains("<dt>files</dt><dd>shop.csv</dd>"))
    #expect(artifact.contains("<dt>in runs</dt><dd><a href=\"/runs/\(second)\">\(second)</a>, <a href=\"/runs/\(first)\">\(first)</a></dd>"))
    #expect(artifact.contains("<a href=\"/artifacts/\(sales)/columns/quantity\">quantity</a></th><td>int32</td><td class=\"number\">0</td><td class=\"number\">4</td><td>0</td><td>4</td>"))
    #expect(artifact.contains("<a href=\"/artifacts/\(sales)/columns/\(column)\">a&lt;b&gt;/&quot;x&quot; &amp; &#39;y&#39;.json</a>"))
    #expect(page(viewer, "/artifacts/\(spent)").contains("<th scope=\"row\">table</th><td><a href=\"/artifacts/\(valued)\">valued.table</a></td><td>customer, revenue</td>"))

    let lineage = page(viewer, "/artifacts/\(sales)/columns/\(column)")
    #expect(lineage.contains("<h1>Where a&lt;b&gt;/&quot;x&quot; &amp; &#39;y&#39;.json comes from</h1>") && lineage.contains("read from shop.csv"))
    #expect(page(viewer, "/artifacts/\(sales)/columns/quantit", 404).contains("has no column &quot;quantit&quot;: did you mean &quot;quantity&quot;?"))

    let all = [runs, run, compared, artifact, lineage, page(viewer, "/artifacts/\(good)"), page(viewer, "/artifacts/\(valued)/columns/revenue")]
    for one in all {
      #expect(!one.contains("<script") && !one.contains("<b>") && !one.contains("\"x\""))
      #expect(!one.contains("http:") && !one.contains("https:") && !one.contains("style=\""))
      #expect(one.contains("<html lang=\"en\">") && one.contains("<main>\n<h1>"))
    }
    // Nothing was written, locked or touched.
    #expect(small.state == before)
  }

  @Test func firstRowsAreThoseOfTheTable() throws {
    let small = SmallStore()
    try small.run()
    let viewer = Viewer(small.store, port: 8765), sales = try small.digest("sales")
    let table = try #require(try small.store.table(sales)).wholeBatch()
    #expect(table.count == 5)
    let shown = try json(viewer, "/artifacts/\(sales).json")
    #expect(shown["rows"] == 5 && shown["profiled"] == 5)
    #expect(shown["first"]?.array == (0..<5).map { row in .object(zip(table.schema.names, table.columns).map { JSONMember($0, $1.value(at: row).json) }) })
    #expect(shown["first"]?.array?.first?[SmallStore.column]?.string == SmallStore.hostile)
    let page = page(viewer, "/artifacts/\(sales)")
    #expect(page.contains("""
      <tr><th scope="row" class="number">1</th><td class="number">1</td><td>ann</td><td class="number">2</td><td class="number">10.50</td><td>&lt;script&gt;alert(1)&lt;/script&gt;</td></tr>
      <tr><th scope="row" class="number">2</th><td class="number">2</td><td>bob</td><td class="number">1</td><td class="number">3.00</td><td><small>null</small></td></tr>
      <tr><th scope="row" class="number">3</th><td class="number">3</td><td>ann</td><td class="number">4</td><td class="number">0.25</td><td>A &amp; &quot;B&quot; &#39;C&#39;</td></tr>
      """))
  }

  /// A file of a pipeline is a stranger: no origin, no network, and no page where it is none.
  @Test func filesAreGivenApart() throws {
    let small = SmallStore()
    try small.run()
    let viewer = Viewer(small.store, port: 8765), file = try small.digest("csv", "file")
    #expect(page(viewer, "/artifacts/\(file)").contains("<p><a href=\"/artifacts/\(file)/content\">Download spent.csv</a></p>"))
    let content = get(viewer, "/artifacts/\(file)/content")
    #expect(content.status == 200 && text(content) == "customer,total\nann,22.00\nbob,3.00\n,1.00\n")
    #expect(content["Content-Type"] == "application/octet-stream")
    #expect(content["Content-Disposition"] == "attachment; filename*=UTF-8''spent.csv")
    #expect(content["Content-Security-Policy"] == "sandbox allow-scripts allow-downloads; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'")
    #expect(page(viewer, "/artifacts/\(try small.digest("spent"))/content", 404).contains(" is no file</p>"))
    #expect(try json(viewer, "/artifacts/\(file).json")["name"]?.string == "spent.csv")
  }

  @Test func columnsComeFrom() throws {
    let small = SmallStore()
    try small.run()
    let viewer = Viewer(small.store, port: 8765)
    let lineage = try json(viewer, "/artifacts/\(try small.digest("spent"))/columns/total.json")
    let told = (lineage["steps"]?.array ?? []).map { step in
      let from = (step["from"]?.array ?? []).map { "\($0["stage"]?.string ?? "").\($0["column"]?.string ?? "")" }.joined(separator: " ")
      let settings = (step["settings"]?.members ?? []).map { "\($0.key) \($0.value.canonical)" }.joined(separator: " ")
      let files = (step["files"]?.array ?? []).compactMap(\.string).joined(separator: " ")
      return "\(step["stage"]?.string ?? "").\(step["column"]?.string ?? "") \(step["way"]?.string ?? ""): \(from)|\(settings)|\(files)"
    }
    #expect(told == [
      "spent.total setting: valued.revenue|/aggregates/total \"sum(revenue)\"|",
      "valued.revenue setting: good.quantity good.price|/derive/revenue \"quantity * price\"|",
      "good.quantity name: sales.quantity||", "good.price name: sales.price||",
      "sales.quantity origin: |/columns/quantity {\"source\":\"quantity\",\"type\":\"int32\"}|shop.csv",
      "sales.price origin: |/columns/price {\"source\":\"price\",\"type\":\"decimal(12,2)\"}|shop.csv",
    ])
    // What is not touched is the same digest for digest.
    let carried = try json(viewer, "/artifacts/\(try small.digest("valued"))/columns/price.json")
    #expect(carried["steps"]?.array?.first?["way"] == "same")
  }

  @Test func runsWithoutARecord() throws {
    let small = SmallStore()
    let ended = try small.run()
    small.makeFolder("store/runs/20200101T000000Z-0000")
    usleep(20_000)
    // The process of this test stands for that of a run; the folder is younger than its lock.
    small.write("\(getpid())\n", to: "store/locks/run-abc")
    usleep(20_000)
    small.makeFolder("store/runs/29990101T000000Z-0000")
    let viewer = Viewer(small.store, port: 8765)
    let listed = try json(viewer, "/runs.json")
    #expect(listed.array?.map { "\($0["run"]?.string ?? "") \($0["status"]?.string ?? "")" } == [
      "29990101T000000Z-0000 under way", "\(ended) succeeded", "20200101T000000Z-0000 killed",
    ])
    #expect(page(viewer, "/runs/29990101T000000Z-0000").contains("The run is under way."))
    #expect(page(viewer, "/runs/20200101T000000Z-0000").contains("The run ended without a record: it was killed."))
    #expect(page(viewer, "/compare?a=\(ended)&b=29990101T000000Z-0000", 404).contains("run &quot;29990101T000000Z-0000&quot; has no record: it is under way"))
  }

  @Test func aRecordThatMeansNoGood() throws {
    let small = SmallStore()
    try small.run()
    let name = "<img src=x onerror=alert(1)>"
    small.makeFolder("store/runs/" + name)
    small.write("""
      { "run": "x", "pipeline": "<b>", "status": "\\" onload=\\"x", "file": "</code><script>", "started": "<i>", "seconds": -1e300, "executed": 99999999999999999999,
        "git": { "commit": "<u>" }, "machine": { "host": "<s>" },
        "stages": [
          { "name": "a\\"><script>", "kind": "<k>", "status": "x\\" y", "needs": ["b", "a\\"><script>"], "start": 1e308, "seconds": 1e308, "recipe": "../../../etc/passwd",
            "reasons": [{ "kind": "setting", "path": "<p>", "old": "<o>" }],
            "outputs": { "<o>": { "digest": "../../etc/passwd", "rows": -5, "name": "<n>" } }, "metrics": { "<m>": "<v>", "notes": ["<script>"] },
            "mistakes": [{ "severity": "error", "message": "<script>" }], "warnings": [{ "message": "<script>" }], "sources": { "<f>": "<d>" },
            "expectations": [{ "of": "<e>", "expects": "<x>", "status": "<y>", "found": "<z>" }] },
          { "name": "b", "needs": ["a\\"><script>"] }, 7, null, { "name": "b" } ],
        "origins": { "parameters": { "<q>": { "value": "<r>", "from": "<t>" } }, "settings": { "<w>": { "parameters": { "<g>": ["<h>"] }, "defaults": ["<j>"] } } } }
      """, to: "store/runs/\(name)/run.json")
    let viewer = Viewer(small.store, port: 8765), id = percentEncoded(name)
    let last = try RunRegistry(store: small.store).resolve("last~1")
    for target in ["/", "/runs/\(id)", "/compare?a=\(id)&b=\(last)", "/compare?b=\(id)&a=\(last)"] {
      let shown = page(viewer, target)
      for tag in ["<script", "<img", "<b>", "<i>", "<u>", "<s>", "<k>", "<o>", "<p>&lt;", "<m>", "<n>", "<f>", "<x>", "<z>", "<q>", "<w>", "<j>", " onload=\""] {
        #expect(!shown.contains(tag), "\(target) \(tag)")
      }
    }
    #expect(get(viewer, "/artifacts/..%2F..%2Fetc%2Fpasswd").status == 404)
  }

  @Test func headHasNoBody() {
    let viewer = Viewer(ArtifactStore(path: "/nowhere"), port: 80)
    let whole = viewer.answer(ViewRequest("GET", "/", host: "127.0.0.1")), head = viewer.answer(ViewRequest("HEAD", "/", host: "127.0.0.1"))
    #expect(text(whole).contains("<p>There is no store yet. <code>millrace run</code> makes one.</p>"))
    #expect(head.headers == whole.headers && head.body.isEmpty && head["Content-Length"] == String(whole.body.count))
    #expect(viewer.answer(ViewRequest("GET", "/style.css", host: "127.0.0.1"))["Content-Type"] == "text/css; charset=utf-8")
  }

  @Test func textsAreEscapedAndMarkupIsNot() {
    let inner: HTML = "<em>\("<&>")</em>"
    let whole: HTML = "<p title=\"\("\"'")\">\(inner)\(5)</p>"
    #expect(whole.text == "<p title=\"&quot;&#39;\"><em>&lt;&amp;&gt;</em>5</p>")
    #expect(RequestTarget("/a%2Fb//c?x=1%262&y+z=+&q")?.steps == ["a/b", "", "c"])
    #expect(RequestTarget("/a%2Fb//c?x=1%262&y+z=+&q")?.query.map { "\($0.name)|\($0.value)" } == ["x|1&2", "y z| ", "q|"])
  }
}
