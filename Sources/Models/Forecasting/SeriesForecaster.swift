import Statistics

/// A fitted method that can be asked what it would have said at an earlier time.
protocol SeriesForecaster: Sendable {
  /// The first t at which it can.
  var firstOrigin: Int { get }
  /// What it said, having seen the first t values, of the next h.
  func forecast(at t: Int, _ h: Int) -> [Double]
  var freeParameters: Int { get }
  /// Whether errors grow with the level.
  var isMultiplicative: Bool { get }
}

/// The value of a season ago; without a season, the last one.
struct SeasonalNaive: SeriesForecaster {
  let y: [Double]
  let period: Int
  var firstOrigin: Int { period }
  var freeParameters: Int { 0 }
  var isMultiplicative: Bool { false }
  func forecast(at t: Int, _ h: Int) -> [Double] { (0..<h).map { y[t - period + $0 % period] } }
}

/// The mean of several.
struct Combination: SeriesForecaster {
  let parts: [any SeriesForecaster]
  var firstOrigin: Int { parts.map { $0.firstOrigin }.max() ?? 0 }
  var freeParameters: Int { parts.map { $0.freeParameters }.max() ?? 0 }
  var isMultiplicative: Bool { parts.contains { $0.isMultiplicative } }

  func forecast(at t: Int, _ h: Int) -> [Double] {
    let all = parts.map { $0.forecast(at: t, h) }
    return (0..<h).map { k in all.reduce(0) { $0 + $1[k] } / Double(all.count) }
  }
}

/// Theta: the season is taken out, a simple exponential smoothing goes on with half the slope of the line through all values, and
/// the season comes back (Assimakopoulos & Nikolopoulos 2000, in the form of Hyndman & Billah 2003).
struct Theta: SeriesForecaster {
  let α: Double
  private let levels: [Double]
  private let drift: Double
  private let pattern: (figure: [Double], multiplicative: Bool)?

  var firstOrigin: Int { 1 }
  var freeParameters: Int { 3 }
  var isMultiplicative: Bool { pattern?.multiplicative ?? false }

  init?(_ y: [Double], period m: Int) {
    guard y.count >= 4, y.allSatisfy(\.isFinite) else { return nil }
    let multiplicative = y.allSatisfy { $0 > 0 }
    let isSeasonal = Self.isSeasonal(y, m)
    let figure = isSeasonal ? SeasonalPattern(y[...], period: m, multiplicative: multiplicative)?.figure : nil
    let plain = y.indices.map { i in
      guard let figure else { return y[i] }
      return multiplicative ? y[i] / figure[i % m] : y[i] - figure[i % m]
    }
    let spread = max((plain.max()! - plain.min()!), 1e-300)
    func smoothed(_ p: [Double]) -> (levels: [Double], errors: [Double]) {
      var (levels, errors) = ([plain[0] + p[1] * spread], [Double]())
      for value in plain {
        let error = value - levels.last!
        errors.append(error)
        levels.append(levels.last! + p[0] * error)
      }
      return (levels, errors)
    }
    guard
      let found = BoxedLeastSquares.minimize(
        from: [[0.3, 0], [0.8, 0]], lower: [1e-4, -2], upper: [0.9999, 2], { smoothed($0).errors })
    else { return nil }
    α = found.point[0]
    levels = smoothed(found.point).levels
    drift = SeasonalPattern.line(plain).slope / 2
    pattern = figure.map { ($0, multiplicative) }
  }

  /// Whether the autocorrelation a season apart is more than chance makes it (90 %).
  static func isSeasonal(_ y: [Double], _ m: Int) -> Bool {
    guard m > 1, y.count >= 3 * m else { return false }
    let mean = Summaries.mean(y)
    let c0 = Summaries.sum(y.lazy.map { ($0 - mean) * ($0 - mean) })
    guard c0 > 0 else { return false }
    let r = (1...m).map { lag in (lag..<y.count).reduce(0.0) { $0 + (y[$1] - mean) * (y[$1 - lag] - mean) } / c0 }
    let chance = ((1 + 2 * r.dropLast().reduce(0) { $0 + $1 * $1 }) / Double(y.count)).squareRoot()
    return r[m - 1].magnitude > 1.6448536269514722 * chance
  }

  func forecast(at t: Int, _ h: Int) -> [Double] {
    let rest = Portable.exp(Double(t) * Portable.log1p(-α))
    return (0..<h).map { k in
      let line = levels[t] + drift * (Double(k) + (1 - rest) / α)
      guard let pattern else { return line }
      let s = pattern.figure[(t + k) % pattern.figure.count]
      return pattern.multiplicative ? line * s : line + s
    }
  }
}
