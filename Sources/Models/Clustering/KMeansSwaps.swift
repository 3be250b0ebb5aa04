import Statistics

/// Takes one center away and splits the cluster of another one, where that makes the sum of squares less: the way out of an
/// optimum in which two clusters share a center while a third has two (random swap, Fränti 2018, but the most promising pairs
/// first instead of random ones).
struct KMeansSwaps {
  let lloyd: KMeansLloyd
  let threshold: Double
  /// After so many swaps without gain the search ends.
  let failures: Int

  func improve(_ best: inout KMeansOptimum) {
    var left = failures
    while left > 0 {
      let pairs = pairs(best.centers)
      var gained = false
      for pair in pairs.prefix(left) {
        left -= 1
        guard let found = swapped(best, pair) else { continue }
        best = found
        gained = true
        break
      }
      // A success earns back what it cost, so that a long way down is gone to its end.
      if !gained { return }
      left = failures
    }
  }

  private struct Pair {
    var removed: Int
    var split: Int
    /// The two centers instead of that of `split`.
    var halves: [Double]
    /// How much the sum of squares grows, before anything adapts.
    var cost: Double
  }

  private func swapped(_ best: KMeansOptimum, _ pair: Pair) -> KMeansOptimum? {
    let d = lloyd.blocks.d
    var centers = best.centers
    for j in 0..<d {
      centers[pair.split * d + j] = pair.halves[j]
      centers[pair.removed * d + j] = pair.halves[d + j]
    }
    var state = lloyd.iterate(from: centers, maximumIterations: 6, until: threshold)
    // Most swaps are far from better after a few passes.
    if lloyd.assignment(state.centers).inertia >= best.inertia * 1.05 { return nil }
    state = lloyd.iterate(from: state.centers, maximumIterations: 50, until: threshold)
    var found = KMeansOptimum(
      centers: state.centers, inertia: lloyd.assignment(state.centers).inertia, iterations: best.iterations + state.iterations)
    if found.inertia >= best.inertia * (1 + lloyd.reach) { return nil }
    lloyd.exchange(&found)
    return found.inertia < best.inertia * (1 - 1e-12) ? found : nil
  }

  /// All pairs of a center to take away and another one to split, the cheapest first.
  private func pairs(_ centers: [Double]) -> [Pair] {
    let k = centers.count / lloyd.blocks.d
    let labels = lloyd.assignment(centers).labels
    let removal = removalCosts(centers, labels)
    var members = [[Int]](repeating: [], count: k)
    for place in 0..<lloyd.blocks.n { members[Int(labels[place])].append(place) }
    let splits = (0..<k).map { split(members[$0]) }
    // Of many centers only the cheapest to lose and the best to split can be worth it.
    let cheap = removal.indices.sorted { removal[$0] != removal[$1] ? removal[$0] < removal[$1] : $0 < $1 }.prefix(40)
    let rich = splits.indices.sorted { splits[$0].gain != splits[$1].gain ? splits[$0].gain > splits[$1].gain : $0 < $1 }.prefix(40)
    var pairs: [Pair] = []
    for a in cheap {
      for b in rich where a != b && splits[b].gain > 0 {
        pairs.append(Pair(removed: a, split: b, halves: splits[b].halves, cost: removal[a] - splits[b].gain))
      }
    }
    let order = pairs.indices.sorted { pairs[$0].cost != pairs[$1].cost ? pairs[$0].cost < pairs[$1].cost : $0 < $1 }
    return order.map { pairs[$0] }
  }

  private func weight(_ place: Int) -> Double { lloyd.blocks.weights.isEmpty ? 1 : lloyd.blocks.weights[place] }

  /// What it costs when the points of a center go to the next nearest one.
  private func removalCosts(_ centers: [Double], _ labels: [Int32]) -> [Double] {
    let (d, k, stride) = (lloyd.blocks.d, centers.count / lloyd.blocks.d, lloyd.blocks.stride)
    var costs = [Double](repeating: 0, count: k)
    lloyd.blocks.values.withUnsafeBufferPointer { values in
      centers.withUnsafeBufferPointer { centers in
        for place in 0..<lloyd.blocks.n {
          let label = Int(labels[place])
          var (own, next) = (0.0, Double.infinity)
          for c in 0..<k {
            var square = 0.0
            for j in 0..<d {
              let t = values[j &* stride &+ place] - centers[c &* d &+ j]
              square += t * t
            }
            if c == label { own = square } else { next = min(next, square) }
          }
          costs[label] += weight(place) * (next - own)
        }
      }
    }
    return costs
  }

  /// Two centers for some points, by Lloyd from both sides of the mean of their widest column, and what they save.
  private func split(_ places: [Int]) -> (gain: Double, halves: [Double]) {
    let (d, stride, values) = (lloyd.blocks.d, lloyd.blocks.stride, lloyd.blocks.values)
    var mass = 0.0
    var (mean, squares) = ([Double](repeating: 0, count: d), [Double](repeating: 0, count: d))
    for place in places {
      mass += weight(place)
      for j in 0..<d { mean[j] += weight(place) * values[j * stride + place] }
    }
    guard mass > 0 else { return (0, []) }
    for j in 0..<d {
      mean[j] /= mass
      for place in places {
        let t = values[j * stride + place] - mean[j]
        squares[j] += weight(place) * t * t
      }
    }
    let widest = squares.indices.max { squares[$0] < squares[$1] }!
    var isUpper = places.map { values[widest * stride + $0] > mean[widest] }
    var halves: [Double] = []
    var gain = 0.0
    for _ in 0..<8 {
      var (sums, sides) = ([Double](repeating: 0, count: 2 * d), [0.0, 0.0])
      for (place, upper) in zip(places, isUpper) {
        let side = upper ? 1 : 0
        sides[side] += weight(place)
        for j in 0..<d { sums[side * d + j] += weight(place) * values[j * stride + place] }
      }
      guard sides[0] > 0, sides[1] > 0 else { return (0, []) }
      halves = (0..<2 * d).map { sums[$0] / sides[$0 / d] }
      // Sum of squares around the mean, less that around the halves.
      gain = 0
      for j in 0..<d { gain += sides[0] * sides[1] / mass * (halves[j] - halves[d + j]) * (halves[j] - halves[d + j]) }
      var changed = false
      for (at, place) in places.enumerated() {
        var difference = 0.0
        for j in 0..<d {
          let x = values[j * stride + place]
          difference += (x - halves[j]) * (x - halves[j]) - (x - halves[d + j]) * (x - halves[d + j])
        }
        if (difference > 0) != isUpper[at] {
          isUpper[at].toggle()
          changed = true
        }
      }
      if !changed { break }
    }
    return (gain, halves)
  }
}
