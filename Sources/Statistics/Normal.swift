/// The normal law and the error function behind it.
public enum Normal {
  /// erf(x): an all-positive series near zero (Abramowitz & Stegun 7.1.6), the complement beyond.
  public static func erf(_ x: Double) -> Double {
    let t = x.magnitude
    if t.isNaN { return x }
    if t >= 1 { return x > 0 ? 1 - erfc(t) : erfc(t) - 1 }
    return erfSeries(x)
  }

  /// 1 − erf(x), small values in full precision.
  public static func erfc(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x < 1 { return x > -1 ? 1 - erfSeries(x) : 2 - erfc(-x) }
    if x > 27.3 { return 0 }
    // x² in two parts: an error of one unit in x² would become x² units in the result.
    let high = Double(bitPattern: x.bitPattern & 0xffff_ffff_f800_0000)
    let density = Portable.exp(-high * high) * Portable.exp(-(x - high) * (x + high))
    // Continued fraction 7.1.14 from its far end; it needs about 160 / x² terms.
    var fraction = x
    for k in stride(from: x < 2 ? 300 : 120, to: 0, by: -1) { fraction = x + Double(k) * 0.5 / fraction }
    return density / (fraction * 1.7724538509055160273)
  }

  private static func erfSeries(_ x: Double) -> Double {
    let square = x * x
    var term = x
    var sum = x
    var n = 1.0
    while term.magnitude > sum.magnitude * 1e-17, n < 200 {
      term *= 2 * square / (2 * n + 1)
      sum += term
      n += 1
    }
    return 1.1283791670955125739 * Portable.exp(-square) * sum
  }

  /// Φ(x).
  public static func cdf(_ x: Double) -> Double {
    if x > -1.5 || x < -39 || x.isNaN { return 0.5 * erfc(-x * 0.70710678118654752440) }
    // Mills' ratio (Abramowitz & Stegun 26.2.14), x²/2 in two parts: −x/√2 rounded would cost x² units.
    let t = -x
    var fraction = t
    for k in stride(from: 300, to: 0, by: -1) { fraction = t + Double(k) / fraction }
    let high = Double(bitPattern: t.bitPattern & 0xffff_ffff_f800_0000)
    let density = Portable.exp(-0.5 * high * high) * Portable.exp(-0.5 * (t - high) * (t + high))
    return 0.39894228040143267794 * density / fraction
  }

  /// φ(x).
  public static func density(_ x: Double) -> Double { 0.39894228040143267794 * Portable.exp(-0.5 * x * x) }

  /// Φ⁻¹(p): Acklam's rational approximation (2003), then two steps of Halley.
  public static func quantile(_ p: Double) -> Double {
    if p.isNaN || p < 0 || p > 1 { return .nan }
    if p == 0 { return -.infinity }
    if p == 1 { return .infinity }
    if p > 0.5 { return -lowerQuantile(1 - p) }
    return lowerQuantile(p)
  }

  private static func lowerQuantile(_ p: Double) -> Double {
    var x: Double
    if p < 0.02425 {
      let q = (-2 * Portable.log(p)).squareRoot()
      let c3 = (((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q - 2.549732539343734) * q
      let d2 = ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q
      x = ((c3 + 4.374664141464968) * q + 2.938163982698783) / ((d2 + 3.754408661907416) * q + 1)
    } else {
      let q = p - 0.5
      let r = q * q
      let a3 = (((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r + 1.383577518672690e+02) * r
      let b3 = (((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r + 6.680131188771972e+01) * r
      x = ((a3 - 3.066479806614716e+01) * r + 2.506628277459239) * q / ((b3 - 1.328068155288572e+01) * r + 1)
    }
    for _ in 0..<2 where x.isFinite && density(x) > 0 {
      let u = (cdf(x) - p) / density(x)
      x -= u / (1 + 0.5 * x * u)
    }
    return x
  }
}
