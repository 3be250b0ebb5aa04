import Columns
import Diagnostics
import Expressions
import Kernels
import Pipelines
import Synchronization

extension RFM {
  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table()
    let schema = table.schema
    let money = try typedAmount(schema, context.parameters.bindings)
    let customerType = schema.type(of: customer)!, amountType = money.type
    let history = PurchaseHistory(
      customer: customerType, order: order.flatMap { schema.type(of: $0) }, amount: amountType, latest: latest)
    let days = try DayReader(at, schema)
    try RowStream(table, columns: columnsRead(money)).forEachWave(
      context,
      preparing: { batch in
        history.prepared(
          PurchaseBatch(
            customer: batch[customer], day: try days.days(of: batch), amount: try money.evaluate(batch).column, order: order.map { batch[$0] },
            count: batch.count))
      }
    ) { wave in
      var batches: [PreparedPurchases] = []
      for case .batch(let batch) in wave { batches.append(batch) }
      history.add(batches, width: context.width)
    }
    return try finish(history, RFMCounts(history), customerType, amountType: amountType, context)
  }

  func columnsRead(_ amount: TypedExpression) -> [String] { ([customer, at] + amount.columnsRead + (order.map { [$0] } ?? [])).unique }

  /// From histories to the outputs.
  func finish(
    _ history: PurchaseHistory, _ counts: RFMCounts, _ customerType: ColumnType, amountType: ColumnType, _ context: any RunContext
  ) throws -> Metrics {
    let end = until.map { Int32(clamping: $0.days) } ?? history.lastDay ?? 0
    let period: PurchasePeriod =
      switch self.period {
      case .day: .day
      case .week: .week
      case .month: .month
      }
    let customers = history.finish(until: end, period: period, width: context.width, keepsRows: false)
    let figures = RFMFigures(self, customers, end: end, amountType)
    let repeating = try writeTable(figures, tableSchema(customerType, amountType), context)
    if let holdout {
      let duration = Double(holdout.days - Int(end)) / unitDays
      try writeSlices("holdout", holdoutSchema(customerType, amountType), of: customers.rows.count, context) {
        try figures.holdout($0, duration: duration)
      }
    }
    return told(history, counts, customers, repeating: repeating, end: end, context)
  }

  /// Gives how many customers bought again.
  private func writeTable(_ figures: RFMFigures, _ schema: Schema, _ context: any RunContext) throws -> Int {
    let n = figures.customers.rows.count
    guard let scoring else {
      let repeating = Mutex(0)
      try writeSlices("table", schema, of: n, context) { range in
        let slice = try figures.columns(range)
        repeating.withLock { $0 += slice.repeating }
        return slice.columns
      }
      return repeating.withLock { $0 }
    }
    // Scores compare everybody with everybody.
    var (columns, repeating) = try figures.columns(0..<n)
    let scored = scoring.columns(
      sinceLast: columns[7], orders: scoring.frequency == .orders ? columns[5] : columns[1], revenue: columns[6], segments: names)
    columns += scored.columns
    for warning in scored.warnings { context.warn(warning) }
    let whole = columns
    try writeSlices("table", schema, of: n, context) { range in whole.map { $0.slice(range) } }
    return repeating
  }

  /// Some rows at a time, made concurrently: a slice is written and digested while it is in the caches, and then its memory
  /// is that of a later one.
  private func writeSlices(
    _ output: String, _ schema: Schema, of count: Int, _ context: any RunContext, _ columns: @Sendable (Range<Int>) throws -> [Column]
  ) throws {
    let size = 65_536
    let slices = stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    let sink = try context.openTable(output, schema: schema)
    for wave in slices.pieces(of: max(1, context.width)) {
      try context.checkCancellation()
      let made = try context.concurrentMap(wave.count) { Batch(schema: schema, columns: try columns(wave[$0]), count: wave[$0].count) }
      for batch in made { try sink.append(batch) }
    }
    try sink.close()
  }

  private func told(
    _ history: PurchaseHistory, _ counts: RFMCounts, _ customers: CustomerHistories, repeating: Int, end: Int32, _ context: any RunContext
  ) -> Metrics {
    var metrics = counts.metrics
    metrics["customers"] = .integer(customers.rows.count)
    metrics["repeat_customers"] = .integer(repeating)
    metrics["first_day"] = history.firstDay.map { .string(CivilDate(days: Int($0)).description) } ?? .null
    metrics["until"] = counts.used == 0 && until == nil ? .null : .string(CivilDate(days: Int(end)).description)
    if let holdout {
      metrics["holdout"] = .string(holdout.description)
      metrics["customers_only_in_holdout"] = .integer(customers.holdoutOnly)
    }
    for (count, name) in [(counts.withoutCustomer, customer), (counts.withoutDay, at), (counts.withoutAmount, amount)] where count > 0 {
      context.warn(
        Diagnostic(
          "\(count) row\(count == 1 ? "" : "s") without \"\(name)\" left out", at: .input(port: "table"),
          hint: "require the column in a clean stage before", severity: .warning))
    }
    return metrics
  }
}

/// The day of a moment: dates as they are, wall-clock time cut, instants in their own zone.
struct DayReader: Sendable {
  let name: String
  let type: ColumnType
  let cast: TypedExpression?

  init(_ name: String, _ schema: Schema) throws {
    self.name = name
    type = schema.type(of: name)!
    if case .timestamp(.some) = type {
      cast = try Expression(.cast(.column(name), .date, orNull: false)).check(schema)
    } else {
      cast = nil
    }
  }

  func days(of batch: Batch) throws -> Column {
    let moments = batch[name]
    if type == .date { return moments }
    if let cast { return try cast.evaluate(batch).column }
    let micros = moments.values(as: Int64.self), perDay: Int64 = 86_400_000_000
    let days = Buffer(unzeroed: batch.count * 4, filling: { bytes in
      let to = bytes.assumingMemoryBound(to: Int32.self)
      // Neighbours mostly are of one day, and a comparison costs less than a division.
      var first: Int64 = 0, day: Int32 = 0
      for row in 0..<batch.count {
        let at = micros[row]
        if UInt64(bitPattern: at &- first) >= UInt64(perDay) {
          day = Int32(truncatingIfNeeded: at >= 0 ? at / perDay : (at &+ 1) / perDay &- 1)
          first = Int64(day) &* perDay
        }
        to[row] = day
      }
    })
    return Column(type: .date, count: batch.count, validity: moments.validity, storage: .fixed(days))
  }
}
