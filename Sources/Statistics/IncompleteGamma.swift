// Regularised incomplete gamma and beta functions. The density in front is formed from Loader's deviance (2000, "Fast
// and accurate computation of binomial probabilities"), so large arguments keep their digits.
extension Special {
  /// P(a, x) = γ(a, x) / Γ(a).
  public static func gammaP(_ a: Double, _ x: Double) -> Double {
    if x <= 0 { return 0 }
    if x == .infinity { return 1 }
    return x < a + 1 ? lowerSeries(a, x) : 1 - upperFraction(a, x)
  }

  /// Q(a, x) = 1 − P(a, x), small values in full precision.
  public static func gammaQ(_ a: Double, _ x: Double) -> Double {
    if x <= 0 { return 1 }
    if x == .infinity { return 0 }
    return x < a + 1 ? 1 - lowerSeries(a, x) : upperFraction(a, x)
  }

  private static func lowerSeries(_ a: Double, _ x: Double) -> Double {
    var term = 1.0
    var sum = 1.0
    var n = a
    for _ in 0..<1_000_000 {
      n += 1
      term *= x / n
      sum += term
      if term < sum * 1e-17 { break }
    }
    return poissonDensity(a, x) * sum
  }

  /// Lentz's evaluation of the continued fraction (Abramowitz & Stegun 6.5.31).
  private static func upperFraction(_ a: Double, _ x: Double) -> Double {
    let tiny = 1e-300
    var b = x + 1 - a
    var c = 1 / tiny
    var d = 1 / b
    var h = d
    for i in 1..<1_000_000 {
      let an = -Double(i) * (Double(i) - a)
      b += 2
      d = an * d + b
      if d.magnitude < tiny { d = tiny }
      c = b + an / c
      if c.magnitude < tiny { c = tiny }
      d = 1 / d
      let step = d * c
      h *= step
      if (step - 1).magnitude < 1e-16 { break }
    }
    return poissonDensity(a, x) * a * h
  }

  /// x^a e^−x / Γ(a + 1).
  static func poissonDensity(_ a: Double, _ x: Double) -> Double {
    if a < 10 { return Portable.exp(a * Portable.log(x) - x - logGamma(a + 1)) }
    return Portable.exp(-stirlingTail(a) - deviance(a, x)) / (6.283185307179586477 * a).squareRoot()
  }

  /// x ln(x / m) + m − x, without cancellation when m is near x.
  static func deviance(_ x: Double, _ m: Double) -> Double {
    if x == 0 { return m }
    if (x - m).magnitude < 0.1 * (x + m) {
      let v = (x - m) / (x + m)
      var s = (x - m) * v
      var e = 2 * x * v
      let v2 = v * v
      for j in 1..<1000 {
        e *= v2
        let next = s + e / Double(2 * j + 1)
        if next == s { return next }
        s = next
      }
    }
    return x * Portable.log(x / m) + m - x
  }

  /// I_x(a, b), the regularised incomplete beta function.
  public static func betaI(_ x: Double, _ a: Double, _ b: Double) -> Double {
    betaI(x, complement: 1 - x, a, b)
  }

  /// The same with 1 − x given, for callers that know it better than a subtraction would.
  public static func betaI(_ x: Double, complement y: Double, _ a: Double, _ b: Double) -> Double {
    if x.isNaN || a.isNaN || b.isNaN { return .nan }
    if x <= 0 { return 0 }
    if y <= 0 { return 1 }
    let front = betaFront(x, y, a, b)
    return x < (a + 1) / (a + b + 2)
      ? front * betaFraction(x, a, b) / a : 1 - front * betaFraction(y, b, a) / b
  }

  /// x^a y^b / B(a, b).
  private static func betaFront(_ x: Double, _ y: Double, _ a: Double, _ b: Double) -> Double {
    if a < 10 || b < 10 {
      let logX = x > 0.5 ? Portable.log1p(-y) : Portable.log(x)
      let logY = y > 0.5 ? Portable.log1p(-x) : Portable.log(y)
      return Portable.exp(a * logX + b * logY - logBeta(a, b))
    }
    let n = a + b
    let corrections = stirlingTail(n) - stirlingTail(a) - stirlingTail(b)
    let density = Portable.exp(corrections - deviance(a, n * x) - deviance(b, n * y))
    return density * (a * b / (n * 6.283185307179586477)).squareRoot()
  }

  /// Continued fraction for the incomplete beta function (Abramowitz & Stegun 26.5.8), Lentz's method.
  private static func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    if d.magnitude < tiny { d = tiny }
    d = 1 / d
    var h = d
    for m in 1..<100_000 {
      let m = Double(m)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 + even * d
      if d.magnitude < tiny { d = tiny }
      c = 1 + even / c
      if c.magnitude < tiny { c = tiny }
      d = 1 / d
      h *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 + odd * d
      if d.magnitude < tiny { d = tiny }
      c = 1 + odd / c
      if c.magnitude < tiny { c = tiny }
      d = 1 / d
      let step = d * c
      h *= step
      if (step - 1).magnitude < 1e-16 { break }
    }
    return h
  }
}
