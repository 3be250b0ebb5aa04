import Statistics

/// Finds the maximum of a likelihood: Newton in the logarithms of the parameters from several starts.
struct ModelSearch<Parameters: ModelParameters> {
  /// ℓ with first and second derivatives in the parameters themselves.
  typealias Likelihood = ([Double]) -> Newton.Value

  /// As it stands in sentences: "BG/NBD".
  let model: String
  /// The usual size of each parameter: 1 for shapes, the mean age for times.
  let sizes: [Double]
  /// How far the search may go from there, in logarithms.
  var below: [Double]
  var above: [Double]
  var prior: WeakPrior?
  /// Sentences that belong to one model.
  var diagnose: (Parameters) -> [String] = { _ in [] }
  /// Parameters of an earlier fit, from which the search begins; the usual starts are tried where it does not end at a maximum.
  var earlier: [Double]?
  /// Whether the curvature at these parameters means something.
  var isIdentified: (Parameters) -> Bool = { _ in true }

  init(model: String, sizes: [Double], prior: WeakPrior?) {
    self.model = model
    self.sizes = sizes
    self.prior = prior
    below = sizes.map { $0 == 1 ? 13.8 : 18.4 }
    above = below
  }

  /// `thin` is a sample that finds the right basin where data are many; the best start goes on with everybody.
  func run(
    from starts: [[Double]], thin: (likelihood: Likelihood, weight: Double)? = nil, full: @escaping Likelihood, weight: Double
  ) -> ModelFit<Parameters> {
    if let earlier {
      let start = zip(earlier, sizes.indices).map { value, i in
        let center = Portable.log(sizes[i])
        return min(max(Portable.log(value), center - below[i]), center + above[i])
      }
      let best = minimize(full, weight, from: start)
      if best.converged, best.atBound.isEmpty { return result(best, full, weight, iterations: best.iterations, evaluations: best.evaluations) }
    }
    let searches = starts.map { minimize(thin?.likelihood ?? full, thin?.weight ?? weight, from: $0.map(Portable.log)) }
    // Equal within rounding counts as equal: the earlier start wins, whatever the last digits say.
    var best = searches[0]
    for s in searches.dropFirst() where s.value < best.value - 1e-9 || (s.converged && !best.converged) { best = s }
    var (iterations, evaluations) = (0, 0)
    if thin != nil {
      best = minimize(full, weight, from: best.point)
      (iterations, evaluations) = (best.iterations, best.evaluations)
      for search in searches where !best.converged {
        let other = minimize(full, weight, from: search.point)
        evaluations += other.evaluations
        if other.converged || other.value < best.value { best = other }
      }
    } else {
      evaluations = searches.reduce(0) { $0 + $1.evaluations }
      iterations = best.iterations
    }
    return result(best, full, weight, iterations: iterations, evaluations: evaluations)
  }

  /// −(ℓ + ln prior) per customer, in logarithms of the parameters.
  private func minimize(_ likelihood: Likelihood, _ W: Double, from start: [Double]) -> Optimum {
    let centers = sizes.map(Portable.log)
    let newton = Newton(lower: zip(centers, below).map { $0 - $1 }, upper: zip(centers, above).map { $0 + $1 })
    return newton.minimize(from: start) { θ in
      let p = θ.map(Portable.exp)
      var (value, gradient, hessian) = likelihood(p)
      value = -value / W
      gradient = p.indices.map { -p[$0] * gradient[$0] / W }
      var h = SymmetricMatrix(order: p.count)
      for i in p.indices {
        for j in 0...i { h[i, j] = -p[i] * p[j] * hessian[i, j] / W + (i == j ? gradient[i] : 0) }
      }
      if let prior {
        let precision = 1 / (prior.spread * prior.spread * W)
        for i in p.indices {
          let away = θ[i] - centers[i]
          value += 0.5 * precision * away * away
          gradient[i] += precision * away
          h[i, i] += precision
        }
      }
      return (value, gradient, h)
    }
  }

  private func result(
    _ best: Optimum, _ likelihood: Likelihood, _ weight: Double, iterations: Int, evaluations: Int
  ) -> ModelFit<Parameters> {
    let v = best.point.map(Portable.exp)
    let p = Parameters(v)
    // Scaled by the parameters, so that the test for definiteness does not depend on the unit of time.
    var information = SymmetricMatrix(order: v.count)
    let value: Double
    if prior == nil, let hessian = best.hessian {
      // In logarithms of the parameters it has the gradient on its diagonal.
      value = -best.value * weight
      for i in v.indices { for j in 0...i { information[i, j] = weight * (hessian[i, j] - (i == j ? best.gradient[i] : 0)) } }
    } else {
      let (plain, _, hessian) = likelihood(v)
      value = plain
      for i in v.indices {
        for j in 0...i { information[i, j] = -hessian[i, j] * v[i] * v[j] }
        if let prior { information[i, i] += 1 / (prior.spread * prior.spread) }
      }
    }
    var covariance: SymmetricMatrix?
    if best.atBound.isEmpty, isIdentified(p), let inverse = information.inverse() {
      var c = SymmetricMatrix(order: v.count)
      for i in v.indices { for j in 0...i { c[i, j] = inverse[i, j] * v[i] * v[j] } }
      covariance = c
    }
    var diagnoses = diagnose(p)
    for i in best.atBound {
      diagnoses.append(
        "parameter \(Parameters.names[i]) ended on the edge of the search, \(rounded(v[i])): the likelihood still rises beyond it")
    }
    if !best.converged {
      diagnoses.append(
        "the search stopped before the maximum (gradient per customer \(rounded(best.gradientNorm))): do not trust the parameters")
    }
    return ModelFit(
      parameters: p, standardErrors: covariance.map { Parameters($0.diagonal.map { $0.squareRoot() }) },
      covariance: covariance, logLikelihood: value, observations: weight, converged: best.converged,
      iterations: iterations, evaluations: evaluations, gradientNorm: best.gradientNorm, diagnoses: diagnoses)
  }
}

extension GroupedSummary {
  /// Throws what keeps a model of `parameters` parameters from being fitted, said before the search.
  func refuse(_ model: String, parameters: String, needs least: Double = 10) throws {
    let customers = Int(min(totalWeight, 1e15))
    if totalWeight < least {
      throw FitError(
        "\(model) cannot be fitted to \(customers) customer\(customers == 1 ? "" : "s")",
        because: "\(parameters) parameters need at least \(Int(least))", remedy: "take more customers or a longer observation period")
    }
    if repeatRows == 0 {
      throw FitError(
        "\(model) cannot be fitted", because: "none of the \(customers) customers bought again, so nothing is known of rates or dropout",
        remedy: "take a longer observation period")
    }
    if repeatWeight < 5 {
      throw FitError(
        "\(model) cannot be fitted", because: "only \(Int(repeatWeight)) of the \(customers) customers bought again; at least 5 are needed",
        remedy: "take more customers or a longer observation period")
    }
    if !(meanT > 0) {
      throw FitError(
        "\(model) cannot be fitted", because: "every customer has age T = 0", remedy: "move the end of the observation past the first purchases")
    }
  }

  /// Shape and rate of purchase rates by the moments of the counts: mean r T/α, variance mean + mean²/r.
  var momentRates: (r: Double, α: Double) {
    let (m, v) = (max(meanX, 1e-6), varianceX)
    let r = min(max(m * m / max(v - m, 1e-3 * m), 0.05), 20)
    return (r, r * max(meanT, 1e-300) / m)
  }
}
