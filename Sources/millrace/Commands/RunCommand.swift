import ArgumentParser
import Engine
import Pipelines

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs what a pipeline document says and has not been done yet.",
    discussion: """
      Exit codes: 0 done; 1 a stage failed; 2 the document or its inputs do not fit; 3 what was planned or locked is not what is there; \
      128 + signal when stopped by one.
      """)

  @Argument(help: ArgumentHelp("The pipeline; none with --plan, which names it.", valueName: "document")) var document: String?
  @OptionGroup var given: ValueArguments
  @OptionGroup var asked: RunArguments
  @Option(help: ArgumentHelp("Do what millrace plan --out wrote, just that, or nothing when something has changed since.", valueName: "file"))
  var plan: String?
  @Flag(help: "Begin only with the files and values that millrace lock wrote down, and say when an output is another.") var locked = false
  @Option(help: ArgumentHelp("How long a stage waits for another run that makes the same: \"30 seconds\". Default: as long as it takes.", valueName: "duration"))
  var wait: Age?
  @OptionGroup var cache: CacheArguments
  @OptionGroup var telling: TellingArguments
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if document == nil, plan == nil { throw ValidationError("Missing expected argument '<document>'") }
    if plan == nil { return }
    if document != nil { throw ValidationError("--plan names the document; take \"\(document ?? "")\" away.") }
    if asked.choosesWork || !given.assignments.isEmpty || !given.allowPath.isEmpty {
      throw ValidationError("--plan says which stages and values; the only options beside it are about how to run.")
    }
  }

  func run() throws {
    let log = telling.log == .json && !common.quiet ? RunLog() : nil
    do { try run(log) } catch let error where log != nil {
      guard let (told, code) = verdict(on: error) else { throw error }
      for diagnostic in told { log?.tell(diagnostic) }
      throw code
    }
  }

  private func run(_ log: RunLog?) throws {
    var options = asked.options
    var source: PipelineSource
    if let plan {
      let promise = try PlanFile(contents(ofDocument: plan), file: plan)
      promise.choose(&options)
      source = PipelineSource(document: promise.document, values: promise.values, allowPath: promise.allowPath, connections: given.connections)
    } else {
      source = given.source(document ?? "")
    }
    if locked {
      let path = lockPath(of: source.document)
      options.lock = try LockFile(contents(ofDocument: path), file: path)
    }
    options.wait = wait.map { Double($0.seconds) }
    options.cache = try cache.shared()
    let store = place.store(of: source.project)
    if isPlain(options), try telling.isPlain {
      let text = try contents(ofDocument: source.document)
      source.text = text
      options.words = RunWords(arguments: Array(CommandLine.arguments.dropFirst()), document: text, toolVersion: toolVersion, told: tables)
      if let words = options.words {
        let start = source.provenance(of: text, origins: .null)
        if let end = try Executor(store: store).runSettled(words, of: source.document, source.finder, options, start) {
          return Standard.out(end.told + ending(of: end.heading, files: end.files, store: store))
        }
      }
    }
    let bound = try source.planToRun(&options)
    tell(bound.warnings, log, quiet: common.quiet)
    let report = try telling.told(log, quiet: common.quiet, bound, store, source.project, options) { try ran(bound, options, store, $0) }
    Standard.out(asked.json ? report.json(store: store.path).pretty() : summary(of: report, store: store))
    log?.runEnded(report)
    try end(report, log, quiet: common.quiet)
    if let moved = options.lock?.movedOutputs(report), !moved.isEmpty { throw Moved(moved) }
  }
}

extension RunCommand {
  /// Whether everything is to be run that is not done, and nobody asks for more than that.
  private func isPlain(_ options: RunOptions) -> Bool { plan == nil && !locked && !asked.choosesWork && !asked.json && options.cache == nil }
}

/// Runs until a signal says otherwise.
func ran(_ plan: BoundPlan, _ options: RunOptions, _ store: ArtifactStore, _ observer: (any RunObserver)?) throws -> RunReport {
  Interruption.begin()
  return try Executor(store: store).run(plan, options, observer: observer, cancellation: Interruption.flag)
}

/// Runs with progress on standard error.
func ran(_ plan: BoundPlan, _ options: RunOptions, _ store: ArtifactStore, quiet: Bool) throws -> RunReport {
  let display = quiet ? nil : ProgressDisplay(live: Standard.errorIsTerminal)
  defer { display?.finish() }
  return try ran(plan, options, store, display)
}

/// Tells what failed; throws the exit code where there is one.
func end(_ report: RunReport, _ log: RunLog? = nil, quiet: Bool) throws {
  switch report.status {
  case .succeeded: return
  case .cancelled:
    if !quiet, log == nil { Standard.error("stopped; what was finished is kept, and the next run goes on from there\n") }
    throw ExitCode(128 + (Interruption.signal ?? 0))
  case .failed:
    for failure in failures(of: report) {
      if let log { log.tell(failure) } else { Standard.error(failure.description + "\n") }
    }
    throw Exit.failed
  }
}
