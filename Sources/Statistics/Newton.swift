/// What an optimizer found, and whether to believe it.
public struct Optimum: Sendable {
  public var point: [Double]
  public var value: Double
  public var gradient: [Double]
  /// Second derivatives at `point`, where the method computes them.
  public var hessian: SymmetricMatrix?
  public var converged: Bool
  public var iterations: Int
  public var evaluations: Int
  /// Coordinates that ended on a bound with the function still falling beyond it.
  public var atBound: [Int]

  /// Largest absolute component of the gradient over the coordinates that are free.
  public var gradientNorm: Double {
    gradient.indices.filter { !atBound.contains($0) }.map { gradient[$0].magnitude }.max() ?? 0
  }
}

/// Newton's method with Levenberg's shift, in a box: minimizes a function given with gradient and second derivatives.
///
/// The shift grows until the model is convex and the step really descends, and shrinks to nothing near the minimum,
/// where the method is plain Newton and doubles its digits every step (Nocedal & Wright 2006, ch. 4).
public struct Newton: Sendable {
  public var maximumIterations = 200
  /// Largest change of one coordinate in one step.
  public var longestStep = 2.0
  /// Stop when the model promises less than this much descent.
  public var promisedDescent = 1e-15
  public var lower: [Double]?
  public var upper: [Double]?

  public init(lower: [Double]? = nil, upper: [Double]? = nil) {
    self.lower = lower
    self.upper = upper
  }

  public typealias Value = (value: Double, gradient: [Double], hessian: SymmetricMatrix)

  public func minimize(from start: [Double], _ f: ([Double]) -> Value) -> Optimum {
    var x = clamped(start)
    var now = f(x)
    var shift = 0.0
    var (iterations, evaluations) = (0, 1)
    var converged = false
    var polished = false
    while iterations < maximumIterations, now.value.isFinite {
      iterations += 1
      let free = freeCoordinates(x, now.gradient)
      guard !free.isEmpty else {
        converged = true
        break
      }
      guard let (step, descent) = step(now, free: free, shift: &shift) else { break }
      if descent <= promisedDescent, shift == 0 || step.allSatisfy({ $0.magnitude < 1e-8 }) {
        converged = true
        // One last plain step: the promise is below what the value can show, but the gradient still gains digits.
        if polished { break }
        polished = true
        let next = clamped(zip(x, step).map(+))
        let trial = f(next)
        evaluations += 1
        let (old, new) = (largest(now.gradient, free), largest(trial.gradient, free))
        if trial.value.isFinite, new < old { (x, now) = (next, trial) }
        break
      }
      let next = clamped(zip(x, step).map(+))
      if next == x {
        converged = largest(now.gradient, free) < 1e-8
        break
      }
      let trial = f(next)
      evaluations += 1
      let gain = now.value - trial.value
      if trial.value.isFinite, gain >= 1e-4 * descent || (gain.magnitude <= 4e-16 * now.value.magnitude && descent < 1e-12) {
        if gain > 0.5 * descent { shift = shift < 1e-6 ? 0 : shift * 0.1 }
        (x, now) = (next, trial)
      } else {
        shift = max(shift * 8, 1e-4 * (now.hessian.diagonal.map(\.magnitude).max() ?? 1))
        if shift > 1e14 { break }
      }
    }
    let free = freeCoordinates(x, now.gradient)
    let bound = x.indices.filter { !free.contains($0) }
    return Optimum(
      point: x, value: now.value, gradient: now.gradient, hessian: now.hessian, converged: converged,
      iterations: iterations, evaluations: evaluations, atBound: bound)
  }

  /// The shifted Newton step over the free coordinates, and the descent its model promises.
  private func step(_ now: Value, free: [Int], shift: inout Double) -> (step: [Double], descent: Double)? {
    let n = now.gradient.count
    let g = free.map { now.gradient[$0] }
    let scale = max(free.map { now.hessian[$0, $0].magnitude }.max() ?? 1, 1e-300)
    for _ in 0..<200 {
      var h = SymmetricMatrix(order: free.count)
      for (i, fi) in free.enumerated() {
        for (j, fj) in free.enumerated() where j <= i { h[i, j] = now.hessian[fi, fj] + (i == j ? shift : 0) }
      }
      if let s = h.solve(g.map { -$0 }), s.allSatisfy(\.isFinite) {
        let longest = s.map(\.magnitude).max() ?? 0
        let cut = longest > longestStep ? longestStep / longest : 1
        var step = [Double](repeating: 0, count: n)
        var slope = 0.0
        for (i, fi) in free.enumerated() {
          step[fi] = cut * s[i]
          slope -= g[i] * s[i]
        }
        return (step, slope * cut * (1 - 0.5 * cut))
      }
      shift = max(shift * 4, 1e-8 * scale)
    }
    return nil
  }

  private func clamped(_ x: [Double]) -> [Double] {
    x.indices.map { i in min(max(x[i], lower?[i] ?? -.infinity), upper?[i] ?? .infinity) }
  }

  private func freeCoordinates(_ x: [Double], _ gradient: [Double]) -> [Int] {
    x.indices.filter { i in
      !(x[i] <= lower?[i] ?? -.infinity && gradient[i] >= 0) && !(x[i] >= upper?[i] ?? .infinity && gradient[i] <= 0)
    }
  }

  private func largest(_ gradient: [Double], _ free: [Int]) -> Double {
    free.map { gradient[$0].magnitude }.max() ?? 0
  }
}
