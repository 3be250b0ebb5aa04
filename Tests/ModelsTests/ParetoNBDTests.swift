import Models
import Statistics
import Testing

struct ParetoNBDTests {
  static let cdnow = ParetoNBD.Predictor(.init(r: 0.55328, α: 10.57768, s: 0.60624, β: 11.66874))

  /// CDNOW, weeks, calibration to 1997-09-30: Fader, Hardie & Lee 2005 (−9595.0); CLVTools' errors.
  @Test func fitOfCdnow() throws {
    guard let cdnow = Reference.cdnow else { return }
    let fit = try ParetoNBD.fit(cdnow.summary)
    #expect(fit.converged)
    #expect(fit.diagnoses == [])
    #expect((fit.logLikelihood - -9594.9762).magnitude < 1e-4)
    for (found, expected) in zip(fit.parameters.vector, [0.55328, 10.57768, 0.60624, 11.66874]) {
      #expect(relative(found, expected) < 1e-4, "\(found), not \(expected)")
    }
    for (found, expected) in zip(try #require(fit.standardErrors).vector, [0.0476, 0.8427, 0.1873, 6.2110]) {
      #expect(relative(found, expected) < 1e-3, "standard error \(found), not \(expected)")
    }
    let metrics = HoldoutMetrics(
      predicted: predictions(ParetoNBD.Predictor(fit.parameters), cdnow.summary), actual: cdnow.holdout)
    #expect((metrics.mae - 0.7545).magnitude < 5e-5)
    #expect((metrics.rmse - 1.6028).magnitude < 5e-5)
    #expect((metrics.msle - 0.2377).magnitude < 5e-5)
    #expect((metrics.predictedTotal - 1665.51).magnitude < 0.005)
    #expect((metrics.pearson - 0.6302).magnitude < 5e-5)
    let spend = try GammaGamma.fit(x: cdnow.summary.x, m: cdnow.spend).expectedSpend(x: cdnow.summary.x, m: cdnow.spend)
    let value = zip(predictions(ParetoNBD.Predictor(fit.parameters), cdnow.summary), spend).map(*)
    #expect((Summaries.sum(value) - 60449.31).magnitude < 0.5)
  }

  @Test func baselineOfCdnow() throws {
    guard let cdnow = Reference.cdnow else { return }
    let fit = try NBD.fit(cdnow.summary)
    #expect(fit.converged)
    #expect((fit.logLikelihood - -9763.658).magnitude < 1e-3)
    #expect(relative(fit.parameters.r, 0.3848) < 2e-4)
    #expect(relative(fit.parameters.α, 12.072) < 1e-4)
    let metrics = HoldoutMetrics(predicted: predictions(NBD.Predictor(fit.parameters), cdnow.summary), actual: cdnow.holdout)
    #expect((metrics.mae - 1.0410).magnitude < 5e-5)
    #expect((metrics.rmse - 1.8595).magnitude < 5e-5)
    #expect((metrics.predictedTotal - 2929.82).magnitude < 0.005)
    #expect((metrics.pearson - 0.5834).magnitude < 5e-5)
  }

  private func predictions(_ model: some PurchasePredictor, _ s: PurchaseSummary) -> [Double] {
    (0..<s.count).map { model.expectedPurchases(x: s.x[$0], tx: s.tx[$0], T: s.T[$0], within: 39) }
  }

  /// Analytic derivatives against differences of ℓ, with α on either side of β.
  @Test(arguments: [[0.7, 30, 0.6, 45], [0.7, 45, 0.6, 30], [1.3, 2, 2.5, 400]])
  func derivatives(point: [Double]) throws {
    let data = try GroupedSummary(simulated(1500, BGNBD.Parameters(r: 0.5, α: 20, a: 0.8, b: 2), seed: 9))
    let gradient = ParetoNBD.gradient(data, at: .init(point))
    for i in 0..<4 {
      let step = 1e-5 * point[i]
      var (up, down) = (point, point)
      up[i] += step
      down[i] -= step
      let slope = (ParetoNBD.logLikelihood(data, at: .init(up)) - ParetoNBD.logLikelihood(data, at: .init(down))) / (2 * step)
      #expect(relative(slope, gradient[i]) < 1e-5, "parameter \(i)")
    }
  }

  /// Known parameters come back from 20,000 simulated customers within four standard errors.
  @Test func recovery() throws {
    let truth = ParetoNBD.Parameters(r: 0.6, α: 20, s: 0.7, β: 60)
    let fit = try ParetoNBD.fit(simulated(20_000, truth, seed: 8))
    #expect(fit.converged)
    let errors = try #require(fit.standardErrors)
    for i in 0..<4 { #expect((fit.parameters.vector[i] - truth.vector[i]).magnitude < 4 * errors.vector[i]) }
  }

  /// Rows on which older implementations gave NaN (CLVTools #100, lifetimes), and BTYD's customer 1516.
  @Test func publishedPoints() {
    let nan = ParetoNBD.Predictor(.init(r: 0.5143, α: 2.8845, s: 0.2856, β: 14.1087))
    for (x, tx, T, expected) in [
      (221.0, 103.42857, 103.57143, 0.999596), (254, 97.14286, 97.28571, 0.999558), (161, 94.71429, 98, 0.749488),
      (204, 98.57143, 99.42857, 0.994255),
    ] { #expect((nan.probabilityAlive(x: x, tx: tx, T: T) - expected).magnitude < 1e-6) }
    let overflow = ParetoNBD.Predictor(.init(r: 10.465, α: 0.00798565181, s: 3.0516, β: 2.82))
    for (x, tx, T) in [(40.0, 5.0, 6.0), (50, 1, 37), (50, 4, 37)] {
      let p = overflow.probabilityAlive(x: x, tx: tx, T: T)
      #expect(p >= 0 && p <= 1, "\(p)")
    }
    let under = ParetoNBD.Predictor(.init(r: 0.55, α: 10.58, s: 0.61, β: 11.67))
    #expect(relative(under.expectedPurchases(x: 132, tx: 200, T: 200, within: 10), 6.2060517889632418) < 1e-12)
    #expect(relative(under.expectedPurchases(x: 133, tx: 200, T: 200, within: 10), 6.2528722475748113) < 1e-12)
    let rounded = ParetoNBD.Predictor(.init(r: 0.5534, α: 10.5802, s: 0.6061, β: 11.6562))
    #expect((rounded.probabilityAlive(x: 26, tx: 30.857, T: 31) - 0.997873).magnitude < 1e-5)
    #expect((rounded.expectedPurchases(x: 26, tx: 30.857, T: 31, within: 52) - 25.4554).magnitude < 1e-2)
    #expect((rounded.probabilityAlive(x: 0, tx: 0, T: 39) - 0.2941633).magnitude < 1e-4)
    #expect((Self.cdnow.expectedPurchases(by: 52) - 1.4734414).magnitude < 1e-5)
    let m = Self.cdnow
    for (x, expected) in [(10.0, 0.70591), (15, 0.14415), (20, 0.02249), (25, 0.00309)] {
      #expect((rounded.expectedPurchases(x: x, tx: 20, T: 39, within: 52) - expected).magnitude < 1e-4, "x \(x)")
    }
    // BTYD's manual, as lifetimes tests it.
    for (t, expected) in [(1.0, 0.05077821), (2, 0.09916088), (5, 0.23247466), (9, 0.38909211)] {
      #expect((m.expectedPurchases(by: t) - expected).magnitude < 1e-2)
    }
  }

  /// Discounted values of models.md: Tricomi's function at 11 digits, and finite horizons.
  @Test func discountedValues() {
    let m = Self.cdnow
    let week = Portable.log(1.15) / 52
    func value(_ x: Double, _ tx: Double, _ h: Double) -> Double {
      m.discountedPurchases(x: x, tx: tx, T: 38.86, .continuous(rate: week, horizon: h))
    }
    #expect(relative(value(2, 30.43, 39), 1.38560998257) < 1e-4)
    #expect(relative(m.expectedPurchases(x: 2, tx: 30.43, T: 38.86, within: 39), 1.45511300084) < 1e-4)
    for (x, tx, expected) in [(0.0, 0.0, 0.478252), (2, 30.43, 6.50019946531), (7, 35, 20.71035892), (4, 20, 5.957009), (10, 38, 30.561436)] {
      #expect(relative(value(x, tx, .infinity), expected) < 1e-4, "x \(x): \(value(x, tx, .infinity))")
    }
    #expect(relative(value(7, 35, 39), 4.41470761) < 1e-4)
    #expect(m.discountedPurchases(x: 2, tx: 30.43, T: 38.86, .continuous(rate: 0, horizon: 39)) == m.expectedPurchases(x: 2, tx: 30.43, T: 38.86, within: 39))
    #expect(value(2, 30.43, 1e9) == value(2, 30.43, .infinity))
  }
}

func simulated(_ count: Int, _ p: ParetoNBD.Parameters, seed: UInt64) -> PurchaseSummary {
  var random = RandomStream(seed: seed)
  var s = PurchaseSummary(x: [], tx: [], T: [])
  for _ in 0..<count {
    let age = 30 + (random.uniform() * 335).rounded(.down)
    let life = random.exponential(rate: random.gamma(shape: p.s, rate: p.β))
    let rate = random.gamma(shape: p.r, rate: p.α)
    add(&s, rate: rate, until: min(life, age), age: age, &random)
  }
  return s
}

/// A customer who leaves at `until`, whatever happens before.
func add(_ s: inout PurchaseSummary, rate: Double, until: Double, age: Double, _ random: inout RandomStream) {
  var (now, x, last) = (0.0, 0.0, 0.0)
  while rate > 0 {
    now += random.exponential(rate: rate)
    if now > until { break }
    x += 1
    last = now
  }
  s.x.append(x)
  s.tx.append(last)
  s.T.append(age)
}
