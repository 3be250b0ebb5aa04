import Diagnostics
import Engine
import Pipelines

/// `/runs/ID`: what the record of a run says.
extension Viewer {
  func run(_ run: StoreView.Run) -> ViewResponse {
    let path = "/runs/\(percentEncoded(run.entry.id))"
    guard let record = view.record(of: run) else {
      let words: HTML = run.state == .underWay
        ? "<p>\(mark("under way"))</p><p>The run is under way. What it did is told when it ends: load this page again then.</p>"
        : "<p>\(mark("killed"))</p><p>The run ended without a record: it was killed. What it had finished is kept, and the next run goes on from there.</p>"
      return frame(200, "Run \(run.entry.id)", words, json: path + ".json")
    }
    let stages = record["stages"]?.array ?? []
    var body: HTML = "<p class=\"facts\">\(facts(record, run).joined(" · "))</p>\n"
    if let before = view.runs().drop(while: { $0.entry.id != run.entry.id }).dropFirst().first(where: { $0.state == .ended && $0.entry.pipeline == run.entry.pipeline }) {
      body += "<p><a href=\"/compare?a=\(percentEncoded(before.entry.id))&amp;b=\(percentEncoded(run.entry.id))\">What differs from the run before</a></p>\n"
    }
    body += told("Mistakes", "mistake", stages) { stage in
      (stage["mistakes"]?.array ?? []) + (stage["expectations"]?.array ?? []).flatMap { $0["mistakes"]?.array ?? [] }
    }
    let pictured = stages.map { stage in
      PicturedStage(
        name: stage["name"]?.string ?? "", kind: stage["kind"]?.string ?? "", status: stage["status"]?.string ?? "",
        needs: (stage["needs"]?.array ?? []).compactMap(\.string), start: positive(stage["start"]), seconds: positive(stage["seconds"]) ?? 0,
        link: "#stage-" + (stage["name"]?.string ?? ""))
    }
    body += "<h2>Graph</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Graph of the stages\">\(HTML(markup: RunGraph(pictured).svg))</div>\n"
    body += "<h2>Stages</h2>\n\(stageTable(stages))"
    body += matrix(stages) + expectations(stages)
    body += "<h2>Time</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"When stages ran\">\(HTML(markup: RunTimes(pictured).svg))</div>\n"
    body += told("Warnings", "warning", stages) { $0["warnings"]?.array ?? [] }
    body += notes(stages) + values(record) + files(stages)
    return frame(200, "Run of \(record["pipeline"]?.string ?? "")", body, json: path + ".json")
  }

  private func positive(_ number: JSONValue?) -> Double? { number?.double.flatMap { $0 >= 0 && $0 < 1e9 ? $0 : nil } }

  private func facts(_ record: JSONValue, _ run: StoreView.Run) -> [HTML] {
    let word = { (name: String) in record[name]?.string ?? "" }
    var facts: [HTML] = [
      mark(word("status")), "run <code>\(run.entry.id)</code>", "document <code>\(word("file"))</code>", "began \(word("started"))",
      "took \(duration(positive(record["seconds"]) ?? 0))", "\(record["executed"]?.int ?? 0) executed", "\(record["cached"]?.int ?? 0) cached",
    ]
    for count in ["failed", "skipped"] { if let number = record[count]?.int, number > 0 { facts.append("\(number) \(count)") } }
    if let width = record["width"]?.int { facts.append("-j \(width)") }
    if !word("millrace").isEmpty { facts.append("Millrace \(word("millrace"))") }
    let commit = commit(run.git)
    if !commit.text.isEmpty { facts.append("commit \(commit)") }
    if let host = record["machine"]?["host"]?.string { facts.append("on \(host)") }
    if run.entry.isPinned { facts.append("pinned") }
    return facts
  }

  private func stageTable(_ stages: [JSONValue]) -> HTML {
    var table = HTMLTable("Status, reasons, outputs, metrics, time", "stage", "status", "why", "outputs", "metrics", "time#")
    for stage in stages {
      let reasons = (stage["reasons"]?.array ?? []).compactMap { Reason(json: $0) }.map { reason -> HTML in "\(reason.description)" }
      let outputs = (stage["outputs"]?.members ?? []).map { output($0.key, $0.value) }
      var status = mark(stage["status"]?.string ?? "")
      if let parts = stage["partitions"], let executed = parts["executed"]?.int, let of = parts["of"]?.int { status += "<br><small>\(executed) of \(of) partitions</small>" }
      if let attempts = stage["attempts"]?.int { status += "<br><small>\(attempts) attempts</small>" }
      table.append([
        "\(stage["name"]?.string ?? "")<br><small>\(stage["kind"]?.string ?? "")</small>", status, reasons.joined("<br>"), outputs.joined("<br>"),
        metrics(stage["metrics"]), stage["start"] == nil ? "" : "\(duration(positive(stage["seconds"]) ?? 0))",
      ], id: "stage-" + (stage["name"]?.string ?? ""))
    }
    return table.html
  }

  /// An output as a record has it, with the way to its artifact.
  func output(_ name: String, _ value: JSONValue) -> HTML {
    let digest = value["digest"]?.string ?? ""
    let isKept = value["kept"]?.bool != false
    let short: HTML = "<code>\(String(digest.prefix(8)))</code>"
    var html: HTML = isKept ? "\(name) <a href=\"/artifacts/\(percentEncoded(digest))\" aria-label=\"artifact \(digest)\">\(short)</a>" : "\(name) \(short)"
    if let rows = value["rows"]?.int { html += " \(counted(rows, "row"))" }
    if let file = value["name"]?.string { html += " \(file)" }
    return isKept ? html : html + ", not kept"
  }

  private func metrics(_ metrics: JSONValue?) -> HTML {
    let members = (metrics?.members ?? []).filter { $0.key != "notes" }
    if members.isEmpty { return "" }
    let lines = members.map { member -> HTML in "\(member.key) = \(shortened(member.value.canonical))" }
    return "<details><summary>\(counted(members.count, "metric"))</summary>\(lines.joined("<br>"))</details>"
  }

  private func told(_ title: String, _ style: HTML, _ stages: [JSONValue], _ list: (JSONValue) -> [JSONValue]) -> HTML {
    let parts = stages.compactMap { stage -> HTML? in
      let told = list(stage)
      if told.isEmpty { return nil }
      return "<div class=\"\(style)\"><strong>\(stage["name"]?.string ?? "")</strong><pre>\(told.map { Diagnostic(json: $0).description }.joined(separator: "\n"))</pre></div>\n"
    }
    return parts.isEmpty ? "" : "<h2>\(title)</h2>\n\(parts.joined())"
  }

  private func notes(_ stages: [JSONValue]) -> HTML {
    let parts = stages.compactMap { stage -> HTML? in
      let notes = (stage["metrics"]?["notes"]?.array ?? []).compactMap(\.string)
      if notes.isEmpty { return nil }
      return "<div class=\"warning\"><strong>\(stage["name"]?.string ?? "")</strong><pre>\(notes.joined(separator: "\n"))</pre></div>\n"
    }
    return parts.isEmpty ? "" : "<h2>Notes</h2>\n\(parts.joined())"
  }

  /// What the variants of each stage came to, side by side.
  private func matrix(_ stages: [JSONValue]) -> HTML {
    let tables = MetricTable.all(ofRecord: stages).map { told -> HTML in
      let axes = told.axes.map { HTMLTable.Column(title: $0) }
      var table = HTMLTable("Variants of \(told.stage)", axes + told.metrics.map { HTMLTable.Column(title: $0, isNumber: true) })
      for row in told.rows {
        table.append(row.variant.map { "\($0)" } + row.values.map { value -> HTML in "\(value?.canonical ?? "")" })
      }
      return table.html
    }
    return tables.isEmpty ? "" : "<h2>Matrix</h2>\n\(tables.joined())"
  }

  private func expectations(_ stages: [JSONValue]) -> HTML {
    var table = HTMLTable("What is expected, and how it came out", "of", "expected", "severity", "came out", "found")
    for stage in stages {
      for entry in stage["expectations"]?.array ?? [] {
        let holds = entry["holds"]?.bool
        let word = holds.map { $0 ? "met" : "not met" } ?? entry["status"]?.string ?? ""
        let style: HTML = holds == true ? "succeeded" : holds == false && entry["severity"]?.string == "error" ? "failed" : "skipped"
        table.append([
          "\(entry["of"]?.string ?? stage["name"]?.string ?? "")", "\(entry["expects"]?.string ?? "")", "\(entry["severity"]?.string ?? "")",
          "<span class=\"status \(style)\">\(word)</span>", "\(entry["found"]?.string ?? "")",
        ])
      }
    }
    return table.isEmpty ? "" : "<h2>Expectations</h2>\n\(table.html)"
  }

  /// Where every value came from.
  private func values(_ record: JSONValue) -> HTML {
    let origins = record["origins"]
    var parameters = HTMLTable("Parameters", "name", "value", "from")
    for member in origins?["parameters"]?.members ?? [] {
      parameters.append(["\(member.key)", "<code>\(shortened(member.value["value"]?.canonical ?? ""))</code>", "\(member.value["from"]?.string ?? "")"])
    }
    var settings = HTMLTable("Settings from parameters and by default", "stage", "from parameters", "defaults")
    for member in origins?["settings"]?.members ?? [] {
      let given = (member.value["parameters"]?.members ?? []).map { setting -> HTML in
        "<code>\(setting.key)</code> from \((setting.value.array ?? []).compactMap(\.string).joined(separator: ", "))"
      }
      let defaults = (member.value["defaults"]?.array ?? []).compactMap(\.string).map { path -> HTML in "<code>\(path)</code>" }
      if given.isEmpty && defaults.isEmpty { continue }
      let folded: HTML = defaults.isEmpty ? "" : "<details><summary>\(counted(defaults.count, "default"))</summary>\(defaults.joined("<br>"))</details>"
      settings.append(["\(member.key)", given.joined("<br>"), folded])
    }
    if parameters.isEmpty && settings.isEmpty { return "" }
    return "<h2>Values</h2>\n\(parameters.isEmpty ? "" : parameters.html)\(settings.isEmpty ? "" : settings.html)"
  }

  private func files(_ stages: [JSONValue]) -> HTML {
    var table = HTMLTable("Files that were read", "file", "by", "digest")
    for stage in stages {
      for file in stage["sources"]?.members ?? [] {
        table.append(["\(file.key)", "\(stage["name"]?.string ?? "")", "<code>\(file.value.string ?? "")</code>"])
      }
    }
    return table.isEmpty ? "" : "<h2>Files</h2>\n\(table.html)"
  }
}
