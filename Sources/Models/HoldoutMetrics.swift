import Statistics

/// How well predictions met what happened, one number per question.
public struct HoldoutMetrics: Hashable, Sendable {
  public var observations: Int
  public var predictedTotal: Double
  public var actualTotal: Double
  /// Mean |prediction − actual|.
  public var mae: Double
  /// Root of the mean squared error.
  public var rmse: Double
  /// Mean squared difference of ln(1 + ·); nan when a value is below −1.
  public var msle: Double
  /// Σ |prediction − actual| / Σ |actual|.
  public var wape: Double
  /// (Σ prediction − Σ actual) / Σ actual.
  public var bias: Double
  public var pearson: Double
  /// Correlation of the ranks, ties sharing their mean rank.
  public var spearman: Double
  /// Gini of actual ordered by prediction over Gini of actual ordered by itself; ties keep the order of the rows.
  public var normalizedGini: Double
  /// Share of the actual total held by the ⌊n/10⌋ rows with the highest prediction; ties keep the order of the rows.
  public var topDecileCapture: Double

  /// That share over the share of the rows: how many times better than rows picked blindly.
  public var topDecileLift: Double
  /// Mean over tenths of the rows by prediction of |mean prediction − mean actual| / mean actual; tenths in which nothing
  /// happened are left out.
  public var decileMAPE: Double
  /// Σ over the same tenths of |Σ prediction − Σ actual|, as a share of the actual total.
  public var calibrationError: Double

  public init(predicted: [Double], actual: [Double]) {
    precondition(
      predicted.count == actual.count,
      "one prediction per actual value, not \(predicted.count) for \(actual.count)")
    let n = predicted.count
    let errors = zip(predicted, actual).map { $0 - $1 }
    observations = n
    predictedTotal = Summaries.sum(predicted)
    actualTotal = Summaries.sum(actual)
    let absolute = Summaries.sum(errors.lazy.map(\.magnitude))
    mae = absolute / Double(n)
    rmse = (Summaries.sum(errors.lazy.map { $0 * $0 }) / Double(n)).squareRoot()
    let logs = zip(predicted, actual).map { Portable.log1p($0) - Portable.log1p($1) }
    msle = Summaries.sum(logs.lazy.map { $0 * $0 }) / Double(n)
    wape = absolute / Summaries.sum(actual.lazy.map(\.magnitude))
    bias = (predictedTotal - actualTotal) / actualTotal
    pearson = Summaries.correlation(predicted, actual)
    spearman = Summaries.correlation(Self.ranks(predicted), Self.ranks(actual))
    let byPrediction = Self.descending(predicted)
    normalizedGini = Self.gini(actual, byPrediction) / Self.gini(actual, Self.descending(actual))
    topDecileCapture = Summaries.sum(byPrediction.prefix(n / 10).lazy.map { actual[$0] }) / actualTotal
    topDecileLift = topDecileCapture * Double(n) / Double(n / 10)
    let tenths = (0..<10).map { tenth in
      let rows = byPrediction[tenth * n / 10..<(tenth + 1) * n / 10]
      return (predicted: Summaries.sum(rows.lazy.map { predicted[$0] }), actual: Summaries.sum(rows.lazy.map { actual[$0] }))
    }
    let active = tenths.filter { $0.actual > 0 }
    decileMAPE = Summaries.sum(active.lazy.map { ($0.predicted - $0.actual).magnitude / $0.actual }) / Double(active.count)
    calibrationError = Summaries.sum(tenths.lazy.map { ($0.predicted - $0.actual).magnitude }) / actualTotal
  }

  private static func descending(_ values: [Double]) -> [Int] {
    values.indices.sorted { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
  }

  /// Area between the concentration curve and the diagonal, up to a factor that the ratio removes.
  private static func gini(_ actual: [Double], _ order: [Int]) -> Double {
    let total = Summaries.sum(actual)
    let n = Double(actual.count)
    let weighted = Summaries.sum(order.enumerated().lazy.map { actual[$1] * (n - Double($0)) })
    return weighted / total - (n + 1) / 2
  }

  /// 1-based ranks.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      for i in start..<end { ranks[order[i]] = Double(start + end + 1) / 2 }
      start = end
    }
    return ranks
  }
}
