/// Fewer points that stand for many, on which a search for centers is cheap: equal points as one; of more points the means of blocks of
/// neighbours, except where a block is so wide that its mean says little.
enum CoarsePoints {
  /// Up to so many points all are searched.
  static let limit = 60_000
  /// Of the widest blocks all points are kept: such as the few customers that buy a thousand times.
  private static let openBlocks = 500

  /// Nil where all points are as good.
  static func of(_ columns: [[Double]], weights: [Double], _ blocks: PointBlocks, centers k: Int) -> PointBlocks? {
    if blocks.n <= limit {
      let distinct = DistinctPoints(columns, weights: weights)
      return distinct.count > k && distinct.count <= blocks.n * 3 / 4 ? PointBlocks(distinct.columns, weights: distinct.weights) : nil
    }
    if blocks.count < 20 * k { return nil }
    let d = blocks.d
    // Sum of squares within a block, up to rounding; only its order counts.
    var within = [Double](repeating: 0, count: blocks.count)
    blocks.values.withUnsafeBufferPointer { values in
      blocks.weights.withUnsafeBufferPointer { weights in
        for block in 0..<blocks.count where blocks.weight[block] > 0 {
          var square = 0.0
          for j in 0..<d {
            let mean = blocks.sums[block * d + j] / blocks.weight[block]
            for place in block &* PointBlocks.size..<min(blocks.n, (block &+ 1) &* PointBlocks.size) {
              let t = values[j &* blocks.stride &+ place] - mean
              square += (weights.isEmpty ? 1 : weights[place]) * t * t
            }
          }
          within[block] = square
        }
      }
    }
    let widest = within.indices.sorted { within[$0] != within[$1] ? within[$0] > within[$1] : $0 < $1 }.prefix(openBlocks)
    var isOpen = [Bool](repeating: false, count: blocks.count)
    for block in widest { isOpen[block] = true }
    var coarse = [[Double]](repeating: [], count: d)
    var total: [Double] = []
    for block in 0..<blocks.count where blocks.weight[block] > 0 {
      if !isOpen[block] {
        for j in 0..<d { coarse[j].append(blocks.sums[block * d + j] / blocks.weight[block]) }
        total.append(blocks.weight[block])
        continue
      }
      for place in block * PointBlocks.size..<min(blocks.n, (block + 1) * PointBlocks.size) {
        let weight = blocks.weights.isEmpty ? 1 : blocks.weights[place]
        if weight == 0 { continue }
        for j in 0..<d { coarse[j].append(blocks.values[j * blocks.stride + place]) }
        total.append(weight)
      }
    }
    return total.count < k ? nil : PointBlocks(coarse, weights: total)
  }
}
