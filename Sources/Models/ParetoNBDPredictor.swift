import Statistics

/// What Pareto/NBD parameters say of single customers.
///
/// Given that a customer is alive, purchase and dropout rates are again gamma, Gamma(r + x, α + T) and Gamma(s, β + T): what is
/// to come is what a new customer with these parameters does.
public struct ParetoNBDPredictor: PurchasePredictor {
  public let parameters: ParetoNBD.Parameters

  public init(_ parameters: ParetoNBD.Parameters) {
    precondition(
      parameters.vector.allSatisfy { $0 > 0 && $0 < 1e300 }, "Pareto/NBD parameters must be positive: \(parameters)")
    self.parameters = parameters
  }

  public func probabilityAlive(x: Double, tx: Double, T: Double) -> Double {
    Portable.sigmoid(-logOddsLeft(x: x, tx: tx, T: T))
  }

  public func logOddsLeft(x: Double, tx: Double, T: Double) -> Double {
    let (r, α, s, β) = (parameters.r, parameters.α, parameters.s, parameters.β)
    // The chance to have left over the chance to be alive, both relative to their values at t_x; both logarithms as
    // log1p: exact also when the last purchase was a moment ago.
    let left = ParetoIntegral.value(α + tx, β + tx, R: r + x, Q: s + 1, gap: T - tx)
    guard left > 0 else { return -.infinity }
    return Portable.log(s * left / (β + tx)) + (r + x) * Portable.log1p((T - tx) / (α + tx))
      + s * Portable.log1p((T - tx) / (β + tx))
  }

  public func logLikelihoodAlive(x: Double, tx: Double, T: Double) -> Double {
    NegativeBinomial.logHistory(parameters.r, parameters.α, x: x, T: T) - parameters.s * Portable.log1p(T / parameters.β)
  }

  /// P(still a customer at T + h).
  public func probabilityAlive(x: Double, tx: Double, T: Double, at h: Double) -> Double {
    probabilityAlive(x: x, tx: tx, T: T) * Portable.exp(-parameters.s * Portable.log1p(h / (parameters.β + T)))
  }

  public func expectedPurchases(x: Double, tx: Double, T: Double, within h: Double) -> Double {
    probabilityAlive(x: x, tx: tx, T: T) * living(x: x, T: T, within: h)
  }

  public func expectedPurchases(by t: Double) -> Double { living(x: 0, T: 0, within: t) }

  private func living(x: Double, T: Double, within h: Double) -> Double {
    (parameters.r + x) / (parameters.α + T) * lifetime(T, within: h)
  }

  /// Expected time in (T, T + h] as a customer of one who is alive at T: ∫₀^h (1 + t/(β+T))^−s dt, also at s = 1.
  private func lifetime(_ T: Double, within h: Double) -> Double {
    let (s, β) = (parameters.s, parameters.β + T)
    let L = Portable.log1p(h / β)
    let power = (s - 1) * L
    return power.magnitude < 1e-290 ? β * L : β * -Portable.expm1(-power) / (s - 1)
  }

  public func discountedPurchases(x: Double, tx: Double, T: Double, _ discount: Discount) -> Double {
    switch discount {
    case .continuous(let rate, let horizon):
      return probabilityAlive(x: x, tx: tx, T: T) * (parameters.r + x) / (parameters.α + T)
        * discountedLifetime(T, rate: rate, horizon: horizon)
    case .monthly(let rate, let month, let months):
      return monthly(x: x, tx: tx, T: T, rate: rate, month: month, months: months)
    }
  }

  /// ∫₀^h e^−δt (1 + t/(β+T))^−s dt.
  func discountedLifetime(_ T: Double, rate δ: Double, horizon h: Double) -> Double {
    let (s, β) = (parameters.s, parameters.β + T)
    guard δ > 0 else { return h < .infinity ? lifetime(T, within: h) : s > 1 ? β / (s - 1) : .infinity }
    return GaussRule.discounted(until: h, rate: δ, scale: min(β, 1 / δ) / max(1, s)) { t in
      Portable.exp(-s * Portable.log1p(t / β))
    }
  }

  public func probability(ofPurchases n: Int, by t: Double) -> Double {
    precondition(n >= 0, "a number of purchases from 0, not \(n)")
    return livingCounts(x: 0, tx: 0, T: 0, within: t, through: n)[n]
  }

  public func livingBuys(x: Double, tx: Double, T: Double, within h: Double) -> Double {
    let (R, A) = (parameters.r + x, parameters.α + T)
    // The first purchase at y, still a customer then.
    return min(1, R / A * ParetoIntegral.value(A, parameters.β + T, R: R + 1, Q: parameters.s, gap: h))
  }

  public func livingCounts(x: Double, tx: Double, T: Double, within h: Double, through n: Int) -> [Double] {
    let (R, A, s, B) = (parameters.r + x, parameters.α + T, parameters.s, parameters.β + T)
    let staying = Portable.exp(-s * Portable.log1p(h / B))
    var all = NegativeBinomial(r: R, α: A, by: h).probabilities(through: n).map { $0 * staying }
    guard h > 0 else { return all }
    // Left at y within the horizon: counts by y. In v = ln(1 + y/c) their steepest bend is as wide as the spread of a
    // gamma law's logarithm.
    let c = min(A, B)
    let length = Portable.log1p(h / c)
    let bend = min(1, 3 / (R + s + Double(n)).squareRoot() * 2)
    let panels = max(1, Int(min(length / bend, 100_000).rounded(.up)))
    let width = length / Double(panels)
    for panel in 0..<panels {
      for (node, weight) in zip(Self.rule.nodes, Self.rule.weights) {
        let u = width * (Double(panel) + node)
        let y = c * Portable.expm1(u)
        let density = weight * width * s * c / B * Portable.exp(u - (s + 1) * Portable.log1p(y / B))
        let counts = NegativeBinomial(r: R, α: A, by: y).probabilities(through: n)
        for i in all.indices { all[i] += density * counts[i] }
      }
    }
    return all
  }

  private static let rule = GaussRule.legendre(count: 16)
}
