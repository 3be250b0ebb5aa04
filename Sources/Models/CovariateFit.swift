import Statistics

/// A purchase model in which what is known of a customer shifts how often it buys and how long it stays: static covariates z.
///
/// Rates: α becomes α e^(−γ·z), so that e^γ is by what factor a customer with one unit more of z buys more often. Dropout: β becomes
/// β e^(−δ·z) in Pareto/NBD, a and b become a e^(δ·z) and b e^(δ·z) in (M)BG/NBD (Fader & Hardie, note 019, as CLVTools has it).
///
/// In the logarithms of all parameters a customer's own are a linear map of θ = (ln parameters, γ, δ), so that the models' own first
/// and second derivatives, for each set of equal covariates, give those of θ exactly.
public struct CovariateFit: Sendable {
  public let model: PurchaseModel
  /// Of a customer whose covariates are all 0.
  public var parameters: [Double]
  /// By covariate.
  public var purchaseEffects: [Double]
  public var dropoutEffects: [Double]
  /// Of ln parameters, then the effects on purchases, then those on dropout; nil where the likelihood is flat.
  public var covariance: SymmetricMatrix?
  /// Without the prior.
  public var logLikelihood: Double
  /// Without the covariates, on the same customers.
  public var plainLogLikelihood: Double
  public var observations: Double
  public var converged: Bool
  public var iterations: Int
  public var evaluations: Int
  /// Largest |∂ℓ/∂θ| per customer.
  public var gradientNorm: Double
  public var diagnoses: [String]

  public static let models: [PurchaseModel] = [.bgNBD, .mbgNBD, .paretoNBD]

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
    let k = z.count
    var rows = (0..<4).map { i in (0..<(4 + 2 * k)).map { $0 == i ? 1.0 : 0 } }
    for (i, value) in z.enumerated() {
      rows[1][4 + i] = -value
      if model == .paretoNBD {
        rows[3][4 + k + i] = -value
      } else {
        rows[2][4 + k + i] = value
        rows[3][4 + k + i] = value
      }
    }
    return rows
  }

  // MARK: Fit

  /// Maximum likelihood from the plain model's, or the posterior's mode: the prior holds the parameters as it does those of a plain model,
  /// and each effect, per standard deviation of its covariate, around 0. `covariates` are columns, one number a customer. Throws a
  /// FitError when the plain model cannot be fitted, or a covariate says nothing.
  public static func fit(
    _ model: PurchaseModel, _ summary: PurchaseSummary, covariates: [[Double]], names: [String], prior: WeakPrior? = nil
  ) throws -> CovariateFit {
    precondition(models.contains(model), "\(model.words) takes no covariates")
    precondition(covariates.count == names.count && covariates.allSatisfy { $0.count == summary.count }, "one number a customer for each covariate")
    let plain =
      switch model {
      case .mbgNBD: try MBGNBD.fit(summary, prior: prior)
      case .bgNBD: try BGNBD.fit(summary, prior: prior)
      default: nil as BGNBD.Fit?
      }
    let pareto = plain == nil ? try ParetoNBD.fit(summary, prior: prior) : nil
    let start = plain?.parameters.vector ?? pareto!.parameters.vector
    let plainValue = plain?.logLikelihood ?? pareto!.logLikelihood
    // In units of their spread, so that all effects are of one size.
    let spreads = try zip(names, covariates).map { name, column -> Double in
      let spread = Summaries.variance(column, dropped: 0).squareRoot()
      guard spread > 0, spread.isFinite else {
        throw FitError(
          "\(model.words) cannot be fitted with covariate \"\(name)\"", because: "it is the same for all customers", remedy: "leave it out")
      }
      return spread
    }
    let groups = try CovariateGroups(model, summary, zip(covariates, spreads).map { column, spread in column.map { $0 / spread } })
    let k = names.count
    let centers = start.map(Portable.log)
    var newton = Newton(
      lower: centers.map { $0 - 10 } + [Double](repeating: -20, count: 2 * k), upper: centers.map { $0 + 10 } + [Double](repeating: 20, count: 2 * k))
    newton.longestStep = 1
    let age = Portable.log(max(Summaries.mean(summary.T), 1e-300))
    let held = [0, age, 0, model == .paretoNBD ? age : 0] + [Double](repeating: 0, count: 2 * k)
    let precision = prior.map { 1 / ($0.spread * $0.spread * groups.weight) }
    let best = newton.minimize(from: centers + [Double](repeating: 0, count: 2 * k)) { θ in
      var lost = groups.lost(θ)
      guard let precision else { return lost }
      for i in θ.indices {
        let away = θ[i] - held[i]
        lost.value += 0.5 * precision * away * away
        lost.gradient[i] += precision * away
        lost.hessian[i, i] += precision
      }
      return lost
    }
    let value = prior == nil ? best.value : groups.lost(best.point).value
    return CovariateFit(model, best, groups, logLikelihood: -value * groups.weight, plainValue, spreads, names)
  }

  private init(
    _ model: PurchaseModel, _ best: Optimum, _ groups: CovariateGroups, logLikelihood: Double, _ plain: Double, _ spreads: [Double], _ names: [String]
  ) {
    let k = spreads.count
    let W = groups.weight
    self.model = model
    parameters = best.point[..<4].map(Portable.exp)
    let effects = best.point[4...].enumerated().map { $0.element / spreads[$0.offset % k] }
    (purchaseEffects, dropoutEffects) = (Array(effects[..<k]), Array(effects[k...]))
    self.logLikelihood = logLikelihood
    (plainLogLikelihood, observations) = (plain, W)
    (converged, iterations, evaluations, gradientNorm) = (best.converged, best.iterations, best.evaluations, best.gradientNorm)
    diagnoses = []
    var information = best.hessian ?? SymmetricMatrix(order: 4 + 2 * k)
    for i in 0..<information.order { for j in 0...i { information[i, j] *= W } }
    covariance = best.atBound.isEmpty ? information.inverse() : nil
    if var c = covariance {
      let units = [1, 1, 1, 1] + spreads + spreads
      for i in 0..<c.order { for j in 0...i { c[i, j] /= units[i] * units[j] } }
      covariance = c
    } else {
      diagnoses.append("the effects of the covariates cannot be told apart: one follows from the others, or from few customers")
    }
    for i in best.atBound where i >= 4 {
      let what = i < 4 + k ? "purchases" : "dropout"
      diagnoses.append("the effect of \"\(names[(i - 4) % k])\" on \(what) ended on the edge of the search: the likelihood still rises beyond it")
    }
    if !converged {
      diagnoses.append("the search stopped before the maximum (gradient per customer \(rounded(gradientNorm))): do not trust the parameters")
    }
  }

  // MARK: Likelihood

  /// ℓ with its gradient in θ at any θ: for tests.
  static func evaluate(_ model: PurchaseModel, _ summary: PurchaseSummary, _ z: [[Double]], at θ: [Double]) throws -> (value: Double, gradient: [Double]) {
    let groups = try CovariateGroups(model, summary, z)
    let (value, gradient, _) = groups.lost(θ)
    return (-value * groups.weight, gradient.map { -$0 * groups.weight })
  }
}

/// Customers with equal covariates, and the likelihood of all of them.
private struct CovariateGroups {
  let weight: Double
  private let likelihoods: [([Double]) -> Newton.Value]
  private let maps: [[[Double]]]

  init(_ model: PurchaseModel, _ s: PurchaseSummary, _ z: [[Double]]) throws {
    weight = Double(s.count)
    var (likelihoods, maps): ([([Double]) -> Newton.Value], [[[Double]]]) = ([], [])
    for rows in EqualRows(z).groups {
      let data = try GroupedSummary(PurchaseSummary(x: rows.map { s.x[$0] }, tx: rows.map { s.tx[$0] }, T: rows.map { s.T[$0] }))
      switch model {
      case .paretoNBD:
        let likelihood = ParetoNBDLikelihood(data)
        likelihoods.append { likelihood.evaluate($0[0], $0[1], $0[2], $0[3]) }
      default:
        let likelihood = BetaGeometricLikelihood(data, o: model == .mbgNBD ? 1 : 0)
        likelihoods.append { likelihood.evaluate($0[0], $0[1], $0[2], $0[3]) }
      }
      maps.append(CovariateFit.rows(model, z.map { $0[rows[0]] }))
    }
    (self.likelihoods, self.maps) = (likelihoods, maps)
  }

  /// −ℓ per customer with its derivatives in θ.
  func lost(_ θ: [Double]) -> Newton.Value {
    // Few groups are large: their own loops run on all processors.
    let parts = FixedChunks.map(count: likelihoods.count, chunk: likelihoods.count < 64 ? likelihoods.count : 64) { range in
      var sum: Newton.Value = (0, [Double](repeating: 0, count: θ.count), SymmetricMatrix(order: θ.count))
      for i in range { add(i, θ, &sum) }
      return sum
    }
    var total: Newton.Value = (0, [Double](repeating: 0, count: θ.count), SymmetricMatrix(order: θ.count))
    for part in parts {
      total.value -= part.value / weight
      for i in θ.indices {
        total.gradient[i] -= part.gradient[i] / weight
        for j in 0...i { total.hessian[i, j] -= part.hessian[i, j] / weight }
      }
    }
    return total
  }

  private func add(_ group: Int, _ θ: [Double], _ sum: inout Newton.Value) {
    let map = maps[group]
    let p = map.map { row in Portable.exp(min(max(zip(row, θ).reduce(0) { $0 + $1.0 * $1.1 }, -600), 600)) }
    let (value, gradient, hessian) = likelihoods[group](p)
    sum.value += value
    // In logarithms of the customers' own parameters.
    let g = p.indices.map { p[$0] * gradient[$0] }
    for i in θ.indices {
      for a in p.indices where map[a][i] != 0 {
        sum.gradient[i] += map[a][i] * g[a]
        for j in 0...i {
          for b in p.indices where map[b][j] != 0 {
            sum.hessian[i, j] += map[a][i] * map[b][j] * (p[a] * p[b] * hessian[a, b] + (a == b ? g[a] : 0))
          }
        }
      }
    }
  }
}

/// Rows with equal values in all columns, groups ascending.
public struct EqualRows: Sendable {
  /// Rows ascend within a group.
  public private(set) var groups: [[Int]] = []

  public init(_ columns: [[Double]]) {
    let count = columns.first?.count ?? 0
    func compare(_ a: Int, _ b: Int) -> Int {
      for column in columns where column[a] != column[b] { return column[a] < column[b] ? -1 : 1 }
      return 0
    }
    let order = (0..<count).sorted { a, b in
      let way = compare(a, b)
      return way != 0 ? way < 0 : a < b
    }
    for row in order {
      if let last = groups.last?.first, compare(last, row) == 0 { groups[groups.count - 1].append(row) } else { groups.append([row]) }
    }
  }
}
