/// One or more lines, each with an optional band around it.
public struct Line: Chart {
  /// What stands along the bottom.
  public enum Positions: Hashable, Sendable {
    case numbers([Double])
    /// ISO 8601 days (`2011-12-09`) or instants; shown in UTC whatever the machine's zone is.
    case dates([String])
    case labels([String])

    var count: Int {
      switch self {
      case .numbers(let all): all.count
      case .dates(let all), .labels(let all): all.count
      }
    }
  }

  public struct Series: Hashable, Sendable {
    public var name: String
    /// One for each position; NaN where there is none.
    public var values: [Double]
    /// Lower and upper end of the band.
    public var low: [Double]?, high: [Double]?
    /// For what is expected or assumed beside what was seen.
    public var isDashed: Bool

    public init(_ name: String, _ values: [Double], low: [Double]? = nil, high: [Double]? = nil, isDashed: Bool = false) {
      self.name = name
      self.values = values
      self.low = low
      self.high = high
      self.isDashed = isDashed
    }
  }

  public var frame: Frame
  public var positions: Positions
  public var series: [Series]
  public var x: Axis, y: Axis
  /// The y axis begins at zero unless the lines would be pressed flat.
  public var fromZero: Bool

  public init(positions: Positions, series: [Series], frame: Frame, x: Axis, y: Axis, fromZero: Bool = true) {
    precondition(
      series.allSatisfy {
        $0.values.count == positions.count && ($0.low?.count ?? positions.count) == positions.count
          && ($0.high?.count ?? positions.count) == positions.count && ($0.low == nil) == ($0.high == nil)
      }, "a series needs a value for each position, and a band both its ends")
    self.frame = frame
    self.positions = positions
    self.series = series
    self.x = x
    self.y = y
    self.fromZero = fromZero
  }

  public var notes: [String] { series.isEmpty || positions.count == 0 ? ["No values to show"] : [] }

  public func spec(_ theme: Theme) -> Spec {
    var rows: [Spec] = []
    for one in series {
      for index in 0..<positions.count where one.values[index].isFinite {
        var row: [(String, Spec)] = [
          ("x", position(index)), ("y", .number(roundedForData(one.values[index]))), ("series", .string(one.name)),
        ]
        if let low = one.low, let high = one.high {
          row += [("low", .number(roundedForData(low[index]))), ("high", .number(roundedForData(high[index])))]
        }
        rows.append(.object(row))
      }
    }
    let names = Spec.array(series.map { .string($0.name) })
    let colors = Spec.array(series.indices.map { .string(theme.color($0)) })
    let color: Spec = [
      "field": "series", "type": "nominal", "scale": ["domain": names, "range": colors],
      "legend": series.count > 1 ? ["title": nil, "symbolType": "stroke", "symbolStrokeWidth": 3, "symbolOpacity": 1] : nil,
    ]
    let scale: Spec = ["type": .string(y.scale.rawValue), "zero": .bool(fromZero && y.scale == .linear)]
    var seen: [Double] = []
    for one in series { seen += one.values + (one.low ?? []) + (one.high ?? []) }
    let range = Line.positiveRange(seen)
    let sides: Spec = [
      "x": xSide, "y": ["field": "y", "type": "quantitative", "scale": scale, "axis": y.spec(grid: true, ticks: 5, over: range)],
      "color": color,
    ]
    var layers: [Spec] = []
    if series.contains(where: { $0.low != nil }) {
      layers.append([
        "transform": [["filter": "isValid(datum.low) && isValid(datum.high)"]],
        "mark": ["type": "area", "opacity": 0.18],
        "encoding": ["y": ["field": "low", "type": "quantitative", "title": nil], "y2": ["field": "high"]],
      ])
    }
    var lineEncoding: [(String, Spec)] = []
    if series.contains(where: \.isDashed) {
      lineEncoding.append(
        (
          "strokeDash",
          [
            "field": "series", "type": "nominal", "legend": nil,
            "scale": ["domain": names, "range": .array(series.map { $0.isDashed ? [6, 4] : [1, 0] })],
          ]
        ))
    }
    layers.append([
      "mark": [
        "type": "line", "strokeWidth": 2.2,
        "point": positions.count <= 24 ? ["filled": true, "size": 36] : false,
      ],
      "encoding": .object(lineEncoding),
    ])
    return frame.wrap(
      [("data", .values(rows)), ("encoding", sides), ("layer", .array(layers))], notes: notes, theme: theme)
  }

  // What a logarithmic axis can show.
  private static func positiveRange(_ values: [Double]) -> (low: Double, high: Double)? {
    let positive = values.filter { $0 > 0 && $0.isFinite }
    guard let low = positive.min(), let high = positive.max() else { return nil }
    return (low, high)
  }

  private func position(_ index: Int) -> Spec {
    switch positions {
    case .numbers(let all): .number(all[index])
    case .dates(let all), .labels(let all): .string(all[index])
    }
  }

  private var xSide: Spec {
    switch positions {
    case .numbers(let all):
      return [
        "field": "x", "type": "quantitative",
        "scale": ["type": .string(x.scale.rawValue), "zero": false, "nice": false],
        "axis": x.spec(grid: false, ticks: 8, over: Line.positiveRange(all)),
      ]
    case .dates:
      return [
        "field": "x", "type": "temporal", "scale": ["type": "utc"],
        "axis": ["title": x.title.map(Spec.string) ?? nil, "grid": false, "labelOverlap": true, "tickCount": 8],
      ]
    case .labels(let all):
      return [
        "field": "x", "type": "ordinal", "sort": nil,
        "axis": .object(
          [("title", x.title.map(Spec.string) ?? nil), ("grid", false), ("labelOverlap", true)]
            + Spec.slant(of: all, in: frame.width)),
      ]
    }
  }
}
