import Charts
import Columns
import Diagnostics
import Pipelines
import Statistics

/// Charts of how values and rows lie to each other.
extension ChartPlan {
  func box(_ data: ChartData) throws -> any Chart {
    let (numbers, labels) = try data.rows(numbers: [settings.y[0]], label: x)
    var values = [[Double]](repeating: [], count: labels.names.count)
    var leftOut = 0
    for (row, code) in labels.codes.enumerated() {
      if labels.names[Int(code)] == .null || !numbers[0][row].isFinite {
        leftOut += 1
      } else {
        values[Int(code)].append(numbers[0][row])
      }
    }
    var categories = labels.ascending.compactMap { Box.Category(labels.names[$0].label, values[$0]) }
    switch settings.sort {
    case .ascending: categories = categories.enumerated().sorted { ($0.element.median, $0.offset) < ($1.element.median, $1.offset) }.map(\.element)
    case .descending: categories = categories.enumerated().sorted { (-$0.element.median, $0.offset) < (-$1.element.median, $1.offset) }.map(\.element)
    case .some(.none), nil: break
    }
    let top = settings.limit ?? 40
    var frame = frame(leftOut: leftOut, height: min(4000, max(240, 120 + 34 * min(top, categories.count))))
    if categories.count > top {
      frame.subtitle = [frame.subtitle, "\(top) of \(categories.count) boxes shown"].compactMap(\.self).joined(separator: ". ")
    }
    return Box(
      categories: Array(categories.prefix(top)), frame: frame, value: yAxis(), category: settings.xTitle, noun: noun)
  }

  /// Pearson's, over the rows that have both columns.
  func correlation(_ data: ChartData) throws -> any Chart {
    let names = settings.y.items
    let columns = try data.rows(numbers: names).numbers
    let isWhole = columns.map { $0.allSatisfy(\.isFinite) }
    var cells = [Double](repeating: .nan, count: names.count * names.count)
    for a in names.indices {
      for b in 0...a {
        let value: Double
        if isWhole[a], isWhole[b] {
          value = Summaries.correlation(columns[a], columns[b])
        } else {
          let rows = columns[a].indices.filter { columns[a][$0].isFinite && columns[b][$0].isFinite }
          value = Summaries.correlation(rows.map { columns[a][$0] }, rows.map { columns[b][$0] })
        }
        (cells[a * names.count + b], cells[b * names.count + a]) = (value, value)
      }
    }
    // The scale is that of correlations, whatever the largest one is: the diagonal is 1.
    return HeatMap(
      rows: names.map(words(of:)), columns: names.map(words(of:)), values: cells,
      frame: frame(height: min(4000, max(320, 130 + 34 * names.count))), format: NumberFormat(decimals: 2), colors: .diverging,
      legend: "correlation")
  }

  func dendrogram(_ data: ChartData) throws -> any Chart {
    let columns = try data.rows(numbers: Self.merges).numbers
    let n = columns[0].count
    for row in 0..<n {
      let (left, right) = (columns[0][row], columns[1][row])
      guard left >= 0, right >= 0, left < Double(n + 1 + row), right < Double(n + 1 + row), columns[2][row].isFinite,
        row == 0 || columns[2][row] >= columns[2][row - 1]
      else {
        throw Diagnostic(
          "row \(row + 1) of the merges of chart \"\(name)\" is no merge of what is above it", at: .setting(["charts", .key(name), "table"]),
          hint: "give the output \"merges\" of a hierarchical segment as it is")
      }
    }
    return Dendrogram(
      merges: (0..<n).map {
        .init(left: Int(columns[0][$0]), right: Int(columns[1][$0]), height: columns[2][$0], size: columns[3][$0])
      }, frame: frame(height: 420), y: Axis(settings.yTitle ?? "Distance at which they join", yFormat ?? .plain),
      noun: settings.noun ?? "row", limit: settings.limit ?? 30, cut: settings.cut)
  }
}

extension NumberFormat {
  /// Without decimals.
  var whole: NumberFormat {
    var copy = self
    copy.decimals = 0
    return copy
  }
}
