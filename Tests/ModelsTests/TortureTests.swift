import Models
import Statistics
import Testing

/// Every model at the edges of its range, against 50 digits.
struct TortureTests {
  @Test func againstMpmath() throws {
    let rows = try Reference.values("purchase_models.json")["rows"].items
    #expect(rows.count > 200)
    for row in rows {
      guard case .text(let name) = row[0] else { fatalError("a row begins with its model") }
      let model = PurchaseModel(rawValue: name)!.predictor(row[1].numbers, stages: Int(row[2].number))
      let (x, tx, T, h) = (row[3].number, row[4].number, row[5].number, row[6].number)
      let alive = row[8].number
      func check(_ what: String, _ found: Double, _ living: Double) {
        let expected = alive * living
        #expect(found.isFinite && found >= 0, "\(row): \(what) \(found)")
        #expect(relative(found, expected) <= 1e-8 || expected < 1e-290, "\(row): \(what) \(found), not \(expected)")
      }
      check("P(alive)", model.probabilityAlive(x: x, tx: tx, T: T), 1)
      check("purchases", model.expectedPurchases(x: x, tx: tx, T: T, within: h), row[9].number)
      check("P(buys)", model.probabilityOfPurchase(x: x, tx: tx, T: T, within: h), row[11].number)
      if case .number(let rate) = row[7] {
        check("discounted", model.discountedPurchases(x: x, tx: tx, T: T, .continuous(rate: rate, horizon: h)), row[10].number)
      }
      #expect(model.expectedPurchases(x: x, tx: tx, T: T, within: 0) == 0)
      #expect(model.probabilityOfPurchase(x: x, tx: tx, T: T, within: 0) == 0)
    }
  }

  /// No history, horizon or parameter gives a number that is none, or a negative one.
  @Test(arguments: [PurchaseModel.bgNBD, .mbgNBD, .paretoNBD, .nbd, .bgCNBDk, .mbgCNBDk])
  func neverNaN(model: PurchaseModel) {
    let histories = [(0.0, 0.0, 0.0), (0, 0, 1e4), (1, 0, 0), (3, 1e-9, 1e4), (300, 1e4, 1e4), (1e5, 900, 900.001)]
    let regular = model == .bgCNBDk || model == .mbgCNBDk
    // Regular buyers cost a sum over each purchase to come.
    let shapes: [Double] = regular ? [1e-6, 1, 60] : [1e-6, 0.3, 1, 1 + 1e-12, 60]
    for first in shapes {
      for second in shapes {
        let parameters: [Double] =
          model == .nbd ? [first, 10] : model == .paretoNBD ? [first, 10, second, 20 * second] : [0.5, 10, first, second]
        let predictor = model.predictor(parameters, stages: regular ? 2 : 1)
        for (x, tx, T) in histories {
          if regular && x > 1000 { continue }
          for h in [0, 1e-9, 7, regular ? 100 : 1e4] {
            let numbers = [
              predictor.probabilityAlive(x: x, tx: tx, T: T), predictor.expectedPurchases(x: x, tx: tx, T: T, within: h),
              predictor.probabilityOfPurchase(x: x, tx: tx, T: T, within: h),
              regular ? 0 : predictor.discountedPurchases(x: x, tx: tx, T: T, .continuous(rate: 0.003, horizon: h)),
            ] + predictor.counts(x: x, tx: tx, T: T, within: h, through: 3)
            #expect(
              numbers.allSatisfy { $0 >= -1e-15 && $0 < .infinity }, "\(parameters) x \(x), t_x \(tx), T \(T), h \(h): \(numbers)")
          }
        }
      }
    }
  }
}
