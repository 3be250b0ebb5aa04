import Foundation
import Testing

@testable import Models

/// Value from attributes against scikit-learn and XGBoost's own Python (ReferenceValues/attributes.py).
@Suite struct AttributeModelsTests {
  let reference: JSON
  /// As the script has them: income, policies, claims, and the levels but the first of coverage and region.
  let x: [[Double]]
  let y: [Double]
  let attributes: [AttributeFit.Attribute]

  init() throws {
    reference = try Reference.values("attributes.json")["synthetic"]
    let rows = reference["rows"].items
    func numbers(_ at: Int) -> [Double] { rows.map { $0[at].number } }
    func texts(_ at: Int) -> [String?] { rows.map { if case .text(let text) = $0[at] { text } else { nil } } }
    y = numbers(5)
    attributes = [
      ("income", .numbers(numbers(0)), .number), ("policies", .numbers(numbers(1)), .number), ("claims", .numbers(numbers(2)), .number),
      ("coverage", .levels(texts(3)), .oneHot(baseline: nil)), ("region", .levels(texts(4)), .oneHot(baseline: nil)),
    ]
    x = try AttributeEncoder.learn(attributes, target: y, missing: .leaveOut, unseen: .usual, dropsBaseline: true, seed: 1).encoded.columns
  }

  private func expect(_ form: LinearForm, _ known: JSON, within tolerance: Double, _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation) {
    let scale = known["coefficients"].numbers.map(\.magnitude).max()! * 1e-3
    #expect((form.intercept - known["intercept"].number).magnitude <= tolerance * max(known["intercept"].number.magnitude, scale), "\(name)", sourceLocation: sourceLocation)
    for (at, pair) in zip(form.coefficients, known["coefficients"].numbers).enumerated() {
      #expect((pair.0 - pair.1).magnitude <= tolerance * max(pair.1.magnitude, 1e-9), "\(name) \(at)", sourceLocation: sourceLocation)
    }
  }

  @Test func leastSquares() {
    let fit = LeastSquares.fit(x, y), known = reference["ols"]
    expect(fit.form, known, within: 1e-9)
    let errors = known["errors"].numbers
    #expect(relative(fit.form.interceptError!, errors[0]) < 1e-9)
    for (found, expected) in zip(fit.form.errors!, errors.dropFirst()) { #expect(relative(found, expected) < 1e-9) }
    #expect(relative(fit.sigma, known["sigma"].number) < 1e-10)
    #expect(relative(fit.r2, known["r2"].number) < 1e-10)
    #expect(fit.dependent.isEmpty)
  }

  @Test func aColumnThatDependsOnOthersIsLeftOut() {
    let sum = zip(x[0], x[1]).map { $0 + 3 * $1 }, constant = y.map { _ in 0.1 }
    let fit = LeastSquares.fit([x[0], constant, x[1], sum, x[2]], y), plain = LeastSquares.fit([x[0], x[1], x[2]], y)
    #expect(fit.dependent == [1, 3])
    #expect(fit.form.coefficients[1] == 0 && fit.form.coefficients[3] == 0)
    #expect(relative(fit.form.coefficients[4], plain.form.coefficients[2]) < 1e-10)
    #expect(fit.form.errors![3].isNaN)
  }

  /// Columns that are nearly one, far from 0: normal equations lose every digit here.
  @Test func nearlyDependentColumns() {
    let a = (0..<50).map { 1e6 + Double($0) }, b = a.indices.map { a[$0] + ($0 % 2 == 0 ? 1e-3 : -1e-3) }
    let fit = LeastSquares.fit([a, b], a.indices.map { 3 * a[$0] - 2 * b[$0] + 5 })
    #expect(fit.dependent.isEmpty)
    #expect(relative(fit.form.coefficients[0], 3) < 1e-6 && relative(fit.form.coefficients[1], -2) < 1e-6)
  }

  @Test func ridgeAndElasticNet() {
    let ridge = PenalizedLeastSquares(penalty: reference["ridge", "penalty"].number, l1Ratio: 0, standardizes: true).fit(x, y)
    expect(ridge.form, reference["ridge"], within: 1e-9, "ridge")
    let known = reference["elastic_net"]
    let net = PenalizedLeastSquares(penalty: known["penalty"].number, l1Ratio: known["l1_ratio"].number, standardizes: true).fit(x, y)
    #expect(net.converged)
    expect(net.form, known, within: 1e-6, "elastic net")
    #expect(net.form.coefficients[2] == 0 && net.form.coefficients[3] == 0 && net.form.coefficients[5] == 0)
  }

  /// Without a penalty both are least squares; with an endless one nothing is left but the mean.
  @Test(arguments: [0.0, 0.5, 1]) func theEndsOfThePenalty(l1Ratio: Double) {
    let ols = LeastSquares.fit(x, y)
    let free = PenalizedLeastSquares(penalty: 0, l1Ratio: l1Ratio, standardizes: true).fit(x, y)
    for (found, expected) in zip(free.form.coefficients, ols.form.coefficients) { #expect(relative(found, expected) < 1e-6) }
    let bound = PenalizedLeastSquares(penalty: 1e12, l1Ratio: l1Ratio, standardizes: true).fit(x, y)
    #expect(relative(bound.form.intercept, y.reduce(0, +) / Double(y.count)) < 1e-6)
  }

  @Test func thePenaltyThatForetellsBest() {
    let folds = AttributeSplit.folds(rows: y.count, count: 5, seed: 1)
    let (penalty, tried) = PenalizedLeastSquares.chosenPenalty(x, y, l1Ratio: 0.5, standardizes: true, folds: folds, count: 5)
    #expect(tried.count == 60)
    #expect(tried.map(\.rmse).min() == tried.first { $0.penalty == penalty }?.rmse)
    #expect(tried[0].rmse > tried.map(\.rmse).min()!)
  }

  @Test func generalizedLinear() {
    let poisson = GeneralizedLinear(.poisson).fit(x, y)
    #expect(poisson.converged)
    expect(poisson.form, reference["poisson"], within: 1e-6, "poisson")
    let tweedie = GeneralizedLinear(.tweedie(power: reference["tweedie", "power"].number)).fit(x, y)
    #expect(tweedie.converged)
    expect(tweedie.form, reference["tweedie"], within: 1e-6, "tweedie")
    let known = reference["poisson_penalized"]
    // policies, coverage Premium, region west
    let small = GeneralizedLinear(.poisson, penalty: known["penalty"].number).fit([x[1], x[4], x[7]], y)
    expect(small.form, known, within: 1e-7, "penalized")
    #expect(small.form.errors == nil)
  }

  /// At the maximum the expected values of a Poisson model add up to the actual ones, also within a level.
  @Test func thePoissonModelMeetsTheTotals() {
    let fit = GeneralizedLinear(.poisson).fit(x, y)
    let values = fit.form.values(x, rows: y.count).map { GeneralizedLinear(.poisson).mean($0) }
    #expect(relative(values.reduce(0, +), y.reduce(0, +)) < 1e-10)
    let west = x[7].indices.filter { x[7][$0] == 1 }
    #expect(relative(west.reduce(0) { $0 + values[$1] }, west.reduce(0) { $0 + y[$1] }) < 1e-9)
  }

  @Test func zeroInflatedLognormal() throws {
    let fit = ZeroInflatedLognormal.fit(x, y), known = reference["zero_inflated_lognormal"]
    expect(try #require(fit.model.chance), known["chance"], within: 1e-6, "chance")
    expect(fit.model.logValue, known["log_value"], within: 1e-8, "logarithm")
    #expect(relative(fit.model.sigma, known["sigma"].number) < 1e-9)
    for (found, expected) in zip(fit.model.values(x, rows: y.count), known["values"].numbers) { #expect(relative(found, expected) < 1e-6) }
  }

  /// The loss of Wang, Liu & Miao's published code on its own examples.
  @Test func lossOfAZeroInflatedLognormalValue() {
    #expect((ZeroInflatedLognormal.loss(logit: 0.1, mean: 0.2, scale: 0.3, value: 0) - 0.744397).magnitude < 5e-7)
    let sigma = log(1 + exp(0.6)), z = (log(1.5) - 0.5) / sigma
    let density = -log(1.5) - log(sigma) - 0.5 * log(2 * Double.pi) - z * z / 2
    #expect((ZeroInflatedLognormal.loss(logit: 0.4, mean: 0.5, scale: 0.6, value: 1.5) - (log(1 + exp(-0.4)) - density)).magnitude < 1e-14)
  }

  @Test func targetEncoding() throws {
    let known = reference["target"]
    let region = [("region", attributes[4].column, AttributeEncoding.target(smoothing: 10))]
    let (encoder, encoded) = try AttributeEncoder.learn(region, target: y, missing: .leaveOut, unseen: .usual, dropsBaseline: true, seed: 1)
    guard case .target(let levels, let values, let otherwise, _) = encoder.features[0].form else {
      Issue.record("not a target encoding")
      return
    }
    #expect(levels == ["east", "north", "south", "west"])
    for (found, expected) in zip(values, known["values"].numbers) { #expect(relative(found, expected) < 1e-12) }
    #expect(relative(otherwise, known["otherwise"].number) < 1e-12)
    // A row of the fit is encoded by others: one's own value does not come back.
    guard case .levels(let codes, _) = attributes[4].column else { return }
    let folds = AttributeSplit.folds(rows: y.count, count: 5, seed: 1)
    let row = 17
    let others = y.indices.filter { folds[$0] != folds[row] }
    let own = others.filter { codes[$0] == codes[row] }
    let mean = others.reduce(0) { $0 + y[$1] } / Double(others.count)
    let expected = (own.reduce(0) { $0 + y[$1] } + 10 * mean) / Double(own.count + 10)
    #expect(relative(encoded.columns[0][row], expected) < 1e-12)
  }

  /// Cells of the table below: a missing number, a missing level, a level that is new.
  @Test(arguments: [
    (MissingPolicy.leaveOut, UnseenPolicy.usual, "[1.0, nan, 3.0, 4.0] [0.0, 1.0, nan, 0.0] [true, false, false, true]"),
    (.leaveOut, .null, "[1.0, nan, 3.0, 4.0] [0.0, 1.0, nan, 0.0] [true, false, false, false]"),
    (.mean, .usual, "[1.0, 2.0, 3.0, 4.0] [0.0, 1.0, 0.0, 0.0] [true, true, true, true]"),
    (.median, .usual, "[1.0, 1.5, 3.0, 4.0] [0.0, 1.0, 0.0, 0.0] [true, true, true, true]"),
    (.indicator, .usual, "[1.0, 2.0, 3.0, 4.0] [0.0, 1.0, 0.0, 0.0] [0.0, 1.0, 0.0, 0.0] [0.0, 0.0, 1.0, 0.0] [true, true, true, true]"),
    (.keep, .usual, "[1.0, nan, 3.0, 4.0] [0.0, 1.0, nan, 0.0] [true, true, true, true]"),
  ]) func missingAndUnseen(missing: MissingPolicy, unseen: UnseenPolicy, expected: String) throws {
    let rows: [AttributeFit.Attribute] = [
      ("n", .numbers([1, 1, 4, 2, .nan]), .number), ("t", .levels(["a", "b", "a", "a", nil]), .oneHot(baseline: nil)),
    ]
    let (encoder, _) = try AttributeEncoder.learn(rows, target: [1, 2, 3, 4, 5], missing: missing, unseen: unseen, dropsBaseline: true, seed: 1)
    var encoded = encoder.encode([.numbers([1, .nan, 3, 4]), .levels(["a", "b", nil, "new"])])
    // The indicator of the number stands behind it.
    if missing == .indicator { encoded.columns.swapAt(1, 2) }
    #expect((encoded.columns.map { "\($0)" } + ["\(encoded.isUsable)"]).joined(separator: " ") == expected)
    #expect(encoded.strangers.map { "\($0.feature) \($0.level) \($0.rows)" } == ["1 new 1"])
  }

  @Test func levelsHaveAnOrderAndABaseline() throws {
    let rows: [AttributeFit.Attribute] = [
      ("size", .levels(["small", "large", "medium"]), .ordinal(order: ["small", "medium", "large"])),
      ("state", .levels(["x", "y", "z"]), .oneHot(baseline: "y")),
    ]
    let (encoder, encoded) = try AttributeEncoder.learn(rows, target: [1, 2, 3], missing: .leaveOut, unseen: .usual, dropsBaseline: true, seed: 1)
    #expect(encoded.columns == [[0, 2, 1], [1, 0, 0], [0, 0, 1]])
    #expect(encoder.names.map(\.level) == [nil, "x", "z"])
  }

  @Test func splitsAreOfTheSeed() {
    let split = AttributeSplit.heldOut(rows: 1000, share: 0.2, seed: 3)
    #expect(split.filter(\.self).count == 200)
    #expect(split == AttributeSplit.heldOut(rows: 1000, share: 0.2, seed: 3))
    #expect(split != AttributeSplit.heldOut(rows: 1000, share: 0.2, seed: 4))
    let folds = AttributeSplit.folds(rows: 103, count: 5, seed: 1)
    #expect((0..<5).map { fold in folds.filter { $0 == fold }.count } == [21, 21, 21, 20, 20])
  }
}
