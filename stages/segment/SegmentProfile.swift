import Columns
import Pipelines
import Statistics

/// One row a segment: its size, its share of rows and of revenue, means and medians of the columns that tell it apart, what it is
/// known by, and of clusters a typical row and how stable they are.
struct SegmentProfile {
  /// Columns whose means are given, in this order.
  let means: [String]
  let revenue: String?
  let actions: SegmentActions
  /// Columns whose medians are given.
  let medians: [String]
  /// The column that names a row, where clusters have a typical one.
  let key: String?
  let hasStability: Bool

  /// Columns that people look at first, where a table has them.
  private static let common = [
    "revenue", "clv", "orders", "frequency", "monetary", "recency", "since_last", "age", "p_alive", "expected_purchases",
    "expected_spend",
  ]
  private static let own: Set<String> = ["segment", "segment_label", "customers", "share", "revenue_share"]

  init(_ schema: Schema, on: [String], revenue: String?, actions: SegmentActions, key: String? = nil, hasStability: Bool = false) {
    self.key = key
    self.hasStability = hasStability
    self.revenue = revenue
    self.actions = actions
    var means = on
    for name in (revenue.map { [$0] } ?? []) + Self.common where !means.contains(name) && schema.type(of: name)?.isNumeric == true {
      means.append(name)
    }
    self.means = means
    medians = means.filter { on.contains($0) || $0 == revenue || $0 == "clv" }
  }

  var columnsRead: [String] {
    var names = means
    for name in [revenue, actions.value, key].compactMap(\.self) where !names.contains(name) { names.append(name) }
    return names
  }

  var schema: Schema {
    var fields = [
      Field("segment", .int32), Field("segment_label", .string), Field("customers", .int64), Field("share", .float64),
    ]
    if revenue != nil { fields.append(Field("revenue_share", .float64)) }
    var taken = Self.own
    if !actions.actions.isEmpty { taken.formUnion(SegmentActions.names) }
    for name in means {
      var field = name
      while !taken.insert(field).inserted { field = "mean_" + field }
      fields.append(Field(field, .float64))
    }
    for (name, type) in (medians.map { ("median_" + $0, ColumnType.float64) } + ownFields) {
      var field = name
      while !taken.insert(field).inserted { field = "segment_" + field }
      fields.append(Field(field, type))
    }
    fields += actions.fields
    return Schema(fields)
  }

  private var ownFields: [(String, ColumnType)] {
    (means.isEmpty ? [] : [("known_by", .string)]) + (key == nil ? [] : [("typical", .string)]) + (hasStability ? [("stability", .float64)] : [])
  }

  /// Segments without rows are left out; rows without a segment make the last row. `column` is asked for one column at a time.
  func batch(_ column: (String) throws -> Column, _ segmentation: Segmentation) throws -> Batch {
    let n = segmentation.segmentOfRow.count
    var members = [[Int]](repeating: [], count: segmentation.labels.count + 1)
    for (row, segment) in segmentation.segmentOfRow.enumerated() {
      members[segment < 0 ? segmentation.labels.count : Int(segment)].append(row)
    }
    let present = members.indices.filter { !members[$0].isEmpty }
    func named<T>(_ index: Int, _ value: T) -> T? { index < segmentation.labels.count ? value : nil }
    var columns: [Column] = [
      .int32s(present.map { named($0, Int32($0 + 1)) }),
      .strings(present.map { $0 < segmentation.labels.count ? segmentation.labels[$0] : nil }),
      .int64s(present.map { Int64(members[$0].count) }),
      .float64s(present.map { Double(members[$0].count) / Double(n) }),
    ]
    if let revenue {
      let values = try column(revenue).doubles()
      let total = Summaries.sum(values.lazy.filter { !$0.isNaN })
      columns.append(
        .float64s(present.map { segment in
          total != 0 ? Summaries.sum(members[segment].lazy.map { values[$0] }.filter { !$0.isNaN }) / total : nil
        }))
    }
    for name in means {
      let values = try column(name).doubles()
      columns.append(
        .float64s(present.map { segment in
          let known = members[segment].map { values[$0] }.filter { !$0.isNaN }
          return known.isEmpty ? nil : Summaries.mean(known)
        }))
    }
    for name in medians {
      let values = try column(name).doubles()
      columns.append(
        .float64s(present.map { segment in
          let known = members[segment].map { values[$0] }.filter { !$0.isNaN }
          return known.isEmpty ? nil : Summaries.median(known)
        }))
    }
    if !means.isEmpty { columns.append(.strings(try knownBy(column, present.map { members[$0] }))) }
    if let key {
      let names = try column(key)
      columns.append(
        .strings(present.map { segment in
          named(segment, segment).flatMap { segmentation.typicalRow.isEmpty ? nil : segmentation.typicalRow[$0] }.map { names.value(at: $0).description }
        }))
    }
    if hasStability {
      columns.append(
        .float64s(present.map { segment in named(segment, segment).flatMap { segmentation.stability.isEmpty ? nil : segmentation.stability[$0] } }))
    }
    let values = try actions.value.map { try column($0).doubles() }
    columns += actions.columns(
      present.map { segment in
        (named(segment, segment).map { segmentation.labels[$0] }, members[segment].count, values.map { all in members[segment].map { all[$0] } } ?? [])
      })
    return Batch(schema: schema, columns: columns, count: present.count)
  }

  /// The two columns whose means lie farthest from those of all rows, in standard deviations: "high orders (+2.1 sd), low since last (−0.8 sd)".
  private func knownBy(_ column: (String) throws -> Column, _ segments: [[Int]]) throws -> [String?] {
    var distances = [[(name: String, distance: Double)]](repeating: [], count: segments.count)
    for name in means {
      let values = try column(name).doubles()
      let known = values.filter(\.isFinite)
      let (mean, spread) = (Summaries.mean(known), Summaries.variance(known, dropped: 0).squareRoot())
      guard spread > 0, spread.isFinite else { continue }
      for (at, members) in segments.enumerated() {
        let own = members.map { values[$0] }.filter(\.isFinite)
        if !own.isEmpty { distances[at].append((name, (Summaries.mean(own) - mean) / spread)) }
      }
    }
    return distances.map { all in
      let far = all.enumerated().filter { $0.element.distance.magnitude >= 0.25 && $0.element.distance.isFinite }
        .sorted { a, b in
          let (x, y) = (a.element.distance.magnitude, b.element.distance.magnitude)
          return x != y ? x > y : a.offset < b.offset
        }
      if far.isEmpty { return "close to the average" }
      return far.prefix(2).map { _, column in
        let tenths = Int((min(column.distance.magnitude, 1e9) * 10).rounded())
        let words = String(column.name.map { $0 == "_" ? " " : $0 })
        return "\(column.distance > 0 ? "high" : "low") \(words) (\(column.distance > 0 ? "+" : "−")\(tenths / 10).\(tenths % 10) sd)"
      }.joined(separator: ", ")
    }
  }
}
