import ArgumentParser
import Engine

struct RunsTraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace", abstract: "When each stage of a run was at work, for Perfetto (ui.perfetto.dev) or Chrome's about:tracing.",
    discussion: "Trace Event Format on standard output, or in a file. The run is one of the store; it need not have been told to keep a trace.")

  @Argument(help: ArgumentHelp("An id, the beginning of one, \"last\", or \"last~1\".", valueName: "id")) var id = "last"
  @Option(help: ArgumentHelp("Write it there.", valueName: "file")) var out: String?
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let trace = TraceEvents.of(try RunRegistry(store: place.store).record(id))
    guard let out else { return Standard.out(trace.pretty()) }
    try finishedFile(out) { try write(trace.pretty(), to: $0) }
  }
}
