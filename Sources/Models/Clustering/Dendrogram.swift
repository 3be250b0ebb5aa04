/// The merges of a hierarchical clustering, from the lowest up.
///
/// Clusters are numbered as SciPy does: 0 ..< n are the points, n + i is what merge i made.
public struct Dendrogram: Sendable {
  public struct Merge: Hashable, Sendable {
    /// The lower number first.
    public var left: Int32
    public var right: Int32
    public var height: Double
    /// Weight of the points below; their number where they have no weights.
    public var size: Double
  }

  public var points: Int
  public var merges: [Merge]

  /// Merges by representatives, as a nearest-neighbour chain finds them, in any order.
  init(points: Int, unordered: [(a: Int32, b: Int32, height: Double)], weights: [Double]) {
    self.points = points
    // Equal heights stay in the order in which they were found, so that a cluster is made before it is merged.
    let order = unordered.indices.sorted {
      unordered[$0].height != unordered[$1].height ? unordered[$0].height < unordered[$1].height : $0 < $1
    }
    var root = (0..<Int32(points)).map { $0 }
    var number = root
    var size = weights.isEmpty ? [Double](repeating: 1, count: points) : weights
    merges = []
    merges.reserveCapacity(unordered.count)
    for (row, at) in order.enumerated() {
      let a = Self.find(unordered[at].a, &root)
      let b = Self.find(unordered[at].b, &root)
      let (left, right) = (min(number[Int(a)], number[Int(b)]), max(number[Int(a)], number[Int(b)]))
      size[Int(a)] += size[Int(b)]
      merges.append(Merge(left: left, right: right, height: unordered[at].height, size: size[Int(a)]))
      root[Int(b)] = a
      number[Int(a)] = Int32(points + row)
    }
  }

  private static func find(_ point: Int32, _ root: inout [Int32]) -> Int32 {
    var at = point
    while root[Int(at)] != at {
      root[Int(at)] = root[Int(root[Int(at)])]
      at = root[Int(at)]
    }
    return at
  }

  /// The k clusters left when the last k − 1 merges are undone: the label of each point, numbered by their first points.
  public func labels(_ k: Int) -> [Int32] {
    precondition(k >= 1 && k <= max(points, 1), "a tree of \(points) points has no cut into \(k) clusters")
    var parent = [Int32](repeating: -1, count: points + merges.count)
    for row in 0..<max(0, points - k) {
      parent[Int(merges[row].left)] = Int32(points + row)
      parent[Int(merges[row].right)] = Int32(points + row)
    }
    // Parents have higher numbers than children, so roots are known before what is below them.
    var top = [Int32](repeating: 0, count: parent.count)
    for node in parent.indices.reversed() { top[node] = parent[node] < 0 ? Int32(node) : top[Int(parent[node])] }
    var name = [Int32](repeating: -1, count: parent.count)
    var found: Int32 = 0
    return (0..<points).map { point in
      let node = Int(top[point])
      if name[node] < 0 {
        name[node] = found
        found += 1
      }
      return name[node]
    }
  }
}
