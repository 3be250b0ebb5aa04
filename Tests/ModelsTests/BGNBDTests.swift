import Models
import Statistics
import Testing

struct BGNBDFitTests {
  /// CDNOW, weeks, calibration to 1997-09-30: the numbers every package reproduces (Fader, Hardie & Lee 2005).
  @Test func cdnow() throws {
    guard let cdnow = Reference.cdnow else { return }
    let fit = try BGNBD.fit(cdnow.summary)
    #expect(fit.converged)
    #expect(fit.diagnoses == [])
    #expect(fit.observations == 2357)
    #expect(fit.gradientNorm < 1e-11)
    #expect((fit.logLikelihood - -9582.429206673929).magnitude < 1e-8)
    for (found, expected) in zip(fit.parameters.vector, [0.24259452678427854, 4.413601813662093, 0.7929220432826214, 2.4259070700100924]) {
      #expect(relative(found, expected) < 1e-5, "\(found), not \(expected)")
    }
    let errors = try #require(fit.standardErrors)
    for (found, expected) in zip(errors.vector, [0.01256, 0.37822, 0.18573, 0.70541]) {
      #expect(relative(found, expected) < 1e-3, "standard error \(found), not \(expected)")
    }
    #expect((fit.aic - (8 + 2 * 9582.429206673929)).magnitude < 1e-6)

    let again = try BGNBD.fit(cdnow.summary)
    #expect(again.parameters == fit.parameters, "two fits differ")
  }

  @Test func mbgOfCdnow() throws {
    guard let cdnow = Reference.cdnow else { return }
    let fit = try MBGNBD.fit(cdnow.summary)
    #expect(fit.converged)
    #expect((fit.logLikelihood - -9582.135715553748).magnitude < 1e-8)
    for (found, expected) in zip(fit.parameters.vector, [0.5248431260177726, 6.183084972841263, 0.8913593324686251, 1.61400217326611]) {
      #expect(relative(found, expected) < 1e-5)
    }
    for (found, expected) in zip(try #require(fit.standardErrors).vector, [0.0833, 0.6956, 0.1548, 0.5375]) {
      #expect(relative(found, expected) < 1e-3)
    }
  }

  /// The unit of time moves α and the level of ℓ, nothing else; weights count customers.
  @Test func unitsAndWeights() throws {
    guard let cdnow = Reference.cdnow else { return }
    let s = cdnow.summary
    let weekly = try BGNBD.fit(s)
    let daily = try BGNBD.fit(PurchaseSummary(x: s.x, tx: s.tx.map { ($0 * 7).rounded() }, T: s.T.map { ($0 * 7).rounded() }))
    for (d, w) in zip(daily.parameters.vector, [weekly.parameters.r, 7 * weekly.parameters.α, weekly.parameters.a, weekly.parameters.b]) {
      #expect(relative(d, w) < 1e-7)
    }
    let doubled = try BGNBD.fit(s, weights: s.x.map { _ in 2 })
    #expect(relative(doubled.logLikelihood, 2 * weekly.logLikelihood) < 1e-13)
    #expect(relative(doubled.standardErrors!.r, weekly.standardErrors!.r / 2.0.squareRoot()) < 1e-6)
  }

  /// Known parameters come back from 40,000 simulated customers within four standard errors.
  @Test func recovery() throws {
    let truth = BGNBD.Parameters(r: 0.6, α: 40, a: 0.9, b: 3)
    let fit = try BGNBD.fit(simulated(40_000, truth, seed: 5))
    #expect(fit.converged)
    let errors = try #require(fit.standardErrors)
    for i in 0..<4 { #expect((fit.parameters.vector[i] - truth.vector[i]).magnitude < 4 * errors.vector[i]) }
  }

  /// Analytic derivatives against differences of ℓ, both models.
  @Test(arguments: [0, 1])
  func derivatives(o: Int) throws {
    let data = try GroupedSummary(simulated(2000, BGNBD.Parameters(r: 0.5, α: 20, a: 0.8, b: 2), seed: 9))
    let point = [0.7, 30, 0.6, 3.1]
    func value(_ v: [Double]) -> Double {
      o == 0 ? BGNBD.logLikelihood(data, at: .init(r: v[0], α: v[1], a: v[2], b: v[3]))
        : MBGNBD.logLikelihood(data, at: .init(r: v[0], α: v[1], a: v[2], b: v[3]))
    }
    let p = BGNBD.Parameters(r: point[0], α: point[1], a: point[2], b: point[3])
    let gradient = o == 0 ? BGNBD.gradient(data, at: p) : MBGNBD.gradient(data, at: p)
    for i in 0..<4 {
      let step = 1e-5 * point[i]
      var (up, down) = (point, point)
      up[i] += step
      down[i] -= step
      #expect(relative((value(up) - value(down)) / (2 * step), gradient[i]) < 1e-5)
    }
  }

  /// One dropout probability for all: a and b run away together, and the fit says so.
  @Test func aRidgeIsNamed() throws {
    var random = RandomStream(seed: 21)
    var s = PurchaseSummary(x: [], tx: [], T: [])
    for _ in 0..<3000 {
      let rate = random.gamma(shape: 0.8, rate: 12)
      add(&s, rate: rate, dropout: 0.15, age: 60, &random)
    }
    let fit = try BGNBD.fit(s)
    #expect(fit.logLikelihood.isFinite)
    if fit.parameters.a + fit.parameters.b > 1e4 {
      #expect(fit.diagnoses.contains { $0.hasPrefix("dropout heterogeneity is not identified: a and b grew together") })
    }
    #expect((fit.parameters.a / (fit.parameters.a + fit.parameters.b) - 0.15).magnitude < 0.03)
  }

  @Test(arguments: [
    (PurchaseSummary(x: [1, 2], tx: [1, 2], T: [3, 3]),
      "BG/NBD cannot be fitted to 2 customers: four parameters need at least 10; take more customers or a longer observation period"),
    (PurchaseSummary(x: [Double](repeating: 0, count: 20), tx: [Double](repeating: 0, count: 20), T: [Double](repeating: 9, count: 20)),
      "BG/NBD cannot be fitted: none of the 20 customers bought again, so nothing is known of rates or dropout; take a longer observation period"),
    (PurchaseSummary(x: [1, 0.5], tx: [1, 1], T: [2, 2]),
      "row 1 is not a purchase history: x = 0.5, t_x = 1.0, T = 2.0: x must be a whole number from 0, and 0 ≤ t_x ≤ T, with t_x = 0 when x = 0; compute recency and age in one unit and from the same last day"),
    (PurchaseSummary(x: [1, 1], tx: [1, 3], T: [2, 2]),
      "row 1 is not a purchase history: x = 1.0, t_x = 3.0, T = 2.0: x must be a whole number from 0, and 0 ≤ t_x ≤ T, with t_x = 0 when x = 0; compute recency and age in one unit and from the same last day"),
  ] as [(PurchaseSummary, String)])
  func refusals(summary: PurchaseSummary, sentence: String) {
    do {
      _ = try BGNBD.fit(summary)
      Issue.record("a fit came out of nothing")
    } catch { #expect("\(error)" == sentence) }
  }
}

func add(_ s: inout PurchaseSummary, rate: Double, dropout: Double, age: Double, _ random: inout RandomStream) {
  var (now, x, last) = (0.0, 0.0, 0.0)
  while rate > 0 {
    now += random.exponential(rate: rate)
    if now > age { break }
    x += 1
    last = now
    if random.uniform() < dropout { break }
  }
  s.x.append(x)
  s.tx.append(last)
  s.T.append(age)
}

func simulated(_ count: Int, _ p: BGNBD.Parameters, seed: UInt64) -> PurchaseSummary {
  var random = RandomStream(seed: seed)
  var s = PurchaseSummary(x: [], tx: [], T: [])
  for _ in 0..<count {
    let age = 30 + (random.uniform() * 335).rounded(.down)
    add(&s, rate: random.gamma(shape: p.r, rate: p.α), dropout: random.beta(p.a, p.b), age: age, &random)
  }
  return s
}
