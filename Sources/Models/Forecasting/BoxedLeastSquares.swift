import Statistics

/// The least sum of squares in a box: Gauss–Newton steps, shortened where the sum does not fall, with the residuals' slopes by
/// differences.
enum BoxedLeastSquares {
  /// `residuals` of parameters, as many for all of them; starts are tried in their order, and the least sum wins.
  static func minimize(
    from starts: [[Double]], lower: [Double], upper: [Double], _ residuals: ([Double]) -> [Double]
  ) -> Optimum? {
    let first = starts.map { sum(residuals($0)) }.filter(\.isFinite)
    guard let scale = first.max() else { return nil }
    // An exact fit has nothing to be minimized.
    let unit = max(scale, 1e-300)
    var newton = Newton(lower: lower, upper: upper)
    newton.promisedDescent = 1e-14
    newton.longestStep = 0.5 * (zip(upper, lower).map { $0 - $1 }.max() ?? 1)
    var best: Optimum?
    for start in starts {
      let found = newton.minimize(from: start) { p in
        let r = residuals(p)
        let slopes = p.indices.map { i -> [Double] in
          let step = 1e-6 * max(upper[i] - lower[i], 1e-9)
          var (up, down) = (p, p)
          up[i] = min(p[i] + step, upper[i])
          down[i] = max(p[i] - step, lower[i])
          return zip(residuals(up), residuals(down)).map { ($0 - $1) / (up[i] - down[i]) }
        }
        var hessian = SymmetricMatrix(order: p.count)
        for i in p.indices { for j in 0...i { hessian[i, j] = 2 * dotProduct(slopes[i], slopes[j]) / unit } }
        for i in p.indices { hessian[i, i] += 1e-12 }
        return (sum(r) / unit, slopes.map { 2 * dotProduct($0, r) / unit }, hessian)
      }
      guard found.value.isFinite else { continue }
      if best == nil || found.value < best!.value * (1 - 1e-9) { best = found }
    }
    best?.value *= unit
    return best
  }

  static func sum(_ r: [Double]) -> Double { r.reduce(0) { $0 + $1 * $1 } }
}
