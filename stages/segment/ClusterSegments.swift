import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// Segments by clusters of some columns.
struct ClusterSegments {
  let method: Segment.Method
  let columns: [(name: String, values: [Double])]
  let k: Either<Int, Segment.Auto>
  let most: Int
  let linkage: Segment.Joining
  let transform: Segment.Transform
  let scale: Segment.Scale
  let seed: UInt64
  let restarts: Int?
  let labels: [String]
  /// How often customers are drawn anew to see whether clusters come back; 0 is never.
  var samples = 0
  /// How often each row counts; nil is once.
  var weights: (name: String, values: [Double])?

  struct Made {
    var segmentation: Segmentation
    var merges: Batch?
    var choices: Batch?
    /// What the tree does not show because there are too many rows for an exact one.
    var condensed: Diagnostic?
  }

  /// One clustering of the points.
  private struct Clusters {
    var labels: [Int32]
    var bic: Double?
    var metrics = Metrics()
  }

  /// `check` is called now and then, and may throw.
  func made(_ check: () throws -> Void) throws -> Made {
    let count = columns[0].values.count
    let rows = (0..<count).filter { row in columns.allSatisfy { $0.values[row].isFinite } && weights?.values[row].isFinite != false }
    let counts = try checkedWeights(of: rows)
    let points = try columns.map { name, values in try scaled(rows.map { values[$0] }, name, counts) }
    let distinct = Self.distinct(points, counts, count: rows.count, upTo: max(most, wanted ?? 0))
    if distinct < wanted ?? 1 {
      throw Self.tooFew(method, wanted, of: distinct, points: rows.count, rows: count)
    }
    let tree = method == .hierarchical ? Linkage(Linkage.Method(rawValue: linkage.rawValue)!).fit(points) : nil
    func clusters(_ k: Int) throws -> Clusters {
      try check()
      return found(k, points, counts, tree)
    }
    let best: Clusters
    var choices: Batch?
    var metrics = Metrics()
    let number: Int
    if let wanted {
      (best, number) = (try clusters(wanted), wanted)
    } else {
      // One segment has no silhouette, but a mixture of one normal distribution has a likelihood.
      let least = method == .mixture ? 1 : min(2, distinct)
      var all: [Clusters] = []
      let choice = try ChoiceOfK(points, least...min(most, distinct), seed: seed) { k in
        all.append(try clusters(k))
        return (all[all.count - 1].labels, all[all.count - 1].bic)
      }
      (best, number) = (all[choice.chosen], choice.rows[choice.chosen].k)
      choices = ClusterTables.batch(of: choice)
      metrics["elbow"] = .integer(choice.rows[choice.elbow].k)
      metrics["gap_choice"] = choice.gapChoice.map { .integer(choice.rows[$0].k) } ?? .null
    }
    let place = Segmentation.order(best.labels, groups: number, by: rows.map { columns[0].values[$0] }, weights: counts)
    var segmentOfRow = [Int32](repeating: -1, count: count)
    for (row, label) in zip(rows, best.labels) { segmentOfRow[row] = place[Int(label)] }
    metrics["k"] = .integer(number)
    for (name, value) in best.metrics.members { metrics[name] = value }
    // It takes every row once.
    metrics["silhouette"] = !counts.isEmpty ? .null : Silhouette.mean(points, labels: best.labels, seed: seed).map(JSONValue.double) ?? .null
    if let bic = best.bic { metrics["bic"] = .double(bic) }
    var segmentation = Segmentation(segmentOfRow, labels: labels.isEmpty ? Self.labels(number) : labels, metrics: metrics)
    segmentation.typicalRow = [Int?](repeating: nil, count: number)
    for (label, point) in Self.typical(points, counts, best.labels, number).enumerated() {
      segmentation.typicalRow[Int(place[label])] = point.map { rows[$0] }
    }
    if samples > 0 {
      try check()
      segmentation.stability = [Double?](repeating: nil, count: number)
      let found = stability(points, best.labels, number)
      for (label, value) in found.enumerated() { segmentation.stability[Int(place[label])] = value }
    }
    return Made(
      segmentation: segmentation,
      merges: tree.map { ClusterTables.batch(of: $0.dendrogram) }, choices: choices,
      condensed: tree?.condensed.map { Self.warning($0, of: rows.count) })
  }

  private func stability(_ points: [[Double]], _ labels: [Int32], _ k: Int) -> [Double] {
    switch method {
    case .hierarchical:
      ClusterStability.of(
        Linkage(Linkage.Method(rawValue: linkage.rawValue)!), points, labels: labels, k: k, seed: seed, samples: samples)
    case .mixture: ClusterStability.ofMixture(points, labels: labels, k: k, seed: seed, samples: samples)
    default: ClusterStability.ofKMeans(points, labels: labels, k: k, seed: seed, samples: samples)
    }
  }

  /// Of each cluster the point nearest to its mean, the earlier one when equal.
  private static func typical(_ points: [[Double]], _ counts: [Double], _ labels: [Int32], _ k: Int) -> [Int?] {
    let d = points.count
    var (sums, sizes) = ([Double](repeating: 0, count: k * d), [Double](repeating: 0, count: k))
    for (point, label) in labels.enumerated() {
      let weight = counts.isEmpty ? 1 : counts[point]
      sizes[Int(label)] += weight
      for j in 0..<d { sums[Int(label) * d + j] += points[j][point] * weight }
    }
    var (nearest, least) = ([Int?](repeating: nil, count: k), [Double](repeating: .infinity, count: k))
    for (point, label) in labels.enumerated() {
      let c = Int(label)
      var square = 0.0
      for j in 0..<d {
        let t = points[j][point] - sums[c * d + j] / sizes[c]
        square += t * t
      }
      if square < least[c] { (nearest[c], least[c]) = (point, square) }
    }
    return nearest
  }

  static func labels(_ k: Int) -> [String] { (1...k).map { "cluster \($0)" } }

  /// Nil when the number is to be chosen.
  private var wanted: Int? { if case .first(let k) = k { k } else { nil } }

  /// A place for each row that counts; empty where all count once.
  private func checkedWeights(of rows: [Int]) throws -> [Double] {
    guard let weights else { return [] }
    let counts = rows.map { weights.values[$0] }
    if let wrong = counts.first(where: { $0 < 0 || $0 > 1e9 }) { throw Self.noWeight(wrong, in: weights.name) }
    return counts
  }

  private func found(_ k: Int, _ points: [[Double]], _ counts: [Double], _ tree: Linkage.Result?) -> Clusters {
    var metrics = Metrics()
    if let tree {
      let labels = tree.labels(min(k, tree.dendrogram.points))
      metrics["inertia"] = .double(ClusterIndices(points, labels: labels).inertia)
      metrics["leaves"] = .integer(tree.dendrogram.points)
      return Clusters(labels: labels, metrics: metrics)
    }
    if method == .mixture {
      let result = GaussianMixture(k: k, seed: seed, restarts: restarts ?? 3).fit(points)
      metrics["log_likelihood"] = .double(result.logLikelihood)
      metrics["iterations"] = .integer(result.iterations)
      metrics["converged"] = .bool(result.converged)
      return Clusters(labels: result.labels, bic: result.bic, metrics: metrics)
    }
    let result = KMeans(k: k, seed: seed, restarts: restarts ?? 10).fit(points, weights: counts)
    metrics["inertia"] = .double(result.inertia)
    metrics["iterations"] = .integer(result.iterations)
    metrics["converged"] = .bool(result.converged)
    return Clusters(labels: result.labels, metrics: metrics)
  }

  private static func warning(_ condensed: Linkage.Condensation, of rows: Int) -> Diagnostic {
    let hidden = (condensed.withinShare * 1e6).rounded() / 1e4
    return Diagnostic(
      "the tree has \(condensed.microClusters) leaves for \(rows) rows: it cannot see \(hidden) % of the sum of squares, and no row is farther than \((condensed.radius * 1e6).rounded() / 1e6) from its leaf's center",
      severity: .warning)
  }

  private func scaled(_ values: [Double], _ name: String, _ counts: [Double]) throws -> [Double] {
    var values = values
    switch transform {
    case .none: break
    case .log1p:
      if let low = values.min(), low <= -1 { throw Self.noLogarithm(low, of: name) }
      values = values.map(Portable.log1p)
    }
    let scaling: Scaling
    switch scale {
    case .none: return values
    case .standard: scaling = .standard
    case .minMax: scaling = .range
    }
    return counts.isEmpty ? scaling.apply(values) : scaling.apply(values, weights: counts)
  }

  /// How many different points there are that count; counting ends at `limit`.
  static func distinct(_ columns: [[Double]], _ counts: [Double], count: Int, upTo limit: Int) -> Int {
    var seen: Set<[Double]> = []
    for row in 0..<count where seen.count < limit && (counts.isEmpty || counts[row] > 0) { seen.insert(columns.map { $0[row] }) }
    return seen.count
  }
}
