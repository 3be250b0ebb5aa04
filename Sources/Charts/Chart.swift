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

  /// Vega-Lite's `axis`.
  func spec(grid: Bool, ticks: Int = 6) -> Spec {
    [
      "title": title.map(Spec.string) ?? nil, "labelExpr": .string(labels), "grid": .bool(grid),
      "tickCount": .integer(ticks), "labelOverlap": true, "labelFlush": false,
    ]
  }

  // Of the nine ticks of a decade only 1, 2 and 5 are named.
  private var labels: String {
    switch scale {
    case .linear: format.expression()
    case .log:
      "indexof([1, 2, 5], round(datum.value / pow(10, floor(log(datum.value) / LN10 + 1e-9)))) < 0 ? '' : "
        + format.expression()
    }
  }
}

extension Frame {
  /// The outermost object of every specification; `body` is `data`, `mark`, `encoding`, `layer`, ….
  func wrap(_ body: [(String, Spec)], notes: [String], theme: Theme) -> Spec {
    let lines = ([subtitle].compactMap { $0 } + notes).filter { !$0.isEmpty }
      .flatMap { Frame.wrapped($0, columns: max(20, width / 6 - 4)) }
    var heading: [(String, Spec)] = [
      ("text", .array(Frame.wrapped(title, columns: max(14, width * 10 / 88 - 2)).map(Spec.string)))
    ]
    if !lines.isEmpty { heading.append(("subtitle", .array(lines.map(Spec.string)))) }
    return .object(
      [
        ("$schema", "https://vega.github.io/schema/vega-lite/v5.json"),
        ("title", .object(heading)),
        ("width", .integer(width)), ("height", .integer(height)),
        ("padding", ["left": 14, "right": 18, "top": 14, "bottom": 12]),
        ("autosize", ["type": "fit", "contains": "padding"]),
      ] + body + [("config", theme.config)])
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
    if Double(widest) * 6.6 < Double(width - 80) / Double(max(1, labels.count)) { return [("labelAngle", 0)] }
    return [("labelAngle", -35), ("labelAlign", "right"), ("labelBaseline", "middle")]
  }
}

/// "1 value" or "1,234 values".
func counted(_ count: Int, _ noun: String) -> String {
  NumberFormat.integer.text(Double(count)) + " " + noun + (count == 1 ? "" : "s")
}
