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
  /// How much of a distance rounding may hide, generously.
  private let guarded: Double
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
                          weight: weight.baseAddress!, rounding: blocks.rounding, guarded: 2 * blocks.rounding.squareRoot(), centers: centers.baseAddress!,
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

  /// Adds what each center owns of some groups to `sums` (d each) and `weights`. `memory` is of the passes before this one, in which
  /// no center has moved farther than `drift`.
  @inline(__always)
  func addUp(
    _ groups: Range<Int>, _ width: some Width, _ memory: BlockMemory, drift: Double, _ sums: UnsafeMutablePointer<Double>,
    _ weights: UnsafeMutablePointer<Double>
  ) {
    let d = width.count
    @inline(__always) func add(_ c: Int, _ row: UnsafePointer<Double>) {
      for j in 0..<d { sums[c &* d &+ j] += row[j] }
      weights[c] += row[d]
    }
    withScratch { all, ofGroup, ofBlock, found, best in
      for group in groups {
        // Centers that may own points of the group; looked for when a block asks.
        var (inGroup, groupSlack) = (0, Double.infinity)
        for block in group &* PointBlocks.group..<min(blocks, (group &+ 1) &* PointBlocks.group) {
          if drift < memory.until[block] {
            for a in 0..<Int(memory.owners[block]) {
              add(Int(memory.labels[block &* BlockMemory.limit &+ a]), memory.row(block, a, d))
            }
            continue
          }
          if inGroup == 0 {
            inGroup = owners(groupBoxes.low + group &* d, groupBoxes.high + group &* d, width, all, k, ofGroup, &groupSlack)
          }
          var slack = groupSlack
          let count = owners(boxes.low + block &* d, boxes.high + block &* d, width, ofGroup, inGroup, ofBlock, &slack)
          var kept = 0
          if count == 1 {
            let row = memory.row(block, 0, d)
            for j in 0..<d { row[j] = self.sums[block &* d &+ j] }
            row[d] = weight[block]
            add(Int(ofBlock[0]), row)
            memory.labels[block &* BlockMemory.limit] = ofBlock[0]
            kept = 1
          } else {
            nearest(block, width, ofBlock, count, found, best, &slack)
            for a in 0..<count {
              let row = memory.row(block, kept, d)
              owned(block, width, ofBlock[a], found, row)
              if row[d] == 0 { continue }
              add(Int(ofBlock[a]), row)
              memory.labels[block &* BlockMemory.limit &+ min(kept, BlockMemory.limit &- 1)] = ofBlock[a]
              kept &+= 1
            }
          }
          memory.owners[block] = Int32(truncatingIfNeeded: kept)
          // A point keeps its center until centers have moved half as far as the next one is farther from it.
          memory.until[block] = kept > BlockMemory.limit ? -.infinity : drift + (slack / 2 - guarded)
        }
      }
    }
  }

  /// What a center owns of a block: d sums and the weight. In the order of `PointBlocks.sums`, so that a block of one label adds the
  /// same whether or not its box told so.
  @inline(__always)
  private func owned(
    _ block: Int, _ width: some Width, _ c: Int32, _ found: UnsafePointer<Double>, _ row: UnsafeMutablePointer<Double>
  ) {
    let d = width.count
    let start = values + block &* PointBlocks.size
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
      row[j] = PointBlocks.total(sum)
    }
  }

  /// Labels and, where they are asked for, squared distances by place; returns the weighted sum of the distances.
  @inline(__always)
  func label(
    _ groups: Range<Int>, _ width: some Width, _ labels: UnsafeMutablePointer<Int32>, _ distances: UnsafeMutablePointer<Double>?
  ) -> Double {
    var (inertia, slack) = (0.0, 0.0)
    let d = width.count
    withScratch { all, ofGroup, ofBlock, found, best in
      for group in groups {
        let inGroup = owners(groupBoxes.low + group &* d, groupBoxes.high + group &* d, width, all, k, ofGroup, &slack)
        for block in group &* PointBlocks.group..<min(blocks, (group &+ 1) &* PointBlocks.group) {
          let count = owners(boxes.low + block &* d, boxes.high + block &* d, width, ofGroup, inGroup, ofBlock, &slack)
          nearest(block, width, ofBlock, count, found, best, &slack)
          for i in 0..<min(PointBlocks.size, n - block &* PointBlocks.size) {
            let place = block &* PointBlocks.size &+ i
            labels[place] = Int32(found[i])
            distances?[place] = best[i]
            inertia += weights.map { $0[place] * best[i] } ?? best[i]
          }
        }
      }
    }
    return inertia
  }

  /// Room for three lists of centers, and for the nearest center and its squared distance of each point of a block. The first list
  /// holds all centers.
  @inline(__always)
  private func withScratch(
    _ body: (
      _ all: UnsafePointer<Int32>, _ ofGroup: UnsafeMutablePointer<Int32>, _ ofBlock: UnsafeMutablePointer<Int32>,
      _ found: UnsafeMutablePointer<Double>, _ best: UnsafeMutablePointer<Double>
    ) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 3 * k) { lists in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * PointBlocks.size) { scratch in
        let (all, found) = (lists.baseAddress!, scratch.baseAddress!)
        for c in 0..<k { all[c] = Int32(c) }
        body(all, all + k, all + 2 * k, found, found + PointBlocks.size)
      }
    }
  }

  /// Those of `candidates` that may be nearest to a point of the box. A center is left out only where another one is nearer
  /// to the whole box by more than rounding can make up, so that labels are those of the plain method. `slack` becomes at most by
  /// how much the centers left out are farther from any point of the box than its own center.
  @inline(__always)
  private func owners(
    _ low: UnsafePointer<Double>, _ high: UnsafePointer<Double>, _ width: some Width, _ candidates: UnsafePointer<Int32>,
    _ count: Int, _ out: UnsafeMutablePointer<Int32>, _ slack: inout Double
  ) -> Int {
    if count == 1 {
      out[0] = candidates[0]
      return 1
    }
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
    var (kept, gap) = (0, Double.infinity)
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
      gap = min(gap, difference <= rounding ? .infinity : difference)
    }
    if gap < .infinity { slack = min(slack, Self.slack(gap, reach(low, high, width, own))) }
    return kept
  }

  /// The largest squared distance from a center to a point of a box.
  @inline(__always)
  private func reach(
    _ low: UnsafePointer<Double>, _ high: UnsafePointer<Double>, _ width: some Width, _ center: UnsafePointer<Double>
  ) -> Double {
    var reach = 0.0
    for j in 0..<width.count {
      let t = max(high[j] - center[j], center[j] - low[j])
      reach += t * t
    }
    return reach
  }

  /// By how much a distance is longer at least than one whose square is smaller by `gap` and at most `reach`.
  @inline(__always)
  private static func slack(_ gap: Double, _ reach: Double) -> Double { (reach + gap).squareRoot() - reach.squareRoot() }

  /// The nearest candidate of each point of a block and its squared distance, four points at a time. Indices are kept as
  /// doubles, so that one comparison mask serves both; what only fills the block gets −1.
  @inline(__always)
  private func nearest(
    _ block: Int, _ width: some Width, _ candidates: UnsafePointer<Int32>, _ count: Int, _ found: UnsafeMutablePointer<Double>,
    _ best: UnsafeMutablePointer<Double>, _ slack: inout Double
  ) {
    let d = width.count
    let start = values + block &* PointBlocks.size
    var (gaps, most) = (SIMD4<Double>(repeating: .infinity), SIMD4<Double>(repeating: 0))
    var i = 0
    while i < PointBlocks.size {
      var (least, second) = (SIMD4<Double>(repeating: .infinity), SIMD4<Double>(repeating: .infinity))
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
        second = second.replacing(with: least, where: closer).replacing(with: sum, where: sum .< second .& .!closer)
        least.replace(with: sum, where: closer)
        label.replace(with: SIMD4(repeating: Double(c)), where: closer)
      }
      UnsafeMutableRawPointer(best + i).storeBytes(of: least, as: SIMD4<Double>.self)
      UnsafeMutableRawPointer(found + i).storeBytes(of: label, as: SIMD4<Double>.self)
      let gap = second - least
      gaps.replace(with: gap, where: gap .< gaps)
      most.replace(with: least, where: least .> most)
      i &+= 4
    }
    if count > 1 { slack = min(slack, Self.slack(PointBlocks.least(gaps), PointBlocks.most(most))) }
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
