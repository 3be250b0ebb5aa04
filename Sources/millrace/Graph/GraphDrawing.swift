/// A graph as a picture: layers from left to right, each stage right of all it reads.
///
/// Layer = longest way from a stage without inputs. Within a layer stages stand by the mean place of what they read
/// (the barycentre rule of Sugiyama, Tagawa & Toda 1981), swept a few times in both directions.
struct GraphDrawing {
  private let graph: PlanGraph
  private let layers: [[Int]]
  private let boxes: [Box]
  private let width: Int, height: Int

  private struct Box {
    var x = 0, y = 0, width = 0
    var middle: Int { y + GraphDrawing.boxHeight / 2 }
  }

  // In pixels of the picture.
  private static let boxHeight = 44, rowGap = 20, layerGap = 90, margin = 20, letter = 8

  init(_ graph: PlanGraph) {
    self.graph = graph
    layers = Self.arranged(graph)
    var boxes = [Box](repeating: Box(), count: graph.nodes.count)
    let tallest = layers.map(\.count).max() ?? 0
    let step = Self.boxHeight + Self.rowGap
    var x = Self.margin
    for layer in layers {
      let room = layer.map { max(graph.nodes[$0].name.utf8.count, graph.nodes[$0].kind.utf8.count) * Self.letter + 28 }.max() ?? 0
      // Layers are centred on one line.
      let top = Self.margin + (tallest - layer.count) * step / 2
      for (row, node) in layer.enumerated() { boxes[node] = Box(x: x, y: top + row * step, width: room) }
      x += room + Self.layerGap
    }
    self.boxes = boxes
    width = max(2 * Self.margin, x - Self.layerGap + Self.margin)
    height = tallest * step - Self.rowGap + 2 * Self.margin
  }

  private static func arranged(_ graph: PlanGraph) -> [[Int]] {
    var depth = [Int](repeating: 0, count: graph.nodes.count)
    // Every stage stands behind what it needs, and edges are ordered by their target.
    for edge in graph.edges { depth[edge.to] = max(depth[edge.to], depth[edge.from] + 1) }
    var layers = [[Int]](repeating: [], count: (depth.max() ?? -1) + 1)
    for node in graph.nodes.indices { layers[depth[node]].append(node) }
    var place = [Double](repeating: 0, count: graph.nodes.count)
    func number() { for layer in layers { for (row, node) in layer.enumerated() { place[node] = Double(row) - Double(layer.count - 1) / 2 } } }
    number()
    for sweep in 0..<6 {
      let order = sweep % 2 == 0 ? Array(layers.indices) : layers.indices.reversed()
      for at in order {
        let wish = Dictionary(uniqueKeysWithValues: layers[at].map { node -> (Int, Double) in
          let near = graph.edges.compactMap { edge -> Double? in
            if sweep % 2 == 0 { return edge.to == node ? place[edge.from] : nil }
            return edge.from == node ? place[edge.to] : nil
          }
          return (node, near.isEmpty ? place[node] : near.reduce(0, +) / Double(near.count))
        })
        layers[at].sort { (wish[$0]!, place[$0], $0) < (wish[$1]!, place[$1], $1) }
        number()
      }
    }
    return layers
  }

  var svg: String {
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" font-family="system-ui, sans-serif" font-size="13">
      <title>\(graph.name)</title>
      <defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#7a8796"/></marker></defs>
      <rect width="\(width)" height="\(height)" fill="#ffffff"/>

      """
    for edge in graph.edges {
      let (a, b) = (boxes[edge.from], boxes[edge.to])
      let x1 = a.x + a.width, bend = max(30, (b.x - x1) / 2)
      text += "<path d=\"M\(x1) \(a.middle)C\(x1 + bend) \(a.middle) \(b.x - bend) \(b.middle) \(b.x) \(b.middle)\" fill=\"none\" stroke=\"#7a8796\" stroke-width=\"1.4\" marker-end=\"url(#tip)\"/>\n"
      if !edge.label.isEmpty {
        // At the curve's middle, with a white seam to stay readable over other lines.
        text += "<text x=\"\((x1 + b.x) / 2)\" y=\"\((a.middle + b.middle) / 2 - 5)\" text-anchor=\"middle\" font-size=\"11\" fill=\"#56616e\" stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">\(edge.label)</text>\n"
      }
    }
    for (node, box) in zip(graph.nodes, boxes) {
      let middle = box.x + box.width / 2
      text += "<rect x=\"\(box.x)\" y=\"\(box.y)\" width=\"\(box.width)\" height=\"\(Self.boxHeight)\" rx=\"7\" fill=\"#f2f6fa\" stroke=\"#3a6ea5\"/>\n"
      text += "<text x=\"\(middle)\" y=\"\(box.y + 19)\" text-anchor=\"middle\" font-weight=\"600\" fill=\"#1d2733\">\(node.name)</text>\n"
      text += "<text x=\"\(middle)\" y=\"\(box.y + 35)\" text-anchor=\"middle\" font-size=\"11\" fill=\"#56616e\">\(node.kind)</text>\n"
    }
    return text + "</svg>\n"
  }
}
