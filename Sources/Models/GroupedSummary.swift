import Statistics

/// A purchase summary with equal rows counted once: sufficient for every likelihood in (x, t_x, T).
///
/// Rows are ordered by x, T, t_x; times are indices into one ascending table, so that a likelihood takes its
/// logarithms once per distinct time instead of once per customer.
public struct GroupedSummary: Sendable {
  /// Distinct times, ascending.
  public let times: [Double]
  var txIndex: [UInt32] = []
  var TIndex: [UInt32] = []
  var weight: [Double] = []
  /// Stretches of rows with one x.
  var runs: [Run] = []
  /// Customers behind the rows, and the sum of their weights.
  public private(set) var customers = 0
  public private(set) var totalWeight = 0.0

  struct Run: Sendable {
    var x: Double
    var rows: Range<Int>
    var weight: Double
  }

  public var rowCount: Int { weight.count }

  private init(times: [Double]) { self.times = times }

  /// Counts equal rows. Throws at the first row that is no purchase history.
  public init(_ summary: PurchaseSummary, weights: [Double]? = nil) throws {
    if let mistake = summary.firstMistake() { throw mistake }
    if let weights {
      precondition(weights.count == summary.count, "one weight per customer, not \(weights.count) for \(summary.count)")
      if let row = weights.firstIndex(where: { !($0 >= 0 && $0 < 1e300) }) {
        throw FitError(
          "row \(row) has weight \(weights[row])", because: "a weight counts customers", remedy: "give weights from 0 up")
      }
    }
    let t = DistinctValues([summary.tx, summary.T])
    let x = DistinctValues([summary.x])
    times = t.values
    customers = summary.count
    let timeBits = Self.bits(t.values.count)
    let xBits = Self.bits(x.values.count)
    precondition(xBits + 2 * timeBits <= 64, "more than 2³² distinct times")
    let (xi, txi, Ti) = (x.indices[0], t.indices[0], t.indices[1])
    let timeMask: UInt64 = 1 << timeBits - 1
    if let weights {
      // Weighted rows keep their order among equals, so their sums do not depend on the sort.
      let keys = (0..<customers).map { UInt64(xi[$0]) << (2 * timeBits) | UInt64(Ti[$0]) << timeBits | UInt64(txi[$0]) }
      let order = (0..<customers).sorted { keys[$0] != keys[$1] ? keys[$0] < keys[$1] : $0 < $1 }
      for i in order where weights[i] > 0 {
        append(x: x.values[Int(xi[i])], T: Ti[i], tx: txi[i], weight: weights[i])
      }
    } else {
      let keys = [UInt64](unsafeUninitializedCapacity: customers) { out, initialized in
        for i in 0..<customers {
          out[i] = UInt64(xi[i]) << (2 * timeBits) | UInt64(Ti[i]) << timeBits | UInt64(txi[i])
        }
        initialized = customers
      }
      let sorted = Self.radixSorted(keys, bits: xBits + 2 * timeBits)
      var start = 0
      while start < sorted.count {
        let key = sorted[start]
        var end = start + 1
        while end < sorted.count, sorted[end] == key { end += 1 }
        append(
          x: x.values[Int(key >> (2 * timeBits))], T: UInt32(key >> timeBits & timeMask), tx: UInt32(key & timeMask),
          weight: Double(end - start))
        start = end
      }
    }
  }

  private static func bits(_ count: Int) -> UInt64 { UInt64(Int.bitWidth - max(count - 1, 1).leadingZeroBitCount) }

  /// Least significant digit first, 11 bits a pass.
  private static func radixSorted(_ keys: [UInt64], bits: UInt64) -> [UInt64] {
    var from = keys
    var to = [UInt64](repeating: 0, count: keys.count)
    var shift: UInt64 = 0
    while shift < bits {
      var starts = [Int](repeating: 0, count: 2048)
      from.withUnsafeBufferPointer { source in
        to.withUnsafeMutableBufferPointer { target in
          starts.withUnsafeMutableBufferPointer { starts in
            for key in source { starts[Int(key >> shift & 2047)] &+= 1 }
            var sum = 0
            for i in 0..<2048 { (starts[i], sum) = (sum, sum + starts[i]) }
            for key in source {
              let digit = Int(key >> shift & 2047)
              target[starts[digit]] = key
              starts[digit] &+= 1
            }
          }
        }
      }
      swap(&from, &to)
      shift += 11
    }
    return from
  }

  private mutating func append(x: Double, T: UInt32, tx: UInt32, weight w: Double) {
    totalWeight += w
    if let last = runs.last, last.x == x {
      runs[runs.count - 1].weight += w
      if TIndex[TIndex.count - 1] == T, txIndex[txIndex.count - 1] == tx {
        weight[weight.count - 1] += w
        return
      }
    } else {
      runs.append(Run(x: x, rows: weight.count..<weight.count, weight: w))
    }
    txIndex.append(tx)
    TIndex.append(T)
    weight.append(w)
    runs[runs.count - 1].rows = runs[runs.count - 1].rows.lowerBound..<weight.count
  }

  /// Every `step`-th row: a quick look that finds the right basin before all rows are used.
  func thinned(every step: Int) -> GroupedSummary {
    var result = GroupedSummary(times: times)
    result.customers = customers / step
    for run in runs {
      for row in run.rows where row % step == 0 {
        result.append(x: run.x, T: TIndex[row], tx: txIndex[row], weight: weight[row])
      }
    }
    return result
  }

  var meanX: Double { Summaries.sum(runs.lazy.map { $0.x * $0.weight }) / totalWeight }
  var varianceX: Double {
    let m = meanX
    return Summaries.sum(runs.lazy.map { ($0.x - m) * ($0.x - m) * $0.weight }) / totalWeight
  }
  var meanT: Double { Summaries.sum(weight.indices.lazy.map { weight[$0] * times[Int(TIndex[$0])] }) / totalWeight }
  var repeatRows: Int { runs.lazy.filter { $0.x > 0 }.map(\.rows.count).reduce(0, +) }
  var repeatWeight: Double { runs.lazy.filter { $0.x > 0 }.map(\.weight).reduce(0, +) }
}
