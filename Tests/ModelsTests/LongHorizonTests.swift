import Statistics
import Testing

@testable import Models

/// The discounted integral over horizons from a week to twenty thousand years.
struct LongHorizonTests {
  struct Customer: Sendable, CustomTestStringConvertible {
    let name: String
    let r: Double, α: Double, a: Double, b: Double, x: Double, T: Double
    var testDescription: String { name }
    var mixture: DropoutMixture { DropoutMixture(a: a, c: b + x, ρ: r + x) }
    var θ: Double { α + T }
  }

  static let customers = [
    Customer(name: "CDNOW, 2 purchases", r: 0.24259, α: 4.4136, a: 0.79292, b: 2.42591, x: 2, T: 38.86),
    Customer(name: "CDNOW, none", r: 0.24259, α: 4.4136, a: 0.79292, b: 2.42591, x: 0, T: 38.86),
    Customer(name: "CDNOW, 26 purchases", r: 0.24259, α: 4.4136, a: 0.79292, b: 2.42591, x: 26, T: 38.86),
    Customer(name: "nobody leaves soon", r: 1.7, α: 3, a: 0.3, b: 9, x: 5, T: 12),
    Customer(name: "a = 1", r: 0.5, α: 10, a: 1, b: 1, x: 1, T: 0),
    Customer(name: "many leave", r: 3, α: 0.5, a: 4, b: 2, x: 0, T: 100),
  ]

  static let horizons: [Double] = [1, 39, 520, 1e4, 1e6]

  /// What it is by definition, for each of the horizons: ∫₀^h e^−δt G′(t/θ) dt / θ with G′(z) = E[ρ (1 + pz)^(−ρ−1)]. The mean by
  /// the trapezoidal rule over logit p, the integral by Gauss's rule on stretches that treble, both finer than needed.
  static func slow(_ c: Customer, δ: Double) -> [Double] {
    let m = c.mixture
    let logB = Special.logBeta(m.a, m.c)
    let law = (-600...160).map { step -> (p: Double, weight: Double) in
      let s = Double(step) * 0.25
      let (logP, logQ) = (-Portable.softplus(-s), -Portable.softplus(s))
      return (Portable.exp(logP), 0.25 * Portable.exp(m.a * logP + m.c * logQ - logB))
    }.filter { $0.weight > 1e-20 }
    let rule = GaussRule.legendre(count: 24)
    var (sum, low) = (0.0, 0.0)
    return horizons.map { h in
      while low < h {
        let high = min(h, max(low * 3, 0.01))
        sum += (high - low) * rule.mean { node in
          let t = low + (high - low) * node
          let z = t / c.θ
          var slope = 0.0
          for (p, weight) in law { slope += weight * Portable.exp(-(m.ρ + 1) * Portable.log1p(p * z)) }
          return Portable.exp(-δ * t) * m.ρ * slope / c.θ
        }
        low = high
      }
      return sum
    }
  }

  @Test(arguments: customers, [0, 1e-6, 0.0027, 1.0])
  func againstTheDefinition(customer: Customer, δ: Double) {
    for (h, expected) in zip(Self.horizons, Self.slow(customer, δ: δ)) {
      var mixture = customer.mixture
      let value = mixture.discounted(h, scale: customer.θ, rate: δ)
      #expect(relative(value, expected) < 1e-10, "h \(h): \(value), by definition \(expected)")
    }
  }

  /// A horizon behind which nothing counts changes nothing; longer never is less.
  @Test(arguments: customers) func growsAndStays(customer: Customer) {
    for δ in [0, 1e-6, 0.0027, 1] {
      var before = 0.0
      for h in [1e-9, 1e-3, 1, 39, 520, 1e4, 1e5, 1e6, 1e9, 1e15] {
        var mixture = customer.mixture
        let value = mixture.discounted(h, scale: customer.θ, rate: δ)
        #expect(value.isFinite && value >= before * (1 - 1e-13), "h \(h), δ \(δ): \(value) after \(before)")
        before = value
      }
    }
    var mixture = customer.mixture
    #expect(mixture.discounted(0, scale: customer.θ, rate: 0.0027) == 0)
    let all = mixture.discounted(1e6, scale: customer.θ, rate: 1)
    #expect(mixture.discounted(1e15, scale: customer.θ, rate: 1) == all)
  }

  /// What was asked before has no part in a value.
  @Test func valuesAreTheirOwn() {
    let customer = Self.customers[0]
    var (mixture, other) = (customer.mixture, customer.mixture)
    for h in [1e6, 520, 1e4] { _ = mixture.discounted(h, scale: 7, rate: 1e-6) }
    #expect(mixture.discounted(1e5, scale: customer.θ, rate: 0.0027) == other.discounted(1e5, scale: customer.θ, rate: 0.0027))
  }
}
