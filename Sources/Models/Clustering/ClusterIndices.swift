import Statistics

/// How well a partition into clusters separates the points, by the usual indices.
public struct ClusterIndices: Hashable, Sendable {
  /// Σ squared distances to the centers of the clusters.
  public var inertia: Double
  /// Mean over clusters of the worst (spread + spread) / distance of centers (Davies & Bouldin 1979): less is better. Nil below
  /// two clusters.
  public var daviesBouldin: Double?
  /// (between / (k − 1)) / (within / (n − k)) (Caliński & Harabasz 1974): more is better. Nil where it is not defined.
  public var calinskiHarabasz: Double?

  /// Labels from 0; clusters without points do not count.
  public init(_ columns: [[Double]], labels: [Int32]) {
    let (n, d) = (labels.count, columns.count)
    let names = Int(labels.max() ?? -1) + 1
    var sizes = [Double](repeating: 0, count: names)
    for label in labels { sizes[Int(label)] += 1 }
    var centers = [Double](repeating: 0, count: names * d)
    var means = [Double](repeating: 0, count: d)
    for (j, column) in columns.enumerated() {
      for (x, label) in zip(column, labels) { centers[Int(label) * d + j] += x }
      means[j] = Summaries.mean(column)
    }
    let present = sizes.indices.filter { sizes[$0] > 0 }
    for c in present { for j in 0..<d { centers[c * d + j] /= sizes[c] } }
    let parts = FixedChunks.map(count: n, chunk: 4096) { rows -> (within: Double, spread: [Double]) in
      var within = 0.0
      var spread = [Double](repeating: 0, count: names)
      for i in rows {
        let c = Int(labels[i])
        var square = 0.0
        for j in 0..<d {
          let t = columns[j][i] - centers[c * d + j]
          square += t * t
        }
        within += square
        spread[c] += square.squareRoot()
      }
      return (within, spread)
    }
    let within = Summaries.sum(parts.map { $0.within })
    var spread = [Double](repeating: 0, count: names)
    for part in parts { for c in present { spread[c] += part.spread[c] / sizes[c] } }
    var between = 0.0
    for c in present {
      for j in 0..<d {
        let t = centers[c * d + j] - means[j]
        between += sizes[c] * t * t
      }
    }
    inertia = within
    let k = present.count
    guard k > 1 else { return }
    var total = 0.0
    for a in present {
      var worst = 0.0
      for b in present where b != a {
        var square = 0.0
        for j in 0..<d {
          let t = centers[a * d + j] - centers[b * d + j]
          square += t * t
        }
        // Centers that coincide tell nothing.
        if square > 0 { worst = max(worst, (spread[a] + spread[b]) / square.squareRoot()) }
      }
      total += worst
    }
    daviesBouldin = total / Double(k)
    if n > k, within > 0 { calinskiHarabasz = (between / Double(k - 1)) / (within / Double(n - k)) }
  }
}
