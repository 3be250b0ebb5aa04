import Columns
import Diagnostics
import Formats
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What a run that has nothing to do finds and says: written down by the run before it, with the files that this rests on. A run of the same
/// words looks whether those files are as they were, names, sizes, times and inodes, and where all are it is done without
/// binding the document, and without reading one recipe (docs/decisions/settled-runs.md).
///
/// It is kept in the catalog, one for each pipeline, and goes with the first run of that pipeline that ends another way.
struct SettledRun: Sendable {
  let pipeline: String
  let key: Digest
  let stages: Int
  /// Sources of the document with their files, and what the system said of each: `[[pattern, typed, [[name, path, stamp]…]]…]`.
  let sources: JSONValue
  /// Below the store's folder: recipes, and the files of what they gave.
  let places: [String]
  /// Of all of them in one: `Disk.stamp(of:in:)`.
  let stamp: Digest
  let findings: RunFolder.Findings
  let told: String
}

extension SettledRun {
  /// Whether every source means the files that it meant, and these are as they were. What cannot be found is another matter: the run
  /// itself says so.
  func hasSameSources(_ finder: SourceFinder) -> Bool {
    for source in sources.array ?? [] {
      guard let parts = source.array, parts.count == 3, let pattern = parts[0].string, let isTyped = parts[1].bool,
        let found = try? finder.files(of: Source(.files(pattern), setting: []), origin: isTyped ? .commandLine : .document)
      else { return false }
      var now: [JSONValue] = []
      for file in found {
        guard let stamp = try? SourceVersions.Stamp(file) else { return false }
        now.append(Self.entry(file, stamp.text))
      }
      if parts[2] != .array(now) { return false }
    }
    return true
  }

  private static func entry(_ file: SourceFile, _ stamp: String) -> JSONValue { .array([.string(file.name), .string(file.path), .string(stamp)]) }

  /// Nil where a source is no file, or may have been written again within the tick of the clock in which it was read.
  static func sources(_ found: [FoundSource], _ versions: [SourceVersions.File]) -> JSONValue? {
    let known = Dictionary(versions.map { ($0.file.path, $0) }, uniquingKeysWith: { first, _ in first })
    var entries: [JSONValue] = []
    for source in found {
      guard case .files(let pattern) = source.source.version, !RemoteAddress.isAddress(pattern) else { return nil }
      var files: [JSONValue] = []
      for file in source.files {
        guard let version = known[file.path], version.isSettled else { return nil }
        files.append(entry(file, version.stamp))
      }
      entries.append(.array([.string(pattern), .bool(source.origin == .commandLine), .array(files)]))
    }
    return .array(entries)
  }
}

extension Execution {
  /// What the next run of the same words will find, once this one has ended; nil where it has to look for itself.
  ///
  /// What this run did not write itself is looked up once more, after its files were looked at: what is written down was whole at that time.
  func settledRun(_ words: RunWords) -> SettledRun? {
    guard status == .succeeded, plan.warnings.isEmpty, !plan.stages.contains(where: \.isAskedAlways), planned.nodes.count == plan.stages.count,
      plan.stages.allSatisfy({ stage in stage.stage.sources.allSatisfy { if case .files = $0.version { true } else { false } } }),
      let sources = SettledRun.sources(words.found, planned.nodes.flatMap { $0.sources.joined() })
    else { return nil }
    let (settled, executed) = ledger.withLock { ($0.settled, $0.executed) }
    let store = freshness.store
    var places: [String] = [], packs: Set<String> = []
    /// What lies in a pack is as it was when that is.
    func add(_ names: [String]) {
      guard let found = store.packs.file(names[0]), !Disk.exists(store.path + "/" + names[0]) else {
        places += names
        return
      }
      if packs.insert(found.pack.name).inserted { places.append("packs/" + found.pack.name) }
    }
    for node in planned.nodes {
      guard let entry = settled[node.index], let made = entry.made else { return nil }
      add(["recipes/\(entry.recipe.key).json"])
      guard made.isStored else { continue }
      for output in made.outputs {
        let folder = "objects/\(output.record.digest)/"
        add([folder + "artifact.json"] + output.record.files.map { folder + $0.name })
      }
    }
    // They are kept as lines.
    guard !places.contains(where: { $0.utf8.contains(10) }), let stamp = Disk.stamp(of: places, in: store.path) else { return nil }
    let looking = Freshness(store: store, catalog: freshness.catalog, asked: freshness.asked)
    var nodes: [PlanReport.Stage] = []
    for node in planned.nodes {
      guard let entry = settled[node.index], let made = entry.made else { return nil }
      if !executed.contains(entry.recipe.key) {
        guard case .made(let found) = looking.find(entry.recipe.key, of: plan.stages[node.index]), found.isStored == made.isStored, found.agrees(with: made)
        else { return nil }
      }
      nodes.append(node.asFound(made, by: entry.recipe))
    }
    let next = Execution(
      plan: plan, planned: PlanReport(pipeline: plan.pipeline, nodes: nodes), options: options, freshness: looking, cancellation: CancellationFlag(),
      observer: nil, clock: clock)
    next.settleCached()
    let stages = next.reports
    // Warnings are told anew in every run, by who knows how.
    guard next.status == .succeeded, !stages.contains(where: { $0.expectations.contains { $0.diagnostic != nil } }) else { return nil }
    let report = RunReport(
      id: "", pipeline: plan.pipeline, file: plan.file, status: .succeeded, started: "", seconds: 0, width: options.width, toolVersion: options.toolVersion,
      stages: stages, resolved: plan.resolved, origins: options.provenance?.origins)
    return SettledRun(
      pipeline: plan.pipeline, key: words.key, stages: stages.count, sources: sources, places: places, stamp: stamp, findings: report.findings,
      told: words.told(report))
  }
}

extension PlanReport.Stage {
  /// As the next run sees it.
  fileprivate func asFound(_ made: Freshness.Made, by recipe: Recipe) -> PlanReport.Stage {
    PlanReport.Stage(
      name: name, kind: kind, status: .cached, reasons: [], whole: whole, expectation: expectation, index: index, recipe: recipe, sources: sources, made: made,
      twin: nil)
  }
}
