import Statistics

/// Intervals of what single customers spend in (T, T + h], from the exact law of their purchases and of their spend, and from what
/// both fits leave open about the parameters.
///
/// Given its history a customer's spend rate is Gamma(p x + q, v + x m), so that n purchases together are v + x m times a beta prime
/// of (p n, p x + q) (Fader & Hardie, note 025): the law of the total is a sum over n of incomplete beta functions. Parameters of
/// both models are averaged as in `CountIntervals`. Purchases count in full: a discount is the caller's factor.
///
/// The incomplete beta functions of one x are kept on a grid of ln s and read between its points by cubics, 1e-4 of a probability
/// off at most; the grid depends on x and the parameters alone, so that a customer's interval depends on its own history alone.
public struct ValueIntervals: Sendable {
  private struct Point {
    /// Into `predictors` and `laws`.
    var purchases: Int
    var spend: Int
  }

  private let predictors: [any PurchasePredictor]
  private let laws: [GammaGamma.Parameters]
  private let points: [Point]
  /// Whether both covariances were known.
  public let includesParameters: Bool

  public init(
    _ model: PurchaseModel, _ parameters: [Double], covariance: [[Double]]?, stages: Int = 1, spend: GammaGamma.Parameters,
    spendCovariance: [[Double]]?
  ) {
    // A mean of spend exists where q > 1: ln(q − 1) is what is taken as normal.
    let shifted = [spend.p, max(spend.q - 1, 1e-6), spend.v]
    let first = CubaturePoints(parameters, covariance), second = CubaturePoints(shifted, spendCovariance)
    let dimensions = first.dimensions + second.dimensions
    // The centres stand first; a point moves one of the two models.
    let purchases = [parameters] + first.points(of: dimensions), spends = [shifted] + second.points(of: dimensions)
    predictors = purchases.map { model.predictor($0, stages: stages) }
    laws = spends.map { GammaGamma.Parameters(p: $0[0], q: 1 + $0[1], v: $0[2]) }
    let moved = (1..<max(purchases.count, 1)).map { Point(purchases: $0, spend: 0) } + (1..<max(spends.count, 1)).map { Point(purchases: 0, spend: $0) }
    points = moved.isEmpty ? [Point(purchases: 0, spend: 0)] : moved
    includesParameters = first.dimensions > 0 && second.dimensions > 0
  }

  /// The amounts between which a share of `level` lies, the same share on either side cut off. `m` is the mean spend of a repeat
  /// purchase; where there is none, or none that is positive, the population's law stands for it.
  public func bounds(_ summary: PurchaseSummary, spend m: [Double], within h: Double, level: Double) -> (low: [Double], high: [Double]) {
    precondition(m.count == summary.count, "one mean spend per customer, not \(m.count) for \(summary.count)")
    let tail = (1 - level) / 2
    let groups = LivingGroups(summary, byRecency: predictors.contains { $0.countsNeedRecency })
    let stretches = groups.stretches(summary)
    let chunks = FixedChunks.map(count: stretches.count, chunk: 1) { range -> [(row: Int, low: Double, high: Double)] in
      var results: [(row: Int, low: Double, high: Double)] = []
      // With an own mean, and without: two laws of spend for one x.
      var own = SpendGrid(laws, x: summary.x[groups.first(of: stretches[range.lowerBound].lowerBound)])
      var none = SpendGrid(laws, x: 0)
      for g in stretches[range.lowerBound] {
        let rows = groups.rows[groups.starts[g]..<groups.starts[g + 1]]
        let first = rows.first!
        var counts = LivingGroups.laws(
          predictors, x: summary.x[first], tx: summary.tx[first], T: summary.T[first], within: h, upTo: 1 - 1e-6, most: Self.most)
        // What is left stands at the last count.
        for i in counts.indices { counts[i][counts[i].count - 1] += max(0, 1 - Summaries.sum(counts[i])) }
        var totals: [Bool: [SpendGrid.Total]] = [:]
        for row in rows {
          let isOwn = summary.x[row] >= 1 && m[row] > 0
          if totals[isOwn] == nil {
            totals[isOwn] = points.map { isOwn ? own.total($0.spend, counts[$0.purchases]) : none.total($0.spend, counts[$0.purchases]) }
          }
          let alive = predictors.map { $0.probabilityAlive(x: summary.x[row], tx: summary.tx[row], T: summary.T[row]) }
          let scales = laws.map { Portable.log($0.v + (isOwn ? summary.x[row] * m[row] : 0)) }
          let step = isOwn ? own.step : none.step
          let law = totals[isOwn]!
          func quantile(_ p: Double) -> Double {
            self.quantile(p, alive: alive, scales: scales, totals: law, none: counts, step: step)
          }
          results.append((row, quantile(tail), quantile(1 - tail)))
        }
      }
      return results
    }
    var (low, high) = ([Double](repeating: 0, count: summary.count), [Double](repeating: 0, count: summary.count))
    for chunk in chunks { for r in chunk { (low[r.row], high[r.row]) = (r.low, r.high) } }
    return (low, high)
  }

  /// Purchases beyond this many are not told apart.
  private static let most = 2000

  /// The amount below which the mean over the points is p: between two amounts, by the rule of false position (Illinois).
  private func quantile(
    _ p: Double, alive: [Double], scales: [Double], totals: [SpendGrid.Total], none counts: [[Double]], step: Double
  ) -> Double {
    var nothing = 0.0
    for point in points { nothing += 1 - alive[point.purchases] + alive[point.purchases] * counts[point.purchases][0] }
    let target = p * Double(points.count) - nothing
    if target <= 0 { return 0 }
    func reached(_ y: Double) -> Double {
      var sum = 0.0
      for (point, total) in zip(points, totals) { sum += alive[point.purchases] * total.at((y - scales[point.spend]) / step) }
      return sum - target
    }
    var (left, right) = (Double.infinity, -Double.infinity)
    for (point, total) in zip(points, totals) {
      left = min(left, scales[point.spend] + step * Double(total.start - 1))
      right = max(right, scales[point.spend] + step * Double(total.start + total.values.count))
    }
    var (below, above) = (-target, reached(right))
    if above <= 0 { return Portable.exp(right) }
    var side = 0
    for _ in 0..<200 where right - left > 1e-9 {
      var y = (left * above - right * below) / (above - below)
      if !(y > left && y < right) || side.magnitude > 4 { y = 0.5 * (left + right) }
      let value = reached(y)
      if value < 0 {
        (left, below) = (y, value)
        if side < 0 { above *= 0.5 }
        side = min(side, 0) - 1
      } else {
        (right, above) = (y, max(value, 1e-300))
        if side > 0 { below *= 0.5 }
        side = max(side, 0) + 1
      }
      if value.magnitude < 1e-12 { break }
    }
    return Portable.exp(0.5 * (left + right))
  }
}

/// For one x: P(n purchases cost at most V e^y) on a grid of y, for each law of spend.
private struct SpendGrid {
  /// The law of a total of purchases: a sum over their number.
  struct Total {
    /// Of the first value, in steps.
    var start: Int
    var values: [Double]

    /// Between the points by the cubic through four of them; 0 before the first.
    func at(_ position: Double) -> Double {
      let k = position.rounded(.down)
      guard k > Double(start - 2) else { return 0 }
      guard k < Double(start + values.count) else { return values.last ?? 0 }
      let i = Int(k) - start
      let t = position - k
      let (a, b, c, d) = (value(i - 1), value(i), value(i + 1), value(i + 2))
      let (below, above) = (t + 1, t - 1)
      let cubic =
        -a * t * above * (t - 2) / 6 + b * below * above * (t - 2) / 2 - c * below * t * (t - 2) / 2 + d * below * t * above / 6
      return min(max(cubic, min(b, c)), max(b, c))
    }

    private func value(_ i: Int) -> Double { i < 0 ? 0 : values[min(i, values.count - 1)] }
  }

  let step: Double
  private let laws: [(p: Double, Q: Double)]
  /// By law and number of purchases less one: where the values begin, and they; before them 0, behind them 1.
  private var rows: [[(start: Int, values: [Double])]]

  init(_ laws: [GammaGamma.Parameters], x: Double) {
    self.laws = laws.map { ($0.p, $0.p * x + $0.q) }
    // No number of purchases has a narrower law of ln s than infinitely many.
    step = 0.25 * Special.trigamma(self.laws.map(\.Q).max()!).squareRoot()
    rows = laws.map { _ in [] }
  }

  mutating func total(_ law: Int, _ counts: [Double]) -> Total {
    while rows[law].count < counts.count - 1 { rows[law].append(row(law, Double(rows[law].count + 1))) }
    let used = rows[law].prefix(max(counts.count - 1, 0))
    guard let start = used.map(\.start).min(), let end = used.map({ $0.start + $0.values.count }).max() else { return Total(start: 0, values: [0]) }
    var values = [Double](repeating: 0, count: end - start + 1)
    var whole = values
    for (n, row) in used.enumerated() {
      let weight = counts[n + 1]
      if weight == 0 { continue }
      let offset = row.start - start
      for i in row.values.indices { values[offset + i] += weight * row.values[i] }
      whole[offset + row.values.count] += weight
    }
    var passed = 0.0
    for i in values.indices {
      passed += whole[i]
      values[i] += passed
    }
    return Total(start: start, values: values)
  }

  /// I_w(p n, Q), w = e^y / (1 + e^y), where it is neither 0 nor 1 to 1e-6.
  private func row(_ law: Int, _ n: Double) -> (start: Int, values: [Double]) {
    let (a, b) = (laws[law].p * n, laws[law].Q)
    // Beyond this no amount is a number any more.
    let center = min(max(((Special.digamma(a) - Special.digamma(b)) / step).rounded(), -1e9), 1e9)
    func probability(_ k: Double) -> Double {
      let y = k * step
      return Special.betaI(Portable.sigmoid(y), complement: Portable.sigmoid(-y), a, b)
    }
    var values: [Double] = []
    var k = center
    while values.count < 4096 {
      let v = probability(k)
      values.append(v)
      if v < 1e-6 { break }
      k -= 1
    }
    let start = Int(k)
    values.reverse()
    k = center
    while values.count < 8192, values.last! < 1 - 1e-6 {
      k += 1
      values.append(probability(k))
    }
    return (start, values)
  }
}
