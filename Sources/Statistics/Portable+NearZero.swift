// log1p, expm1 and what is made of them: full relative precision where 1 + x would lose it.
extension Portable {
  /// ln(1 + x).
  @inlinable @inline(__always)
  public static func log1p(_ x: Double) -> Double {
    guard x > -1, x < 1e300 else { return log1pAtTheEdge(x) }
    if x > -0.29289321881345254, x < 0.41421356237309503 {
      return x.magnitude < 1e-290 ? x : logSeries(x, k: 0, correction: 0)
    }
    let u = 1 + x
    let shifted = u.bitPattern &+ 0x0009_5f62_0000_0000
    let k = Int32(truncatingIfNeeded: shifted &>> 52) &- 0x3ff
    // The part of x that 1 + x rounded away, as a share of u.
    let lost = k < 54 ? (k >= 2 ? 1 - (u - x) : x - (u - 1)) / u : 0
    let m = Double(bitPattern: (shifted & 0x000f_ffff_ffff_ffff) &+ 0x3fe6_a09e_0000_0000)
    return logSeries(m - 1, k: Double(k), correction: lost)
  }

  @usableFromInline
  static func log1pAtTheEdge(_ x: Double) -> Double {
    if x.isNaN || x == .infinity { return x }
    if x == -1 { return -.infinity }
    return x < -1 ? .nan : log(x)
  }

  /// eˣ − 1.
  @inlinable
  public static func expm1(_ value: Double) -> Double {
    if value.isNaN { return value }
    if value > 709.782712893383973096 { return .infinity }
    if value < -38.816242 { return -1 }
    if value.magnitude < 5.551115123125783e-17 { return value }
    var x = value
    var k: Int64 = 0
    var c = 0.0
    if value.magnitude > 0.34657359027997264 {
      let shifted = value * 1.44269504088896338700 + 6755399441055744.0
      let kd = shifted - 6755399441055744.0
      k = Int64(Int32(truncatingIfNeeded: shifted.bitPattern))
      let hi = value - kd * 6.93147180369123816490e-01
      let lo = kd * 1.90821492927058770002e-10
      x = hi - lo
      c = (hi - x) - lo
    }
    let half = 0.5 * x
    let hxs = x * half
    let q3 = -7.93650757867487942473e-05 + hxs * (4.00821782732936239552e-06 + hxs * -2.01099218183624371326e-07)
    let r1 = 1 + hxs * (-3.33333333333331316428e-02 + hxs * (1.58730158725481460165e-03 + hxs * q3))
    let t = 3 - r1 * half
    var e = hxs * ((r1 - t) / (6 - x * t))
    if k == 0 { return x - (x * e - hxs) }
    e = x * (e - c) - c
    e -= hxs
    if k == -1 { return 0.5 * (x - e) - 0.5 }
    if k == 1 { return x < -0.25 ? -2 * (e - (x + 0.5)) : 1 + 2 * (x - e) }
    if k < 0 || k > 56 {
      let y = x - e + 1
      if k == 1024 { return y * 2 * 8.98846567431158e307 - 1 }
      return y * Double(bitPattern: UInt64(bitPattern: k &+ 1023) &<< 52) - 1
    }
    let power = Double(bitPattern: UInt64(bitPattern: k &+ 1023) &<< 52)
    let inverse = Double(bitPattern: UInt64(bitPattern: 1023 &- k) &<< 52)
    return k < 20 ? (x - e + (1 - inverse)) * power : (x - (e + inverse) + 1) * power
  }

  /// 1 / (1 + e^−x), without overflow at either end.
  @inlinable @inline(__always)
  public static func sigmoid(_ x: Double) -> Double {
    let e = exp(-x.magnitude)
    return (x >= 0 ? 1 : e) / (1 + e)
  }

  /// ln(1 + e^x).
  @inlinable @inline(__always)
  public static func softplus(_ x: Double) -> Double {
    (x > 0 ? x : 0) + log1p(exp(-x.magnitude))
  }

  /// ln(e^x + e^y).
  @inlinable
  public static func logAddExp(_ x: Double, _ y: Double) -> Double {
    if x == y { return x + 0.693147180559945309 }
    let (high, low) = x > y ? (x, y) : (y, x)
    return high + log1p(exp(low - high))
  }
}
