import Pipelines

/// The stages of a plan and what flows between them, as words.
struct PlanGraph {
  struct Node {
    let name: String
    let kind: String
  }

  struct Edge {
    /// Indices into `nodes`.
    let from: Int, to: Int
    /// What is worth saying: an output other than the main one, an input that is not the only one.
    let label: String
  }

  let name: String
  let nodes: [Node]
  let edges: [Edge]

  /// `names`: the stages that are drawn.
  init(_ plan: BoundPlan, names: Set<String>) {
    name = plan.pipeline
    let drawn = plan.stages.indices.filter { names.contains(plan.stages[$0].name) }
    let places = Dictionary(uniqueKeysWithValues: drawn.enumerated().map { ($1, $0) })
    nodes = drawn.map { Node(name: plan.stages[$0].name, kind: plan.stages[$0].contract.kind) }
    edges = drawn.enumerated().flatMap { at, place in
      let stage = plan.stages[place]
      return stage.inputs.compactMap { input -> Edge? in
        guard let from = places[input.stage] else { return nil }
        let producer = plan.stages[input.stage]
        let output = producer.binding.outputs.first?.name == input.output ? "" : input.output
        let isNamed = stage.inputs.count > 1 && input.alias != producer.name
        return Edge(from: from, to: at, label: [output, isNamed ? input.alias : ""].filter { !$0.isEmpty }.joined(separator: " → "))
      }
    }
  }

  /// For Markdown pages.
  var mermaid: String {
    var text = "flowchart LR\n"
    // Names of our own: a stage may be called "end".
    for (at, node) in nodes.enumerated() { text += "  s\(at)[\"\(node.name)<br/>\(node.kind)\"]\n" }
    for edge in edges { text += "  s\(edge.from) -->\(edge.label.isEmpty ? "" : "|\"\(edge.label)\"|") s\(edge.to)\n" }
    return text
  }

  /// For Graphviz.
  var dot: String {
    var text = "digraph \"\(name)\" {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
    for node in nodes { text += "  \"\(node.name)\" [label=\"\(node.name)\\n\(node.kind)\"];\n" }
    for edge in edges {
      text += "  \"\(nodes[edge.from].name)\" -> \"\(nodes[edge.to].name)\"\(edge.label.isEmpty ? "" : " [label=\"\(edge.label)\"]");\n"
    }
    return text + "}\n"
  }
}
