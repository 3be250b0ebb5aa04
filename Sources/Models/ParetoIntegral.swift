import Statistics

/// ∫ over y from t_x to T of (α + y)^−R (β + y)^−(s+1), the weight of having left at y after the last purchase, kept as an
/// integral: a positive integrand without the cases and cancellations of its ₂F₁ form.
///
/// With c = min(α, β) and u = ln((c + y)/(c + t_x)) one of the two factors is an exponential and the other analytic within
/// |Im u| < π, so Gauss–Legendre converges fast; what the integrand has fallen away from is cut off.
struct ParetoIntegral {
  /// Nodes and weights of [0, 1].
  struct Rule: Sendable {
    let nodes: [Double]
    let weights: [Double]
    /// The same, four at a time.
    let lanes: [(nodes: SIMD4<Double>, weights: SIMD4<Double>)]

    init(_ count: Int) {
      precondition(count % 4 == 0, "nodes come in fours")
      let rule = GaussRule.legendre(count: count)
      (nodes, weights) = (rule.nodes, rule.weights)
      lanes = stride(from: 0, to: count, by: 4).map { i in
        (SIMD4(rule.nodes[i..<i + 4]), SIMD4(rule.weights[i..<i + 4]))
      }
    }
  }
  static let rules = [Rule(8), Rule(16), Rule(32)]

  /// The stretch of u that counts, and how it is covered.
  let length: Double
  let panels: Int
  /// Index into `rules`.
  let rule: Int

  /// `P` is the power of the factor of c, `Q` that of the other, κ the ratio of c + t_x to the other at t_x; `fall` is
  /// ln of the other's growth from t_x to T. `finer` rules leave nothing above rounding.
  @inline(__always)
  init(length full: Double, fall: Double, P: Double, Q: Double, κ: Double, finer: Bool) {
    // The rate at which the integrand falls only grows with u.
    let rate = P - 1 + Q * κ
    var (length, fall) = (full, fall)
    if rate > 0, rate * length > 40 {
      length = 40 / rate
      fall = Portable.log1p(κ * Portable.expm1(length))
    }
    let drop = (P - 1).magnitude * length + Q * fall
    self.length = length
    if drop <= 6, length <= 2.5 { (rule, panels) = (finer ? 1 : 0, 1) }
    else if drop <= 36, length <= 5 { (rule, panels) = (finer ? 2 : 1, 1) }
    else { (rule, panels) = (2, max(1, Int(min(max(drop / 32, length / 6), 2000).rounded(.up)))) }
  }
}

extension ParetoIntegral {
  /// ∫ over y from 0 to `gap` of (1 + y/α)^−R (1 + y/β)^−Q, to nearly all digits.
  static func value(_ α: Double, _ β: Double, R: Double, Q: Double, gap: Double) -> Double {
    guard gap > 0 else { return 0 }
    let first = α <= β
    let (c, d) = first ? (α, β) : (β, α)
    let (P, Q) = first ? (R, Q) : (Q, R)
    let κ = c / d
    let plan = ParetoIntegral(
      length: Portable.log1p(gap / c), fall: Portable.log1p(gap / d), P: P, Q: Q, κ: κ, finer: true)
    let width = plan.length / Double(plan.panels)
    let rule = rules[plan.rule]
    var sum = 0.0
    for panel in 0..<plan.panels {
      for (node, weight) in zip(rule.nodes, rule.weights) {
        let u = width * (Double(panel) + node)
        sum += weight * Portable.exp((1 - P) * u - Q * Portable.log1p(κ * Portable.expm1(u)))
      }
    }
    return c * width * sum
  }
}
