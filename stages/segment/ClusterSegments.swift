import Diagnostics
import Models
import Pipelines
import Statistics

/// Segments by k-means on some columns.
struct ClusterSegments {
  let columns: [(name: String, values: [Double])]
  let k: Int
  let transform: Segment.Transform
  let scale: Segment.Scale
  let seed: UInt64
  let restarts: Int
  let labels: [String]

  func segmentation() throws -> Segmentation {
    let count = columns[0].values.count
    let rows = (0..<count).filter { row in columns.allSatisfy { $0.values[row].isFinite } }
    let points = try columns.map { name, values in try scaled(rows.map { values[$0] }, name) }
    let distinct = Self.distinct(points, count: rows.count, upTo: k)
    if distinct < k {
      throw Diagnostic(
        "k-means cannot make \(k) segments of \(distinct) distinct \(distinct == 1 ? "point" : "points")", at: .setting(["k"]),
        expected: "k from 1 to \(distinct)", found: "\(k)",
        hint: rows.count < count ? "\(count - rows.count) of \(count) rows lack a number" : nil)
    }
    let result = KMeans(k: k, seed: seed, restarts: restarts).fit(points)
    let firstColumn = rows.map { columns[0].values[$0] }
    let place = Segmentation.order(result.labels, groups: k, by: firstColumn)
    var segmentOfRow = [Int32](repeating: -1, count: count)
    for (row, label) in zip(rows, result.labels) { segmentOfRow[row] = place[Int(label)] }
    var metrics = Metrics()
    metrics["k"] = .integer(k)
    metrics["inertia"] = .double(result.inertia)
    metrics["iterations"] = .integer(result.iterations)
    metrics["converged"] = .bool(result.converged)
    metrics["silhouette"] = Silhouette.mean(points, labels: result.labels, seed: seed).map(JSONValue.double) ?? .null
    return Segmentation(
      segmentOfRow, labels: labels.isEmpty ? (1...k).map { "cluster \($0)" } : labels, metrics: metrics)
  }

  private func scaled(_ values: [Double], _ name: String) throws -> [Double] {
    var values = values
    switch transform {
    case .none: break
    case .log1p:
      if let low = values.min(), low <= -1 {
        throw Diagnostic(
          "\"transform\": \"log1p\" cannot take column \"\(name)\"", at: .setting(["transform"]), expected: "values above -1",
          found: "\(low)", hint: "use \"transform\": \"none\", or keep such rows out before")
      }
      values = values.map(Portable.log1p)
    }
    return switch scale {
    case .none: values
    case .standard: Scaling.standard.apply(values)
    case .minMax: Scaling.range.apply(values)
    }
  }

  /// How many different points there are; counting ends at `limit`.
  private static func distinct(_ columns: [[Double]], count: Int, upTo limit: Int) -> Int {
    var seen: Set<[Double]> = []
    for row in 0..<count where seen.count < limit { seen.insert(columns.map { $0[row] }) }
    return seen.count
  }
}
