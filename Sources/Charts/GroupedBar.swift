/// Several bars for each category, one for each series: shares of customers beside shares of revenue.
public struct GroupedBar: Chart {
  public struct Series: Hashable, Sendable {
    public var name: String
    /// One for each category; NaN where there is none.
    public var values: [Double]

    public init(_ name: String, _ values: [Double]) {
      self.name = name
      self.values = values
    }
  }

  public var frame: Frame
  public var categories: [String]
  public var series: [Series]
  public var value: Axis
  public var category: String?
  public var direction: Bar.Direction

  public init(
    categories: [String], series: [Series], frame: Frame, value: Axis, category: String? = nil,
    direction: Bar.Direction = .vertical
  ) {
    precondition(series.allSatisfy { $0.values.count == categories.count }, "a series needs a value for each category")
    self.frame = frame
    self.categories = categories
    self.series = series
    self.value = value
    self.category = category
    self.direction = direction
  }

  public var notes: [String] { categories.isEmpty || series.isEmpty ? ["No values to show"] : [] }

  /// How the values are written at the bars: as the axis says, else without decimals, else shortened; nil when
  /// there is no room even so.
  private var labelFormat: NumberFormat? {
    let bars = Double(max(1, categories.count * series.count))
    if direction == .horizontal { return Double(frame.height - 110) * 0.8 / bars >= 11 ? value.format : nil }
    let room = Double(frame.width - 90) * 0.8 / bars
    var bare = value.format
    bare.decimals = 0
    // 5.8 px is the mean advance of a digit and its company at 10.5 px.
    return [value.format, bare, bare.compact].first { format in
      series.allSatisfy { $0.values.allSatisfy { Double(format.text($0).count) * 5.8 + 3 <= room } }
    }
  }

  public func spec(_ theme: Theme) -> Spec {
    let labelFormat = labelFormat
    var rows: [Spec] = []
    for (position, category) in categories.enumerated() {
      for one in series where one.values[position].isFinite {
        rows.append([
          "category": .string(category), "series": .string(one.name), "value": .number(one.values[position]),
          "label": .string(labelFormat?.text(one.values[position]) ?? ""),
        ])
      }
    }
    let isHorizontal = direction == .horizontal
    var nameAxis: [(String, Spec)] = [
      ("title", category.map(Spec.string) ?? nil), ("ticks", false), ("grid", false), ("labelOverlap", false),
    ]
    if !isHorizontal { nameAxis += Spec.slant(of: categories, in: frame.width) }
    let all = series.flatMap(\.values)
    let names: Spec = [
      "field": "category", "type": "nominal", "sort": nil, "axis": .object(nameAxis),
      "scale": ["paddingInner": 0.22, "paddingOuter": 0.1],
    ]
    let numbers: Spec = [
      "field": "value", "type": "quantitative", "axis": value.spec(grid: true, ticks: 5),
      "scale": roomForLabels(all, isHorizontal ? 1.12 : 1.08),
    ]
    let side: Spec = [
      "field": "series", "type": "nominal", "sort": nil,
      "scale": ["domain": .array(series.map { .string($0.name) })],
    ]
    let color: Spec = [
      "field": "series", "type": "nominal", "legend": ["title": nil],
      "scale": [
        "domain": .array(series.map { .string($0.name) }), "range": .array(series.indices.map { .string(theme.color($0)) }),
      ],
    ]
    let sides: [(String, Spec)] =
      isHorizontal
      ? [("x", numbers), ("y", names), ("yOffset", side)] : [("x", names), ("xOffset", side), ("y", numbers)]
    var layers: [Spec] = [
      ["mark": ["type": "bar", "cornerRadiusEnd": 2], "encoding": ["color": color]]
    ]
    if labelFormat != nil {
      layers.append([
        "mark": isHorizontal
          ? ["type": "text", "align": "left", "baseline": "middle", "dx": 4, "fontSize": 10.5, "color": .string(theme.ink)]
          : [
            "type": "text", "align": "center", "baseline": "bottom", "dy": -3, "fontSize": 10.5, "color": .string(theme.ink),
          ],
        "encoding": ["text": ["field": "label", "type": "nominal"]],
      ])
    }
    return frame.wrap(
      [("data", .values(rows)), ("encoding", .object(sides)), ("layer", .array(layers))], notes: notes, theme: theme)
  }
}
