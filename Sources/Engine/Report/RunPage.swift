import Diagnostics
import Pipelines

/// `run.html`: one page that needs nothing else: the graph, what ran and why, and when.
struct RunPage {
  private let report: RunReport

  init(_ report: RunReport) { self.report = report }

  var html: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(report.pipeline)) · \(report.id)</title>
    <style>\(Self.style)</style>
    </head>
    <body>
    <main>
    <h1>\(escaped(report.pipeline)) <span class="status \(report.status.rawValue)">\(report.status.rawValue)</span></h1>
    <p class="facts">\(facts)</p>
    \(mistakes)
    <h2>Graph</h2>
    <div class="wide" tabindex="0" role="region" aria-label="Graph of the stages">\(RunGraph(report).svg)</div>
    <h2>Stages</h2>
    <div class="wide" tabindex="0" role="region" aria-label="Stages: status, reasons, outputs, metrics, time">\(table)</div>
    \(expectations)
    \(matrix)
    \(changes)
    <h2>Time</h2>
    <div class="wide" tabindex="0" role="region" aria-label="When stages ran">\(gantt)</div>
    \(warnings)
    \(notes)
    </main>
    </body>
    </html>

    """
  }

  private var facts: String {
    let counts = [RunReport.Stage.Status.executed, .cached, .failed, .skipped].compactMap { status -> String? in
      let count = report.count(status)
      return count > 0 || status == .executed || status == .cached ? "\(count) \(status.rawValue)" : nil
    }
    var facts = ["run <code>\(report.id)</code>", "document <code>\(escaped(report.file))</code>", "began \(report.started)", "took \(duration(report.seconds))"]
    facts += counts + ["-j \(report.width)"]
    if !report.toolVersion.isEmpty { facts.append("Millrace \(escaped(report.toolVersion))") }
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

  private var gantt: String {
    let ran = report.stages.filter { $0.start != nil }
    if ran.isEmpty { return "<p>Nothing was executed.</p>" }
    let total = max(ran.map { $0.start! + $0.seconds }.max() ?? 0, 1e-6)
    let left = 180.0, room = 640.0, step = 24
    var svg = "<svg viewBox=\"0 0 \(Int(left + room) + 80) \(ran.count * step + 8)\" width=\"\(Int(left + room) + 80)\" role=\"img\" aria-label=\"When each of \(ran.count) stages ran\">"
    for (at, stage) in ran.enumerated() {
      let y = at * step + 4
      let x = left + stage.start! / total * room
      let length = max(2, stage.seconds / total * room)
      svg += "<text x=\"\(Int(left) - 8)\" y=\"\(y + 14)\" text-anchor=\"end\">\(escaped(shortened(stage.name, 24)))</text>"
      svg += "<rect class=\"\(stage.status.rawValue)\" x=\"\(decimals(x, 1))\" y=\"\(y)\" width=\"\(decimals(length, 1))\" height=\"18\" rx=\"3\"><title>\(escaped(stage.name)): \(duration(stage.seconds))</title></rect>"
      svg += "<text x=\"\(decimals(x + length + 6, 1))\" y=\"\(y + 14)\">\(duration(stage.seconds))</text>"
    }
    return svg + "</svg>"
  }

  static let style = """
    :root { color-scheme: light dark; --ink: #1c1f23; --paper: #ffffff; --line: #d5d9de; --faint: #667085;
      --executed: #2460c8; --cached: #1c7549; --failed: #b92d22; --skipped: #626c7a; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15181c; --line: #363c44; --faint: #98a1ad;
      --executed: #7ea8ff; --cached: #5cc08f; --failed: #ff8a80; --skipped: #98a1ad; } }
    body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
    h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
    .facts, small { color: var(--faint); } .wide { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
    @media print { body { margin: 0; max-width: none; } .wide { overflow: visible; } tr { break-inside: avoid; } }
    .wide:focus-visible { outline: 2px solid var(--executed); }
    .number { text-align: right; white-space: nowrap; } code, pre { font-family: ui-monospace, monospace; font-size: .85em; } pre { white-space: pre-wrap; margin: .3rem 0; }
    .status { font-size: .8rem; padding: .1rem .5rem; border-radius: 1rem; border: 1px solid currentColor; white-space: nowrap; }
    .executed { color: var(--executed); } .cached, .succeeded { color: var(--cached); } .failed { color: var(--failed); } .skipped, .cancelled { color: var(--skipped); }
    .mistake, .warning { border-left: 3px solid var(--failed); padding: .2rem .8rem; margin: .6rem 0; } .warning { border-color: var(--skipped); }
    svg { font: 12px system-ui, sans-serif; } svg text { fill: var(--ink); } svg rect { fill: currentColor; } svg path { fill: none; stroke: var(--faint); }
    svg .box { fill: var(--paper); stroke: currentColor; stroke-width: 1.5; } svg .kind { fill: var(--faint); font-size: 10px; }
    a { color: var(--executed); }
    """
}

/// The stages as boxes in columns by their distance from the sources, with what flows between them.
struct RunGraph {
  private let report: RunReport
  /// More boxes than anybody looks at.
  private static let limit = 400

  init(_ report: RunReport) { self.report = report }

  var svg: String {
    let stages = report.stages
    if stages.count > Self.limit { return "<p>\(stages.count) stages: too many for a picture.</p>" }
    let place = Dictionary(uniqueKeysWithValues: stages.enumerated().map { ($1.name, $0) })
    var column = [Int](repeating: 0, count: stages.count)
    for (at, stage) in stages.enumerated() {
      for need in stage.needs { if let from = place[need] { column[at] = max(column[at], column[from] + 1) } }
    }
    var used: [Int: Int] = [:], row = [Int](repeating: 0, count: stages.count)
    for at in stages.indices {
      row[at] = used[column[at], default: 0]
      used[column[at], default: 0] += 1
    }
    let tallest = used.values.max() ?? 0
    let (w, h, dx, dy) = (150, 40, 200, 58)
    let x = { (at: Int) in column[at] * dx + 4 }
    // Columns are centred on the tallest.
    let y = { (at: Int) in row[at] * dy + (tallest - used[column[at]]!) * dy / 2 + 4 }
    let width = ((column.max() ?? 0) * dx) + w + 8, height = max(1, tallest) * dy
    var svg = "<svg viewBox=\"0 0 \(width) \(height)\" width=\"\(width)\" role=\"img\" aria-label=\"\(stages.count) stages and what flows between them\">"
    for (at, stage) in stages.enumerated() {
      for need in stage.needs {
        guard let from = place[need] else { continue }
        let (x1, y1, x2, y2) = (x(from) + w, y(from) + h / 2, x(at), y(at) + h / 2)
        let bend = (x2 - x1) / 2
        svg += "<path d=\"M\(x1) \(y1)C\(x1 + bend) \(y1) \(x2 - bend) \(y2) \(x2) \(y2)\"/>"
      }
    }
    for (at, stage) in stages.enumerated() {
      svg += "<g class=\"\(stage.status.rawValue)\"><rect class=\"box\" x=\"\(x(at))\" y=\"\(y(at))\" width=\"\(w)\" height=\"\(h)\" rx=\"6\"/>"
      svg += "<text x=\"\(x(at) + 10)\" y=\"\(y(at) + 17)\">\(escaped(shortened(stage.name, 20)))</text>"
      svg += "<text class=\"kind\" x=\"\(x(at) + 10)\" y=\"\(y(at) + 31)\">\(escaped(shortened(stage.kind, 16))) · \(stage.status.rawValue)</text>"
      svg += "<title>\(escaped(stage.name)) (\(escaped(stage.kind))): \(stage.status.rawValue)</title></g>"
    }
    return svg + "</svg>"
  }
}

/// Text that stands in HTML, in an attribute too.
func escaped(_ text: String) -> String {
  var out = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": out += "&amp;"
    case "<": out += "&lt;"
    case ">": out += "&gt;"
    case "\"": out += "&quot;"
    case "'": out += "&#39;"
    default: out.unicodeScalars.append(scalar.value < 32 && scalar != "\n" && scalar != "\t" ? "\u{FFFD}" : scalar)
    }
  }
  return out
}

/// A file's name as a link: everything but letters, digits and `.-_~` in percent form. `./` keeps `a:b` from being a scheme.
private func linked(_ name: String) -> String {
  "./" + name.utf8.map { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"):
      String(UnicodeScalar(byte))
    default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }.joined()
}

private func shortened(_ text: String, _ limit: Int) -> String { text.count > limit ? text.prefix(limit - 1) + "…" : text }

private func grouped(_ number: Int) -> String {
  var digits = Array(String(number))
  var at = digits.count - 3
  while at > 0 {
    digits.insert(",", at: at)
    at -= 3
  }
  return String(digits)
}

/// `12.3 s`, `45 ms`.
func duration(_ seconds: Double) -> String {
  seconds < 1 ? "\(decimals(seconds * 1000, seconds < 0.01 ? 1 : 0)) ms" : "\(decimals(seconds, 2)) s"
}

/// A number that is not negative, with so many digits behind the point.
private func decimals(_ value: Double, _ digits: Int) -> String {
  var power = 1.0
  for _ in 0..<digits { power *= 10 }
  let scaled = (value * power).rounded()
  guard scaled.isFinite, scaled < 9e15 else { return "?" }
  if digits == 0 { return String(Int(scaled)) }
  let rest = String(Int(scaled) % Int(power))
  return "\(Int(scaled) / Int(power))." + String(repeating: "0", count: digits - rest.count) + rest
}
