import ArgumentParser
import Engine

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "plan", abstract: "Says what a run would do, and why; runs nothing.")

  @OptionGroup var document: DocumentArguments
  @OptionGroup var asked: RunArguments
  @Option(help: ArgumentHelp("Write the plan down, for run --plan.", valueName: "file")) var out: String?
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let plan = try document.plan(asked.options)
    tell(plan.warnings, unless: common.quiet)
    let report = try Executor(store: place.store(of: document.project)).plan(plan, asked.options)
    if let out {
      let source = document.source
      let text = PlanFile.json(
        report, document: source.document, values: source.values, allowPath: source.allowPath, options: asked.options
      ).pretty()
      try finishedFile(out) { try write(text, to: $0) }
    }
    if asked.json { return Standard.out(report.json.pretty()) }
    var table = TextTable([("stage", .left), ("kind", .left), ("status", .left), ("because", .left)])
    for stage in report.stages {
      let reasons = stage.reasons.count > 1 ? stage.reasons.map { cut($0.description, to: 72) }.joined(separator: "; ") : reasonText(stage.reasons)
      table.append([stage.name, stage.kind, stage.status.rawValue, reasons + (stage.whole.map { " (as a whole: \"\($0)\")" } ?? "")])
    }
    var expected = TextTable([("expectation", .left), ("severity", .left), ("status", .left), ("because", .left)])
    for node in report.expectations {
      guard let expectation = node.expectation else { continue }
      let known = node.outcome.map { $0.holds ? ", met" : ", not met: \($0.found ?? "")" } ?? ""
      expected.append(["\(expectation.subject): \(expectation.expectation.words)", expectation.expectation.severity.rawValue, node.status.rawValue + known, reasonText(node.reasons)])
    }
    var counts: [(PlanReport.Status, String)] = [(.wouldExecute, "would execute"), (.mayExecute, "may execute"), (.cached, "cached")]
    if !report.names(.blocked).isEmpty { counts.append((.blocked, "blocked")) }
    let total = counts.map { "\(report.names($0.0).count) \($0.1)" }.joined(separator: ", ")
    let below = report.expectations.isEmpty ? "" : "\n" + expected.text()
    Standard.out(table.text() + below + "\npipeline \(report.pipeline): \(total)\n")
  }
}
