import Statistics

/// A mixture of normal distributions, each with a covariance of its own, by expectation and maximization from k-means.
///
///     let mixture = GaussianMixture(k: 3, seed: 1).fit([age, score])
///     mixture.bic
public struct GaussianMixture: Hashable, Sendable {
  public var k: Int
  public var seed: UInt64
  /// Seedings; the likeliest result is kept.
  public var restarts = 3
  public var maximumIterations = 500
  /// Ends when the mean log-likelihood of a point gains less.
  public var tolerance = 1e-8
  /// Added to variances, so that no component shrinks to a point; scikit-learn's.
  public var floor = 1e-6

  public init(k: Int, seed: UInt64, restarts: Int = 3) {
    self.k = k
    self.seed = seed
    self.restarts = restarts
  }

  public struct Result: Sendable {
    /// The likeliest component of each point.
    public var labels: [Int32]
    public var weights: [Double]
    /// k × d and k × d × d.
    public var means: [Double]
    public var covariances: [Double]
    public var logLikelihood: Double
    /// −2 · log-likelihood + parameters · ln n (Schwarz 1978): less is better.
    public var bic: Double
    public var iterations: Int
    public var converged: Bool
  }

  /// Columns of equal length, finite values, at least k points.
  public func fit(_ columns: [[Double]]) -> Result {
    let (n, d) = (columns[0].count, columns.count)
    precondition(k >= 1 && n >= k, "a mixture of \(k) needs at least as many points, not \(n)")
    let points = (0..<n).flatMap { i in columns.map { $0[i] } }
    var best: Result?
    for restart in 0..<max(restarts, 1) {
      var kMeans = KMeans(k: k, seed: seed &+ UInt64(restart), restarts: 1)
      // Starts are to differ; improved ones would all be the same.
      kMeans.improves = false
      let start = kMeans.fit(columns)
      let result = climb(points, n, d, start.labels)
      if best == nil || result.logLikelihood > best!.logLikelihood { best = result }
    }
    return best!
  }

  /// What the points of a chunk add to the components.
  private struct Part {
    var weights: [Double]
    var sums: [Double]
    var squares: [Double]
    var logLikelihood = 0.0
  }

  private func climb(_ points: [Double], _ n: Int, _ d: Int, _ start: [Int32]) -> Result {
    var labels = start
    var state = components(
      of: moments(points, n, d) { i, out in
        out[Int(start[i])] = 1
        return 0
      }, n, d)
    var (last, iterations, converged) = (-Double.infinity, 0, false)
    var total = Part(weights: [], sums: [], squares: [])
    while iterations < maximumIterations {
      iterations += 1
      let now = state
      total = labels.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let labels = buffer.baseAddress!
        return moments(points, n, d) { i, out in
          let likelihood = responsibilities(points, i, d, now, out)
          labels[i] = likelihood.label
          return likelihood.log
        }
      }
      let mean = total.logLikelihood / Double(n)
      converged = mean - last < tolerance
      if converged { break }
      last = mean
      state = components(of: total, n, d)
    }
    let free = Double(k - 1 + k * d + k * d * (d + 1) / 2)
    return Result(
      labels: labels, weights: state.weights, means: state.means, covariances: state.covariances,
      logLikelihood: total.logLikelihood, bic: -2 * total.logLikelihood + free * Portable.log(Double(n)),
      iterations: iterations, converged: converged)
  }

  /// Weighted sums and products of the points; `share` fills in how much of a point belongs to each component.
  private func moments(
    _ points: [Double], _ n: Int, _ d: Int, _ share: (Int, UnsafeMutablePointer<Double>) -> Double
  ) -> Part {
    let parts = FixedChunks.map(count: n, chunk: 4096) { rows -> Part in
      var part = Part(
        weights: [Double](repeating: 0, count: k), sums: [Double](repeating: 0, count: k * d),
        squares: [Double](repeating: 0, count: k * d * d))
      withUnsafeTemporaryAllocation(of: Double.self, capacity: k) { shares in
        let shares = shares.baseAddress!
        for i in rows {
          for c in 0..<k { shares[c] = 0 }
          part.logLikelihood += share(i, shares)
          for c in 0..<k where shares[c] > 0 {
            part.weights[c] += shares[c]
            for a in 0..<d {
              let x = shares[c] * points[i &* d &+ a]
              part.sums[c &* d &+ a] += x
              for b in 0...a { part.squares[(c &* d &+ a) &* d &+ b] += x * points[i &* d &+ b] }
            }
          }
        }
      }
      return part
    }
    var total = Part(
      weights: [Double](repeating: 0, count: k), sums: [Double](repeating: 0, count: k * d),
      squares: [Double](repeating: 0, count: k * d * d))
    for part in parts {
      for i in total.weights.indices { total.weights[i] += part.weights[i] }
      for i in total.sums.indices { total.sums[i] += part.sums[i] }
      for i in total.squares.indices { total.squares[i] += part.squares[i] }
      total.logLikelihood += part.logLikelihood
    }
    return total
  }

  private struct Components {
    var weights: [Double]
    var means: [Double]
    var covariances: [Double]
    /// Lower triangles of the roots of the covariances, and what the logarithm of the density starts from.
    var roots: [Double]
    var constants: [Double]
  }

  private func components(of total: Part, _ n: Int, _ d: Int) -> Components {
    var result = Components(
      weights: [], means: total.sums, covariances: [Double](repeating: 0, count: k * d * d),
      roots: [Double](repeating: 0, count: k * d * d), constants: [])
    for c in 0..<k {
      let weight = max(total.weights[c], 1e-300)
      result.weights.append(weight / Double(n))
      for a in 0..<d { result.means[c * d + a] /= weight }
      for a in 0..<d {
        for b in 0...a {
          let covariance = total.squares[(c * d + a) * d + b] / weight - result.means[c * d + a] * result.means[c * d + b]
          result.covariances[(c * d + a) * d + b] = covariance + (a == b ? floor : 0)
          result.covariances[(c * d + b) * d + a] = covariance + (a == b ? floor : 0)
        }
      }
      var logRoot = 0.0
      for a in 0..<d {
        for b in 0...a {
          var left = result.covariances[(c * d + a) * d + b]
          for e in 0..<b { left -= result.roots[(c * d + a) * d + e] * result.roots[(c * d + b) * d + e] }
          // Rounding may leave nothing of the variance of a column that follows from the others.
          result.roots[(c * d + a) * d + b] =
            a == b ? max(left, floor / 2).squareRoot() : left / result.roots[(c * d + b) * d + b]
        }
        logRoot += Portable.log(result.roots[(c * d + a) * d + a])
      }
      // ln 2π
      result.constants.append(Portable.log(result.weights[c]) - logRoot - 0.5 * Double(d) * 1.8378770664093454)
    }
    return result
  }

  private func responsibilities(
    _ points: [Double], _ i: Int, _ d: Int, _ components: Components, _ out: UnsafeMutablePointer<Double>
  ) -> (label: Int32, log: Double) {
    var (largest, label) = (-Double.infinity, 0)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: d) { z in
      for c in 0..<k {
        var square = 0.0
        for a in 0..<d {
          var t = points[i &* d &+ a] - components.means[c &* d &+ a]
          for b in 0..<a { t -= components.roots[(c &* d &+ a) &* d &+ b] * z[b] }
          z[a] = t / components.roots[(c &* d &+ a) &* d &+ a]
          square += z[a] * z[a]
        }
        out[c] = components.constants[c] - 0.5 * square
        if out[c] > largest { (largest, label) = (out[c], c) }
      }
    }
    var sum = 0.0
    for c in 0..<k {
      out[c] = Portable.exp(out[c] - largest)
      sum += out[c]
    }
    for c in 0..<k { out[c] /= sum }
    return (Int32(label), largest + Portable.log(sum))
  }
}
