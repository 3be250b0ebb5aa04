// x^y with the logarithm carried in two parts (fdlibm e_pow.c), so that a large y does not magnify its rounding.
extension Portable {
  /// x raised to y, with the special cases of IEEE 754.
  public static func pow(_ x: Double, _ y: Double) -> Double {
    if y == 0 || x == 1 { return 1 }
    if x.isNaN || y.isNaN { return .nan }
    let yIsInteger = y.magnitude >= 9007199254740992 || y == y.rounded(.towardZero)
    let yIsOdd = yIsInteger && y.magnitude < 9007199254740992 && Int64(y) & 1 == 1
    let sign: Double = x.sign == .minus && yIsOdd ? -1 : 1
    if y.isInfinite {
      if x == -1 { return 1 }
      return (x.magnitude > 1) == (y > 0) ? .infinity : 0
    }
    if x == 0 || x.isInfinite { return (x == 0) == (y > 0) ? sign * 0 : sign * .infinity }
    if x < 0, !yIsInteger { return .nan }
    if y == 1 { return x }
    if y == 2 { return x * x }
    if y == 0.5 { return x.squareRoot() }
    return sign * powerOfPositive(x.magnitude, y)
  }

  private static func powerOfPositive(_ x: Double, _ y: Double) -> Double {
    let (t1, t2): (Double, Double)  // log2 x = t1 + t2
    if y.magnitude > 2147483648.0 {
      if x < 0.9999990463256836 { return y < 0 ? .infinity : 0 }
      if x > 1.0000009536743164 { return y > 0 ? .infinity : 0 }
      let t = x - 1
      let w = (t * t) * (0.5 - t * (0.3333333333333333333333 - t * 0.25))
      let u = 1.44269502162933349609e+00 * t
      let v = t * 1.92596299112661746887e-08 - w * 1.44269504088896338700e+00
      t1 = upper(u + v)
      t2 = v - (t1 - u)
    } else {
      (t1, t2) = binaryLog(x)
    }
    let y1 = upper(y)
    let pl = (y - y1) * t1 + y * t2
    var ph = y1 * t1
    let z = pl + ph
    if z >= 1024, z > 1024 || pl + 8.0085662595372944372e-17 > z - ph { return .infinity }
    if z <= -1075, z < -1075 || pl <= z - ph { return 0 }
    let shifted = z + 6755399441055744.0
    let n = Int64(Int32(truncatingIfNeeded: shifted.bitPattern))
    ph -= shifted - 6755399441055744.0
    let t = upper(pl + ph)
    let u = t * 6.93147182464599609375e-01
    let v = (pl - (t - ph)) * 6.93147180559945286227e-01 + t * -1.90465429995776804525e-09
    let w = u + v
    let rest = v - (w - u)
    let square = w * w
    let p3 = 6.61375632143793436117e-05 + square * (-1.65339022054652515390e-06 + square * 4.13813679705723846039e-08)
    let p = 1.66666666666666019037e-01 + square * (-2.77777777770155933842e-03 + square * p3)
    let c = w - square * p
    let r = (w * c) / (c - 2) - (rest + w * rest)
    return scaled(1 - (r - w), by: n)
  }

  /// log2 x in two parts, the first with 21 free low bits.
  private static func binaryLog(_ value: Double) -> (Double, Double) {
    var n = 0
    var ax = value
    if ax < 2.2250738585072014e-308 {
      ax *= 9007199254740992.0
      n -= 53
    }
    var ix = Int(ax.bitPattern >> 32)
    n += (ix >> 20) - 0x3ff
    let j = ix & 0xfffff
    ix = j | 0x3ff00000
    var k = 0
    if j > 0x3988E {
      if j < 0xBB67A {
        k = 1
      } else {
        n += 1
        ix -= 0x00100000
      }
    }
    ax = Double(bitPattern: UInt64(ix) << 32 | ax.bitPattern & 0xffff_ffff)
    let (bp, dph, dpl) = k == 0 ? (1.0, 0.0, 0.0) : (1.5, 5.84962487220764160156e-01, 1.35003920212974897128e-08)
    let u = ax - bp
    let v = 1 / (ax + bp)
    let ss = u * v
    let sh = upper(ss)
    let th = Double(bitPattern: UInt64(((ix >> 1) | 0x20000000) + 0x00080000 + (k << 18)) << 32)
    let tl = ax - (th - bp)
    let sl = v * ((u - sh * th) - sh * tl)
    let s2 = ss * ss
    let l4 = 2.72728123808534006489e-01 + s2 * (2.30660745775561754067e-01 + s2 * 2.06975017800338417784e-01)
    let l2 = 4.28571428578550184252e-01 + s2 * (3.33333329818377432918e-01 + s2 * l4)
    var r = s2 * s2 * (5.99999999999994648725e-01 + s2 * l2)
    r += sl * (sh + ss)
    let square = sh * sh
    let h = upper(3.0 + square + r)
    let l = r - ((h - 3.0) - square)
    let product = sh * h
    let rest = sl * h + l * ss
    let ph = upper(product + rest)
    let pl = rest - (ph - product)
    let zh = 9.61796700954437255859e-01 * ph
    let zl = -7.02846165095275826516e-09 * ph + pl * 9.61796693925975554329e-01 + dpl
    let t = Double(n)
    let t1 = upper(((zh + zl) + dph) + t)
    return (t1, zl - (((t1 - t) - dph) - zh))
  }

  @inline(__always)
  private static func upper(_ x: Double) -> Double { Double(bitPattern: x.bitPattern & 0xffff_ffff_0000_0000) }
}
