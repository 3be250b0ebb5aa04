import Statistics

/// A series of sums by period, foretold by the method that foretold best so far.
///
///     let forecast = try SalesForecast(revenue, period: 12, horizon: 6)
///     forecast.method, forecast.values, forecast.bounds(level: 0.9)
public struct SalesForecast: Sendable {
  public enum Method: String, CaseIterable, Sendable {
    case seasonalNaive = "seasonal-naive"
    case holtWintersAdditive = "holt-winters-additive"
    case holtWintersMultiplicative = "holt-winters-multiplicative"
    case damped
    case theta
    case combination
  }

  /// One line of the leader board.
  public struct Entry: Sendable {
    public var method: Method
    /// Mean |error| over the mean |difference| of values a season apart (MASE); over all origins and steps.
    public var error: Double
    /// Why the method cannot be chosen, or nil.
    public var failure: String?
  }

  /// Best first, those that failed last; of one method where it was named.
  public let board: [Entry]
  public let method: Method
  /// How many earlier times were tried.
  public let origins: Int
  public let values: [Double]
  /// What the method said of each value a period before; nil where it could not.
  public let fitted: [Double?]
  /// Standard deviations of the errors so many periods ahead, of the value or, where errors grow with it, as shares.
  private let deviations: [Double]
  private let isRelative: Bool
  private let isPositive: Bool

  /// `period` is how many values make a season, 1 for none.
  public init(_ y: [Double], period: Int, horizon: Int, method named: Method? = nil, origins most: Int = 6) throws(FitError) {
    precondition(horizon >= 1 && period >= 1, "a forecast looks ahead")
    if y.count < 4 {
      throw FitError(
        "nothing can be foretold from \(y.count) period\(y.count == 1 ? "" : "s")", because: "at least four are needed",
        remedy: "take a longer time or shorter periods")
    }
    // Fewer than two seasons tell nothing of a season.
    let m = y.count >= 2 * period ? period : 1
    let methods = named.map { [$0] } ?? Method.allCases
    // The longest horizon that leaves enough to learn from.
    let least = max(2 * m + 2, 4)
    let reach = max(1, min(horizon, y.count - least))
    let tried = max(0, min(most, y.count - reach - least + 1))
    origins = tried
    let entries = methods.map { Self.judge($0, y, m, reach: reach, origins: tried) }
    let ranked = entries.enumerated().sorted { a, b in
      if (a.element.failure == nil) != (b.element.failure == nil) { return a.element.failure == nil }
      let (x, z) = (a.element.error, b.element.error)
      return x < z || (!(z < x) && a.offset < b.offset)
    }
    board = ranked.map(\.element)
    guard let best = board.first(where: { $0.failure == nil }), let model = Self.model(best.method, y, m) else {
      throw FitError(
        "\(named?.rawValue ?? "no method") cannot be fitted to \(y.count) periods", because: board.first?.failure ?? "its numbers are not finite",
        remedy: "take a longer time, or leave the choice of the method open")
    }
    method = best.method
    values = model.forecast(at: y.count, horizon)
    fitted = y.indices.map { $0 >= model.firstOrigin ? model.forecast(at: $0, 1)[0] : nil }
    isPositive = y.allSatisfy { $0 >= 0 }
    isRelative = model.isMultiplicative && y.allSatisfy { $0 > 0 }
    deviations = Self.deviations(model, y, horizon, relative: isRelative)
  }

  /// Between which a value lies with this probability, errors taken as normal; not below 0 where no value was.
  public func bounds(level: Double) -> (low: [Double], high: [Double]) {
    let z = Normal.quantile(0.5 + level / 2)
    func bound(_ sign: Double) -> [Double] {
      zip(values, deviations).map { value, σ in
        let bound = value + sign * z * (isRelative ? σ * value.magnitude : σ)
        return isPositive ? max(bound, 0) : bound
      }
    }
    return (bound(-1), bound(1))
  }

  // MARK: Methods

  static func model(_ method: Method, _ y: [Double], _ m: Int) -> (any SeriesForecaster)? {
    let positive = y.allSatisfy { $0 > 0 }
    switch method {
    case .seasonalNaive: return SeasonalNaive(y: y, period: m)
    case .holtWintersAdditive: return sound(ExponentialSmoothing.fit(y, period: m, season: m > 1 ? .additive : .none))
    case .holtWintersMultiplicative: return m > 1 && positive ? sound(ExponentialSmoothing.fit(y, period: m, season: .multiplicative)) : nil
    case .damped:
      let additive = ExponentialSmoothing.fit(y, period: m, season: m > 1 ? .additive : .none, damped: true)
      let multiplicative = m > 1 && positive ? ExponentialSmoothing.fit(y, period: m, season: .multiplicative, damped: true) : nil
      return sound([additive, multiplicative].compactMap { $0 }.min { $0.sse < $1.sse })
    case .theta: return Theta(y, period: m)
    case .combination:
      let plain = [Method.holtWintersAdditive, .holtWintersMultiplicative].compactMap { model($0, y, m) as? ExponentialSmoothing }.min { $0.sse < $1.sse }
      let parts: [(any SeriesForecaster)?] = [plain, model(.damped, y, m), model(.theta, y, m)]
      let there = parts.compactMap { $0 }
      return there.count < 2 ? nil : Combination(parts: there)
    }
  }

  private static func sound(_ model: ExponentialSmoothing?) -> ExponentialSmoothing? {
    guard let model, model.forecast(1)[0].isFinite, model.sse.isFinite else { return nil }
    return model
  }

  private static func judge(_ method: Method, _ y: [Double], _ m: Int, reach: Int, origins: Int) -> Entry {
    var (errors, unit) = ([Double](), 0.0)
    for back in 0..<origins {
      let t = y.count - reach - back
      let known = Array(y[..<t])
      guard let model = model(method, known, m) else {
        return Entry(method: method, error: .nan, failure: reason(method, known, m))
      }
      for (k, value) in model.forecast(at: t, reach).enumerated() { errors.append((value - y[t + k]).magnitude) }
      unit += Summaries.mean((m..<t).map { (known[$0] - known[$0 - m]).magnitude })
    }
    if model(method, y, m) == nil { return Entry(method: method, error: .nan, failure: reason(method, y, m)) }
    if origins == 0 { return Entry(method: method, error: .nan, failure: nil) }
    let error = Summaries.mean(errors) / max(unit / Double(origins), 1e-300)
    return Entry(method: method, error: error, failure: error.isFinite ? nil : "its numbers are not finite")
  }

  /// Why a method cannot be fitted.
  private static func reason(_ method: Method, _ y: [Double], _ m: Int) -> String {
    if method == .holtWintersMultiplicative {
      if m == 1 { return "there is no season" }
      if !y.allSatisfy({ $0 > 0 }) { return "it needs values above 0" }
    }
    return "\(y.count) values are too few"
  }

  /// Of the errors that the fitted method makes k periods ahead of every time it could have been asked; they never shrink with k.
  /// Where too few are known they go on as those of a random walk.
  private static func deviations(_ model: any SeriesForecaster, _ y: [Double], _ horizon: Int, relative: Bool) -> [Double] {
    let first = min(model.firstOrigin, y.count - 1)
    var (sums, counts) = ([Double](repeating: 0, count: horizon), [Double](repeating: 0, count: horizon))
    for t in first..<y.count {
      for (k, value) in model.forecast(at: t, min(horizon, y.count - t)).enumerated() {
        let error = (y[t + k] - value) / (relative ? max(value.magnitude, 1e-300) : 1)
        sums[k] += error * error
        counts[k] += 1
      }
    }
    let free = Double(model.freeParameters)
    var (result, last, at) = ([Double](), 0.0, 0)
    for k in 0..<horizon {
      if counts[k] >= free + 8 || k == 0 {
        last = max(last, (sums[k] / max(counts[k] - free, 1)).squareRoot())
        at = k
        result.append(last)
      } else {
        result.append(last * (Double(k + 1) / Double(at + 1)).squareRoot())
      }
    }
    return result
  }
}
