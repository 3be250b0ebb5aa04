import Statistics

/// Columns brought to one scale before distances are taken.
public enum Scaling: Hashable, Sendable {
  /// (value − mean) / population standard deviation.
  case standard
  /// (value − smallest) / (largest − smallest).
  case range
  /// ln(1 + value), then standard.
  case logStandard

  /// One column; a column that does not vary becomes zero.
  public func apply(_ values: [Double]) -> [Double] {
    switch self {
    case .standard:
      let center = Summaries.mean(values)
      let spread = Summaries.variance(values, dropped: 0).squareRoot()
      return values.map { spread > 0 ? ($0 - center) / spread : 0 }
    case .range:
      guard let low = values.min(), let high = values.max() else { return [] }
      return values.map { high > low ? ($0 - low) / (high - low) : 0 }
    case .logStandard: return Scaling.standard.apply(values.map(Portable.log1p))
    }
  }

  /// One column of rows that count by their weight, zero or more: as if each stood there so often.
  public func apply(_ values: [Double], weights: [Double]) -> [Double] {
    switch self {
    case .standard:
      let total = Summaries.sum(weights)
      if total <= 0 { return values.map { _ in 0 } }
      let center = Summaries.sum(zip(values, weights).lazy.map { $0 * $1 }) / total
      let spread = (Summaries.sum(zip(values, weights).lazy.map { ($0 - center) * ($0 - center) * $1 }) / total).squareRoot()
      return values.map { spread > 0 ? ($0 - center) / spread : 0 }
    case .range:
      let counting = zip(values, weights).lazy.filter { $0.1 > 0 }.map(\.0)
      guard let low = counting.min(), let high = counting.max() else { return values.map { _ in 0 } }
      return values.map { high > low ? ($0 - low) / (high - low) : 0 }
    case .logStandard: return Scaling.standard.apply(values.map(Portable.log1p), weights: weights)
    }
  }
}
