import Statistics

/// Counts of a customer who buys at random at rate λ ~ Gamma(r, α): negative binomial.
struct NegativeBinomial {
  let r: Double
  /// t/(α + t) and α/(α + t): the chances of another arrival and of none.
  let share: Double
  let rest: Double
  /// ln of `rest`, exact for short times.
  private let logRest: Double

  init(r: Double, α: Double, by t: Double) {
    self.r = r
    share = t / (α + t)
    rest = α / (α + t)
    logRest = -Portable.log1p(t / α)
  }

  /// P(N = 0), …, P(N = n).
  func probabilities(through n: Int) -> [Double] {
    var p = Portable.exp(r * logRest)
    guard p > 1e-280 || n == 0 else { return (0...n).map { self[$0] } }
    var all = [p]
    all.reserveCapacity(n + 1)
    for i in 0..<n {
      p *= (r + Double(i)) / Double(i + 1) * share
      all.append(p)
    }
    return all
  }

  /// P(N = n).
  subscript(n: Int) -> Double {
    let k = Double(n)
    if n == 0 { return Portable.exp(r * logRest) }
    if share <= 0 { return 0 }
    return Portable.exp(Special.logGammaRatio(r, plus: k) - Special.logGamma(k + 1) + r * logRest + k * Portable.log(share))
  }

  /// P(N ≥ n).
  func atLeast(_ n: Int) -> Double { n == 0 ? 1 : Special.betaI(share, complement: rest, Double(n), r) }

  /// P(N ≥ 0), …, P(N ≥ n) from P(N = ·), summed from the far end so that small values keep their digits.
  func tails(_ p: [Double]) -> [Double] {
    var tails = p
    tails[p.count - 1] = atLeast(p.count - 1)
    for i in stride(from: p.count - 2, through: 0, by: -1) { tails[i] = tails[i + 1] + p[i] }
    tails[0] = 1
    return tails
  }

  /// ln of the likelihood of x purchases at given moments until T, alive throughout: Γ(r+x)/Γ(r) α^r (α+T)^−(r+x).
  static func logHistory(_ r: Double, _ α: Double, x: Double, T: Double) -> Double {
    Special.logGammaRatio(r, plus: x) - r * Portable.log1p(T / α) - x * Portable.log(α + T)
  }

  /// P(N ≥ 1), small values in full precision.
  var buys: Double { -Portable.expm1(r * logRest) }
}
