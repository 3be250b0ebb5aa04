import Statistics

/// Finds the maximum of the (M)BG/NBD likelihood: Newton in the logarithms of the parameters from several starts.
struct BetaGeometricFit {
  let data: GroupedSummary
  /// 0 for BG/NBD, 1 for MBG/NBD.
  let o: Int
  let model: String

  init(_ data: GroupedSummary, o: Int, model: String) {
    self.data = data
    self.o = o
    self.model = model
  }

  func run() throws -> BGNBD.Fit {
    try refuse()
    // All starts on a thin sample where data are many; the best one goes on with everybody.
    let step = max(1, data.rowCount / 8192)
    let thin = BetaGeometricLikelihood(step > 1 ? data.thinned(every: step) : data, o: o)
    let searches = starts(thin.data).map { minimize(thin, from: $0) }
    // Equal within rounding counts as equal: the earlier start wins, whatever the last digits say.
    var best = searches[0]
    for s in searches.dropFirst() where s.value < best.value - 1e-9 || (s.converged && !best.converged) { best = s }
    var (iterations, evaluations) = (0, 0)
    if step > 1 {
      best = minimize(BetaGeometricLikelihood(data, o: o), from: best.point)
      (iterations, evaluations) = (best.iterations, best.evaluations)
      for search in searches where !best.converged {
        let other = minimize(BetaGeometricLikelihood(data, o: o), from: search.point)
        evaluations += other.evaluations
        if other.converged || other.value < best.value { best = other }
      }
    } else {
      evaluations = searches.map(\.evaluations).reduce(0, +)
      iterations = best.iterations
    }
    return result(best, iterations: iterations, evaluations: evaluations)
  }

  /// What cannot be fitted, said before the search.
  private func refuse() throws {
    let customers = Int(min(data.totalWeight, 1e15))
    if data.totalWeight < 10 {
      throw FitError(
        "\(model) cannot be fitted to \(customers) customer\(customers == 1 ? "" : "s")", because: "four parameters need at least 10",
        remedy: "take more customers or a longer observation period")
    }
    if data.repeatRows == 0 {
      throw FitError(
        "\(model) cannot be fitted", because: "none of the \(customers) customers bought again, so nothing is known of rates or dropout",
        remedy: "take a longer observation period")
    }
    if data.repeatWeight < 5 {
      throw FitError(
        "\(model) cannot be fitted", because: "only \(Int(data.repeatWeight)) of the \(customers) customers bought again; at least 5 are needed",
        remedy: "take more customers or a longer observation period")
    }
    if !(data.meanT > 0) {
      throw FitError(
        "\(model) cannot be fitted", because: "every customer has age T = 0", remedy: "move the end of the observation past the first purchases")
    }
  }

  /// Logarithms of the parameters to start from: moments of the counts, and three fixed shapes on the scale of T.
  private func starts(_ d: GroupedSummary) -> [[Double]] {
    let (m, v, t) = (max(d.meanX, 1e-6), d.varianceX, max(d.meanT, 1e-300))
    // Negative binomial moments: mean r T/α, variance mean + mean²/r.
    let r = min(max(m * m / max(v - m, 1e-3 * m), 0.05), 20)
    let shapes = [(r, r * t / m, 0.8, 2.5), (1, t, 1, 3), (0.3, 0.2 * t, 0.3, 4), (3, 3 * t / max(m, 0.3), 2, 10)]
    return shapes.map { [$0.0, $0.1, $0.2, $0.3].map(Portable.log) }
  }

  /// −ℓ per customer, in logarithms of the parameters.
  private func minimize(_ likelihood: BetaGeometricLikelihood, from start: [Double]) -> Optimum {
    let scale = Portable.log(max(likelihood.data.meanT, 1e-300))
    let newton = Newton(
      lower: [-13.8, scale - 18.4, -13.8, -13.8], upper: [13.8, scale + 18.4, 16.1, 16.1])
    let W = likelihood.data.totalWeight
    return newton.minimize(from: start) { θ in
      let p = θ.map(Portable.exp)
      let (value, gradient, hessian) = likelihood.evaluate(p[0], p[1], p[2], p[3])
      let g = (0..<4).map { -p[$0] * gradient[$0] / W }
      var h = SymmetricMatrix(order: 4)
      for i in 0..<4 {
        for j in 0...i { h[i, j] = -p[i] * p[j] * hessian[i, j] / W + (i == j ? g[i] : 0) }
      }
      return (-value / W, g, h)
    }
  }

  private func result(_ best: Optimum, iterations: Int, evaluations: Int) -> BGNBD.Fit {
    let p = BGNBD.Parameters(best.point.map(Portable.exp))
    let (value, _, hessian) = BetaGeometricLikelihood(data, o: o).evaluate(p.r, p.α, p.a, p.b)
    let diagnoses = diagnoses(p, best)
    var information = SymmetricMatrix(order: 4)
    // Scaled by the parameters, so that the test for definiteness does not depend on the unit of time.
    for i in 0..<4 { for j in 0...i { information[i, j] = -hessian[i, j] * p.vector[i] * p.vector[j] } }
    var covariance: SymmetricMatrix?
    if best.atBound.isEmpty, p.a + p.b < 1e5, let inverse = information.inverse() {
      var c = SymmetricMatrix(order: 4)
      for i in 0..<4 { for j in 0...i { c[i, j] = inverse[i, j] * p.vector[i] * p.vector[j] } }
      covariance = c
    }
    return BGNBD.Fit(
      parameters: p, standardErrors: covariance.map { BGNBD.Parameters($0.diagonal.map { $0.squareRoot() }) },
      covariance: covariance, logLikelihood: value, observations: data.totalWeight, converged: best.converged,
      iterations: iterations, evaluations: evaluations, gradientNorm: best.gradientNorm,
      diagnoses: diagnoses)
  }

  private func diagnoses(_ p: BGNBD.Parameters, _ best: Optimum) -> [String] {
    var sentences: [String] = []
    if p.a + p.b > 1e4 {
      sentences.append(
        "dropout heterogeneity is not identified: a and b grew together (a = \(rounded(p.a)), b = \(rounded(p.b))), so one dropout probability, \(rounded(p.a / (p.a + p.b))), serves all customers; read a/(a+b), not a and b"
      )
    } else if p.a / (p.a + p.b) < 1e-4 {
      sentences.append("almost no dropout was seen: a/(a+b) = \(rounded(p.a / (p.a + p.b))), so nearly everybody counts as alive")
    }
    if p.r > 1e4 {
      sentences.append("purchase rates do not differ between customers: r and α grew together (r = \(rounded(p.r)), α = \(rounded(p.α)))")
    }
    for i in best.atBound {
      sentences.append("parameter \(BGNBD.Parameters.names[i]) ended on the edge of the search, \(rounded(p.vector[i])): the likelihood still rises beyond it")
    }
    if !best.converged {
      sentences.append("the search stopped before the maximum (gradient per customer \(rounded(best.gradientNorm))): do not trust the parameters")
    }
    return sentences
  }
}
