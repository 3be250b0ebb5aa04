import Statistics

/// A model that says the likelihood of a single history.
public protocol HistoryLikelihood {
  /// ln of P(left) / P(alive) at T; −∞ where nobody can have left.
  func logOddsLeft(x: Double, tx: Double, T: Double) -> Double
  /// ln of the likelihood of the history together with being alive at T.
  func logLikelihoodAlive(x: Double, tx: Double, T: Double) -> Double
}

extension HistoryLikelihood {
  /// ℓ of one customer: alive, or left at any moment since the last purchase.
  public func logLikelihood(x: Double, tx: Double, T: Double) -> Double {
    logLikelihoodAlive(x: x, tx: tx, T: T) + Portable.softplus(logOddsLeft(x: x, tx: tx, T: T))
  }
}

extension BetaGeometricPredictor: HistoryLikelihood {}
extension ParetoNBDPredictor: HistoryLikelihood {}
extension NBD.Predictor: HistoryLikelihood {}

/// Tests of one fitted model against another on the same customers.
public enum ModelComparison {
  /// The likelihood-ratio test of a model against one nested in it, with so many parameters fewer: 2 Δℓ is χ² if the smaller
  /// model holds. Where it lies on the border of the larger (NBD in BG/NBD or Pareto/NBD: nobody leaves), the test is
  /// conservative: the true p-value is smaller.
  public static func likelihoodRatio(_ larger: Double, over smaller: Double, fewer: Int) -> (statistic: Double, pValue: Double) {
    precondition(fewer > 0, "a nested model has fewer parameters")
    let statistic = max(0, 2 * (larger - smaller))
    return (statistic, Special.gammaQ(Double(fewer) / 2, statistic / 2))
  }

  /// Vuong's test of two models of which neither is nested in the other (Econometrica 1989): z > 0 speaks for the first. Numbers of
  /// parameters, where given, correct it as BIC does.
  public struct Vuong: Hashable, Sendable {
    public var z: Double
    /// Two-sided.
    public var pValue: Double

    public init(z: Double, pValue: Double) { (self.z, self.pValue) = (z, pValue) }
  }

  public static func vuong(
    _ first: some HistoryLikelihood, _ second: some HistoryLikelihood, on summary: PurchaseSummary, parameters: (Int, Int) = (0, 0)
  ) -> Vuong {
    let n = Double(summary.count)
    let differences = (0..<summary.count).map { i in
      let (x, tx, T) = (summary.x[i], summary.tx[i], summary.T[i])
      return first.logLikelihood(x: x, tx: tx, T: T) - second.logLikelihood(x: x, tx: tx, T: T)
    }
    let penalty = 0.5 * Double(parameters.0 - parameters.1) * Portable.log(max(n, 1))
    let spread = Summaries.variance(differences, dropped: 0).squareRoot() * n.squareRoot()
    let gain = Summaries.sum(differences) - penalty
    // Equal on every customer: nothing speaks for either.
    let z = spread > 0 ? gain / spread : 0
    return Vuong(z: z, pValue: 2 * Normal.cdf(-z.magnitude))
  }
}
