import Models
import Statistics
import Testing

/// Every model's errors on CDNOW, 39 weeks after the 39 of calibration, to the digits that are known.
struct HoldoutTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var model: PurchaseModel
    var mae, rmse, msle, total, bias, correlation: Double
    /// Spend in the hold-out with Gamma-Gamma: the total and the mean error of a customer; nil where it is not known.
    var spend: (total: Double, mae: Double)?
    var testDescription: String { model.words }
  }

  @Test(arguments: [
    Row(model: .nbd, mae: 1.0410, rmse: 1.8595, msle: 0.3622, total: 2929.82, bias: 0.557, correlation: 0.5834),
    Row(model: .bgNBD, mae: 0.7855, rmse: 1.6080, msle: 0.2343, total: 1653.41, bias: -0.122, correlation: 0.6256, spend: (59931.63, 30.41)),
    Row(model: .mbgNBD, mae: 0.7648, rmse: 1.6072, msle: 0.2314, total: 1576.73, bias: -0.162, correlation: 0.6273, spend: (57128.10, 29.71)),
    Row(model: .paretoNBD, mae: 0.7545, rmse: 1.6028, msle: 0.2377, total: 1665.51, bias: -0.115, correlation: 0.6302, spend: (60449.31, 29.45)),
  ])
  func errors(row: Row) throws {
    guard let cdnow = Reference.cdnow else { return }
    let s = cdnow.summary
    let parameters =
      switch row.model {
      case .nbd: try NBD.fit(s).parameters.vector
      case .mbgNBD: try MBGNBD.fit(s).parameters.vector
      case .paretoNBD: try ParetoNBD.fit(s).parameters.vector
      default: try BGNBD.fit(s).parameters.vector
      }
    let predicted = PredictedBatch(row.model.predictor(parameters), s).purchases(within: 39)
    let metrics = HoldoutMetrics(predicted: predicted, actual: cdnow.holdout)
    #expect(metrics.actualTotal == 1882)
    for (found, known, digit) in [
      (metrics.mae, row.mae, 1e-4), (metrics.rmse, row.rmse, 1e-4), (metrics.msle, row.msle, 1e-4), (metrics.predictedTotal, row.total, 1e-2),
      (metrics.bias, row.bias, 2e-3), (metrics.pearson, row.correlation, 1e-4),
    ] { #expect((found - known).magnitude <= 0.51 * digit, "\(found), not \(known)") }
    guard let known = row.spend else { return }
    let spend = try GammaGamma.fit(x: s.x, m: cdnow.spend)
    let value = zip(predicted, spend.expectedSpend(x: s.x, m: cdnow.spend)).map { $0 * $1 }
    #expect((Summaries.sum(value) - known.total).magnitude <= 0.02)
    let actual = cdnow.spendAfter
    #expect((Summaries.sum(actual) - 70976.39).magnitude < 1e-6)
    #expect((HoldoutMetrics(predicted: value, actual: actual).mae - known.mae).magnitude <= 0.0051)
  }

  /// The summary of lifetimes has times of two decimals: other numbers, not to be mixed with those of exact days.
  @Test func ofTheRoundedSummary() throws {
    guard let (s, spend) = Reference.rounded else { return }
    #expect(s.count == 2357)
    #expect((try BGNBD.fit(s).logLikelihood - -9582.4256).magnitude < 5e-5)
    #expect((try GammaGamma.fit(x: s.x, m: spend).logLikelihood - -4055.9232).magnitude < 5e-5)
  }

  /// E[X(t)] of BTYD's manual at its own estimates, as lifetimes tests it with this tolerance, and the value that is known for a year.
  @Test func newCustomersOfParetoNBD() {
    let m = ParetoNBD.Predictor(.init(r: 0.5532770433181105, α: 10.577683304780454, s: 0.6062399975178102, β: 11.66873572105023))
    let known = [0, 0.05077821, 0.09916088, 0.14542507, 0.18979930, 0.23247466, 0.27361274, 0.31335159, 0.35181024, 0.38909211]
    for (t, expected) in known.enumerated() { #expect((m.expectedPurchases(by: Double(t)) - expected).magnitude < 0.01, "t \(t)") }
    #expect((m.expectedPurchases(by: 52) - 1.473434).magnitude < 5e-6)
  }
}
