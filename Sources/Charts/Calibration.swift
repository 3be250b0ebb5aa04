/// Predicted against actual means of groups of rows, with the line on which a perfect prediction lies: deciles of an evaluation.
public struct Calibration: Chart {
  public struct Point: Hashable, Sendable {
    public var predicted: Double, actual: Double
    public var label: String

    public init(predicted: Double, actual: Double, label: String) {
      self.predicted = predicted
      self.actual = actual
      self.label = label
    }
  }

  public var frame: Frame
  public let points: [Point]
  public var x: Axis, y: Axis
  private let leftOut: Int

  public init(points: [Point], frame: Frame, x: Axis, y: Axis) {
    self.frame = frame
    self.x = x
    self.y = y
    self.points = points.filter { $0.predicted.isFinite && $0.actual.isFinite }
    leftOut = points.count - self.points.count
  }

  public var notes: [String] {
    if points.isEmpty { return ["No values to show"] }
    var notes = ["On the dashed line predictions are right, above it too low"]
    if leftOut > 0 { notes.append("\(counted(leftOut, "row")) without a value left out") }
    return notes
  }

  public func spec(_ theme: Theme) -> Spec {
    let all = points.flatMap { [$0.predicted, $0.actual] }
    let high = max(all.max() ?? 1, 0), low = min(all.min() ?? 0, 0)
    let reach = high > low ? (high - low) * 0.06 : 1
    let domain: Spec = [.number(roundedForData(low < 0 ? low - reach : 0)), .number(roundedForData(high + reach))]
    func side(_ field: String, _ axis: Axis) -> Spec {
      [
        "field": .string(field), "type": "quantitative", "axis": axis.spec(grid: true, ticks: 6),
        "scale": ["domain": domain, "nice": false, "zero": false],
      ]
    }
    let rows = points.map { point -> Spec in
      ["x": .number(roundedForData(point.predicted)), "y": .number(roundedForData(point.actual)), "label": .string(point.label)]
    }
    let ends: [Spec] = [low < 0 ? low - reach : 0, high + reach].map { ["x": .number(roundedForData($0)), "y": .number(roundedForData($0))] }
    let sides: Spec = ["x": side("x", x), "y": side("y", y)]
    return frame.wrap(
      [
        ("encoding", sides),
        (
          "layer",
          [
            ["data": .values(ends), "mark": ["type": "line", "color": .string(theme.muted), "strokeDash": [6, 4], "strokeWidth": 1.4]],
            [
              "data": .values(rows), "mark": ["type": "line", "color": .string(theme.series[0]), "strokeWidth": 1.6, "opacity": 0.6],
            ],
            ["data": .values(rows), "mark": ["type": "circle", "size": 70, "opacity": 1, "color": .string(theme.series[0])]],
            [
              "data": .values(rows),
              "mark": ["type": "text", "align": "left", "baseline": "middle", "dx": 9, "dy": 5, "fontSize": 11, "color": .string(theme.muted)],
              "encoding": ["text": ["field": "label", "type": "nominal"]],
            ],
          ]
        ),
      ], notes: notes, theme: theme)
  }
}
