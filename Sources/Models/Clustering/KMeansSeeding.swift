import Statistics

/// Greedy k-means++: each new center is the best of 2 + ⌊ln k⌋ candidates drawn in proportion to weight and squared distance.
struct KMeansSeeding {
  let blocks: PointBlocks
  /// By place: squared distance to the nearest center so far.
  private var nearest: [Double]
  /// By block: the weighted sum and the largest of `nearest`.
  private var sums: [Double]
  private var largest: [Double]

  init(_ blocks: PointBlocks) {
    self.blocks = blocks
    nearest = []
    sums = []
    largest = []
  }

  mutating func centers(_ k: Int, _ random: inout RandomStream) -> [Double] {
    let trials = 2 + Int(Portable.log(Double(k)))
    nearest = [Double](repeating: .infinity, count: blocks.stride)
    // Before there is a center, a point's weight alone counts.
    sums = blocks.weight
    largest = [Double](repeating: .infinity, count: blocks.count)
    var centers = blocks.point(at: first(&random))
    approach(centers)
    while centers.count < k * blocks.d {
      let total = sums.reduce(0, +)
      guard total > 0 else {  // every point is a center already
        centers += blocks.point(at: random.integer(below: blocks.n))
        continue
      }
      var best: (inertia: Double, place: Int)?
      for _ in 0..<trials {
        let place = draw(random.uniform() * total) { weight($0) * nearest[$0] }
        let inertia = inertia(with: blocks.point(at: place))
        if best == nil || inertia < best!.inertia { best = (inertia, place) }
      }
      let center = blocks.point(at: best!.place)
      approach(center)
      centers += center
    }
    return centers
  }

  private func weight(_ place: Int) -> Double { blocks.weights.isEmpty ? 1 : blocks.weights[place] }

  private func first(_ random: inout RandomStream) -> Int {
    if blocks.weights.isEmpty { return random.integer(below: blocks.n) }
    return draw(random.uniform() * sums.reduce(0, +), weight)
  }

  private func draw(_ target: Double, _ mass: (Int) -> Double) -> Int {
    var rest = target
    for (block, sum) in sums.enumerated() where sum > 0 {
      if rest >= sum {
        rest -= sum
        continue
      }
      return place(in: block, rest, mass)
    }
    // Rounding went past the end.
    return place(in: sums.lastIndex { $0 > 0 } ?? 0, .infinity, mass)
  }

  private func place(in block: Int, _ target: Double, _ mass: (Int) -> Double) -> Int {
    var rest = target
    let places = block * PointBlocks.size..<min(blocks.n, (block + 1) * PointBlocks.size)
    var last = places.lowerBound
    for place in places where mass(place) > 0 {
      last = place
      rest -= mass(place)
      if rest < 0 { break }
    }
    return last
  }

  /// Squared distance from a center to the box of a block, a little too small at most.
  private func distance(toBox block: Int, _ center: [Double]) -> Double {
    var distance = 0.0
    for j in 0..<blocks.d {
      let t = max(0, blocks.low[block * blocks.d + j] - center[j], center[j] - blocks.high[block * blocks.d + j])
      distance += t * t
    }
    return distance - blocks.rounding
  }

  /// The sum of squared distances if there were one more center.
  private func inertia(with center: [Double]) -> Double {
    let parts = FixedChunks.map(count: blocks.count, chunk: 512) { some -> Double in
      var total = 0.0
      for block in some {
        if sums[block] == 0 || distance(toBox: block, center) >= largest[block] {
          total += sums[block]
        } else {
          nearest.withUnsafeBufferPointer { total += look(block, center, $0.baseAddress!, nil).sum }
        }
      }
      return total
    }
    return parts.reduce(0, +)
  }

  private mutating func approach(_ center: [Double]) {
    // Moved out, so that the buffer can be written while the rest of `self` is read.
    var taken: [Double] = []
    swap(&taken, &nearest)
    taken.withUnsafeMutableBufferPointer { nearest in
      let nearest = nearest.baseAddress!
      for block in 0..<blocks.count where distance(toBox: block, center) < largest[block] {
        (sums[block], largest[block]) = look(block, center, nearest, nearest)
      }
    }
    swap(&taken, &nearest)
  }

  /// Sum and largest of a block's squared distances with one more center; `keep` takes the distances.
  @inline(__always)
  private func look(
    _ block: Int, _ center: [Double], _ nearest: UnsafePointer<Double>, _ keep: UnsafeMutablePointer<Double>?
  ) -> (sum: Double, largest: Double) {
    let (d, stride, start) = (blocks.d, blocks.stride, block &* PointBlocks.size)
    let count = min(PointBlocks.size, blocks.n - start)
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: PointBlocks.size) { scratch in
      let scratch = scratch.baseAddress!
      return blocks.values.withUnsafeBufferPointer { values in
        for j in 0..<d {
          let column = values.baseAddress! + (j &* stride &+ start)
          let c = center[j]
          for i in 0..<PointBlocks.size {
            let t = column[i] - c
            scratch[i] = j == 0 ? t * t : scratch[i] + t * t
          }
        }
        var (sum, largest) = (0.0, 0.0)
        for i in 0..<count {
          let value = min(nearest[start &+ i], scratch[i])
          keep?[start &+ i] = value
          sum += blocks.weights.isEmpty ? value : blocks.weights[start &+ i] * value
          largest = max(largest, value)
        }
        return (sum, largest)
      }
    }
  }
}
