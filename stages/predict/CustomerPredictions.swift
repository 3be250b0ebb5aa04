import Columns
import Models
import Pipelines
import Statistics

/// The predictions of a table of customers, a row each; NaN where there is no usable history.
struct CustomerPredictions {
  let alive: [Double]
  let purchases: [Double]
  /// With a model of spend only.
  let values: (spend: [Double], clv: [Double])?
  let withoutHistory: Int

  init(
    _ model: FittedModel, _ spend: FittedModel?, x: [Double], tx: [Double], T: [Double], m: [Double]?, horizon: Double,
    discount: Discount?
  ) {
    let usable = zip(x, zip(tx, T)).map { Self.isHistory(x: $0, tx: $1.0, T: $1.1) }
    withoutHistory = usable.lazy.filter { !$0 }.count
    // The models want sound rows only; the others are left out and put back as NaN.
    let rows = withoutHistory == 0 ? nil : usable.indices.filter { usable[$0] }
    func sound(_ cells: [Double]) -> [Double] { rows?.map { cells[$0] } ?? cells }
    func spread(_ results: [Double]) -> [Double] {
      guard let rows else { return results }
      var all = [Double](repeating: .nan, count: x.count)
      for (result, row) in zip(results, rows) { all[row] = result }
      return all
    }
    let p = model.parameters
    let parameters = BGNBD.Parameters(r: p[0], α: p[1], a: p[2], b: p[3])
    let predictor = model.kind == .mbgNBD ? MBGNBD.predictor(parameters) : BGNBD.Predictor(parameters)
    let scores = predictor.scores(of: PurchaseSummary(x: sound(x), tx: sound(tx), T: sound(T)))
    let expected = scores.expectedPurchases(within: horizon)
    alive = spread(scores.probabilityAlive)
    purchases = spread(expected)
    guard let spend, let m else {
      values = nil
      return
    }
    let law = GammaGamma.Parameters(p: spend.parameters[0], q: spend.parameters[1], v: spend.parameters[2])
    // The document's mean is the median where q is so near 1 that a mean hardly exists.
    let populationMean = spend.document["population_mean"]?.double ?? law.populationMean
    let (xs, ms) = (sound(x), sound(m))
    let spends = FixedChunks.fill(count: xs.count, chunk: 1 << 16) { rows, out in
      for i in rows { out[i] = xs[i] >= 1 && ms[i] > 0 ? law.expectedSpend(x: xs[i], m: ms[i]) : populationMean }
    }
    let counted = discount.map { scores.discountedPurchases($0) } ?? expected
    let clv = FixedChunks.fill(count: xs.count, chunk: 1 << 16) { rows, out in
      for i in rows { out[i] = spends[i] * counted[i] }
    }
    values = (spread(spends), spread(clv))
  }

  /// Whole x ≥ 0, 0 ≤ t_x ≤ T, and t_x = 0 where x = 0.
  static func isHistory(x: Double, tx: Double, T: Double) -> Bool {
    x >= 0 && x <= 1e9 && x == x.rounded(.towardZero) && tx >= 0 && tx <= T && T < 1e300 && (x > 0 || tx == 0)
  }

  /// From 0, the lowest, to 1, the highest; NaN stays.
  func scaled(_ values: [Double]) -> [Double] {
    let known = values.filter { !$0.isNaN }
    guard let low = known.min(), let high = known.max(), high > low else { return values.map { $0.isNaN ? .nan : 0 } }
    return values.map { ($0 - low) / (high - low) }
  }

  /// NaN becomes null.
  func column(_ values: [Double]) -> Column {
    withoutHistory == 0 && !values.contains { $0.isNaN } ? .full(.float64, values) : .float64s(values.map { $0.isNaN ? nil : $0 })
  }

  func metrics(unit: Duration.Unit, horizon: Double) -> Metrics {
    func total(_ values: [Double]) -> JSONValue { .double(Summaries.sum(values.lazy.filter { !$0.isNaN })) }
    var metrics = Metrics()
    metrics["customers"] = .integer(alive.count)
    metrics["without_prediction"] = .integer(withoutHistory)
    metrics["unit"] = .string(unit.rawValue)
    metrics["horizon"] = .double(horizon)
    metrics["expected_alive"] = total(alive)
    metrics["expected_purchases"] = total(purchases)
    if let values { metrics["clv"] = total(values.clv) }
    return metrics
  }
}
