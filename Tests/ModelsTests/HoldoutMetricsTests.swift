import Models
import Statistics
import Testing

/// Every measure of a hold-out by hand, on rows that tell them apart.
struct HoldoutMetricsTests {
  /// Ten rows: |errors| add up to 11, the actual numbers to 40.
  static let predicted: [Double] = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], actual: [Double] = [10, 6, 8, 5, 5, 4, 0, 1, 0, 1]

  @Test func byHand() {
    let m = HoldoutMetrics(predicted: Self.predicted, actual: Self.actual)
    #expect(m.observations == 10 && m.predictedTotal == 45 && m.actualTotal == 40)
    // Errors −1, 2, −1, 1, 0, 0, 3, 1, 1, −1.
    #expect(m.mae == 1.1)
    #expect(m.wape == 11.0 / 40)
    #expect(relative(m.rmse, (19.0 / 10).squareRoot()) < 1e-15)
    #expect(relative(m.bias, 5.0 / 40) < 1e-15)
    #expect(m.topDecileCapture == 10.0 / 40 && m.topDecileLift == 2.5)
    // Tenths of one row each; in two of them nothing happened.
    #expect(relative(m.decileMAPE, (0.1 + 2.0 / 6 + 1.0 / 8 + 1.0 / 5 + 0 + 0 + 1 + 1) / 8) < 1e-14)
    #expect(relative(m.calibrationError, 11.0 / 40) < 1e-15)
    let logs = zip(Self.predicted, Self.actual).map { Portable.log1p($0) - Portable.log1p($1) }
    #expect(relative(m.msle, logs.reduce(0) { $0 + $1 * $1 } / 10) < 1e-14)
    // Ranks 1…10 against 10, 8, 9, 6.5, 6.5, 5, 1.5, 3.5, 1.5, 3.5 from the first row on.
    let ranks: [Double] = [10, 8, 9, 6.5, 6.5, 5, 1.5, 3.5, 1.5, 3.5]
    #expect(relative(m.spearman, Summaries.correlation((0..<10).map { Double(10 - $0) }, ranks)) < 1e-14)
    // Ties on both sides.
    #expect((HoldoutMetrics(predicted: [1, 2, 2, 9], actual: [1, 4, 4, 5]).spearman - 1).magnitude < 1e-15)
    // Areas under both concentration curves: by prediction and by the actual numbers themselves.
    func area(_ values: [Double]) -> Double { values.enumerated().reduce(0) { $0 + $1.element * Double(10 - $1.offset) } / 40 - 5.5 }
    #expect(relative(m.normalizedGini, area(Self.actual) / area(Self.actual.sorted(by: >))) < 1e-14)
  }

  /// In another unit MAE is another number and WAPE the same: nobody who scales the values can take one for the other.
  @Test(arguments: [0.01, 100]) func maeHasAUnitAndWapeNone(unit: Double) {
    let m = HoldoutMetrics(predicted: Self.predicted, actual: Self.actual)
    let other = HoldoutMetrics(predicted: Self.predicted.map { unit * $0 }, actual: Self.actual.map { unit * $0 })
    #expect(relative(other.mae, unit * m.mae) < 1e-12)
    #expect(relative(other.wape, m.wape) < 1e-12)
    // WAPE is MAE over the mean of the actual numbers.
    #expect(relative(m.wape, m.mae / (m.actualTotal / Double(m.observations))) < 1e-14)
  }
}
