import Foundation
import Models
import Statistics
import Testing

/// Numbers of other tools on real data (shared data, `expected/`).
struct KnownAnswersTests {
  /// Predictions for the first 20 customers at the parameters the file gives.
  @Test(arguments: [("online_retail_II_daily.json", "", 30.0), ("online_retail_II_weekly.json", "", 4.345), ("cdnow_sample.json", "weekly", 4.345)])
  func firstTwenty(file: String, inside: String, month: Double) throws {
    guard let document = try Reference.expected(file) else { return }
    let json = inside.isEmpty ? document : document[inside]
    let customers = json["rfm", "first20"].items.map(\.numbers)
    for (name, o) in [("bgnbd", 0.0), ("mbgnbd", 1)] {
      let p = json["fits", name, "mle", "params"]
      let model = BetaGeometricPredictorTests.predictor([p["r"].number, p["alpha"].number, p["a"].number, p["b"].number], o: o)
      let g = json["gamma_gamma", "mle", "params"]
      let spend = GammaGamma.Parameters(p: g["p"].number, q: g["q"].number, v: g["v"].number)
      #expect(relative(spend.populationMean, json["gamma_gamma", "population_mean_spend"].number) < 1e-9)
      let expected = json["predictions", name]
      let value = expected["clv_6_months_monthly_discount_0.01", "first"].numbers
      let alive = expected["p_alive", "first"].numbers
      let profit = json["predictions", "expected_average_profit", "first"].numbers
      guard case .object(let horizons) = expected["conditional_expected_purchases"] else { return }
      for (i, c) in customers.enumerated() {
        let (x, tx, T) = (c[1], c[2], c[3])
        #expect(relative(model.probabilityAlive(x: x, tx: tx, T: T), alive[i]) < 1e-9)
        for (h, values) in horizons {
          let found = model.expectedPurchases(x: x, tx: tx, T: T, within: Double(h)!)
          #expect(relative(found, values["first"][i].number) < 1e-6, "\(file) \(name) \(c) h=\(h): \(found)")
        }
        let m = x > 0 && c[4] > 0 ? spend.expectedSpend(x: x, m: c[4]) : spend.populationMean
        #expect(relative(m, profit[i]) < 1e-9)
        let clv = m * model.discountedPurchases(x: x, tx: tx, T: T, .monthly(rate: 0.01, month: month, months: 6))
        #expect(relative(clv, value[i]) < 1e-6, "\(file) \(name) \(c): \(clv), not \(value[i])")
      }
    }
  }

  /// CDNOW, 39 weeks ahead: published errors and the definitions of the metrics.
  @Test func cdnowHoldout() throws {
    guard let cdnow = Reference.cdnow, let json = try Reference.expected("cdnow_sample.json") else { return }
    let fit = try BGNBD.fit(cdnow.summary)
    let predicted = BGNBD.Predictor(fit.parameters).scores(of: cdnow.summary).expectedPurchases(within: 39)
    let metrics = HoldoutMetrics(predicted: predicted, actual: cdnow.holdout)
    #expect(metrics.actualTotal == 1882)
    #expect((metrics.mae - 0.7855).magnitude < 5e-5)
    #expect((metrics.rmse - 1.6080).magnitude < 5e-5)
    #expect((metrics.msle - 0.2343).magnitude < 5e-5)
    #expect((metrics.predictedTotal - 1653.41).magnitude < 0.005)
    #expect((metrics.pearson - 0.6256).magnitude < 5e-5)
    #expect((metrics.bias - -0.1215).magnitude < 1e-4)
    let known = json["weekly", "holdout_validation", "models", "bgnbd"]
    #expect((metrics.rmse - known["rmse"].number).magnitude < 1e-5)
    #expect((metrics.normalizedGini - known["normalized_gini"].number).magnitude < 1e-5)
    #expect((metrics.topDecileCapture - known["top_decile_capture", "share_of_actual"].number).magnitude < 1e-9)

    let spend = try GammaGamma.fit(x: cdnow.summary.x, m: cdnow.spend)
    let value = zip(predicted, spend.expectedSpend(x: cdnow.summary.x, m: cdnow.spend)).map(*)
    #expect((Summaries.sum(value) - 59931.63).magnitude < 0.5)
  }

  @Test func gammaGammaOfCdnow() throws {
    guard let cdnow = Reference.cdnow else { return }
    let fit = try GammaGamma.fit(x: cdnow.summary.x, m: cdnow.spend)
    #expect(fit.converged)
    #expect(fit.observations == 946)
    #expect(fit.withoutRepeat == 1411)
    #expect(fit.diagnoses == [])
    #expect((fit.logLikelihood - -4055.9176948018676).magnitude < 1e-8)
    for (found, expected) in zip(fit.parameters.vector, [6.249571652614301, 3.744224873870582, 15.443523523162899]) {
      #expect(relative(found, expected) < 1e-5)
    }
    for (found, expected) in zip(try #require(fit.standardErrors).vector, [1.1901, 0.2901, 4.1594]) {
      #expect(relative(found, expected) < 1e-3)
    }
    #expect((fit.correlation - 0.11388791939125481).magnitude < 1e-12)
    #expect((fit.populationMean - 35.1704).magnitude < 1e-4)
    // Spreadsheet of note 025, at its rounded parameters.
    let note = GammaGamma.Parameters(p: 6.25, q: 3.74, v: 15.44)
    for (i, expected) in [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17].enumerated() {
      let (x, m) = (cdnow.summary.x[i], cdnow.spend[i])
      #expect(((x > 0 ? note.expectedSpend(x: x, m: m) : note.populationMean) - expected).magnitude < 0.1)
    }
  }

  @Test func gammaGammaDerivativesAndRefusal() throws {
    let (x, m) = ([1.0, 2, 2, 5, 9, 0, 3], [10.0, 14, 3, 70, 22, 0, 0])
    let w = [2.0, 3.5, 12]
    let gradient = GammaGamma.gradient(x: x, m: m, at: .init(p: w[0], q: w[1], v: w[2]))
    for i in 0..<3 {
      var (up, down) = (w, w)
      up[i] += 1e-5
      down[i] -= 1e-5
      let slope = (GammaGamma.logLikelihood(x: x, m: m, at: .init(p: up[0], q: up[1], v: up[2]))
        - GammaGamma.logLikelihood(x: x, m: m, at: .init(p: down[0], q: down[1], v: down[2]))) / 2e-5
      #expect(relative(slope, gradient[i]) < 1e-6)
    }
    do {
      _ = try GammaGamma.fit(x: [0, 1, 2], m: [0, 5, 0])
      Issue.record("a fit came out of nothing")
    } catch {
      #expect(
        "\(error)"
          == "Gamma-Gamma cannot be fitted: only 1 of the 3 customers have a repeat purchase and a positive mean spend; at least 5 are needed; take more customers or a longer observation period")
    }
  }
}
