import Statistics

/// How well each cluster comes back when the points are drawn anew (Hennig 2007): the mean over bootstrap samples of its Jaccard
/// similarity to the cluster that is most like it. Above 0.75 a cluster is real enough to act on, below 0.5 it comes apart.
public enum ClusterStability {
  /// By label. Of many points `limit` are looked at. Labels are those of k-means with k centers.
  public static func ofKMeans(
    _ columns: [[Double]], labels: [Int32], k: Int, seed: UInt64, samples: Int, limit: Int = 20_000
  ) -> [Double] {
    of(columns, labels: labels, k: k, seed: seed, samples: samples, limit: limit) { points, weights in
      var kMeans = KMeans(k: k, seed: seed, restarts: 3)
      kMeans.improves = false
      return kMeans.fit(points, weights: weights).labels
    }
  }

  /// Labels are those of a tree cut into k. All pairs of points are what some trees take, so fewer are looked at.
  public static func of(
    _ linkage: Linkage, _ columns: [[Double]], labels: [Int32], k: Int, seed: UInt64, samples: Int, limit: Int? = nil
  ) -> [Double] {
    of(columns, labels: labels, k: k, seed: seed, samples: samples, limit: limit ?? (linkage.method == .ward ? 20_000 : 5_000)) {
      linkage.fit($0, weights: $1).labels(k)
    }
  }

  /// Labels are those of a mixture of k.
  public static func ofMixture(
    _ columns: [[Double]], labels: [Int32], k: Int, seed: UInt64, samples: Int, limit: Int = 5_000
  ) -> [Double] {
    of(columns, labels: labels, k: k, seed: seed, samples: samples, limit: limit) { points, weights in
      // A mixture takes every point once: as many as were drawn.
      let rows = weights.indices.flatMap { [Int](repeating: $0, count: Int(weights[$0])) }
      let found = GaussianMixture(k: k, seed: seed, restarts: 1).fit(points.map { column in rows.map { column[$0] } }).labels
      var labels = [Int32](repeating: 0, count: weights.count)
      for (row, label) in zip(rows, found) { labels[row] = label }
      return labels
    }
  }

  /// By tier, the highest first, of tiers of equal size, whose borders are quantiles of the values drawn. `sorted` is ascending.
  public static func ofTiers(_ sorted: [Double], tiers: Int, seed: UInt64, samples: Int) -> [Double] {
    let n = sorted.count
    func tier(_ value: Double, _ borders: [Double]) -> Int32 { Int32(borders.count - borders.count(where: { value > $0 })) }
    func borders(_ values: [Double]) -> [Double] { (1..<tiers).map { Summaries.quantile(Double($0) / Double(tiers), ofSorted: values) } }
    let whole = borders(sorted)
    let own = sorted.map { tier($0, whole) }
    var random = RandomStream(seed: seed, substream: 1 << 33)
    var totals = [Double](repeating: 0, count: tiers)
    var drawn: [Double] = []
    drawn.reserveCapacity(n)
    for _ in 0..<samples {
      var times = [Int32](repeating: 0, count: n)
      for _ in 0..<n { times[random.integer(below: n)] += 1 }
      drawn.removeAll(keepingCapacity: true)
      for (value, count) in zip(sorted, times) { for _ in 0..<count { drawn.append(value) } }
      let new = borders(drawn)
      let rows = times.indices.filter { times[$0] > 0 }
      let similar = jaccard(rows.map { own[$0] }, rows.map { tier(sorted[$0], new) }, tiers)
      for c in 0..<tiers { totals[c] += similar[c] }
    }
    return totals.map { $0 / Double(max(1, samples)) }
  }

  /// `refit` makes labels of points that were drawn, each once, with how often each was.
  private static func of(
    _ columns: [[Double]], labels: [Int32], k: Int, seed: UInt64, samples: Int, limit: Int,
    _ refit: (_ points: [[Double]], _ weights: [Double]) -> [Int32]
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
      let again = refit(points.map { column in drawn.map { column[$0] } }, drawn.map { weights[$0] })
      // Only points that were drawn are compared, each once.
      let similar = jaccard(drawn.map { own[$0] }, again, k)
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
