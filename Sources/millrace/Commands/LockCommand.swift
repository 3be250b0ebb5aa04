import ArgumentParser
import Diagnostics
import Engine

struct LockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock", abstract: "Writes down what a document reads and gives, in a small file beside it, for run --locked.")

  @OptionGroup var document: DocumentArguments
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let source = document.source
    let plan = try source.plan()
    let report = try Executor(store: place.store(of: source.project)).plan(plan, RunOptions())
    let lock = try LockFile(report, of: plan)
    let path = lockPath(of: source.document)
    try finishedFile(path) { try write(lock.json(pipeline: plan.pipeline, toolVersion: toolVersion).pretty(), to: $0) }
    if !common.quiet { Standard.out("\(path)\n") }
  }
}

/// `shop.lock.json` beside `shop.json`.
func lockPath(of document: String) -> String {
  (document.hasSuffix(".json") ? String(document.dropLast(5)) : document) + ".lock.json"
}
