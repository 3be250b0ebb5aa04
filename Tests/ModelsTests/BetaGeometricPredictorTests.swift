import Models
import Statistics
import Testing

struct BetaGeometricPredictorTests {
  static let cdnow = BGNBD.Predictor(.init(r: 0.24259, α: 4.4136, a: 0.79292, b: 2.42591))

  static func predictor(_ p: [Double], o: Double) -> BetaGeometricPredictor {
    let parameters = BGNBD.Parameters(r: p[0], α: p[1], a: p[2], b: p[3])
    return o == 0 ? BGNBD.Predictor(parameters) : MBGNBD.predictor(parameters)
  }

  /// Every torture row against the integral at 30 digits: x to 100,000, t_x = T, T = 0, h to 10,000, a = 1, a to 110,000.
  @Test func againstMpmath() throws {
    let reference = try Reference.values("beta_geometric.json")
    let rows = reference["rows"].items
    #expect(rows.count > 100)
    for row in rows {
      let model = Self.predictor(row[0].numbers, o: row[1].number)
      let (x, tx, T, h) = (row[2].number, row[3].number, row[4].number, row[5].number)
      let alive = model.probabilityAlive(x: x, tx: tx, T: T)
      let expected = model.expectedPurchases(x: x, tx: tx, T: T, within: h)
      // 100,000 purchases magnify the last place of a time: x times 2⁻⁵³ is the best there is.
      let allowed = max(2e-10, x * 1e-14)
      #expect(relative(alive, row[6].number) < allowed || alive < 1e-290, "\(row): P(alive) \(alive)")
      #expect(relative(expected, row[7].number) < allowed || expected < 1e-290, "\(row): E \(expected)")
      #expect(expected >= 0 && expected.isFinite && alive >= 0 && alive <= 1)
      #expect(model.expectedPurchases(x: x, tx: tx, T: T, within: 0) == 0)
    }
    for row in reference["discounted"].items {
      let model = Self.predictor(row[0].numbers, o: 0)
      let value = model.discountedPurchases(
        x: row[1].number, tx: row[2].number, T: row[3].number,
        .continuous(rate: row[5].number, horizon: row[4].number))
      #expect(relative(value, row[6].number) < 1e-9, "\(row): \(value)")
    }
  }

  /// ℓ of single customers, straight from the formula at 30 digits.
  @Test func logLikelihoods() throws {
    for row in try Reference.values("beta_geometric.json")["rows"].items where row[5].number == 39 && row[0][2].number < 1e4 {
      let p = row[0].numbers
      let data = try GroupedSummary(PurchaseSummary(x: [row[2].number], tx: [row[3].number], T: [row[4].number]))
      let parameters = BGNBD.Parameters(r: p[0], α: p[1], a: p[2], b: p[3])
      let value = row[1].number == 0 ? BGNBD.logLikelihood(data, at: parameters) : MBGNBD.logLikelihood(data, at: parameters)
      #expect((value - row[9].number).magnitude < 1e-12 * max(row[9].number.magnitude, row[2].number * 10, 10), "\(row): \(value)")
    }
  }

  @Test func stabilityOfNote027() throws {
    let p = BGNBD.Parameters(r: 0.25, α: 4, a: 0.8, b: 2.5)
    #expect((BGNBD.logLikelihood(try GroupedSummary(PurchaseSummary(x: [0], tx: [0], T: [40])), at: p) - -0.59947382).magnitude < 1e-8)
    #expect((BGNBD.logLikelihood(try GroupedSummary(PurchaseSummary(x: [200], tx: [38], T: [40])), at: p) - 100.7957).magnitude < 1e-4)
  }

  /// Spreadsheet of Fader & Hardie, and the notes' check values at full CDNOW precision.
  @Test func publishedPoints() {
    let full = BGNBD.Predictor(.init(r: 0.24259452678427854, α: 4.413601813662093, a: 0.7929220432826214, b: 2.4259070700100924))
    #expect((full.expectedPurchases(x: 2, tx: 30.43, T: 38.86, within: 39) - 1.226).magnitude < 1e-3)
    for (t, expected) in [(0.1429, 0.0078160), (1, 0.0531847), (3, 0.1506319), (31.8571, 1.0404943), (32, 1.0437373), (78, 1.8579719)] {
      #expect(relative(full.expectedPurchases(by: t), expected) < 1e-5, "E[X(\(t))] = \(full.expectedPurchases(by: t))")
    }
    let rounded = BGNBD.Predictor(.init(r: 0.243, α: 4.414, a: 0.793, b: 2.426))
    #expect(relative(rounded.probability(ofPurchases: 0, by: 39), 0.5737864) < 1e-6)
    #expect(relative(rounded.probability(ofPurchases: 10, by: 2), 1.07869e-7) < 1e-5)
    let pmf = [0.0019995214, 0.0015170236, 0.0011633150, 0.0009003148, 0.0007023638, 0.0005517902, 0.0004361913, 0.0003467171, 0.0002769613, 0.0002222260]
    for (n, p) in zip(11...20, pmf) { #expect((rounded.probability(ofPurchases: n, by: 30) - p).magnitude < 1e-9) }
    let week = Portable.log(1.15) / 52
    func dert(_ h: Double, _ δ: Double) -> Double {
      Self.cdnow.discountedPurchases(x: 2, tx: 30.43, T: 38.86, .continuous(rate: δ, horizon: h))
    }
    #expect((dert(39, week) - 1.16732188139960).magnitude < 2e-5)
    #expect((dert(39, 0) - 1.22591049305802).magnitude < 2e-5)
    #expect((dert(520, week) - 4.66382678785).magnitude < 1e-4)
    let mbg = MBGNBD.predictor(.init(r: 0.5248431260177726, α: 6.183084972841263, a: 0.8913593324686251, b: 1.61400217326611))
    for (x, tx, expected) in [(0.0, 0.0, 0.153953649490), (2, 30.43, 1.26267076582), (9, 37, 5.67576257103)] {
      #expect(relative(mbg.expectedPurchases(x: x, tx: tx, T: 38.86, within: 39), expected) < 1e-4)
    }
  }

  /// Probabilities of all counts sum to one and their mean is the expectation, both models.
  @Test(arguments: [0.0, 1.0])
  func pmfSumsToOne(o: Double) {
    let model = Self.predictor([0.6, 5, 0.8, 2.5], o: o)
    var (sum, mean) = (0.0, 0.0)
    for n in 0..<400 {
      let p = model.probability(ofPurchases: n, by: 20)
      sum += p
      mean += Double(n) * p
    }
    #expect((sum - 1).magnitude < 1e-12)
    #expect(relative(mean, model.expectedPurchases(by: 20)) < 1e-10)
    #expect(model.probability(ofPurchases: 5000, by: 20) >= 0)
  }

  /// A batch gives each customer the number the single functions give, whoever else is in it.
  @Test func batchesEqualSingles() {
    var random = RandomStream(seed: 4)
    var s = PurchaseSummary(x: [], tx: [], T: [])
    for i in 0..<3000 {
      let T = (random.uniform() * 700).rounded(.down)
      let x = i % 3 == 0 || T == 0 ? 0 : Double(random.integer(below: 40))
      s.x.append(x)
      s.T.append(T)
      s.tx.append(x == 0 ? 0 : (random.uniform() * T).rounded(.down))
    }
    let model = Self.predictor([0.66, 63, 0.1086, 2.4157], o: 0)
    let scores = model.scores(of: s)
    let month = Discount.monthly(rate: 0.01, month: 30, months: 6)
    let (purchases, discounted) = (scores.expectedPurchases(within: 182), scores.discountedPurchases(month))
    for i in 0..<3000 {
      #expect(scores.probabilityAlive[i] == model.probabilityAlive(x: s.x[i], tx: s.tx[i], T: s.T[i]))
      #expect(purchases[i] == model.expectedPurchases(x: s.x[i], tx: s.tx[i], T: s.T[i], within: 182))
      #expect(discounted[i] == model.discountedPurchases(x: s.x[i], tx: s.tx[i], T: s.T[i], month))
    }
    let empty = model.scores(of: PurchaseSummary(x: [], tx: [], T: []))
    #expect(empty.expectedPurchases(within: 10) == [])
  }
}
