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
    Standard.out(json ? try self.json(comparison, store).pretty() : try text(comparison, store))
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
        for change in try profiles(output, store) {
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

  // MARK: For programs

  private func json(_ comparison: RunComparison, _ store: ArtifactStore) throws -> JSONValue {
    let stages = try comparison.stages.map { stage -> JSONValue in
      let outputs = try stage.outputs.map { output -> JSONMember in
        var members = [JSONMember("same", .bool(output.isSame)), JSONMember("old", output.old ?? .null), JSONMember("new", output.new ?? .null)]
        if output.columns != nil {
          members.append(JSONMember("columns", .object(try profiles(output, store).map { change in
            JSONMember(change.name, ["old": change.old?.json ?? .null, "new": change.new?.json ?? .null])
          })))
        }
        return JSONMember(output.name, .object(members))
      }
      return [
        "name": .string(stage.name), "kind": .string(stage.kind), "same": .bool(stage.isSame),
        "status": ["old": stage.status.old.map { .string($0) } ?? .null, "new": stage.status.new.map { .string($0) } ?? .null],
        "outputs": .object(outputs), "metrics": .array(stage.metrics.map(\.json)),
        "expectations": .array(stage.expectations.map(\.json)),
      ]
    }
    return [
      "old": .string(comparison.ids.old), "new": .string(comparison.ids.new), "same": .bool(comparison.isSame),
      "document": .array(comparison.settings.map(\.json)), "files": .array(comparison.sources.map(\.json)),
      "surroundings": .array(comparison.surroundings.map(\.json)), "stages": .array(stages),
    ]
  }

  // MARK: Columns

  private struct ProfileChange {
    let name: String
    let old: ColumnProfile?
    let new: ColumnProfile?
  }

  /// Of the columns that differ.
  private func profiles(_ output: RunComparison.Output, _ store: ArtifactStore) throws -> [ProfileChange] {
    guard let columns = output.columns else { return [] }
    let old = try profiles(of: output.old, columns, store), new = try profiles(of: output.new, columns, store)
    return columns.map { name in
      ProfileChange(name: name, old: old.first { $0.field.name == name }, new: new.first { $0.field.name == name })
    }
  }

  private func profiles(of output: JSONValue?, _ columns: [String], _ store: ArtifactStore) throws -> [ColumnProfile] {
    guard let table = try output?["digest"]?.string.flatMap({ try store.table($0) }) else { return [] }
    let names = columns.filter { table.schema.index(of: $0) != nil }
    var profiles = table.schema.selecting(names).fields.map { ColumnProfile($0) }
    try table.forEachBatch(names) { batch in
      for at in profiles.indices { profiles[at].add(batch.columns[at]) }
    }
    return profiles
  }
}
