/// Special functions of positive arguments: the gamma family, incomplete gamma and beta, the error function.
public enum Special {
  /// ln Γ(x) for x > 0 (fdlibm e_lgamma_r.c).
  public static func logGamma(_ x: Double) -> Double {
    if x.isNaN || x < 0 { return .nan }
    if x == 0 || x == .infinity { return .infinity }
    if x < 8.67e-19 { return -Portable.log(x) }
    if x == 1 || x == 2 { return 0 }
    if x < 2 { return logGammaBelowTwo(x) }
    if x < 8 {
      let i = x.rounded(.towardZero)
      let y = x - i
      let p3 = 1.46350472652464452805e-01 + y * (2.66422703033638609560e-02 + y * (1.84028451407337715652e-03 + y * 3.19475326584100867617e-05))
      let p = y * (-7.72156649015328655494e-02 + y * (2.14982415960608852501e-01 + y * (3.25778796408930981787e-01 + y * p3)))
      let q4 = 1.86459191715652901344e-02 + y * (7.77942496381893596434e-04 + y * 7.32668430744625636189e-06)
      let q = 1 + y * (1.39200533467621045958e+00 + y * (7.21935547567138069525e-01 + y * (1.71933865632803078993e-01 + y * q4)))
      var z = 1.0
      var j = 2.0
      while j < i {
        z *= y + j
        j += 1
      }
      return 0.5 * y + p / q + (z == 1 ? 0 : Portable.log(z))
    }
    if x > 2.88e17 { return x * (Portable.log(x) - 1) }
    return (x - 0.5) * (Portable.log(x) - 1) + stirlingTail(x) + 4.18938533204672725052e-01
  }

  private static func logGammaBelowTwo(_ x: Double) -> Double {
    var r = 0.0
    var y = 0.0
    let region: Int
    if x <= 0.9 {
      r = -Portable.log(x)
      if x >= 0.7315998077392578 { (y, region) = (1 - x, 0) }
      else if x >= 0.23163998126983643 { (y, region) = (x - 0.46163214496836225, 1) }
      else { (y, region) = (x, 2) }
    } else if x >= 1.7316312789916992 { (y, region) = (2 - x, 0) }
    else if x >= 1.2316322326660156 { (y, region) = (x - 1.46163214496836224576, 1) }
    else { (y, region) = (x - 1, 2) }
    switch region {
    case 0:
      let z = y * y
      let a4 = 1.19270763183362067845e-03 + z * (2.20862790713908385557e-04 + z * 2.52144565451257326939e-05)
      let p1 = 7.72156649015328655494e-02 + z * (6.73523010531292681824e-02 + z * (7.38555086081402883957e-03 + z * a4))
      let a5 = 5.10069792153511336608e-04 + z * (1.08011567247583939954e-04 + z * 4.48640949618915160150e-05)
      let p2 = z * (3.22467033424113591611e-01 + z * (2.05808084325167332806e-02 + z * (2.89051383673415629091e-03 + z * a5)))
      return r + ((y * p1 + p2) - 0.5 * y)
    case 1:
      let z = y * y
      let w = z * y
      let p1 = 4.83836122723810047042e-01 + w * (-3.27885410759859649565e-02 + w * (6.10053870246291332635e-03 + w * (-1.40346469989232843813e-03 + w * 3.15632070903625950361e-04)))
      let p2 = -1.47587722994593911752e-01 + w * (1.79706750811820387126e-02 + w * (-3.68452016781138256760e-03 + w * (8.81081882437654011382e-04 + w * -3.12754168375120860518e-04)))
      let p3 = 6.46249402391333854778e-02 + w * (-1.03142241298341437450e-02 + w * (2.25964780900612472250e-03 + w * (-5.38595305356740546715e-04 + w * 3.35529192635519073543e-04)))
      let p = z * p1 - (-3.63867699703950536541e-18 - w * (p2 + y * p3))
      return r + (-1.21486290535849611461e-01 + p)
    default:
      let u3 = 9.77717527963372745603e-01 + y * (2.28963728064692451092e-01 + y * 1.33810918536787660377e-02)
      let p1 = y * (-7.72156649015328655494e-02 + y * (6.32827064025093366517e-01 + y * (1.45492250137234768737e+00 + y * u3)))
      let v3 = 7.69285150456672783825e-01 + y * (1.04222645593369134254e-01 + y * 3.21709242282423911810e-03)
      let p2 = 1 + y * (2.45597793713041134822e+00 + y * (2.12848976379893395361e+00 + y * v3))
      return r + (-0.5 * y + p1 / p2)
    }
  }

  /// ln Γ(x) − [(x − ½) ln x − x + ½ ln 2π], the tail of Stirling's series; x ≥ 8.
  static func stirlingTail(_ x: Double) -> Double {
    let z = 1 / x
    let y = z * z
    let w4 = -5.95187557450339963135e-04 + y * (8.36339918996282139126e-04 + y * -1.63092934096575273989e-03)
    return z * (8.33333333333329678849e-02 + y * (-2.77777777728775536470e-03 + y * (7.93650558643019558500e-04 + y * w4)))
  }

  /// ln Γ(x + d) − ln Γ(x) without the cancellation of the two (Didonato & Morris 1992, `algdiv`).
  public static func logGammaRatio(_ x: Double, plus d: Double) -> Double {
    if d == 0 { return 0 }
    if x < 8 { return logGamma(x + d) - logGamma(x) }
    let y = x + d
    return (x - 0.5) * Portable.log1p(d / x) + d * (Portable.log(y) - 1) + (stirlingTail(y) - stirlingTail(x))
  }

  /// ln B(a, b).
  public static func logBeta(_ a: Double, _ b: Double) -> Double {
    let (small, large) = a < b ? (a, b) : (b, a)
    return logGamma(small) - logGammaRatio(large, plus: small)
  }

  /// ψ(x) for x > 0: the recurrence up to 10, then the asymptotic series (Abramowitz & Stegun 6.3.5, 6.3.18).
  public static func digamma(_ value: Double) -> Double {
    if value.isNaN || value <= 0 { return .nan }
    var x = value
    var shift = 0.0
    while x < 10 {
      shift += 1 / x
      x += 1
    }
    let y = 1 / (x * x)
    // B₂ₖ / 2k
    let s4 = 1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y * (1.0 / 12 - y * (3617.0 / 8160))))
    let series = y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * s4)))
    return Portable.log(x) - 0.5 / x - series - shift
  }

  /// ψ′(x) for x > 0 (Abramowitz & Stegun 6.4.6, 6.4.12).
  public static func trigamma(_ value: Double) -> Double {
    if value.isNaN || value <= 0 { return .nan }
    var x = value
    var shift = 0.0
    while x < 12 {
      shift += 1 / (x * x)
      x += 1
    }
    let y = 1 / (x * x)
    // B₂ₖ
    let s4 = 1.0 / 30 - y * (5.0 / 66 - y * (691.0 / 2730 - y * (7.0 / 6 - y * (3617.0 / 510))))
    let series = 1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y * s4))
    return shift + (1 / x) * (1 + 0.5 / x + y * series)
  }
}
