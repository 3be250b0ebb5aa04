/// Nodes and weights of a Gaussian quadrature rule; the weights of a probability law sum to one.
///
///     let rule = GaussRule.beta(2, 5, count: 16)
///     rule.mean { p in 1 / (1 + p) }   // E[1/(1+p)] for p ~ Beta(2, 5)
public struct GaussRule: Sendable {
  public let nodes: [Double]
  public let weights: [Double]

  /// Gauss–Jacobi on [0, 1] for the law Beta(a, b). The recurrence is written for [0, 1] itself and with normalised
  /// weights: no gamma function to overflow, and nodes near zero keep their relative precision for b up to 10⁵ and more.
  public static func beta(_ a: Double, _ b: Double, count n: Int) -> GaussRule {
    let s = a + b - 2
    var diagonal = [Double](repeating: 0, count: n)
    var squares = [Double](repeating: 0, count: n)
    diagonal[0] = a / (a + b)
    for k in 1..<max(n, 1) where n > 1 {
      let k = Double(k)
      let even = 2 * k + s
      diagonal[Int(k)] = (2 * k * (k + s + 1) + s * a) / (even * (even + 2))
      // (k + s) and (2k + s − 1) cancel at k = 1, where both may vanish.
      let ratio = k == 1 ? 1 : (k + s) / (even - 1)
      squares[Int(k)] = k * (k + b - 1) * (k + a - 1) / (even * even * (even + 1)) * ratio
    }
    return golubWelsch(diagonal: diagonal, squares: squares)
  }

  /// Gauss–Legendre on [0, 1], weights summing to one.
  public static func legendre(count: Int) -> GaussRule { beta(1, 1, count: count) }

  /// Golub & Welsch 1969: nodes are the eigenvalues of the Jacobi matrix, weights the squared first components of
  /// its eigenvectors; implicit QL, keeping only that first row.
  static func golubWelsch(diagonal: [Double], squares: [Double]) -> GaussRule {
    let n = diagonal.count
    var d = diagonal
    var e = squares.dropFirst().map { $0.squareRoot() } + [0]
    var z = [Double](repeating: 0, count: n)
    z[0] = 1
    for l in 0..<n {
      var iterations = 0
      while true {
        var m = l
        while m < n - 1, e[m].magnitude > 1.1102230246251565e-16 * (d[m].magnitude + d[m + 1].magnitude) { m += 1 }
        if m == l { break }
        iterations += 1
        if iterations > 200 { break }
        var g = (d[l + 1] - d[l]) / (2 * e[l])
        var r = (g * g + 1).squareRoot()
        g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r))
        var (s, c, p) = (1.0, 1.0, 0.0)
        var i = m - 1
        var deflated = false
        while i >= l {
          let f = s * e[i]
          let b = c * e[i]
          r = (f * f + g * g).squareRoot()
          e[i + 1] = r
          if r == 0 {
            d[i + 1] -= p
            e[m] = 0
            deflated = true
            break
          }
          s = f / r
          c = g / r
          g = d[i + 1] - p
          r = (d[i] - g) * s + 2 * c * b
          p = s * r
          d[i + 1] = g + p
          g = c * r - b
          let old = z[i + 1]
          z[i + 1] = s * z[i] + c * old
          z[i] = c * z[i] - s * old
          i -= 1
        }
        if deflated { continue }
        d[l] -= p
        e[l] = g
        e[m] = 0
      }
    }
    let order = (0..<n).sorted { d[$0] < d[$1] }
    return GaussRule(nodes: order.map { d[$0] }, weights: order.map { z[$0] * z[$0] })
  }

  /// Σ wᵢ f(xᵢ), nodes ascending.
  @inlinable
  public func mean(_ f: (Double) -> Double) -> Double {
    var sum = 0.0
    for i in nodes.indices { sum += weights[i] * f(nodes[i]) }
    return sum
  }
}
