import Diagnostics
import Engine
import Pipelines

/// What people read after a run.
func summary(of report: RunReport, store: ArtifactStore) -> String {
  tables(of: report) + ending(of: report.heading, files: report.files, store: store)
}

/// The stages, what was expected of them and what their variants came to.
@Sendable func tables(of report: RunReport) -> String {
  var table = TextTable([("stage", .left), ("status", .left), ("seconds", .right), ("rows", .right), ("because", .left)])
  for stage in report.stages {
    table.append([
      stage.name, stage.status.rawValue + (stage.parts.map { " (\($0.executed) of \($0.total) partitions)" } ?? ""), stage.status == .executed || stage.status == .failed ? plainSeconds(stage.seconds) : "",
      stage.rows.map(grouped) ?? "", reasonText(stage.reasons),
    ])
  }
  var text = table.text()
  let expected = report.stages.flatMap { stage in stage.expectations.map { (stage: stage.name, expectation: $0) } }
  if !expected.isEmpty {
    var table = TextTable([("expectation", .left), ("severity", .left), ("came out", .left), ("found", .left)])
    for (stage, expectation) in expected {
      table.append(["\(stage): \(expectation.words)", expectation.severity.rawValue, expectation.word, cut(expectation.outcome?.found ?? "", to: 72)])
    }
    text += "\n" + table.text()
  }
  for metrics in report.metricTables {
    var table = TextTable((metrics.axes + metrics.metrics).map { ($0, .right) })
    for row in metrics.rows { table.append(row.variant + row.values.map { $0?.canonical ?? "" }) }
    text += "\n\(metrics.stage)\n" + table.text(indent: 2)
  }
  return text
}

/// The last lines: how it ended, and where its files are.
func ending(of run: RunHeading, files made: [RunFile], store: ArtifactStore) -> String {
  let counts = run.counts.map { "\($0.count) \($0.status.rawValue)" }.joined(separator: ", ")
  let folder = shownPath(store.path) + "/" + run.folder
  var files = TextTable([("", .left), ("", .left)])
  for file in made where file.mediaType == "text/html" { files.append(["report", folder + "/" + file.name]) }
  files.append(["run", folder + "/run.html"])
  for file in made where file.mediaType.hasPrefix("image/") { files.append(["picture", folder + "/" + file.name]) }
  for file in made where file.mediaType != "text/html" && !file.mediaType.hasPrefix("image/") {
    files.append(["file", folder + "/" + file.name])
  }
  return "\npipeline \(run.pipeline) \(run.status.rawValue) in \(secondsText(run.seconds)): \(counts)\n" + files.text(indent: 2)
}

/// The first reason, short, and how many more there are.
func reasonText(_ reasons: [Reason]) -> String {
  guard let first = reasons.first else { return "" }
  return cut(first.description, to: 72) + (reasons.count > 1 ? " (and \(reasons.count - 1) more)" : "")
}

/// Seconds for a column whose title says so.
func plainSeconds(_ seconds: Double) -> String {
  let hundredths = Int((max(0, min(seconds, 1e9)) * 100).rounded())
  return "\(grouped(hundredths / 100)).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
}

/// The mistakes of failed stages. Every first line names pipeline, stage, file and place.
func failures(of report: RunReport) -> [Diagnostic] {
  report.stages.flatMap { stage in
    let unmet = stage.expectations.flatMap { expectation in
      expectation.mistakes + (expectation.severity == .error ? [expectation.diagnostic].compactMap { $0 } : [])
    }
    return (stage.mistakes + unmet).map { $0.told(of: "pipeline \"\(report.pipeline)\", stage \"\(stage.name)\" (\(stage.kind))", at: stage.span) }
  }
}
