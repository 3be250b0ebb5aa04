import ArgumentParser
import Engine

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs what a pipeline document says and has not been done yet.",
    discussion: "Exit codes: 0 done; 1 a stage failed; 2 the document or its inputs do not fit; 128 + signal when stopped by one.")

  @OptionGroup var document: DocumentArguments
  @OptionGroup var asked: RunArguments
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let plan = try document.plan(asked.options)
    let store = place.store(of: document.project)
    tell(plan.warnings, unless: common.quiet)
    Interruption.begin()
    let display = common.quiet ? nil : ProgressDisplay(live: Standard.errorIsTerminal)
    let report: RunReport
    do {
      defer { display?.finish() }
      report = try Executor(store: store).run(plan, asked.options, observer: display, cancellation: Interruption.flag)
    }
    Standard.out(asked.json ? report.json(store: store.path).pretty() : summary(of: report, store: store))
    switch report.status {
    case .succeeded: return
    case .cancelled:
      if !common.quiet { Standard.error("stopped; what was finished is kept, and the next run goes on from there\n") }
      throw ExitCode(128 + (Interruption.signal ?? 0))
    case .failed:
      for failure in failures(of: report) { Standard.error(failure.description + "\n") }
      throw Exit.failed
    }
  }
}
