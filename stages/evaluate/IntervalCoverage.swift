import Columns
import Pipelines

/// How many actual numbers lie between the bounds that were foretold for them, and how far these are apart.
struct IntervalCoverage {
  /// Rows with both bounds.
  private(set) var customers = 0
  private(set) var inside = 0
  private var width = 0.0

  /// Rows without a bound are left out.
  init(low: [Double], high: [Double], actual: [Double]) {
    for row in actual.indices where low[row].isFinite && high[row].isFinite {
      customers += 1
      if low[row] <= actual[row], actual[row] <= high[row] { inside += 1 }
      width += high[row] - low[row]
    }
  }

  var json: JSONValue {
    let count = Double(customers)
    return [
      "customers": .integer(customers), "coverage": customers == 0 ? .null : .double(Double(inside) / count),
      "mean_width": customers == 0 ? .null : .double(width / count),
    ]
  }

  /// Both bounds, where a table has both, or nothing.
  static func columns(_ low: String, _ high: String, in schema: Schema) -> [String] {
    schema.index(of: low) != nil && schema.index(of: high) != nil ? [low, high] : []
  }
}
