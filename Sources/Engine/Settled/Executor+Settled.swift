import Columns
import Diagnostics
import Pipelines

/// A run that had nothing to do.
public struct SettledEnd: Sendable {
  public let heading: RunHeading
  public let files: [RunFile]
  /// As `RunWords` said it.
  public let told: String
}

extension Executor {
  /// The run of these words where all that it rests on is as the last one left it; it is recorded like any other. Nil: it has to be run. `start`
  /// says nothing of where values came from, which is known.
  public func runSettled(_ words: RunWords, of document: String, _ finder: SourceFinder, _ options: RunOptions, _ start: Provenance) throws -> SettledEnd? {
    guard Disk.isFolder(store.path) else { return nil }
    let clock = Stopwatch(), catalog = Catalog.open(store)
    guard let known = catalog.settledRun(words.key) else { return nil }
    try store.prepare()
    TemporaryFolder.sweep(store)
    // A collection that begins now waits until the record stands, which keeps what it names.
    guard let gate = StoreGate(store) else { return nil }
    return try gate.hold {
      guard known.hasSameSources(finder), Disk.stamp(of: known.places, in: store.path) == known.stamp else { return nil }
      let folder = try RunFolder(in: store)
      let heading = RunHeading(
        id: folder.id, pipeline: known.pipeline, file: document, status: .succeeded, started: folder.started, seconds: clock.seconds, executed: 0,
        cached: known.stages, failed: 0, skipped: 0, width: options.width, toolVersion: options.toolVersion)
      try folder.write(heading, known.findings, startedWith: start.members(options, hasMade: false), files: store)
      catalog.record(runs: [(heading.id, heading.json)])
      return SettledEnd(heading: heading, files: known.findings.files, told: known.told)
    }
  }
}
