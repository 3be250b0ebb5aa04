import Models
import Statistics
import Testing

/// Air passengers in thousands, 1949 to 1960 (Box & Jenkins 1976, series G; AirPassengers of R).
let airPassengers: [Double] = [
  112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118, 115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140, 145, 150, 178, 163,
  172, 178, 199, 199, 184, 162, 146, 166, 171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194, 196, 196, 236, 235, 229, 243, 264, 272,
  237, 211, 180, 201, 204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229, 242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278,
  284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306, 315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336, 340, 318, 362, 348,
  363, 435, 491, 505, 404, 359, 310, 337, 360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405, 417, 391, 419, 461, 472, 535, 622, 606,
  508, 461, 390, 432,
]

struct SalesForecastTests {
  /// R's HoltWinters on AirPassengers, and SciPy's minimum of the same sum to all digits (holt_winters.py).
  @Test(arguments: [
    (ExponentialSmoothing.Season.multiplicative, [0.2756, 0.0327, 0.8707], 16570.78, 16570.777750077366, 469.317, 3.0213),
    (.additive, [0.24796, 0.03452, 1.0], 21860.18, 21860.184511509724, 477.8228, 3.1274),
  ])
  func holtWinters(season: ExponentialSmoothing.Season, known: [Double], sse: Double, least: Double, level: Double, slope: Double) throws {
    let fit = try #require(ExponentialSmoothing.fit(airPassengers, period: 12, season: season))
    #expect(fit.converged)
    for (found, expected) in zip([fit.parameters.α, fit.parameters.β, fit.parameters.γ], known) {
      #expect((found - expected).magnitude < 1e-4, "\(found), not \(expected)")
    }
    #expect((fit.sse - sse).magnitude < 5e-3)
    #expect(relative(fit.sse, least) < 1e-11)
    #expect((fit.level - level).magnitude < 1e-3)
    #expect((fit.slope - slope).magnitude < 1e-4)
    let year = fit.forecast(24)
    #expect(year.allSatisfy { $0.isFinite && $0 > 300 })
  }

  /// A line with a fixed season goes on exactly, whatever the method that can.
  @Test(arguments: [SalesForecast.Method.holtWintersAdditive, .damped, .theta, .combination, .seasonalNaive])
  func aLineGoesOn(method: SalesForecast.Method) throws {
    let season = [5.0, -3, 0, -2]
    func value(_ t: Int) -> Double { 100 + (method == .seasonalNaive ? 0 : 2 * Double(t)) + season[t % 4] }
    let forecast = try SalesForecast((0..<40).map(value), period: 4, horizon: 6, method: method)
    for (k, found) in forecast.values.enumerated() {
      // A damped trend loses a fiftieth of its slope each period, theta goes on with half of it.
      let allowed = method == .holtWintersAdditive || method == .seasonalNaive ? 1e-3 : 14
      #expect((found - value(40 + k)).magnitude < allowed, "\(k): \(found)")
    }
  }

  /// What is foretold is what was not seen: cut off the last year and foretell it.
  @Test func theLastYearOfAirPassengers() throws {
    let forecast = try SalesForecast(Array(airPassengers.dropLast(12)), period: 12, horizon: 12)
    let actual = Array(airPassengers.suffix(12))
    let error = zip(forecast.values, actual).reduce(0) { $0 + ($1.0 - $1.1).magnitude / $1.1 } / 12
    #expect(error < 0.06, "\(forecast.method): \(error)")
    #expect(forecast.board.count == 6 && forecast.board[0].method == forecast.method)
    #expect(zip(forecast.board, forecast.board.dropFirst()).allSatisfy { $0.error <= $1.error })
    #expect(forecast.origins == 6)
    let (low, high) = forecast.bounds(level: 0.95)
    #expect(zip(low, zip(forecast.values, high)).allSatisfy { $0 < $1.0 && $1.0 < $1.1 })
    let again = try SalesForecast(Array(airPassengers.dropLast(12)), period: 12, horizon: 12)
    #expect(again.values == forecast.values)
  }

  /// Intervals of 90 % on 200 simulated series hold about nine of ten of the values to come.
  @Test func coverage() throws {
    let inside = FixedChunks.map(count: 200, chunk: 4) { range -> (Int, Int) in
      var (held, all) = (0, 0)
      for i in range {
        var random = RandomStream(seed: UInt64(7000 + i))
        var (level, slope, y) = (200.0, 1.0, [Double]())
        for t in 0..<66 {
          let season = 40 * [0, 0.5, 0.9, 1, 0.9, 0.5, 0, -0.5, -0.9, -1, -0.9, -0.5][t % 12]
          let noise = 8 * random.normal()
          y.append(level + slope + season + noise)
          level += slope + 0.3 * noise
          slope += 0.01 * noise
        }
        guard let forecast = try? SalesForecast(Array(y.prefix(60)), period: 12, horizon: 6) else { continue }
        let (low, high) = forecast.bounds(level: 0.9)
        for k in 0..<6 where y[60 + k] >= low[k] && y[60 + k] <= high[k] { held += 1 }
        all += 6
      }
      return (held, all)
    }
    let share = Double(inside.reduce(0) { $0 + $1.0 }) / Double(inside.reduce(0) { $0 + $1.1 })
    #expect(share > 0.84 && share < 0.94, "\(share)")
  }

  @Test func fewValues() throws {
    for n in 4...40 {
      let forecast = try SalesForecast(Array(airPassengers.prefix(n)), period: 12, horizon: 6)
      let (low, high) = forecast.bounds(level: 0.9)
      #expect((forecast.values + low + high).allSatisfy { $0.isFinite && $0 >= 0 }, "\(n)")
    }
    let nothing = try SalesForecast([Double](repeating: 0, count: 30), period: 12, horizon: 3)
    #expect(nothing.values == [0, 0, 0] && nothing.bounds(level: 0.9).high == [0, 0, 0])
    #expect(throws: FitError("nothing can be foretold from 3 periods", because: "at least four are needed", remedy: "take a longer time or shorter periods")) {
      try SalesForecast([1, 2, 3], period: 12, horizon: 3)
    }
    #expect(
      throws: FitError(
        "holt-winters-multiplicative cannot be fitted to 30 periods", because: "it needs values above 0",
        remedy: "take a longer time, or leave the choice of the method open")
    ) { try SalesForecast([Double](repeating: 0, count: 30), period: 12, horizon: 3, method: .holtWintersMultiplicative) }
  }
}
