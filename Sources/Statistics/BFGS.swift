/// The quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno: minimizes a function given with its gradient.
/// Line search by bracketing to the weak Wolfe conditions (Lewis & Overton 2013).
public struct BFGS: Sendable {
  public var maximumIterations = 500
  /// Converged when no component of the gradient is larger.
  public var gradientTolerance = 1e-8

  public init(gradientTolerance: Double = 1e-8) { self.gradientTolerance = gradientTolerance }

  public func minimize(from start: [Double], _ f: ([Double]) -> (value: Double, gradient: [Double])) -> Optimum {
    let n = start.count
    var x = start
    var (value, g) = f(x)
    var inverse = identity(n, 1)
    var (iterations, evaluations) = (0, 1)
    var converged = norm(g) <= gradientTolerance
    var fresh = true
    while !converged, iterations < maximumIterations, value.isFinite {
      iterations += 1
      var direction = multiply(inverse, g).map { -$0 }
      var slope = dotProduct(direction, g)
      if !(slope < 0) {
        inverse = identity(n, 1)
        direction = g.map { -$0 }
        slope = dotProduct(direction, g)
        fresh = true
      }
      var t = fresh ? min(1, 1 / max(norm(g), 1e-300)) : 1
      var (low, high) = (0.0, Double.infinity)
      var found: (x: [Double], value: Double, gradient: [Double])?
      for _ in 0..<60 {
        let trial = zip(x, direction).map { $0 + t * $1 }
        let (v, gradient) = f(trial)
        evaluations += 1
        if !v.isFinite || v > value + 1e-4 * t * slope {
          high = t
        } else {
          found = (trial, v, gradient)
          if dotProduct(gradient, direction) >= 0.9 * slope { break }
          low = t
        }
        t = high.isFinite ? 0.5 * (low + high) : 2 * t
      }
      guard let next = found else {
        if fresh { break }
        inverse = identity(n, 1)
        fresh = true
        continue
      }
      let s = zip(next.x, x).map(-)
      let y = zip(next.gradient, g).map(-)
      let sy = dotProduct(s, y)
      if sy > 1e-300 {
        if fresh { inverse = identity(n, sy / max(dotProduct(y, y), 1e-300)) }
        let hy = multiply(inverse, y)
        let factor = (sy + dotProduct(y, hy)) / (sy * sy)
        for i in 0..<n {
          for j in 0..<n { inverse[i * n + j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / sy }
        }
        fresh = false
      }
      let stalled = next.value >= value && norm(s) < 1e-12
      (x, value, g) = (next.x, next.value, next.gradient)
      converged = norm(g) <= gradientTolerance
      if stalled { break }
    }
    return Optimum(
      point: x, value: value, gradient: g, hessian: nil, converged: converged, iterations: iterations,
      evaluations: evaluations, atBound: [])
  }

  private func identity(_ n: Int, _ scale: Double) -> [Double] {
    (0..<n * n).map { $0 % (n + 1) == 0 ? scale : 0 }
  }
  private func multiply(_ m: [Double], _ v: [Double]) -> [Double] {
    v.indices.map { i in v.indices.reduce(0) { $0 + m[i * v.count + $1] * v[$1] } }
  }
  private func norm(_ v: [Double]) -> Double { v.map(\.magnitude).max() ?? 0 }
}
