import Statistics

/// BG/NBD: customers buy at random at rate λ ~ Gamma(r, α) and leave after each repeat purchase with probability
/// p ~ Beta(a, b).
///
///     let fit = try BGNBD.fit(summary)                       // PurchaseSummary, or a GroupedSummary
///     let scores = BGNBD.Predictor(fit.parameters).scores(of: summary)
///     scores.expectedPurchases(within: 39)
///
/// Fader, Hardie & Lee 2005, "Counting Your Customers the Easy Way", Marketing Science 24(2); their letters.
public enum BGNBD {
  // MARK: Parameters

  public struct Parameters: ModelParameters {
    /// Shape and rate of the purchase rates; α in units of time.
    public var r: Double
    public var α: Double
    /// The dropout probabilities' beta law.
    public var a: Double
    public var b: Double

    public init(r: Double, α: Double, a: Double, b: Double) {
      (self.r, self.α, self.a, self.b) = (r, α, a, b)
    }

    public init(_ v: [Double]) { self.init(r: v[0], α: v[1], a: v[2], b: v[3]) }
    public var vector: [Double] { [r, α, a, b] }
    public static let names = ["r", "alpha", "a", "b"]
  }

  // MARK: Likelihood

  /// ℓ of all customers at given parameters; nothing dropped.
  public static func logLikelihood(_ data: GroupedSummary, at p: Parameters) -> Double {
    BetaGeometricLikelihood(data, o: 0).evaluate(p.r, p.α, p.a, p.b).value
  }

  /// ∂ℓ / ∂(r, α, a, b).
  public static func gradient(_ data: GroupedSummary, at p: Parameters) -> [Double] {
    BetaGeometricLikelihood(data, o: 0).evaluate(p.r, p.α, p.a, p.b).gradient
  }

  // MARK: Fit

  public typealias Fit = ModelFit<Parameters>

  /// Maximum likelihood. Throws a FitError when the data cannot say anything about the parameters.
  ///
  /// From `earlier` parameters, of a fit to older data of the same customers, the search is shorter; it stops by the same rule: both
  /// ways give one log-likelihood to 1e-8 and parameters as near as it tells them apart, not the same bytes.
  public static func fit(_ summary: PurchaseSummary, weights: [Double]? = nil, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    try fit(GroupedSummary(summary, weights: weights), prior: prior, from: earlier)
  }

  public static func fit(_ data: GroupedSummary, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    try BetaGeometricFit(data, o: 0, model: "BG/NBD", prior: prior, from: earlier?.vector).run()
  }

  // MARK: Predict

  public typealias Predictor = BetaGeometricPredictor
}
