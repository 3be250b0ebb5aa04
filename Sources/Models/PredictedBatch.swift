import Statistics

/// Predictions of many customers, each the number that the single-customer functions give, whoever else is there.
public struct PredictedBatch: Sendable {
  public let alive: [Double]
  private let predictor: any PurchasePredictor
  private let summary: PurchaseSummary
  /// Of the beta-geometric models, which share their costly integrals among customers of one x and T.
  private let scores: BetaGeometricPredictor.Scores?

  public init(_ predictor: any PurchasePredictor, _ summary: PurchaseSummary) {
    (self.predictor, self.summary) = (predictor, summary)
    scores = (predictor as? BetaGeometricPredictor)?.scores(of: summary)
    alive = scores?.probabilityAlive ?? Self.fill(predictor, summary) { $0.probabilityAlive(x: $1, tx: $2, T: $3) }
  }

  /// Expected purchases in (T, T + h].
  public func purchases(within h: Double) -> [Double] {
    scores?.expectedPurchases(within: h)
      ?? Self.fill(predictor, summary) { $0.expectedPurchases(x: $1, tx: $2, T: $3, within: h) }
  }

  public func discounted(_ discount: Discount) -> [Double] {
    scores?.discountedPurchases(discount)
      ?? Self.fill(predictor, summary) { $0.discountedPurchases(x: $1, tx: $2, T: $3, discount) }
  }

  /// P(alive) times a number of living customers.
  public func each(_ living: (any PurchasePredictor, Double, Double, Double) -> Double) -> [Double] {
    FixedChunks.fill(count: summary.count, chunk: 1 << 12) { rows, out in
      for i in rows { out[i] = alive[i] * living(predictor, summary.x[i], summary.tx[i], summary.T[i]) }
    }
  }

  /// The probabilities of 0, …, n − 1, and of n and more purchases in (T, T + h].
  public func counts(within h: Double, through n: Int) -> [[Double]] {
    precondition(n >= 1, "a distribution needs at least two classes")
    let chunks = FixedChunks.map(count: summary.count, chunk: 1 << 12) { rows in
      rows.map { i -> [Double] in
        var p = predictor.counts(x: summary.x[i], tx: summary.tx[i], T: summary.T[i], within: h, through: n - 1)
        p.append(max(0, 1 - Summaries.sum(p)))
        return p
      }
    }
    var columns = [[Double]](repeating: [], count: n + 1)
    for k in columns.indices { columns[k].reserveCapacity(summary.count) }
    for chunk in chunks { for p in chunk { for k in p.indices { columns[k].append(p[k]) } } }
    return columns
  }

  private static func fill(
    _ predictor: any PurchasePredictor, _ s: PurchaseSummary, _ f: (any PurchasePredictor, Double, Double, Double) -> Double
  ) -> [Double] {
    FixedChunks.fill(count: s.count, chunk: 1 << 12) { rows, out in
      for i in rows { out[i] = f(predictor, s.x[i], s.tx[i], s.T[i]) }
    }
  }
}
