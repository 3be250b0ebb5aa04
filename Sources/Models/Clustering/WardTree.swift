import Statistics

/// Clusters in blocks of neighbours, with boxes over blocks, over groups of blocks, and so on up to one.
struct WardTree {
  /// Clusters of a block, and boxes below a box.
  private static let leaf = 32
  private static let fan = 8

  private let d: Int
  private(set) var count: Int
  private let stride: Int
  /// Numbers of the clusters by place.
  private(set) var names: [Int32]
  /// Centroids, column after column; what is merged away lies at infinity.
  private var centers: [Double]
  private var weights: [Double]
  /// By level, blocks first: boxes with d lows, d highs and the smallest weight each.
  private var boxes: [[Double]] = []
  private var scratch = [Double](repeating: 0, count: WardTree.leaf)

  init(_ columns: [[Double]], weights given: [Double], names given_: [Int32]) {
    let (n, d) = (columns[0].count, columns.count)
    self.d = d
    count = n
    let blocks = max(1, (n + Self.leaf - 1) / Self.leaf)
    let stride = blocks * Self.leaf
    self.stride = stride
    let order = PointBlocks.spatialOrder(columns)
    names = order.map { given_[Int($0)] }
    weights = (0..<stride).map { $0 < n ? given[Int(order[$0])] : 1 }
    centers = [Double](repeating: .infinity, count: stride * d)
    for (j, column) in columns.enumerated() {
      for place in 0..<n { centers[j * stride + place] = column[Int(order[place])] }
    }
    var size = blocks
    while true {
      boxes.append([Double](repeating: 0, count: size * (2 * d + 1)))
      if size == 1 { break }
      size = (size + Self.fan - 1) / Self.fan
    }
    for level in boxes.indices {
      for box in 0..<boxes[level].count / (2 * d + 1) { measure(level, box) }
    }
  }

  /// Those that are left, in blocks made anew.
  func compacted() -> WardTree {
    let places = (0..<count).filter { centers[$0] < .infinity }
    return WardTree(
      (0..<d).map { j in places.map { centers[j * stride + $0] } }, weights: places.map { weights[$0] },
      names: places.map { names[$0] })
  }

  /// Puts what two clusters make together in the place of the heavier one; returns that place.
  mutating func merge(_ x: Int, _ y: Int, name: Int32) -> Int {
    let (kept, gone) = weights[x] >= weights[y] ? (x, y) : (y, x)
    let (s, t) = (weights[kept], weights[gone])
    for j in 0..<d {
      let (a, b) = (centers[j * stride + kept], centers[j * stride + gone])
      centers[j * stride + kept] = (s * a + t * b) / (s + t)
      centers[j * stride + gone] = .infinity
    }
    weights[kept] = s + t
    weights[gone] = 1
    names[kept] = name
    var (a, b) = (kept / Self.leaf, gone / Self.leaf)
    for level in boxes.indices {
      measure(level, a)
      if a != b { measure(level, b) }
      (a, b) = (a / Self.fan, b / Self.fan)
    }
    return kept
  }

  /// The box of what is there now; an empty one has a low above its high.
  private mutating func measure(_ level: Int, _ box: Int) {
    let (d, width) = (self.d, 2 * self.d + 1)
    if level == 0 {
      let places = box * Self.leaf..<(box + 1) * Self.leaf
      boxes[0].withUnsafeMutableBufferPointer { boxes in
        let box = boxes.baseAddress! + box * width
        centers.withUnsafeBufferPointer { centers in
          for j in 0..<d {
            var (low, high) = (Double.infinity, -Double.infinity)
            for place in places {
              let x = centers[j &* stride &+ place]
              low = min(low, x)
              high = max(high, x < .infinity ? x : high)
            }
            (box[j], box[d + j]) = (low, high)
          }
          var least = Double.infinity
          for place in places where centers[place] < .infinity { least = min(least, weights[place]) }
          box[2 * d] = least
        }
      }
      return
    }
    let below = boxes[level - 1].count / width
    let children = box * Self.fan..<min(below, (box + 1) * Self.fan)
    boxes[level - 1].withUnsafeBufferPointer { from in
      boxes[level].withUnsafeMutableBufferPointer { to in
        let to = to.baseAddress! + box * width
        for j in 0..<d { (to[j], to[d + j]) = (.infinity, -.infinity) }
        to[2 * d] = .infinity
        for child in children {
          let from = from.baseAddress! + child * width
          for j in 0..<d {
            to[j] = min(to[j], from[j])
            to[d + j] = max(to[d + j], from[d + j])
          }
          to[2 * d] = min(to[2 * d], from[2 * d])
        }
      }
    }
  }

  /// The cluster that costs the least to merge with the one at `x`, and the cost, 2·s·t / (s + t) · distance²: of equal ones that at
  /// `before`, then the one with the lowest number.
  mutating func nearest(_ x: Int, before: Int) -> (place: Int, cost: Double) {
    var search = Search(center: (0..<d).map { centers[$0 * stride + x] }, weight: weights[x], own: x, before: before)
    if before >= 0 {
      search.place = before
      var square = 0.0
      for j in 0..<d {
        let t = centers[j * stride + before] - search.center[j]
        square += t * t
      }
      search.cost = square * (2 * weights[before] * weights[x] / (weights[before] + weights[x]))
    }
    // From the own block upwards: what is near is looked at first, so that the rest is left out.
    var box = x / Self.leaf
    look(box, &search)
    for level in 1..<max(1, boxes.count) {
      let parent = box / Self.fan
      descend(level, parent, except: box, &search)
      box = parent
    }
    return (search.place, search.cost)
  }

  private struct Search {
    let center: [Double]
    let weight: Double
    let own: Int
    let before: Int
    var place = -1
    var cost = Double.infinity
  }

  private mutating func descend(_ level: Int, _ box: Int, except done: Int, _ search: inout Search) {
    let below = level - 1
    let width = 2 * d + 1
    for child in box * Self.fan..<min(boxes[below].count / width, (box + 1) * Self.fan) where child != done {
      let bound = boxes[below].withUnsafeBufferPointer { boxes in
        let box = boxes.baseAddress! + child &* width
        return search.center.withUnsafeBufferPointer { center in
          var square = 0.0
          for j in 0..<d {
            let t = max(box[j] - center[j], center[j] - box[d &+ j], 0)
            square += t * t
          }
          let m = box[2 &* d]
          // An empty box is infinitely far away.
          return m < .infinity ? square * (2 * m * search.weight / (m + search.weight)) : .infinity
        }
      }
      // Less than rounding: a tie is looked at.
      if bound * (1 - 1e-12) > search.cost { continue }
      if below == 0 { look(child, &search) } else { descend(below, child, except: -1, &search) }
    }
  }

  private mutating func look(_ block: Int, _ search: inout Search) {
    let (d, stride, start) = (self.d, self.stride, block &* Self.leaf)
    let least = centers.withUnsafeBufferPointer { centers in
      weights.withUnsafeBufferPointer { weights in
        search.center.withUnsafeBufferPointer { center in
          scratch.withUnsafeMutableBufferPointer { scratch in
            let scratch = UnsafeMutableRawPointer(scratch.baseAddress!)
            let (centers, weights) = (centers.baseAddress! + start, UnsafeRawPointer(weights.baseAddress! + start))
            var least = SIMD4<Double>(repeating: .infinity)
            var i = 0
            while i < Self.leaf {
              var square = SIMD4<Double>(repeating: 0)
              for j in 0..<d {
                let x = UnsafeRawPointer(centers + (j &* stride &+ i)).loadUnaligned(as: SIMD4<Double>.self)
                let t = x - center[j]
                square += t * t
              }
              let weight = weights.loadUnaligned(fromByteOffset: i &* 8, as: SIMD4<Double>.self)
              let cost = square * (2 * weight * search.weight / (weight + search.weight))
              scratch.storeBytes(of: cost, toByteOffset: i &* 8, as: SIMD4<Double>.self)
              least.replace(with: cost, where: cost .< least)
              i &+= 4
            }
            return least.min()
          }
        }
      }
    }
    // The own one costs nothing, so its block is always looked through.
    if least > search.cost || least == .infinity { return }
    for i in 0..<Self.leaf where scratch[i] <= search.cost && scratch[i] < .infinity {
      let place = start &+ i
      if place == search.own { continue }
      if scratch[i] < search.cost
        || search.place != search.before && (search.place < 0 || place == search.before || names[place] < names[search.place])
      {
        (search.place, search.cost) = (place, scratch[i])
      }
    }
  }
}
