import Statistics

/// BG/BB: in each of n periods a customer who is still there buys with chance p ~ Beta(α, β); before each period it leaves with
/// chance θ ~ Beta(γ, δ). For donations, annual events, seasons: purchases that come at most once a period.
///
/// x is the number of periods with a purchase, t_x the last of them, n = T the periods observed; all whole numbers.
/// Fader, Hardie & Shang 2010, "Customer-Base Analysis in a Discrete-Time Noncontractual Setting", Marketing Science 29(6).
public enum BGBB {
  // MARK: Parameters

  public struct Parameters: ModelParameters {
    /// The purchase probabilities' beta law.
    public var α: Double
    public var β: Double
    /// The dropout probabilities' beta law.
    public var γ: Double
    public var δ: Double

    public init(α: Double, β: Double, γ: Double, δ: Double) { (self.α, self.β, self.γ, self.δ) = (α, β, γ, δ) }
    public init(_ v: [Double]) { self.init(α: v[0], β: v[1], γ: v[2], δ: v[3]) }
    public var vector: [Double] { [α, β, γ, δ] }
    public static let names = ["alpha", "beta", "gamma", "delta"]
  }

  // MARK: Likelihood

  public static func logLikelihood(_ data: GroupedSummary, at p: Parameters) -> Double { evaluate(data, p.vector).value }

  public static func gradient(_ data: GroupedSummary, at p: Parameters) -> [Double] { evaluate(data, p.vector).gradient }

  private static func evaluate(_ data: GroupedSummary, _ v: [Double]) -> Newton.Value {
    let parts = FixedChunks.map(count: data.runs.count, chunk: 1) { range -> Jet in
      let run = data.runs[range.lowerBound]
      let (α, β) = (Jet(v[0], parameter: 0), Jet(v[1], parameter: 1))
      let (γ, δ) = (Jet(v[2], parameter: 2), Jet(v[3], parameter: 3))
      let (purchases, lives) = (α + β, γ + δ)
      let (x, bought) = (run.x, α.logRising(run.x))
      var sum = Jet(0)
      for row in run.rows {
        let (tx, n) = (data.times[Int(data.txIndex[row])], data.times[Int(data.TIndex[row])])
        let alive = β.logRising(n - x) - purchases.logRising(n) + δ.logRising(n) - lives.logRising(n)
        var term = alive
        if n > tx {
          // Left before period t_x + 1 + i, i = 0, 1, …; each term is the one before times a ratio below 1.
          let first = β.logRising(tx - x) - purchases.logRising(tx) + γ.log + δ.logRising(tx) - lives.logRising(tx + 1)
          var (ratio, ratios) = (Jet(1), Jet(1))
          for i in 0..<Int(n - tx) - 1 {
            let m = tx + Double(i)
            ratio = ratio * (β + (m - x)) * (δ + m) * ((purchases + m) * (lives + (m + 1))).inverse
            ratios += ratio
            if ratio.value < 1e-18 * ratios.value { break }
          }
          term = Jet.logAddExp(alive, first + ratios.log)
        }
        sum += (bought + term) * data.weight[row]
      }
      return sum
    }
    return parts.reduce(Jet(0), +).newton(4)
  }

  // MARK: Fit

  public typealias Fit = ModelFit<Parameters>

  /// Maximum likelihood. Throws a FitError when the data are not such periods, or cannot say anything about the parameters.
  public static func fit(_ summary: PurchaseSummary, weights: [Double]? = nil, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    for row in 0..<summary.count {
      let (x, tx, n) = (summary.x[row], summary.tx[row], summary.T[row])
      if !(x <= tx && tx <= n && tx == tx.rounded() && n == n.rounded() && (tx == 0 || x > 0) && n <= 1e6) {
        throw FitError(
          "row \(row) is not a history of periods: x = \(x), t_x = \(tx), n = \(n)",
          because: "x periods with a purchase, the last of them t_x, and n periods observed are whole numbers with x ≤ t_x ≤ n",
          remedy: "count periods, or take a model of purchases at any time: bg-nbd, pareto-nbd")
      }
    }
    let data = try GroupedSummary(summary, weights: weights)
    try data.refuse("BG/BB", parameters: "four")
    var search = ModelSearch<Parameters>(model: "BG/BB", sizes: [1, 1, 1, 1], prior: prior)
    search.earlier = earlier?.vector
    search.isIdentified = { max($0.α + $0.β, $0.γ + $0.δ) < 1e5 }
    search.diagnose = { p in
      var sentences: [String] = []
      if p.γ + p.δ > 1e4 {
        sentences.append(
          "dropout heterogeneity is not identified: γ and δ grew together, so one dropout probability, \(rounded(p.γ / (p.γ + p.δ))), serves all customers")
      } else if p.γ / (p.γ + p.δ) < 1e-4 {
        sentences.append("almost no dropout was seen: γ/(γ+δ) = \(rounded(p.γ / (p.γ + p.δ))), so nearly everybody counts as alive")
      }
      if p.α + p.β > 1e4 {
        sentences.append(
          "purchase probabilities do not differ between customers: α and β grew together, \(rounded(p.α / (p.α + p.β))) serves all")
      }
      return sentences
    }
    return search.run(
      from: [[1, 1, 0.5, 3], [0.5, 1, 1, 5], [2, 5, 0.3, 1], [1, 3, 2, 10]], full: { evaluate(data, $0) },
      weight: data.totalWeight)
  }

  // MARK: Predict

  /// What BG/BB parameters say of single customers. Given that a customer is alive after n periods, p is Beta(α + x, β + n − x)
  /// and θ is Beta(γ, δ + n). Horizons are whole periods; a fraction of a period does not count.
  public struct Predictor: PurchasePredictor {
    public let parameters: Parameters

    public init(_ parameters: Parameters) {
      precondition(parameters.vector.allSatisfy { $0 > 0 && $0 < 1e300 }, "BG/BB parameters must be positive: \(parameters)")
      self.parameters = parameters
    }

    public func probabilityAlive(x: Double, tx: Double, T: Double) -> Double {
      let (α, β, γ, δ) = (parameters.α, parameters.β, parameters.γ, parameters.δ)
      // Odds of having left before period t_x + 1 + i, relative to being alive; from the last period backwards every
      // term follows from the one before.
      var term = γ / (δ + T - 1) * (T > tx ? (α + β + T - 1) / (β + T - 1 - x) : 0)
      var odds = 0.0
      for m in stride(from: T - 1, through: tx, by: -1) where T > tx {
        if m < T - 1 { term *= (γ + δ + m + 1) * (α + β + m) / ((δ + m) * (β + m - x)) }
        odds += term
        if odds > 1e300 { return 0 }
      }
      return 1 / (1 + odds)
    }

    /// Σ over i = 1 … h of P(still there in period n + i) · f(i), until nothing is added any more.
    private func periods(_ T: Double, _ h: Double, _ f: (Double) -> Double) -> Double {
      let (γ, δ) = (parameters.γ, parameters.δ + T)
      var (sum, staying, i) = (0.0, 1.0, 0.0)
      while i + 1 <= h, i < 1e7 {
        staying *= (δ + i) / (γ + δ + i)
        i += 1
        let term = staying * f(i)
        sum += term
        if term < 1e-18 * sum { break }
      }
      return sum
    }

    private func rate(_ x: Double, _ T: Double) -> Double { (parameters.α + x) / (parameters.α + parameters.β + T) }

    public func expectedPurchases(x: Double, tx: Double, T: Double, within h: Double) -> Double {
      probabilityAlive(x: x, tx: tx, T: T) * rate(x, T) * periods(T, h) { _ in 1 }
    }

    public func expectedPurchases(by t: Double) -> Double { rate(0, 0) * periods(0, t) { _ in 1 } }

    public func discountedPurchases(x: Double, tx: Double, T: Double, _ discount: Discount) -> Double {
      switch discount {
      case .continuous(let δ, let h):
        probabilityAlive(x: x, tx: tx, T: T) * rate(x, T) * periods(T, h) { Portable.exp(-δ * $0) }
      case .monthly(let rate, let month, let months):
        monthly(x: x, tx: tx, T: T, rate: rate, month: month, months: months)
      }
    }

    public func probability(ofPurchases n: Int, by t: Double) -> Double {
      precondition(n >= 0, "a number of purchases from 0, not \(n)")
      return livingCounts(x: 0, tx: 0, T: 0, within: t, through: n)[n]
    }

    public func livingBuys(x: Double, tx: Double, T: Double, within h: Double) -> Double {
      // The first purchase in period i: i − 1 without one before it.
      let (α, β) = (parameters.α + x, parameters.β + T - x)
      var without = 1.0
      return min(1, periods(T, h) { i in
        let first = without * α / (α + β + i - 1)
        without *= (β + i - 1) / (α + β + i - 1)
        return first
      })
    }

    public func livingCounts(x: Double, tx: Double, T: Double, within h: Double, through n: Int) -> [Double] {
      let (α, β) = (parameters.α + x, parameters.β + T - x)
      let (γ, δ) = (parameters.γ, parameters.δ + T)
      var all = [Double](repeating: 0, count: n + 1)
      let periods = Int(min(h.rounded(.down), 1e6))
      // Counts of the periods so far, beta-binomial.
      var counts = [1.0] + [Double](repeating: 0, count: n)
      var staying = 1.0
      for i in 0...max(periods, 0) {
        let m = Double(i)
        let leaving = i == periods ? staying : staying * γ / (γ + δ + m)
        for k in 0...n { all[k] += leaving * counts[k] }
        if i == periods { break }
        staying *= (δ + m) / (γ + δ + m)
        for k in stride(from: n, through: 0, by: -1) {
          let bought = k > 0 ? counts[k - 1] * (α + Double(k - 1)) / (α + β + m) : 0
          counts[k] = counts[k] * (β + m - Double(k)) / (α + β + m) + bought
          if counts[k] < 0 { counts[k] = 0 }  // more purchases than periods
        }
      }
      return all
    }
  }
}
