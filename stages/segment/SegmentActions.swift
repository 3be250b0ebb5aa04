import Columns
import Diagnostics
import Pipelines
import Statistics

/// What to do about a segment.
struct SegmentAction: SettingsGroup {
  @Setting("what to do, in a few words") var action: String
  @Setting("by which channel") var channel: String?
  @Setting("share by which the value of a customer is expected to rise", in: 0...10) var uplift = 0.0
  @Setting("what it costs for each customer, in the currency of the value", in: 0...1e9) var cost = 0.0

  init() {}
}

/// The actions of a document beside what the segments are worth: expected gain, cost, and which a budget pays for.
struct SegmentActions {
  let actions: Named<SegmentAction>
  /// The column that says what a customer is worth; without one there is nothing to compute.
  let value: String?
  let budget: Double?

  static let names: Set<String> = ["action", "channel", "gain", "cost", "net", "chosen"]

  var fields: [Field] {
    if actions.isEmpty { return [] }
    var fields = [Field("action", .string), Field("channel", .string)]
    guard value != nil else { return fields }
    fields += [Field("gain", .float64), Field("cost", .float64), Field("net", .float64)]
    if budget != nil { fields.append(Field("chosen", .bool)) }
    return fields
  }

  /// One row a segment; `values` are those of its customers. The rows without a segment have no label.
  func columns(_ segments: [(label: String?, customers: Int, values: [Double])]) -> [Column] {
    if actions.isEmpty { return [] }
    let own = segments.map { $0.label.flatMap { actions[$0] } }
    var columns: [Column] = [.strings(own.map { $0?.action }), .strings(own.map { $0?.channel })]
    guard value != nil else { return columns }
    let gains = zip(segments, own).map { segment, action in
      action.map { Summaries.sum(segment.values.lazy.filter { !$0.isNaN }) * $0.uplift }
    }
    let costs = zip(segments, own).map { segment, action in action.map { Double(segment.customers) * $0.cost } }
    let nets = zip(gains, costs).map { gain, cost -> Double? in if let gain, let cost { gain - cost } else { nil } }
    columns += [.float64s(gains), .float64s(costs), .float64s(nets)]
    if let budget { columns.append(.bools(chosen(nets, costs, budget))) }
    return columns
  }

  /// The best return for each unit of cost first, what does not fit any more is passed over; nothing that loses.
  private func chosen(_ nets: [Double?], _ costs: [Double?], _ budget: Double) -> [Bool?] {
    var chosen = nets.map { $0.map { _ in false } }
    func rate(_ at: Int) -> Double { costs[at]! > 0 ? nets[at]! / costs[at]! : .infinity }
    let worth = nets.indices.filter { (nets[$0] ?? 0) > 0 }.sorted { rate($0) != rate($1) ? rate($0) > rate($1) : $0 < $1 }
    var left = budget
    for at in worth where costs[at]! <= left {
      left -= costs[at]!
      chosen[at] = true
    }
    return chosen
  }

  /// Actions for segments that there cannot be.
  func mistakes(_ labels: [String]) -> [Diagnostic] {
    actions.names.filter { !labels.contains($0) }.map { name in
      Diagnostic(
        "no segment is called \"\(name)\"", at: .settingKey(["actions", .key(name)]), hint: hint(forUnknown: name, among: labels))
    }
  }
}
