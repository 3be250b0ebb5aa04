/// A grid of coloured cells with their values written in them: the RFM grid, correlations, retention by cohort.
public struct HeatMap: Chart {
  public enum Colors: String, Hashable, Sendable {
    /// From the least to the most.
    case sequential
    /// From −m over 0 to m, where m is the greatest distance from zero.
    case diverging
  }

  public var frame: Frame
  /// Names of rows from the top, and of columns from the left; each must differ.
  public var rows: [String], columns: [String]
  /// Row by row; NaN where a cell is empty.
  public var values: [Double]
  public var rowTitle: String?, columnTitle: String?
  public var format: NumberFormat
  public var colors: Colors
  /// Title of the colour scale.
  public var legend: String?
  /// Cells carry text while the grid has at most this many.
  public var labelLimit: Int

  public init(
    rows: [String], columns: [String], values: [Double], frame: Frame, rowTitle: String? = nil,
    columnTitle: String? = nil, format: NumberFormat = .plain, colors: Colors = .sequential, legend: String? = nil,
    labelLimit: Int = 240
  ) {
    precondition(values.count == rows.count * columns.count, "a heat map needs a value for each cell")
    self.frame = frame
    self.rows = rows
    self.columns = columns
    self.values = values
    self.rowTitle = rowTitle
    self.columnTitle = columnTitle
    self.format = format
    self.colors = colors
    self.legend = legend
    self.labelLimit = labelLimit
  }

  public var notes: [String] { values.contains(where: \.isFinite) ? [] : ["No values to show"] }

  /// The ends of the colour scale.
  private var domain: (low: Double, high: Double) {
    let finite = values.filter(\.isFinite)
    switch colors {
    case .sequential:
      let low = finite.min() ?? 0, high = finite.max() ?? 1
      return low < high ? (low, high) : (min(low, 0), max(high, low == 0 ? 1 : low, 0))
    case .diverging:
      let reach = finite.map { abs($0) }.max() ?? 1
      return reach > 0 ? (-reach, reach) : (-1, 1)
    }
  }

  public func spec(_ theme: Theme) -> Spec {
    let domain = domain
    var cells: [Spec] = []
    for (r, row) in rows.enumerated() {
      for (c, column) in columns.enumerated() {
        let value = values[r * columns.count + c]
        guard value.isFinite else { continue }
        cells.append([
          "row": .string(row), "column": .string(column), "value": .number(roundedForData(value)),
          "label": .string(format.text(value)), "strong": .bool(isStrong(value, domain)),
        ])
      }
    }
    let range = colors == .sequential ? theme.sequential : theme.diverging
    let color: Spec = [
      "field": "value", "type": "quantitative",
      "scale": ["domain": [.number(domain.low), .number(domain.high)], "range": .array(range.map(Spec.string))],
      "legend": [
        "title": legend.map(Spec.string) ?? nil, "orient": "right", "labelExpr": .string(format.expression()),
        "gradientLength": .integer(max(60, min(180, frame.height - 160))), "tickCount": 5,
      ],
    ]
    var bottom: [(String, Spec)] = [
      ("title", columnTitle.map(Spec.string) ?? nil), ("grid", false), ("ticks", false), ("domain", false),
      ("labelOverlap", false),
    ]
    bottom += Spec.slant(of: columns, in: frame.width - 120)
    let sides: Spec = [
      "x": [
        "field": "column", "type": "nominal", "sort": nil, "axis": .object(bottom),
        "scale": ["domain": .array(columns.map(Spec.string))],
      ],
      "y": [
        "field": "row", "type": "nominal", "sort": nil, "scale": ["domain": .array(rows.map(Spec.string))],
        "axis": ["title": rowTitle.map(Spec.string) ?? nil, "grid": false, "ticks": false, "domain": false],
      ],
    ]
    var layers: [Spec] = [
      [
        "mark": ["type": "rect", "stroke": .string(theme.background), "strokeWidth": 1.5, "cornerRadius": 2],
        "encoding": ["color": color],
      ]
    ]
    if values.count <= labelLimit {
      // Smaller letters where the longest text would touch its neighbours.
      let longest = cells.isEmpty ? 1 : values.map { format.text($0).count }.max() ?? 1
      let room = Double(frame.width - 190) / Double(max(1, columns.count))
      let size: Spec = Double(longest) * 6.6 < room ? 12 : Double(longest) * 5.2 < room ? 9.5 : 8
      layers.append([
        "mark": ["type": "text", "fontSize": size],
        "encoding": [
          "text": ["field": "label", "type": "nominal"],
          "color": [
            "condition": ["test": "datum.strong", "value": .string(theme.onStrong)], "value": .string(theme.onWeak),
          ],
        ],
      ])
    }
    return frame.wrap(
      [("data", .values(cells)), ("encoding", sides), ("layer", .array(layers))], notes: notes, theme: theme)
  }

  // Where the text changes its colour to stay readable.
  private func isStrong(_ value: Double, _ domain: (low: Double, high: Double)) -> Bool {
    switch colors {
    case .sequential: (value - domain.low) / (domain.high - domain.low) > 0.5
    case .diverging: abs(value) / domain.high > 0.72
    }
  }
}
