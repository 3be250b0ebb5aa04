import Diagnostics

/// What pictures of a run show of a stage.
public struct PicturedStage: Sendable {
  public let name: String
  public let kind: String
  /// `executed`, `cached` …: in words, and as the class that has its colour.
  public let status: String
  /// Names of the stages it reads.
  public let needs: [String]
  /// After the beginning of the run; nil when the stage was not started.
  public let start: Double?
  public let seconds: Double
  /// Where its box leads.
  public let link: String?

  public init(name: String, kind: String, status: String, needs: [String], start: Double?, seconds: Double, link: String? = nil) {
    self.name = name
    self.kind = kind
    self.status = status
    self.needs = needs
    self.start = start
    self.seconds = seconds
    self.link = link
  }
}

/// The stages as boxes in columns by their distance from the sources, with what flows between them.
public struct RunGraph {
  private let stages: [PicturedStage]
  /// More boxes than anybody looks at.
  private static let limit = 400

  public init(_ stages: [PicturedStage]) { self.stages = stages }

  public var svg: String {
    if stages.count > Self.limit { return "<p>\(stages.count) stages: too many for a picture.</p>" }
    let place = Dictionary(stages.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    var column = [Int](repeating: 0, count: stages.count)
    for (at, stage) in stages.enumerated() {
      for need in stage.needs { if let from = place[need] { column[at] = max(column[at], column[from] + 1) } }
    }
    var used: [Int: Int] = [:], row = [Int](repeating: 0, count: stages.count)
    for at in stages.indices {
      row[at] = used[column[at], default: 0]
      used[column[at], default: 0] += 1
    }
    let tallest = used.values.max() ?? 0
    let lines = stages.map { stage in (name: shortened(stage.name, 20), kind: "\(shortened(stage.kind, 16)) · \(stage.status)") }
    // Fonts differ; these are widths of wide letters, at 12 and 10 pixels, and 10 pixels on both sides.
    let longest = lines.map { max(Double($0.name.count) * 7.4, Double($0.kind.count) * 6.2) }.max() ?? 0
    let w = max(150, Int(longest.rounded(.up)) + 20)
    let (h, dx, dy) = (40, w + 50, 58)
    let x = { (at: Int) in column[at] * dx + 4 }
    // Columns are centred on the tallest.
    let y = { (at: Int) in row[at] * dy + (tallest - used[column[at]]!) * dy / 2 + 4 }
    let width = ((column.max() ?? 0) * dx) + w + 8, height = max(1, tallest) * dy
    // What is inside of a picture is no link to a screen reader.
    let role = stages.contains { $0.link != nil } ? "group" : "img"
    var svg = "<svg viewBox=\"0 0 \(width) \(height)\" width=\"\(width)\" role=\"\(role)\" aria-label=\"\(stages.count) stages and what flows between them\">"
    for (at, stage) in stages.enumerated() {
      for need in stage.needs {
        guard let from = place[need] else { continue }
        let (x1, y1, x2, y2) = (x(from) + w, y(from) + h / 2, x(at), y(at) + h / 2)
        let bend = (x2 - x1) / 2
        svg += "<path d=\"M\(x1) \(y1)C\(x1 + bend) \(y1) \(x2 - bend) \(y2) \(x2) \(y2)\"/>"
      }
    }
    for (at, stage) in stages.enumerated() {
      let link = stage.link.map(escaped)
      if let link { svg += "<a href=\"\(link)\">" }
      svg += "<g class=\"\(escaped(stage.status))\"><rect class=\"box\" x=\"\(x(at))\" y=\"\(y(at))\" width=\"\(w)\" height=\"\(h)\" rx=\"6\"/>"
      svg += "<text x=\"\(x(at) + 10)\" y=\"\(y(at) + 17)\">\(escaped(lines[at].name))</text>"
      svg += "<text class=\"kind\" x=\"\(x(at) + 10)\" y=\"\(y(at) + 31)\">\(escaped(lines[at].kind))</text>"
      svg += "<title>\(escaped(stage.name)) (\(escaped(stage.kind))): \(escaped(stage.status))</title></g>"
      if link != nil { svg += "</a>" }
    }
    return svg + "</svg>"
  }
}

/// When stages ran: a bar each.
public struct RunTimes {
  private let stages: [PicturedStage]

  public init(_ stages: [PicturedStage]) { self.stages = stages }

  public var svg: String {
    let ran = stages.filter { $0.start != nil }
    if ran.isEmpty { return "<p>Nothing was executed.</p>" }
    let total = max(ran.map { $0.start! + $0.seconds }.max() ?? 0, 1e-6)
    let left = 180.0, room = 640.0, step = 24
    var svg = "<svg viewBox=\"0 0 \(Int(left + room) + 80) \(ran.count * step + 8)\" width=\"\(Int(left + room) + 80)\" role=\"img\" aria-label=\"When each of \(ran.count) stages ran\">"
    for (at, stage) in ran.enumerated() {
      let y = at * step + 4
      let x = left + stage.start! / total * room
      let length = max(2, stage.seconds / total * room)
      svg += "<text x=\"\(Int(left) - 8)\" y=\"\(y + 14)\" text-anchor=\"end\">\(escaped(shortened(stage.name, 24)))</text>"
      svg += "<rect class=\"\(escaped(stage.status))\" x=\"\(decimals(x, 1))\" y=\"\(y)\" width=\"\(decimals(length, 1))\" height=\"18\" rx=\"3\"><title>\(escaped(stage.name)): \(duration(stage.seconds))</title></rect>"
      svg += "<text x=\"\(decimals(x + length + 6, 1))\" y=\"\(y + 14)\">\(duration(stage.seconds))</text>"
    }
    return svg + "</svg>"
  }
}

private func shortened(_ text: String, _ limit: Int) -> String { text.count > limit ? text.prefix(limit - 1) + "…" : text }
