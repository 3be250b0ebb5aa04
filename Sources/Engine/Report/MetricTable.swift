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

  /// What is said of a stage here; `values` are those of the matrix, in its order.
  private struct Variant {
    let name: String
    let values: [(name: String, value: JSONValue)]
    let metrics: JSONValue
  }

  static func all(of stages: [RunReport.Stage]) -> [MetricTable] {
    all(of: stages.map { stage in Variant(name: stage.name, values: stage.variant.entries.map { ($0.name, $0.value.json) }, metrics: stage.metrics) })
  }

  /// The same of the stages of a record, `run.json`.
  public static func all(ofRecord stages: [JSONValue]) -> [MetricTable] {
    all(
      of: stages.map { stage in
        Variant(
          name: stage["name"]?.string ?? "", values: (stage["variant"]?.members ?? []).map { ($0.key, $0.value) }, metrics: stage["metrics"] ?? .null)
      })
  }

  private static func all(of stages: [Variant]) -> [MetricTable] {
    var order: [String] = [], variants: [String: [Variant]] = [:]
    for stage in stages where !stage.values.isEmpty {
      let name = Pipelines.Variant.writtenName(of: stage.name)
      if variants[name] == nil { order.append(name) }
      variants[name, default: []].append(stage)
    }
    return order.compactMap { MetricTable($0, variants[$0] ?? []) }
  }

  private init?(_ name: String, _ stages: [Variant]) {
    let numbers = stages.map { Self.numbers(in: $0.metrics, below: "") }
    var names: [String] = []
    for list in numbers { for (name, _) in list where !names.contains(name) { names.append(name) } }
    // A metric that repeats the value of the matrix under the same name says nothing new.
    for axis in stages[0].values {
      let repeats = zip(stages, numbers).allSatisfy { stage, numbers in
        numbers.allSatisfy { number in number.0 != axis.name || stage.values.contains { $0.name == axis.name && $0.value == number.1 } }
      }
      if repeats { names.removeAll { $0 == axis.name } }
    }
    if names.isEmpty { return nil }
    let shown = Array(names.prefix(Self.limit)), axes = stages[0].values.map(\.name)
    stage = name
    self.axes = axes
    metrics = shown.map { axes.contains($0) ? $0 + " (metric)" : $0 }
    rows = zip(stages, numbers).map { stage, numbers in
      (stage.values.map { $0.value.string ?? $0.value.canonical }, shown.map { name in numbers.first { $0.0 == name }?.1 })
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
