import Charts
import Columns
import Diagnostics
import Pipelines

extension ChartPlan {
  /// A heat map with more rows or columns than this shows nothing that could be read.
  static let widestGrid = 100

  /// The chart of the rows of `table`.
  func chart(_ table: TableArtifact, _ context: any RunContext) throws -> any Chart {
    let data = ChartData(plan: self, table: table, context: context)
    switch settings.chart {
    case .histogram:
      let values = try data.rows(numbers: [x]).numbers[0]
      return Histogram(
        values: values, frame: frame(), x: xAxis(), noun: noun, about: settings.bins ?? 40, density: settings.density)
    case .bar: return try bar(data)
    case .groupedBar: return try groupedBar(data)
    case .scatter: return try scatter(data)
    case .line: return try line(data)
    case .heatMap: return try heatMap(data)
    case .box: return try box(data)
    case .pareto:
      let (categories, values, leftOut) = try bars(data)
      return Pareto(
        categories: categories, values: values, frame: frame(leftOut: leftOut), value: yAxis(), category: settings.xTitle,
        top: settings.limit ?? 20)
    case .lorenz:
      let values = try data.rows(numbers: [x]).numbers[0]
      return Lorenz(
        values: values, frame: frame(height: 420), x: Axis(settings.xTitle ?? "Share of \(noun)s, the lowest first", .percent.whole),
        y: Axis(settings.yTitle ?? "Share of \(words(of: x))", .percent.whole), noun: noun)
    case .correlation: return try correlation(data)
    case .dendrogram: return try dendrogram(data)
    case .matrix: return try matrix(data)
    case .retention: return try retention(data)
    case .trend: return try trend(data)
    case .calibration: return try calibration(data)
    case .treemap:
      let (categories, values, leftOut) = try bars(data)
      return Treemap(categories: categories, values: values, frame: frame(leftOut: leftOut), format: valueFormat ?? .plain)
    case .flow: return try flow(data)
    case .clusterCount: return try clusterCount(data)
    }
  }

  func frame(leftOut: Int = 0, height: Int = 360) -> Frame {
    let note = leftOut == 0 ? nil : "\(NumberFormat.integer.text(Double(leftOut))) \(leftOut == 1 ? "row" : "rows") without a value left out"
    let lines = [settings.subtitle, note].compactMap(\.self)
    return Frame(
      settings.title ?? words(of: name), subtitle: lines.isEmpty ? nil : lines.joined(separator: ". "),
      width: settings.width ?? 640, height: settings.height ?? height)
  }

  func xAxis() -> Axis {
    Axis(settings.xTitle ?? words(of: x), xFormat ?? .plain, scale: settings.xLog ? .log : .linear, shownShare: settings.clip ?? 1)
  }

  func yAxis() -> Axis {
    let title = settings.yTitle ?? (settings.y.count == 1 ? words(of: settings.y[0]) : settings.value?.text)
    return Axis(title, yFormat ?? .plain, scale: settings.yLog ? .log : .linear, shownShare: settings.clip ?? 1)
  }

  // Bars lie on their sides, each with room for its name.
  private func heightForBars(_ count: Int) -> Int { min(4000, max(360, 110 + 22 * count)) }

  /// A value for each category.
  private func bars(_ data: ChartData) throws -> (categories: [String], values: [Double], leftOut: Int) {
    var categories: [String], values: [Double], leftOut = 0
    if let value {
      let groups = try data.groups(by: [x], value)
      (categories, values) = ([], [])
      for (key, value) in zip(groups.columns[0].allValues, groups.columns[1].doubles()) {
        if value.isFinite {
          categories.append(key.label)
          values.append(value)
        } else {
          leftOut += 1
        }
      }
    } else {
      let pivot = try data.series()
      (categories, values, leftOut) = (pivot.places.map(\.label), pivot.values(0), pivot.leftOut)
    }
    return (categories, values, leftOut)
  }

  private func bar(_ data: ChartData) throws -> any Chart {
    let (categories, values, leftOut) = try bars(data)
    let order: Bar.Order =
      switch settings.sort {
      case .ascending: .ascending
      case .descending: .descending
      case .some(.none), nil: .given
      }
    let top = settings.limit ?? 60
    return Bar(
      categories: categories, values: values, frame: frame(leftOut: leftOut, height: heightForBars(min(top, categories.count))),
      value: yAxis(), category: settings.xTitle, order: order, top: top)
  }

  private func groupedBar(_ data: ChartData) throws -> any Chart {
    var pivot = try data.series()
    let first = pivot.series.isEmpty ? [] : pivot.values(0)
    // Places without a first value come last; equal ones stay in their order.
    func ordered(_ precedes: (Double, Double) -> Bool) -> [Int] {
      first.indices.sorted { a, b in
        if first[a].isNaN || first[b].isNaN { return first[a].isNaN == first[b].isNaN ? a < b : first[b].isNaN }
        return first[a] == first[b] ? a < b : precedes(first[a], first[b])
      }
    }
    switch settings.sort {
    case .ascending: pivot.take(ordered(<))
    case .descending: pivot.take(ordered(>))
    case .some(.none), nil: break
    }
    pivot.take(Array(pivot.places.indices.prefix(settings.limit ?? 40)))
    return GroupedBar(
      categories: pivot.places.map(\.label), series: pivot.series.indices.map { .init(pivot.series[$0], pivot.values($0)) },
      frame: frame(leftOut: pivot.leftOut), value: yAxis(), category: settings.xTitle)
  }

  private func scatter(_ data: ChartData) throws -> any Chart {
    let numbers: [[Double]]
    var groups: Groups?
    if let colour = settings.colour {
      var labels: LabelCodes
      (numbers, labels) = try data.rows(numbers: [x, settings.y[0]], label: colour)
      labels.sort()
      groups = Groups(names: labels.names.map(\.label), codes: labels.codes.map(Int.init))
    } else {
      numbers = try data.rows(numbers: [x, settings.y[0]]).numbers
    }
    return Scatter(
      x: numbers[0], y: numbers[1], groups: groups, groupTitle: settings.colour.map(words(of:)), frame: frame(height: 420),
      x: xAxis(), y: yAxis(), noun: noun, limit: settings.limit ?? 2000)
  }

  private func line(_ data: ChartData) throws -> any Chart {
    var pivot = try data.series()
    let positions: Line.Positions
    switch table(type, x) {
    case .date, .timestamp:
      pivot.sort()
      positions = .dates(pivot.places.map(\.instant))
    case .string, .bool: positions = .labels(pivot.places.map(\.label))
    case .int32, .int64, .float64, .decimal:
      pivot.sort()
      positions = .numbers(pivot.places.map(\.number))
    }
    func values(_ series: Int) -> [Double] {
      if !settings.cumulative { return pivot.values(series) }
      var sum = 0.0
      // What is missing adds nothing and is not drawn.
      return pivot.values(series).map {
        if $0.isFinite { sum += $0 }
        return $0.isFinite ? sum : .nan
      }
    }
    let series: [Line.Series] = settings.low == nil
      ? pivot.series.indices.map { .init(pivot.series[$0], values($0)) }
      : [.init(pivot.series[0], pivot.values(0), low: pivot.values(1), high: pivot.values(2))]
    return Line(
      positions: positions, series: series,
      frame: frame(leftOut: pivot.leftOut), x: xAxis(), y: yAxis())
  }

  private func heatMap(_ data: ChartData) throws -> any Chart {
    guard let value else { preconditionFailure("a heat map was planned without its value") }
    let groups = try data.groups(by: [x, settings.y[0]], value)
    let (xs, ys, values) = (groups.columns[0].allValues, groups.columns[1].allValues, groups.columns[2].doubles())
    let across = Array(Set(xs.filter { $0 != .null })).sorted(by: Value.precedes)
    var down = Array(Set(ys.filter { $0 != .null })).sorted(by: Value.precedes)
    for (name, values, setting) in [(x, across, "x"), (settings.y[0], down, "y")] where values.count > Self.widestGrid {
      throw Diagnostic(
        "column \"\(name)\" of chart \"\(self.name)\" has too many values for a heat-map",
        at: .setting(["charts", .key(self.name), .key(setting)]), expected: "at most \(Self.widestGrid) different values",
        found: NumberFormat.integer.text(Double(values.count)), hint: "cut it into classes in a feature-engineer stage before")
    }
    // Numbers grow upwards, names read downwards.
    if table(type, settings.y[0]).isNumeric { down.reverse() }
    let column = Dictionary(uniqueKeysWithValues: zip(across, across.indices)), row = Dictionary(uniqueKeysWithValues: zip(down, down.indices))
    var cells = Array(repeating: Double.nan, count: across.count * down.count), leftOut = 0
    for at in xs.indices {
      guard let c = column[xs[at]], let r = row[ys[at]] else {
        leftOut += 1
        continue
      }
      cells[r * across.count + c] = values[at]
    }
    var frame = frame(height: min(4000, max(360, 110 + 24 * down.count)))
    if leftOut > 0 { frame.subtitle = [frame.subtitle, "Rows without \(words(of: x)) or \(words(of: settings.y[0])) left out"].compactMap(\.self).joined(separator: ". ") }
    let legend = value == .countOfRows ? noun + "s" : settings.value?.text
    return HeatMap(
      rows: down.map(\.label), columns: across.map(\.label), values: cells, frame: frame,
      rowTitle: settings.yTitle ?? words(of: settings.y[0]), columnTitle: settings.xTitle ?? words(of: x),
      format: valueFormat ?? .plain, legend: legend)
  }

  private func table(_ type: TableType?, _ column: String) -> ColumnType {
    guard let type = type?.schema.type(of: column) else { preconditionFailure("column \"\(column)\" of a chart was planned without its type") }
    return type
  }
}
