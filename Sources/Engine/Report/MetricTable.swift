import Pipelines

/// The metrics of all variants of one stage: values of the matrix, then every metric that is a number.
public struct MetricTable: Sendable {
  public let stage: String
  /// Names of the axes, and behind them of the metrics; a metric inside another has both names: `removed.price > 0`.
  public let axes: [String]
  public let metrics: [String]
  /// In the order of the matrix. Nil: the variant has no such number.
  public let rows: [(variant: [String], values: [JSONValue?])]
  /// More columns than a page holds.
  private static let limit = 24

  static func all(of stages: [RunReport.Stage]) -> [MetricTable] {
    var order: [String] = [], variants: [String: [RunReport.Stage]] = [:]
    for stage in stages where !stage.variant.entries.isEmpty {
      let name = String(stage.name.prefix { $0 != "[" })
      if variants[name] == nil { order.append(name) }
      variants[name, default: []].append(stage)
    }
    return order.compactMap { MetricTable($0, variants[$0] ?? []) }
  }

  private init?(_ name: String, _ stages: [RunReport.Stage]) {
    let numbers = stages.map { Self.numbers(in: $0.metrics, below: "") }
    var names: [String] = []
    for list in numbers { for (name, _) in list where !names.contains(name) { names.append(name) } }
    // A metric that repeats the value of the matrix under the same name says nothing new.
    for (at, axis) in stages[0].variant.entries.enumerated() {
      let repeats = zip(stages, numbers).allSatisfy { stage, numbers in
        numbers.allSatisfy { $0.0 != axis.name || $0.1 == stage.variant.entries[at].value.json }
      }
      if repeats { names.removeAll { $0 == axis.name } }
    }
    if names.isEmpty { return nil }
    let shown = Array(names.prefix(Self.limit)), axes = stages[0].variant.entries.map(\.name)
    stage = name
    self.axes = axes
    metrics = shown.map { axes.contains($0) ? $0 + " (metric)" : $0 }
    rows = zip(stages, numbers).map { stage, numbers in
      (stage.variant.entries.map { $0.value.json.string ?? $0.value.json.canonical }, shown.map { name in numbers.first { $0.0 == name }?.1 })
    }
  }

  private static func numbers(in metrics: JSONValue, below path: String) -> [(String, JSONValue)] {
    (metrics.members ?? []).flatMap { member -> [(String, JSONValue)] in
      let name = path.isEmpty ? member.key : path + "." + member.key
      if member.value.number != nil { return [(name, member.value)] }
      return path.isEmpty ? numbers(in: member.value, below: name) : []
    }
  }
}
