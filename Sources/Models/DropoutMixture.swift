import Statistics

/// Expected purchases of a living customer whose dropout probability is p ~ Beta(a, c):
///
///     G(z) = E_p[ (1 − (1 + p z)^−ρ) / p ],   z = h / (α + T),  ρ = r + x,  c = b + x (BG/NBD)
///
/// A form without the singularity at a = 1 and without ₂F₁, which overflows for long histories. Gauss–Jacobi where it
/// has converged (tried once per power of two of z), the trapezoidal rule in the logit of p elsewhere.
struct DropoutMixture {
  let a: Double
  let c: Double
  let ρ: Double
  private var rules: [GaussRule?] = Array(repeating: nil, count: DropoutMixture.ladder.count)
  /// By exponent of z: the rung of the ladder that suffices, or -1.
  private var rungs: [Int: Int] = [:]
  /// By exponent of z: G at the knots of that power of two.
  private var places: [Int: [Double]] = [:]

  private static let ladder = [8, 12, 16, 24, 32, 48]

  init(a: Double, c: Double, ρ: Double) {
    (self.a, self.c, self.ρ) = (a, c, ρ)
  }

  /// G(z), for any z ≥ 0.
  mutating func purchases(_ z: Double) -> Double {
    guard z > 0 else { return 0 }
    let rung = rung(for: z)
    return rung >= 0 ? gauss(rung, z) : trapezoid(z)
  }

  private mutating func rung(for z: Double) -> Int {
    let exponent = Int(z.exponent)
    if let known = rungs[exponent] { return known }
    let hardest = Portable.pow(2, Double(exponent + 1))
    var found = -1
    var coarse = gauss(0, hardest)
    for next in 1..<Self.ladder.count {
      let fine = gauss(next, hardest)
      if (fine - coarse).magnitude <= 1e-12 * fine {
        found = next
        break
      }
      coarse = fine
    }
    rungs[exponent] = found
    return found
  }

  private mutating func gauss(_ rung: Int, _ z: Double) -> Double {
    if rules[rung] == nil { rules[rung] = .beta(a, c, count: Self.ladder[rung]) }
    let ρ = self.ρ
    return rules[rung]!.mean { p in p > 0 ? -Portable.expm1(-ρ * Portable.log1p(p * z)) / p : ρ * z }
  }

  /// ∫ over s = logit p with equal steps: the integrand falls off exponentially at both ends, where this rule
  /// converges faster than any power of the step (Trefethen & Weideman 2014).
  private func trapezoid(_ z: Double) -> Double {
    let spread = (Special.trigamma(a) + Special.trigamma(c)).squareRoot()
    let step = min(0.2, 0.6 * spread)
    let logB = Special.logBeta(a, c)
    func term(_ s: Double) -> Double {
      let logP = -Portable.softplus(-s)
      let logQ = -Portable.softplus(s)
      let p = Portable.exp(logP)
      let f = p > 1e-300 ? -Portable.expm1(-ρ * Portable.log1p(p * z)) / p : ρ * z
      return Portable.exp(a * logP + c * logQ - logB) * f
    }
    let center = Portable.log(a / c)
    var sum = term(center)
    var previous = sum
    var s = center
    for _ in 0..<200_000 {
      s += step
      let t = term(s)
      sum += t
      if t < previous, t < 1e-17 * sum { break }
      if s > 0, Portable.exp(-s) * max(a, ρ + 1) < 1e-17 {
        // Nearly everybody leaves, and c near 0 lets the terms fall slowly: a geometric series from here on, q^c times a constant.
        let ratio = Portable.exp(-c * step)
        sum += t * ratio / -Portable.expm1(-c * step)
        break
      }
      previous = t
    }
    previous = term(center)
    s = center
    for _ in 0..<200_000 {
      s -= step
      let t = term(s)
      sum += t
      if t <= previous, t < 1e-18 * sum { break }
      if s < 0, Portable.exp(s) * max(c, (ρ + 1) * z, 1) < 1e-17 {
        // From here on the terms are a geometric series: p^a times a constant.
        let ratio = Portable.exp(-a * step)
        sum += t * ratio / -Portable.expm1(-a * step)
        break
      }
      previous = t
    }
    return step * sum
  }

  /// ∫₀^h e^−δt dG(t/θ) = e^−δh G(h/θ) + δ ∫₀^h e^−δt G(t/θ) dt: purchases discounted at rate δ per unit of time.
  /// Every term is positive.
  mutating func discounted(_ h: Double, scale θ: Double, rate δ: Double) -> Double {
    guard h > 0 else { return 0 }
    // e^−δh G(h/θ) vanishes as h grows, whatever G does.
    let end = δ * h < 745 ? Portable.exp(-δ * h) * purchases(h / θ) : 0
    guard δ > 0 else { return end }
    // Beyond it e^−δt is no number any more: a longer horizon changes nothing.
    let reach = min(h, 745 / δ)
    // t = τ (e^u − 1): even steps near the start, growing ones where G has flattened. As a function of u the integrand is
    // analytic and bounded for |Im u| < π/2, so 24 nodes a panel of length 2 leave an error far below rounding; panels
    // grow with the logarithm of the reach, at most a few hundred for any numbers.
    let τ = θ / (ρ + 1)
    let length = Portable.log1p(reach / τ)
    let panels = max((length / 2).rounded(.up), 1)
    let width = length / panels
    var sum = 0.0
    for panel in 0..<Int(panels) {
      for (node, weight) in zip(Self.legendre.nodes, Self.legendre.weights) {
        let u = width * (Double(panel) + node)
        let t = τ * Portable.expm1(u)
        sum += weight * Portable.exp(u - δ * t) * interpolated(t / θ)
      }
    }
    return end + δ * sum * width * τ
  }

  private static let legendre = GaussRule.legendre(count: 24)

  /// G(z) for integrals, which ask for it thousands of times: where the trapezoidal rule is needed, it is run at 20 places
  /// of the power of two that z is in, and the polynomial through them says the rest (within 1e-13: the nearest trouble
  /// is at negative z). The places are fixed, so a value does not depend on what was asked before.
  private mutating func interpolated(_ z: Double) -> Double {
    guard z > 0 else { return 0 }
    let rung = rung(for: z)
    if rung >= 0 { return gauss(rung, z) }
    let exponent = Int(z.exponent)
    let unit = Portable.pow(2, Double(exponent))
    if places[exponent] == nil { places[exponent] = Self.knots.nodes.map { trapezoid(unit * (1 + $0)) } }
    let x = z / unit - 1
    var (above, below) = (0.0, 0.0)
    let values = places[exponent]!
    for j in values.indices {
      let distance = x - Self.knots.nodes[j]
      if distance == 0 { return values[j] }
      let share = Self.knots.weights[j] / distance
      above += share * values[j]
      below += share
    }
    return above / below
  }

  /// Legendre points of [0, 1] and the weights of barycentric interpolation there (Wang & Xiang 2012).
  private static let knots: (nodes: [Double], weights: [Double]) = {
    let rule = GaussRule.legendre(count: 20)
    let weights = rule.nodes.indices.map { j in
      (j % 2 == 0 ? 1 : -1) * (rule.nodes[j] * (1 - rule.nodes[j]) * rule.weights[j]).squareRoot()
    }
    return (rule.nodes, weights)
  }()
}
