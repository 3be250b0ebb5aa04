import Diagnostics
import Engine
import Pipelines

/// `/compare?a=…&b=…`: what differs between two runs.
extension Viewer {
  func comparison(_ a: StoreView.Run, _ b: StoreView.Run) throws -> RunComparison {
    guard let old = view.record(of: a), let new = view.record(of: b) else {
      let which = a.state == .ended ? b : a
      throw Missing(words: "run \"\(which.entry.id)\" has no record: it \(which.state == .killed ? "was killed" : "is under way")")
    }
    return RunComparison(old, new, in: view.store)
  }

  func compare(_ a: StoreView.Run, _ b: StoreView.Run) throws -> ViewResponse {
    let comparison = try comparison(a, b)
    let (old, new) = (a.entry.id, b.entry.id)
    var body: HTML = "<p>First: <a href=\"/runs/\(percentEncoded(old))\">\(old)</a>. Second: <a href=\"/runs/\(percentEncoded(new))\">\(new)</a>.</p>\n"
    if comparison.isSame { body += "<p>Settings, files and everything that came out are the same.</p>\n" }
    for (title, changes) in [
      ("Document", comparison.settings), ("Files", comparison.sources), ("Surroundings", comparison.surroundings),
    ] where !changes.isEmpty {
      body += "<h2>\(title)</h2>\n\(table("What differs: \(title.lowercased())", changes).html)"
    }
    for stage in comparison.stages where !stage.isSame {
      body += "<h2>Stage \(stage.name) <small>(\(stage.kind))</small></h2>\n"
      switch stage.status {
      case (nil, _): body += "<p>Only in the second run.</p>\n"
      case (_, nil): body += "<p>Only in the first run.</p>\n"
      case (let before?, let now?): if (before == "failed") != (now == "failed") { body += "<p>\(mark(before)) → \(mark(now))</p>\n" }
      }
      for found in stage.outputs where !found.isSame {
        body += "<h3>\(found.name)</h3>\n<p>\(found.old.map { output("first:", $0) } ?? "first: nothing") → \(found.new.map { output("second:", $0) } ?? "second: nothing")</p>\n"
        let profiles = try found.profiles(in: view.store, cells: TableLook.cells)
        if profiles.isEmpty { continue }
        var table = HTMLTable("Columns that differ in \(stage.name).\(found.name)", "column", "first", "second")
        for change in profiles { table.append(["\(change.name)", describe(change.old), describe(change.new)]) }
        body += table.html
      }
      if !stage.metrics.isEmpty { body += "<h3>Metrics</h3>\n\(table("Metrics of \(stage.name) that differ", stage.metrics).html)" }
      if !stage.expectations.isEmpty { body += "<h3>Expectations</h3>\n\(table("Expectations of \(stage.name) that came out otherwise", stage.expectations).html)" }
    }
    let same = comparison.stages.filter(\.isSame).map(\.name)
    if !same.isEmpty { body += "<h2>The same</h2>\n<p>\(same.joined(separator: ", "))</p>\n" }
    return frame(200, "Two runs", body, json: "/compare.json?a=\(percentEncoded(old))&b=\(percentEncoded(new))")
  }

  private func table(_ caption: String, _ changes: [JSONChange]) -> HTMLTable {
    var table = HTMLTable(caption, "where", "first", "second")
    let side = { (value: JSONValue?) -> HTML in value.map { "<code>\(shortened($0.canonical))</code>" } ?? "nothing" }
    for change in changes { table.append(["\(change.path.pointer)", side(change.old), side(change.new)]) }
    return table
  }

  private func describe(_ profile: ColumnProfile?) -> HTML {
    guard let profile else { return "nothing" }
    var html: HTML = "\(profile.field.type.description), "
    if let smallest = profile.smallest, let largest = profile.largest { html += "\(shortened(smallest.description, 40)) … \(shortened(largest.description, 40)), " }
    return html + "\(profile.distinctText) distinct, \(counted(profile.nulls, "null")) of \(counted(profile.rows, "row"))"
  }
}
