import Diagnostics
import Models
import Pipelines
import Statistics

/// Tiers of one column from the highest down: rows with equal values always share a tier.
struct TierSegments {
  let labels: [String]
  /// Ascending; a value above `edges[i]` is above tier border i.
  let edges: [Double]
  private let segmentOfRow: [Int32]
  /// Tiers that stay empty.
  let merged: Int
  /// By tier, how well it comes back when rows are drawn anew; empty where nobody asks.
  private let stability: [Double]

  init(column: String, _ values: [Double], labels: [String], edges: [Double], samples: Int = 0, seed: UInt64 = 1) throws {
    self.labels = labels
    let known = values.filter(\.isFinite).sorted()
    if known.isEmpty { throw Diagnostic("no tiers can be made: no row has a number in \"\(column)\"", at: .setting(["on", 0])) }
    let borders = edges.isEmpty ? Self.quantiles(known, labels.count) : edges
    self.edges = borders
    stability = samples > 0 ? ClusterStability.ofTiers(known, tiers: labels.count, seed: seed, samples: samples) : []
    segmentOfRow = values.map { value in
      guard value.isFinite else { return -1 }
      // A value equal to a border is below it.
      let above = borders.count(where: { value > $0 })
      return Int32(borders.count - above)
    }
    var isUsed = [Bool](repeating: false, count: labels.count)
    for segment in segmentOfRow where segment >= 0 { isUsed[Int(segment)] = true }
    merged = isUsed.count { !$0 }
  }

  private static func quantiles(_ sorted: [Double], _ tiers: Int) -> [Double] {
    (1..<tiers).map { Summaries.quantile(Double($0) / Double(tiers), ofSorted: sorted) }
  }

  func segmentation() -> Segmentation {
    var metrics = Metrics()
    metrics["edges"] = .array(edges.map(JSONValue.double))
    var result = Segmentation(segmentOfRow, labels: labels, metrics: metrics)
    result.stability = stability
    return result
  }
}
