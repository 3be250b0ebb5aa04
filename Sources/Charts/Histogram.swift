import Statistics

/// How many values lie in each interval.
public struct Histogram: Chart {
  public var frame: Frame
  public var x: Axis
  /// What is counted, for axis and notes: "customer".
  public var noun: String
  /// A smooth curve over the bars; on a logarithmic axis that of the logarithms.
  public var density: Bool
  /// Lines at mean and median.
  public var markers: Bool
  public let bins: Bins?
  public let counts: [Int]
  /// Left out because of `shownShare`; at or below zero on a logarithmic axis; not a finite number.
  public let beyond: Int, notPositive: Int, missing: Int

  private let summary: Summary

  /// `x.shownShare` is the share of values the axis reaches to.
  public init(
    values: [Double], frame: Frame, x: Axis, noun: String = "customer", about wanted: Int = 40, density: Bool = false,
    markers: Bool = true
  ) {
    self.frame = frame
    self.x = x
    self.noun = noun
    self.density = density
    self.markers = markers
    let all = Summary(values)
    missing = all.missing
    let shown = x.scale == .log ? Summary(all.sorted.filter { $0 > 0 }) : all
    notPositive = all.sorted.count - shown.sorted.count
    summary = all
    guard let low = shown.sorted.first else {
      (bins, counts, beyond) = (nil, [], 0)
      return
    }
    let high = shown.quantile(min(max(x.shownShare, 0), 1))
    let bins =
      x.scale == .log
      ? Bins.log(from: low, to: high, about: wanted)
      : Bins.linear(from: low, to: high, about: wanted, whole: all.isWhole)
    self.bins = bins
    (counts, beyond) = bins.counts(shown.sorted)
  }

  public var notes: [String] {
    guard let bins else { return ["No values to show"] }
    var notes: [String] = []
    if beyond > 0 {
      let edge = x.format.text(bins.edges[bins.count]), most = x.format.text(summary.sorted[summary.sorted.count - 1])
      let place = bins.closesLast ? "above \(edge)" : "from \(edge) up"
      notes.append("\(counted(beyond, noun)) \(place) not shown (up to \(most))")
    }
    if notPositive > 0 { notes.append("\(counted(notPositive, noun)) at or below zero not shown") }
    if missing > 0 { notes.append("\(counted(missing, noun)) without a value") }
    return notes
  }

  public func spec(_ theme: Theme) -> Spec {
    guard let bins else { return frame.wrap([("data", .values([])), ("mark", "rect")], notes: notes, theme: theme) }
    let rows = (0..<bins.count).filter { counts[$0] > 0 }.map { bin -> Spec in
      ["from": .number(bins.edges[bin]), "to": .number(bins.edges[bin + 1]), "count": .integer(counts[bin])]
    }
    let scale: Spec = [
      "type": .string(x.scale.rawValue), "domain": [.number(bins.edges[0]), .number(bins.edges[bins.count])],
      "nice": false, "zero": false,
    ]
    let y = Axis("Number of \(noun)s", .plain)
    var layers: [Spec] = [
      [
        "data": .values(rows),
        "mark": [
          "type": "rect", "fill": .string(theme.series[0]), "stroke": .string(theme.background), "strokeWidth": 0.6,
        ],
        "encoding": [
          "x": [
            "field": "from", "type": "quantitative", "scale": scale, "axis": x.spec(grid: false, ticks: 8, over: bins.range),
          ],
          "x2": ["field": "to"],
          "y": ["field": "count", "type": "quantitative", "axis": y.spec(grid: true, ticks: 5)],
          "y2": ["datum": 0],
        ],
      ]
    ]
    if let curve = densityLayer(bins, scale, theme) { layers.append(curve) }
    if markers { layers += markerLayers(bins, theme) }
    return frame.wrap([("layer", .array(layers))], notes: notes, theme: theme)
  }

  // The curve is scaled to the height of the bars: share per unit × values × width of a bar. On a logarithmic axis widths are those
  // of logarithms, and bars are not quite equally wide: 1, 1.6, 2.5, 4, 6.3, 10.
  private func densityLayer(_ bins: Bins, _ scale: Spec, _ theme: Theme) -> Spec? {
    guard density else { return nil }
    var values = summary.sorted
    var (low, high, width) = (bins.edges[0], bins.edges[bins.count], bins.edges[1] - bins.edges[0])
    let isLog = x.scale == .log
    if isLog { values.removeAll { $0 <= 0 } }
    values.removeLast(beyond)
    if isLog {
      (low, high) = (Portable.log(low), Portable.log(high))
      width = (high - low) / Double(bins.count)
      values = values.map(Portable.log)
    }
    guard let curve = Density(sorted: values, from: low, to: high) else { return nil }
    let factor = Double(values.count) * width
    return [
      "data": .values(
        zip(curve.at, curve.height).map { at, height -> Spec in
          ["x": .number(isLog ? roundedForData(Portable.exp(at)) : at), "y": .number(roundedForData(height * factor))]
        }),
      "mark": ["type": "line", "color": .string(theme.series[1]), "strokeWidth": 2, "interpolate": "monotone"],
      "encoding": ["x": ["field": "x", "type": "quantitative"], "y": ["field": "y", "type": "quantitative"]],
    ]
  }

  /// The lines at median and mean, and their words. A line begins below the words of the other one, so that it crosses none.
  private func markerLayers(_ bins: Bins, _ theme: Theme) -> [Spec] {
    let marks = [("median", summary.quantile(0.5)), ("mean", summary.mean)].filter { bins.index(of: $0.1) != nil }
      .sorted { $0.1 < $1.1 }
    guard let last = marks.last else { return [] }
    let right = marks.count
    // Beyond three quarters of the axis words are written leftwards; then the line on the right is the one that begins at the top,
    // and words of the other one that would reach it are written leftwards too.
    let isTurned = last.1 > place(bins, 0.75)
    let rows = marks.enumerated().map { index, mark -> Spec in
      let line = isTurned ? right - 1 - index : index
      let isLeftwards = isTurned && (index == right - 1 || mark.1 > place(bins, 0.3))
      return [
        "at": .number(mark.1), "label": .string("\(mark.0) \(x.format.text(mark.1))"), "line": .integer(line), "left": .bool(isLeftwards),
      ]
    }
    let at: Spec = ["field": "at", "type": "quantitative"]
    let texts: Spec = ["x": at, "text": ["field": "label", "type": "nominal"]]
    let text: [(String, Spec)] = [
      ("type", "text"), ("align", ["expr": "datum.left ? 'right' : 'left'"]), ("fontSize", 12), ("fontWeight", "bold"),
      ("dx", ["expr": "datum.left ? -5 : 5"]), ("y", ["expr": "8 + 17 * datum.line"]),
    ]
    // A halo first, so that no bar runs through the words.
    let halo: [(String, Spec)] = [
      ("fill", .string(theme.background)), ("stroke", .string(theme.background)), ("strokeWidth", 5),
    ]
    let rules = rows.map { row -> Spec in
      [
        "data": .values([row]),
        "mark": ["type": "rule", "color": .string(theme.ink), "strokeWidth": 1.3, "strokeDash": [5, 3]],
        "encoding": ["x": at, "y": ["value": row["line"] == 0 ? 0 : 18], "y2": ["value": "height"]],
      ]
    }
    return rules + [
      ["data": .values(rows), "mark": .object(text + halo), "encoding": texts],
      ["data": .values(rows), "mark": .object(text + [("fill", .string(theme.ink))]), "encoding": texts],
    ]
  }

  /// The value at a share of the axis.
  private func place(_ bins: Bins, _ share: Double) -> Double {
    let low = bins.edges[0], high = bins.edges[bins.count]
    return x.scale == .log ? bins.edges[min(bins.count, Int(Double(bins.count) * share))] : low * (1 - share) + high * share
  }
}

/// Seven digits are more than a picture shows; fewer keep specification and page small.
func roundedForData(_ value: Double) -> Double {
  guard value.isFinite, value != 0 else { return value }
  var power = 0
  var size = abs(value)
  while size >= 1e7, power > -300 {
    size /= 10
    power -= 1
  }
  while size < 1e6, power < 300 {
    size *= 10
    power += 1
  }
  let whole = size.rounded()
  let rounded = power >= 0 ? whole / PowerOfTen.value(power) : whole * PowerOfTen.value(-power)
  return value < 0 ? -rounded : rounded
}
