import Statistics

/// How much tighter clusters of the data are than clusters of nothing: ln W of points spread evenly over the columns' ranges,
/// less ln W of the points, where W is the inertia of k-means (Tibshirani, Walther & Hastie 2001).
public struct GapStatistic: Hashable, Sendable {
  public var k: Int
  public var gap: Double
  /// Standard deviation over the reference sets, times √(1 + 1 / sets).
  public var error: Double

  /// For every k of a range, over at most `sample` points. Nil where the points have no spread left.
  public static func scan(
    _ columns: [[Double]], _ range: ClosedRange<Int>, seed: UInt64, sets: Int = 10, sample: Int = 2_000, restarts: Int = 3
  ) -> [GapStatistic?] {
    var random = RandomStream(seed: seed, substream: 1 << 32)
    let n = columns[0].count
    let rows = n <= sample ? Array(0..<n) : random.sample(sample, of: n)
    let points = columns.map { column in rows.map { column[$0] } }
    let references = (0..<sets).map { _ in
      points.map { column -> [Double] in
        let (low, high) = (column.min() ?? 0, column.max() ?? 0)
        return rows.indices.map { _ in low + (high - low) * random.uniform() }
      }
    }
    return range.map { k in
      func log(_ columns: [[Double]]) -> Double {
        var kMeans = KMeans(k: k, seed: seed, restarts: restarts)
        // The reference sets have no clusters to miss.
        kMeans.improves = false
        return Portable.log(kMeans.fit(columns).inertia)
      }
      let own = log(points)
      let others = references.map(log)
      guard own.isFinite, others.allSatisfy(\.isFinite) else { return nil }
      let mean = Summaries.mean(others)
      let deviation = Summaries.variance(others, dropped: 0).squareRoot()
      return GapStatistic(k: k, gap: mean - own, error: deviation * (1 + 1 / Double(sets)).squareRoot())
    }
  }
}
