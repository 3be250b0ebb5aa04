import Diagnostics
import Engine
import Pipelines

/// `/`: the runs of the store, the newest first, two of which can be compared.
extension Viewer {
  /// Runs on one page.
  private static let pageLength = 200

  func runs(_ target: RequestTarget) -> ViewResponse {
    let all = view.runs()
    if all.isEmpty {
      let words: HTML = view.exists ? "<p>The store holds no run. <code>millrace run</code> makes one.</p>" : "<p>There is no store yet. <code>millrace run</code> makes one.</p>"
      return frame(200, "Runs", words, json: "/runs.json")
    }
    let pages = (all.count + Self.pageLength - 1) / Self.pageLength
    let page = min(max(target["page"].flatMap { Int($0) } ?? 1, 1), pages)
    let shown = all[((page - 1) * Self.pageLength)..<min(page * Self.pageLength, all.count)]
    var table = HTMLTable("\(counted(all.count, "run")), the newest first", "run", "status", "document", "took#", "stages", "commit", "compare")
    for (at, run) in shown.enumerated() {
      let entry = run.entry
      let status: HTML = run.state == .ended ? mark(entry.status) : mark(run.state.rawValue)
      // The run before is the first, the newest the second, until somebody chooses otherwise.
      let (isOld, isNew): (HTML, HTML) = (at == min(1, shown.count - 1) ? " checked" : "", at == 0 ? " checked" : "")
      let choice: HTML = """
        <label><input type="radio" name="a" value="\(entry.id)" aria-label="first: \(entry.id)"\(isOld)> first</label>\
        <label><input type="radio" name="b" value="\(entry.id)" aria-label="second: \(entry.id)"\(isNew)> second</label>
        """
      let ended = run.state == .ended
      table.append([
        "<a href=\"/runs/\(percentEncoded(entry.id))\">\(entry.id)</a><br><small>\(entry.started)</small>", status + (entry.isPinned ? "<br>pinned" : ""),
        ended ? "\(entry.pipeline)<br><small>\(entry.summary?["file"]?.string ?? "")</small>" : "",
        ended ? "\(duration(entry.seconds))" : "", ended ? "\(entry.executed) executed<br>\(entry.cached) cached" : "",
        commit(run.git), ended ? choice : "",
      ])
    }
    var body: HTML = "<form action=\"/compare\" method=\"get\">\n\(table.html)"
    if all.contains(where: { $0.state == .ended }) { body += "<p><button>Compare the two chosen runs</button></p>\n" }
    body += "</form>\n"
    if pages > 1 {
      let links = (1...pages).map { number -> HTML in number == page ? "<strong aria-current=\"page\">\(number)</strong>" : "<a href=\"/?page=\(number)\">\(number)</a>" }
      body += "<nav aria-label=\"Older and newer runs\"><p>\(links.joined(" "))</p></nav>\n"
    }
    return frame(200, "Runs", body, json: "/runs.json")
  }

  func commit(_ git: JSONValue?) -> HTML {
    guard let commit = git?["commit"]?.string else { return "" }
    return "<code title=\"\(commit)\">\(String(commit.prefix(8)))</code>\(git?["dirty"]?.bool == true ? ", files differ" : "")"
  }

  var runsJSON: JSONValue { .array(view.runs().map(runJSON)) }

  /// As `runs list --json`, with the commit.
  func runJSON(_ run: StoreView.Run) -> JSONValue {
    let status = run.state == .ended ? run.entry.status : run.state.rawValue
    var members = (run.entry.summary ?? ["run": .string(run.entry.id), "status": .string(status)]).members ?? []
    if run.entry.isPinned { members.append(JSONMember("pinned", true)) }
    if let git = run.git { members.append(JSONMember("git", git)) }
    return .object(members)
  }
}
