/// What the usual rules say of each number of clusters: on the left the inertia with its elbow, on the right the mean silhouette with
/// its interval.
public struct ClusterCount: Chart {
  public struct Row: Hashable, Sendable {
    public var k: Int
    public var inertia: Double
    /// NaN where there is none.
    public var silhouette: Double, low: Double, high: Double
    public var isChosen: Bool

    public init(k: Int, inertia: Double, silhouette: Double, low: Double, high: Double, isChosen: Bool) {
      self.k = k
      self.inertia = inertia
      self.silhouette = silhouette
      self.low = low
      self.high = high
      self.isChosen = isChosen
    }
  }

  public var frame: Frame
  /// Ascending by k.
  public let rows: [Row]

  public init(rows: [Row], frame: Frame) {
    self.frame = frame
    self.rows = rows.filter { $0.inertia.isFinite }.sorted { $0.k < $1.k }
  }

  /// The number farthest below the line from the first to the last inertia.
  public var elbow: Int? {
    guard rows.count > 2, let first = rows.first?.inertia, let last = rows.last?.inertia, first > last else { return nil }
    var (best, farthest): (Int?, Double) = (nil, 0)
    for (at, row) in rows.enumerated() {
      let line = first + (last - first) * Double(at) / Double(rows.count - 1)
      if line - row.inertia > farthest { (best, farthest) = (row.k, line - row.inertia) }
    }
    return best
  }

  public var notes: [String] {
    if rows.isEmpty { return ["No values to show"] }
    return [elbow.map { "The inertia bends at \($0)" }, rows.first { $0.isChosen }.map { "\($0.k) chosen" }].compactMap(\.self)
  }

  public func spec(_ theme: Theme) -> Spec {
    let width = max(120, (frame.width - 190) / 2), height = max(120, frame.height - 130)
    func bottom() -> Spec {
      [
        "field": "k", "type": "ordinal", "axis": ["title": "Number of clusters", "grid": false, "labelAngle": 0, "labelOverlap": true],
      ]
    }
    func panel(_ title: String, _ field: String, _ data: [Spec], marked: Int?, color: String, zero: Bool, band: Bool) -> Spec {
      let axis = Axis(nil, .plain).spec(grid: true, ticks: 5)
      let y: Spec = ["field": .string(field), "type": "quantitative", "axis": axis, "scale": ["zero": .bool(zero)]]
      var layers: [Spec] = []
      if band {
        layers.append([
          "mark": ["type": "area", "opacity": 0.18, "color": .string(color)],
          "encoding": ["y": ["field": "low", "type": "quantitative", "axis": axis, "scale": ["zero": .bool(zero)]], "y2": ["field": "high"]],
        ])
      }
      layers.append([
        "mark": ["type": "line", "strokeWidth": 2.2, "color": .string(color), "point": ["filled": true, "size": 36, "color": .string(color)]],
        "encoding": ["y": y],
      ])
      if let marked {
        layers.append([
          "transform": [["filter": .string("datum.k == \(marked)")]],
          "mark": ["type": "point", "size": 190, "strokeWidth": 2, "color": .string(theme.series[1]), "filled": false], "encoding": ["y": y],
        ])
      }
      return [
        "title": ["text": .string(title), "fontSize": 13, "fontWeight": "normal", "offset": 8, "anchor": "start", "frame": "group", "color": .string(theme.ink)],
        "width": .integer(width), "height": .integer(height), "data": .values(data), "encoding": ["x": bottom()], "layer": .array(layers),
      ]
    }
    let left = rows.map { row -> Spec in ["k": .integer(row.k), "inertia": .number(roundedForData(row.inertia))] }
    let right = rows.filter { $0.silhouette.isFinite }.map { row -> Spec in
      [
        "k": .integer(row.k), "silhouette": .number(roundedForData(row.silhouette)),
        "low": .number(roundedForData(row.low.isFinite ? row.low : row.silhouette)),
        "high": .number(roundedForData(row.high.isFinite ? row.high : row.silhouette)),
      ]
    }
    var panels = [
      panel("Inertia: what clusters leave unexplained", "inertia", left, marked: elbow, color: theme.series[0], zero: true, band: false)
    ]
    if !right.isEmpty {
      panels.append(
        panel(
          "Silhouette: how far clusters are apart", "silhouette", right, marked: rows.first { $0.isChosen }?.k, color: theme.series[2], zero: false,
          band: true))
    }
    return frame.wrapPanels(panels, notes: notes, theme: theme)
  }
}
