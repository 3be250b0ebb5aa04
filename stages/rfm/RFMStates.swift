import Columns
import Diagnostics
import Expressions
import Kernels
import Pipelines

/// The state of a partition: what was bought by customer, day and order. It is exact: purchases are days, spend is a sum of whole
/// numbers or decimals, orders are the distinct values that stay; so histories made from states are those made from the rows.
extension RFM: MergeableStage {
  /// Sums of doubles depend on their order, so rows of float64 amounts are not summed in pieces.
  func stateSchema(_ customer: ColumnType, _ amount: ColumnType, _ order: ColumnType?) -> Schema? {
    let sum: ColumnType
    switch amount {
    case .int32, .int64: sum = .int64
    case .decimal(_, let scale): sum = .decimal(precision: 18, scale: scale)
    default: return nil
    }
    return Schema(
      [Field("customer", customer), Field("day", .date)] + (order.map { [Field("order", $0)] } ?? []) + [Field("amount", sum)])
  }

  /// Rows after it are left out.
  var latest: Int32 { (holdout ?? until).map { Int32(clamping: $0.days) } ?? .max }

  func runPart(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table(), schema = table.schema
    let money = try typedAmount(schema, context.parameters.bindings)
    guard let stateSchema = stateSchema(schema.type(of: customer)!, money.type, order.flatMap { schema.type(of: $0) }) else {
      preconditionFailure("a state was asked for amounts whose sums depend on their order")
    }
    let days = try DayReader(at, schema)
    let index = KeyIndex(types: stateSchema.fields.dropLast().map(\.type))
    var sums: [Int128] = []
    var counts = RFMCounts()
    try RowStream(table, columns: columnsRead(money)).forEach(
      context,
      preparing: { batch in PurchaseLines(self, batch, try days.days(of: batch), try money.evaluate(batch).column, latest: latest) }
    ) { lines in
      counts += lines.counts
      let groups = index.groups(of: lines.keys, count: lines.amounts.count)
      sums += Array(repeating: 0, count: index.count - sums.count)
      for (group, amount) in zip(groups, lines.amounts) { sums[Int(group)] += Int128(amount) }
    }

    // A sum that does not fit its column stands in several rows.
    let limit: Int128 = if case .decimal? = stateSchema.fields.last?.type { 999_999_999_999_999_999 } else { Int128(Int64.max) }
    var rows: [Int32] = [], amounts: [Int64] = []
    for (group, sum) in sums.enumerated() {
      var left = sum
      repeat {
        let part = min(max(left, -limit), limit)
        rows.append(Int32(truncatingIfNeeded: group))
        amounts.append(Int64(truncatingIfNeeded: part))
        left -= part
      } while left != 0
    }
    let sink = try context.openTable("state", schema: stateSchema, partition: context.part ?? "")
    let state = Batch(
      schema: stateSchema, columns: index.keys().map { $0.gather(rows) } + [.full(stateSchema.fields.last!.type, amounts)], count: rows.count)
    for start in stride(from: 0, to: rows.count, by: 65_536) { try sink.append(state.slice(start..<min(rows.count, start + 65_536))) }
    try sink.close()
    return counts.metrics
  }

  func merge(_ states: [TableArtifact], metrics: [JSONValue], _ context: any RunContext) throws -> Metrics {
    var counts = RFMCounts()
    for part in metrics { counts += RFMCounts(part) }
    let schema = states[0].schema
    let history = PurchaseHistory(
      customer: schema.type(of: "customer")!, order: schema.type(of: "order"), amount: schema.type(of: "amount")!, latest: latest)
    for state in states {
      try RowStream(state).forEachWave(
        context,
        preparing: { batch in
          history.prepared(
            PurchaseBatch(
              customer: batch["customer"], day: batch["day"], amount: batch["amount"], order: order == nil ? nil : batch["order"],
              count: batch.count))
        }
      ) { wave in
        var batches: [PreparedPurchases] = []
        for case .batch(let batch) in wave { batches.append(batch) }
        history.add(batches, width: context.width)
      }
    }
    return try finish(history, counts, schema.type(of: "customer")!, amountType: schema.type(of: "amount")!, context)
  }
}

/// The rows of a batch that count: their keys and amounts.
private struct PurchaseLines: Sendable {
  let keys: [Column]
  let amounts: [Int64]
  private(set) var counts = RFMCounts()

  init(_ stage: RFM, _ batch: Batch, _ days: Column, _ amount: Column, latest: Int32) {
    let customers = batch[stage.customer]
    let day = days.values(as: Int32.self)
    var rows: [Int32] = []
    rows.reserveCapacity(batch.count)
    for row in 0..<batch.count {
      if customers.isNull(row) { counts.withoutCustomer += 1 }
      else if days.isNull(row) { counts.withoutDay += 1 }
      else if day[row] > latest { counts.later += 1 }
      else if amount.isNull(row) { counts.withoutAmount += 1 }
      else { rows.append(Int32(truncatingIfNeeded: row)) }
    }
    counts.used = rows.count
    keys = ([customers, days] + (stage.order.map { [batch[$0]] } ?? [])).map { rows.count == batch.count ? $0 : $0.gather(rows) }
    if amount.type == .int32 {
      let values = amount.values(as: Int32.self)
      amounts = rows.map { Int64(values[Int($0)]) }
    } else {
      let values = amount.values(as: Int64.self)
      amounts = rows.map { values[Int($0)] }
    }
  }
}

/// Rows by what became of them.
struct RFMCounts: Sendable {
  var used = 0, later = 0, withoutCustomer = 0, withoutDay = 0, withoutAmount = 0

  init() {}

  init(_ history: PurchaseHistory) {
    (used, later, withoutCustomer) = (history.kept, history.later, history.withoutCustomer)
    (withoutDay, withoutAmount) = (history.withoutDay, history.withoutAmount)
  }

  /// Of a state.
  init(_ metrics: JSONValue) {
    let count = { (name: String) in metrics[name]?.int ?? 0 }
    (used, later, withoutCustomer) = (count("rows_used"), count("rows_after_last_day"), count("rows_without_customer"))
    (withoutDay, withoutAmount) = (count("rows_without_day"), count("rows_without_amount"))
  }

  static func += (a: inout RFMCounts, b: RFMCounts) {
    a.used += b.used
    a.later += b.later
    a.withoutCustomer += b.withoutCustomer
    a.withoutDay += b.withoutDay
    a.withoutAmount += b.withoutAmount
  }

  var metrics: Metrics {
    var metrics = Metrics()
    metrics["rows"] = .integer(used + later + withoutCustomer + withoutDay + withoutAmount)
    metrics["rows_used"] = .integer(used)
    metrics["rows_after_last_day"] = .integer(later)
    metrics["rows_without_customer"] = .integer(withoutCustomer)
    metrics["rows_without_day"] = .integer(withoutDay)
    metrics["rows_without_amount"] = .integer(withoutAmount)
    return metrics
  }
}
