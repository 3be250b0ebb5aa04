/// One dot for each row; beyond `limit` rows a sample of them (with groups) or a grid of counts (without).
public struct Scatter: Chart {
  public var frame: Frame
  public var x: Axis, y: Axis
  public var groups: Groups?
  /// Title of the legend.
  public var groupTitle: String?
  /// What a dot is: "customer".
  public var noun: String
  /// The most dots that are drawn.
  public var limit: Int

  private let xs: [Double], ys: [Double]
  /// Rows that can be shown, and what kept the others out.
  private let shown: [Int]
  private let beyond: Int, unfit: Int

  public init(
    x xs: [Double], y ys: [Double], groups: Groups? = nil, groupTitle: String? = nil, frame: Frame, x: Axis, y: Axis,
    noun: String = "customer", limit: Int = 2000
  ) {
    precondition(xs.count == ys.count && (groups?.codes.count ?? xs.count) == xs.count, "a point needs x, y and a group")
    self.frame = frame
    self.x = x
    self.y = y
    self.groups = groups
    self.groupTitle = groupTitle
    self.noun = noun
    self.limit = max(1, limit)
    self.xs = xs
    self.ys = ys
    func fits(_ value: Double, _ axis: Axis) -> Bool { value.isFinite && (axis.scale == .linear || value > 0) }
    let fit = xs.indices.filter { fits(xs[$0], x) && fits(ys[$0], y) }
    func reach(_ values: [Double], _ axis: Axis) -> Double {
      axis.shownShare >= 1 || fit.isEmpty ? .infinity : Summary(fit.map { values[$0] }).quantile(max(axis.shownShare, 0))
    }
    let (right, top) = (reach(xs, x), reach(ys, y))
    shown = fit.filter { xs[$0] <= right && ys[$0] <= top }
    unfit = xs.count - fit.count
    beyond = fit.count - shown.count
  }

  private var isGrid: Bool { groups == nil && shown.count > limit }

  public var notes: [String] {
    if shown.isEmpty { return ["No values to show"] }
    var notes: [String] = []
    if isGrid {
      notes.append("\(counted(shown.count, noun)), counted by cell")
    } else if shown.count > limit {
      notes.append("\(NumberFormat.integer.text(Double(limit))) of \(counted(shown.count, noun)) drawn, evenly from all rows")
    }
    if beyond > 0 { notes.append("\(counted(beyond, noun)) beyond the axes not shown") }
    if unfit > 0 {
      let why = x.scale == .log || y.scale == .log ? "at or below zero or without a value" : "without a value"
      notes.append("\(counted(unfit, noun)) \(why) not shown")
    }
    return notes
  }

  public func spec(_ theme: Theme) -> Spec { isGrid ? gridSpec(theme) : dotSpec(theme) }

  // MARK: Dots

  /// One row out of each of `limit` equal stretches, at a place in it that a hash of the stretch decides: even over
  /// the whole table, in no step with any period of it, the same on every run.
  static func sample(_ count: Int, limit: Int) -> [Int] {
    guard count > limit else { return Array(0..<count) }
    return (0..<limit).map { stretch in
      let from = stretch * count / limit, to = (stretch + 1) * count / limit
      var hash = UInt64(stretch) &+ 0x9e37_79b9_7f4a_7c15  // splitmix64, Steele, Lea and Flood 2014
      hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
      hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
      return from + Int((hash ^ (hash >> 31)) % UInt64(max(1, to - from)))
    }
  }

  private func dotSpec(_ theme: Theme) -> Spec {
    let (groups, hasOther): (Groups?, Bool) = groups.map { $0.folded(to: theme.series.count) } ?? (nil, false)
    let rows = Scatter.sample(shown.count, limit: limit).map { position -> Spec in
      let row = shown[position]
      var fields: [(String, Spec)] = [
        ("x", .number(roundedForData(xs[row]))), ("y", .number(roundedForData(ys[row]))),
      ]
      if let groups { fields.append(("group", .string(groups.names[groups.codes[row]]))) }
      return .object(fields)
    }
    var sides: [(String, Spec)] = [
      ("x", side("x", x, xs)), ("y", side("y", y, ys)),
    ]
    if let groups {
      var colors = groups.names.indices.map { theme.color($0) }
      if hasOther { colors[colors.count - 1] = theme.other }
      sides.append(
        (
          "color",
          [
            "field": "group", "type": "nominal",
            "scale": ["domain": .array(groups.names.map(Spec.string)), "range": .array(colors.map(Spec.string))],
            "legend": ["title": groupTitle.map(Spec.string) ?? nil, "symbolOpacity": 1],
          ]
        ))
    }
    // The more dots, the smaller and fainter, so that crowds show as crowds.
    let isCrowded = rows.count > 600
    var mark: [(String, Spec)] = [
      ("type", "circle"), ("size", isCrowded ? 18 : 40), ("opacity", isCrowded ? 0.5 : 0.75), ("clip", true),
    ]
    if groups == nil { mark.append(("color", .string(theme.series[0]))) }
    return frame.wrap(
      [("data", .values(rows)), ("mark", .object(mark)), ("encoding", .object(sides))], notes: notes, theme: theme)
  }

  private func side(_ field: String, _ axis: Axis, _ values: [Double]) -> Spec {
    let range = shown.isEmpty ? nil : shown.reduce((Double.infinity, -Double.infinity)) {
      (min($0.0, values[$1]), max($0.1, values[$1]))
    }
    return [
      "field": .string(field), "type": "quantitative",
      // A logarithmic axis ends at its data: some pixels more keep the outermost dots whole.
      "scale": axis.scale == .linear ? ["type": "linear", "zero": true, "nice": true] : ["type": "log", "zero": false, "nice": false, "padding": 6],
      "axis": axis.spec(grid: true, over: range),
    ]
  }

  // MARK: Grid

  private func bins(_ values: [Double], _ axis: Axis, about wanted: Int) -> Bins {
    var low = Double.infinity, high = -Double.infinity, isWhole = true
    for row in shown {
      low = min(low, values[row])
      high = max(high, values[row])
      isWhole = isWhole && values[row] == values[row].rounded(.towardZero)
    }
    return axis.scale == .log
      ? Bins.log(from: low, to: high, about: wanted) : Bins.linear(from: low, to: high, about: wanted, whole: isWhole)
  }

  private func gridSpec(_ theme: Theme) -> Spec {
    let across = bins(xs, x, about: 48), up = bins(ys, y, about: 30)
    var counts = Array(repeating: 0, count: across.count * up.count)
    for row in shown {
      guard let i = across.index(of: xs[row]), let j = up.index(of: ys[row]) else { continue }
      counts[i * up.count + j] += 1
    }
    var cells: [Spec] = []
    for (cell, count) in counts.enumerated() where count > 0 {
      let (i, j) = (cell / up.count, cell % up.count)
      cells.append([
        "left": .number(across.edges[i]), "right": .number(across.edges[i + 1]), "low": .number(up.edges[j]),
        "high": .number(up.edges[j + 1]), "count": .integer(count),
      ])
    }
    func domain(_ bins: Bins, _ axis: Axis) -> Spec {
      [
        "type": .string(axis.scale.rawValue), "zero": false, "nice": false,
        "domain": [.number(bins.edges[0]), .number(bins.edges[bins.count])],
      ]
    }
    let most = counts.max() ?? 1
    let color: Spec = [
      "field": "count", "type": "quantitative",
      // Counts of skewed data differ by orders of magnitude.
      "scale": [
        "type": "log", "domain": [1, .integer(max(10, most))], "range": .array(theme.sequential.map(Spec.string)),
      ],
      "legend": [
        "title": .string("\(noun)s"), "orient": "right",
        "values": .array(Axis.logTicks(1, Double(max(10, most))).map(Spec.number)),
        "labelExpr": .string(NumberFormat.integer.expression()),
        "gradientLength": .integer(max(60, min(180, frame.height - 160))),
      ],
    ]
    let sides: Spec = [
      "x": ["field": "left", "type": "quantitative", "scale": domain(across, x), "axis": x.spec(grid: true, over: across.range)],
      "x2": ["field": "right"],
      "y": ["field": "low", "type": "quantitative", "scale": domain(up, y), "axis": y.spec(grid: true, over: up.range)],
      "y2": ["field": "high"],
      "color": color,
    ]
    return frame.wrap(
      [("data", .values(cells)), ("mark", ["type": "rect"]), ("encoding", sides)], notes: notes, theme: theme)
  }
}
