import ArgumentParser
import Columns
import Diagnostics
import Engine
import Pipelines

struct RunsCompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Shows what differs between two runs: settings, files, rows, columns, metrics.")

  @Argument(help: ArgumentHelp("An id, the beginning of one, \"last\", or \"last~1\".", valueName: "a")) var old: String
  @Argument(help: ArgumentHelp("The other one.", valueName: "b")) var new = "last"
  @Flag(help: "One JSON object on standard output.") var json = false
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let store = place.store
    let registry = RunRegistry(store: store)
    let comparison = RunComparison(try registry.record(old), try registry.record(new), in: store)
    Standard.out(json ? try comparison.json(in: store).pretty() : try text(comparison, store))
  }

  // MARK: For people

  private func text(_ comparison: RunComparison, _ store: ArtifactStore) throws -> String {
    var text = "run \(comparison.ids.old) → run \(comparison.ids.new)\n"
    for (title, changes) in [
      ("document", comparison.settings), ("files", comparison.sources), ("surroundings", comparison.surroundings),
    ] where !changes.isEmpty {
      text += title + "\n" + changes.map { "  " + singleLine($0.description) + "\n" }.joined()
    }
    for stage in comparison.stages where !stage.isSame {
      text += "stage \(stage.name) (\(stage.kind))\(word(stage))\n"
      for output in stage.outputs where !output.isSame {
        text += "  \(output.name): \(cell(output.old)) → \(cell(output.new))\n"
        for change in try output.profiles(in: store) {
          text += "    \(change.name): \(describe(change.old)) → \(describe(change.new))\n"
        }
      }
      for change in stage.metrics { text += "  metric " + singleLine(change.description) + "\n" }
      for change in stage.expectations { text += "  expectation " + singleLine(change.description) + "\n" }
    }
    let same = comparison.stages.filter(\.isSame).map(\.name)
    if !same.isEmpty { text += "same: \(same.joined(separator: ", "))\n" }
    return text
  }

  private func word(_ stage: RunComparison.Stage) -> String {
    switch stage.status {
    case (nil, _): ": only in the second"
    case (_, nil): ": only in the first"
    case (let old?, let new?): (old == "failed") == (new == "failed") ? "" : ": \(old) → \(new)"
    }
  }

  private func cell(_ output: JSONValue?) -> String {
    guard let output else { return "nothing" }
    let digest = (output["digest"]?.string ?? "").prefix(12)
    if let rows = output["rows"]?.int { return "\(counted(rows, "row")) (\(digest))" }
    return (output["name"]?.string.map { singleLine($0) + " " } ?? "") + "(\(digest))"
  }

  private func describe(_ profile: ColumnProfile?) -> String {
    guard let profile else { return "nothing" }
    let range = profile.smallest.map { " \(cut($0.description, to: 24)) … \(cut(profile.largest?.description ?? "", to: 24))" } ?? ""
    return "\(profile.field.type)\(range), \(profile.distinctText) distinct, \(counted(profile.nulls, "null"))"
  }
}
