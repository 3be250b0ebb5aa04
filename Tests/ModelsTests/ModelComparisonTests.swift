import Models
import Statistics
import Testing

struct ModelComparisonTests {
  /// ℓ of single customers sums to ℓ of the fit, three models.
  @Test func historiesSum() throws {
    let s = simulated(400, BGNBD.Parameters(r: 0.5, α: 20, a: 0.8, b: 2), seed: 6)
    let data = try GroupedSummary(s)
    func sum(_ model: some HistoryLikelihood) -> Double {
      Summaries.sum((0..<s.count).lazy.map { model.logLikelihood(x: s.x[$0], tx: s.tx[$0], T: s.T[$0]) })
    }
    let bg = BGNBD.Parameters(r: 0.6, α: 22, a: 0.7, b: 2.1)
    #expect(relative(sum(BGNBD.Predictor(bg)), BGNBD.logLikelihood(data, at: bg)) < 1e-13)
    #expect(relative(sum(MBGNBD.predictor(bg)), MBGNBD.logLikelihood(data, at: bg)) < 1e-13)
    let pareto = ParetoNBD.Parameters(r: 0.6, α: 22, s: 0.7, β: 30)
    #expect(relative(sum(ParetoNBD.Predictor(pareto)), ParetoNBD.logLikelihood(data, at: pareto)) < 1e-12)
    let nbd = NBD.Parameters(r: 0.6, α: 22)
    #expect(relative(sum(NBD.Predictor(nbd)), NBD.logLikelihood(data, at: nbd)) < 1e-13)
  }

  /// CDNOW: dropout is no accident; BG/NBD against Pareto/NBD is.
  @Test func cdnow() throws {
    guard let cdnow = Reference.cdnow else { return }
    let (bg, nbd) = (try BGNBD.fit(cdnow.summary), try NBD.fit(cdnow.summary))
    let test = ModelComparison.likelihoodRatio(bg.logLikelihood, over: nbd.logLikelihood, fewer: 2)
    #expect((test.statistic - 2 * (9763.658 - 9582.4292)).magnitude < 2e-3)
    #expect(test.pValue < 1e-70 && test.pValue > 0)
    let pareto = try ParetoNBD.fit(cdnow.summary)
    let (a, b) = (BGNBD.Predictor(bg.parameters), ParetoNBD.Predictor(pareto.parameters))
    let vuong = ModelComparison.vuong(a, b, on: cdnow.summary)
    #expect(vuong.z > 0 && vuong.pValue < 1)
    let back = ModelComparison.vuong(b, a, on: cdnow.summary)
    #expect(back.z == -vuong.z && back.pValue == vuong.pValue)
    #expect(ModelComparison.vuong(a, a, on: cdnow.summary) == .init(z: 0, pValue: 1))
  }

  /// χ² with one and two degrees of freedom.
  @Test func chiSquare() {
    #expect((ModelComparison.likelihoodRatio(-100, over: -101.920729410347, fewer: 1).pValue - 0.05).magnitude < 1e-10)
    #expect((ModelComparison.likelihoodRatio(-100, over: -102.995732273554, fewer: 2).pValue - 0.05).magnitude < 1e-12)
    #expect(ModelComparison.likelihoodRatio(-100, over: -99, fewer: 2).pValue == 1)
  }

  /// Weak priors hold a ridge in place and leave plenty of data alone.
  @Test func weakPriors() throws {
    guard let cdnow = Reference.cdnow else { return }
    let (plain, held) = (try BGNBD.fit(cdnow.summary), try BGNBD.fit(cdnow.summary, prior: WeakPrior()))
    for (a, b) in zip(plain.parameters.vector, held.parameters.vector) { #expect(relative(b, a) < 0.05) }
    #expect(held.logLikelihood <= plain.logLikelihood && held.logLikelihood > plain.logLikelihood - 0.1)
    var random = RandomStream(seed: 21)
    var s = PurchaseSummary(x: [], tx: [], T: [])
    for _ in 0..<3000 { add(&s, rate: random.gamma(shape: 0.8, rate: 12), dropout: 0.15, age: 60, &random) }
    let fit = try BGNBD.fit(s, prior: WeakPrior(spread: 2))
    #expect(fit.converged && fit.standardErrors != nil)
    #expect(fit.parameters.a + fit.parameters.b < 1e4)
    #expect((fit.parameters.a / (fit.parameters.a + fit.parameters.b) - 0.15).magnitude < 0.03)
  }
}
