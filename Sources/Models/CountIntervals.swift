import Statistics

/// Intervals of the purchases of single customers in (T, T + h], from the exact distribution of their counts and from what the
/// fit leaves open about the parameters.
///
/// The parameters are averaged over `CubaturePoints`: no random numbers, and a customer's interval depends on its own history alone.
public struct CountIntervals: Sendable {
  private let predictors: [any PurchasePredictor]
  /// Whether the parameters' covariance was known.
  public let includesParameters: Bool

  public init(_ model: PurchaseModel, _ parameters: [Double], covariance: [[Double]]?, stages: Int = 1) {
    let cubature = CubaturePoints(parameters, covariance)
    includesParameters = cubature.dimensions > 0
    let points = includesParameters ? cubature.points(of: cubature.dimensions) : [parameters]
    predictors = points.map { model.predictor($0, stages: stages) }
  }

  /// The counts between which a share of `level` lies, the same share on either side cut off.
  public func bounds(_ summary: PurchaseSummary, within h: Double, level: Double) -> (low: [Double], high: [Double]) {
    let tail = (1 - level) / 2
    let n = summary.count
    let groups = LivingGroups(summary, byRecency: predictors.contains { $0.countsNeedRecency })
    let chunks = FixedChunks.map(count: groups.count, chunk: 16) { range -> [(row: Int, low: Double, high: Double)] in
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
    LivingGroups.laws(predictors, x: x, tx: tx, T: T, within: h, upTo: p).map { law in
      var sum = 0.0
      return law.map {
        sum += $0
        return sum
      }
    }
  }

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
}
