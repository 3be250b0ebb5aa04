import Statistics

/// MBG/NBD: as BG/NBD, but a customer may also leave right after the first purchase, so nobody is alive for certain.
///
/// Batislam, Denizel & Filiztekin 2007, Int. J. of Research in Marketing 24(3); Wagner & Hoppe 2008.
public enum MBGNBD {
  // MARK: Parameters

  public typealias Parameters = BGNBD.Parameters

  // MARK: Likelihood

  public static func logLikelihood(_ data: GroupedSummary, at p: Parameters) -> Double {
    BetaGeometricLikelihood(data, o: 1).evaluate(p.r, p.α, p.a, p.b).value
  }

  public static func gradient(_ data: GroupedSummary, at p: Parameters) -> [Double] {
    BetaGeometricLikelihood(data, o: 1).evaluate(p.r, p.α, p.a, p.b).gradient
  }

  // MARK: Fit

  public typealias Fit = BGNBD.Fit

  public static func fit(_ summary: PurchaseSummary, weights: [Double]? = nil, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    try fit(GroupedSummary(summary, weights: weights), prior: prior, from: earlier)
  }

  public static func fit(_ data: GroupedSummary, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    try BetaGeometricFit(data, o: 1, model: "MBG/NBD", prior: prior, from: earlier?.vector).run()
  }

  // MARK: Predict

  /// The predictor of this model.
  public static func predictor(_ parameters: Parameters) -> BetaGeometricPredictor {
    BetaGeometricPredictor(parameters, o: 1)
  }
}
