import Models
import Statistics
import Testing

/// Every model at its poles and with many purchases, against 50 digits (edge_models.py).
struct EdgeModelsTests {
  @Test func predictions() throws {
    let rows = try Reference.values("edge_models.json")["predictions"].items
    #expect(rows.count > 400)
    var models: Set<String> = []
    for row in rows {
      guard case .text(let name) = row[0] else { fatalError("a row begins with its model") }
      models.insert(name)
      let model = PurchaseModel(rawValue: name)!.predictor(row[1].numbers, stages: Int(row[2].number))
      let (x, tx, T, h) = (row[3].number, row[4].number, row[5].number, row[6].number)
      let alive = row[8].number
      func check(_ what: String, _ found: Double, _ living: Double) {
        let expected = alive * living
        #expect(found.isFinite && found >= 0, "\(row): \(what) \(found)")
        #expect(relative(found, expected) <= 1e-8 || expected < 1e-290 && found < 1e-280, "\(row): \(what) \(found), not \(expected)")
      }
      check("P(alive)", model.probabilityAlive(x: x, tx: tx, T: T), 1)
      check("purchases", model.expectedPurchases(x: x, tx: tx, T: T, within: h), row[9].number)
      check("P(buys)", model.probabilityOfPurchase(x: x, tx: tx, T: T, within: h), row[11].number)
      if case .number(let rate) = row[7] {
        check("discounted", model.discountedPurchases(x: x, tx: tx, T: T, .continuous(rate: rate, horizon: h)), row[10].number)
      }
      #expect(model.expectedPurchases(x: x, tx: tx, T: T, within: 0) == 0 && model.probabilityOfPurchase(x: x, tx: tx, T: T, within: 0) == 0)
    }
    #expect(models == ["bg-nbd", "mbg-nbd", "nbd", "sbg", "bg-cnbd-k", "mbg-cnbd-k"])
  }

  @Test func likelihoods() throws {
    let rows = try Reference.values("edge_models.json")["likelihoods"].items
    #expect(rows.count > 300)
    for row in rows {
      guard case .text(let name) = row[0] else { fatalError("a row begins with its model") }
      let (model, p, k) = (PurchaseModel(rawValue: name)!, row[1].numbers, Int(row[2].number))
      let (x, tx, T, expected) = (row[3].number, row[4].number, row[5].number, row[6].number)
      let data = try GroupedSummary(PurchaseSummary(x: [x], tx: [tx], T: [T]))
      let found =
        switch model {
        case .bgNBD: BGNBD.logLikelihood(data, at: .init(p))
        case .mbgNBD: MBGNBD.logLikelihood(data, at: .init(p))
        case .paretoNBD: ParetoNBD.logLikelihood(data, at: .init(p))
        case .nbd: NBD.logLikelihood(data, at: .init(p))
        case .bgBB: BGBB.logLikelihood(data, at: .init(p))
        case .sBG: try ShiftedBetaGeometric.logLikelihood(renewals: [tx], possible: [T], at: .init(p))
        // Without what the times between purchases add, which depends on k alone.
        case .bgCNBDk, .mbgCNBDk:
          RegularBuyers.logLikelihood(data, k: k, dropoutAtOnce: model == .mbgCNBDk, logGaps: 0, at: .init(p)) + x * Special.logGamma(Double(k))
        }
      let close = (found - expected).magnitude <= 1e-8 * max(expected.magnitude, 1)
      #expect(close, "\(row): \(found)")
      // A single history says the same as a table of one.
      if let alone = model.histories(p) {
        #expect((alone.logLikelihood(x: x, tx: tx, T: T) - expected).magnitude <= 1e-8 * max(expected.magnitude, 1), "\(row)")
      }
    }
  }

  /// q below, at and above 1, where the mean of the population ends to exist.
  @Test func spend() throws {
    let rows = try Reference.values("edge_models.json")["spend"].items
    #expect(rows.count == 96)
    for row in rows {
      let w = row[0].numbers, x = row[1].number, m = row[2].number, expected = row[3].number
      let law = GammaGamma.Parameters(p: w[0], q: w[1], v: w[2])
      let found = GammaGamma.logLikelihood(x: [x], m: [m], at: law)
      #expect((found - expected).magnitude <= 1e-8 * max(expected.magnitude, 1), "\(row): \(found)")
      guard case .number(let mean) = row[4] else { continue }
      #expect(relative(law.expectedSpend(x: x, m: m), mean) <= 1e-8, "\(row)")
    }
  }
}
