import Statistics

/// The log-likelihood of Pareto/NBD with its first and second derivatives, over grouped customers.
///
/// A customer is alive at T or left at some y since the last purchase: ℓ is the logarithm of a sum over these cases. The
/// derivatives are means over them, and covariances for the second ones, all with the same nodes.
struct ParetoNBDLikelihood {
  let data: GroupedSummary
  /// Stretches of rows with one x, at most `chunk` long.
  private let pieces: [(x: Double, rows: Range<Int>)]

  static let chunk = 1 << 12

  init(_ data: GroupedSummary) {
    self.data = data
    var pieces: [(x: Double, rows: Range<Int>)] = []
    for run in data.runs {
      for low in stride(from: run.rows.lowerBound, to: run.rows.upperBound, by: Self.chunk) {
        pieces.append((run.x, low..<min(run.rows.upperBound, low + Self.chunk)))
      }
    }
    self.pieces = pieces
  }

  /// ℓ, ∂ℓ and ∂²ℓ in (r, α, s, β).
  struct Sums {
    var value = 0.0
    var gradient = SIMD4<Double>()
    /// rr, rα, αα, rs, αs, ss, rβ, αβ, sβ, ββ: the lower triangle by rows.
    var low = SIMD8<Double>()
    var high = SIMD2<Double>()

    static func += (a: inout Sums, b: Sums) {
      a.value += b.value
      a.gradient += b.gradient
      a.low += b.low
      a.high += b.high
    }
  }

  /// Logarithms and inverses of (α + t) and (β + t), by distinct time.
  private struct Tables {
    let logα: [Double]
    let logβ: [Double]
    let inverseα: [Double]
    let inverseβ: [Double]

    init(_ times: [Double], _ α: Double, _ β: Double) {
      logα = times.map { Portable.log(α + $0) }
      logβ = times.map { Portable.log(β + $0) }
      inverseα = times.map { 1 / (α + $0) }
      inverseβ = times.map { 1 / (β + $0) }
    }
  }

  func evaluate(_ r: Double, _ α: Double, _ s: Double, _ β: Double) -> Newton.Value {
    let tables = Tables(data.times, α, β)
    let partial = FixedChunks.map(count: pieces.count, chunk: 16) { range -> Sums in
      var sums = Sums()
      for i in range { add(pieces[i].x, pieces[i].rows, r, α, s, β, tables, &sums) }
      return sums
    }
    var total = Sums()
    for part in partial { total += part }
    let W = data.totalWeight
    let counts = RisingFactorial(r, over: data.runs)
    let (lnα, lnβ) = (Portable.log(α), Portable.log(β))
    total.value += counts.value + W * (r * lnα + s * lnβ)
    total.gradient += SIMD4(counts.first + W * lnα, W * r / α, W * lnβ, W * s / β)
    var h = SymmetricMatrix(order: 4)
    let l = total.low
    (h[0, 0], h[0, 1], h[1, 1]) = (l[0] + counts.second, l[1] + W / α, l[2] - W * r / (α * α))
    (h[0, 2], h[1, 2], h[2, 2]) = (l[3], l[4], l[5])
    (h[0, 3], h[1, 3]) = (l[6], l[7])
    (h[2, 3], h[3, 3]) = (total.high[0] + W / β, total.high[1] - W * s / (β * β))
    return (total.value, (0..<4).map { total.gradient[$0] }, h)
  }

  /// Rows of one x.
  private func add(
    _ x: Double, _ rows: Range<Int>, _ r: Double, _ α: Double, _ s: Double, _ β: Double, _ t: Tables, _ sums: inout Sums
  ) {
    let R = r + x
    let first = α <= β
    let logS = Portable.log(s)
    let (P, Q) = first ? (R, s + 1) : (s + 1, R)
    t.logα.withUnsafeBufferPointer { logα in
      t.logβ.withUnsafeBufferPointer { logβ in
        t.inverseα.withUnsafeBufferPointer { inverseα in
          t.inverseβ.withUnsafeBufferPointer { inverseβ in
            let (logC, logD) = first ? (logα, logβ) : (logβ, logα)
            let (inverseC, inverseD) = first ? (inverseα, inverseβ) : (inverseβ, inverseα)
            for row in rows {
              let (T, tx, w) = (Int(data.TIndex[row]), Int(data.txIndex[row]), data.weight[row])
              let alive = -R * logα[T] - s * logβ[T]
              let g1 = SIMD4(-logα[T], -R * inverseα[T], -logβ[T], -s * inverseβ[T])
              var (q, δ) = (0.0, SIMD4<Double>())
              var cases = Moments()
              if T != tx {
                let κ = inverseD[tx] / inverseC[tx]
                let plan = ParetoIntegral(
                  length: logC[T] - logC[tx], fall: logD[T] - logD[tx], P: P, Q: Q, κ: κ, finer: false)
                cases = Moments(plan, P: P, Q: Q, κ: κ, inverseC[tx], inverseD[tx])
                let left =
                  logS - R * logα[tx] - (s + 1) * logβ[tx] + logC[tx] + Portable.log(cases.sum * plan.length / Double(plan.panels))
                let d = left - alive
                let e = Portable.exp(-d.magnitude)
                q = (d >= 0 ? 1 : e) / (1 + e)
                sums.value += w * (alive + (d > 0 ? d : 0) + Portable.log1p(e))
                cases.normalize(swap: !first)
                let m = cases.mean
                δ = SIMD4(-(logα[tx] + m[0]), -R * m[1], 1 / s - (logβ[tx] + m[2]), -(s + 1) * m[3]) - g1
              } else {
                sums.value += w * alive
              }
              sums.gradient += w * (g1 + q * δ)
              let (p, v) = (1 - q, q * (1 - q))
              let (iα, iβ) = (inverseα[T], inverseβ[T])
              let m = cases.mean
              let c = cases.covariance
              let S = s + 1
              let rr = q * c.0 + v * δ[0] * δ[0]
              let rα = q * (R * c.1 - m[1]) - p * iα + v * δ[0] * δ[1]
              let αα = p * R * iα * iα + q * (R * (c.2 + m[1] * m[1]) + R * R * c.2) + v * δ[1] * δ[1]
              let rs = q * c.3 + v * δ[0] * δ[2]
              let αs = q * R * c.4 + v * δ[1] * δ[2]
              let ss = q * (c.5 - 1 / (s * s)) + v * δ[2] * δ[2]
              let rβ = q * S * c.6 + v * δ[0] * δ[3]
              let αβ = q * R * S * c.7 + v * δ[1] * δ[3]
              let sβ = q * (S * c.8 - m[3]) - p * iβ + v * δ[2] * δ[3]
              let ββ = p * s * iβ * iβ + q * (S * (c.9 + m[3] * m[3]) + S * S * c.9) + v * δ[3] * δ[3]
              sums.low += w * SIMD8(rr, rα, αα, rs, αs, ss, rβ, αβ)
              sums.high += w * SIMD2(sβ, ββ)
            }
          }
        }
      }
    }
  }

  /// Means and covariances, under the normalised integrand, of ln(α+y) and ln(β+y) beyond their values at t_x and of
  /// 1/(α+y) and 1/(β+y); in the order ln α, 1/α, ln β, 1/β.
  private struct Moments {
    var sum = 0.0
    var mean = SIMD4<Double>()
    /// The lower triangle by rows.
    var covariance = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    init() {}

    @inline(__always)
    init(_ plan: ParetoIntegral, P: Double, Q: Double, κ: Double, _ inverseC: Double, _ inverseD: Double) {
      let width = plan.length / Double(plan.panels)
      let rule = ParetoIntegral.rules[plan.rule]
      var (s0, s1, s2) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
      var (s3, s4) = (SIMD4<Double>(), SIMD4<Double>())
      var (c0, c1, c2, c3, c4) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
      var (c5, c6, c7, c8, c9) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
      rule.lanes.withUnsafeBufferPointer { lanes in
        for panel in 0..<plan.panels {
          let start = width * Double(panel)
          for (nodes, weights) in lanes {
            let u = start + width * nodes
            let grown = Portable.exp(u)
            // 1 + κ(e^u − 1): at least 1, so the plain logarithm keeps an absolute precision that is enough for a sum.
            let other = 1 + κ * (grown - 1)
            let v = Portable.log(other)
            let f = weights * Portable.exp((1 - P) * u - Q * v)
            let (i, j) = (inverseC / grown, inverseD / other)
            let (fu, fi, fv, fj) = (f * u, f * i, f * v, f * j)
            s0 += f
            s1 += fu
            s2 += fi
            s3 += fv
            s4 += fj
            c0 += fu * u
            c1 += fi * u
            c2 += fi * i
            c3 += fv * u
            c4 += fv * i
            c5 += fv * v
            c6 += fj * u
            c7 += fj * i
            c8 += fj * v
            c9 += fj * j
          }
        }
      }
      @inline(__always) func total(_ v: SIMD4<Double>) -> Double { (v[0] + v[1]) + (v[2] + v[3]) }
      sum = total(s0)
      mean = SIMD4(total(s1), total(s2), total(s3), total(s4))
      covariance = (
        total(c0), total(c1), total(c2), total(c3), total(c4), total(c5), total(c6), total(c7), total(c8), total(c9)
      )
    }

    /// Sums become means and covariances; with `swap` c was β, and the pairs change places.
    @inline(__always)
    mutating func normalize(swap: Bool) {
      let n = 1 / sum
      let m = mean * n
      let c = covariance
      covariance = (
        c.0 * n - m[0] * m[0], c.1 * n - m[1] * m[0], c.2 * n - m[1] * m[1], c.3 * n - m[2] * m[0], c.4 * n - m[2] * m[1],
        c.5 * n - m[2] * m[2], c.6 * n - m[3] * m[0], c.7 * n - m[3] * m[1], c.8 * n - m[3] * m[2], c.9 * n - m[3] * m[3]
      )
      mean = m
      if swap {
        mean = SIMD4(m[2], m[3], m[0], m[1])
        let c = covariance
        // (ln α, 1/α) and (ln β, 1/β) exchanged.
        covariance = (c.5, c.8, c.9, c.3, c.6, c.0, c.4, c.7, c.1, c.2)
      }
    }
  }
}
