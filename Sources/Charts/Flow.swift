/// How many go from which group on the left to which on the right: segments of one run to those of another. Bands are as thick as
/// what flows through them.
public struct Flow: Chart {
  public struct Stream: Hashable, Sendable {
    public var from: String, to: String
    public var value: Double

    public init(_ from: String, _ to: String, _ value: Double) {
      self.from = from
      self.to = to
      self.value = value
    }
  }

  public var frame: Frame
  /// Groups from the top.
  public let left: [String], right: [String]
  public let streams: [Stream]
  public var format: NumberFormat
  public var leftTitle: String?, rightTitle: String?
  private let leftOut: Int

  /// Groups stand in the order in which streams first name them; streams of the same two groups are added up.
  public init(
    streams given: [Stream], frame: Frame, format: NumberFormat = .plain, leftTitle: String? = nil, rightTitle: String? = nil
  ) {
    self.frame = frame
    self.format = format
    self.leftTitle = leftTitle
    self.rightTitle = rightTitle
    let all = given.filter { $0.value.isFinite && $0.value > 0 }
    leftOut = given.count - all.count
    var (left, right): ([String], [String]) = ([], [])
    var sums: [[String]: Double] = [:]
    for stream in all {
      if !left.contains(stream.from) { left.append(stream.from) }
      if !right.contains(stream.to) { right.append(stream.to) }
      sums[[stream.from, stream.to], default: 0] += stream.value
    }
    // The same groups on both sides stand in the same order, so that who stays flows straight on.
    right = left.filter { right.contains($0) } + right.filter { !left.contains($0) }
    self.left = left
    self.right = right
    streams = left.flatMap { from in right.compactMap { to in sums[[from, to]].map { Stream(from, to, $0) } } }
  }

  public var notes: [String] {
    if streams.isEmpty { return ["No values to show"] }
    return leftOut > 0 ? ["\(counted(leftOut, "row")) without a flow left out"] : []
  }

  /// Where a side's groups begin and end, from 0 at the top to 1.
  private func places(_ names: [String], _ side: (Stream) -> String) -> [String: (top: Double, bottom: Double, value: Double)] {
    let total = streams.reduce(0) { $0 + $1.value }
    let gap = names.count > 1 ? min(0.03, 0.25 / Double(names.count - 1)) : 0
    let room = 1 - gap * Double(names.count - 1)
    var places: [String: (top: Double, bottom: Double, value: Double)] = [:]
    var at = 0.0
    for name in names {
      let value = streams.reduce(0) { $0 + (side($1) == name ? $1.value : 0) }
      places[name] = (at, at + value / total * room, value)
      at += value / total * room + gap
    }
    return places
  }

  public func spec(_ theme: Theme) -> Spec {
    let (from, to) = (places(left, { $0.from }), places(right, { $0.to }))
    var used = (from: from.mapValues { $0.top }, to: to.mapValues { $0.top })
    var bands: [Spec] = []
    let steps = 24
    for (at, stream) in streams.enumerated() {
      guard let a = from[stream.from], let b = to[stream.to], let y = used.from[stream.from], let z = used.to[stream.to] else { continue }
      let thin = (a.bottom - a.top) * stream.value / a.value, thick = (b.bottom - b.top) * stream.value / b.value
      used.from[stream.from] = y + thin
      used.to[stream.to] = z + thick
      for step in 0...steps {
        let t = Double(step) / Double(steps)
        let bend = t * t * (3 - 2 * t)
        bands.append([
          "x": .number(roundedForData(t)), "y": .number(roundedForData(1 - (y + (z - y) * bend))),
          "y2": .number(roundedForData(1 - (y + thin + (z + thick - y - thin) * bend))), "band": .integer(at), "from": .string(stream.from),
        ])
      }
    }
    var ends: [Spec] = []
    for (names, places, x) in [(left, from, 0.0), (right, to, 1.0)] {
      for name in names {
        guard let place = places[name] else { continue }
        ends.append([
          "x": .number(x - 0.008), "x2": .number(x + 0.008), "y": .number(roundedForData(1 - place.top)),
          "y2": .number(roundedForData(1 - place.bottom)), "middle": .number(roundedForData(1 - (place.top + place.bottom) / 2)),
          "label": .string("\(name) · \(format.text(place.value))"), "side": .integer(x == 0 ? 0 : 1),
        ])
      }
    }
    // Room for the longest name on each side, in widths of a letter.
    func room(_ names: [String]) -> Double { Double((names.map(\.count).max() ?? 4) + 9) * 6.4 }
    let inner = max(80, Double(frame.width - 40) - room(left) - room(right))
    let domain: Spec = [.number(roundedForData(-room(left) / inner)), .number(roundedForData(1 + room(right) / inner))]
    let x: Spec = ["field": "x", "type": "quantitative", "axis": nil, "scale": ["domain": domain, "nice": false, "zero": false]]
    func y(_ field: String) -> Spec {
      ["field": .string(field), "type": "quantitative", "axis": nil, "scale": ["domain": [0, 1], "nice": false]]
    }
    func labels(_ side: Int) -> Spec {
      [
        "data": .values(ends.filter { $0["side"] == .integer(side) }),
        "mark": [
          "type": "text", "align": side == 0 ? "right" : "left", "baseline": "middle", "dx": side == 0 ? -8 : 8, "fontSize": 12,
          "color": .string(theme.ink),
        ],
        "encoding": ["x": x, "y": y("middle"), "text": ["field": "label", "type": "nominal"]],
      ]
    }
    func heading(_ text: String?, _ side: Int) -> [Spec] {
      guard let text else { return [] }
      return [
        [
          "data": .values([["x": .integer(side), "label": .string(text)]]),
          "mark": [
            "type": "text", "align": side == 0 ? "right" : "left", "baseline": "bottom", "dx": side == 0 ? -8 : 8, "dy": -6, "fontSize": 12,
            "fontWeight": "bold", "color": .string(theme.muted),
          ],
          "encoding": ["x": x, "y": ["datum": 1, "type": "quantitative"], "text": ["field": "label", "type": "nominal"]],
        ]
      ]
    }
    let layers: [Spec] = [
      [
        "data": .values(bands),
        "mark": ["type": "area", "opacity": 0.42],
        "encoding": [
          "x": x, "y": y("y"), "y2": ["field": "y2"], "detail": ["field": "band", "type": "nominal"],
          "color": [
            "field": "from", "type": "nominal", "legend": nil,
            "scale": ["domain": .array(left.map(Spec.string)), "range": .array(left.indices.map { .string(theme.color($0)) })],
          ],
        ],
      ],
      [
        "data": .values(ends),
        "mark": ["type": "rect", "color": .string(theme.muted)],
        "encoding": ["x": x, "x2": ["field": "x2"], "y": y("y"), "y2": ["field": "y2"]],
      ],
      labels(0), labels(1),
    ] + heading(leftTitle, 0) + heading(rightTitle, 1)
    return frame.wrap([("layer", .array(layers))], notes: notes, theme: theme)
  }
}
