import Statistics

/// Σ over customers of ln Γ(r + x) − ln Γ(r) with its derivatives in r. Growing x adds factors, so the gamma functions become
/// short products.
struct RisingFactorial {
  private(set) var value = 0.0
  private(set) var first = 0.0
  private(set) var second = 0.0

  init(_ r: Double, over runs: [GroupedSummary.Run]) {
    var (ln, d, dd, i) = (0.0, 0.0, 0.0, 0.0)
    for run in runs {
      if run.x - i > 2048 {
        ln += Special.logGammaRatio(r + i, plus: run.x - i)
        d += Special.digamma(r + run.x) - Special.digamma(r + i)
        dd += Special.trigamma(r + run.x) - Special.trigamma(r + i)
        i = run.x
      }
      while i < run.x {
        let inverse = 1 / (r + i)
        ln += Portable.log(r + i)
        d += inverse
        dd -= inverse * inverse
        i += 1
      }
      value += run.weight * ln
      first += run.weight * d
      second += run.weight * dd
    }
  }
}
