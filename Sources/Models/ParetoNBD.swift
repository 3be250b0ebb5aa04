import Statistics

/// Pareto/NBD: customers buy at random at rate λ ~ Gamma(r, α) and leave at a moment that does not depend on their purchases,
/// at rate μ ~ Gamma(s, β).
///
///     let fit = try ParetoNBD.fit(summary)
///     ParetoNBD.Predictor(fit.parameters).expectedPurchases(x: 2, tx: 30.43, T: 38.86, within: 39)
///
/// Schmittlein, Morrison & Colombo 1987, Management Science 33(1); Fader & Hardie, notes 008, 009 and 015; their letters.
public enum ParetoNBD {
  // MARK: Parameters

  public struct Parameters: ModelParameters {
    /// Shape and rate of the purchase rates; α in units of time.
    public var r: Double
    public var α: Double
    /// Shape and rate of the dropout rates; β in units of time.
    public var s: Double
    public var β: Double

    public init(r: Double, α: Double, s: Double, β: Double) { (self.r, self.α, self.s, self.β) = (r, α, s, β) }
    public init(_ v: [Double]) { self.init(r: v[0], α: v[1], s: v[2], β: v[3]) }
    public var vector: [Double] { [r, α, s, β] }
    public static let names = ["r", "alpha", "s", "beta"]
  }

  // MARK: Likelihood

  public static func logLikelihood(_ data: GroupedSummary, at p: Parameters) -> Double {
    ParetoNBDLikelihood(data).evaluate(p.r, p.α, p.s, p.β).value
  }

  /// ∂ℓ / ∂(r, α, s, β).
  public static func gradient(_ data: GroupedSummary, at p: Parameters) -> [Double] {
    ParetoNBDLikelihood(data).evaluate(p.r, p.α, p.s, p.β).gradient
  }

  // MARK: Fit

  public typealias Fit = ModelFit<Parameters>

  /// Maximum likelihood. Throws a FitError when the data cannot say anything about the parameters.
  public static func fit(_ summary: PurchaseSummary, weights: [Double]? = nil, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    try fit(GroupedSummary(summary, weights: weights), prior: prior, from: earlier)
  }

  public static func fit(_ data: GroupedSummary, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    try data.refuse("Pareto/NBD", parameters: "four")
    let step = max(1, data.rowCount / 8192)
    let t = max(data.meanT, 1e-300)
    var search = ModelSearch<Parameters>(model: "Pareto/NBD", sizes: [1, t, 1, t], prior: prior)
    search.isIdentified = { $0.s < 1e5 }
    search.earlier = earlier?.vector
    search.diagnose = { diagnoses($0, age: t) }
    let full = ParetoNBDLikelihood(data)
    let thin = step > 1 ? ParetoNBDLikelihood(data.thinned(every: step)) : full
    let (r, α) = thin.data.momentRates
    return search.run(
      from: [[r, α, 0.5, t], [1, t, 1, t], [0.3, 0.2 * t, 0.3, 0.3 * t], [r, α, 0.05, 0.1 * t]],
      thin: step > 1 ? ({ thin.evaluate($0[0], $0[1], $0[2], $0[3]) }, thin.data.totalWeight) : nil,
      full: { full.evaluate($0[0], $0[1], $0[2], $0[3]) }, weight: data.totalWeight)
  }

  private static func diagnoses(_ p: Parameters, age: Double) -> [String] {
    var sentences: [String] = []
    if p.s > 1e4 {
      sentences.append(
        "dropout heterogeneity is not identified: s and β grew together (s = \(rounded(p.s)), β = \(rounded(p.β))), so one dropout rate, \(rounded(p.s / p.β)) per unit of time, serves all customers; read s/β, not s and β"
      )
    }
    // The share that has left by the mean age.
    let left = -Portable.expm1(-p.s * Portable.log1p(age / p.β))
    if left < 1e-4 { sentences.append("almost no dropout was seen: by the mean age a share of \(rounded(left)) has left, so nearly everybody counts as alive") }
    if p.s < 1e-3, left >= 1e-4 {
      sentences.append("s is close to 0 (s = \(rounded(p.s))): part of the customers leave at once and the others never; read the chances to be alive with care")
    }
    if p.r > 1e4 {
      sentences.append("purchase rates do not differ between customers: r and α grew together (r = \(rounded(p.r)), α = \(rounded(p.α)))")
    }
    return sentences
  }

  // MARK: Predict

  public typealias Predictor = ParetoNBDPredictor
}
