import Columns
import Pipelines
import Statistics

/// One row a segment: its size, its share of rows and of revenue, means of the columns that tell it apart.
struct SegmentProfile {
  /// Columns whose means are given, in this order.
  let means: [String]
  let revenue: String?
  let actions: SegmentActions

  /// Columns that people look at first, where a table has them.
  private static let common = [
    "revenue", "clv", "orders", "frequency", "monetary", "recency", "since_last", "age", "p_alive", "expected_purchases",
    "expected_spend",
  ]
  private static let own: Set<String> = ["segment", "segment_label", "customers", "share", "revenue_share"]

  init(_ schema: Schema, on: [String], revenue: String?, actions: SegmentActions) {
    self.revenue = revenue
    self.actions = actions
    var means = on
    for name in (revenue.map { [$0] } ?? []) + Self.common where !means.contains(name) && schema.type(of: name)?.isNumeric == true {
      means.append(name)
    }
    self.means = means
  }

  var columnsRead: [String] {
    var names = means
    for name in [revenue, actions.value].compactMap(\.self) where !names.contains(name) { names.append(name) }
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
    fields += actions.fields
    return Schema(fields)
  }

  /// Segments without rows are left out; rows without a segment make the last row.
  func batch(of rows: Batch, _ segmentation: Segmentation) -> Batch {
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
      let values = rows[revenue].doubles()
      let total = Summaries.sum(values.lazy.filter { !$0.isNaN })
      columns.append(
        .float64s(present.map { segment in
          total != 0 ? Summaries.sum(members[segment].lazy.map { values[$0] }.filter { !$0.isNaN }) / total : nil
        }))
    }
    for name in means {
      let values = rows[name].doubles()
      columns.append(
        .float64s(present.map { segment in
          let known = members[segment].map { values[$0] }.filter { !$0.isNaN }
          return known.isEmpty ? nil : Summaries.mean(known)
        }))
    }
    let values = actions.value.map { rows[$0].doubles() }
    columns += actions.columns(
      present.map { segment in
        (named(segment, segment).map { segmentation.labels[$0] }, members[segment].count, values.map { all in members[segment].map { all[$0] } } ?? [])
      })
    return Batch(schema: schema, columns: columns, count: present.count)
  }
}
