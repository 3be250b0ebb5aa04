import ArgumentParser
import Pipelines

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the stages of a pipeline: all, or those that selectors name.")

  @OptionGroup var document: DocumentArguments
  @OptionGroup var selection: SelectionArguments
  @Flag(help: "One JSON array on standard output.") var json = false
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let (plan, names) = try selection.chosen(document.source, place)
    let chosen = Set(names)
    let stages = plan.stages.filter { chosen.contains($0.name) }.map { stage in
      var needs: [String] = []
      for input in stage.inputs where !needs.contains(plan.stages[input.stage].name) { needs.append(plan.stages[input.stage].name) }
      return (name: stage.name, kind: stage.contract.kind, needs: needs)
    }
    if json {
      let items = stages.map { stage -> JSONValue in
        ["name": .string(stage.name), "kind": .string(stage.kind), "needs": .array(stage.needs.map { .string($0) })]
      }
      return Standard.out(JSONValue.array(items).pretty())
    }
    var table = TextTable([("stage", .left), ("kind", .left), ("needs", .left)])
    for stage in stages { table.append([stage.name, stage.kind, stage.needs.joined(separator: ", ")]) }
    Standard.out(stages.isEmpty ? "no stages\n" : table.text())
  }
}
