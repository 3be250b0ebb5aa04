import Statistics

/// Chooses a model of purchases by what it would have predicted: at several earlier days (origins) every candidate is fitted to
/// what was known then and asked for the purchases that followed.
///
/// The measure is the mean logarithm of the probability that a model gave to what each customer then did: it rewards both the
/// number and an honest doubt about it, and no model can gain by saying something else than what it believes (Gneiting &
/// Raftery 2007).
public struct ModelChoice: Sendable {
  /// What was known on one day, and the purchases each customer made in the `horizon` after it.
  public struct Origin: Sendable {
    public var summary: PurchaseSummary
    public var actual: [Double]
    public var horizon: Double

    public init(summary: PurchaseSummary, actual: [Double], horizon: Double) {
      precondition(summary.count == actual.count, "one number of purchases per customer, not \(actual.count) for \(summary.count)")
      (self.summary, self.actual, self.horizon) = (summary, actual, horizon)
    }
  }

  /// One line of the leader board, means over customers and origins.
  public struct Entry: Sendable {
    public var model: PurchaseModel
    /// ln of the probability of what happened.
    public var logScore: Double
    public var mae: Double
    public var rmse: Double
    /// (predicted − actual) / actual.
    public var bias: Double
    /// Why the model cannot be chosen, or nil.
    public var failure: String?
  }

  /// Best first; those that failed last.
  public let board: [Entry]
  /// Why the first one was chosen, in a sentence; nil when all failed.
  public let reason: String?
  public var chosen: PurchaseModel? { board.first.flatMap { $0.failure == nil ? $0.model : nil } }

  public static let candidates: [PurchaseModel] = [.bgNBD, .mbgNBD, .paretoNBD, .nbd]

  public init(_ origins: [Origin], among models: [PurchaseModel] = ModelChoice.candidates, prior: WeakPrior? = nil) {
    let entries = models.map { Self.judge($0, origins, prior) }
    board = entries.enumerated().sorted { a, b in
      if (a.element.failure == nil) != (b.element.failure == nil) { return a.element.failure == nil }
      if a.element.failure != nil { return a.offset < b.offset }
      // Equal scores: the order of the candidates.
      return a.element.logScore != b.element.logScore ? a.element.logScore > b.element.logScore : a.offset < b.offset
    }.map(\.element)
    let sound = board.filter { $0.failure == nil }
    guard let best = sound.first else {
      reason = nil
      return
    }
    let many = origins.count == 1 ? "1 origin" : "\(origins.count) origins"
    var words = "\(best.model.words) gave what happened after \(many) the highest probability (mean log score \(rounded(best.logScore)))"
    if sound.count > 1 { words += "; \(sound[1].model.words) follows with \(rounded(sound[1].logScore))" }
    reason = words
  }

  /// Customers of an origin beyond this are scored by every n-th: means over so many do not move any more.
  private static let scored = 8192

  private static func judge(_ model: PurchaseModel, _ origins: [Origin], _ prior: WeakPrior?) -> Entry {
    var entry = Entry(model: model, logScore: .nan, mae: .nan, rmse: .nan, bias: .nan, failure: nil)
    var (scores, errors, squares, predicted, actual): ([Double], [Double], [Double], [Double], [Double]) = ([], [], [], [], [])
    for (number, origin) in origins.enumerated() {
      let parameters: [Double]
      do {
        let fit = try model.fitted(to: origin.summary, prior: prior)
        if !fit.converged {
          entry.failure = "its fit at origin \(number + 1) did not converge"
          return entry
        }
        parameters = fit.parameters
      } catch {
        entry.failure = "\(error)"
        return entry
      }
      let predictor = model.predictor(parameters)
      let s = origin.summary
      let step = max(1, s.count / scored)
      let rows = Array(stride(from: 0, to: s.count, by: step))
      let results = FixedChunks.map(count: rows.count, chunk: 256) { range in
        range.map { i -> (Double, Double) in
          let row = rows[i]
          let n = Int(origin.actual[row])
          let p = predictor.counts(x: s.x[row], tx: s.tx[row], T: s.T[row], within: origin.horizon, through: n)[n]
          return (
            Portable.log(max(p, 1e-300)), predictor.expectedPurchases(x: s.x[row], tx: s.tx[row], T: s.T[row], within: origin.horizon)
          )
        }
      }.flatMap { $0 }
      for (row, (score, expected)) in zip(rows, results) {
        scores.append(score)
        let error = expected - origin.actual[row]
        errors.append(error.magnitude)
        squares.append(error * error)
        predicted.append(expected)
        actual.append(origin.actual[row])
      }
    }
    entry.logScore = Summaries.mean(scores)
    entry.mae = Summaries.mean(errors)
    entry.rmse = Summaries.mean(squares).squareRoot()
    let total = Summaries.sum(actual)
    entry.bias = (Summaries.sum(predicted) - total) / total
    return entry
  }
}
