/// A picture as a value: data and words in, a Vega-Lite specification out. A new kind is a file with a struct.
///
///     let spec = Histogram(values: clv, frame: Frame("Customer value"), x: Axis("Value", .currency("£"))).spec(.light)
public protocol Chart: Sendable {
  /// Title, subtitle and size.
  var frame: Frame { get }
  /// What the picture leaves out or changes, told under the title.
  var notes: [String] { get }
  /// Vega-Lite v5, complete with its data.
  func spec(_ theme: Theme) -> Spec
}

extension Chart {
  public var notes: [String] { [] }
  /// For readers who do not see the picture.
  public var alternative: String {
    ([frame.title, frame.subtitle].compactMap { $0 } + notes).filter { !$0.isEmpty }.joined(separator: ". ")
  }
}

/// Words and size around a chart.
public struct Frame: Hashable, Sendable {
  public var title: String
  public var subtitle: String?
  /// The whole picture, titles included, in CSS pixels; a PNG has twice as many each way.
  public var width: Int, height: Int

  public init(_ title: String, subtitle: String? = nil, width: Int = 640, height: Int = 360) {
    self.title = title
    self.subtitle = subtitle
    self.width = width
    self.height = height
  }
}

/// One axis: its words, its numbers, its scale.
public struct Axis: Hashable, Sendable {
  public var title: String?
  public var format: NumberFormat
  public var scale: Scale
  /// The share of values that is shown, so that a long tail leaves the rest readable: 0.99. Only where a kind says so.
  public var shownShare: Double

  public enum Scale: String, Hashable, Sendable { case linear, log }

  public init(_ title: String? = nil, _ format: NumberFormat = .plain, scale: Scale = .linear, shownShare: Double = 1) {
    self.title = title
    self.format = format
    self.scale = scale
    self.shownShare = shownShare
  }

  /// Vega-Lite's `axis`. A logarithmic one is told the range it covers, for its ticks.
  func spec(grid: Bool, ticks: Int = 6, over range: (low: Double, high: Double)? = nil) -> Spec {
    var fields: [(String, Spec)] = [
      ("title", title.map(Spec.string) ?? nil), ("labelExpr", .string(format.expression())), ("grid", .bool(grid)),
    ]
    if scale == .log, let range {
      fields.append(("values", .array(Axis.logTicks(range.low, range.high).map(Spec.number))))
    } else {
      fields.append(("tickCount", .integer(ticks)))
    }
    return .object(fields + [("labelOverlap", "greedy"), ("labelSeparation", 8), ("labelFlush", false)])
  }

  /// 1, 10, 100, … inside the range, with 2 and 5 between them when the decades are few.
  static func logTicks(_ low: Double, _ high: Double) -> [Double] {
    guard low > 0, high >= low, high.isFinite else { return [] }
    var decade = 0
    while PowerOfTen.value(decade) > low, decade > -307 { decade -= 1 }
    while PowerOfTen.value(decade + 1) <= low, decade < 307 { decade += 1 }
    var last = decade
    while last < 307, PowerOfTen.value(last + 1) <= high { last += 1 }
    let mantissas: [Double] = last - decade > 4 ? [1] : [1, 2, 5]
    var ticks: [Double] = []
    for power in decade...last {
      for mantissa in mantissas {
        let tick = power >= 0 ? mantissa * PowerOfTen.value(power) : mantissa / PowerOfTen.value(-power)
        if tick >= low, tick <= high { ticks.append(tick) }
      }
    }
    return ticks
  }
}

extension Frame {
  /// The outermost object of every specification; `body` is `data`, `mark`, `encoding`, `layer`, ….
  func wrap(_ body: [(String, Spec)], notes: [String], theme: Theme) -> Spec {
    .object(
      [
        Frame.schema, heading(notes), ("width", .integer(width)), ("height", .integer(height)), Frame.padding,
        ("autosize", ["type": "fit", "contains": "padding"]),
      ] + body + [("config", theme.config)])
  }

  /// The same around charts side by side, each with its own width and height.
  func wrapPanels(_ panels: [Spec], notes: [String], theme: Theme) -> Spec {
    .object([Frame.schema, heading(notes), Frame.padding, ("hconcat", .array(panels)), ("spacing", 34), ("config", theme.config)])
  }

  private static let schema: (String, Spec) = ("$schema", "https://vega.github.io/schema/vega-lite/v5.json")
  private static let padding: (String, Spec) = ("padding", ["left": 14, "right": 18, "top": 14, "bottom": 12])

  private func heading(_ notes: [String]) -> (String, Spec) {
    let lines = ([subtitle].compactMap { $0 } + notes).filter { !$0.isEmpty }
      .flatMap { Frame.wrapped($0, columns: max(20, width / 6 - 4)) }
    var heading: [(String, Spec)] = [
      ("text", .array(Frame.wrapped(title, columns: max(14, width * 10 / 88 - 2)).map(Spec.string)))
    ]
    if !lines.isEmpty { heading.append(("subtitle", .array(lines.map(Spec.string)))) }
    return ("title", .object(heading))
  }

  // Breaks at blanks; a word longer than a line stays whole.
  private static func wrapped(_ text: String, columns: Int) -> [String] {
    var lines: [String] = [], line = ""
    for word in text.split(whereSeparator: { $0 == " " || $0.isNewline }) {
      if !line.isEmpty, line.count + 1 + word.count > columns {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + (line.isEmpty && !lines.isEmpty ? [] : [line])
  }
}

extension Spec {
  /// Vega-Lite's inline data.
  static func values(_ rows: [Spec]) -> Spec { ["values": .array(rows)] }

  /// `labelAngle` and its friends where names side by side need more room than they have.
  static func slant(of labels: [String], in width: Int) -> [(String, Spec)] {
    let widest = labels.map(\.count).max() ?? 0
    // 6.6 px is the mean advance of a letter of Liberation Sans at 12 px.
    let room = Double(width - 80) / Double(max(1, labels.count))
    if Double(widest) * 6.6 < room { return [("labelAngle", 0)] }
    // Names of several words are written under each other.
    let widestWord = labels.flatMap { $0.split(separator: " ") }.map(\.count).max() ?? 0
    if Double(widestWord) * 6.6 < room { return [("labelAngle", 0), ("labelExpr", "split(datum.label, ' ')")] }
    return [("labelAngle", -35), ("labelAlign", "right"), ("labelBaseline", "middle")]
  }
}

/// "1 value" or "1,234 values".
func counted(_ count: Int, _ noun: String) -> String {
  NumberFormat.integer.text(Double(count)) + " " + noun + (count == 1 ? "" : "s")
}
