import Columns
import Statistics

/// Predictions and actual numbers in groups: by purchases before, and by rank of the prediction.
enum HoldoutTables {
  static let frequencySchema = Schema([
    Field("frequency", .int64), Field("label", .string), Field("customers", .int64), Field("actual", .float64),
    Field("predicted", .float64),
  ])

  /// Rows 0, 1, …, `highest` and more; those without customers are left out. `label` is "7+" in the last.
  static func byFrequency(_ x: [Double], _ predicted: [Double], _ actual: [Double], highest: Int) -> Batch {
    var groups = [[Int]](repeating: [], count: highest + 1)
    for row in x.indices { groups[Int(min(max(x[row], 0), Double(highest)))].append(row) }
    let present = groups.indices.filter { !groups[$0].isEmpty }
    return Batch(
      schema: frequencySchema,
      columns: [
        .int64s(present.map { Int64($0) }),
        .strings(present.map { $0 == highest ? "\($0)+" : "\($0)" }),
        .int64s(present.map { Int64(groups[$0].count) }),
        .float64s(present.map { mean(actual, groups[$0]) }),
        .float64s(present.map { mean(predicted, groups[$0]) }),
      ], count: present.count)
  }

  static let decileSchema = Schema([
    Field("decile", .int32), Field("customers", .int64), Field("actual", .float64), Field("predicted", .float64),
    Field("actual_share", .float64), Field("lift", .float64), Field("error", .float64),
  ])

  /// Tenths of the customers from the highest prediction down, equal predictions in the order of the rows.
  static func byDecile(_ predicted: [Double], _ actual: [Double]) -> Batch {
    let order = predicted.indices.sorted { predicted[$0] != predicted[$1] ? predicted[$0] > predicted[$1] : $0 < $1 }
    let n = order.count
    let tenths = (0..<10).map { Array(order[$0 * n / 10..<($0 + 1) * n / 10]) }
    let present = tenths.indices.filter { !tenths[$0].isEmpty }
    let total = Summaries.sum(actual)
    return Batch(
      schema: decileSchema,
      columns: [
        .int32s(present.map { Int32($0 + 1) }),
        .int64s(present.map { Int64(tenths[$0].count) }),
        .float64s(present.map { mean(actual, tenths[$0]) }),
        .float64s(present.map { mean(predicted, tenths[$0]) }),
        .float64s(present.map { tenth in total != 0 ? Summaries.sum(tenths[tenth].lazy.map { actual[$0] }) / total : nil }),
        // How many times the mean of all the tenth's mean is, and by what share the prediction misses it.
        .float64s(present.map { total != 0 ? mean(actual, tenths[$0]) * Double(n) / total : nil }),
        .float64s(
          present.map { tenth in
            let happened = mean(actual, tenths[tenth])
            return happened != 0 ? (mean(predicted, tenths[tenth]) - happened) / happened : nil
          }),
      ], count: present.count)
  }

  private static func mean(_ values: [Double], _ rows: [Int]) -> Double {
    Summaries.sum(rows.lazy.map { values[$0] }) / Double(rows.count)
  }
}
