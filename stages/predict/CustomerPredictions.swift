import Columns
import Models
import Pipelines
import Statistics

/// The predictions of a table of customers, a row each; NaN where there is no usable history. Every row depends on its own
/// history alone.
struct CustomerPredictions {
  let alive: [Double]
  let purchases: [Double]
  /// P(at least one purchase).
  private(set) var buys: [Double]?
  /// By number of purchases; the last stands for that many and more.
  private(set) var counts: [[Double]] = []
  private(set) var interval: (low: [Double], high: [Double])?
  /// With a model of spend only.
  private(set) var values: (spend: [Double], clv: [Double])?
  /// The value of everything still to come.
  private(set) var residual: [Double]?
  let withoutHistory: Int
  /// Whether the interval holds what the fit leaves open about the parameters.
  private(set) var intervalHoldsParameters = true

  /// What is asked for besides the usual.
  struct Wishes {
    var buys = false
    var counts: Int?
    var level: Double?
    /// The rate for the value of everything still to come.
    var residual: Double?
  }

  init(
    _ model: FittedModel, _ spend: FittedModel?, x: [Double], tx: [Double], T: [Double], m: [Double]?, horizon: Double,
    discount: Discount?, wishes: Wishes
  ) {
    let kind = PurchaseModel(rawValue: model.kind.rawValue)!  // every kind of purchases is one
    let usable = zip(x, zip(tx, T)).map { kind.isHistory(x: $0, tx: $1.0, T: $1.1) }
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
    let summary = PurchaseSummary(x: sound(x), tx: sound(tx), T: sound(T))
    let predictor = kind.predictor(model.parameters, stages: model.stages)
    let batch = PredictedBatch(predictor, summary)
    let expected = batch.purchases(within: horizon)
    alive = spread(batch.alive)
    purchases = spread(expected)
    if wishes.buys {
      buys = spread(batch.each { $0.livingBuys(x: $1, tx: $2, T: $3, within: horizon) })
    }
    if let n = wishes.counts { counts = batch.counts(within: horizon, through: n).map(spread) }
    if let level = wishes.level {
      let intervals = CountIntervals(kind, model.parameters, covariance: model.covariance, stages: model.stages)
      intervalHoldsParameters = intervals.includesParameters
      let bounds = intervals.bounds(summary, within: horizon, level: level)
      interval = (spread(bounds.low), spread(bounds.high))
    }
    guard let spend, let m else { return }
    let law = GammaGamma.Parameters(p: spend.parameters[0], q: spend.parameters[1], v: spend.parameters[2])
    // The document's mean is the median where q is so near 1 that a mean hardly exists.
    let populationMean = spend.document["population_mean"]?.double ?? law.populationMean
    let (xs, ms) = (summary.x, sound(m))
    let spends = FixedChunks.fill(count: xs.count, chunk: 1 << 16) { rows, out in
      for i in rows { out[i] = xs[i] >= 1 && ms[i] > 0 ? law.expectedSpend(x: xs[i], m: ms[i]) : populationMean }
    }
    func valued(_ counted: [Double]) -> [Double] {
      spread(
        FixedChunks.fill(count: xs.count, chunk: 1 << 16) { rows, out in
          for i in rows { out[i] = spends[i] * counted[i] }
        })
    }
    values = (spread(spends), valued(discount.map { batch.discounted($0) } ?? expected))
    if let rate = wishes.residual { residual = valued(batch.discounted(.continuous(rate: rate, horizon: .infinity))) }
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
    if let residual { metrics["residual_value"] = total(residual) }
    return metrics
  }
}
