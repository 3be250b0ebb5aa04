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
}
