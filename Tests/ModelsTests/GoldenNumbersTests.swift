import Models
import Statistics
import Testing

/// Numbers printed in papers, notes and other packages' tests (shared data, `expected/published.json`), and check values of the forms used
/// here, to their last digit.
struct GoldenNumbersTests {
  // MARK: published.json

  @Test func published() throws {
    guard let known = try Reference.expected("published.json"), let cdnow = Reference.cdnow else { return }
    let (bg, pareto, spend) = (try BGNBD.fit(cdnow.summary), try ParetoNBD.fit(cdnow.summary), try GammaGamma.fit(x: cdnow.summary.x, m: cdnow.spend))
    for (key, names, found, logLikelihood) in [
      ("cdnow_bgnbd", ["r", "alpha", "a", "b"], bg.parameters.vector, bg.logLikelihood),
      ("cdnow_pnbd", ["r", "alpha", "s", "beta"], pareto.parameters.vector, pareto.logLikelihood),
    ] {
      for (name, value) in zip(names, found) {
        // The paper prints three digits.
        #expect((value - known[key, "params", name].number).magnitude <= 6e-4, "\(key) \(name)")
        #expect(relative(value, known[key, "clvtools_own_estimates", "params", name].number) < 1e-3, "\(key) \(name) of CLVTools")
      }
      #expect((logLikelihood - known[key, "log_likelihood"].number).magnitude < 0.05)
      #expect((logLikelihood - known[key, "clvtools_own_estimates", "log_likelihood"].number).magnitude < 1e-3)
    }
    let errors = try #require(pareto.standardErrors).vector
    for (name, error) in zip(["r", "alpha", "s", "beta"], errors) {
      #expect(relative(error, known["cdnow_pnbd", "clvtools_own_estimates", "standard_errors", name].number) < 1e-3, "error of \(name)")
    }
    for (name, value) in zip(["p", "q", "gamma"], spend.parameters.vector) {
      #expect((value - known["cdnow_gamma_gamma", "params", name].number).magnitude < 5.1e-3, "\(name)")
    }
    #expect((spend.logLikelihood - known["cdnow_gamma_gamma", "clvtools_log_likelihood"].number).magnitude < 1e-4)
    #expect(Double(spend.observations) == known["cdnow_gamma_gamma", "customers_with_repeat"].number)
    let note = known["cdnow_gamma_gamma", "expected_average_profit_first_10_customers"]
    // The note computed with more digits of the parameters than it prints.
    for (i, value) in note["values"].numbers.enumerated() {
      let (x, m) = (cdnow.summary.x[i], cdnow.spend[i])
      #expect((spend.expectedSpend(x: x, m: m) - value).magnitude < 0.0051)
    }

    let points = known["cdnow_bgnbd_point_checks"]
    let model = BGNBD.Predictor(bg.parameters)
    let one = points["conditional_expected_purchases"]
    let found = model.expectedPurchases(x: one["x"].number, tx: one["t_x"].number, T: one["T"].number, within: one["t"].number)
    #expect((found - one["value"].number).magnitude < one["tolerance"].number)
    let times = points["unconditional_expected_purchases"]
    for (t, value) in zip(times["t"].numbers, times["value"].numbers) {
      #expect((model.expectedPurchases(by: t) - value).magnitude < times["tolerance"].number, "t \(t)")
    }
    let rounded = BGNBD.Predictor(.init(["r", "alpha", "a", "b"].map { points["pmf_at_params", $0].number }))
    for row in points["pmf"].items {
      let counts: [Double], values: [Double]
      if case .array(let several) = row["n"] { (counts, values) = (several.map(\.number), row["value"].numbers) } else { (counts, values) = ([row["n"].number], [row["value"].number]) }
      for (n, value) in zip(counts, values) {
        // Half of the last digit that is printed.
        let digit = value > 0.1 ? 1e-7 : value > 1e-5 ? 1e-10 : 1e-12
        #expect((rounded.probability(ofPurchases: Int(n), by: row["t"].number) - value).magnitude <= 0.51 * digit, "n \(n)")
      }
    }
    try paretoPoints(known["cdnow_pnbd_point_checks"], pareto.parameters)
  }

  private func paretoPoints(_ points: JSON, _ own: ParetoNBD.Parameters) throws {
    func predictor(_ p: JSON) -> ParetoNBD.Predictor { ParetoNBD.Predictor(.init(["r", "alpha", "s", "beta"].map { p[$0].number })) }
    let times = points["unconditional_expected_purchases"]
    for (t, value) in zip(times["t"].numbers, times["value"].numbers) {
      #expect((ParetoNBD.Predictor(own).expectedPurchases(by: t) - value).magnitude < times["tolerance"].number, "t \(t)")
    }
    let one = points["p_alive"], rounded = predictor(one["params"])
    #expect((rounded.probabilityAlive(x: one["x"].number, tx: one["t_x"].number, T: one["T"].number) - one["value"].number).magnitude < 1e-4)
    let ahead = points["conditional_expected_purchases"]
    let found = rounded.expectedPurchases(x: ahead["x"].number, tx: ahead["t_x"].number, T: ahead["T"].number, within: ahead["t"].number)
    #expect((found - ahead["value"].number).magnitude < ahead["tolerance"].number)
    let under = points["no_underflow"]
    for (x, value) in zip(under["x"].numbers, under["conditional_expected_purchases"].numbers) {
      let found = predictor(under["params"]).expectedPurchases(x: x, tx: under["t_x"].number, T: under["T"].number, within: under["t"].number)
      #expect(relative(found, value) < 1e-12, "x \(x)")
    }
    for row in points["finite_p_alive"].items {
      for i in row["x"].items.indices {
        let p = predictor(row["params"]).probabilityAlive(x: row["x"][i].number, tx: row["t_x"][i].number, T: row["T"][i].number)
        #expect(p >= 0 && p <= 1)
      }
    }
  }

  // MARK: Check values

  /// They were computed at the estimates on lifetimes' summary of two decimals, from which x = 2, t_x = 30.43, T = 38.86 come; the search
  /// that found these ended some 1e-7 from the maximum.
  @Test func ofTheRoundedSummary() throws {
    guard let s = Reference.roundedSummary else { return }
    let week = Portable.log(1.15) / 52
    func expect(_ found: Double, _ known: Double, within tolerance: Double = 3e-7) { #expect(relative(found, known) <= tolerance, "\(found), not \(known)") }
    let bg = BGNBD.Predictor(try BGNBD.fit(s).parameters)
    func ahead(_ m: some PurchasePredictor, _ x: Double, _ tx: Double, _ h: Double, _ δ: Double) -> Double {
      m.discountedPurchases(x: x, tx: tx, T: 38.86, .continuous(rate: δ, horizon: h))
    }
    expect(ahead(bg, 2, 30.43, 39, week), 1.16732188139960)
    expect(ahead(bg, 2, 30.43, 39, 0), 1.22591049305802)
    expect(bg.expectedPurchases(x: 2, tx: 30.43, T: 38.86, within: 39), 1.22591049305803)
    expect(ahead(bg, 2, 30.43, 520, week), 4.66382678785)
    let pareto = ParetoNBD.Predictor(try ParetoNBD.fit(s).parameters)
    expect(ahead(pareto, 2, 30.43, 39, week), 1.38560998257)
    expect(ahead(pareto, 2, 30.43, 39, 0), 1.45511300084)
    expect(ahead(pareto, 7, 35, 39, week), 4.41470761)
    for (x, tx, known) in [(0.0, 0.0, 0.478252), (2, 30.43, 6.50019946531), (7, 35, 20.71035892), (4, 20, 5.957009), (10, 38, 30.561436)] {
      expect(ahead(pareto, x, tx, .infinity, week), known, within: x == 0 ? 2e-6 : 3e-7)
    }
    // With 5,000 purchases the textbook form is no number.
    expect(bg.expectedPurchases(x: 5000, tx: 500, T: 501, within: 180), 377.12051)
    // Customer 1516, and the paradox of increasing frequency.
    expect(pareto.expectedPurchases(x: 26, tx: 216 / 7.0, T: 31, within: 52), 25.4554, within: 2e-6)
    for (x, known) in [(10.0, 0.70591), (15, 0.14415), (20, 0.02249), (25, 0.00309)] {
      #expect((pareto.expectedPurchases(x: x, tx: 20, T: 39, within: 52) - known).magnitude < 0.6e-5, "x \(x)")
    }
    expect(pareto.expectedPurchases(by: 52), 1.4734414)
    let mbg = MBGNBD.predictor(try MBGNBD.fit(s).parameters)
    for (x, tx, known) in [(0.0, 0.0, 0.153953649490), (2, 30.43, 1.26267076582), (9, 37, 5.67576257103)] {
      expect(mbg.expectedPurchases(x: x, tx: tx, T: 38.86, within: 39), known)
    }
  }

  /// At a = 1, where the textbook form divides by zero, and beside it.
  @Test func atThePole() {
    func model(_ a: Double) -> BetaGeometricPredictor { BGNBD.Predictor(.init(r: 0.24, α: 4.4, a: a, b: 2.4)) }
    #expect((model(1).expectedPurchases(x: 2, tx: 30.43, T: 38.86, within: 39) - 1.09762253035).magnitude < 0.6e-11)
    #expect((model(0.999999).expectedPurchases(x: 2, tx: 30.43, T: 38.86, within: 39) - 1.09762308).magnitude < 0.6e-8)
  }

  /// BTYD's estimates of Pareto/NBD with the digits that its walkthrough leaves out.
  @Test func estimatesOfBTYD() {
    let btyd = ParetoNBD.Predictor(.init(r: 0.5533971, α: 10.5801985, s: 0.6060625, β: 11.6562237))
    #expect((btyd.probabilityAlive(x: 0, tx: 0, T: 39) - 0.2941633).magnitude < 0.6e-7)
    #expect((btyd.probabilityAlive(x: 26, tx: 216 / 7.0, T: 31) - 0.997873).magnitude < 0.6e-6)
  }
}
