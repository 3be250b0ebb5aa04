/// Boxes from the lower to the upper quartile with the median in them, one for each category; the lines reach to the
/// farthest values within one and a half boxes (Tukey 1977).
public struct Box: Chart {
  public struct Category: Hashable, Sendable {
    public var name: String
    public var count: Int
    public var low: Double, lowerQuartile: Double, median: Double, upperQuartile: Double, high: Double
    /// Values beyond the lines.
    public var beyond: Int

    /// Nil without a number among the values.
    public init?(_ name: String, _ values: [Double]) {
      let sorted = values.filter(\.isFinite).sorted()
      guard let first = sorted.first, let last = sorted.last else { return nil }
      func quantile(_ p: Double) -> Double {
        // Type 7 (Hyndman & Fan 1996), as everywhere.
        let at = p * Double(sorted.count - 1)
        let below = Int(at)
        return below + 1 < sorted.count ? sorted[below] + (sorted[below + 1] - sorted[below]) * (at - Double(below)) : sorted[below]
      }
      self.name = name
      count = sorted.count
      (lowerQuartile, median, upperQuartile) = (quantile(0.25), quantile(0.5), quantile(0.75))
      let reach = 1.5 * (upperQuartile - lowerQuartile)
      let (bottom, top) = (lowerQuartile - reach, upperQuartile + reach)
      let inside = sorted.filter { $0 >= bottom && $0 <= top }
      low = min(inside.first ?? first, lowerQuartile)
      high = max(inside.last ?? last, upperQuartile)
      beyond = sorted.count - inside.count
    }
  }

  public var frame: Frame
  public var categories: [Category]
  public var value: Axis
  public var category: String?
  public var noun: String

  public init(categories: [Category], frame: Frame, value: Axis, category: String? = nil, noun: String = "row") {
    self.frame = frame
    self.categories = categories
    self.value = value
    self.category = category
    self.noun = noun
  }

  public var notes: [String] {
    if categories.isEmpty { return ["No values to show"] }
    let beyond = categories.reduce(0) { $0 + $1.beyond }
    return beyond > 0 ? ["\(counted(beyond, noun)) beyond the lines not drawn"] : []
  }

  public func spec(_ theme: Theme) -> Spec {
    let rows = categories.map { one -> Spec in
      [
        "category": .string(one.name), "low": .number(roundedForData(one.low)), "lower": .number(roundedForData(one.lowerQuartile)),
        "median": .number(roundedForData(one.median)), "upper": .number(roundedForData(one.upperQuartile)),
        "high": .number(roundedForData(one.high)), "label": .string(value.format.text(one.median)),
      ]
    }
    let size = max(8, min(46, 0.55 * Double(frame.height - 120) / Double(max(1, categories.count))))
    func side(_ field: String) -> Spec {
      [
        "field": .string(field), "type": "quantitative", "axis": value.spec(grid: true, ticks: 6, over: range),
        "scale": ["type": .string(value.scale.rawValue), "zero": false],
      ]
    }
    return frame.wrap(
      [
        ("data", .values(rows)),
        (
          "encoding",
          [
            "y": [
              "field": "category", "type": "nominal", "sort": nil,
              "axis": ["title": category.map(Spec.string) ?? nil, "ticks": false, "grid": false, "labelOverlap": false],
            ]
          ]
        ),
        (
          "layer",
          [
            [
              "mark": ["type": "rule", "color": .string(theme.muted), "strokeWidth": 1.5],
              "encoding": ["x": side("low"), "x2": ["field": "high"]],
            ],
            [
              "mark": ["type": "bar", "size": .number(size), "color": .string(theme.series[0]), "cornerRadius": 2],
              "encoding": ["x": side("lower"), "x2": ["field": "upper"]],
            ],
            [
              "mark": ["type": "tick", "color": .string(theme.background), "thickness": 3, "size": .number(size)],
              "encoding": ["x": side("median")],
            ],
          ]
        ),
      ], notes: notes, theme: theme)
  }

  private var range: (low: Double, high: Double)? {
    let positive = categories.flatMap { [$0.low, $0.high] }.filter { $0 > 0 }
    guard let low = positive.min(), let high = positive.max() else { return nil }
    return (low, high)
  }
}
