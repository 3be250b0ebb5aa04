import Statistics

/// NBD: customers buy at random at rate λ ~ Gamma(r, α) and never leave. A baseline: what it gets wrong is what dropout explains.
///
/// Ehrenberg 1959; as a model of transactions since the first: Fader, Hardie & Lee 2005.
public enum NBD {
  public struct Parameters: ModelParameters {
    /// Shape and rate of the purchase rates; α in units of time.
    public var r: Double
    public var α: Double

    public init(r: Double, α: Double) { (self.r, self.α) = (r, α) }
    public init(_ v: [Double]) { self.init(r: v[0], α: v[1]) }
    public var vector: [Double] { [r, α] }
    public static let names = ["r", "alpha"]
  }

  public typealias Fit = ModelFit<Parameters>

  public static func logLikelihood(_ data: GroupedSummary, at p: Parameters) -> Double { evaluate(data, p.r, p.α).value }

  public static func gradient(_ data: GroupedSummary, at p: Parameters) -> [Double] { evaluate(data, p.r, p.α).gradient }

  /// Maximum likelihood. Throws a FitError when the data cannot say anything about the parameters.
  public static func fit(_ summary: PurchaseSummary, weights: [Double]? = nil, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    try fit(GroupedSummary(summary, weights: weights), prior: prior, from: earlier)
  }

  public static func fit(_ data: GroupedSummary, prior: WeakPrior? = nil, from earlier: Parameters? = nil) throws -> Fit {
    try data.refuse("NBD", parameters: "two", needs: 5)
    let t = max(data.meanT, 1e-300)
    var search = ModelSearch<Parameters>(model: "NBD", sizes: [1, t], prior: prior)
    search.earlier = earlier?.vector
    search.diagnose = { p in
      p.r > 1e4
        ? ["purchase rates do not differ between customers: r and α grew together (r = \(rounded(p.r)), α = \(rounded(p.α)))"] : []
    }
    let (r, α) = data.momentRates
    return search.run(
      from: [[r, α], [1, t], [0.3, 0.2 * t]], full: { evaluate(data, $0[0], $0[1]) }, weight: data.totalWeight)
  }

  /// ℓ of counts in the order they came: ln of Γ(r+x)/Γ(r) α^r (α+T)^−(r+x), as the other models have it.
  static func evaluate(_ data: GroupedSummary, _ r: Double, _ α: Double) -> Newton.Value {
    let counts = RisingFactorial(r, over: data.runs)
    let (W, lnα) = (data.totalWeight, Portable.log(α))
    var value = counts.value + W * r * lnα
    var gradient = [counts.first + W * lnα, W * r / α]
    var h = SymmetricMatrix(order: 2)
    (h[0, 0], h[0, 1], h[1, 1]) = (counts.second, W / α, -W * r / (α * α))
    let logs = data.times.map { Portable.log(α + $0) }
    for run in data.runs {
      for row in run.rows {
        let (w, i) = (data.weight[row], Int(data.TIndex[row]))
        let inverse = 1 / (α + data.times[i])
        value -= w * (r + run.x) * logs[i]
        gradient[0] -= w * logs[i]
        gradient[1] -= w * (r + run.x) * inverse
        h[0, 1] -= w * inverse
        h[1, 1] += w * (r + run.x) * inverse * inverse
      }
    }
    return (value, gradient, h)
  }

  /// What NBD parameters say of single customers: rates given the history are Gamma(r + x, α + T).
  public struct Predictor: PurchasePredictor {
    public let parameters: Parameters

    public init(_ parameters: Parameters) {
      precondition(parameters.vector.allSatisfy { $0 > 0 && $0 < 1e300 }, "NBD parameters must be positive: \(parameters)")
      self.parameters = parameters
    }

    private func rate(_ x: Double, _ T: Double) -> Double { (parameters.r + x) / (parameters.α + T) }

    public func probabilityAlive(x: Double, tx: Double, T: Double) -> Double { 1 }

    public func logOddsLeft(x: Double, tx: Double, T: Double) -> Double { -.infinity }

    public func logLikelihoodAlive(x: Double, tx: Double, T: Double) -> Double {
      NegativeBinomial.logHistory(parameters.r, parameters.α, x: x, T: T)
    }

    public func expectedPurchases(x: Double, tx: Double, T: Double, within h: Double) -> Double { rate(x, T) * h }

    public func expectedPurchases(by t: Double) -> Double { rate(0, 0) * t }

    public func discountedPurchases(x: Double, tx: Double, T: Double, _ discount: Discount) -> Double {
      switch discount {
      case .continuous(let δ, let h):
        // (1 − e^−δh)/δ, whose limit at δ = 0 is h.
        rate(x, T) * (δ * h < 1e-290 ? h : -Portable.expm1(-δ * h) / δ)
      case .monthly(let rate, let month, let months):
        monthly(x: x, tx: tx, T: T, rate: rate, month: month, months: months)
      }
    }

    public func probability(ofPurchases n: Int, by t: Double) -> Double {
      precondition(n >= 0, "a number of purchases from 0, not \(n)")
      return NegativeBinomial(r: parameters.r, α: parameters.α, by: t)[n]
    }

    public func livingCounts(x: Double, tx: Double, T: Double, within h: Double, through n: Int) -> [Double] {
      NegativeBinomial(r: parameters.r + x, α: parameters.α + T, by: h).probabilities(through: n)
    }

    public func livingBuys(x: Double, tx: Double, T: Double, within h: Double) -> Double {
      NegativeBinomial(r: parameters.r + x, α: parameters.α + T, by: h).buys
    }
  }
}
