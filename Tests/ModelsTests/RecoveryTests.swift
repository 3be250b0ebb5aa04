import Models
import Statistics
import Testing

/// 200 simulated data sets of each model, or more: how often the truth lies in the intervals that a fit gives, ± 1.645 standard errors of the
/// logarithm.
struct RecoveryTests {
  @Test func bgNBD() {
    let truth = BGNBD.Parameters(r: 0.7, α: 30, a: 0.9, b: 3)
    expectNinety(truth.vector) { try covered(BGNBD.fit(simulated(3000, truth, seed: 500 + $0)), truth.vector) }
  }

  @Test func mbgNBD() {
    let truth = BGNBD.Parameters(r: 0.7, α: 20, a: 0.9, b: 3)
    expectNinety(truth.vector) { seed in
      var random = RandomStream(seed: 1300 + seed)
      var s = PurchaseSummary(x: [], tx: [], T: [])
      for _ in 0..<3000 {
        let age = 30 + (random.uniform() * 335).rounded(.down)
        let (rate, p) = (random.gamma(shape: truth.r, rate: truth.α), random.beta(truth.a, truth.b))
        // A customer may leave at once.
        add(&s, rate: random.uniform() < p ? 0 : rate, dropout: p, age: age, &random)
      }
      return try covered(MBGNBD.fit(s), truth.vector)
    }
  }

  @Test func paretoNBD() {
    let truth = ParetoNBD.Parameters(r: 0.7, α: 20, s: 0.8, β: 80)
    expectNinety(truth.vector) { try covered(ParetoNBD.fit(simulated(3000, truth, seed: 900 + $0)), truth.vector) }
  }

  @Test func nbd() {
    let truth = NBD.Parameters(r: 0.7, α: 20)
    expectNinety(truth.vector) { seed in
      var random = RandomStream(seed: 1700 + seed)
      var s = PurchaseSummary(x: [], tx: [], T: [])
      for _ in 0..<1500 {
        let age = 30 + (random.uniform() * 335).rounded(.down)
        add(&s, rate: random.gamma(shape: truth.r, rate: truth.α), until: age, age: age, &random)
      }
      return try covered(NBD.fit(s), truth.vector)
    }
  }

  /// k is known; that it is found when it is not, `PeriodModelsTests` shows.
  @Test(arguments: [false, true]) func regularBuyers(dropoutAtOnce: Bool) {
    let truth = PeriodModelsTests.truth.vector
    expectNinety(truth) { seed in
      let s = PeriodModelsTests.regular(1000, k: 2, o: dropoutAtOnce ? 1 : 0, seed: 2100 + seed).summary
      return try covered(RegularBuyers.fit(GroupedSummary(s), dropoutAtOnce: dropoutAtOnce, k: 2).model, truth)
    }
  }

  /// Two parameters that err together: in 94 of 100 sets both intervals hold or both miss, so that 200 sets are 200 answers, whose share
  /// alone varies by two percent: the first 200 of these give 94 %, all 1,000 of them 89.9, and 4,000 of other seeds 90.7. Nor is it the
  /// scale of the intervals: the logit of a / (a + b) and the logarithm of a + b, which err together less, give 94.5 % on the same 200 sets.
  @Test func sBG() {
    let truth = ShiftedBetaGeometric.Parameters(a: 0.8, b: 2.5)
    expectNinety(truth.vector, sets: 1000) { seed in
      var random = RandomStream(seed: 2500 + seed)
      var (renewals, possible): ([Double], [Double]) = ([], [])
      for _ in 0..<1500 {
        let (θ, T) = (random.beta(truth.a, truth.b), 4 + Double(random.integer(below: 7)))
        var t = 0.0
        while t < T, random.uniform() >= θ { t += 1 }
        renewals.append(t)
        possible.append(T)
      }
      return try covered(ShiftedBetaGeometric.fit(renewals: renewals, possible: possible), truth.vector)
    }
  }

  @Test func bgBB() {
    let truth = BGBB.Parameters(α: 1.2, β: 0.8, γ: 0.7, δ: 2.8)
    expectNinety(truth.vector) { seed in
      var random = RandomStream(seed: 2900 + seed)
      var s = PurchaseSummary(x: [], tx: [], T: [])
      for _ in 0..<4000 {
        let (p, θ, n) = (random.beta(truth.α, truth.β), random.beta(truth.γ, truth.δ), 6 + Double(random.integer(below: 5)))
        var (x, last, now) = (0.0, 0.0, 0.0)
        while now < n, random.uniform() >= θ {
          now += 1
          if random.uniform() < p { (x, last) = (x + 1, now) }
        }
        s.x.append(x)
        s.tx.append(last)
        s.T.append(n)
      }
      return try covered(BGBB.fit(s), truth.vector)
    }
  }

  /// Intervals of ln p, ln(q − 1) and ln v.
  @Test func gammaGamma() {
    let truth = GammaGamma.Parameters(p: 4, q: 3.5, v: 20)
    expectNinety(truth.vector) { seed in
      var random = RandomStream(seed: 3300 + seed)
      var (x, m): ([Double], [Double]) = ([], [])
      for _ in 0..<2000 {
        let (purchases, ν) = (1 + Double(random.poisson(mean: 2)), random.gamma(shape: truth.q, rate: truth.v))
        x.append(purchases)
        m.append(random.gamma(shape: truth.p * purchases, rate: ν * purchases))
      }
      let fit = try GammaGamma.fit(x: x, m: m)
      guard fit.converged, let errors = fit.standardErrors else { return 0 }
      let found = fit.parameters
      return [(found.p, truth.p, errors.p), (found.q - 1, truth.q - 1, errors.q), (found.v, truth.v, errors.v)].lazy
        .filter { Self.holds($0.0, $0.1, $0.2) }.count
    }
  }

  private static func holds(_ found: Double, _ truth: Double, _ error: Double) -> Bool {
    Portable.log(found / truth).magnitude <= 1.6448536269514722 * error / found
  }

  private func covered<P: ModelParameters>(_ fit: ModelFit<P>, _ truth: [Double]) -> Int {
    guard fit.converged, let errors = fit.standardErrors else { return 0 }
    return truth.indices.lazy.filter { Self.holds(fit.parameters.vector[$0], truth[$0], errors.vector[$0]) }.count
  }

  /// `covered` of a seed is how many of the parameters lie in their intervals; a fit that fails covers none.
  private func expectNinety(_ truth: [Double], sets: Int = 200, _ covered: @escaping @Sendable (UInt64) throws -> Int) {
    let inside = FixedChunks.map(count: sets, chunk: 1) { (try? covered(UInt64($0.lowerBound))) ?? 0 }.reduce(0, +)
    let share = Double(inside) / Double(sets * truth.count)
    #expect(share > 0.88 && share < 0.92, "\(share)")
  }
}
