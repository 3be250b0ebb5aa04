import Statistics

/// Exponential smoothing of level, trend and season: Holt–Winters, Holt where there is no season, with or without a trend that dies
/// away.
///
///     let fit = ExponentialSmoothing.fit(passengers, period: 12, season: .multiplicative)
///     fit?.forecast(24)
///
/// Holt 1957; Winters 1960; Gardner & McKenzie 1985 (damped). Start values as in R's HoltWinters: the classical decomposition of the
/// first two seasons and the line through its trend; parameters by the least sum of squared one-step errors after the first season.
public struct ExponentialSmoothing: SeriesForecaster {
  public enum Season: String, Sendable { case none, additive, multiplicative }

  // MARK: Parameters

  public struct Parameters: Hashable, Sendable {
    /// How fast level, slope and season follow.
    public var α: Double
    public var β: Double
    public var γ: Double
    /// What is left of the slope after one period; 1 for a trend that goes on.
    public var φ: Double
  }

  public let parameters: Parameters
  public let season: Season
  /// Σ of squared one-step errors.
  public let sse: Double
  public let converged: Bool
  public let iterations: Int
  /// The level after the last value.
  public var level: Double { path.levels.last! }
  /// The slope after the last value.
  public var slope: Double { path.slopes.last! }
  let isDamped: Bool
  private let period: Int
  private let path: Path

  // MARK: Fit

  /// Nil where there are not two seasons, or no finite fit.
  public static func fit(_ y: [Double], period m: Int, season: Season, damped: Bool = false) -> ExponentialSmoothing? {
    let period = season == .none ? 1 : m
    guard period >= 1, let start = start(y, period, season), y.count >= start.first + 3, y.allSatisfy(\.isFinite) else { return nil }
    var starts = [[0.3, 0.1], [0.6, 0.05], [0.1, 0.01]]
    var (lower, upper) = ([0.0, 0.0], [1.0, 1.0])
    if season != .none {
      for (i, γ) in [0.1, 0.3, 0.5].enumerated() { starts[i].append(γ) }
      lower.append(0)
      upper.append(1)
    }
    if damped {
      for (i, φ) in [0.9, 0.95, 0.85].enumerated() { starts[i].append(φ) }
      // Below, the trend is gone at once; above, it never goes (Hyndman & Athanasopoulos, sec. 8.2).
      lower.append(0.8)
      upper.append(0.98)
    }
    func unpacked(_ p: [Double]) -> Parameters {
      Parameters(α: p[0], β: p[1], γ: season == .none ? 0 : p[2], φ: damped ? p.last! : 1)
    }
    let found = BoxedLeastSquares.minimize(from: starts, lower: lower, upper: upper) { Path(y, period, season, unpacked($0), start).errors }
    guard let found else { return nil }
    return ExponentialSmoothing(y, period, season, unpacked(found.point), start, damped, found)
  }

  private init(_ y: [Double], _ m: Int, _ season: Season, _ p: Parameters, _ start: Start, _ damped: Bool, _ optimum: Optimum) {
    (parameters, self.season, period, isDamped) = (p, season, m, damped)
    path = Path(y, m, season, p, start)
    sse = BoxedLeastSquares.sum(path.errors)
    (converged, iterations) = (optimum.converged, optimum.iterations)
  }

  /// Where the recursion begins.
  struct Start {
    var level: Double
    var slope: Double
    /// By phase.
    var figure: [Double]
    /// The first value that is smoothed.
    var first: Int
  }

  private static func start(_ y: [Double], _ m: Int, _ season: Season) -> Start? {
    if season == .none {
      guard y.count >= 3 else { return nil }
      return Start(level: y[1], slope: y[1] - y[0], figure: [], first: 2)
    }
    guard m > 1, y.count >= 2 * m, let pattern = SeasonalPattern(y[..<(2 * m)], period: m, multiplicative: season == .multiplicative) else {
      return nil
    }
    let line = pattern.line
    return Start(level: line.intercept, slope: line.slope, figure: pattern.figure, first: m)
  }

  /// The states and errors of one pass.
  struct Path {
    /// After so many values less `first`.
    var levels: [Double]
    var slopes: [Double]
    /// What is known of the season at the time of each value, `figure` first.
    var seasons: [Double]
    var errors: [Double] = []
    let first: Int

    init(_ y: [Double], _ m: Int, _ season: Season, _ p: Parameters, _ start: Start) {
      (levels, slopes, seasons, first) = ([start.level], [start.slope], start.figure, start.first)
      errors.reserveCapacity(y.count)
      for i in start.first..<max(y.count, start.first) {
        let (l, b) = (levels.last!, p.φ * slopes.last!)
        let s = season == .none ? 0 : seasons[i - m]
        let expected = season == .multiplicative ? (l + b) * s : l + b + s
        errors.append(y[i] - expected)
        let level = p.α * (season == .multiplicative ? y[i] / s : y[i] - s) + (1 - p.α) * (l + b)
        levels.append(level)
        slopes.append(p.β * (level - l) + (1 - p.β) * b)
        if season != .none { seasons.append(p.γ * (season == .multiplicative ? y[i] / level : y[i] - level) + (1 - p.γ) * s) }
      }
    }
  }

  // MARK: Predict

  var firstOrigin: Int { path.first }
  var freeParameters: Int { 2 + (season == .none ? 0 : 1) + (isDamped ? 1 : 0) }
  var isMultiplicative: Bool { season == .multiplicative }

  func forecast(at t: Int, _ h: Int) -> [Double] {
    let (l, b) = (path.levels[t - path.first], path.slopes[t - path.first])
    var (grown, power) = (0.0, 1.0)
    return (0..<h).map { k in
      power *= parameters.φ
      grown += power
      let line = l + grown * b
      guard season != .none else { return line }
      let s = path.seasons[t - period + k % period]
      return season == .multiplicative ? line * s : line + s
    }
  }

  /// The next `h` values.
  public func forecast(_ h: Int) -> [Double] { forecast(at: path.first + path.errors.count, h) }
}
