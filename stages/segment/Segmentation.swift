import Columns
import Pipelines
import Statistics

/// The segment of every row, and what the segments are called.
struct Segmentation {
  /// Index of the row's segment, from 0 in the order of the numbers; −1 without one.
  let segmentOfRow: [Int32]
  /// By index.
  let labels: [String]
  var metrics: Metrics
  /// By index, of clusters: how often they come back when customers are drawn anew; the row nearest to the center.
  var stability: [Double?] = []
  var typicalRow: [Int?] = []

  init(_ segmentOfRow: [Int32], labels: [String], metrics: Metrics) {
    self.segmentOfRow = segmentOfRow
    self.labels = labels
    self.metrics = metrics
    self.metrics["rows"] = .integer(segmentOfRow.count)
    self.metrics["without_segment"] = .integer(withoutSegment)
    self.metrics["segments"] = .array(
      zip(labels, sizes).map { ["label": .string($0), "rows": .integer($1)] })
  }

  /// The same segments at other places; `labels` are those of all places, also of such as are empty now.
  func renumbered(_ place: [Int32], labels: [String]) -> Segmentation {
    var result = Segmentation(segmentOfRow.map { $0 < 0 ? -1 : place[Int($0)] }, labels: labels, metrics: metrics)
    if !stability.isEmpty {
      result.stability = labels.map { _ in nil }
      for (old, new) in place.enumerated() { result.stability[Int(new)] = stability[old] }
    }
    if !typicalRow.isEmpty {
      result.typicalRow = labels.map { _ in nil }
      for (old, new) in place.enumerated() { result.typicalRow[Int(new)] = typicalRow[old] }
    }
    return result
  }

  var withoutSegment: Int { segmentOfRow.lazy.filter { $0 < 0 }.count }

  var sizes: [Int] {
    var sizes = [Int](repeating: 0, count: labels.count)
    for segment in segmentOfRow where segment >= 0 { sizes[Int(segment)] += 1 }
    return sizes
  }

  /// From 1; null without a segment.
  var numbers: Column { .int32s(segmentOfRow.map { $0 < 0 ? nil : $0 + 1 }) }
  var labelColumn: Column { .dictionary(codes: segmentOfRow.map { $0 < 0 ? nil : $0 }, values: labels) }

  /// Groups renumbered by the descending mean of `values` (NaN left out of the mean), equal means in the order of the groups.
  /// Returns the new index of each group. Rows count by their weights where there are any.
  static func order(_ groupOfRow: [Int32], groups: Int, by values: [Double], weights: [Double] = []) -> [Int32] {
    var rows = [[Int]](repeating: [], count: groups)
    for (row, group) in groupOfRow.enumerated() where group >= 0 && !values[row].isNaN { rows[Int(group)].append(row) }
    let means = rows.map { rows -> Double in
      if rows.isEmpty { return -.infinity }
      let total = weights.isEmpty ? 0 : Summaries.sum(rows.lazy.map { weights[$0] })
      if total > 0 { return Summaries.sum(rows.lazy.map { values[$0] * weights[$0] }) / total }
      return Summaries.mean(rows.map { values[$0] })
    }
    let order = (0..<groups).sorted { means[$0] != means[$1] ? means[$0] > means[$1] : $0 < $1 }
    var place = [Int32](repeating: 0, count: groups)
    for (new, old) in order.enumerated() { place[old] = Int32(new) }
    return place
  }
}

extension Segmentation {
  /// One segment for each name; numbered by the descending mean of `values`, without them by name.
  init(names: Column, by values: [Double]?) {
    let text = names.text
    var codes: [String: Int32] = [:]
    var found: [String] = []
    var group = [Int32](repeating: -1, count: names.count)
    for row in 0..<names.count where !names.isNull(row) {
      let name = text.string(row)
      if let code = codes[name] {
        group[row] = code
      } else {
        codes[name] = Int32(found.count)
        group[row] = Int32(found.count)
        found.append(name)
      }
    }
    // By name first, so that equal means are numbered by name.
    let byName = found.indices.sorted { found[$0].utf8.lexicographicallyPrecedes(found[$1].utf8) }
    var rank = [Int32](repeating: 0, count: found.count)
    for (new, old) in byName.enumerated() { rank[old] = Int32(new) }
    group = group.map { $0 < 0 ? -1 : rank[Int($0)] }
    let sorted = byName.map { found[$0] }
    guard let values else {
      self.init(group, labels: sorted, metrics: Metrics())
      return
    }
    let place = Self.order(group, groups: sorted.count, by: values)
    var labels = sorted
    for (old, new) in place.enumerated() { labels[Int(new)] = sorted[old] }
    self.init(group.map { $0 < 0 ? -1 : place[Int($0)] }, labels: labels, metrics: Metrics())
  }
}
