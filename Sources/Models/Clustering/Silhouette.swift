import Statistics

/// How much closer points are to their own cluster than to the next one (Rousseeuw 1987), from −1 to 1.
public enum Silhouette {
  /// A mean over all points or over a sample, with the interval that holds the mean over all with 95 % confidence.
  public struct Estimate: Hashable, Sendable {
    public var mean: Double
    public var low: Double
    public var high: Double
    /// How many points were looked at.
    public var points: Int
  }

  /// The mean over all points, or over a seeded sample of `sample` points, Euclidean. Points alone in their cluster
  /// count as 0. Nil when the points have fewer than two clusters.
  public static func mean(_ columns: [[Double]], labels: [Int32], sample: Int = 10_000, seed: UInt64 = 0) -> Double? {
    estimate(columns, labels: labels, sample: sample, seed: seed)?.mean
  }

  /// The mean with its interval, which has no width where all points were looked at.
  public static func estimate(_ columns: [[Double]], labels: [Int32], sample: Int = 10_000, seed: UInt64 = 0) -> Estimate? {
    var random = RandomStream(seed: seed)
    let rows = labels.count <= sample ? Array(labels.indices) : random.sample(sample, of: labels.count)
    let label = rows.map { Int(labels[$0]) }
    let k = (label.max() ?? -1) + 1
    var sizes = [Int](repeating: 0, count: max(k, 0))
    for c in label { sizes[c] += 1 }
    guard sizes.filter({ $0 > 0 }).count > 1 else { return nil }
    let points = rows.flatMap { i in columns.map { $0[i] } }
    let d = columns.count
    let parts = FixedChunks.map(count: rows.count, chunk: 64) { range -> (sum: Double, squares: Double) in
      var total = (sum: 0.0, squares: 0.0)
      var sums = [Double](repeating: 0, count: k)
      for i in range where sizes[label[i]] > 1 {
        for c in 0..<k { sums[c] = 0 }
        points.withUnsafeBufferPointer { points in
          label.withUnsafeBufferPointer { label in
            sums.withUnsafeMutableBufferPointer { sums in
              for j in 0..<label.count {
                var square = 0.0
                for c in 0..<d {
                  let t = points[i &* d &+ c] - points[j &* d &+ c]
                  square += t * t
                }
                sums[label[j]] += square.squareRoot()
              }
            }
          }
        }
        let own = sums[label[i]] / Double(sizes[label[i]] - 1)
        var other = Double.infinity
        for c in 0..<k where c != label[i] && sizes[c] > 0 { other = min(other, sums[c] / Double(sizes[c])) }
        if max(own, other) > 0 {
          let value = (other - own) / max(own, other)
          total.sum += value
          total.squares += value * value
        }
      }
      return total
    }
    let (n, all) = (Double(rows.count), Double(labels.count))
    let mean = parts.reduce(0) { $0 + $1.sum } / n
    // Variance of a mean of n drawn without replacement from all.
    let variance = max(0, parts.reduce(0) { $0 + $1.squares } / n - mean * mean) / max(1, n - 1) * (1 - n / all)
    // Twice: the points of the sample are also what distances are measured to, as in a statistic of pairs (Hoeffding 1948).
    let reach = 2 * 1.959963984540054 * variance.squareRoot()
    return Estimate(mean: mean, low: mean - reach, high: mean + reach, points: rows.count)
  }
}
