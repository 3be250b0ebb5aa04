/// Bars from the largest down, with the share of the total that they make up together.
public struct Pareto: Chart {
  public var frame: Frame
  public var categories: [String]
  public var values: [Double]
  public var value: Axis
  public var category: String?
  /// So many bars are drawn; the line counts the others in its total.
  public var top: Int

  public init(categories: [String], values: [Double], frame: Frame, value: Axis, category: String? = nil, top: Int = 20) {
    precondition(values.count == categories.count, "bars need a value for each category")
    let order = values.indices.filter { values[$0].isFinite && values[$0] >= 0 }
      .sorted { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
    self.frame = frame
    self.categories = order.map { categories[$0] }
    self.values = order.map { values[$0] }
    self.value = value
    self.category = category
    self.top = top
    leftOut = values.count - order.count
  }

  private let leftOut: Int

  /// Share of the total up to each bar.
  public var shares: [Double] {
    let total = values.reduce(0, +)
    var sum = 0.0
    return values.map {
      sum += $0
      return total > 0 ? sum / total : .nan
    }
  }

  public var notes: [String] {
    if values.isEmpty { return ["No values to show"] }
    var notes: [String] = []
    if let at = shares.firstIndex(where: { $0 >= 0.8 }) {
      notes.append("\(NumberFormat.integer.text(Double(at + 1))) of \(NumberFormat.integer.text(Double(values.count))) make up 80%")
    }
    if values.count > top { notes.append("\(top) of \(NumberFormat.integer.text(Double(values.count))) bars shown") }
    if leftOut > 0 { notes.append("\(counted(leftOut, "value")) below zero or missing left out") }
    return notes
  }

  public func spec(_ theme: Theme) -> Spec {
    let shares = shares
    let rows = categories.indices.prefix(top).map { at -> Spec in
      [
        "category": .string(categories[at]), "value": .number(roundedForData(values[at])),
        "share": .number(roundedForData(shares[at])),
      ]
    }
    var bottom: [(String, Spec)] = [
      ("title", category.map(Spec.string) ?? nil), ("ticks", false), ("grid", false), ("labelOverlap", false),
    ]
    bottom += Spec.slant(of: Array(categories.prefix(top)), in: frame.width - 70)
    var share = Axis("Share of the total, together", .percent)
    share.format.decimals = 0
    guard case .object(let right) = share.spec(grid: false, ticks: 5) else { preconditionFailure("an axis is an object") }
    return frame.wrap(
      [
        ("data", .values(Array(rows))),
        (
          "encoding",
          [
            "x": [
              "field": "category", "type": "nominal", "sort": nil, "axis": .object(bottom),
              "scale": ["paddingInner": 0.25, "paddingOuter": 0.15],
            ]
          ]
        ),
        (
          "layer",
          [
            [
              "mark": ["type": "bar", "color": .string(theme.series[0]), "cornerRadiusEnd": 2],
              "encoding": [
                "y": [
                  "field": "value", "type": "quantitative", "axis": value.spec(grid: true, ticks: 5), "scale": roomForLabels(values, 1.05),
                ]
              ],
            ],
            [
              "mark": [
                "type": "line", "color": .string(theme.series[1]), "strokeWidth": 2.2,
                "point": ["filled": true, "size": 36, "color": .string(theme.series[1])],
              ],
              "encoding": [
                "y": ["field": "share", "type": "quantitative", "axis": .object(right), "scale": ["domain": [0, 1], "nice": false]]
              ],
            ],
          ]
        ),
        ("resolve", ["scale": ["y": "independent"]]),
      ], notes: notes, theme: theme)
  }
}
