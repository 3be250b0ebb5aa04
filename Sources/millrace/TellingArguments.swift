import ArgumentParser
import Diagnostics
import Engine
import Pipelines

/// To whom a run tells what it does.
struct TellingArguments: ParsableArguments {
  @Option(help: ArgumentHelp(
    "Progress as it is drawn on a terminal (live), a line a stage (plain), or a JSON object a line (json). Default: live on a terminal, else plain.", valueName: "style"))
  var log: LogStyle?
  @Option(help: ArgumentHelp("When each stage ran, for Perfetto or Chrome's about:tracing; also: millrace runs trace.", valueName: "file"))
  var trace: String?
  @Option(help: ArgumentHelp(
    """
    OpenLineage events with the lineage of columns: a file whose end they are put at, or an address of http or https. Default: $OPENLINEAGE_URL; with \
    $OPENLINEAGE_API_KEY and $OPENLINEAGE_NAMESPACE.
    """, valueName: "place"))
  var lineage: String?

  /// Runs with those that are told, and tells them the end.
  func told(
    _ log: RunLog?, quiet: Bool, _ plan: BoundPlan, _ store: ArtifactStore, _ project: Project, _ options: RunOptions, _ run: ((any RunObserver)?) throws -> RunReport
  ) throws -> RunReport {
    let display = quiet || log != nil ? nil : ProgressDisplay(live: self.log.map { $0 == .live } ?? Standard.errorIsTerminal)
    let lineage = try lineagePlace.map { place in
      try LineageObserver(
        place, namespace: environment("OPENLINEAGE_NAMESPACE") ?? "millrace", plan: plan, store: store, toolVersion: toolVersion, folder: project.documentFolder)
    }
    let all = ([log, display, lineage] as [(any RunObserver)?]).compactMap { $0 }
    var report: RunReport?
    defer {
      display?.finish()
      if let lost = lineage?.finish(report), !quiet {
        if let log { log.tell(lost) } else { Standard.error(lost.description + "\n") }
      }
    }
    report = try run(all.count > 1 ? Observers(all) : all.first)
    if let trace {
      let text = TraceEvents.of(report!.json()).pretty()
      try finishedFile(trace) { try write(text, to: $0) }
    }
    return report!
  }

  /// Whether only people are told.
  var isPlain: Bool { get throws { try log != .json && trace == nil && lineagePlace == nil } }

  private var lineagePlace: LineagePlace? {
    get throws {
      guard let place = lineage ?? environment("OPENLINEAGE_URL"), !place.isEmpty else { return nil }
      return try LineagePlace(place, key: environment("OPENLINEAGE_API_KEY"))
    }
  }
}

/// Warnings of the plan, before the run.
func tell(_ warnings: [Diagnostic], _ log: RunLog?, quiet: Bool) {
  guard let log else { return tell(warnings, unless: quiet) }
  for warning in warnings { log.tell(warning) }
}
