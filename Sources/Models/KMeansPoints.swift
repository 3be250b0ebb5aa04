import Statistics

/// The points of a k-means problem and the passes over them.
struct KMeansPoints {
  let columns: [[Double]]
  let n: Int
  var d: Int { columns.count }
  /// The columns one after the other.
  private let flat: [Double]

  static let block = 4096

  init(_ columns: [[Double]]) {
    precondition(!columns.isEmpty, "k-means needs at least one column")
    precondition(columns.allSatisfy { $0.count == columns[0].count }, "k-means needs columns of one length")
    self.columns = columns
    n = columns[0].count
    flat = Array(columns.joined())
  }

  struct State {
    var centers: [Double]
    var labels: [Int32]
    var inertia: Double
    var iterations: Int
    /// No label changed in the last pass.
    var settled: Bool
  }

  var meanVariance: Double { Summaries.mean(columns.map { Summaries.variance($0, dropped: 0) }) }

  private func point(_ i: Int) -> [Double] { columns.map { $0[i] } }

  /// Greedy k-means++: each new center is the best of 2 + ⌊ln k⌋ candidates drawn in proportion to squared distance.
  func seeding(_ k: Int, _ random: inout RandomStream) -> [Double] {
    let trials = 2 + Int(Portable.log(Double(k)))
    var centers = point(random.integer(below: n))
    var nearest = [Double](repeating: .infinity, count: n)
    var blockSums = approach(&nearest, centers)
    while centers.count < k * d {
      let total = blockSums.reduce(0, +)
      guard total > 0 else {  // every point is a center already
        centers += point(random.integer(below: n))
        continue
      }
      var best: (nearest: [Double], sums: [Double], total: Double, candidate: Int)?
      for _ in 0..<trials {
        let candidate = draw(random.uniform() * total, blockSums, nearest)
        var trial = nearest
        let sums = approach(&trial, point(candidate))
        let inertia = sums.reduce(0, +)
        if best == nil || inertia < best!.total { best = (trial, sums, inertia, candidate) }
      }
      nearest = best!.nearest
      blockSums = best!.sums
      centers += point(best!.candidate)
    }
    return centers
  }

  private func draw(_ target: Double, _ blockSums: [Double], _ nearest: [Double]) -> Int {
    var rest = target
    for (block, sum) in blockSums.enumerated() {
      if rest >= sum, block + 1 < blockSums.count {
        rest -= sum
        continue
      }
      let rows = block * Self.block..<min(n, (block + 1) * Self.block)
      var last = rows.lowerBound
      for i in rows where nearest[i] > 0 {
        last = i
        rest -= nearest[i]
        if rest < 0 { break }
      }
      return last
    }
    return n - 1
  }

  /// Lowers `nearest` to the squared distance from `center` where that is smaller; sums by block.
  private func approach(_ nearest: inout [Double], _ center: [Double]) -> [Double] {
    nearest.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let nearest = buffer.baseAddress!
      return FixedChunks.map(count: n, chunk: Self.block) { rows in
        withUnsafeTemporaryAllocation(of: Double.self, capacity: rows.count) { distance in
          distances(rows, center[...], distance.baseAddress!)
          var sum = 0.0
          for i in 0..<rows.count {
            let value = min(nearest[rows.lowerBound + i], distance[i])
            nearest[rows.lowerBound + i] = value
            sum += value
          }
          return sum
        }
      }
    }
  }

  /// Squared distances of a block of points from one center.
  @inline(__always)
  private func distances(_ rows: Range<Int>, _ center: ArraySlice<Double>, _ out: UnsafeMutablePointer<Double>) {
    for (j, c) in center.enumerated() {
      columns[j].withUnsafeBufferPointer { column in
        let values = column.baseAddress! + rows.lowerBound
        if j == 0 {
          for i in 0..<rows.count {
            let t = values[i] - c
            out[i] = t * t
          }
        } else {
          for i in 0..<rows.count {
            let t = values[i] - c
            out[i] += t * t
          }
        }
      }
    }
  }

  /// What one block contributes: sums and sizes by cluster, inertia, labels that changed.
  private struct Part {
    var sums: [Double]
    var sizes: [Int]
    var inertia = 0.0
    var changed = 0
  }

  /// Lloyd's iteration until no label changes, or the centers move less than `threshold`.
  func lloyd(from start: [Double], maximumIterations: Int, until threshold: Double) -> State {
    let k = start.count / d
    var state = State(
      centers: start, labels: [Int32](repeating: -1, count: n), inertia: .infinity, iterations: 0, settled: false)
    while state.iterations < maximumIterations {
      state.iterations += 1
      let (parts, distance) = assign(&state)
      if parts.changed == 0 {
        state.settled = true
        return state
      }
      var (sums, sizes) = (parts.sums, parts.sizes)
      relocate(&sums, &sizes, &state.labels, distance, k)
      var moved = 0.0
      for c in 0..<k where sizes[c] > 0 {
        for j in 0..<d {
          let new = sums[c * d + j] / Double(sizes[c])
          moved += (new - state.centers[c * d + j]) * (new - state.centers[c * d + j])
          state.centers[c * d + j] = new
        }
      }
      if moved <= threshold { break }
    }
    _ = assign(&state)
    return state
  }

  /// Labels every point with its nearest center (the lower index when equal).
  private func assign(_ state: inout State) -> (Part, [Double]) {
    let centers = state.centers
    let k = centers.count / d
    var all = [Double](repeating: 0, count: n)
    let parts = state.labels.withUnsafeMutableBufferPointer { labelBuffer in
      all.withUnsafeMutableBufferPointer { allBuffer in
        nonisolated(unsafe) let labels = labelBuffer.baseAddress!
        nonisolated(unsafe) let best = allBuffer.baseAddress!
        return FixedChunks.map(count: n, chunk: Self.block) { rows -> Part in
          assign(rows, centers, k, labels + rows.lowerBound, best + rows.lowerBound)
        }
      }
    }
    var total = Part(sums: [Double](repeating: 0, count: k * d), sizes: [Int](repeating: 0, count: k))
    for part in parts {
      for i in total.sums.indices { total.sums[i] += part.sums[i] }
      for i in total.sizes.indices { total.sizes[i] += part.sizes[i] }
      total.inertia += part.inertia
      total.changed += part.changed
    }
    state.inertia = total.inertia
    return (total, all)
  }

  private func assign(
    _ rows: Range<Int>, _ centers: [Double], _ k: Int, _ labels: UnsafeMutablePointer<Int32>,
    _ best: UnsafeMutablePointer<Double>
  ) -> Part {
    var part = Part(sums: [Double](repeating: 0, count: k * d), sizes: [Int](repeating: 0, count: k))
    let count = rows.count
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { found in
      let found = found.baseAddress!
      nearest(rows, centers, k, best, found)
      let (n, d) = (self.n, self.d)
      flat.withUnsafeBufferPointer { flat in
        part.sums.withUnsafeMutableBufferPointer { sums in
          part.sizes.withUnsafeMutableBufferPointer { sizes in
            let values = flat.baseAddress! + rows.lowerBound
            var (changed, inertia) = (0, 0.0)
            // All columns of a point at once: neighbours often have one label, and an addition waits for the one before it
            // in the same place.
            for i in 0..<count {
              let label = Int(found[i])
              changed &+= Int(labels[i]) == label ? 0 : 1
              labels[i] = Int32(truncatingIfNeeded: label)
              inertia += best[i]
              sizes[label] &+= 1
              for j in 0..<d { sums[label &* d &+ j] += values[j &* n &+ i] }
            }
            part.changed = changed
            part.inertia = inertia
          }
        }
      }
    }
    return part
  }

  /// Squared distance to the nearest center and its index, four points at a time. Indices are kept as doubles, so that
  /// one comparison mask serves both; the sum runs over the columns in order, as in `distances`.
  private func nearest(
    _ rows: Range<Int>, _ centers: [Double], _ k: Int, _ best: UnsafeMutablePointer<Double>,
    _ found: UnsafeMutablePointer<Double>
  ) {
    let (n, d, count) = (self.n, self.d, rows.count)
    flat.withUnsafeBufferPointer { flat in
      centers.withUnsafeBufferPointer { centers in
        let start = flat.baseAddress! + rows.lowerBound
        let whole = count & ~3
        var i = 0
        while i < whole {
          var b = SIMD4<Double>(repeating: .infinity)
          var label = SIMD4<Double>(repeating: 0)
          for c in 0..<k {
            var s = SIMD4<Double>(repeating: 0)
            for j in 0..<d {
              let x = UnsafeRawPointer(start + (j &* n &+ i)).loadUnaligned(as: SIMD4<Double>.self)
              let t = x - centers[c &* d &+ j]
              s += t * t
            }
            let closer = s .< b
            b.replace(with: s, where: closer)
            label.replace(with: SIMD4(repeating: Double(c)), where: closer)
          }
          UnsafeMutableRawPointer(best + i).storeBytes(of: b, as: SIMD4<Double>.self)
          UnsafeMutableRawPointer(found + i).storeBytes(of: label, as: SIMD4<Double>.self)
          i &+= 4
        }
        for i in whole..<count {
          best[i] = .infinity
          found[i] = 0
          for c in 0..<k {
            var s = 0.0
            for j in 0..<d {
              let t = start[j &* n &+ i] - centers[c &* d &+ j]
              s += t * t
            }
            if s < best[i] { (best[i], found[i]) = (s, Double(c)) }
          }
        }
      }
    }
  }

  /// An empty cluster takes the point farthest from its center, from a cluster that can spare one.
  private func relocate(
    _ sums: inout [Double], _ sizes: inout [Int], _ labels: inout [Int32], _ distance: [Double], _ k: Int
  ) {
    guard sizes.contains(0) else { return }
    var order = distance.indices.sorted { distance[$0] != distance[$1] ? distance[$0] > distance[$1] : $0 < $1 }[...]
    for empty in 0..<k where sizes[empty] == 0 {
      while let i = order.popFirst(), distance[i] > 0 {
        let old = Int(labels[i])
        if sizes[old] < 2 { continue }
        for j in 0..<d {
          sums[old * d + j] -= columns[j][i]
          sums[empty * d + j] = columns[j][i]
        }
        sizes[old] -= 1
        sizes[empty] = 1
        labels[i] = Int32(empty)
        break
      }
    }
  }
}
