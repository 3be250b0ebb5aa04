/// One bar for each category, with its value written beside it. Categories must differ.
public struct Bar: Chart {
  public enum Direction: String, Hashable, Sendable { case horizontal, vertical }
  public enum Order: String, Hashable, Sendable { case descending, ascending, given }

  public var frame: Frame
  public var value: Axis
  /// Title of the side with the names.
  public var category: String?
  public var direction: Direction
  /// As shown: sorted and cut to `top`.
  public let categories: [String]
  public let values: [Double]
  private let total: Int

  public init(
    categories: [String], values: [Double], frame: Frame, value: Axis, category: String? = nil,
    direction: Direction = .horizontal, order: Order = .descending, top: Int = 30
  ) {
    precondition(categories.count == values.count, "a bar chart needs a value for each category")
    self.frame = frame
    self.value = value
    self.category = category
    self.direction = direction
    total = categories.count
    let positions = Bar.positions(values, order).prefix(max(1, top))
    self.categories = positions.map { categories[$0] }
    self.values = positions.map { values[$0] }
  }

  // Equal values keep the order they came in; values that are not finite come last.
  private static func positions(_ values: [Double], _ order: Order) -> [Int] {
    let all = Array(values.indices)
    func before(_ a: Int, _ b: Int, _ isFirst: (Double, Double) -> Bool) -> Bool {
      switch (values[a].isFinite, values[b].isFinite) {
      case (true, false): true
      case (false, true): false
      case (false, false): a < b
      case (true, true): values[a] == values[b] ? a < b : isFirst(values[a], values[b])
      }
    }
    switch order {
    case .given: return all
    case .descending: return all.sorted { before($0, $1, >) }
    case .ascending: return all.sorted { before($0, $1, <) }
    }
  }

  public var notes: [String] {
    if total == 0 { return ["No values to show"] }
    return total > categories.count ? ["\(categories.count) of \(counted(total, "bar")) shown"] : []
  }

  public func spec(_ theme: Theme) -> Spec {
    let rows = zip(categories, values).map { category, value -> Spec in
      ["category": .string(category), "value": .number(value), "label": .string(self.value.format.text(value))]
    }
    let isHorizontal = direction == .horizontal
    var nameAxis: [(String, Spec)] = [
      ("title", category.map(Spec.string) ?? nil), ("ticks", false), ("grid", false), ("labelOverlap", false),
    ]
    if !isHorizontal { nameAxis += Spec.slant(of: categories, in: frame.width) }
    let names: Spec = [
      "field": "category", "type": "nominal", "sort": nil, "axis": .object(nameAxis),
      "scale": ["paddingInner": 0.25, "paddingOuter": 0.15],
    ]
    let numbers: Spec = [
      "field": "value", "type": "quantitative", "axis": value.spec(grid: true, ticks: 5),
      "scale": roomForLabels(values, isHorizontal ? 1.12 : 1.08),
    ]
    let sign = "datum.value < 0"
    let label: Spec =
      isHorizontal
      ? [
        "type": "text", "baseline": "middle", "align": ["expr": .string("\(sign) ? 'right' : 'left'")],
        "dx": ["expr": .string("\(sign) ? -5 : 5")], "fontSize": 12, "color": .string(theme.ink),
      ]
      : [
        "type": "text", "align": "center", "baseline": ["expr": .string("\(sign) ? 'top' : 'bottom'")],
        "dy": ["expr": .string("\(sign) ? 4 : -4")], "fontSize": 12, "color": .string(theme.ink),
      ]
    let layers: [Spec] = [
      ["mark": ["type": "bar", "color": .string(theme.series[0]), "cornerRadiusEnd": 2]],
      ["mark": label, "encoding": ["text": ["field": "label", "type": "nominal"]]],
    ]
    let sides: [(String, Spec)] = isHorizontal ? [("x", numbers), ("y", names)] : [("x", names), ("y", numbers)]
    return frame.wrap(
      [("data", .values(rows)), ("encoding", .object(sides)), ("layer", .array(layers))], notes: notes, theme: theme)
  }
}

/// A domain from zero that leaves room for what is written at the ends of the bars.
func roomForLabels(_ values: [Double], _ factor: Double) -> Spec {
  let finite = values.filter(\.isFinite)
  var low = min(0, finite.min() ?? 0) * factor
  let high = max(0, finite.max() ?? 0) * factor
  // A short bar below zero needs room for its label as well.
  if low < 0 { low = min(low, -(high * (factor - 1))) }
  return low == 0 && high == 0
    ? ["domain": [0, 1]] : ["domain": [.number(roundedForData(low)), .number(roundedForData(high))], "nice": false]
}
