import Statistics

/// The Gamma-Gamma log-likelihood in beta-prime form, with first and second derivatives:
///
///     ℓ = −ln B(px, q) + px ln w + q ln(1 − w) − ln m,   w = xm / (xm + v)
///
/// The gamma functions depend on x alone and are taken once per distinct x; one logarithm per customer is left.
struct GammaGammaLikelihood {
  /// Customers with x ≥ 1 and m > 0, by x, otherwise in the order given.
  let x: [Double]
  let m: [Double]
  let withoutRepeat: Int
  let withoutSpend: Int
  private let counts: [(x: Double, count: Double)]
  private let sumXLogZ: Double  // Σ x ln(xm)
  private let sumLogM: Double

  var count: Int { x.count }

  init(x allX: [Double], m allM: [Double]) {
    var (withoutRepeat, withoutSpend) = (0, 0)
    var used: [Int] = []
    used.reserveCapacity(allX.count)
    for i in allX.indices {
      if !(allX[i] >= 1) { withoutRepeat += 1 } else if !(allM[i] > 0 && allM[i] < 1e300) { withoutSpend += 1 } else { used.append(i) }
    }
    // A stable counting sort by x.
    let distinct = DistinctValues([used.map { allX[$0] }])
    var starts = [Int](repeating: 0, count: distinct.values.count + 1)
    for slot in distinct.indices[0] { starts[Int(slot) + 1] += 1 }
    for i in 1..<starts.count where starts.count > 1 { starts[i] += starts[i - 1] }
    let sizes = zip(starts.dropFirst(), starts).map { Double($0 - $1) }
    var sortedM = [Double](repeating: 0, count: used.count)
    var sortedX = sortedM
    for (i, slot) in zip(used, distinct.indices[0]) {
      sortedX[starts[Int(slot)]] = allX[i]
      sortedM[starts[Int(slot)]] = allM[i]
      starts[Int(slot)] += 1
    }
    self.init(
      x: sortedX, m: sortedM, counts: Array(zip(distinct.values, sizes)), withoutRepeat: withoutRepeat,
      withoutSpend: withoutSpend)
  }

  private init(x: [Double], m: [Double], counts: [(x: Double, count: Double)], withoutRepeat: Int, withoutSpend: Int) {
    (self.x, self.m, self.counts) = (x, m, counts)
    (self.withoutRepeat, self.withoutSpend) = (withoutRepeat, withoutSpend)
    let sums = FixedChunks.map(count: x.count, chunk: 1 << 14) { rows -> (Double, Double) in
      var (a, b) = (0.0, 0.0)
      for i in rows {
        a += x[i] * Portable.log(x[i] * m[i])
        b += Portable.log(m[i])
      }
      return (a, b)
    }
    sumXLogZ = Summaries.sum(sums.lazy.map(\.0))
    sumLogM = Summaries.sum(sums.lazy.map(\.1))
  }

  func thinned(every step: Int) -> GammaGammaLikelihood {
    let rows = Array(stride(from: 0, to: count, by: step))
    return GammaGammaLikelihood(x: rows.map { x[$0] }, m: rows.map { m[$0] })
  }

  /// The largest ℓ where q is 1 and p grows without end while p v stays: every purchase of a customer costs the same, and those means
  /// are inverse gamma. Σ ln c − 2 ln m − c / m, largest where c is the harmonic mean of the m.
  var constantSpendAtBorder: Double {
    let inverses = FixedChunks.map(count: count, chunk: 1 << 14) { rows in rows.reduce(0.0) { $0 + 1 / m[$1] } }
    let n = Double(count)
    return n * Portable.log(n / Summaries.sum(inverses)) - 2 * sumLogM - n
  }

  /// ℓ, ∂ℓ and ∂²ℓ in (p, q, v).
  func evaluate(_ p: Double, _ q: Double, _ v: Double) -> Newton.Value {
    let n = Double(count)
    let logV = Portable.log(v)
    var value = p * sumXLogZ + n * q * logV - sumLogM
    var g = [sumXLogZ, n * logV, n * q / v]
    var h = SymmetricMatrix(order: 3)
    h[1, 2] = n / v
    h[2, 2] = -n * q / (v * v)
    let (digammaQ, trigammaQ) = (Special.digamma(q), Special.trigamma(q))
    for (x, k) in counts {
      value -= k * Special.logBeta(p * x, q)
      let (both, bothSecond) = (Special.digamma(p * x + q), Special.trigamma(p * x + q))
      g[0] += k * x * (both - Special.digamma(p * x))
      g[1] += k * (both - digammaQ)
      h[0, 0] += k * x * x * (bothSecond - Special.trigamma(p * x))
      h[0, 1] += k * x * bothSecond
      h[1, 1] += k * (bothSecond - trigammaQ)
    }
    // Sums of s = ln(xm + v) and u = 1/(xm + v), plain and weighted with x.
    let partial = FixedChunks.map(count: count, chunk: 1 << 14) { rows -> SIMD8<Double> in
      var (s0, sx, u0, ux, uu0, uux) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
      x.withUnsafeBufferPointer { x in
        m.withUnsafeBufferPointer { m in
          // Four customers at a time, then the rest.
          var (l0, lx, i0, ix) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
          var (ii0, iix) = (SIMD4<Double>(), SIMD4<Double>())
          var i = rows.lowerBound
          while i + 4 <= rows.upperBound {
            let xs = SIMD4(x[i], x[i + 1], x[i + 2], x[i + 3])
            let z = xs * SIMD4(m[i], m[i + 1], m[i + 2], m[i + 3]) + v
            let s = Portable.log(z)
            let u = 1 / z
            let xu = xs * u
            l0 += s
            lx += xs * s
            i0 += u
            ix += xu
            ii0 += u * u
            iix += xu * u
            i += 4
          }
          func sum(_ v: SIMD4<Double>) -> Double { (v[0] + v[1]) + (v[2] + v[3]) }
          (s0, sx, u0, ux, uu0, uux) = (sum(l0), sum(lx), sum(i0), sum(ix), sum(ii0), sum(iix))
          while i < rows.upperBound {
            let z = x[i] * m[i] + v
            let s = Portable.log(z)
            let u = 1 / z
            s0 += s
            sx += x[i] * s
            u0 += u
            ux += x[i] * u
            uu0 += u * u
            uux += x[i] * u * u
            i += 1
          }
        }
      }
      return SIMD8(s0, sx, u0, ux, uu0, uux, 0, 0)
    }
    var sums = SIMD8<Double>()
    for part in partial { sums += part }
    value -= p * sums[1] + q * sums[0]
    g[0] -= sums[1]
    g[1] -= sums[0]
    g[2] -= p * sums[3] + q * sums[2]
    h[0, 2] -= sums[3]
    h[1, 2] -= sums[2]
    h[2, 2] += p * sums[5] + q * sums[4]
    return (value, g, h)
  }
}
