import Statistics

/// Gamma-Gamma: a customer's spend per purchase is gamma with shape p around an own mean, and those means vary as an
/// inverse gamma with q and v (the papers' γ).
///
///     let fit = try GammaGamma.fit(x: frequency, m: meanSpend)
///     fit.expectedSpend(x: 2, m: 24.3)
///
/// Fader & Hardie 2013, note 025, "The Gamma-Gamma Model of Monetary Value"; x purchases with mean spend m.
public enum GammaGamma {
  // MARK: Parameters

  public struct Parameters: Hashable, Sendable {
    public var p: Double
    public var q: Double
    public var v: Double

    public init(p: Double, q: Double, v: Double) { (self.p, self.q, self.v) = (p, q, v) }
    init(_ w: [Double]) { self.init(p: w[0], q: w[1], v: w[2]) }
    /// From (ln p, ln(q − 1), ln v), in which the search goes.
    init(logs θ: [Double]) { self.init(p: Portable.exp(θ[0]), q: 1 + Portable.exp(θ[1]), v: Portable.exp(θ[2])) }
    public var vector: [Double] { [p, q, v] }
    public static let names = ["p", "q", "v"]

    /// p v / (q − 1): the mean spend over customers; infinite when q ≤ 1.
    public var populationMean: Double { q > 1 ? p * v / (q - 1) : .infinity }

    /// E[M | x, m] for x ≥ 1; never negative, because q > 1 − p x there.
    public func expectedSpend(x: Double, m: Double) -> Double { p * (v + x * m) / (p * x + q - 1) }
  }

  // MARK: Likelihood

  /// ℓ of customers with x ≥ 1 and m > 0; others are left out.
  public static func logLikelihood(x: [Double], m: [Double], at w: Parameters) -> Double {
    GammaGammaLikelihood(x: x, m: m).evaluate(w.p, w.q, w.v).value
  }

  public static func gradient(x: [Double], m: [Double], at w: Parameters) -> [Double] {
    GammaGammaLikelihood(x: x, m: m).evaluate(w.p, w.q, w.v).gradient
  }

  // MARK: Fit

  public struct Fit: Sendable {
    public var parameters: Parameters
    public var standardErrors: Parameters?
    /// In (p, q, v).
    public var covariance: SymmetricMatrix?
    public var logLikelihood: Double
    /// Customers used: x ≥ 1 and m > 0.
    public var observations: Int
    /// Customers without a repeat purchase, and with one but no positive spend.
    public var withoutRepeat: Int
    public var withoutSpend: Int
    /// Pearson's correlation of x and m over the customers used; the model assumes none.
    public var correlation: Double
    /// What a customer without repeat purchases is expected to spend.
    public var populationMean: Double
    /// The largest ℓ where q is 1, the border beyond which the population has no mean spend: the profile likelihood there.
    public var borderLogLikelihood: Double
    /// 2 (ℓ − ℓ at the border), never negative: below 3.84 the data do not exclude that there is no mean spend.
    public var borderStatistic: Double { max(0, 2 * (logLikelihood - borderLogLikelihood)) }
    public var converged: Bool
    public var iterations: Int
    public var evaluations: Int
    /// Largest |∂ℓ/∂θ| per customer, θ = (ln p, ln(q − 1), ln v).
    public var gradientNorm: Double
    public var diagnoses: [String]

    public var aic: Double { 2 * 3 - 2 * logLikelihood }
    public var bic: Double { 3 * Portable.log(Double(observations)) - 2 * logLikelihood }

    /// E[M | x, m]; the population mean for a customer without repeat purchases or without spend.
    public func expectedSpend(x: Double, m: Double) -> Double {
      x >= 1 && m > 0 ? parameters.expectedSpend(x: x, m: m) : populationMean
    }

    public func expectedSpend(x: [Double], m: [Double]) -> [Double] {
      precondition(x.count == m.count, "one mean spend per customer, not \(m.count) for \(x.count)")
      return FixedChunks.fill(count: x.count, chunk: 1 << 16) { rows, out in
        for i in rows { out[i] = expectedSpend(x: x[i], m: m[i]) }
      }
    }
  }

  /// Maximum likelihood with q > 1, so that a mean exists. Throws a FitError when too few customers bought again.
  public static func fit(x: [Double], m: [Double], from earlier: Parameters? = nil) throws -> Fit {
    precondition(x.count == m.count, "one mean spend per customer, not \(m.count) for \(x.count)")
    let data = GammaGammaLikelihood(x: x, m: m)
    if data.count < 5 {
      throw FitError(
        "Gamma-Gamma cannot be fitted",
        because: "only \(data.count) of the \(x.count) customers have a repeat purchase and a positive mean spend; at least 5 are needed",
        remedy: "take more customers or a longer observation period")
    }
    let mean = Summaries.mean(data.m)
    if let earlier, earlier.q > 1 {
      let best = minimize(data, from: [Portable.log(earlier.p), Portable.log(earlier.q - 1), Portable.log(earlier.v)], scale: mean)
      if best.converged, best.atBound.isEmpty {
        return result(Parameters(logs: best.point), best, data, border: border(data, best.point, scale: mean), evaluations: best.evaluations)
      }
    }
    let step = max(1, data.count / 8192)
    let thin = step > 1 ? data.thinned(every: step) : data
    // The population mean p v / (q − 1) is put on the data's mean at every start.
    let starts = [(2.0, 3.0), (6, 4), (1, 1.5), (20, 2)].map { p, q in
      [Portable.log(p), Portable.log(q - 1), Portable.log(mean * (q - 1) / p)]
    }
    var best = minimize(thin, from: starts[0], scale: mean)
    var evaluations = best.evaluations
    for start in starts.dropFirst() {
      let other = minimize(thin, from: start, scale: mean)
      evaluations += other.evaluations
      if other.value < best.value - 1e-9 || (other.converged && !best.converged) { best = other }
    }
    let edge = border(thin, best.point, scale: mean)
    if step > 1 {
      best = minimize(data, from: best.point, scale: mean)
      evaluations = best.evaluations
    }
    return result(
      Parameters(logs: best.point), best, data, border: step > 1 ? border(data, from: edge.point, scale: mean) : edge, evaluations: evaluations)
  }

  /// The largest ℓ over p and v where q = 1, from where the search with q > 1 ended.
  private static func border(_ data: GammaGammaLikelihood, _ point: [Double], scale: Double) -> Optimum {
    border(data, from: [point[0], point[2]], scale: scale)
  }

  private static func border(_ data: GammaGammaLikelihood, from start: [Double], scale: Double) -> Optimum {
    let center = Portable.log(scale), n = Double(data.count)
    var newton = Newton(lower: [-13.8, center - 30], upper: [13.8, center + 30])
    // ℓ to a millionth of one, which is more than anybody compares.
    newton.promisedDescent = 1e-6 / n
    return newton.minimize(from: start) { θ in
      let u = θ.map(Portable.exp)  // ∂(p, v)/∂θ
      let (value, gradient, hessian) = data.evaluate(u[0], 1, u[1])
      let slopes = [gradient[0], gradient[2]]
      let g = (0..<2).map { -u[$0] * slopes[$0] / n }
      var h = SymmetricMatrix(order: 2)
      h[0, 0] = -u[0] * u[0] * hessian[0, 0] / n + g[0]
      h[1, 0] = -u[0] * u[1] * hessian[2, 0] / n
      h[1, 1] = -u[1] * u[1] * hessian[2, 2] / n + g[1]
      return (-value / n, g, h)
    }
  }

  private static func minimize(_ data: GammaGammaLikelihood, from start: [Double], scale: Double) -> Optimum {
    let center = Portable.log(scale)
    let newton = Newton(lower: [-13.8, -16.1, center - 30], upper: [13.8, 13.8, center + 30])
    let n = Double(data.count)
    return newton.minimize(from: start) { θ in
      let u = θ.map(Portable.exp)  // ∂(p, q, v)/∂θ
      let (value, gradient, hessian) = data.evaluate(u[0], 1 + u[1], u[2])
      let g = (0..<3).map { -u[$0] * gradient[$0] / n }
      var h = SymmetricMatrix(order: 3)
      for i in 0..<3 {
        for j in 0...i { h[i, j] = -u[i] * u[j] * hessian[i, j] / n + (i == j ? g[i] : 0) }
      }
      return (-value / n, g, h)
    }
  }

  /// The 95 % point of χ² with one degree of freedom.
  private static let notExcluded = 3.841458820694124

  private static func result(
    _ w: Parameters, _ best: Optimum, _ data: GammaGammaLikelihood, border: Optimum, evaluations: Int
  ) -> Fit {
    let (value, _, hessian) = data.evaluate(w.p, w.q, w.v)
    var information = SymmetricMatrix(order: 3)
    for i in 0..<3 { for j in 0...i { information[i, j] = -hessian[i, j] } }
    let covariance = best.atBound.isEmpty ? information.inverse() : nil
    var diagnoses: [String] = []
    var populationMean = w.populationMean
    if w.q < 1.01 {
      populationMean = Summaries.median(data.m)
      diagnoses.append(
        "q is close to 1 (q − 1 = \(rounded(w.q - 1))), so the mean spend of the population hardly exists; customers without repeat purchases get the median, \(rounded(populationMean))"
      )
    }
    // The search cannot follow p to infinity, where the largest ℓ of purchases that all cost the same lies.
    let borderLogLikelihood = max(-border.value * Double(data.count), data.constantSpendAtBorder)
    let excess = max(0, 2 * (value - borderLogLikelihood))
    if w.q >= 1.01, excess < notExcluded {
      diagnoses.append(
        "q at its border is not excluded: with q = 1, where the population has no mean spend, the log-likelihood is \(rounded(excess / 2)) lower, and 1.92 would tell them apart; do not lean on the population mean, \(rounded(populationMean)) (the median is \(rounded(Summaries.median(data.m))))"
      )
    }
    let correlation = Summaries.correlation(data.x, data.m)
    if correlation.magnitude > 0.3 {
      diagnoses.append("purchases and mean spend are correlated (\(rounded(correlation))); the model assumes they are not")
    }
    for i in best.atBound {
      diagnoses.append("parameter \(Parameters.names[i]) ended on the edge of the search, \(rounded(w.vector[i])): the likelihood still rises beyond it")
    }
    if !best.converged {
      diagnoses.append("the search stopped before the maximum (gradient per customer \(rounded(best.gradientNorm))): do not trust the parameters")
    }
    return Fit(
      parameters: w, standardErrors: covariance.map { Parameters($0.diagonal.map { $0.squareRoot() }) },
      covariance: covariance, logLikelihood: value, observations: data.count, withoutRepeat: data.withoutRepeat,
      withoutSpend: data.withoutSpend, correlation: correlation, populationMean: populationMean, borderLogLikelihood: borderLogLikelihood,
      converged: best.converged, iterations: best.iterations, evaluations: evaluations,
      gradientNorm: best.gradientNorm, diagnoses: diagnoses)
  }
}
