import Models
import Statistics
import Testing

/// q at its border, 1, where the population's mean spend ends to exist: the profile likelihood there, and what is said of it.
@Suite struct GammaGammaBorderTests {
  private static func drawn(_ count: Int, _ truth: GammaGamma.Parameters, seed: UInt64) -> (x: [Double], m: [Double]) {
    var random = RandomStream(seed: seed)
    var (x, m): ([Double], [Double]) = ([], [])
    for _ in 0..<count {
      let (purchases, ν) = (1 + Double(random.poisson(mean: 2)), random.gamma(shape: truth.q, rate: truth.v))
      x.append(purchases)
      m.append(random.gamma(shape: truth.p * purchases, rate: ν * purchases))
    }
    return (x, m)
  }

  /// No p and v do better where q = 1, and some do nearly as well: found by trying many.
  @Test(arguments: [1.05, 1.5, 3, 8]) func profile(q: Double) throws {
    for seed in 0..<4 as Range<UInt64> {
      let (x, m) = Self.drawn(80, .init(p: 4, q: q, v: 20), seed: 40 + seed)
      let fit = try GammaGamma.fit(x: x, m: m)
      #expect(fit.converged && fit.borderLogLikelihood <= fit.logLikelihood + 1e-6)
      #expect(fit.borderStatistic == max(0, 2 * (fit.logLikelihood - fit.borderLogLikelihood)))
      var best = -Double.infinity
      // ln p in steps of a twentieth, and p v, which hardly depends on it, in steps of a fiftieth.
      for i in -20...180 {
        let p = Portable.exp(Double(i) / 20)
        for j in 50...250 {
          best = max(best, GammaGamma.logLikelihood(x: x, m: m, at: .init(p: p, q: 1, v: Portable.exp(Double(j) / 50) / p)))
        }
      }
      #expect(best <= fit.borderLogLikelihood + 1e-6 && best > fit.borderLogLikelihood - 0.1, "\(q) \(seed): \(best), \(fit.borderLogLikelihood)")
    }
  }

  /// Said where twice the difference is below 3.84, and only there.
  @Test func whatIsSaid() throws {
    var said = 0
    for seed in 0..<40 as Range<UInt64> {
      let (x, m) = Self.drawn(12 + Int(seed), .init(p: 4, q: 2.5, v: 20), seed: 90 + seed)
      let fit = try GammaGamma.fit(x: x, m: m)
      let isSaid = fit.diagnoses.contains { $0.hasPrefix("q at its border is not excluded: with q = 1, where the population has no mean spend, ") }
      #expect(isSaid == (fit.parameters.q >= 1.01 && fit.borderStatistic < 3.841458820694124), "\(seed)")
      if isSaid { said += 1 }
      #expect(fit.populationMean > 0 && fit.populationMean < .infinity)
      // Near its border q is no ground for a mean: the median serves.
      if fit.parameters.q < 1.01 { #expect(fit.populationMean == Summaries.median(m)) }
    }
    #expect(said > 0 && said < 40, "\(said)")
  }

  /// Whole sentences; a fit from an earlier one says the same.
  @Test func sentence() throws {
    let (x, m) = ([1.0, 2, 1, 3, 1, 2, 1], [12.0, 30, 9, 22, 160, 18, 25])
    let fit = try GammaGamma.fit(x: x, m: m)
    #expect(
      fit.diagnoses.first
        == "q at its border is not excluded: with q = 1, where the population has no mean spend, the log-likelihood is 0.8319 lower, and 1.92 would tell them apart; do not lean on the population mean, 36.96 (the median is 22.0)")
    let again = try GammaGamma.fit(x: x, m: m, from: fit.parameters)
    #expect((again.borderLogLikelihood - fit.borderLogLikelihood).magnitude < 1e-6)
  }
}
