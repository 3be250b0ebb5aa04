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
    let end = Portable.exp(-δ * h) * purchases(h / θ)
    guard h > 0, δ > 0 else { return end }
    // t = τ (e^u − 1): even steps near the start, growing ones where G has flattened.
    let τ = θ / (ρ + 1)
    let length = Portable.log1p(h / τ)
    let coarse = panels(1, Self.legendre16, length, τ, θ, δ)
    let fine = panels(1, Self.legendre24, length, τ, θ, δ)
    if (fine - coarse).magnitude <= 1e-12 * fine { return end + δ * fine }
    let count = Int(min((length * 0.75 + Portable.log1p(δ * h)).rounded(.up), 200)) + 1
    return end + δ * panels(count, Self.legendre24, length, τ, θ, δ)
  }

  private mutating func panels(
    _ count: Int, _ rule: GaussRule, _ length: Double, _ τ: Double, _ θ: Double, _ δ: Double
  ) -> Double {
    let width = length / Double(count)
    var sum = 0.0
    for panel in 0..<count {
      for (node, weight) in zip(rule.nodes, rule.weights) {
        let u = width * (Double(panel) + node)
        let t = τ * Portable.expm1(u)
        sum += weight * Portable.exp(u - δ * t) * purchases(t / θ)
      }
    }
    return sum * width * τ
  }

  private static let legendre16 = GaussRule.legendre(count: 16)
  private static let legendre24 = GaussRule.legendre(count: 24)
}
