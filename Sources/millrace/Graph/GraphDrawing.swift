/// A graph as a picture: layers from left to right, each stage right of all it reads.
///
/// Layer = longest way from a stage without inputs. A flow that passes a layer gets a lane of its own there, so that no
/// line runs through a box; lanes and boxes of a layer stand by the mean place of their neighbours, swept in both
/// directions (layers, dummy vertices and barycentres: Sugiyama, Tagawa & Toda 1981).
struct GraphDrawing {
  private let graph: PlanGraph
  /// Boxes first, by their index in the graph, then lanes.
  private var items: [Item]
  /// By edge: the lanes between its ends.
  private var lanes: [[Int]] = []
  private var layers: [[Int]] = []
  private var width = 0, height = 0

  private struct Item {
    var layer: Int
    var isBox: Bool
    var x = 0, middle = 0, width = 0
    var height: Int { isBox ? GraphDrawing.boxHeight : GraphDrawing.laneHeight }
  }

  // In pixels of the picture.
  private static let boxHeight = 44, laneHeight = 12, rowGap = 18, layerGap = 90, margin = 20, letter = 8

  init(_ graph: PlanGraph) {
    self.graph = graph
    var depth = [Int](repeating: 0, count: graph.nodes.count)
    // Edges are ordered by their target, and every stage stands behind what it needs.
    for edge in graph.edges { depth[edge.to] = max(depth[edge.to], depth[edge.from] + 1) }
    items = depth.map { Item(layer: $0, isBox: true) }
    layers = [[Int]](repeating: [], count: (depth.max() ?? -1) + 1)
    for node in graph.nodes.indices { layers[depth[node]].append(node) }
    for edge in graph.edges {
      let passed = depth[edge.from] + 1..<max(depth[edge.from] + 1, depth[edge.to])
      lanes.append(passed.map { layer in
        items.append(Item(layer: layer, isBox: false))
        layers[layer].append(items.count - 1)
        return items.count - 1
      })
    }
    order()
    place()
  }

  private func way(of edge: Int) -> [Int] { [graph.edges[edge].from] + lanes[edge] + [graph.edges[edge].to] }

  private mutating func order() {
    var before = [[Int]](repeating: [], count: items.count), behind = before
    for edge in graph.edges.indices {
      let way = way(of: edge)
      for (a, b) in zip(way, way.dropFirst()) {
        before[b].append(a)
        behind[a].append(b)
      }
    }
    var row = [Double](repeating: 0, count: items.count)
    func number(_ layer: [Int]) { for (at, item) in layer.enumerated() { row[item] = Double(at) - Double(layer.count - 1) / 2 } }
    layers.forEach(number)
    for sweep in 0..<8 {
      let near = sweep % 2 == 0 ? before : behind
      for at in sweep % 2 == 0 ? Array(layers.indices) : layers.indices.reversed() {
        let wish = layers[at].map { item in
          (item: item, mean: near[item].isEmpty ? row[item] : near[item].reduce(0) { $0 + row[$1] } / Double(near[item].count))
        }
        layers[at] = wish.sorted { ($0.mean, row[$0.item], $0.item) < ($1.mean, row[$1.item], $1.item) }.map(\.item)
        number(layers[at])
      }
    }
  }

  private mutating func place() {
    let heights = layers.map { layer in layer.reduce(-Self.rowGap) { $0 + items[$1].height + Self.rowGap } }
    let tallest = heights.max() ?? 0
    var x = Self.margin
    for (layer, own) in zip(layers, heights) {
      let room = layer.filter { items[$0].isBox }.map { letters($0) * Self.letter + 28 }.max() ?? 0
      // Layers are centred on one line.
      var y = Self.margin + (tallest - own) / 2
      for item in layer {
        items[item].x = x
        items[item].width = room
        items[item].middle = y + items[item].height / 2
        y += items[item].height + Self.rowGap
      }
      x += room + Self.layerGap
    }
    width = max(2 * Self.margin, x - Self.layerGap + Self.margin)
    height = max(0, tallest) + 2 * Self.margin
  }

  private func letters(_ node: Int) -> Int { max(graph.nodes[node].name.utf8.count, graph.nodes[node].kind.utf8.count) }

  var svg: String {
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" font-family="system-ui, sans-serif" font-size="13">
      <title>\(graph.name)</title>
      <defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#7a8796"/></marker></defs>
      <rect width="\(width)" height="\(height)" fill="#ffffff"/>

      """
    for edge in graph.edges.indices { text += line(edge) }
    for edge in graph.edges.indices where !graph.edges[edge].label.isEmpty { text += label(edge) }
    for (node, box) in zip(graph.nodes, items) {
      let middle = box.x + box.width / 2, top = box.middle - Self.boxHeight / 2
      text += "<rect x=\"\(box.x)\" y=\"\(top)\" width=\"\(box.width)\" height=\"\(Self.boxHeight)\" rx=\"7\" fill=\"#f2f6fa\" stroke=\"#3a6ea5\"/>\n"
      text += "<text x=\"\(middle)\" y=\"\(top + 19)\" text-anchor=\"middle\" font-weight=\"600\" fill=\"#1d2733\">\(node.name)</text>\n"
      text += "<text x=\"\(middle)\" y=\"\(top + 35)\" text-anchor=\"middle\" font-size=\"11\" fill=\"#56616e\">\(node.kind)</text>\n"
    }
    return text + "</svg>\n"
  }

  /// Curves from layer to layer, straight through lanes.
  private func line(_ edge: Int) -> String {
    let way = way(of: edge)
    var path = "M\(items[way[0]].x + items[way[0]].width) \(items[way[0]].middle)"
    for (a, b) in zip(way, way.dropFirst()) {
      let (from, to) = (items[a], items[b])
      let start = from.x + from.width, bend = (start + to.x) / 2
      path += "C\(bend) \(from.middle) \(bend) \(to.middle) \(to.x) \(to.middle)"
      if !to.isBox { path += "H\(to.x + to.width)" }
    }
    return "<path d=\"\(path)\" fill=\"none\" stroke=\"#7a8796\" stroke-width=\"1.4\" marker-end=\"url(#tip)\"/>\n"
  }

  /// On the first lane where there is one, else in the gap; with a white seam to stay readable over other lines.
  private func label(_ edge: Int) -> String {
    let way = way(of: edge)
    let (from, to) = (items[way[0]], items[way[1]])
    let x = to.isBox ? (from.x + from.width + to.x) / 2 : to.x + to.width / 2
    let y = to.isBox ? (from.middle + to.middle) / 2 - 4 : to.middle - 4
    return
      "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"middle\" font-size=\"11\" fill=\"#56616e\" stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">\(graph.edges[edge].label)</text>\n"
  }
}
