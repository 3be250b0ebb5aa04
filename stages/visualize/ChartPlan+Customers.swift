import Charts
import Columns
import Diagnostics
import Expressions
import Pipelines

/// Charts of customers and of what models say of them.
extension ChartPlan {
  /// Rows counted, or the mean of a third column, by classes of two others.
  func matrix(_ data: ChartData) throws -> any Chart {
    let names = [x, settings.y[0]] + [settings.colour].compactMap(\.self)
    let columns = try data.rows(numbers: names).numbers
    let known = columns[0].indices.filter { row in columns.allSatisfy { $0[row].isFinite } }
    func classes(_ values: [Double]) -> Bins? {
      guard var sorted = Optional(known.map { values[$0] }), !sorted.isEmpty else { return nil }
      sorted.sort()
      // The last class takes what lies beyond.
      let high = sorted[min(sorted.count - 1, Int(Double(sorted.count - 1) * (settings.clip ?? 0.98)))]
      return Bins.linear(
        from: sorted[0], to: high, about: settings.bins ?? 12, whole: sorted.allSatisfy { $0 == $0.rounded(.towardZero) })
    }
    let format = valueFormat ?? (settings.colour == nil ? .integer : .plain)
    let frame = frame(leftOut: columns[0].count - known.count, height: 420)
    let legend = settings.colour.map { "mean " + words(of: $0) } ?? noun + "s"
    func map(_ rows: [String], _ columns: [String], _ values: [Double]) -> HeatMap {
      HeatMap(
        rows: rows, columns: columns, values: values, frame: frame, rowTitle: settings.yTitle ?? words(of: settings.y[0]),
        columnTitle: settings.xTitle ?? words(of: x), format: format, legend: legend)
    }
    guard let across = classes(columns[0]), let up = classes(columns[1]) else { return map([], [], []) }
    var (sums, counts) = ([Double](repeating: 0, count: across.count * up.count), [Double](repeating: 0, count: across.count * up.count))
    for row in known {
      let i = across.index(of: columns[0][row]) ?? across.count - 1, j = up.index(of: columns[1][row]) ?? up.count - 1
      // Large values stand above small ones.
      let cell = (up.count - 1 - j) * across.count + i
      counts[cell] += 1
      if settings.colour != nil { sums[cell] += columns[2][row] }
    }
    let values = zip(sums, counts).map { sum, count in count == 0 ? Double.nan : settings.colour == nil ? count : sum / count }
    return map(up.names(of: columns[1], known).reversed(), across.names(of: columns[0], known), values)
  }

  /// The share of customers with a row in each period after that of their first one.
  func retention(_ data: ChartData) throws -> any Chart {
    let every = settings.every ?? .month, limit = settings.limit ?? 24
    var counts = try data.cohorts(of: settings.y[0], x, every: every, limit: limit)
    let (active, names, last) = counts.counted()
    let cohorts = Array(active.keys.sorted().suffix(limit))
    let longest = cohorts.first.map { min(last - $0, limit) } ?? 0
    var values: [Double] = []
    for cohort in cohorts {
      let own = active[cohort] ?? []
      for offset in 1...max(1, longest) {
        // Periods that have not been yet stay empty; those without anybody are zero.
        values.append(cohort + offset <= last ? Double(offset < own.count ? own[offset] : 0) / Double(own[0]) : .nan)
      }
    }
    let rows = cohorts.map { "\(names[$0] ?? "")  (\(NumberFormat.integer.text(Double(active[$0]?[0] ?? 0))))" }
    var frame = frame(height: min(4000, max(320, 130 + 22 * cohorts.count)))
    if active.count > cohorts.count {
      frame.subtitle = [frame.subtitle, "The last \(cohorts.count) of \(active.count) cohorts shown"].compactMap(\.self).joined(separator: ". ")
    }
    return HeatMap(
      rows: rows, columns: (1...max(1, longest)).map { "\($0)" }, values: values, frame: frame,
      rowTitle: settings.yTitle ?? "First \(every.rawValue) (\(words(of: settings.y[0]))s)",
      columnTitle: settings.xTitle ?? "\(every.rawValue)s since the first", format: .percent.whole, legend: "came back", labelLimit: 330)
  }

  /// An aggregate by period, with the mean of three periods.
  func trend(_ data: ChartData) throws -> any Chart {
    guard let value else { preconditionFailure("a trend was planned without its value") }
    let every = settings.every ?? .month
    let periods = try data.periods(of: x, every: every, value)
    let all = (0..<periods.count).filter { !periods.columns[0].isNull($0) }
    let numbers = periods.columns[1].doubles()
    let values = all.map { numbers[$0] }
    let smooth = values.indices.map { at -> Double in
      let near = values[max(0, at - 1)...min(values.count - 1, at + 1)].filter(\.isFinite)
      return near.isEmpty ? .nan : near.reduce(0, +) / Double(near.count)
    }
    let title = settings.yTitle ?? settings.value?.text ?? ""
    var series: [Line.Series] = [.init("each \(every.rawValue)", values)]
    if values.count >= 4 { series.append(.init("mean of three", smooth, isDashed: true)) }
    return Line(
      positions: .dates(all.map { periods.columns[0].value(at: $0).instant }), series: series, frame: frame(leftOut: periods.count - all.count),
      x: Axis(settings.xTitle), y: Axis(title, yFormat ?? .plain))
  }

  func calibration(_ data: ChartData) throws -> any Chart {
    let (numbers, labels) = try data.rows(numbers: [x, settings.y[0]], labels: [settings.colour].compactMap(\.self))
    return Calibration(
      points: numbers[0].indices.map { .init(predicted: numbers[0][$0], actual: numbers[1][$0], label: labels.first?[$0].label ?? "") },
      frame: frame(height: 420), x: Axis(settings.xTitle ?? words(of: x), xFormat ?? .plain),
      y: Axis(settings.yTitle ?? words(of: settings.y[0]), yFormat ?? .plain))
  }

  func flow(_ data: ChartData) throws -> any Chart {
    guard let value else { preconditionFailure("a flow was planned without its value") }
    let groups = try data.groups(by: [x, settings.y[0]], value)
    let (from, to, values) = (groups.columns[0].allValues, groups.columns[1].allValues, groups.columns[2].doubles())
    let rows = from.indices.filter { from[$0] != .null && to[$0] != .null }
    return Flow(
      streams: rows.map { .init(from[$0].label, to[$0].label, values[$0]) }, frame: frame(leftOut: from.count - rows.count, height: 420),
      format: valueFormat ?? .plain, leftTitle: settings.xTitle ?? words(of: x), rightTitle: settings.yTitle ?? words(of: settings.y[0]))
  }

  func clusterCount(_ data: ChartData) throws -> any Chart {
    let (numbers, chosen) = try data.rows(numbers: Array(Self.choices.dropLast()), labels: ["chosen"])
    return ClusterCount(
      rows: numbers[0].indices.filter { numbers[0][$0].isFinite && numbers[0][$0].magnitude < 1e9 }.map {
        .init(
          k: Int(numbers[0][$0]), inertia: numbers[1][$0], silhouette: numbers[2][$0], low: numbers[3][$0], high: numbers[4][$0],
          isChosen: chosen[0][$0] == .bool(true))
      }, frame: frame())
  }
}

extension Bins {
  /// What the classes are called: "3", "3–5", and of the last one "10+" where values lie beyond it.
  fileprivate func names(of values: [Double], _ rows: [Int]) -> [String] {
    let highest = rows.reduce(-Double.infinity) { max($0, values[$1]) }
    return (0..<count).map { bin in
      let (from, to) = (edges[bin], edges[bin + 1])
      let low = NumberFormat.plain.text(from)
      if bin == count - 1, highest > to || (!closesLast && highest >= to) { return low + "+" }
      if closesLast { return "\(low)–\(NumberFormat.plain.text(to))" }
      return to - from == 1 ? low : "\(low)–\(NumberFormat.plain.text(to - 1))"
    }
  }
}
