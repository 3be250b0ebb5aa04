import Charts
import Columns
import Pipelines

/// A card for each segment of a profile: how large it is, what it is known by, and what to do about it.
struct SegmentCards {
  let rows: ReportPlan.Rows
  let source: TableArtifact

  init(_ rows: ReportPlan.Rows, of source: TableArtifact) {
    self.rows = rows
    self.source = source
  }

  func blocks(_ context: any RunContext) throws -> [Block] {
    try context.checkCancellation()
    let all = try source.wholeBatch()
    if all.count == 0 { return [.paragraph("There are no segments.")] }
    var blocks: [Block] = [.cards((0..<min(all.count, rows.count)).map { card(all, $0) })]
    if all.count > rows.count { blocks.append(.paragraph("and \(all.count - rows.count) more segments")) }
    return blocks
  }

  private func card(_ all: Batch, _ row: Int) -> Card {
    func cell(_ name: String) -> Value? {
      guard let at = all.schema.index(of: name) else { return nil }
      let value = all.columns[at].value(at: row)
      return value == .null ? nil : value
    }
    func number(_ name: String) -> Double? {
      guard let at = all.schema.index(of: name), all.columns[at].type.isNumeric, !all.columns[at].isNull(row) else { return nil }
      let value = all.columns[at].slice(row..<row + 1).doubles()[0]
      return value.isFinite ? value : nil
    }
    func text(_ name: String, _ format: NumberFormat) -> String? { number(name).map { (self.format(name) ?? format).text($0) } }

    var blocks: [Block] = []
    if let what = cell("action")?.label { blocks.append(.note(advice(what, by: cell("channel")?.label, cell("chosen"), text))) }
    var pairs: [(String, String)] = []
    func pair(_ name: String, _ value: String?) { if let value { pairs.append((name, value)) } }
    pair("customers", text("customers", .integer).map { count in text("share", .percent).map { "\(count) (\($0))" } ?? count })
    pair("share of revenue", text("revenue_share", .percent))
    pair("known by", cell("known_by")?.label)
    for name in ["revenue", "clv", "orders", "p_alive", "expected_purchases", "since_last"] {
      pair("mean " + words(of: name), text(name, name == "p_alive" ? .percent : .plain))
    }
    pair("typical customer", cell("typical")?.label)
    pair("comes back when drawn anew", text("stability", .percent))
    blocks.append(.definitions(pairs))
    return Card(cell("segment_label")?.label ?? "Without a segment", blocks)
  }

  private func advice(_ what: String, by channel: String?, _ chosen: Value?, _ text: (String, NumberFormat) -> String?) -> String {
    var words = "To do: " + what + (channel.map { " (\($0))" } ?? "") + "."
    if let gain = text("gain", .integer), let cost = text("cost", .integer), let net = text("net", .integer) {
      words += " Expected gain \(gain), cost \(cost), net \(net)."
    }
    switch chosen {
    case .bool(true): words += " Chosen within the budget."
    case .bool(false): words += " Not chosen: it loses, or others return more for the budget."
    default: break
    }
    return words
  }

  private func format(_ name: String) -> NumberFormat? { rows.formats.first { $0.column == name }?.format }
}
