import Statistics

/// Lloyd's iteration over blocks of points.
struct KMeansLloyd: Sendable {
  let blocks: PointBlocks
  private var d: Int { blocks.d }

  struct State {
    var centers: [Double]
    var iterations: Int
    /// The last pass moved no center.
    var settled: Bool
  }

  /// What the points of each center add up to.
  private struct Sums {
    var sums: [Double]
    var weights: [Double]
  }

  /// Until no center moves, or the centers move less than `threshold`, squared and summed.
  func iterate(from start: [Double], maximumIterations: Int, until threshold: Double) -> State {
    BlockMemory.with(blocks: blocks.count, columns: d) { memory in
      let k = start.count / d
      var state = State(centers: start, iterations: 0, settled: false)
      // How far any center has moved, over all passes.
      var drift = 0.0
      while state.iterations < maximumIterations {
        state.iterations += 1
        var total = pass(state.centers, memory, drift: drift)
        if total.weights.contains(0) { relocate(&total, state.centers) }
        var (moved, farthest) = (0.0, 0.0)
        var isSame = true
        for c in 0..<k where total.weights[c] > 0 {
          var square = 0.0
          for j in 0..<d {
            let new = total.sums[c * d + j] / total.weights[c]
            let step = new - state.centers[c * d + j]
            if step != 0 { isSame = false }
            square += step * step
            moved += step * step
            state.centers[c * d + j] = new
          }
          farthest = max(farthest, square)
        }
        // Sums follow from the labels alone, so centers that stay mean labels that stay.
        if isSame {
          state.settled = true
          break
        }
        if moved <= threshold { break }
        // A little more than the sum: rounding must not make it less.
        drift = (drift + farthest.squareRoot()) * (1 + 0x1p-40)
      }
      return state
    }
  }

  /// Nearest centers (the lower index when equal) by place, and the weighted sum of squared distances to them; these by place where
  /// they are asked for.
  func assignment(_ centers: [Double], distances asked: Bool = false) -> (labels: [Int32], distances: [Double], inertia: Double) {
    var labels = [Int32](repeating: 0, count: blocks.stride)
    var distances = [Double](repeating: 0, count: asked ? blocks.stride : 0)
    let parts = labels.withUnsafeMutableBufferPointer { labelBuffer in
      distances.withUnsafeMutableBufferPointer { distanceBuffer in
        nonisolated(unsafe) let labels = labelBuffer.baseAddress!
        nonisolated(unsafe) let distances = asked ? distanceBuffer.baseAddress : nil
        return FixedChunks.map(count: blocks.groups, chunk: 8) { groups -> Double in
          BlockKernel.with(blocks, centers) { kernel in
            switch d {
            case 2: kernel.label(groups, Two(), labels, distances)
            case 3: kernel.label(groups, Three(), labels, distances)
            case 4: kernel.label(groups, Four(), labels, distances)
            default: kernel.label(groups, AnyWidth(count: d), labels, distances)
            }
          }
        }
      }
    }
    return (labels, distances, Summaries.sum(parts))
  }

  private func pass(_ centers: [Double], _ memory: BlockMemory, drift: Double) -> Sums {
    // Every chunk writes what belongs to its own blocks.
    nonisolated(unsafe) let memory = memory
    let (d, k) = (self.d, centers.count / self.d)
    let parts = FixedChunks.map(count: blocks.groups, chunk: 16) { groups -> Sums in
      var part = Sums(sums: [Double](repeating: 0, count: k * d), weights: [Double](repeating: 0, count: k))
      part.sums.withUnsafeMutableBufferPointer { sums in
        part.weights.withUnsafeMutableBufferPointer { weights in
          let (sums, weights) = (sums.baseAddress!, weights.baseAddress!)
          BlockKernel.with(blocks, centers) { kernel in
            // Known numbers of columns are unrolled.
            switch d {
            case 2: kernel.addUp(groups, Two(), memory, drift: drift, sums, weights)
            case 3: kernel.addUp(groups, Three(), memory, drift: drift, sums, weights)
            case 4: kernel.addUp(groups, Four(), memory, drift: drift, sums, weights)
            default: kernel.addUp(groups, AnyWidth(count: d), memory, drift: drift, sums, weights)
            }
          }
        }
      }
      return part
    }
    var total = Sums(sums: [Double](repeating: 0, count: k * d), weights: [Double](repeating: 0, count: k))
    for part in parts {
      for i in total.sums.indices { total.sums[i] += part.sums[i] }
      for i in total.weights.indices { total.weights[i] += part.weights[i] }
    }
    return total
  }

  /// An empty cluster takes the point farthest from its center, from a cluster that can spare one.
  private func relocate(_ total: inout Sums, _ centers: [Double]) {
    let (labels, distances, _) = assignment(centers, distances: true)
    var members = [Int](repeating: 0, count: total.weights.count)
    for place in 0..<blocks.n where weight(place) > 0 { members[Int(labels[place])] += 1 }
    var order = (0..<blocks.n).sorted { distances[$0] != distances[$1] ? distances[$0] > distances[$1] : $0 < $1 }[...]
    for empty in total.weights.indices where total.weights[empty] == 0 {
      while let place = order.popFirst(), distances[place] > 0 {
        let old = Int(labels[place])
        let weight = weight(place)
        if members[old] < 2 || weight == 0 { continue }
        for j in 0..<d {
          let x = blocks.values[j * blocks.stride + place] * weight
          total.sums[old * d + j] -= x
          total.sums[empty * d + j] = x
        }
        total.weights[old] -= weight
        total.weights[empty] = weight
        members[old] -= 1
        members[empty] = 1
        break
      }
    }
  }

  private func weight(_ place: Int) -> Double { blocks.weights.isEmpty ? 1 : blocks.weights[place] }
}
