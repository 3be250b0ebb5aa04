import Statistics

/// The log-likelihood of BG/NBD and MBG/NBD with its first and second derivatives, over grouped customers.
///
/// The two models differ in one number: `o` = 0 when a customer may leave after a repeat purchase only (BG/NBD),
/// 1 when also after the first (MBG/NBD). What depends on x alone is a sum over distinct x; what depends on T alone is a
/// sum over distinct times; one exp and one log1p per row are left, for customers who may have left.
struct BetaGeometricLikelihood {
  let data: GroupedSummary
  /// 0 for BG/NBD, 1 for MBG/NBD.
  let o: Int
  /// Σ weight and Σ weight · x of the customers of each age.
  private let weightAt: [Double]
  private let purchasesAt: [Double]
  /// Pieces of runs with at most `chunk` rows, in order.
  private let pieces: [(x: Double, rows: Range<Int>)]
  private let chunks: [Range<Int>]

  static let chunk = 1 << 14

  init(_ data: GroupedSummary, o: Int) {
    self.data = data
    self.o = o
    var weightAt = [Double](repeating: 0, count: data.times.count)
    var purchasesAt = weightAt
    var pieces: [(x: Double, rows: Range<Int>)] = []
    var chunks: [Range<Int>] = []
    var (start, size) = (0, 0)
    for run in data.runs {
      for row in run.rows {
        weightAt[Int(data.TIndex[row])] += data.weight[row]
        purchasesAt[Int(data.TIndex[row])] += data.weight[row] * run.x
      }
      if run.x == 0 && o == 0 { continue }
      var low = run.rows.lowerBound
      while low < run.rows.upperBound {
        let high = min(run.rows.upperBound, low + Self.chunk - size)
        pieces.append((run.x, low..<high))
        size += high - low
        low = high
        if size == Self.chunk {
          chunks.append(start..<pieces.count)
          (start, size) = (pieces.count, 0)
        }
      }
    }
    if start < pieces.count { chunks.append(start..<pieces.count) }
    self.weightAt = weightAt
    self.purchasesAt = purchasesAt
    self.pieces = pieces
    self.chunks = chunks
  }

  /// ℓ, ∂ℓ and ∂²ℓ in (r, α, a, b).
  struct Sums {
    var value = 0.0
    var gradient = SIMD4<Double>()
    // rr, rα, αα, ra, rb, αa, αb, aa, ab, bb
    var second = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
  }

  func evaluate(_ r: Double, _ α: Double, _ a: Double, _ b: Double) -> Newton.Value {
    var total = purchaseCountTerms(r, a, b)
    let logα = Portable.log(α)
    let W = data.totalWeight
    total.value += W * r * logα
    total.gradient += SIMD4(W * logα, W * r / α, 0, 0)
    total.second.1 += W / α
    total.second.2 -= W * r / (α * α)

    let logs = data.times.map { Portable.log(α + $0) }
    let inverses = data.times.map { 1 / (α + $0) }
    for i in logs.indices {
      let events = r * weightAt[i] + purchasesAt[i]
      total.value -= events * logs[i]
      total.gradient -= SIMD4(weightAt[i] * logs[i], events * inverses[i], 0, 0)
      total.second.1 -= weightAt[i] * inverses[i]
      total.second.2 += events * inverses[i] * inverses[i]
    }
    let logA = Portable.log(a)
    let partial = FixedChunks.map(count: chunks.count, chunk: 1) { range -> Sums in
      var sums = Sums()
      for piece in chunks[range.lowerBound] {
        departed(pieces[piece].x, pieces[piece].rows, r, a, b, logA: logA, logs, inverses, &sums)
      }
      return sums
    }
    for p in partial {
      total.value += p.value
      total.gradient += p.gradient
      total.second.0 += p.second.0
      total.second.1 += p.second.1
      total.second.2 += p.second.2
      total.second.3 += p.second.3
      total.second.4 += p.second.4
      total.second.5 += p.second.5
      total.second.6 += p.second.6
      total.second.7 += p.second.7
      total.second.8 += p.second.8
      total.second.9 += p.second.9
    }
    var h = SymmetricMatrix(order: 4)
    (h[0, 0], h[0, 1], h[1, 1], h[0, 2], h[0, 3]) =
      (total.second.0, total.second.1, total.second.2, total.second.3, total.second.4)
    (h[1, 2], h[1, 3], h[2, 2], h[2, 3], h[3, 3]) =
      (total.second.5, total.second.6, total.second.7, total.second.8, total.second.9)
    return (total.value, (0..<4).map { total.gradient[$0] }, h)
  }

  /// ln Γ(r+x)/Γ(r) + ln B(a, b+x+o)/B(a, b), summed over customers. Growing x adds factors, so the gamma functions
  /// become short products; b and a+b stay together in log1p, or a long dropout-free history would cancel them.
  private func purchaseCountTerms(_ r: Double, _ a: Double, _ b: Double) -> Sums {
    var sums = Sums()
    var (lnR, dR, ddR) = (0.0, 0.0, 0.0)
    var (lnB, dA, dB, ddA, ddB) = (0.0, 0.0, 0.0, 0.0, 0.0)
    var (i, j) = (0.0, 0.0)
    for run in data.runs {
      if run.x - i > 2048 {
        lnR += Special.logGammaRatio(r + i, plus: run.x - i)
        dR += Special.digamma(r + run.x) - Special.digamma(r + i)
        ddR += Special.trigamma(r + run.x) - Special.trigamma(r + i)
        i = run.x
      }
      while i < run.x {
        let inverse = 1 / (r + i)
        lnR += Portable.log(r + i)
        dR += inverse
        ddR -= inverse * inverse
        i += 1
      }
      let y = run.x + Double(o)
      if y - j > 2048 {
        let (low, high) = (b + j, b + y)
        lnB += Special.logGammaRatio(low, plus: y - j) - Special.logGammaRatio(a + low, plus: y - j)
        let both = Special.digamma(a + high) - Special.digamma(a + low)
        let bothSecond = Special.trigamma(a + low) - Special.trigamma(a + high)
        dA -= both
        dB += Special.digamma(high) - Special.digamma(low) - both
        ddA += bothSecond
        ddB += bothSecond - (Special.trigamma(low) - Special.trigamma(high))
        j = y
      }
      while j < y {
        let (inverseB, inverseAB) = (1 / (b + j), 1 / (a + b + j))
        lnB -= Portable.log1p(a * inverseB)
        dA -= inverseAB
        dB += a * inverseB * inverseAB
        ddA += inverseAB * inverseAB
        ddB -= a * inverseB * inverseAB * (inverseB + inverseAB)
        j += 1
      }
      let w = run.weight
      sums.value += w * (lnR + lnB)
      sums.gradient += SIMD4(w * dR, 0, w * dA, w * dB)
      sums.second.0 += w * ddR
      sums.second.7 += w * ddA
      sums.second.8 += w * ddA
      sums.second.9 += w * ddB
    }
    return sums
  }

  /// softplus(d) and its derivatives over rows of one x, with d = ln a − ln(b+x−1+o) + (r+x) ln((α+T)/(α+t_x)):
  /// the log odds of having left after the last purchase.
  private func departed(
    _ x: Double, _ rows: Range<Int>, _ r: Double, _ a: Double, _ b: Double, logA: Double, _ logs: [Double],
    _ inverses: [Double], _ sums: inout Sums
  ) {
    let R = r + x
    let survivals = b + x - 1 + Double(o)
    let start = logA - Portable.log(survivals)
    var (value, q0, qΔ, qE, qF) = (0.0, 0.0, 0.0, 0.0, 0.0)
    var (v0, vΔ, vΔΔ, vE, vEE, vΔE) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    logs.withUnsafeBufferPointer { logs in
      inverses.withUnsafeBufferPointer { inverses in
        data.TIndex.withUnsafeBufferPointer { TIndex in
          data.txIndex.withUnsafeBufferPointer { txIndex in
            data.weight.withUnsafeBufferPointer { weight in
              // Lanes of four rows; those missing at the end weigh nothing.
              var (lValue, l0, lΔ, lE, lF) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
              var (m0, mΔ, mΔΔ) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
              var (mE, mEE, mΔE) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
              var row = rows.lowerBound
              let last = rows.upperBound - 1
              while row <= last {
                let (i, j, k) = (min(row + 1, last), min(row + 2, last), min(row + 3, last))
                let (T0, T1, T2, T3) = (Int(TIndex[row]), Int(TIndex[i]), Int(TIndex[j]), Int(TIndex[k]))
                let (t0, t1, t2, t3) = (Int(txIndex[row]), Int(txIndex[i]), Int(txIndex[j]), Int(txIndex[k]))
                let w = SIMD4(
                  weight[row], row + 1 <= last ? weight[i] : 0, row + 2 <= last ? weight[j] : 0, row + 3 <= last ? weight[k] : 0)
                let Δ = SIMD4(logs[T0], logs[T1], logs[T2], logs[T3]) - SIMD4(logs[t0], logs[t1], logs[t2], logs[t3])
                let iT = SIMD4(inverses[T0], inverses[T1], inverses[T2], inverses[T3])
                let itx = SIMD4(inverses[t0], inverses[t1], inverses[t2], inverses[t3])
                let E = itx - iT
                let d = start + R * Δ
                let positive = d .> 0
                let e = Portable.exp(d.replacing(with: -d, where: positive))
                let all = 1 + e
                let odds = 1 / all
                let q = e.replacing(with: 1, where: positive) * odds
                let wq = w * q
                let wv = w * e * odds * odds
                // 1 + e loses what is below a unit in the last place of the sum anyway.
                lValue += w * (SIMD4<Double>().replacing(with: d, where: positive) + Portable.log(all))
                l0 += wq
                lΔ += wq * Δ
                let wqE = wq * E
                lE += wqE
                lF += wqE * (itx + iT)
                m0 += wv
                let (wvΔ, wvE) = (wv * Δ, wv * E)
                mΔ += wvΔ
                mΔΔ += wvΔ * Δ
                mE += wvE
                mEE += wvE * E
                mΔE += wvΔ * E
                row += 4
              }
              func sum(_ v: SIMD4<Double>) -> Double { (v[0] + v[1]) + (v[2] + v[3]) }
              (value, q0, qΔ, qE, qF) = (sum(lValue), sum(l0), sum(lΔ), sum(lE), sum(lF))
              (v0, vΔ, vΔΔ, vE, vEE, vΔE) = (sum(m0), sum(mΔ), sum(mΔΔ), sum(mE), sum(mEE), sum(mΔE))
            }
          }
        }
      }
    }
    let (u, k) = (1 / a, 1 / survivals)
    sums.value += value
    sums.gradient += SIMD4(qΔ, -R * qE, u * q0, -k * q0)
    sums.second.0 += vΔΔ
    sums.second.1 -= R * vΔE + qE
    sums.second.2 += R * R * vEE + R * qF
    sums.second.3 += u * vΔ
    sums.second.4 -= k * vΔ
    sums.second.5 -= R * u * vE
    sums.second.6 += R * k * vE
    sums.second.7 += u * u * (v0 - q0)
    sums.second.8 -= u * k * v0
    sums.second.9 += k * k * (v0 + q0)
  }
}
