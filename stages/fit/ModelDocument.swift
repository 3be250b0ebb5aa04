import Models
import Pipelines
import Statistics

/// A fit as the document people and `predict` read. The order of its keys is fixed.
struct ModelDocument {
  /// Why a customer whose row lacks a number is left out.
  static let missing = "a value is missing"

  let model: FittedModel.Kind
  private(set) var document: JSONValue
  private(set) var metrics: Metrics
  let diagnoses: [String]
  let leftOut: [(reason: String, count: Int)]
  let isUsable: Bool

  /// `stages` is the k of models that have one, `tried` ℓ by k from 1 on where k was chosen.
  init<Parameters: ModelParameters>(
    _ fit: ModelFit<Parameters>, _ model: FittedModel.Kind, _ unit: Duration.Unit, prior: WeakPrior?, stages: Int? = nil,
    tried: [Double] = [], diagnoses: [String] = [], leftOut: [(reason: String, count: Int)]
  ) {
    self.init(
      model, fit.parameters.vector, errors: fit.standardErrors?.vector, fit.covariance,
      [("log_likelihood", fit.logLikelihood), ("aic", fit.aic), ("bic", fit.bic)], observations: Int(fit.observations),
      leftOut: leftOut, fit.converged, fit.iterations, fit.evaluations, fit.gradientNorm, more: [],
      units: ["time": .string(unit.rawValue)], fit.diagnoses + diagnoses, prior: prior, stages: stages, tried: tried)
  }

  init(_ fit: GammaGamma.Fit, of column: String, leftOut: [(reason: String, count: Int)]) {
    self.init(
      .gammaGamma, fit.parameters.vector, errors: fit.standardErrors?.vector, fit.covariance,
      [("log_likelihood", fit.logLikelihood), ("aic", fit.aic), ("bic", fit.bic)], observations: fit.observations,
      leftOut: leftOut + [("no repeat purchase", fit.withoutRepeat), ("no positive mean spend", fit.withoutSpend)],
      fit.converged, fit.iterations, fit.evaluations, fit.gradientNorm,
      more: [
        ("population_mean", fit.populationMean), ("correlation", fit.correlation),
        // Of q at its border, 1: the profile likelihood, and twice what ℓ is above it.
        ("border_log_likelihood", fit.borderLogLikelihood), ("border_statistic", fit.borderStatistic),
      ],
      // The unit of an amount is that of its column.
      units: ["spend": .string(column)], fit.diagnoses)
  }

  /// The plain parameters stand where those of other fits stand, the effects under `covariates`.
  init(
    _ fit: CovariateFit, _ model: FittedModel.Kind, _ unit: Duration.Unit, columns: [String], prior: WeakPrior?, stages: Int?, diagnoses: [String],
    leftOut: [(reason: String, count: Int)]
  ) {
    let (p, n) = (fit.parameters, Double(fit.parameters.count + fit.effects.count))
    let errors = fit.standardErrors
    var own: SymmetricMatrix?
    if let c = fit.covariance {
      var m = SymmetricMatrix(order: p.count)
      for i in p.indices { for j in 0...i { m[i, j] = c[i, j] * p[i] * p[j] } }
      own = m
    }
    self.init(
      model, p, errors: errors?.parameters, own,
      [("log_likelihood", fit.logLikelihood), ("aic", 2 * n - 2 * fit.logLikelihood), ("bic", n * Portable.log(fit.observations) - 2 * fit.logLikelihood)],
      observations: Int(fit.observations), leftOut: leftOut, fit.converged, fit.iterations, fit.evaluations, fit.gradientNorm, more: [],
      units: ["time": .string(unit.rawValue)], fit.diagnoses + diagnoses, prior: prior, stages: stages, tried: fit.tried)
    func named(_ values: [Double]) -> JSONValue { .object(zip(columns, values).map { JSONMember($0, .double($1)) }) }
    let k = columns.count
    let test = fit.likelihoodRatio
    // The test is of maximum likelihood.
    let ratio: JSONValue =
      prior != nil
      ? .null
      : ["without": .double(fit.plainLogLikelihood), "statistic": .double(test.statistic), "degrees": .integer(fit.effects.count), "p": .double(test.pValue)]
    /// Where nobody leaves there is nothing to say of dropout.
    func effects(_ purchases: [Double], _ dropout: [Double]) -> [JSONMember] {
      [JSONMember("purchases", named(purchases))] + (fit.dropoutEffects.isEmpty ? [] : [JSONMember("dropout", named(dropout))])
    }
    let whole = fit.covariance.map { c in JSONValue.array((0..<c.order).map { i in .array((0..<c.order).map { .double(c[i, $0]) }) }) }
    add(
      "covariates",
      .object(
        [JSONMember("columns", .array(columns.map(JSONValue.string)))]
          // A unit more makes a customer buy e^effect times as often, and leave in the same way sooner.
          + effects(fit.purchaseEffects, fit.dropoutEffects)
          + [
            JSONMember("standard_errors", errors.map { .object(effects(Array($0.effects[..<k]), Array($0.effects[k...]))) } ?? .null),
            // Of the parameters' logarithms, the effects on purchases, those on dropout.
            JSONMember("covariance", whole ?? .null), JSONMember("likelihood_ratio", ratio),
          ]))
    for (name, values) in [("purchases", fit.purchaseEffects), ("dropout", fit.dropoutEffects)] {
      for (column, value) in zip(columns, values) { metrics["\(name)_\(column)"] = .double(value) }
    }
  }

  private init(
    _ model: FittedModel.Kind, _ parameters: [Double], errors: [Double]?, _ covariance: SymmetricMatrix?,
    _ criteria: [(String, Double)], observations: Int, leftOut: [(reason: String, count: Int)], _ converged: Bool,
    _ iterations: Int, _ evaluations: Int, _ gradientNorm: Double, more: [(String, Double)], units: JSONValue,
    _ diagnoses: [String], prior: WeakPrior? = nil, stages: Int? = nil, tried: [Double] = []
  ) {
    let names = model.parameterNames
    func named(_ values: [Double]) -> JSONValue {
      .object(zip(names, values).map { JSONMember($0, .double($1)) })
    }
    let matrix = covariance.map { c in
      JSONValue.array(names.indices.map { i in .array(names.indices.map { j in .double(c[i, j]) }) })
    }
    var members: [JSONMember] = [
      JSONMember("model", .string(model.rawValue)),
      JSONMember("parameters", named(parameters)),
    ]
    if let stages { members.append(JSONMember("k", .integer(stages))) }
    members += [
      JSONMember("standard_errors", errors.map(named) ?? .null),
      // Rows and columns in the order of the parameters.
      JSONMember("covariance", matrix ?? .null),
    ]
    if let prior { members.append(JSONMember("prior", ["spread": .double(prior.spread)])) }
    if !tried.isEmpty { members.append(JSONMember("log_likelihood_by_k", .array(tried.map(JSONValue.double)))) }
    members += (criteria + more).map { JSONMember($0.0, .double($0.1)) }
    let reasons = leftOut.filter { $0.count > 0 }
    members += [
      JSONMember("observations", .integer(observations)),
      JSONMember("left_out", .array(reasons.map { ["reason": .string($0.reason), "customers": .integer($0.count)] })),
      JSONMember("converged", .bool(converged)),
      JSONMember("iterations", .integer(iterations)),
      JSONMember("evaluations", .integer(evaluations)),
      JSONMember("gradient_norm", .double(gradientNorm)),
      JSONMember("units", units),
      JSONMember("diagnoses", .array(diagnoses.map(JSONValue.string))),
      JSONMember("made_by", .string("millrace fit \(Fit.contract.version)")),
    ]
    self.model = model
    document = .object(members)
    var metrics = Metrics()
    metrics["model"] = .string(model.rawValue)
    for (name, value) in zip(names, parameters) { metrics[name] = .double(value) }
    if let stages { metrics["k"] = .integer(stages) }
    for (name, value) in criteria + more { metrics[name] = .double(value) }
    metrics["observations"] = .integer(observations)
    metrics["left_out"] = .integer(reasons.reduce(0) { $0 + $1.count })
    metrics["converged"] = .bool(converged)
    metrics["iterations"] = .integer(iterations)
    self.metrics = metrics
    self.diagnoses = diagnoses
    self.leftOut = leftOut
    isUsable = criteria.allSatisfy { $0.1.isFinite } && parameters.allSatisfy { $0.isFinite && $0 > 0 }
  }

  mutating func add(_ name: String, _ value: JSONValue) {
    guard case .object(var members) = document else { return }
    members.append(JSONMember(name, value))
    document = .object(members)
  }

  /// What was found where the data chose the model, at which days, and how far ahead.
  mutating func add(_ choice: ModelChoice, cuts: BackTest.Cuts) {
    func number(_ x: Double) -> JSONValue { x.isFinite ? .double(x) : .null }
    let board = choice.board.map { entry -> JSONValue in
      [
        "model": .string(entry.model.rawValue), "log_score": number(entry.logScore), "mae": number(entry.mae),
        "rmse": number(entry.rmse), "bias": number(entry.bias), "failure": entry.failure.map(JSONValue.string) ?? .null,
      ]
    }
    let reason = JSONValue.string(choice.reason ?? "no model could be fitted at every origin")
    add(
      "choice",
      [
        "reason": reason, "leader_board": .array(board), "origins": .array(cuts.origins.map { .string($0.description) }),
        "horizon_days": .integer(cuts.days),
      ])
    metrics["choice"] = reason
    // What a run prints: why, and the board.
    func digits(_ x: Double) -> String { "\((x * 10_000).rounded() / 10_000)" }
    let lines = choice.board.enumerated().map { place, entry in
      entry.failure.map { "\(place + 1). \(entry.model.rawValue): \($0)" }
        ?? "\(place + 1). \(entry.model.rawValue): log score \(digits(entry.logScore)), MAE \(digits(entry.mae)), RMSE \(digits(entry.rmse)), bias \((entry.bias * 1000).rounded() / 10) %"
    }
    metrics["notes"] = .array([reason] + lines.map(JSONValue.string))
  }
}
