import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// Segments by mini-batch k-means: of the rows only their segments are held (four bytes each), and as many as the batches have that the
/// start is found on. These stand for all where a measure takes pairs of rows: the choice of k, silhouette and stability.
struct StreamedClusters {
  let rows: StreamedRows
  let k: Either<Int, Segment.Auto>
  let most: Int
  let seed: UInt64
  let restarts: Int
  let batch: Int
  let labels: [String]
  let samples: Int

  func made() throws -> ClusterSegments.Made {
    let wanted: Int? = if case .first(let k) = k { k } else { nil }
    let (points, distinct) = try rows.counted(upTo: wanted ?? most)
    if distinct < wanted ?? 1 {
      throw ClusterSegments.tooFew(.miniBatch, wanted, of: distinct, points: points, rows: rows.table.rows)
    }
    var method = MiniBatchKMeans(k: wanted ?? 1, seed: seed, batch: batch, restarts: restarts)
    let sample = try method.sample(rows, count: points)
    var metrics = Metrics()
    var choices: Batch?
    if wanted == nil {
      let different = ClusterSegments.distinct(sample.columns, [], count: sample.count, upTo: most)
      let choice = try ChoiceOfK(sample.columns, min(2, different)...min(most, different), seed: seed) { k in
        try rows.check()
        return (KMeans(k: k, seed: seed, restarts: restarts).fit(sample.columns).labels, nil)
      }
      method.k = choice.rows[choice.chosen].k
      choices = ClusterTables.batch(of: choice)
      metrics["elbow"] = .integer(choice.rows[choice.elbow].k)
      metrics["gap_choice"] = choice.gapChoice.map { .integer(choice.rows[$0].k) } ?? .null
    }
    let k = method.k
    let result = try method.fit(rows, count: points, from: sample)
    var labelOfPoint: [Int32] = []
    labelOfPoint.reserveCapacity(points)
    let found = try MiniBatchKMeans.assigned(rows, to: result.centers) { labelOfPoint += $0 }
    let (order, typical) = try told(labelOfPoint, k, found)
    metrics["k"] = .integer(k)
    metrics["inertia"] = .double(found.inertia)
    metrics["batches"] = .integer(result.batches)
    metrics["converged"] = .bool(result.converged)
    var labelOfSample: [Int32] = []
    _ = try MiniBatchKMeans.assigned(sample, to: result.centers) { labelOfSample += $0 }
    metrics["silhouette"] =
      rows.weight != nil ? .null : Silhouette.mean(sample.columns, labels: labelOfSample, seed: seed).map(JSONValue.double) ?? .null

    var segmentOfRow = [Int32](repeating: -1, count: rows.table.rows)
    var point = 0
    try rows.forEachRaw { piece in
      for row in piece.rows {
        segmentOfRow[piece.before + row] = order[Int(labelOfPoint[point])]
        point += 1
      }
    }
    var made = Segmentation(segmentOfRow, labels: labels.isEmpty ? ClusterSegments.labels(k) : labels, metrics: metrics)
    made.typicalRow = [Int?](repeating: nil, count: k)
    for (label, row) in typical.enumerated() { made.typicalRow[Int(order[label])] = row }
    if samples > 0 {
      try rows.check()
      made.stability = [Double?](repeating: nil, count: k)
      let values = ClusterStability.ofKMeans(sample.columns, labels: labelOfSample, k: k, seed: seed, samples: samples)
      for (label, value) in values.enumerated() { made.stability[Int(order[label])] = value }
    }
    return ClusterSegments.Made(segmentation: made, choices: choices)
  }

  /// The place of each label by the descending mean of the first column, equal means in the order of the labels; and of each the row
  /// nearest to its mean, the earlier one when equal.
  private func told(
    _ labelOfPoint: [Int32], _ k: Int, _ found: (inertia: Double, sums: [Double], mass: [Double])
  ) throws -> (order: [Int32], typical: [Int?]) {
    let d = rows.width
    var (sums, total, members) = ((0..<k).map { _ in RunningSum() }, (0..<k).map { _ in RunningSum() }, [Int](repeating: 0, count: k))
    var plain = sums
    var (nearest, least) = ([Int?](repeating: nil, count: k), [Double](repeating: .infinity, count: k))
    var point = 0
    try rows.forEachRaw { piece in
      let scaled = rows.scaled(piece)
      for (at, row) in piece.rows.enumerated() {
        let c = Int(labelOfPoint[point])
        point += 1
        let (value, weight) = (piece.columns[0][at], piece.weights.isEmpty ? 1 : piece.weights[at])
        sums[c].add(value * weight)
        total[c].add(weight)
        plain[c].add(value)
        members[c] += 1
        var square = 0.0
        for j in 0..<d {
          let t = scaled[j][at] - found.sums[c * d + j] / found.mass[c]
          square += t * t
        }
        if square < least[c] { (nearest[c], least[c]) = (piece.before + row, square) }
      }
    }
    let means = (0..<k).map { c -> Double in
      if members[c] == 0 { return -.infinity }
      return total[c].value > 0 ? sums[c].value / total[c].value : plain[c].value / Double(members[c])
    }
    var order = [Int32](repeating: 0, count: k)
    for (new, old) in (0..<k).sorted(by: { means[$0] != means[$1] ? means[$0] > means[$1] : $0 < $1 }).enumerated() { order[old] = Int32(new) }
    return (order, nearest)
  }
}
