import Statistics

/// How far predictions of a value were from it.
public struct RegressionErrors: Hashable, Sendable {
  public let metrics: HoldoutMetrics
  /// 1 − Σ (actual − prediction)² / Σ (actual − mean actual)²; nan where the actual values do not vary.
  public let r2: Double

  public init(predicted: [Double], actual: [Double]) {
    metrics = HoldoutMetrics(predicted: predicted, actual: actual)
    let mean = Summaries.mean(actual)
    let total = Summaries.sum(actual.lazy.map { ($0 - mean) * ($0 - mean) })
    let left = Summaries.sum(zip(predicted, actual).lazy.map { ($0 - $1) * ($0 - $1) })
    r2 = total > 0 ? 1 - left / total : .nan
  }

  /// In the order in which they are told.
  public var named: [(name: String, value: Double)] {
    [
      ("mae", metrics.mae), ("wape", metrics.wape), ("rmse", metrics.rmse), ("r2", r2), ("bias", metrics.bias),
      ("gini_normalized", metrics.normalizedGini), ("top_decile_lift", metrics.topDecileLift),
    ]
  }
}
