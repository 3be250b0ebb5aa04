import Statistics

/// Fits a model of a value from attributes to rows that all can be used.
public struct AttributeFit: Sendable {
  /// What is told about a fit beside the model.
  public struct Outcome: Sendable {
    public var model: AttributeModel
    public var converged = true
    public var iterations = 1
    public var diagnoses: [String] = []
    /// Numbers by name, in the order in which they are told.
    public var numbers: [(name: String, value: Double)] = []
    public var rows: Int
  }

  public var kind: AttributeModel.Kind
  /// Ridge and elastic net; nil: by cross-validation. Poisson and Tweedie: 0 where nil.
  public var penalty: Double?
  public var l1Ratio: Double
  public var standardizes: Bool
  public var power: Double
  public var growth: BoostedTrees.Growth
  /// Boosting stops where so many rounds have not made the error of a share of the rows smaller, which `validation` holds out of the
  /// search for the number of rounds only: then trees grow over all rows, as many. nil: `growth` says the number.
  public var patience: Int?
  public var validation = 0.2
  /// By feature, as `Growth.monotone` is by column.
  public var monotone: [Int] = []
  public var missing: MissingPolicy
  public var unseen: UnseenPolicy
  public var seed: UInt64

  public init(
    kind: AttributeModel.Kind, penalty: Double? = nil, l1Ratio: Double = 0.5, standardizes: Bool = true, power: Double = 1.5,
    growth: BoostedTrees.Growth = .init(), missing: MissingPolicy = .leaveOut, unseen: UnseenPolicy = .usual, seed: UInt64 = 1
  ) {
    (self.kind, self.penalty, self.l1Ratio, self.standardizes, self.power) = (kind, penalty, l1Ratio, standardizes, power)
    (self.growth, self.missing, self.unseen, self.seed) = (growth, missing, unseen, seed)
  }

  public typealias Attribute = (name: String, column: AttributeColumn, encoding: AttributeEncoding)

  /// `target` is finite; of models of values ≥ 0 it is that. Rows without a number that the policy asks for are left out.
  public func fit(_ attributes: [Attribute], _ target: [Double], check: () throws -> Void = {}) throws -> Outcome {
    let usable = missing == .leaveOut ? Self.complete(attributes, target.count) : Array(target.indices)
    guard !usable.isEmpty else {
      throw FitError("no model can be fitted", because: "every row lacks a feature", remedy: "choose other features, or how missing cells are filled")
    }
    let y = usable.map { target[$0] }
    let rows = usable.count < target.count ? attributes.map { ($0.name, $0.column.gather(usable), $0.encoding) } : attributes
    let (encoder, encoded) = try AttributeEncoder.learn(
      rows, target: y, missing: missing, unseen: unseen, dropsBaseline: !kind.isTrees, seed: seed)
    try check()
    var outcome = try fit(encoder, encoded.columns, y, check)
    outcome.rows = y.count
    return outcome
  }

  private static func complete(_ attributes: [Attribute], _ count: Int) -> [Int] {
    (0..<count).filter { row in
      attributes.allSatisfy { attribute in
        switch attribute.column {
        case .numbers(let values): values[row].isFinite
        case .levels(let codes, _): codes[row] >= 0
        }
      }
    }
  }

  private func fit(_ encoder: AttributeEncoder, _ x: [[Double]], _ y: [Double], _ check: () throws -> Void) throws -> Outcome {
    func outcome(_ law: AttributeModel.Law, dependent: [Int] = []) -> Outcome {
      var made = Outcome(model: AttributeModel(kind: kind, encoder: encoder, law: law), rows: y.count)
      if !dependent.isEmpty {
        let names = dependent.map { words(encoder, encoder.names[$0]) }
        made.diagnoses.append(
          (names.count == 1
            ? "a column depends on those before and has no coefficient of its own: "
            : "\(names.count) columns depend on those before and have no coefficients of their own: ")
            + names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : ""))
      }
      return made
    }
    switch kind {
    case .ols:
      let fit = LeastSquares.fit(x, y)
      var made = outcome(.linear(fit.form), dependent: fit.dependent)
      made.numbers = [("sigma", fit.sigma), ("r2", fit.r2)]
      return made
    case .ridge, .elasticNet:
      let ratio = kind == .ridge ? 0 : l1Ratio
      var penalty = penalty, tried: [(penalty: Double, rmse: Double)] = []
      if penalty == nil {
        let count = min(5, y.count)
        let folds = AttributeSplit.folds(rows: y.count, count: count, seed: seed)
        let chosen = PenalizedLeastSquares.chosenPenalty(x, y, l1Ratio: ratio, standardizes: standardizes, folds: folds, count: count)
        (penalty, tried) = (chosen.penalty, chosen.tried)
      }
      let fit = PenalizedLeastSquares(penalty: penalty!, l1Ratio: ratio, standardizes: standardizes).fit(x, y)
      var made = outcome(.linear(fit.form))
      (made.converged, made.iterations) = (fit.converged, fit.iterations)
      made.numbers = [("penalty", penalty!), ("nonzero", Double(fit.form.coefficients.lazy.filter { $0 != 0 }.count))]
      if penalty == tried.last?.penalty { made.diagnoses.append("the smallest penalty that was tried foretold best: ols may do as well") }
      return made
    case .poisson, .tweedie:
      let fit = GeneralizedLinear(kind == .poisson ? .poisson : .tweedie(power: power), penalty: penalty ?? 0).fit(x, y)
      var made = outcome(.logLinear(fit.form), dependent: fit.dependent)
      (made.converged, made.iterations) = (fit.converged, fit.iterations)
      made.numbers = [("deviance", fit.deviance), ("null_deviance", fit.nullDeviance), ("dispersion", fit.dispersion)]
      return made
    case .zeroInflatedLognormal:
      let fit = ZeroInflatedLognormal.fit(x, y)
      var made = outcome(.zeroInflatedLognormal(fit.model), dependent: fit.dependent)
      (made.converged, made.iterations) = (fit.converged, fit.iterations)
      made.numbers = [("sigma", fit.model.sigma), ("positive_share", Double(fit.positives) / Double(y.count))]
      if fit.positives == y.count { made.diagnoses.append("no value is 0: the model is that of a lognormal value") }
      return made
    case .randomForest, .gradientBoosting: return try trees(encoder, x, y, check) { outcome($0) }
    }
  }

  private func trees(
    _ encoder: AttributeEncoder, _ x: [[Double]], _ y: [Double], _ check: () throws -> Void, _ outcome: (AttributeModel.Law) -> Outcome
  ) throws -> Outcome {
    var growth = growth
    if monotone.contains(where: { $0 != 0 }) {
      growth.monotone = encoder.names.map { $0.level == nil && !$0.isMissing ? monotone[$0.feature] : 0 }
    }
    guard let patience, kind == .gradientBoosting else { return outcome(.trees(try BoostedTrees.grow(x, y, growth, check: check))) }
    // Other rows than a test of the same seed draws.
    let held = AttributeSplit.heldOut(rows: y.count, share: validation, seed: seed &+ 1)
    guard held.contains(true), held.contains(false) else {
      throw FitError(
        "the number of trees cannot be chosen", because: "\(y.count) row\(y.count == 1 ? " is" : "s are") too few to hold some out",
        remedy: "leave \"patience\" out")
    }
    let best = try BoostedTrees.bestRounds(x, y, growth, held: held, patience: patience, check: check)
    let most = growth.trees
    growth.trees = best.rounds
    var made = outcome(.trees(try BoostedTrees.grow(x, y, growth, check: check)))
    made.iterations = best.rounds
    made.numbers = [("rounds", Double(best.rounds)), ("validation_error", best.error)]
    if best.rounds == most { made.diagnoses.append("the last of \(most) trees still made the error smaller: more may foretell better") }
    return made
  }

  private func words(_ encoder: AttributeEncoder, _ name: AttributeEncoder.Name) -> String {
    let feature = encoder.features[name.feature].name
    return name.isMissing ? "\(feature) is missing" : name.level.map { "\(feature) = \($0)" } ?? feature
  }
}
