import Statistics

/// A number with its first and second derivatives in up to four parameters, carried through arithmetic by the chain rule:
/// exact derivatives for likelihoods whose formulas are long.
struct Jet {
  var value: Double
  var gradient = SIMD4<Double>()
  /// Rows of the symmetric matrix of second derivatives.
  var rows = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())

  @inline(__always) init(_ value: Double) { self.value = value }

  /// Parameter `index` itself.
  init(_ value: Double, parameter index: Int) {
    self.value = value
    gradient[index] = 1
  }

  /// f(x) from f, f′, f″ at x.
  @inline(__always)
  func mapped(_ f: Double, _ d: Double, _ dd: Double) -> Jet {
    var result = Jet(f)
    let g = gradient
    result.gradient = d * g
    result.rows = (
      d * rows.0 + dd * g[0] * g, d * rows.1 + dd * g[1] * g, d * rows.2 + dd * g[2] * g, d * rows.3 + dd * g[3] * g
    )
    return result
  }

  @inline(__always)
  static func + (a: Jet, b: Jet) -> Jet {
    var c = a
    c.value += b.value
    c.gradient += b.gradient
    c.rows = (a.rows.0 + b.rows.0, a.rows.1 + b.rows.1, a.rows.2 + b.rows.2, a.rows.3 + b.rows.3)
    return c
  }
  @inline(__always)
  static func * (a: Jet, b: Double) -> Jet {
    var c = Jet(a.value * b)
    c.gradient = a.gradient * b
    c.rows = (a.rows.0 * b, a.rows.1 * b, a.rows.2 * b, a.rows.3 * b)
    return c
  }
  @inline(__always) static func - (a: Jet, b: Jet) -> Jet { a + b * -1 }
  @inline(__always) static func += (a: inout Jet, b: Jet) { a = a + b }
  @inline(__always) static func -= (a: inout Jet, b: Jet) { a = a - b }
  @inline(__always)
  static func + (a: Jet, b: Double) -> Jet {
    var c = a
    c.value += b
    return c
  }
  @inline(__always)
  static func * (a: Jet, b: Jet) -> Jet {
    var c = Jet(a.value * b.value)
    let (g, h) = (a.gradient, b.gradient)
    c.gradient = a.value * h + b.value * g
    c.rows = (
      a.value * b.rows.0 + b.value * a.rows.0 + g[0] * h + h[0] * g, a.value * b.rows.1 + b.value * a.rows.1 + g[1] * h + h[1] * g,
      a.value * b.rows.2 + b.value * a.rows.2 + g[2] * h + h[2] * g, a.value * b.rows.3 + b.value * a.rows.3 + g[3] * h + h[3] * g
    )
    return c
  }

  var log: Jet { mapped(Portable.log(value), 1 / value, -1 / (value * value)) }
  var exp: Jet {
    let e = Portable.exp(value)
    return mapped(e, e, e)
  }
  var inverse: Jet { mapped(1 / value, -1 / (value * value), 2 / (value * value * value)) }
  /// ln(1 + x).
  var log1p: Jet {
    let u = 1 / (1 + value)
    return mapped(Portable.log1p(value), u, -u * u)
  }
  /// ln(1 + e^x).
  var softplus: Jet {
    let p = Portable.sigmoid(value)
    return mapped(Portable.softplus(value), p, p * (1 - p))
  }

  /// ln Γ(x + d) − ln Γ(x) for a whole d ≥ 0.
  func logRising(_ d: Double) -> Jet {
    if d > 64 {
      return mapped(
        Special.logGammaRatio(value, plus: d), Special.digamma(value + d) - Special.digamma(value),
        Special.trigamma(value + d) - Special.trigamma(value))
    }
    var (ln, first, second) = (0.0, 0.0, 0.0)
    for i in 0..<Int(d) {
      let x = value + Double(i)
      ln += Portable.log(x)
      first += 1 / x
      second -= 1 / (x * x)
    }
    return mapped(ln, first, second)
  }

  /// ln(e^a + e^b).
  static func logAddExp(_ a: Jet, _ b: Jet) -> Jet { a.value >= b.value ? a + (b - a).softplus : b + (a - b).softplus }

  /// What Newton's method takes, of the first `count` parameters.
  func newton(_ count: Int) -> Newton.Value {
    var h = SymmetricMatrix(order: count)
    let all = [rows.0, rows.1, rows.2, rows.3]
    for i in 0..<count { for j in 0...i { h[i, j] = all[i][j] } }
    return (value, (0..<count).map { gradient[$0] }, h)
  }
}
