import Columns
import Pipelines
import Statistics

/// The bounds that outliers of one column are moved to.
struct CapRange: Sendable {
  let low: Double, high: Double

  /// From the cells of the rows kept.
  init(_ bounds: CapBounds, _ batches: [CleanBatch], _ name: String) {
    var values: [Double] = []
    for batch in batches {
      let numbers = batch.cleaned[name].doubles()
      for row in numbers.indices where batch.states[row] == 0 && !numbers[row].isNaN { values.append(numbers[row]) }
    }
    values.sort()
    if let quantile = bounds.quantile {
      low = Summaries.quantile(quantile[0], ofSorted: values)
      high = Summaries.quantile(quantile[1], ofSorted: values)
    } else {
      let (first, third) = (Summaries.quantile(0.25, ofSorted: values), Summaries.quantile(0.75, ofSorted: values))
      let reach = (bounds.iqr ?? 0) * (third - first)
      low = first - reach
      high = third + reach
    }
  }

  /// The column within the bounds, and how many cells of rows kept were moved. Bounds of whole numbers and decimals are
  /// the nearest cells inside.
  func applied(to column: Column, rules: [UInt16]) -> (Column, Int) {
    if low.isNaN || high.isNaN { return (column, 0) }
    var scale = 1.0
    if case .decimal(_, let digits) = column.type { for _ in 0..<digits { scale *= 10 } }
    var moved = 0
    func cells<T: BitwiseCopyable & Comparable>(_ type: T.Type, _ low: T, _ high: T) -> Column {
      let from = column.values(as: T.self)
      let buffer = Buffer(byteCount: column.count * MemoryLayout<T>.stride) { bytes in
        let to = bytes.bindMemory(to: T.self)
        for row in 0..<column.count {
          var value = from[row]
          if rules[row] == 0, !column.isNull(row) {
            if value < low { value = low } else if value > high { value = high }
            if value != from[row] { moved += 1 }
          }
          to[row] = value
        }
      }
      return Column(type: column.type, count: column.count, validity: column.validity, storage: .fixed(buffer))
    }
    switch column.type {
    case .float64: return (cells(Double.self, low, high), moved)
    case .int32:
      return (cells(Int32.self, Int32(clamping: whole(low.rounded(.up))), Int32(clamping: whole(high.rounded(.down)))), moved)
    case .int64, .decimal:
      return (cells(Int64.self, whole(inner(low, scale, .up)), whole(inner(high, scale, .down))), moved)
    case .bool, .string, .date, .timestamp: return (column, 0)
    }
  }

  // 6.95 × 1000 is 6949.999…: a product that is a whole number but for its last bits is that number.
  private func inner(_ bound: Double, _ scale: Double, _ rule: FloatingPointRoundingRule) -> Double {
    let scaled = bound * scale, near = scaled.rounded()
    return near / scale == bound ? near : scaled.rounded(rule)
  }

  private func whole(_ value: Double) -> Int64 { Int64(exactly: value) ?? (value < 0 ? .min : .max) }
}
