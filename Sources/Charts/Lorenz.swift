/// How unequally a value is spread: the share of the total that the lowest share of rows holds (Lorenz 1905).
public struct Lorenz: Chart {
  public var frame: Frame
  public var x: Axis, y: Axis
  public var noun: String
  /// Share of rows and of the total up to them, from (0, 0) to (1, 1).
  public private(set) var curve: [(rows: Double, total: Double)] = []
  /// Twice the area between the curve and equality, 0 to 1; NaN where there is nothing to share.
  public private(set) var gini = Double.nan
  public private(set) var topTenth = Double.nan
  private var leftOut = 0

  /// Values below zero and those that are not numbers are left out and counted.
  public init(values: [Double], frame: Frame, x: Axis, y: Axis, noun: String = "customer") {
    self.frame = frame
    self.x = x
    self.y = y
    self.noun = noun
    let sorted = values.filter { $0.isFinite && $0 >= 0 }.sorted()
    leftOut = values.count - sorted.count
    var total = 0.0
    for value in sorted { total += value }
    guard total > 0, total.isFinite else { return }
    let n = Double(sorted.count)
    var (sum, area, tenth) = (0.0, 0.0, 0.0)
    let step = max(1, sorted.count / 200)
    curve.append((0, 0))
    for (at, value) in sorted.enumerated() {
      let before = sum
      sum += value
      area += (before + sum) / (2 * total * n)
      // The value that lies on the border counts with the part that is above it.
      let above = min(1, max(0, Double(at + 1) - 0.9 * n))
      tenth += value * above
      if (at + 1) % step == 0 || at + 1 == sorted.count { curve.append((Double(at + 1) / n, sum / total)) }
    }
    gini = 1 - 2 * area
    topTenth = tenth / total
  }

  public var notes: [String] {
    var notes: [String] = []
    if curve.isEmpty { notes.append("No values to show") }
    if gini.isFinite {
      notes.append("The top tenth of \(noun)s hold \(NumberFormat.percent.text(topTenth)); Gini \(NumberFormat(decimals: 2).text(gini))")
    }
    if leftOut > 0 { notes.append("\(counted(leftOut, noun)) without a value of at least zero left out") }
    return notes
  }

  public func spec(_ theme: Theme) -> Spec {
    let rows = curve.map { point -> Spec in ["x": .number(roundedForData(point.rows)), "y": .number(roundedForData(point.total))] }
    let unit: Spec = ["domain": [0, 1], "nice": false]
    let sides: Spec = [
      "x": ["field": "x", "type": "quantitative", "scale": unit, "axis": x.spec(grid: true, ticks: 5)],
      "y": ["field": "y", "type": "quantitative", "scale": unit, "axis": y.spec(grid: true, ticks: 5)],
    ]
    return frame.wrap(
      [
        ("encoding", sides),
        (
          "layer",
          [
            [
              "data": .values([["x": 0, "y": 0], ["x": 1, "y": 1]]),
              "mark": ["type": "line", "color": .string(theme.muted), "strokeDash": [6, 4], "strokeWidth": 1.4],
            ],
            [
              "data": .values(rows),
              "mark": ["type": "area", "color": .string(theme.series[0]), "opacity": 0.14],
            ],
            ["data": .values(rows), "mark": ["type": "line", "color": .string(theme.series[0]), "strokeWidth": 2.2]],
          ]
        ),
      ], notes: notes, theme: theme)
  }
}
