import Statistics

/// Points in an order in which neighbours in space are neighbours in memory, in blocks whose box and sums are known, so that
/// a question about distances can be answered for a block at once.
///
/// The order decides how fast an answer is, never which.
struct PointBlocks: Sendable {
  /// Points of a block, and blocks of a group.
  @inline(__always) static var size: Int { 32 }
  @inline(__always) static var group: Int { 16 }

  let n: Int
  let d: Int
  /// n, rounded up to whole blocks; what fills the last block repeats the last point and weighs nothing.
  let stride: Int
  let count: Int
  /// Place → number of the point as it was given.
  let order: [Int32]
  /// Column after column, each `stride` long.
  let values: [Double]
  /// By place; empty where every point weighs 1.
  let weights: [Double]
  /// By block, d each: the smallest and the largest value, and the weighted sum.
  let low: [Double]
  let high: [Double]
  let sums: [Double]
  /// By block.
  let weight: [Double]
  /// By group of blocks, d each.
  let groupLow: [Double]
  let groupHigh: [Double]
  /// Largest squared distance there can be between two points.
  let diameter: Double

  init(_ columns: [[Double]], weights given: [Double] = []) {
    precondition(!columns.isEmpty, "clusters need at least one column")
    precondition(columns.allSatisfy { $0.count == columns[0].count }, "clusters need columns of one length")
    precondition(given.isEmpty || given.count == columns[0].count, "one weight a point")
    let (n, d) = (columns[0].count, columns.count)
    let count = (n + Self.size - 1) / Self.size
    let stride = count * Self.size
    let order = Self.spatialOrder(columns)
    let values = [Double](unsafeUninitializedCapacity: stride * d) { buffer, initialized in
      nonisolated(unsafe) let out = buffer.baseAddress
      for (j, column) in columns.enumerated() {
        guard let out else { break }
        column.withUnsafeBufferPointer { column in
          order.withUnsafeBufferPointer { order in
            nonisolated(unsafe) let (column, order) = (column.baseAddress!, order.baseAddress!)
            _ = FixedChunks.map(count: stride, chunk: 1 << 16) { places in
              let to = out + j &* stride
              // −0 and 0 are one value.
              for place in places { to[place] = column[Int(order[min(place, n &- 1)])] + 0 }
            }
          }
        }
      }
      initialized = stride * d
    }
    let weights = given.isEmpty ? [] : (0..<stride).map { $0 < n ? given[Int(order[$0])] : 0 }
    let (low, high, sums, weight) = Self.measured(values, weights, n: n, d: d, stride: stride)
    let groups = (count + Self.group - 1) / Self.group
    var groupLow = [Double](repeating: .infinity, count: groups * d)
    var groupHigh = [Double](repeating: -.infinity, count: groups * d)
    for block in 0..<count {
      for j in 0..<d {
        let at = block / Self.group * d + j
        groupLow[at] = min(groupLow[at], low[block * d + j])
        groupHigh[at] = max(groupHigh[at], high[block * d + j])
      }
    }
    var diameter = 0.0
    for j in 0..<d {
      let range = (0..<groups).reduce((Double.infinity, -Double.infinity)) {
        (min($0.0, groupLow[$1 * d + j]), max($0.1, groupHigh[$1 * d + j]))
      }
      if range.1 > range.0 { diameter += (range.1 - range.0) * (range.1 - range.0) }
    }
    self.n = n
    self.d = d
    self.stride = stride
    self.count = count
    self.order = order
    self.values = values
    self.weights = weights
    self.low = low
    self.high = high
    self.sums = sums
    self.weight = weight
    self.groupLow = groupLow
    self.groupHigh = groupHigh
    self.diameter = diameter
  }

  /// By block the smallest and largest values and the weighted sums, d each, and the weight.
  private static func measured(
    _ values: [Double], _ weights: [Double], n: Int, d: Int, stride: Int
  ) -> (low: [Double], high: [Double], sums: [Double], weight: [Double]) {
    let count = stride / size
    var low = [Double](repeating: 0, count: count * d), high = low, sums = low
    var weight = [Double](repeating: 0, count: count)
    low.withUnsafeMutableBufferPointer { low in
      high.withUnsafeMutableBufferPointer { high in
        sums.withUnsafeMutableBufferPointer { sums in
          weight.withUnsafeMutableBufferPointer { weight in
            values.withUnsafeBufferPointer { values in
              weights.withUnsafeBufferPointer { weights in
                // Every chunk writes the places of its own blocks.
                nonisolated(unsafe) let (low, high, sums, weight) = (low, high, sums, weight)
                nonisolated(unsafe) let (values, weights) = (values, weights)
                _ = FixedChunks.map(count: count, chunk: 2048) { blocks in
                  for block in blocks {
                    let places = block &* size..<min(n, (block &+ 1) &* size)
                    for j in 0..<d {
                      let column = values.baseAddress! + j &* stride
                      var (least, most, sum) = (lanes(column, places.lowerBound), lanes(column, places.lowerBound), SIMD4<Double>(repeating: 0))
                      // What fills the last block repeats its last point: it changes no box, and weighs nothing.
                      var place = places.lowerBound
                      while place < places.upperBound {
                        let x = lanes(column, place)
                        least.replace(with: x, where: x .< least)
                        most.replace(with: x, where: x .> most)
                        var mass = weights.isEmpty ? SIMD4(repeating: 1) : lanes(weights.baseAddress!, place)
                        if place &+ 4 > places.upperBound { mass.replace(with: 0, where: past(places.upperBound &- place)) }
                        sum += mass * x
                        place &+= 4
                      }
                      low[block &* d &+ j] = Self.least(least)
                      high[block &* d &+ j] = Self.most(most)
                      sums[block &* d &+ j] = total(sum)
                    }
                    var sum = SIMD4<Double>(repeating: 0)
                    var place = places.lowerBound
                    while place < places.upperBound {
                      var mass = weights.isEmpty ? SIMD4(repeating: 1) : lanes(weights.baseAddress!, place)
                      if place &+ 4 > places.upperBound { mass.replace(with: 0, where: past(places.upperBound &- place)) }
                      sum += mass
                      place &+= 4
                    }
                    weight[block] = total(sum)
                  }
                }
              }
            }
          }
        }
      }
    }
    return (low, high, sums, weight)
  }

  @inline(__always)
  private static func lanes(_ values: UnsafePointer<Double>, _ at: Int) -> SIMD4<Double> {
    UnsafeRawPointer(values + at).loadUnaligned(as: SIMD4<Double>.self)
  }

  /// Lanes from `count` on.
  @inline(__always)
  private static func past(_ count: Int) -> SIMDMask<SIMD4<Int64>> {
    SIMD4<Int64>(0, 1, 2, 3) .>= SIMD4(repeating: Int64(count))
  }

  /// Every fourth term of a block makes a lane; the lanes are added in one order everywhere.
  @inline(__always)
  static func total(_ lanes: SIMD4<Double>) -> Double { (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) }

  // The library's own are calls.
  @inline(__always)
  static func least(_ lanes: SIMD4<Double>) -> Double { min(min(lanes[0], lanes[1]), min(lanes[2], lanes[3])) }
  @inline(__always)
  static func most(_ lanes: SIMD4<Double>) -> Double { max(max(lanes[0], lanes[1]), max(lanes[2], lanes[3])) }

  var groups: Int { (count + Self.group - 1) / Self.group }

  /// How much a squared distance may be off by rounding, generously.
  var rounding: Double { Double(d + 8) * 0x1p-50 * diameter }

  /// Mean over the columns of their (weighted) variances.
  var meanVariance: Double {
    let total = weight.reduce(0, +)
    guard total > 0 else { return 0 }
    return Summaries.mean(
      (0..<d).map { j in
        let mean = (0..<count).reduce(0) { $0 + sums[$1 * d + j] } / total
        let parts = FixedChunks.map(count: count, chunk: 2048) { some -> Double in
          var sum = 0.0
          values.withUnsafeBufferPointer { values in
            weights.withUnsafeBufferPointer { weights in
              for place in some.lowerBound * Self.size..<min(n, some.upperBound * Self.size) {
                let t = values[j &* stride &+ place] - mean
                sum += weights.isEmpty ? t * t : weights[place] * t * t
              }
            }
          }
          return sum
        }
        return parts.reduce(0, +) / total
      })
  }

  func point(at place: Int) -> [Double] { (0..<d).map { values[$0 * stride + place] } }

  /// By place → by number of the point.
  func restored<T>(_ byPlace: [T]) -> [T] {
    guard let first = byPlace.first else { return [] }
    var result = [T](repeating: first, count: n)
    result.withUnsafeMutableBufferPointer { result in
      byPlace.withUnsafeBufferPointer { byPlace in
        order.withUnsafeBufferPointer { order in
          for place in 0..<n { result[Int(order[place])] = byPlace[place] }
        }
      }
    }
    return result
  }
}

extension PointBlocks {
  /// Points along a Morton curve over the ranks of each column: bits of the columns' ranks, interleaved.
  static func spatialOrder(_ columns: [[Double]]) -> [Int32] {
    let n = columns[0].count
    // Key above, number of the point below: both fit into 64 bits.
    precondition(n < 1 << 31, "clusters of 2³¹ points or more are not supported")
    let used = min(columns.count, 32)
    let bits = min(11, 33 / used)
    var keys = [UInt64](unsafeUninitializedCapacity: n) { keys, count in
      for i in 0..<n { keys.initializeElement(at: i, to: UInt64(i)) }
      count = n
    }
    for (j, column) in columns.prefix(used).enumerated() {
      let (least, most) = ends(column)
      guard most > least else { continue }
      let buckets = 1 << 16
      // Halves first: the difference of two finite numbers may not be finite.
      let scale = Double(buckets - 1) / (most / 2 - least / 2) / 2
      guard scale.isFinite else { continue }
      var below = [Int](repeating: 0, count: buckets)
      column.withUnsafeBufferPointer { column in
        below.withUnsafeMutableBufferPointer { below in
          for x in column { below[bucket(x, least, scale)] &+= 1 }
        }
      }
      var spread = [UInt64](repeating: 0, count: buckets)
      var before = 0
      for b in 0..<buckets {
        // The middle of the bucket's ranks, so that many equal values do not share the highest rank.
        let rank = (before + below[b] / 2) * ((1 << bits) - 1) / n
        before += below[b]
        for bit in 0..<bits where rank >> bit & 1 == 1 { spread[b] |= 1 << UInt64(31 + bit * used + j) }
      }
      column.withUnsafeBufferPointer { column in
        keys.withUnsafeMutableBufferPointer { keys in
          spread.withUnsafeBufferPointer { spread in
            for i in 0..<n { keys[i] |= spread[bucket(column[i], least, scale)] }
          }
        }
      }
    }
    return sorted(&keys, bits: bits * used)
  }

  private static func ends(_ column: [Double]) -> (least: Double, most: Double) {
    column.withUnsafeBufferPointer { column in
      var (least, most) = (SIMD4<Double>(repeating: .infinity), SIMD4<Double>(repeating: -.infinity))
      let whole = column.count & ~3
      var i = 0
      while i < whole {
        let x = lanes(column.baseAddress!, i)
        least.replace(with: x, where: x .< least)
        most.replace(with: x, where: x .> most)
        i &+= 4
      }
      var ends = (Self.least(least), Self.most(most))
      for x in column[whole...] { ends = (min(ends.0, x), max(ends.1, x)) }
      return ends
    }
  }

  @inline(__always)
  private static func bucket(_ x: Double, _ least: Double, _ scale: Double) -> Int {
    Int(truncatingIfNeeded: Int64(min((x - least) * scale, 65535)))
  }

  /// Numbers (the low 31 bits) in the order of their keys (the bits above); equal keys keep their order. Uses the keys up.
  private static func sorted(_ keys: inout [UInt64], bits: Int) -> [Int32] {
    var (from, to) = ([UInt64](), [UInt64](repeating: 0, count: keys.count))
    swap(&from, &keys)
    for shift in Swift.stride(from: 31, to: 31 + bits, by: 11) {
      var starts = [Int](repeating: 0, count: 2048)
      from.withUnsafeBufferPointer { from in
        to.withUnsafeMutableBufferPointer { to in
          starts.withUnsafeMutableBufferPointer { starts in
            for key in from { starts[Int(key >> UInt64(shift) & 2047)] &+= 1 }
            var start = 0
            for digit in 0..<2048 { (starts[digit], start) = (start, start + starts[digit]) }
            for key in from {
              let digit = Int(key >> UInt64(shift) & 2047)
              to[starts[digit]] = key
              starts[digit] &+= 1
            }
          }
        }
      }
      swap(&from, &to)
    }
    return [Int32](unsafeUninitializedCapacity: from.count) { numbers, count in
      for (at, key) in from.enumerated() { numbers.initializeElement(at: at, to: Int32(truncatingIfNeeded: key & 0x7fff_ffff)) }
      count = from.count
    }
  }
}
