import Models
import Statistics
import Testing

/// Models of whole periods (sBG, BG/BB) and of regular buyers.
struct PeriodModelsTests {
  // MARK: sBG

  /// Fader & Hardie 2007, first seven years of two offers.
  @Test(arguments: [
    ("Regular", [1000.0, 631, 468, 382, 326, 289, 262, 241], [0.704, 1.182], -1680.2652),
    ("High-end", [1000.0, 869, 743, 653, 593, 551, 517, 491], [0.668, 3.806], -1611.1581),
  ])
  func retention(name: String, survivors: [Double], parameters: [Double], logLikelihood: Double) throws {
    let years = Double(survivors.count - 1)
    let renewals = survivors.indices.map(Double.init)
    let left = survivors.indices.map { $0 + 1 < survivors.count ? survivors[$0] - survivors[$0 + 1] : survivors[$0] }
    let fit = try ShiftedBetaGeometric.fit(
      renewals: renewals, possible: renewals.map { _ in years }, weights: left)
    #expect(fit.converged)
    #expect((fit.logLikelihood - logLikelihood).magnitude < 5e-5)
    for (found, expected) in zip(fit.parameters.vector, parameters) { #expect((found - expected).magnitude < 5e-4) }
    #expect(fit.observations == 1000)
    let model = ShiftedBetaGeometric.Predictor(fit.parameters)
    // Expected renewals of a new customer are the sum of the survival curve; of one who has left, nothing.
    let curve = (1...12).reduce(0.0) { $0 + fit.parameters.survival(Double($1)) }
    #expect(relative(model.expectedPurchases(by: 12), curve) < 1e-13)
    #expect(model.expectedPurchases(x: 3, tx: 3, T: 7, within: 12) == 0)
    let counts = model.livingCounts(x: 7, tx: 7, T: 7, within: 5, through: 5)
    #expect((counts.reduce(0, +) - 1).magnitude < 1e-14)
    let mean = counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * $1.element }
    #expect(relative(mean, model.expectedPurchases(x: 7, tx: 7, T: 7, within: 5)) < 1e-13)
  }

  @Test(arguments: [
    ([1.0, 1, 2, 0, 1], [1.0, 1, 2, 0, 1], "sBG cannot be fitted to 5 customers: none of them left; take more customers or a longer observation period"),
    ([0.0, 0, 0, 0, 0], [1.0, 1, 2, 2, 1], "sBG cannot be fitted to 5 customers: none of them renewed; take more customers or a longer observation period"),
    ([0.5], [1.0], "row 0 is not a contract's history: 0.5 renewals of 1.0: both are whole numbers, renewals at most those possible; count the periods that the contract was renewed, and those in which it could have been"),
  ])
  func noContracts(renewals: [Double], possible: [Double], sentence: String) {
    do {
      _ = try ShiftedBetaGeometric.fit(renewals: renewals, possible: possible)
      Issue.record("a fit came out of nothing")
    } catch { #expect("\(error)" == sentence) }
  }

  // MARK: BG/BB

  /// 11,104 donors of the cohort of 1995, six years: (x, t_x, donors), of Fader, Hardie & Shang 2010. Compared number by number with
  /// lifetimes/datasets/donations.csv of github.com/CamDavidsonPilon/lifetimes, 22 rows, all equal.
  static let donors: [(x: Double, tx: Double, count: Double)] = [
    (6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129), (5, 5, 335), (4, 5, 284), (3, 5, 225), (2, 5, 173),
    (1, 5, 119), (4, 4, 240), (3, 4, 181), (2, 4, 155), (1, 4, 78), (3, 3, 322), (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277),
    (1, 1, 1091), (0, 0, 3464),
  ]

  /// Their estimates: 1.204, .750, .657, 2.783 with ℓ = −33,225.6.
  @Test func donations() throws {
    let d = Self.donors
    let summary = PurchaseSummary(x: d.map { $0.x }, tx: d.map { $0.tx }, T: d.map { _ in 6 })
    let fit = try BGBB.fit(summary, weights: d.map { $0.count })
    #expect(fit.converged)
    #expect(fit.observations == 11104)
    #expect((fit.logLikelihood - -33225.6).magnitude < 0.05)
    for (found, expected) in zip(fit.parameters.vector, [1.204, 0.750, 0.657, 2.783]) {
      #expect((found - expected).magnitude < 6e-4, "\(found), not \(expected)")
    }
    // Donations in 2002–2006 expected of donors who gave never and always, as they print them, at the rounded parameters.
    let model = BGBB.Predictor(.init(α: 1.204, β: 0.750, γ: 0.657, δ: 2.783))
    for (x, tx, expected) in [(0.0, 0.0, 0.07), (6, 6, 3.75)] {
      let found = model.expectedPurchases(x: x, tx: tx, T: 6, within: 5)
      #expect((found - expected).magnitude < 0.005, "x \(x), t_x \(tx): \(found)")
    }
    // Their table 6, P(alive in 2002), as the tests of lifetimes quote it: in the period after the last.
    for (x, tx, expected) in [(0.0, 0.0, 0.11), (2, 4, 0.59), (6, 6, 0.93)] {
      let stays = (model.parameters.δ + 6) / (model.parameters.γ + model.parameters.δ + 6)
      let found = model.probabilityAlive(x: x, tx: tx, T: 6) * stays
      #expect((found - expected).magnitude < 0.006, "x \(x), t_x \(tx): P(alive) \(found)")
    }
    // The likelihood of all histories sums to one: P(alive) and counts belong to the same law.
    for (x, tx) in [(0.0, 0.0), (2, 4), (6, 6)] {
      let counts = model.counts(x: x, tx: tx, T: 6, within: 5, through: 5)
      #expect((counts.reduce(0, +) - 1).magnitude < 1e-13)
      let mean = counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * $1.element }
      #expect(relative(mean, model.expectedPurchases(x: x, tx: tx, T: 6, within: 5)) < 1e-12)
      #expect(relative(1 - counts[0], model.probabilityOfPurchase(x: x, tx: tx, T: 6, within: 5)) < 1e-12)
    }
  }

  @Test func derivativesOfBGBB() throws {
    let d = Self.donors
    let data = try GroupedSummary(
      PurchaseSummary(x: d.map { $0.x }, tx: d.map { $0.tx }, T: d.map { _ in 9 }), weights: d.map { $0.count })
    let point = [1.1, 0.8, 0.7, 2.5]
    let gradient = BGBB.gradient(data, at: .init(point))
    for i in 0..<4 {
      var (up, down) = (point, point)
      up[i] += 1e-5
      down[i] -= 1e-5
      let slope = (BGBB.logLikelihood(data, at: .init(up)) - BGBB.logLikelihood(data, at: .init(down))) / 2e-5
      #expect(relative(slope, gradient[i]) < 1e-6)
    }
  }

  // MARK: Regular buyers

  static let truth = BGNBD.Parameters(r: 0.9, α: 6, a: 0.8, b: 3)

  /// Customers whose purchases take k stages each, and Σ ln of the times between purchases.
  static func regular(_ count: Int, k: Int, o: Int, seed: UInt64) -> (summary: PurchaseSummary, logGaps: Double) {
    var random = RandomStream(seed: seed)
    var (s, gaps) = (PurchaseSummary(x: [], tx: [], T: []), 0.0)
    for _ in 0..<count {
      let (rate, p) = (random.gamma(shape: truth.r, rate: truth.α), random.beta(truth.a, truth.b))
      let age = 60 + (random.uniform() * 100).rounded(.down)
      var (now, last, x) = (0.0, 0.0, 0.0)
      var gone = o == 1 && random.uniform() < p
      while !gone {
        now += random.gamma(shape: Double(k), rate: rate)
        if now > age { break }
        gaps += Portable.log(now - last)
        (last, x) = (now, x + 1)
        gone = random.uniform() < p
      }
      s.x.append(x)
      s.tx.append(last)
      s.T.append(age)
    }
    return (s, gaps)
  }

  /// k and the parameters come back.
  @Test(arguments: [(2, 0), (3, 1)])
  func stagesAreFound(k: Int, o: Int) throws {
    let (summary, gaps) = Self.regular(6000, k: k, o: o, seed: 12)
    let data = try GroupedSummary(summary)
    let fit = try RegularBuyers.fit(data, dropoutAtOnce: o == 1, logGaps: gaps)
    #expect(fit.k == k, "ℓ by k: \(fit.tried)")
    #expect(fit.model.converged)
    let errors = try #require(fit.model.standardErrors)
    for i in 0..<4 { #expect((fit.model.parameters.vector[i] - Self.truth.vector[i]).magnitude < 4 * errors.vector[i]) }
    // The maximum for a given k does not need the gaps.
    let given = try RegularBuyers.fit(data, dropoutAtOnce: o == 1, k: k)
    #expect(given.model.parameters == fit.model.parameters)
  }

  /// One stage is (M)BG/NBD, in likelihood and in every prediction.
  @Test(arguments: [0, 1])
  func oneStage(o: Int) throws {
    let data = try GroupedSummary(simulated(300, BGNBD.Parameters(r: 0.5, α: 20, a: 0.8, b: 2), seed: 3))
    let p = BGNBD.Parameters(r: 0.7, α: 25, a: 0.9, b: 2.2)
    let plain = o == 0 ? BGNBD.logLikelihood(data, at: p) : MBGNBD.logLikelihood(data, at: p)
    #expect(relative(RegularBuyers.logLikelihood(data, k: 1, dropoutAtOnce: o == 1, logGaps: 0, at: p), plain) < 1e-13)
    let one = RegularBuyers.Predictor(p, k: 1, dropoutAtOnce: o == 1)
    let model = o == 0 ? BGNBD.Predictor(p) : MBGNBD.predictor(p)
    for (x, tx, T) in [(0.0, 0.0, 30.0), (3, 20, 50), (40, 99, 100)] {
      #expect(relative(one.probabilityAlive(x: x, tx: tx, T: T), model.probabilityAlive(x: x, tx: tx, T: T)) < 1e-12)
      #expect(relative(one.expectedPurchases(x: x, tx: tx, T: T, within: 40), model.expectedPurchases(x: x, tx: tx, T: T, within: 40)) < 1e-12)
      let d = Discount.continuous(rate: 0.01, horizon: 60)
      #expect(relative(one.discountedPurchases(x: x, tx: tx, T: T, d), model.discountedPurchases(x: x, tx: tx, T: T, d)) < 1e-10)
      let (a, b) = (one.counts(x: x, tx: tx, T: T, within: 40, through: 9), model.counts(x: x, tx: tx, T: T, within: 40, through: 9))
      for i in 0...9 { #expect((a[i] - b[i]).magnitude < 1e-13) }
    }
  }

  @Test(arguments: [(2, 0), (3, 1)])
  func derivativesOfRegularBuyers(k: Int, o: Int) throws {
    let data = try GroupedSummary(Self.regular(800, k: 2, o: 0, seed: 2).summary)
    let point = [0.8, 7, 0.7, 2.5]
    let gradient = RegularBuyers.gradient(data, k: k, dropoutAtOnce: o == 1, at: .init(point))
    for i in 0..<4 {
      let step = 1e-5 * point[i]
      var (up, down) = (point, point)
      up[i] += step
      down[i] -= step
      func value(_ v: [Double]) -> Double { RegularBuyers.logLikelihood(data, k: k, dropoutAtOnce: o == 1, logGaps: 0, at: .init(v)) }
      #expect(relative((value(up) - value(down)) / (2 * step), gradient[i]) < 1e-6)
    }
  }

  /// Purchases to come, counted in simulated futures of customers with one history, against the exact law; what comes next
  /// depends on how long ago the last purchase was.
  @Test func regularFutures() {
    let model = RegularBuyers.Predictor(Self.truth, k: 3, dropoutAtOnce: false)
    for T in [30.0, 34, 50] {
      let counts = model.counts(x: 4, tx: 30, T: T, within: 25, through: 60)
      #expect((counts.reduce(0, +) - 1).magnitude < 1e-9)
      let mean = counts.enumerated().reduce(0.0) { $0 + Double($1.offset) * $1.element }
      #expect(relative(mean, model.expectedPurchases(x: 4, tx: 30, T: T, within: 25)) < 1e-7)
    }
    var random = RandomStream(seed: 77)
    // Rates and dropout of the posterior given x = 2, t_x = 20 by rejection on survival to T = 26.
    let (T, h) = (26.0, 20.0)
    var (histories, sum, zero) = (0.0, 0.0, 0.0)
    while histories < 40_000 {
      let rate = random.gamma(shape: Self.truth.r + 6, rate: Self.truth.α + 20)
      let p = random.beta(Self.truth.a, Self.truth.b + 1)
      let stays = random.uniform() >= p
      var next = 20 + random.gamma(shape: 3, rate: rate)
      if stays && next <= T { continue }  // would have bought again
      histories += 1
      var n = 0.0
      if stays {
        while next <= T + h {
          n += 1
          if random.uniform() < p { break }
          next += random.gamma(shape: 3, rate: rate)
        }
      }
      sum += n
      if n == 0 { zero += 1 }
    }
    #expect((sum / histories - model.expectedPurchases(x: 2, tx: 20, T: T, within: h)).magnitude < 0.02)
    #expect((zero / histories - (1 - model.probabilityOfPurchase(x: 2, tx: 20, T: T, within: h))).magnitude < 0.01)
  }
}
