import Statistics

/// The classical decomposition: a centred moving average is the trend; what deviates from it, averaged by phase, the season.
struct SeasonalPattern: Sendable {
  /// By phase, as sums (mean 0) or factors (mean 1).
  let figure: [Double]
  /// The moving average; the first is at `trendStart`.
  let trend: [Double]
  let trendStart: Int

  /// Nil where a phase is not seen, or a factor would need a division by nothing.
  init?(_ y: ArraySlice<Double>, period m: Int, multiplicative: Bool) {
    let y = Array(y)
    guard m > 1, y.count >= 2 * m else { return nil }
    let half = m / 2
    var trend: [Double] = []
    for t in half..<(y.count - half) {
      // An even number of places: the two at the ends count half.
      var sum = m % 2 == 0 ? 0.5 * (y[t - half] + y[t + half]) : y[t - half] + y[t + half]
      for i in (t - half + 1)..<(t + half) { sum += y[i] }
      trend.append(sum / Double(m))
    }
    var (sums, counts) = ([Double](repeating: 0, count: m), [Double](repeating: 0, count: m))
    for (i, level) in trend.enumerated() {
      let deviation = multiplicative ? y[half + i] / level : y[half + i] - level
      guard deviation.isFinite else { return nil }
      sums[(half + i) % m] += deviation
      counts[(half + i) % m] += 1
    }
    guard counts.allSatisfy({ $0 > 0 }) else { return nil }
    let means = zip(sums, counts).map { $0 / $1 }
    let mean = Summaries.mean(means)
    figure = means.map { multiplicative ? $0 / mean : $0 - mean }
    guard figure.allSatisfy(\.isFinite) else { return nil }
    self.trend = trend
    trendStart = half
  }

  /// Intercept and slope of the straight line through the trend; its first value stands at 1.
  var line: (intercept: Double, slope: Double) { Self.line(trend) }

  static func line(_ values: [Double]) -> (intercept: Double, slope: Double) {
    let n = Double(values.count)
    guard values.count > 1 else { return (values.first ?? 0, 0) }
    let mean = Summaries.mean(values), middle = (n + 1) / 2
    let products = Summaries.sum(values.enumerated().lazy.map { (Double($0.offset + 1) - middle) * ($0.element - mean) })
    let slope = products / (n * (n * n - 1) / 12)
    return (mean - slope * middle, slope)
  }
}
