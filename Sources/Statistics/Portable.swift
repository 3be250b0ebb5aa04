/// Elementary functions that give the same bits on every machine: plain IEEE arithmetic in a written order, no libm.
///
///     Portable.log(Portable.exp(1.5))  // 1.5
///
/// Algorithms and constants: fdlibm, "Freely Distributable LIBM", Sun Microsystems 1993 (e_exp.c, e_log.c, s_log1p.c,
/// s_expm1.c, e_pow.c); each stays below one unit in the last place. Swift never contracts `a * b + c` into one
/// rounding by itself, so the order below is the order that runs.
public enum Portable {
  // ln 2 in two parts; the first has 32 trailing zero bits, so `k * ln2High` is exact for every exponent k.
  @usableFromInline static let ln2High = 6.93147180369123816490e-01
  @usableFromInline static let ln2Low = 1.90821492927058770002e-10

  /// eˣ.
  @inlinable @inline(__always)
  public static func exp(_ x: Double) -> Double {
    guard x.magnitude < 708 else { return expAtTheEdge(x) }
    let (y, k) = reducedExp(x)
    return Double(bitPattern: y.bitPattern &+ UInt64(bitPattern: k) &<< 52)
  }

  /// e^x = y · 2^k with y in about (0.7, 1.42).
  @inlinable @inline(__always)
  static func reducedExp(_ x: Double) -> (y: Double, k: Int64) {
    // Adding 1.5 · 2^52 rounds to an integer that can be read from the low bits: no call, no branch.
    let shifted = x * 1.44269504088896338700 + 6755399441055744.0
    let kd = shifted - 6755399441055744.0
    let k = Int64(Int32(truncatingIfNeeded: shifted.bitPattern))
    let hi = x - kd * 6.93147180369123816490e-01
    let lo = kd * 1.90821492927058770002e-10
    let r = hi - lo
    let t = r * r
    let p4 = -1.65339022054652515390e-06 + t * 4.13813679705723846039e-08
    let p2 = -2.77777777770155933842e-03 + t * (6.61375632143793436117e-05 + t * p4)
    let c = r - t * (1.66666666666666019037e-01 + t * p2)
    return (1 - ((lo - (r * c) / (2 - c)) - hi), k)
  }

  @usableFromInline
  static func expAtTheEdge(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x > 709.782712893383973096 { return .infinity }
    if x < -745.13321910194110842 { return 0 }
    let (y, k) = reducedExp(x)
    return scaled(y, by: k)
  }

  /// y · 2^k where the result may leave the normal range.
  @usableFromInline
  static func scaled(_ y: Double, by k: Int64) -> Double {
    let half = k / 2
    let first = Double(bitPattern: UInt64(bitPattern: half + 1023) << 52)
    let second = Double(bitPattern: UInt64(bitPattern: k - half + 1023) << 52)
    return y * first * second
  }

  /// Natural logarithm.
  @inlinable @inline(__always)
  public static func log(_ x: Double) -> Double {
    guard x >= 2.2250738585072014e-308, x < .infinity else { return logAtTheEdge(x) }
    return logOfNormal(x, plus: 0)
  }

  /// ln x + k ln 2 for a positive normal x.
  @inlinable @inline(__always)
  static func logOfNormal(_ x: Double, plus k0: Double) -> Double {
    // Mantissa into [√½, √2).
    let shifted = x.bitPattern &+ 0x0009_5f62_0000_0000
    let k = Double(Int32(truncatingIfNeeded: shifted &>> 52) &- 0x3ff) + k0
    let m = Double(bitPattern: (shifted & 0x000f_ffff_ffff_ffff) &+ 0x3fe6_a09e_0000_0000)
    return logSeries(m - 1, k: k, correction: 0)
  }

  /// ln(1 + f) + k ln 2 + correction.
  @inlinable @inline(__always)
  static func logSeries(_ f: Double, k: Double, correction: Double) -> Double {
    let halfSquare = 0.5 * f * f
    let s = f / (2 + f)
    let z = s * s
    let w = z * z
    let even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    let odd5 = 1.818357216161805012e-01 + w * 1.479819860511658591e-01
    let odd = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01 + w * odd5))
    let tail = s * (halfSquare + (even + odd)) + (k * 1.90821492927058770002e-10 + correction)
    return tail - halfSquare + f + k * 6.93147180369123816490e-01
  }

  @usableFromInline
  static func logAtTheEdge(_ x: Double) -> Double {
    if x.isNaN || x == .infinity { return x }
    if x == 0 { return -.infinity }
    if x < 0 { return .nan }
    return logOfNormal(x * 18014398509481984.0, plus: -54)  // 2^54 lifts a subnormal number
  }

  /// Square root; correctly rounded by the hardware.
  @inlinable @inline(__always)
  public static func sqrt(_ x: Double) -> Double { x.squareRoot() }
}
