import Columns
import Diagnostics
import Engine
import Pipelines
import Synchronization

/// What `millrace view` answers: a function from requests to whole responses, over a store that it only reads. It knows no socket.
///
/// Nothing of a request reaches the file system as it came: runs are looked up by whole ids in the list of runs, artifacts by digests, columns in
/// the schema.
public final class Viewer: Sendable {
  let view: StoreView
  private let port: Int
  /// What was seen of artifacts, which never change.
  private let looks = Mutex<[Digest: TableLook]>([:])

  /// `port`: that of the socket, which stands in every honest `Host`.
  public init(_ store: ArtifactStore, port: Int) {
    view = StoreView(store)
    self.port = port
  }

  public func answer(_ request: ViewRequest) -> ViewResponse {
    // A name of somebody else's that leads here would give their page the right to read this one.
    guard let host = request.host?.lowercased(), hosts.contains(host) else {
      return .refusal(421, "this page is at http://127.0.0.1:\(port)/ and answers to no other name")
    }
    guard request.method == "GET" || request.method == "HEAD" else {
      return .refusal(405, "this page only shows: GET and HEAD", more: [ViewResponse.Header(name: "Allow", value: "GET, HEAD")])
    }
    var response: ViewResponse
    if let target = RequestTarget(request.target) {
      do { response = try page(target) } catch let missing as Missing { response = notFound(missing.words) } catch {
        response = frame(500, "This cannot be shown", "<p>\("\(error)")</p>")
      }
    } else {
      response = .refusal(400, "the address cannot be read")
    }
    if request.method == "HEAD" { response.body = [] }
    return response
  }

  private var hosts: [String] {
    let names = ["127.0.0.1", "localhost", "[::1]"]
    return names.map { "\($0):\(port)" } + (port == 80 ? names : [])
  }

  private func page(_ target: RequestTarget) throws -> ViewResponse {
    var steps = target.steps
    // A column may be called `a.json`: the page of columns looks itself.
    let isJSON = steps.count < 4 && steps.last?.hasSuffix(".json") == true
    if isJSON { steps[steps.count - 1].removeLast(5) }
    switch steps.count {
    case 1 where steps[0] == "" && !isJSON: return runs(target)
    case 1 where steps[0] == "style.css" && !isJSON: return ViewResponse(type: "text/css; charset=utf-8", Array(ViewStyle.css.utf8))
    case 1 where steps[0] == "icon.svg" && !isJSON: return ViewResponse(type: "image/svg+xml", Array(ViewStyle.icon.utf8))
    case 1 where steps[0] == "runs": return isJSON ? ViewResponse(runsJSON) : runs(target)
    case 1 where steps[0] == "compare":
      let (a, b) = (try run(target["a"], "a"), try run(target["b"], "b"))
      return isJSON ? ViewResponse(try comparison(a, b).json(in: view.store, cells: TableLook.cells)) : try compare(a, b)
    case 2 where steps[0] == "runs":
      let run = try run(steps[1], nil)
      return isJSON ? ViewResponse(view.record(of: run) ?? runJSON(run)) : self.run(run)
    case 2 where steps[0] == "artifacts":
      let record = try artifact(steps[1])
      return isJSON ? ViewResponse(try artifactJSON(record)) : try artifact(record)
    case 3 where steps[0] == "artifacts" && steps[2] == "content" && !isJSON: return try content(of: artifact(steps[1]))
    case 4 where steps[0] == "artifacts" && steps[2] == "columns": return try lineage(steps[3], of: artifact(steps[1]))
    default: throw Missing(words: "there is no such page")
    }
  }

  /// What was asked for and is not there.
  struct Missing: Error { let words: String }

  private func run(_ id: String?, _ side: String?) throws -> StoreView.Run {
    guard let id else { throw Missing(words: "two runs are compared: /compare?a=…&b=…, and \"\(side ?? "")\" is missing") }
    guard let run = view.run(exactly: id) else { throw Missing(words: "there is no run \"\(id)\"") }
    return run
  }

  private func artifact(_ key: String) throws -> ArtifactRecord {
    guard let digest = Digest(key) else { throw Missing(words: "\"\(key)\" is no digest of an artifact") }
    guard let record = view.artifact(digest) else {
      throw Missing(words: "artifact \(digest) is not in the store: it was not kept, was collected, or is damaged (millrace cache verify)")
    }
    return record
  }

  func look(at record: ArtifactRecord) throws -> TableLook? {
    guard let table = record.table else { return nil }
    if let known = looks.withLock({ $0[record.digest] }) { return known }
    guard let opened = try view.store.table(record.digest.description) else { return nil }
    let look = try TableLook(opened, table)
    looks.withLock { looks in
      // A person looks at a few at a time.
      if looks.count >= 32 { looks = [:] }
      looks[record.digest] = look
    }
    return look
  }

  private func notFound(_ words: String) -> ViewResponse { frame(404, "Not here", "<p>\(words)</p>") }

  /// A page in the frame that all have.
  func frame(_ status: Int = 200, _ title: String, _ body: HTML, json: String? = nil) -> ViewResponse {
    let other: HTML = json.map { "<a href=\"\($0)\">as JSON</a>" } ?? ""
    let page: HTML = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title) · millrace view</title>
      <link rel="icon" href="/icon.svg">
      <link rel="stylesheet" href="/style.css">
      </head>
      <body>
      <header><nav aria-label="Pages"><a href="/">All runs</a> \(other)</nav></header>
      <main>
      <h1>\(title)</h1>
      \(body)
      </main>
      <footer><p>store <code>\(view.store.path)</code>, read-only</p></footer>
      </body>
      </html>

      """
    return ViewResponse(status, type: "text/html; charset=utf-8", Array(page.text.utf8))
  }
}

/// The look of the run page, and what pages with forms and links need beside it.
enum ViewStyle {
  static let css = PageStyle.css + """

    header nav a { margin-right: 1rem; } footer { color: var(--faint); margin-top: 3rem; overflow-wrap: anywhere; }
    caption { text-align: left; color: var(--faint); padding: .4rem .6rem; } tbody th { font-weight: 600; }
    h1, dd { overflow-wrap: anywhere; } td, th { overflow-wrap: break-word; max-width: 28rem; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--faint); } dd { margin: 0; }
    button { font: inherit; color: var(--paper); background: var(--executed); border: 0; border-radius: .3rem; padding: .35rem .9rem; }
    a:focus-visible, button:focus-visible, input:focus-visible, summary:focus-visible { outline: 2px solid var(--executed); outline-offset: 2px; }
    img { max-width: 100%; height: auto; } tr:target { outline: 2px solid var(--executed); } label { display: block; padding: .2rem .4rem; }
    .data td:not(.number) { min-width: 6rem; } form th, form td { white-space: nowrap; }
    form td:nth-child(3), form td:nth-child(6) { white-space: normal; overflow-wrap: anywhere; min-width: 6rem; } form td:nth-child(3) { min-width: 12rem; }
    ol.steps { padding-left: 1.2rem; } ol.steps > li { margin-bottom: 1.2rem; }

    """

  static let icon = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="none" stroke="#2460c8" stroke-width="2"/><path d="M8 2v12M2 8h12" stroke="#2460c8" stroke-width="1.5"/></svg>

    """
}
