import Statistics

/// sBG, shifted beta-geometric: a customer with a contract does not renew it with chance θ ~ Beta(a, b), drawn once per customer.
///
/// t_x is the number of renewals, T how many there could have been; a customer with t_x < T has left, one with t_x = T is
/// there. Fader & Hardie 2007, "How to Project Customer Retention", Journal of Interactive Marketing 21(1); a, b their α, β.
public enum ShiftedBetaGeometric {
  // MARK: Parameters

  public struct Parameters: ModelParameters {
    public var a: Double
    public var b: Double

    public init(a: Double, b: Double) { (self.a, self.b) = (a, b) }
    public init(_ v: [Double]) { self.init(a: v[0], b: v[1]) }
    public var vector: [Double] { [a, b] }
    public static let names = ["a", "b"]

    /// P(at least t renewals).
    public func survival(_ t: Double) -> Double {
      t > 64
        ? Portable.exp(Special.logGammaRatio(b, plus: t) - Special.logGammaRatio(a + b, plus: t))
        : (0..<Int(t)).reduce(1.0) { $0 * (b + Double($1)) / (a + b + Double($1)) }
    }

    /// P(renewed at t + 1 | renewed t times).
    public func retention(_ t: Double) -> Double { (b + t) / (a + b + t) }
  }

  // MARK: Likelihood

  public static func logLikelihood(renewals: [Double], possible: [Double], weights: [Double]? = nil, at p: Parameters) throws -> Double {
    evaluate(try grouped(renewals, possible, weights), p.vector).value
  }

  private static func evaluate(_ data: GroupedSummary, _ v: [Double]) -> Newton.Value {
    let (a, b) = (Jet(v[0], parameter: 0), Jet(v[1], parameter: 1))
    var sum = Jet(0)
    for row in data.weight.indices {
      let (t, T) = (data.times[Int(data.txIndex[row])], data.times[Int(data.TIndex[row])])
      let stayed = b.logRising(t) - (a + b).logRising(t)
      sum += (t < T ? stayed + a.log - (a + b + t).log : stayed) * data.weight[row]
    }
    return sum.newton(2)
  }

  private static func grouped(_ renewals: [Double], _ possible: [Double], _ weights: [Double]?) throws -> GroupedSummary {
    precondition(renewals.count == possible.count, "one number of possible renewals per customer")
    for (row, (t, T)) in zip(renewals, possible).enumerated() where !(t >= 0 && t <= T && t == t.rounded() && T == T.rounded() && T <= 1e6) {
      throw FitError(
        "row \(row) is not a contract's history: \(t) renewals of \(T)", because: "both are whole numbers, renewals at most those possible",
        remedy: "count the periods that the contract was renewed, and those in which it could have been")
    }
    return try GroupedSummary(PurchaseSummary(x: renewals, tx: renewals, T: possible), weights: weights)
  }

  // MARK: Fit

  public typealias Fit = ModelFit<Parameters>

  /// Maximum likelihood. Throws a FitError when nobody left, nobody stayed, or there are fewer than five customers.
  public static func fit(
    renewals: [Double], possible: [Double], weights: [Double]? = nil, prior: WeakPrior? = nil, from earlier: Parameters? = nil
  ) throws -> Fit {
    let data = try grouped(renewals, possible, weights)
    var (left, renewed) = (0.0, 0.0)
    for row in data.weight.indices {
      if data.txIndex[row] != data.TIndex[row] { left += data.weight[row] }
      renewed += data.weight[row] * data.times[Int(data.txIndex[row])]
    }
    let customers = Int(min(data.totalWeight, 1e15))
    if customers < 5 || !(left > 0) || !(renewed > 0) {
      throw FitError(
        "sBG cannot be fitted to \(customers) customer\(customers == 1 ? "" : "s")",
        because: customers < 5
          ? "two parameters need at least 5" : left > 0 ? "none of them renewed" : "none of them left",
        remedy: "take more customers or a longer observation period")
    }
    var search = ModelSearch<Parameters>(model: "sBG", sizes: [1, 1], prior: prior)
    search.earlier = earlier?.vector
    search.isIdentified = { $0.a + $0.b < 1e5 }
    search.diagnose = { p in
      p.a + p.b > 1e4
        ? [
          "churn heterogeneity is not identified: a and b grew together (a = \(rounded(p.a)), b = \(rounded(p.b))), so one churn probability, \(rounded(p.a / (p.a + p.b))), serves all customers; read a/(a+b), not a and b"
        ] : []
    }
    return search.run(from: [[1, 1], [0.7, 3], [3, 10]], full: { evaluate(data, $0) }, weight: data.totalWeight)
  }

  // MARK: Predict

  /// What sBG parameters say of single contracts; "purchases" are renewals, at the end of every period.
  public struct Predictor: PurchasePredictor {
    public let parameters: Parameters

    public init(_ parameters: Parameters) {
      precondition(parameters.vector.allSatisfy { $0 > 0 && $0 < 1e300 }, "sBG parameters must be positive: \(parameters)")
      self.parameters = parameters
    }

    /// A contract says it.
    public func probabilityAlive(x: Double, tx: Double, T: Double) -> Double { tx < T ? 0 : 1 }

    /// Σ over the next h renewals of P(it comes) · f(which), until nothing is added any more.
    private func renewals(_ T: Double, _ h: Double, _ f: (Double) -> Double) -> Double {
      let (a, b) = (parameters.a, parameters.b + T)
      var (sum, staying, i) = (0.0, 1.0, 0.0)
      while i + 1 <= h, i < 1e7 {
        staying *= (b + i) / (a + b + i)
        i += 1
        let term = staying * f(i)
        sum += term
        if term < 1e-18 * sum { break }
      }
      return sum
    }

    public func expectedPurchases(x: Double, tx: Double, T: Double, within h: Double) -> Double {
      probabilityAlive(x: x, tx: tx, T: T) * renewals(T, h) { _ in 1 }
    }

    public func expectedPurchases(by t: Double) -> Double { renewals(0, t) { _ in 1 } }

    public func discountedPurchases(x: Double, tx: Double, T: Double, _ discount: Discount) -> Double {
      switch discount {
      case .continuous(let δ, let h):
        probabilityAlive(x: x, tx: tx, T: T) * renewals(T, h) { Portable.exp(-δ * $0) }
      case .monthly(let rate, let month, let months):
        monthly(x: x, tx: tx, T: T, rate: rate, month: month, months: months)
      }
    }

    public func probability(ofPurchases n: Int, by t: Double) -> Double {
      precondition(n >= 0, "a number of renewals from 0, not \(n)")
      return livingCounts(x: 0, tx: 0, T: 0, within: t, through: n)[n]
    }

    public func livingBuys(x: Double, tx: Double, T: Double, within h: Double) -> Double { h >= 1 ? parameters.retention(T) : 0 }

    public func livingCounts(x: Double, tx: Double, T: Double, within h: Double, through n: Int) -> [Double] {
      let (a, b) = (parameters.a, parameters.b + T)
      let most = h.rounded(.down)
      var staying = 1.0
      return (0...n).map { i in
        let m = Double(i)
        if m > most { return 0 }
        let p = m == most ? staying : staying * a / (a + b + m)
        staying *= (b + m) / (a + b + m)
        return p
      }
    }
  }
}
