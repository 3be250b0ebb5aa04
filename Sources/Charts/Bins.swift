/// Neighbouring intervals with readable edges. Bin i holds edges[i] ≤ v < edges[i + 1]; the last one also its upper edge,
/// unless the bins are for whole numbers, of which each has one bin.
///
///     Bins.linear(from: 0.3, to: 96, about: 5).edges          // [0, 20, 40, 60, 80, 100]
///     Bins.log(from: 3, to: 700, about: 6).edges              // [2, 5, 10, 20, 50, 100, 200, 500, 1000]
public struct Bins: Hashable, Sendable {
  /// Strictly ascending, at least two.
  public let edges: [Double]
  /// Whether the last bin holds its upper edge.
  public let closesLast: Bool

  init(edges: [Double], closesLast: Bool = true) {
    self.edges = edges
    self.closesLast = closesLast
  }

  public var count: Int { edges.count - 1 }

  var range: (low: Double, high: Double) { (edges[0], edges[edges.count - 1]) }

  /// The bin of a value; nil outside of all.
  public func index(of value: Double) -> Int? {
    guard value >= edges[0], value <= edges[edges.count - 1], closesLast || value < edges[edges.count - 1] else {
      return nil
    }
    var low = 0, high = edges.count - 1
    while high - low > 1 {
      let middle = (low + high) / 2
      if edges[middle] <= value { low = middle } else { high = middle }
    }
    return low
  }

  /// How many values lie in each bin, and how many in none.
  public func counts(_ values: [Double]) -> (inside: [Int], outside: Int) {
    var inside = Array(repeating: 0, count: count), outside = 0
    for value in values {
      if let bin = index(of: value) { inside[bin] += 1 } else { outside += 1 }
    }
    return (inside, outside)
  }

  /// Equal steps of 1, 2, 2.5 or 5 times a power of ten that cover the range. With `whole` no edge lies between integers.
  public static func linear(from low: Double, to high: Double, about wanted: Int, whole: Bool = false) -> Bins {
    precondition(low.isFinite && high.isFinite && low <= high, "bins need a finite range, ascending")
    let parts = Double(max(1, wanted))
    var raw = high / parts - low / parts  // divided first: the range itself may overflow
    // A step far below the last digit of the values would make edges that cannot be told apart.
    raw = max(raw, max(abs(low), abs(high)) * 1e-12)
    if raw == 0 || !raw.isNormal { raw = 1 / parts }
    if whole { raw = max(raw, 1) }
    let step = NiceStep(near: min(raw, 2e307), whole: whole)
    var first = (low / step.value).rounded(.down)
    // Rounding of the quotient may put the first edge a step too high.
    if step.edge(first) > low { first -= 1 }
    var edges = [step.edge(first).isFinite ? step.edge(first) : low]
    var next = first + 1
    repeat {
      let edge = step.edge(next)
      guard edge.isFinite else {
        return Bins(edges: edges + [high])
      }
      edges.append(edge)
      next += 1
    } while edges[edges.count - 1] < high || (whole && edges[edges.count - 1] == high)
    return Bins(edges: edges, closesLast: !whole)
  }

  /// Steps of equal ratio, nearly: the preferred numbers of Renard, rounded so that they read well.
  public static func log(from low: Double, to high: Double, about wanted: Int) -> Bins {
    precondition(low > 0 && high.isFinite && low <= high, "logarithmic bins need a positive finite range, ascending")
    var decade = 0, start = 1.0
    while start > low, decade > -320 {
      decade -= 1
      start = PowerOfTen.value(decade)
    }
    while PowerOfTen.value(decade + 1) <= low, decade < 308 { decade += 1 }
    let series: [[Int]] = [
      [100], [100, 300], [100, 200, 500], [100, 160, 250, 400, 630],
      [100, 125, 160, 200, 250, 315, 400, 500, 630, 800],
    ]
    var best: [Double] = []
    for mantissas in series {
      let edges = logEdges(mantissas, from: decade, low: low, high: high)
      if best.isEmpty || abs(edges.count - 1 - wanted) < abs(best.count - 1 - wanted) { best = edges }
    }
    return Bins(edges: best)
  }

  private static func logEdges(_ mantissas: [Int], from decade: Int, low: Double, high: Double) -> [Double] {
    var edges: [Double] = [], decade = decade
    while true {
      for mantissa in mantissas {
        let power = decade - 2
        let edge = power >= 0 ? Double(mantissa) * PowerOfTen.value(power) : Double(mantissa) / PowerOfTen.value(-power)
        if edge <= low {
          edges = [edge]  // the last edge at or below the range begins it
        } else {
          if edges.isEmpty { edges = [low] }  // below the smallest power of ten a double can divide by
          guard edge.isFinite else { return edges + [high == edges[edges.count - 1] ? high.nextUp : high] }
          edges.append(edge)
          if edge >= high { return edges }
        }
      }
      decade += 1
    }
  }
}

/// A step m × 10ᵏ, and its multiples without the error that repeated addition would gather: 3 × 0.1 is 0.3.
struct NiceStep {
  let mantissa: Double
  let exponent: Int

  init(near raw: Double, whole: Bool) {
    var k = 0
    while PowerOfTen.value(k) > raw, k > -307 { k -= 1 }
    while PowerOfTen.value(k + 1) <= raw, k < 307 { k += 1 }
    let ratio = raw / PowerOfTen.value(k)
    // 2.5 is left out where it would cut between integers.
    let steps: [Double] = whole && k < 1 ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]
    // The first that makes at most 1.4 times as many steps as were asked for.
    mantissa = steps.first { $0 * 1.4 >= ratio } ?? 10
    exponent = k
  }

  var value: Double { edge(1) }

  func edge(_ multiple: Double) -> Double {
    exponent >= 0 ? multiple * mantissa * PowerOfTen.value(exponent) : multiple * mantissa / PowerOfTen.value(-exponent)
  }
}

/// A few numbers that describe a column.
struct Summary {
  /// Finite values, ascending.
  let sorted: [Double]
  /// NaN and infinities.
  let missing: Int

  init(_ values: [Double]) {
    var finite = values.filter(\.isFinite)
    missing = values.count - finite.count
    finite.sort()
    sorted = finite
  }

  /// The smallest value that at least this share of all does not exceed.
  func quantile(_ share: Double) -> Double {
    let position = (share * Double(sorted.count)).rounded(.up)
    return sorted[max(0, min(sorted.count, Int(position)) - 1)]
  }

  /// Summed in ascending order, divided first so that it cannot overflow where the values themselves do not.
  var mean: Double {
    var sum = 0.0
    for value in sorted { sum += value }
    guard !sum.isFinite else { return sum / Double(sorted.count) }
    return sorted.reduce(0) { $0 + $1 / Double(sorted.count) }
  }

  var isWhole: Bool { sorted.allSatisfy { $0 == $0.rounded(.towardZero) } }
}
