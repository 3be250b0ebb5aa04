import Statistics

/// A purchase model in which what is known of a customer shifts how often it buys and how long it stays: static covariates z.
///
/// Rates: α becomes α e^(−γ·z), so that e^γ is by what factor a customer with one unit more of z buys more often. Dropout: β becomes
/// β e^(−δ·z) in Pareto/NBD, a and b become a e^(δ·z) and b e^(δ·z) in (M)BG/NBD and (M)BG/CNBD-k (Fader & Hardie, note 019, as
/// CLVTools has it). In NBD nobody leaves, and nothing shifts that.
///
/// In the logarithms of all parameters a customer's own are a linear map of θ = (ln parameters, γ, δ), so that the models' own first
/// and second derivatives, for each set of equal covariates, give those of θ exactly.
public struct CovariateFit: Sendable {
  public let model: PurchaseModel
  /// Of a customer whose covariates are all 0.
  public var parameters: [Double]
  /// By covariate.
  public var purchaseEffects: [Double]
  /// By covariate; empty where nobody leaves.
  public var dropoutEffects: [Double]
  /// Of ln parameters, then the effects on purchases, then those on dropout; nil where the likelihood is flat.
  public var covariance: SymmetricMatrix?
  /// Without the prior.
  public var logLikelihood: Double
  /// Without the covariates, on the same customers.
  public var plainLogLikelihood: Double
  /// Customers (their weights summed).
  public var observations: Double
  public var converged: Bool
  public var iterations: Int
  /// Of the likelihood, those of the plain model with them.
  public var evaluations: Int
  /// Largest |∂ℓ/∂θ| per customer.
  public var gradientNorm: Double
  public var diagnoses: [String]
  /// Erlang stages from purchase to purchase; 1 for models that have none.
  public var stages: Int
  /// ℓ by stages, from 1 on, where the data chose them.
  public var tried: [Double] = []

  public static let models: [PurchaseModel] = [.bgNBD, .mbgNBD, .paretoNBD, .nbd, .bgCNBDk, .mbgCNBDk]

  /// Whether covariates shift dropout too.
  public static func shiftsDropout(_ model: PurchaseModel) -> Bool { model != .nbd }

  public var effects: [Double] { purchaseEffects + dropoutEffects }
  /// Of the parameters themselves, and of the effects.
  public var standardErrors: (parameters: [Double], effects: [Double])? {
    covariance.map { c in
      let roots = c.diagonal.map { $0.squareRoot() }
      return (parameters.indices.map { roots[$0] * parameters[$0] }, Array(roots[parameters.count...]))
    }
  }
  /// Whether the covariates say anything: twice the gain in ℓ is χ² with one degree for each effect if they do not; of fits without a prior.
  public var likelihoodRatio: (statistic: Double, pValue: Double) {
    ModelComparison.likelihoodRatio(logLikelihood, over: plainLogLikelihood, fewer: effects.count)
  }

  /// The linear map from θ to the logarithms of a customer's own parameters, row by row.
  public static func rows(_ model: PurchaseModel, _ z: [Double]) -> [[Double]] {
    let (n, k) = (model == .nbd ? 2 : 4, z.count)
    var rows = (0..<n).map { i in (0..<(n + (shiftsDropout(model) ? 2 : 1) * k)).map { $0 == i ? 1.0 : 0 } }
    for (i, value) in z.enumerated() {
      rows[1][n + i] = -value
      switch model {
      case .nbd: break
      case .paretoNBD: rows[3][n + k + i] = -value
      default:
        rows[2][n + k + i] = value
        rows[3][n + k + i] = value
      }
    }
    return rows
  }

  /// Where an earlier fit ended, from which the search begins.
  public struct Earlier: Sendable {
    public var parameters: [Double]
    /// By covariate; 0 for one that it did not know.
    public var purchaseEffects: [Double]
    public var dropoutEffects: [Double]
    public var stages: Int

    public init(parameters: [Double], purchaseEffects: [Double], dropoutEffects: [Double], stages: Int = 1) {
      (self.parameters, self.purchaseEffects, self.dropoutEffects) = (parameters, purchaseEffects, dropoutEffects)
      self.stages = stages
    }

    /// ln parameters and the effects; rates are per stage.
    func θ(stages k: Int) -> [Double] {
      var logs = parameters.map(Portable.log)
      logs[1] += Portable.log(Double(stages) / Double(k))
      return logs + purchaseEffects + dropoutEffects
    }
  }

  // MARK: Fit

  /// Maximum likelihood from the plain model's, or the posterior's mode: the prior holds the parameters as it does those of a plain model,
  /// and each effect, per standard deviation of its covariate, around 0. `covariates` are columns, one number a customer. Throws a
  /// FitError when the plain model cannot be fitted, or a covariate says nothing.
  ///
  /// Regular buyers need `k`, or `logGaps`, the sum over customers of the logarithms of the times between their purchases: then k is, as
  /// without covariates, the number from 1 on at which ℓ stops rising.
  public static func fit(
    _ model: PurchaseModel, _ summary: PurchaseSummary, covariates: [[Double]], names: [String], weights: [Double]? = nil, k: Int? = nil,
    logGaps: Double? = nil, prior: WeakPrior? = nil, from earlier: Earlier? = nil
  ) throws -> CovariateFit {
    precondition(models.contains(model), "\(model.words) takes no covariates")
    precondition(covariates.count == names.count && covariates.allSatisfy { $0.count == summary.count }, "one number a customer for each covariate")
    let hasStages = model == .bgCNBDk || model == .mbgCNBDk
    precondition(!hasStages || k != nil || logGaps != nil, "k is chosen by the times between purchases, which are not given")
    let search = try CovariateSearch(model, summary, covariates, names, weights, prior, earlier)
    guard hasStages else { return try search.fit(stages: 1, logGaps: 0) }
    if let k { return try search.fit(stages: k, logGaps: logGaps ?? 0) }
    var best = try search.fit(stages: 1, logGaps: logGaps!)
    var tried = [best.logLikelihood]
    var rises = true
    while rises, tried.count < RegularBuyers.mostStages {
      let next = try search.fit(stages: tried.count + 1, logGaps: logGaps!)
      tried.append(next.logLikelihood)
      rises = next.logLikelihood > best.logLikelihood
      if rises { best = next }
    }
    if rises { best.diagnoses.append(RegularBuyers.moreRegular) }
    best.tried = tried
    return best
  }

  // MARK: Likelihood

  /// ℓ with its gradient in θ at any θ: for tests.
  static func evaluate(
    _ model: PurchaseModel, _ summary: PurchaseSummary, _ z: [[Double]], weights: [Double]? = nil, stages: Int = 1, at θ: [Double]
  ) throws -> (value: Double, gradient: [Double]) {
    let groups = try CovariateGroups(model, summary, z, weights: weights)
    let (value, gradient, _) = groups.lost(θ, stages: stages)
    return (-value * groups.weight, gradient.map { -$0 * groups.weight })
  }
}

/// The search for one number of stages after another, over the same customers.
private struct CovariateSearch {
  let model: PurchaseModel
  let names: [String]
  let prior: WeakPrior?
  let earlier: CovariateFit.Earlier?
  let data: GroupedSummary
  /// Covariates are taken in units of their spread, so that all effects are of one size.
  let spreads: [Double]
  /// Of the covariates in that unit.
  let means: [Double]
  let groups: CovariateGroups

  init(
    _ model: PurchaseModel, _ summary: PurchaseSummary, _ covariates: [[Double]], _ names: [String], _ weights: [Double]?, _ prior: WeakPrior?,
    _ earlier: CovariateFit.Earlier?
  ) throws {
    data = try GroupedSummary(summary, weights: weights)
    try data.refuse(model.words, parameters: model == .nbd ? "two" : "four", needs: model == .nbd ? 5 : 10)
    var (spreads, means) = ([Double](), [Double]())
    for (name, column) in zip(names, covariates) {
      let (mean, spread) = Self.moments(column, weights)
      guard spread > 0, spread.isFinite else {
        throw FitError(
          "\(model.words) cannot be fitted with covariate \"\(name)\"", because: "it is the same for all customers", remedy: "leave it out")
      }
      spreads.append(spread)
      means.append(mean / spread)
    }
    groups = try CovariateGroups(model, summary, zip(covariates, spreads).map { column, spread in column.map { $0 / spread } }, weights: weights)
    (self.model, self.names, self.prior, self.earlier, self.spreads, self.means) = (model, names, prior, earlier, spreads, means)
  }

  /// Mean and standard deviation over the customers that rows stand for.
  private static func moments(_ column: [Double], _ weights: [Double]?) -> (mean: Double, spread: Double) {
    guard let weights else { return (Summaries.mean(column), Summaries.variance(column, dropped: 0).squareRoot()) }
    let total = Summaries.sum(weights)
    let mean = Summaries.sum(column.indices.lazy.map { weights[$0] * column[$0] }) / total
    return (mean, (Summaries.sum(column.indices.lazy.map { weights[$0] * (column[$0] - mean) * (column[$0] - mean) }) / total).squareRoot())
  }

  func fit(stages: Int, logGaps: Double) throws -> CovariateFit {
    let k = names.count
    let start = earlier.map { self.start($0, stages: stages) }
    // The parameters of a customer in the middle are near those of all.
    let plain = try plainFit(stages, logGaps, from: start.map { θ in CovariateFit.rows(model, means).map { own($0, θ) } })
    let centers = plain.parameters.map(Portable.log)
    let n = centers.count, effects = (CovariateFit.shiftsDropout(model) ? 2 : 1) * k
    let lower = centers.map { $0 - 10 } + [Double](repeating: -20, count: effects)
    let upper = centers.map { $0 + 10 } + [Double](repeating: 20, count: effects)
    var newton = Newton(lower: lower, upper: upper)
    newton.longestStep = 1
    let age = Portable.log(max(data.meanT, 1e-300))
    let held = [0, age, 0, model == .paretoNBD ? age : 0][..<n] + [Double](repeating: 0, count: effects)
    let precision = prior.map { 1 / ($0.spread * $0.spread * groups.weight) }
    func search(from θ: [Double]) -> Optimum {
      newton.minimize(from: θ) { θ in
        var lost = groups.lost(θ, stages: stages)
        guard let precision else { return lost }
        for i in θ.indices {
          let away = θ[i] - held[i]
          lost.value += 0.5 * precision * away * away
          lost.gradient[i] += precision * away
          lost.hessian[i, i] += precision
        }
        return lost
      }
    }
    var (best, evaluations) = (nil as Optimum?, plain.evaluations)
    if let start, zip(start, zip(lower, upper)).allSatisfy({ $0 > $1.0 && $0 < $1.1 }) {
      let ended = search(from: start)
      evaluations += ended.evaluations
      if ended.converged, ended.atBound.isEmpty { best = ended }
    }
    let found = best ?? search(from: centers + [Double](repeating: 0, count: effects))
    if best == nil { evaluations += found.evaluations }
    let value = prior == nil ? found.value : groups.lost(found.point, stages: stages).value
    let spacing = stages == 1 ? 0 : RegularBuyers.spacing(data, k: stages, logGaps: logGaps)
    return result(found, evaluations, parameters: n, stages: stages, logLikelihood: -value * groups.weight + spacing, plain.logLikelihood)
  }

  private func own(_ row: [Double], _ θ: [Double]) -> Double {
    Portable.exp(min(max(zip(row, θ).reduce(0) { $0 + $1.0 * $1.1 }, -600), 600))
  }

  /// θ of the earlier fit, in units of the spreads.
  private func start(_ earlier: CovariateFit.Earlier, stages: Int) -> [Double] {
    var θ = earlier.θ(stages: stages)
    let n = earlier.parameters.count
    for i in n..<θ.count { θ[i] *= spreads[(i - n) % spreads.count] }
    return θ
  }

  private typealias Plain = (parameters: [Double], logLikelihood: Double, evaluations: Int)

  /// The model without covariates.
  private func plainFit(_ k: Int, _ logGaps: Double, from start: [Double]?) throws -> Plain {
    func told<P: ModelParameters>(_ fit: ModelFit<P>) -> Plain { (fit.parameters.vector, fit.logLikelihood, fit.evaluations) }
    switch model {
    case .paretoNBD: return told(try ParetoNBD.fit(data, prior: prior, from: start.map { .init($0) }))
    case .nbd: return told(try NBD.fit(data, prior: prior, from: start.map { .init($0) }))
    case .mbgNBD: return told(try MBGNBD.fit(data, prior: prior, from: start.map { .init($0) }))
    case .bgCNBDk, .mbgCNBDk:
      return told(
        try RegularBuyers.fit(
          data, dropoutAtOnce: model == .mbgCNBDk, k: k, logGaps: logGaps, prior: prior, from: start.map { (.init($0), k) }
        ).model)
    default: return told(try BGNBD.fit(data, prior: prior, from: start.map { .init($0) }))
    }
  }

  private func result(_ best: Optimum, _ evaluations: Int, parameters n: Int, stages: Int, logLikelihood: Double, _ plain: Double) -> CovariateFit {
    let k = spreads.count, W = groups.weight
    let effects = best.point[n...].enumerated().map { $0.element / spreads[$0.offset % k] }
    var diagnoses: [String] = []
    var information = best.hessian ?? SymmetricMatrix(order: best.point.count)
    for i in 0..<information.order { for j in 0...i { information[i, j] *= W } }
    var covariance = best.atBound.isEmpty ? information.inverse() : nil
    if var c = covariance {
      let units = [Double](repeating: 1, count: n) + effects.indices.map { spreads[$0 % k] }
      for i in 0..<c.order { for j in 0...i { c[i, j] /= units[i] * units[j] } }
      covariance = c
    } else {
      diagnoses.append("the effects of the covariates cannot be told apart: one follows from the others, or from few customers")
    }
    for i in best.atBound where i >= n {
      let what = i < n + k ? "purchases" : "dropout"
      diagnoses.append("the effect of \"\(names[(i - n) % k])\" on \(what) ended on the edge of the search: the likelihood still rises beyond it")
    }
    if !best.converged {
      diagnoses.append("the search stopped before the maximum (gradient per customer \(rounded(best.gradientNorm))): do not trust the parameters")
    }
    return CovariateFit(
      model: model, parameters: best.point[..<n].map(Portable.exp), purchaseEffects: Array(effects[..<k]), dropoutEffects: Array(effects[k...]),
      covariance: covariance, logLikelihood: logLikelihood, plainLogLikelihood: plain, observations: W, converged: best.converged,
      iterations: best.iterations, evaluations: evaluations, gradientNorm: best.gradientNorm, diagnoses: diagnoses, stages: stages)
  }
}
