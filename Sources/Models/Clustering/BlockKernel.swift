/// The inner loops of k-means over blocks: a center that is farther than another one from every corner of a block's box cannot
/// own a point of it (Pelleg & Moore 1999), and a block with one center left is added up at once.
struct BlockKernel {
  private let n: Int
  private let stride: Int
  private let blocks: Int
  private let values: UnsafePointer<Double>
  private let weights: UnsafePointer<Double>?
  private let boxes: (low: UnsafePointer<Double>, high: UnsafePointer<Double>)
  private let groupBoxes: (low: UnsafePointer<Double>, high: UnsafePointer<Double>)
  private let sums: UnsafePointer<Double>
  private let weight: UnsafePointer<Double>
  private let rounding: Double
  private let centers: UnsafePointer<Double>
  private let k: Int

  /// The kernel is valid inside `body`.
  static func with<Result>(_ blocks: PointBlocks, _ centers: [Double], _ body: (BlockKernel) -> Result) -> Result {
    blocks.values.withUnsafeBufferPointer { values in
      blocks.weights.withUnsafeBufferPointer { weights in
        blocks.low.withUnsafeBufferPointer { low in
          blocks.high.withUnsafeBufferPointer { high in
            blocks.groupLow.withUnsafeBufferPointer { groupLow in
              blocks.groupHigh.withUnsafeBufferPointer { groupHigh in
                blocks.sums.withUnsafeBufferPointer { sums in
                  blocks.weight.withUnsafeBufferPointer { weight in
                    centers.withUnsafeBufferPointer { centers in
                      body(
                        BlockKernel(
                          n: blocks.n, stride: blocks.stride, blocks: blocks.count, values: values.baseAddress!,
                          weights: weights.isEmpty ? nil : weights.baseAddress!, boxes: (low.baseAddress!, high.baseAddress!),
                          groupBoxes: (groupLow.baseAddress!, groupHigh.baseAddress!), sums: sums.baseAddress!,
                          weight: weight.baseAddress!, rounding: blocks.rounding, centers: centers.baseAddress!,
                          k: centers.count / blocks.d))
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  /// Adds what each center owns of some groups to `sums` (d each) and `weights`.
  @inline(__always)
  func addUp(
    _ groups: Range<Int>, _ width: some Width, _ sums: UnsafeMutablePointer<Double>, _ weights: UnsafeMutablePointer<Double>
  ) {
    let d = width.count
    visit(groups, width) { block, candidates, count, found, _ in
      if count == 1 {
        let c = Int(candidates[0])
        for j in 0..<d { sums[c &* d &+ j] += self.sums[block &* d &+ j] }
        weights[c] += weight[block]
        return
      }
      // Summed for the block first and in the order of `PointBlocks.sums`, so that a block of one label adds the same whether
      // or not its box told so.
      let start = values + block &* PointBlocks.size
      for a in 0..<count {
        let c = Int(candidates[a])
        let label = SIMD4(repeating: Double(c))
        for j in 0...d {
          var sum = SIMD4<Double>(repeating: 0)
          var i = 0
          while i < PointBlocks.size {
            let own = UnsafeRawPointer(found + i).loadUnaligned(as: SIMD4<Double>.self) .== label
            var x = j < d
              ? UnsafeRawPointer(start + (j &* stride &+ i)).loadUnaligned(as: SIMD4<Double>.self) : SIMD4(repeating: 1)
            if let all = self.weights {
              x *= UnsafeRawPointer(all + (block &* PointBlocks.size &+ i)).loadUnaligned(as: SIMD4<Double>.self)
            }
            sum += SIMD4(repeating: 0).replacing(with: x, where: own)
            i &+= 4
          }
          let total = PointBlocks.total(sum)
          if j < d { sums[c &* d &+ j] += total } else { weights[c] += total }
        }
      }
    }
  }

  /// Labels and squared distances by place; returns the weighted sum of the distances.
  func label(
    _ groups: Range<Int>, _ width: some Width, _ labels: UnsafeMutablePointer<Int32>, _ distances: UnsafeMutablePointer<Double>
  ) -> Double {
    var inertia = 0.0
    visit(groups, width) { block, candidates, count, found, best in
      if count == 1 { nearest(block, width, candidates, 1, found, best) }
      for i in 0..<min(PointBlocks.size, n - block &* PointBlocks.size) {
        let place = block &* PointBlocks.size &+ i
        labels[place] = Int32(found[i])
        distances[place] = best[i]
        inertia += weights.map { $0[place] * best[i] } ?? best[i]
      }
    }
    return inertia
  }

  /// Calls `body` for each block of some groups with the centers that may own points of it, ascending; where there are
  /// several, also with the nearest center of each point and its squared distance.
  @inline(__always)
  private func visit(
    _ groups: Range<Int>, _ width: some Width,
    _ body: (
      _ block: Int, _ candidates: UnsafePointer<Int32>, _ count: Int, _ found: UnsafeMutablePointer<Double>,
      _ best: UnsafeMutablePointer<Double>
    ) -> Void
  ) {
    let d = width.count
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 3 * k) { lists in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * PointBlocks.size) { scratch in
        let (all, ofGroup, ofBlock) = (lists.baseAddress!, lists.baseAddress! + k, lists.baseAddress! + 2 * k)
        let (found, best) = (scratch.baseAddress!, scratch.baseAddress! + PointBlocks.size)
        for c in 0..<k { all[c] = Int32(c) }
        for group in groups {
          let inGroup = owners(groupBoxes.low + group &* d, groupBoxes.high + group &* d, width, all, k, ofGroup)
          for block in group &* PointBlocks.group..<min(blocks, (group &+ 1) &* PointBlocks.group) {
            var count = 1
            if inGroup == 1 {
              ofBlock[0] = ofGroup[0]
            } else {
              count = owners(boxes.low + block &* d, boxes.high + block &* d, width, ofGroup, inGroup, ofBlock)
              if count > 1 { nearest(block, width, ofBlock, count, found, best) }
            }
            body(block, ofBlock, count, found, best)
          }
        }
      }
    }
  }

  /// Those of `candidates` that may be nearest to a point of the box. A center is left out only where another one is nearer
  /// to the whole box by more than rounding can make up, so that labels are those of the plain method.
  @inline(__always)
  private func owners(
    _ low: UnsafePointer<Double>, _ high: UnsafePointer<Double>, _ width: some Width, _ candidates: UnsafePointer<Int32>,
    _ count: Int, _ out: UnsafeMutablePointer<Int32>
  ) -> Int {
    let d = width.count
    var (closest, least) = (candidates[0], Double.infinity)
    for a in 0..<count {
      let center = centers + Int(candidates[a]) &* d
      var distance = 0.0
      for j in 0..<d {
        let t = 0.5 * (low[j] + high[j]) - center[j]
        distance += t * t
      }
      if distance < least { (closest, least) = (candidates[a], distance) }
    }
    let own = centers + Int(closest) &* d
    var kept = 0
    for a in 0..<count {
      let center = centers + Int(candidates[a]) &* d
      // Squared distance from the corner that favours the center, less that from the closest one.
      var difference = 0.0
      for j in 0..<d {
        let corner = center[j] > own[j] ? high[j] : low[j]
        difference += (own[j] - center[j]) * ((corner - center[j]) + (corner - own[j]))
      }
      out[kept] = candidates[a]
      // The closest one differs from itself by 0.
      kept &+= difference <= rounding ? 1 : 0
    }
    return kept
  }

  /// The nearest candidate of each point of a block and its squared distance, four points at a time. Indices are kept as
  /// doubles, so that one comparison mask serves both; what only fills the block gets −1.
  @inline(__always)
  private func nearest(
    _ block: Int, _ width: some Width, _ candidates: UnsafePointer<Int32>, _ count: Int, _ found: UnsafeMutablePointer<Double>,
    _ best: UnsafeMutablePointer<Double>
  ) {
    let d = width.count
    let start = values + block &* PointBlocks.size
    var i = 0
    while i < PointBlocks.size {
      var least = SIMD4<Double>(repeating: .infinity)
      var label = SIMD4<Double>(repeating: 0)
      for a in 0..<count {
        let c = Int(candidates[a])
        var sum = SIMD4<Double>(repeating: 0)
        for j in 0..<d {
          let x = UnsafeRawPointer(start + (j &* stride &+ i)).loadUnaligned(as: SIMD4<Double>.self)
          let t = x - centers[c &* d &+ j]
          sum += t * t
        }
        let closer = sum .< least
        least.replace(with: sum, where: closer)
        label.replace(with: SIMD4(repeating: Double(c)), where: closer)
      }
      UnsafeMutableRawPointer(best + i).storeBytes(of: least, as: SIMD4<Double>.self)
      UnsafeMutableRawPointer(found + i).storeBytes(of: label, as: SIMD4<Double>.self)
      i &+= 4
    }
    let real = n &- block &* PointBlocks.size
    if real < PointBlocks.size { for i in real..<PointBlocks.size { found[i] = -1 } }
  }
}

/// How many columns points have: known to the compiler, so that loops over them are unrolled, or not.
protocol Width { var count: Int { get } }

struct Two: Width { @inline(__always) var count: Int { 2 } }
struct Three: Width { @inline(__always) var count: Int { 3 } }
struct Four: Width { @inline(__always) var count: Int { 4 } }
struct AnyWidth: Width { let count: Int }
