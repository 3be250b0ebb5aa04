import Statistics

/// How well each cluster comes back when the points are drawn anew (Hennig 2007): the mean over bootstrap samples of its Jaccard
/// similarity to the cluster that is most like it. Above 0.75 a cluster is real enough to act on, below 0.5 it comes apart.
public enum ClusterStability {
  /// By label. Of many points `limit` are looked at. Labels are those of k-means with k centers.
  public static func ofKMeans(
    _ columns: [[Double]], labels: [Int32], k: Int, seed: UInt64, samples: Int, limit: Int = 20_000
  ) -> [Double] {
    let n = labels.count
    var random = RandomStream(seed: seed, substream: 1 << 33)
    let rows = n <= limit ? Array(0..<n) : random.sample(limit, of: n)
    let points = columns.map { column in rows.map { column[$0] } }
    let own = rows.map { labels[$0] }
    var totals = [Double](repeating: 0, count: k)
    for _ in 0..<samples {
      // Drawn with replacement: a point weighs as often as it was drawn.
      var weights = [Double](repeating: 0, count: rows.count)
      for _ in rows { weights[random.integer(below: rows.count)] += 1 }
      let drawn = rows.indices.filter { weights[$0] > 0 }
      guard drawn.count >= k else { continue }
      var kMeans = KMeans(k: k, seed: seed, restarts: 3)
      kMeans.improves = false
      let result = kMeans.fit(
        points.map { column in drawn.map { column[$0] } }, weights: drawn.map { weights[$0] })
      // Only points that were drawn are compared, each once.
      let similar = jaccard(drawn.map { own[$0] }, result.labels, k)
      for c in 0..<k { totals[c] += similar[c] }
    }
    return totals.map { $0 / Double(max(1, samples)) }
  }

  /// Of each label of `a` the largest Jaccard similarity to a label of `b`.
  static func jaccard(_ a: [Int32], _ b: [Int32], _ k: Int) -> [Double] {
    var cells = [Double](repeating: 0, count: k * k)
    var (ofA, ofB) = ([Double](repeating: 0, count: k), [Double](repeating: 0, count: k))
    for (x, y) in zip(a, b) {
      cells[Int(x) * k + Int(y)] += 1
      ofA[Int(x)] += 1
      ofB[Int(y)] += 1
    }
    return (0..<k).map { x in
      (0..<k).reduce(0) { best, y in
        let both = cells[x * k + y]
        return both > 0 ? max(best, both / (ofA[x] + ofB[y] - both)) : best
      }
    }
  }
}
