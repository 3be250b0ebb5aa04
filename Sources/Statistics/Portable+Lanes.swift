// Four at a time for loops over many rows: the same operations in the same order as the functions of one number, so the same bits,
// but without their edges.
extension Portable {
  /// eˣ of each lane; beyond ±708 what it is there.
  @inlinable @inline(__always)
  public static func exp(_ value: SIMD4<Double>) -> SIMD4<Double> {
    let capped = value.replacing(with: 708, where: value .> 708)
    let x = capped.replacing(with: -708, where: capped .< -708)
    let shifted = x * 1.44269504088896338700 + 6755399441055744.0
    let kd = shifted - 6755399441055744.0
    let hi = x - kd * 6.93147180369123816490e-01
    let lo = kd * 1.90821492927058770002e-10
    let r = hi - lo
    let t = r * r
    let p4 = t * 4.13813679705723846039e-08 - 1.65339022054652515390e-06
    let p3 = 6.61375632143793436117e-05 + t * p4
    let p2 = t * p3 - 2.77777777770155933842e-03
    let p1 = 1.66666666666666019037e-01 + t * p2
    let c = r - t * p1
    let y = 1 - ((lo - (r * c) / (2 - c)) - hi)
    let bits = unsafeBitCast(y, to: SIMD4<UInt64>.self) &+ (unsafeBitCast(shifted, to: SIMD4<UInt64>.self) &<< 52)
    return unsafeBitCast(bits, to: SIMD4<Double>.self)
  }

  /// Natural logarithm of each lane; lanes must be positive and normal.
  @inlinable @inline(__always)
  public static func log(_ x: SIMD4<Double>) -> SIMD4<Double> {
    let shifted = unsafeBitCast(x, to: SIMD4<UInt64>.self) &+ 0x0009_5f62_0000_0000
    // The exponent becomes a double in the low bits of 2^52.
    let exponent = unsafeBitCast((shifted &>> 52) | 0x4330_0000_0000_0000, to: SIMD4<Double>.self)
    let k = exponent - 4503599627371519.0  // 2^52 + 1023
    let mantissa = (shifted & 0x000f_ffff_ffff_ffff) &+ 0x3fe6_a09e_0000_0000
    let f = unsafeBitCast(mantissa, to: SIMD4<Double>.self) - 1
    let halfSquare = 0.5 * f * f
    let s = f / (2 + f)
    let z = s * s
    let w = z * z
    let even2 = 2.222219843214978396e-01 + w * 1.531383769920937332e-01
    let even = w * (3.999999999940941908e-01 + w * even2)
    let odd5 = 1.818357216161805012e-01 + w * 1.479819860511658591e-01
    let odd3 = 2.857142874366239149e-01 + w * odd5
    let odd = z * (6.666666666666735130e-01 + w * odd3)
    let tail = s * (halfSquare + (even + odd)) + k * 1.90821492927058770002e-10
    return tail - halfSquare + f + k * 6.93147180369123816490e-01
  }
}
