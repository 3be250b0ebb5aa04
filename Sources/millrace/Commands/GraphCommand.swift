import ArgumentParser

struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "graph", abstract: "Draws the stages of a pipeline and what flows between them.")

  enum Format: String, CaseIterable, ExpressibleByArgument { case mermaid, dot, svg }

  @OptionGroup var document: DocumentArguments
  @Option(help: ArgumentHelp("mermaid, dot or svg.", valueName: "format")) var format = Format.mermaid
  @OptionGroup var selection: SelectionArguments
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let graph = try selectedGraph()
    switch format {
    case .mermaid: Standard.out(graph.mermaid)
    case .dot: Standard.out(graph.dot)
    case .svg: Standard.out(GraphDrawing(graph).svg)
    }
  }

  private func selectedGraph() throws -> PlanGraph {
    let (plan, names) = try selection.chosen(document.source, place)
    return PlanGraph(plan, names: Set(names))
  }
}
