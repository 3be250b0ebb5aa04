import Statistics

/// Intervals of the purchases of single customers in (T, T + h], from the exact distribution of their counts and from what the
/// fit leaves open about the parameters.
///
/// The parameters' logarithms are taken as normal, with the fit's covariance; the mean over them by the 2d points of the
/// cubature rule of third degree, θ ± √d · columns of the Cholesky factor (Arasaratnam & Haykin 2009). No random numbers, and
/// a customer's interval depends on its own history alone.
public struct CountIntervals: Sendable {
  private let predictors: [any PurchasePredictor]
  /// Whether the parameters' covariance was known.
  public let includesParameters: Bool

  public init(_ model: PurchaseModel, _ parameters: [Double], covariance: [[Double]]?, stages: Int = 1) {
    let points = Self.points(parameters, covariance)
    includesParameters = points.count > 1
    predictors = points.map { model.predictor($0, stages: stages) }
  }

  /// The parameters at which predictions are averaged.
  static func points(_ p: [Double], _ covariance: [[Double]]?) -> [[Double]] {
    guard let covariance else { return [p] }
    var logs = SymmetricMatrix(order: p.count)
    for i in p.indices { for j in 0...i { logs[i, j] = covariance[i][j] / (p[i] * p[j]) } }
    guard let l = logs.cholesky() else { return [p] }
    let d = p.count
    let radius = Double(d).squareRoot()
    return (0..<d).flatMap { column in
      [radius, -radius].map { sign in
        p.indices.map { p[$0] * Portable.exp(min(max(sign * l[$0 * d + column], -30), 30)) }
      }
    }
  }

  /// The counts between which a share of `level` lies, the same share on either side cut off.
  public func bounds(_ summary: PurchaseSummary, within h: Double, level: Double) -> (low: [Double], high: [Double]) {
    let tail = (1 - level) / 2
    let n = summary.count
    let groups = Groups(summary, byRecency: predictors.contains { $0.countsNeedRecency })
    let chunks = FixedChunks.map(count: groups.starts.count - 1, chunk: 16) { range -> [(row: Int, low: Double, high: Double)] in
      var results: [(row: Int, low: Double, high: Double)] = []
      for g in range {
        let rows = groups.rows[groups.starts[g]..<groups.starts[g + 1]]
        let first = rows.first!
        let laws = cumulative(x: summary.x[first], tx: summary.tx[first], T: summary.T[first], within: h, upTo: 1 - tail)
        for row in rows {
          let alive = predictors.map { $0.probabilityAlive(x: summary.x[row], tx: summary.tx[row], T: summary.T[row]) }
          results.append((row, Self.quantile(tail, alive, laws), Self.quantile(1 - tail, alive, laws)))
        }
      }
      return results
    }
    var (low, high) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    for chunk in chunks { for r in chunk { (low[r.row], high[r.row]) = (r.low, r.high) } }
    return (low, high)
  }

  /// For every point P(Y ≤ 0), P(Y ≤ 1), … of a living customer, until the mean over the points reaches `p`.
  private func cumulative(x: Double, tx: Double, T: Double, within h: Double, upTo p: Double) -> [[Double]] {
    var n = 7
    while true {
      let laws = predictors.map { model -> [Double] in
        var sum = 0.0
        return model.livingCounts(x: x, tx: tx, T: T, within: h, through: n).map {
          sum += $0
          return sum
        }
      }
      let reached = laws.reduce(0) { $0 + $1.last! } / Double(laws.count)
      if reached >= p || n > Self.most { return laws }
      n = n * 4 + 3
    }
  }

  /// Counts beyond this are not told apart.
  private static let most = 1 << 17

  /// The smallest count that a share of p does not exceed.
  private static func quantile(_ p: Double, _ alive: [Double], _ laws: [[Double]]) -> Double {
    func reached(_ n: Int) -> Bool {
      var sum = 0.0
      for (a, law) in zip(alive, laws) { sum += 1 - a + a * law[n] }
      return sum >= p * Double(alive.count)
    }
    var (low, high) = (0, laws[0].count - 1)
    while low < high {
      let middle = (low + high) / 2
      if reached(middle) { high = middle } else { low = middle + 1 }
    }
    return Double(low)
  }

  /// Customers who share the law of what is to come if they are alive.
  private struct Groups {
    var rows: [Int]
    /// Where each group starts in `rows`, and the end.
    var starts: [Int]

    init(_ summary: PurchaseSummary, byRecency: Bool) {
      if byRecency {
        rows = Array(0..<summary.count)
        starts = Array(0...summary.count)
        return
      }
      let pairs = AgePairs(summary)
      starts = [Int](repeating: 0, count: pairs.x.count + 1)
      for slot in pairs.slots { starts[Int(slot) + 1] += 1 }
      for i in 1..<starts.count where starts.count > 1 { starts[i] += starts[i - 1] }
      var next = starts
      rows = [Int](repeating: 0, count: summary.count)
      for (row, slot) in pairs.slots.enumerated() {
        rows[next[Int(slot)]] = row
        next[Int(slot)] += 1
      }
    }
  }
}
