import Diagnostics
import Pipelines

/// `run.html`: one page that needs nothing else: the graph, what ran and why, and when.
struct RunPage {
  private let report: RunReport

  init(_ report: RunReport) { self.report = report }

  var html: String { Self.html(report.heading, findings: findings) }

  /// The page of a run whose `findings` are known.
  static func html(_ heading: RunHeading, findings: String) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(heading.pipeline)) · \(heading.id)</title>
    <style>\(PageStyle.css)</style>
    </head>
    <body>
    <main>
    <h1>\(escaped(heading.pipeline)) <span class="status \(heading.status.rawValue)">\(heading.status.rawValue)</span></h1>
    <p class="facts">\(facts(heading))</p>
    \(findings)
    </main>
    </body>
    </html>

    """
  }

  /// What stands below the head: nothing in it says which run it was, or when.
  var findings: String {
    """
    \(mistakes)
    <h2>Graph</h2>
    <div class="wide" tabindex="0" role="region" aria-label="Graph of the stages">\(RunGraph(pictured).svg)</div>
    <h2>Stages</h2>
    <div class="wide" tabindex="0" role="region" aria-label="Stages: status, reasons, outputs, metrics, time">\(table)</div>
    \(expectations)
    \(matrix)
    \(changes)
    <h2>Time</h2>
    <div class="wide" tabindex="0" role="region" aria-label="When stages ran">\(RunTimes(pictured).svg)</div>
    \(warnings)
    \(notes)
    """
  }

  private static func facts(_ heading: RunHeading) -> String {
    var facts = [
      "run <code>\(heading.id)</code>", "document <code>\(escaped(heading.file))</code>", "began \(heading.started)", "took \(duration(heading.seconds))",
    ]
    facts += heading.counts.map { "\($0.count) \($0.status.rawValue)" } + ["-j \(heading.width)"]
    if !heading.toolVersion.isEmpty { facts.append("Millrace \(escaped(heading.toolVersion))") }
    return facts.joined(separator: " · ")
  }

  private var mistakes: String {
    report.stages.compactMap { stage in
      let told = stage.mistakes + stage.expectations.flatMap { expectation in
        expectation.mistakes + (expectation.severity == .error ? [expectation.diagnostic].compactMap { $0 } : [])
      }
      if told.isEmpty { return nil }
      return "<div class=\"mistake\"><strong>\(escaped(stage.name))</strong><pre>\(escaped(told.map(\.description).joined(separator: "\n")))</pre></div>"
    }.joined(separator: "\n")
  }

  private var warnings: String {
    let told = report.stages.filter { !$0.warnings.isEmpty }
    if told.isEmpty { return "" }
    return "<h2>Warnings</h2>\n" + told.map { stage in
      "<div class=\"warning\"><strong>\(escaped(stage.name))</strong><pre>\(escaped(stage.warnings.map(\.description).joined(separator: "\n")))</pre></div>"
    }.joined(separator: "\n")
  }

  /// What stages want to be read beside their numbers: the texts of their metric "notes".
  private var notes: String {
    let told = report.stages.filter { !$0.notes.isEmpty }
    if told.isEmpty { return "" }
    return "<h2>Notes</h2>\n" + told.map { stage in
      "<div class=\"warning\"><strong>\(escaped(stage.name))</strong><pre>\(escaped(stage.notes.joined(separator: "\n")))</pre></div>"
    }.joined(separator: "\n")
  }

  private var table: String {
    let rows = report.stages.map { stage in
      """
      <tr><td><strong>\(escaped(stage.name))</strong><br><small>\(escaped(stage.kind))</small></td>\
      <td><span class="status \(stage.status.rawValue)">\(stage.status.rawValue)</span></td>\
      <td>\(stage.reasons.map { escaped($0.description) }.joined(separator: "<br>"))</td>\
      <td>\(stage.outputs.map(output).joined(separator: "<br>"))</td>\
      <td>\(metrics(stage))</td>\
      <td class="number">\(stage.start == nil ? "" : duration(stage.seconds))</td></tr>
      """
    }
    return """
      <table><thead><tr><th>stage</th><th>status</th><th>why</th><th>outputs</th><th>metrics</th><th class="number">time</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table>
      """
  }

  private var expectations: String {
    let rows = report.stages.flatMap { stage in
      stage.expectations.map { expectation -> String in
        let word = expectation.word, style = word == "met" ? "succeeded" : word == "not met" && expectation.severity == .error ? "failed" : "skipped"
        return """
          <tr><td><strong>\(escaped(stage.name))</strong><br><small>\(escaped(expectation.output))</small></td><td>\(escaped(expectation.words))</td>\
          <td>\(expectation.severity.rawValue)</td><td><span class="status \(style)">\(word)</span></td><td>\(escaped(expectation.outcome?.found ?? ""))</td></tr>
          """
      }
    }
    if rows.isEmpty { return "" }
    return "<h2>Expectations</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Expectations\"><table><thead><tr><th>of</th><th>expected</th><th>severity</th><th>came out</th><th>found</th></tr></thead>\n<tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
  }

  /// What the variants of each stage came to, side by side.
  private var matrix: String {
    let tables = report.metricTables
    if tables.isEmpty { return "" }
    return "<h2>Matrix</h2>\n" + tables.map { table in
      let head = (table.axes + table.metrics).map { "<th>\(escaped($0))</th>" }.joined()
      let rows = table.rows.map { row in
        "<tr>" + row.variant.map { "<td>\(escaped($0))</td>" }.joined() + row.values.map { "<td class=\"number\">\(escaped($0?.canonical ?? ""))</td>" }.joined() + "</tr>"
      }
      return "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Variants of \(escaped(table.stage))\"><h3>\(escaped(table.stage))</h3><table><thead><tr>\(head)</tr></thead>\n<tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
    }.joined(separator: "\n")
  }

  /// Stages that ran because something was not as in the run before, and what that was.
  private var changes: String {
    let ran = report.stages.filter { $0.status == .executed && !$0.reasons.isEmpty }
    if ran.isEmpty || !report.stages.contains(where: { $0.status == .cached }) { return "" }
    let items = ran.map { "<li><strong>\(escaped($0.name))</strong>: \($0.reasons.map { escaped($0.description) }.joined(separator: "; "))</li>" }
    return "<h2>What changed</h2>\n<p>\(report.count(.cached)) stages came out as before.</p>\n<ul>\(items.joined())</ul>"
  }

  private func output(_ output: RunReport.Output) -> String {
    let digest = "<code title=\"\(output.record.digest)\">\(String(output.record.digest.description.prefix(8)))</code>"
    switch output.record.content {
    case .table(let table): return "\(escaped(output.name)) \(digest) \(grouped(table.rows)) rows\(output.isKept ? "" : ", not kept")"
    case .document: return "\(escaped(output.name)) \(digest)"
    case .file(_, let name, _) where !output.isKept: return "\(escaped(output.name)) \(digest) \(escaped(name)), not kept"
    case .file(_, let name, _): return "\(escaped(output.name)) \(digest) <a href=\"\(escaped(linked(name)))\">\(escaped(name))</a>"
    }
  }

  private func metrics(_ stage: RunReport.Stage) -> String {
    let members = (stage.metrics.members ?? []).filter { $0.key != "notes" }
    if members.isEmpty { return "" }
    let lines = members.map { member in
      let value = member.value.canonical
      return "\(escaped(member.key)) = \(escaped(value.count > 200 ? value.prefix(200) + "…" : value))"
    }
    return "<details><summary>\(members.count)</summary>\(lines.joined(separator: "<br>"))</details>"
  }

  private var pictured: [PicturedStage] {
    report.stages.map { PicturedStage(name: $0.name, kind: $0.kind, status: $0.status.rawValue, needs: $0.needs, start: $0.start, seconds: $0.seconds) }
  }
}
