import Statistics

/// What BG/NBD (or MBG/NBD) parameters say of single customers.
///
///     let predictor = BGNBD.Predictor(BGNBD.Parameters(r: 0.243, α: 4.414, a: 0.793, b: 2.426))
///     predictor.expectedPurchases(x: 2, tx: 30.43, T: 38.86, within: 39)  // 1.226
public struct BetaGeometricPredictor: PurchasePredictor {
  public let parameters: BGNBD.Parameters
  /// 0 for BG/NBD, 1 for MBG/NBD.
  let o: Double

  public init(_ parameters: BGNBD.Parameters) { self.init(parameters, o: 0) }

  init(_ parameters: BGNBD.Parameters, o: Double) {
    precondition(
      parameters.vector.allSatisfy { $0 > 0 && $0 < 1e300 }, "BG/NBD parameters must be positive: \(parameters)")
    self.parameters = parameters
    self.o = o
  }

  /// P(still a customer at T).
  public func probabilityAlive(x: Double, tx: Double, T: Double) -> Double {
    if x == 0 && o == 0 { return 1 }
    return Portable.sigmoid(-logOddsLeft(x: x, tx: tx, T: T))
  }

  /// ln of P(left) / P(alive); −∞ where nobody can have left.
  public func logOddsLeft(x: Double, tx: Double, T: Double) -> Double {
    if x == 0 && o == 0 { return -.infinity }
    let (r, α, a, b) = (parameters.r, parameters.α, parameters.a, parameters.b)
    // ln((α+T)/(α+t_x)) as log1p: exact also when the last purchase was a moment ago.
    return Portable.log(a / (b + x - 1 + o)) + (r + x) * Portable.log1p((T - tx) / (α + tx))
  }

  /// ln of the likelihood of the history together with being alive at T.
  public func logLikelihoodAlive(x: Double, tx: Double, T: Double) -> Double {
    let (r, α, a, b) = (parameters.r, parameters.α, parameters.a, parameters.b)
    return NegativeBinomial.logHistory(r, α, x: x, T: T) + Special.logGammaRatio(b, plus: x + o) - Special.logGammaRatio(a + b, plus: x + o)
  }

  /// Expected purchases in (T, T + h] given the history.
  public func expectedPurchases(x: Double, tx: Double, T: Double, within h: Double) -> Double {
    var mixture = mixture(x)
    return probabilityAlive(x: x, tx: tx, T: T) * mixture.purchases(h / (parameters.α + T))
  }

  /// Expected repeat purchases of a new customer by time t.
  public func expectedPurchases(by t: Double) -> Double {
    var mixture = mixture(0)
    return (o == 0 ? 1 : parameters.b / (parameters.a + parameters.b)) * mixture.purchases(t / parameters.α)
  }

  /// Expected purchases of (T, T + horizon], discounted.
  public func discountedPurchases(x: Double, tx: Double, T: Double, _ discount: Discount) -> Double {
    var mixture = mixture(x)
    return probabilityAlive(x: x, tx: tx, T: T) * discounted(&mixture, T: T, discount)
  }

  func mixture(_ x: Double) -> DropoutMixture {
    DropoutMixture(a: parameters.a, c: parameters.b + x + o, ρ: parameters.r + x)
  }

  func discounted(_ mixture: inout DropoutMixture, T: Double, _ discount: Discount) -> Double {
    let θ = parameters.α + T
    switch discount {
    case .continuous(let rate, let horizon):
      return mixture.discounted(horizon, scale: θ, rate: rate)
    case .monthly(let rate, let month, let months):
      var (sum, before, factor) = (0.0, 0.0, 1.0)
      for i in 1..<max(months + 1, 1) where months > 0 {
        let now = mixture.purchases(Double(i) * month / θ)
        factor /= 1 + rate
        // Increments of an increasing function; rounding may turn a vanishing one below zero.
        sum += max(now - before, 0) * factor
        before = now
      }
      return sum
    }
  }

  /// P(a new customer makes n repeat purchases by time t) (Fader, Hardie & Lee 2005, eq. 8).
  public func probability(ofPurchases n: Int, by t: Double) -> Double {
    let (r, α, a, b) = (parameters.r, parameters.α, parameters.a, parameters.b)
    precondition(n >= 0, "a number of purchases from 0, not \(n)")
    if t <= 0 { return n == 0 ? 1 : 0 }
    let k = Double(n)
    let (share, rest) = (t / (α + t), α / (α + t))
    let counts = Special.logGammaRatio(r, plus: k) - Special.logGamma(k + 1)
    let exact = counts + r * Portable.log(rest) + k * Portable.log(share)
    let staying = Special.logBeta(a, b + k + o) - Special.logBeta(a, b)
    var p = Portable.exp(staying + exact)
    if n > 0 || o == 1 {
      // Left after purchase n, which came before t: at least n arrivals.
      let leaving = Special.logBeta(a + 1, b + k - 1 + o) - Special.logBeta(a, b)
      p += Portable.exp(leaving) * (n == 0 ? 1 : Special.betaI(share, complement: rest, k, r))
    }
    return p
  }

  /// Given that a customer is alive, rates are Gamma(r + x, α + T) and dropout Beta(a, b + x + o): what is to come is what a new
  /// BG/NBD customer with these parameters does.
  public func livingCounts(x: Double, tx: Double, T: Double, within h: Double, through n: Int) -> [Double] {
    let arrivals = NegativeBinomial(r: parameters.r + x, α: parameters.α + T, by: h)
    var p = arrivals.probabilities(through: n)
    let tails = arrivals.tails(p)
    let (a, c) = (parameters.a, parameters.b + x + o)
    // The chance to have survived the purchases so far.
    var staying = 1.0
    for i in 1..<max(n + 1, 1) where n > 0 {
      let all = a + c + Double(i - 1)
      p[i] = staying * ((c + Double(i - 1)) / all * p[i] + a / all * tails[i])
      staying *= (c + Double(i - 1)) / all
    }
    return p
  }

  public func livingBuys(x: Double, tx: Double, T: Double, within h: Double) -> Double {
    NegativeBinomial(r: parameters.r + x, α: parameters.α + T, by: h).buys
  }
}
