import Statistics

/// What a purchase model's parameters say of single customers: of x repeat purchases, the last at t_x, observed until T. Every
/// number depends on these three alone.
public protocol PurchasePredictor: Sendable {
  /// P(still a customer at T).
  func probabilityAlive(x: Double, tx: Double, T: Double) -> Double
  /// Expected purchases in (T, T + h].
  func expectedPurchases(x: Double, tx: Double, T: Double, within h: Double) -> Double
  /// Expected repeat purchases of a new customer by time t.
  func expectedPurchases(by t: Double) -> Double
  /// Expected purchases of (T, T + horizon], discounted; the horizon may be infinite where the rate is positive.
  func discountedPurchases(x: Double, tx: Double, T: Double, _ discount: Discount) -> Double
  /// P(a new customer makes n repeat purchases by time t).
  func probability(ofPurchases n: Int, by t: Double) -> Double
  /// For a customer who is alive at T: the probabilities of 0, 1, …, n purchases in (T, T + h].
  func livingCounts(x: Double, tx: Double, T: Double, within h: Double, through n: Int) -> [Double]
  /// For a customer who is alive at T: P(at least one purchase in (T, T + h]), small values in full precision.
  func livingBuys(x: Double, tx: Double, T: Double, within h: Double) -> Double
  /// Whether `livingCounts` depends on t_x.
  var countsNeedRecency: Bool { get }
}

extension PurchasePredictor {
  public var countsNeedRecency: Bool { false }

  /// The probabilities of 0, 1, …, n purchases in (T, T + h] given the history.
  public func counts(x: Double, tx: Double, T: Double, within h: Double, through n: Int) -> [Double] {
    let alive = probabilityAlive(x: x, tx: tx, T: T)
    var p = livingCounts(x: x, tx: tx, T: T, within: h, through: n)
    for i in p.indices { p[i] *= alive }
    p[0] = 1 - alive * livingBuys(x: x, tx: tx, T: T, within: h)
    return p
  }

  /// P(at least one purchase in (T, T + h]) given the history.
  public func probabilityOfPurchase(x: Double, tx: Double, T: Double, within h: Double) -> Double {
    probabilityAlive(x: x, tx: tx, T: T) * livingBuys(x: x, tx: tx, T: T, within: h)
  }

  /// Σ over months of the month's purchases, discounted: the form that lifetimes uses.
  func monthly(
    x: Double, tx: Double, T: Double, rate: Double, month: Double, months: Int
  ) -> Double {
    var (sum, before, factor) = (0.0, 0.0, 1.0)
    for i in 1..<max(months + 1, 1) where months > 0 {
      let now = expectedPurchases(x: x, tx: tx, T: T, within: Double(i) * month)
      factor /= 1 + rate
      // Increments of an increasing function; rounding may turn a vanishing one below zero.
      sum += max(now - before, 0) * factor
      before = now
    }
    return sum
  }
}

/// How purchases in the future are valued today.
public enum Discount: Hashable, Sendable {
  /// e^−rate·t up to `horizon`; rate per unit of time, 0 for none. The horizon may be infinite where the rate is positive.
  case continuous(rate: Double, horizon: Double)
  /// Σ over months of the month's purchases / (1 + rate)^i; `month` in units of time.
  case monthly(rate: Double, month: Double, months: Int)
}

extension GaussRule {
  /// ∫ over t from 0 to `reach` of e^−δt f(t), f smooth and slowly varying beyond the scale τ: t = τ (e^u − 1) in panels of
  /// length one.
  static func discounted(until horizon: Double, rate δ: Double, scale τ: Double, _ f: (Double) -> Double) -> Double {
    // Beyond it e^−δt is below 1e-43, and what grows like a power of t adds nothing to the sum.
    let reach = δ > 0 ? min(horizon, 100 / δ) : horizon
    guard reach > 0 else { return 0 }
    let length = Portable.log1p(reach / τ)
    let panels = max(length.rounded(.up), 1)
    let width = length / panels
    var sum = 0.0
    for panel in 0..<Int(panels) {
      sum += panelRule.mean { node in
        let u = width * (Double(panel) + node)
        let t = τ * Portable.expm1(u)
        return Portable.exp(u - δ * t) * f(t)
      }
    }
    return sum * width * τ
  }

  private static let panelRule = GaussRule.legendre(count: 24)
}
