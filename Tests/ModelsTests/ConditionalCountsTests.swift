import Models
import Statistics
import Testing

/// The distribution of the purchases of a customer with a history.
struct ConditionalCountsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let model: PurchaseModel
    let parameters: [Double]
    var stages = 1
    var testDescription: String { model.rawValue }
    var predictor: any PurchasePredictor { model.predictor(parameters, stages: stages) }
  }

  static let cases = [
    Case(model: .bgNBD, parameters: [0.24, 4.4, 0.8, 2.4]), Case(model: .mbgNBD, parameters: [0.52, 6.2, 0.9, 1.6]),
    Case(model: .paretoNBD, parameters: [0.55, 10.6, 0.6, 11.7]), Case(model: .nbd, parameters: [0.4, 12]),
    Case(model: .bgCNBDk, parameters: [0.9, 3, 0.8, 3], stages: 2), Case(model: .mbgCNBDk, parameters: [0.9, 3, 0.8, 3], stages: 3),
    Case(model: .bgBB, parameters: [1.2, 0.75, 0.66, 2.8]), Case(model: .sBG, parameters: [0.7, 1.2]),
  ]

  /// Probabilities sum to one, their mean is the expectation, P(0) the complement of P(at least one).
  @Test(arguments: cases)
  func aLaw(_ one: Case) {
    let model = one.predictor
    for (x, tx, T) in [(0.0, 0.0, 39.0), (2, 30, 39), (12, 39, 39)] {
      let counts = model.counts(x: x, tx: tx, T: T, within: 20, through: 500)
      var (sum, mean) = (0.0, 0.0)
      for (n, p) in counts.enumerated() {
        #expect(p >= 0)
        sum += p
        mean += Double(n) * p
      }
      #expect((sum - 1).magnitude < 1e-10, "x \(x): \(sum)")
      let expected = model.expectedPurchases(x: x, tx: tx, T: T, within: 20)
      #expect((mean - expected).magnitude < 1e-9 * max(expected, 1e-3), "x \(x): \(mean), not \(expected)")
      #expect((1 - counts[0] - model.probabilityOfPurchase(x: x, tx: tx, T: T, within: 20)).magnitude < 1e-12)
    }
    let new = (0...300).map { model.probability(ofPurchases: $0, by: 15) }
    #expect((new.reduce(0, +) - 1).magnitude < 1e-10)
    #expect(relative(new.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }, model.expectedPurchases(by: 15)) < 1e-9)
  }

  /// Discounting nothing is the expectation; a horizon of no length holds nothing; an endless one is the limit of long ones.
  @Test(arguments: cases)
  func discounts(_ one: Case) {
    let model = one.predictor
    for (x, tx, T) in [(0.0, 0.0, 39.0), (12, 39, 39)] {
      func value(_ rate: Double, _ horizon: Double) -> Double {
        model.discountedPurchases(x: x, tx: tx, T: T, .continuous(rate: rate, horizon: horizon))
      }
      let expected = model.expectedPurchases(x: x, tx: tx, T: T, within: 20)
      #expect((value(0, 20) - expected).magnitude <= 1e-12 * expected)
      #expect(value(0.01, 20) <= expected && value(0.01, 20) >= expected * Portable.exp(-0.2))
      #expect(value(0.01, 0) == 0)
      let (long, endless) = (value(0.1, 1000), value(0.1, .infinity))
      #expect((long - endless).magnitude <= 1e-9 * endless, "\(long), \(endless)")
    }
  }
}
