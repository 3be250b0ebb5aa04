/// One rectangle for each category, as large as its value: segments by their revenue. Squarified, so that no cell is a sliver where that
/// can be helped (Bruls, Huizing & van Wijk 2000).
public struct Treemap: Chart {
  public struct Cell: Hashable, Sendable {
    public var name: String
    public var value: Double
    /// In the unit square, from the top left corner.
    public var left: Double, top: Double, right: Double, bottom: Double
  }

  public var frame: Frame
  public var format: NumberFormat
  /// The largest first.
  public let cells: [Cell]
  private let leftOut: Int
  private let total: Double

  public init(categories: [String], values: [Double], frame: Frame, format: NumberFormat = .plain) {
    precondition(values.count == categories.count, "a treemap needs a value for each category")
    let order = values.indices.filter { values[$0].isFinite && values[$0] > 0 }
      .sorted { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
    self.frame = frame
    self.format = format
    leftOut = values.count - order.count
    let sizes = order.map { values[$0] }
    let total = sizes.reduce(0, +)
    self.total = total
    // Cells are laid out in pixels, so that squares are squares on the screen.
    let (width, height) = Self.plot(frame)
    let boxes = Self.squarified(sizes.map { $0 / total * width * height }, width, height)
    cells = zip(order, boxes).map { at, box in
      Cell(name: categories[at], value: values[at], left: box.0 / width, top: box.1 / height, right: box.2 / width, bottom: box.3 / height)
    }
  }

  /// About the pixels that are left beside titles and margins.
  private static func plot(_ frame: Frame) -> (width: Double, height: Double) {
    (Double(max(60, frame.width - 32)), Double(max(60, frame.height - 90)))
  }

  public var notes: [String] {
    if cells.isEmpty { return ["No values to show"] }
    return leftOut > 0 ? ["\(counted(leftOut, "value")) at or below zero or missing left out"] : []
  }

  /// Rows of rectangles along the shorter side, each as long as it makes its worst cell better. `areas` fill the rectangle.
  private static func squarified(_ areas: [Double], _ width: Double, _ height: Double) -> [(Double, Double, Double, Double)] {
    var boxes: [(Double, Double, Double, Double)] = []
    var (left, top) = (0.0, 0.0)
    var at = 0
    while at < areas.count {
      let (w, h) = (width - left, height - top)
      let side = min(w, h)
      func worst(_ count: Int) -> Double {
        let row = areas[at..<at + count]
        let sum = row.reduce(0, +)
        return max(side * side * row[at] / (sum * sum), sum * sum / (side * side * row[at + count - 1]))
      }
      var count = 1
      while at + count < areas.count, worst(count + 1) <= worst(count) { count += 1 }
      let row = areas[at..<at + count]
      let thickness = side > 0 ? row.reduce(0, +) / side : 0
      var along = w >= h ? top : left
      for area in row {
        let length = thickness > 0 ? area / thickness : 0
        boxes.append(
          w >= h ? (left, along, left + thickness, along + length) : (along, top, along + length, top + thickness))
        along += length
      }
      if w >= h { left += thickness } else { top += thickness }
      at += count
    }
    return boxes
  }

  /// A name in lines of at most so many letters; empty where a word is longer.
  private static func lines(_ name: String, _ letters: Int) -> [String] {
    var lines: [String] = []
    for word in name.split(separator: " ") {
      if word.count > letters { return [] }
      if let last = lines.last, last.count + 1 + word.count <= letters {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  public func spec(_ theme: Theme) -> Spec {
    let (width, height) = Self.plot(frame)
    let most = cells.first.map { $0.value } ?? 1
    let rows = cells.map { cell -> Spec in
      let (w, h) = ((cell.right - cell.left) * width, (cell.bottom - cell.top) * height)
      // 6.8 px is the mean advance of a bold letter of 12 px; what does not fit is not written.
      let name = Self.lines(cell.name, Int((w - 12) / 6.8))
      let fits = !name.isEmpty && Double(name.count) * 15 + 7 < h
      let share = NumberFormat.percent.text(cell.value / total)
      let second = [format.text(cell.value) + " · " + share, share].first { Double($0.count) * 6.4 + 12 < w && Double(name.count) * 15 + 25 < h }
      return [
        "left": .number(roundedForData(cell.left)), "right": .number(roundedForData(cell.right)),
        "top": .number(roundedForData(1 - cell.top)), "bottom": .number(roundedForData(1 - cell.bottom)), "value": .number(roundedForData(cell.value)),
        "name": .string(fits ? name.joined(separator: "\n") : ""), "lines": .integer(name.count), "second": .string(fits ? second ?? "" : ""), "strong": .bool(cell.value / most > 0.5),
      ]
    }
    func side(_ field: String) -> Spec {
      ["field": .string(field), "type": "quantitative", "axis": nil, "scale": ["domain": [0, 1], "nice": false]]
    }
    let ink: Spec = [
      "condition": ["test": "datum.strong", "value": .string(theme.onStrong)], "value": .string(theme.onWeak),
    ]
    func words(_ field: String, _ down: Spec, _ mark: [(String, Spec)]) -> Spec {
      [
        "mark": .object(
          [("type", "text"), ("align", "left"), ("baseline", "top"), ("dx", 7), ("dy", down), ("fontSize", 12), ("lineHeight", 15), ("lineBreak", "\n")] + mark),
        "encoding": ["x": side("left"), "y": side("top"), "text": ["field": .string(field), "type": "nominal"], "color": ink],
      ]
    }
    return frame.wrap(
      [
        ("data", .values(rows)),
        (
          "layer",
          [
            [
              "mark": ["type": "rect", "stroke": .string(theme.background), "strokeWidth": 2],
              "encoding": [
                "x": side("left"), "x2": ["field": "right"], "y": side("bottom"), "y2": ["field": "top"],
                "color": [
                  "field": "value", "type": "quantitative", "legend": nil,
                  "scale": ["domain": [0, .number(roundedForData(most))], "range": .array(theme.sequential.prefix(3).map(Spec.string))],
                ],
              ],
            ],
            words("name", 7, [("fontWeight", "bold")]),
            words("second", ["expr": "8 + 15 * datum.lines"], []),
          ]
        ),
      ], notes: notes, theme: theme)
  }
}
