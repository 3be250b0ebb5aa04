/// The upper part of a tree of merges: which groups of rows are alike, and how far apart the groups are.
public struct Dendrogram: Chart {
  public struct Merge: Hashable, Sendable {
    public var left: Int, right: Int
    public var height: Double
    /// Rows below.
    public var size: Double

    public init(left: Int, right: Int, height: Double, size: Double) {
      self.left = left
      self.right = right
      self.height = height
      self.size = size
    }
  }

  public var frame: Frame
  /// From the lowest up; 0 … merges.count are rows, then come the merges.
  public var merges: [Merge]
  public var y: Axis
  public var noun: String
  /// So many branches are drawn; what is below them is a number at their feet.
  public var limit: Int
  /// Branches below the cut into so many clusters have the cluster's colour.
  public var cut: Int?

  public init(merges: [Merge], frame: Frame, y: Axis = Axis("Distance"), noun: String = "row", limit: Int = 30, cut: Int? = nil) {
    self.frame = frame
    self.merges = merges
    self.y = y
    self.noun = noun
    self.limit = limit
    self.cut = cut
  }

  private var leaves: Int { merges.count + 1 }
  private var shown: Int { min(leaves, max(2, limit)) }

  public var notes: [String] {
    if merges.isEmpty { return ["No values to show"] }
    guard let cut, cut >= 2, cut <= leaves else { return [] }
    return [cut <= shown ? "Coloured by \(cut) clusters" : "The cut into \(cut) clusters is below what is drawn"]
  }

  private func size(_ node: Int) -> Double { node < leaves ? 1 : merges[node - leaves].size }
  private func height(_ node: Int) -> Double { node < leaves ? 0 : merges[node - leaves].height }

  public func spec(_ theme: Theme) -> Spec {
    // Merges below this one are not drawn.
    let first = leaves - shown
    var feet: [Int] = []
    var place: [Int: Double] = [:]
    var stack = merges.isEmpty ? [] : [(node: leaves + merges.count - 1, isDone: false)]
    var drawn: [Int] = []
    while let (node, isDone) = stack.popLast() {
      let merge = node - leaves
      if merge < first {
        place[node] = Double(feet.count)
        feet.append(node)
      } else if isDone {
        place[node] = ((place[merges[merge].left] ?? 0) + (place[merges[merge].right] ?? 0)) / 2
        drawn.append(node)
      } else {
        stack += [(node, true), (merges[merge].right, false), (merges[merge].left, false)]
      }
    }
    let colors = colors(theme)
    var lines: [Spec] = []
    func line(_ x: Double, _ y: Double, _ x2: Double, _ y2: Double, _ color: String) {
      lines.append([
        "x": .number(x), "y": .number(roundedForData(y)), "x2": .number(x2), "y2": .number(roundedForData(y2)), "color": .string(color),
      ])
    }
    // The foot of a branch begins where its own merge is, not at the ground.
    for node in drawn {
      let merge = merges[node - leaves]
      let (a, b) = (place[merge.left] ?? 0, place[merge.right] ?? 0)
      let color = colors(node)
      for (child, x) in [(merge.left, a), (merge.right, b)] {
        line(x, child - leaves < first ? 0 : height(child), x, merge.height, colors(child))
      }
      line(a, merge.height, b, merge.height, color)
    }
    let texts = feet.map { NumberFormat.integer.text(size($0)) }
    var list: [UInt8] = []
    for (at, text) in texts.enumerated() {
      if at > 0 { list.append(UInt8(ascii: ",")) }
      Spec.quote(text, into: &list)
    }
    let room = Double(frame.width - 90) / Double(max(1, feet.count))
    let isUpright = Double(texts.map(\.count).max() ?? 1) * 6.6 + 4 > room
    var bottom: [(String, Spec)] = [
      ("title", .string("Number of \(noun)s in each branch")), ("grid", false), ("ticks", false), ("domain", false), ("labelOverlap", false),
      ("values", .array(feet.indices.map { .integer($0) })),
      ("labelExpr", .string("[\(String(decoding: list, as: UTF8.self))][datum.value]")),
    ]
    if isUpright { bottom += [("labelAngle", -90), ("labelAlign", "right"), ("labelBaseline", "middle")] }
    let encoding: Spec = [
      "x": [
        "field": "x", "type": "quantitative", "axis": .object(bottom),
        "scale": ["domain": [-0.6, .number(Double(max(1, feet.count)) - 0.4)], "nice": false, "zero": false],
      ],
      "x2": ["field": "x2"],
      "y": ["field": "y", "type": "quantitative", "axis": y.spec(grid: true, ticks: 5), "scale": ["zero": true]],
      "y2": ["field": "y2"],
      "color": ["field": "color", "type": "nominal", "scale": nil, "legend": nil],
    ]
    return frame.wrap(
      [
        ("data", .values(lines)), ("mark", ["type": "rule", "strokeWidth": 1.6, "strokeCap": "round"]), ("encoding", encoding),
      ], notes: notes, theme: theme)
  }

  /// The colour of a node: of its cluster below the cut, of plain lines above it.
  private func colors(_ theme: Theme) -> (Int) -> String {
    guard let cut, cut >= 2, cut <= shown else { return { _ in theme.series[0] } }
    var cluster: [Int: Int] = [:]
    let first = leaves - shown
    // Clusters are coloured from left to right.
    var found = 0
    var stack: [(node: Int, cluster: Int?)] = merges.isEmpty ? [] : [(leaves + merges.count - 1, nil)]
    while let (node, above) = stack.popLast() {
      var own = above
      if own == nil, node - leaves < leaves - cut {
        own = found
        found += 1
      }
      if let own { cluster[node] = own }
      if node - leaves >= first {
        stack += [(merges[node - leaves].right, own), (merges[node - leaves].left, own)]
      }
    }
    return { node in cluster[node].map { theme.color($0) } ?? theme.muted }
  }
}
