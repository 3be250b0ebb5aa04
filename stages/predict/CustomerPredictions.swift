import Columns
import Models
import Pipelines
import Statistics

/// The predictions of a table of customers, a row each; NaN where there is no usable history. Every row depends on its own
/// history alone.
struct CustomerPredictions {
  private(set) var alive: [Double]
  private(set) var purchases: [Double]
  /// P(at least one purchase).
  private(set) var buys: [Double]?
  /// By number of purchases; the last stands for that many and more.
  private(set) var counts: [[Double]] = []
  private(set) var interval: (low: [Double], high: [Double])?
  /// With a model of spend only.
  private(set) var values: (spend: [Double], clv: [Double])?
  /// Of the value, with a model of spend.
  private(set) var valueInterval: (low: [Double], high: [Double])?
  /// The value of everything still to come.
  private(set) var residual: [Double]?
  private(set) var withoutHistory: Int
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

  /// `covariates` are the columns that the model names; customers with equal ones share parameters.
  static func make(
    _ model: FittedModel, _ spend: FittedModel?, x: [Double], tx: [Double], T: [Double], m: [Double]?, covariates: [[Double]],
    horizon: Double, discount: Discount?, wishes: Wishes
  ) -> CustomerPredictions {
    if covariates.isEmpty || x.isEmpty {
      return CustomerPredictions(model, spend, x: x, tx: tx, T: T, m: m, horizon: horizon, discount: discount, wishes: wishes)
    }
    // A customer of whom a covariate is not known has no prediction.
    let isKnown = x.indices.map { row in covariates.allSatisfy { $0[row].isFinite } }
    let columns = covariates.map { column in column.indices.map { isKnown[$0] ? column[$0] : 0 } }
    let groups = EqualRows(columns).groups
    let parts = FixedChunks.map(count: groups.count, chunk: groups.count < 64 ? groups.count : 64) { range in
      range.map { g -> CustomerPredictions in
        let rows = groups[g]
        func cells(_ column: [Double]) -> [Double] { rows.map { column[$0] } }
        return CustomerPredictions(
          model.of(columns.map { $0[rows[0]] }), spend, x: cells(x), tx: cells(tx), T: rows.map { isKnown[$0] ? T[$0] : .nan },
          m: m.map(cells), horizon: horizon, discount: discount, wishes: wishes)
      }
    }.flatMap { $0 }
    func merged(_ column: (CustomerPredictions) -> [Double]) -> [Double] {
      var all = [Double](repeating: .nan, count: x.count)
      for (rows, part) in zip(groups, parts) { for (row, value) in zip(rows, column(part)) { all[row] = value } }
      return all
    }
    var all = parts[0]
    all.alive = merged { $0.alive }
    all.purchases = merged { $0.purchases }
    if all.buys != nil { all.buys = merged { $0.buys! } }
    all.counts = all.counts.indices.map { n in merged { $0.counts[n] } }
    if all.interval != nil { all.interval = (merged { $0.interval!.low }, merged { $0.interval!.high }) }
    if all.values != nil { all.values = (merged { $0.values!.spend }, merged { $0.values!.clv }) }
    if all.valueInterval != nil { all.valueInterval = (merged { $0.valueInterval!.low }, merged { $0.valueInterval!.high }) }
    if all.residual != nil { all.residual = merged { $0.residual! } }
    all.withoutHistory = parts.reduce(0) { $0 + $1.withoutHistory }
    all.intervalHoldsParameters = parts.allSatisfy { $0.intervalHoldsParameters }
    return all
  }

  private init(
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
    let counted = discount.map { batch.discounted($0) } ?? expected
    values = (spread(spends), valued(counted))
    if let level = wishes.level {
      let intervals = ValueIntervals(
        kind, model.parameters, covariance: model.covariance, stages: model.stages, spend: law, spendCovariance: spend.covariance)
      intervalHoldsParameters = intervalHoldsParameters && intervals.includesParameters
      // A monthly sum has a horizon of its own.
      var (reach, plain) = (horizon, expected)
      if case .monthly(_, let month, let months)? = discount {
        reach = month * Double(months)
        plain = batch.purchases(within: reach)
      }
      let bounds = intervals.bounds(summary, spend: ms, within: reach, level: level)
      // The law is of purchases that count in full; the discount is the one of the expected purchases.
      func discounted(_ amounts: [Double]) -> [Double] {
        spread(amounts.indices.map { plain[$0] > 0 ? amounts[$0] * (counted[$0] / plain[$0]) : 0 })
      }
      valueInterval = (discounted(bounds.low), discounted(bounds.high))
    }
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

extension FittedModel {
  /// What holds for customers with these covariates: their own parameters, and what the fit leaves open about them.
  fileprivate func of(_ z: [Double]) -> FittedModel {
    guard let covariates, let model = PurchaseModel(rawValue: kind.rawValue) else { return self }
    let map = CovariateFit.rows(model, z)
    let θ = parameters.map(Portable.log) + covariates.effects
    let own = map.map { row in Portable.exp(min(max(zip(row, θ).reduce(0) { $0 + $1.0 * $1.1 }, -600), 600)) }
    let spread = covariates.covariance.map { c in
      map.indices.map { i in
        map.indices.map { j in
          var sum = 0.0
          for a in θ.indices where map[i][a] != 0 { for b in θ.indices where map[j][b] != 0 { sum += map[i][a] * c[a][b] * map[j][b] } }
          return sum * own[i] * own[j]
        }
      }
    }
    return with(parameters: own, covariance: spread)
  }
}
