import Statistics

/// Ward's linkage by nearest-neighbour chains (Murtagh 1983) over centroids, O(n) memory. The nearest cluster is found through
/// boxes around neighbours in space: with a cluster of weight s no cluster of a box is nearer than
/// 2·s·m / (s + m) · (distance to the box)², where m is the smallest weight in it; so most boxes are never opened.
struct WardChain {
  private let d: Int
  private var tree: WardTree
  private var alive: Int
  /// Clusters by number (of the point that stands for them), to where they are in the tree; −1 when merged.
  private var slot: [Int32]

  init(_ columns: [[Double]], weights: [Double]) {
    d = columns.count
    alive = columns[0].count
    tree = WardTree(columns, weights: weights, names: (0..<Int32(alive)).map { $0 })
    slot = [Int32](repeating: -1, count: alive)
    for place in 0..<tree.count { slot[Int(tree.names[place])] = Int32(place) }
  }

  /// Heights as SciPy defines them: √(2·s·t / (s + t)) times the distance of the centroids.
  mutating func merges() -> [(a: Int32, b: Int32, height: Double)] {
    var merges: [(a: Int32, b: Int32, height: Double)] = []
    merges.reserveCapacity(max(0, alive - 1))
    var chain: [Int32] = []
    var lowest = 0
    while alive > 1 {
      if chain.isEmpty {
        while slot[lowest] < 0 { lowest += 1 }
        chain.append(Int32(lowest))
      }
      let x = Int(slot[Int(chain[chain.count - 1])])
      let before = chain.count > 1 ? Int(slot[Int(chain[chain.count - 2])]) : -1
      let (y, height) = tree.nearest(x, before: before)
      guard y == before else {
        chain.append(tree.names[y])
        continue
      }
      chain.removeLast(2)
      // The higher number becomes the merged one, as in SciPy, so that ties are broken alike.
      let (gone, kept) = (min(tree.names[x], tree.names[y]), max(tree.names[x], tree.names[y]))
      merges.append((gone, kept, height.squareRoot()))
      slot[Int(gone)] = -1
      slot[Int(kept)] = Int32(tree.merge(x, y, name: kept))
      alive -= 1
      if alive * 2 < tree.count, tree.count > 256 { rebuild() }
    }
    return merges
  }

  /// Blocks lose members and boxes grow as clusters merge: half as many clusters are put into blocks anew.
  private mutating func rebuild() {
    tree = tree.compacted()
    for place in 0..<tree.count { slot[Int(tree.names[place])] = Int32(place) }
  }
}
