import Columns
import Diagnostics
import Expressions
import Kernels
import Pipelines

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
        PurchaseBatch(
          customer: batch[customer], day: try days.days(of: batch), amount: try money.evaluate(batch).column, order: order.map { batch[$0] },
          count: batch.count)
      }
    ) { wave in
      var batches: [PurchaseBatch] = []
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
    let figures = try figures(customers, end: end, amountType, context)
    var columns = figures.columns
    if let scoring {
      let scored = scoring.columns(
        sinceLast: columns[7], orders: scoring.frequency == .orders ? columns[5] : columns[1], revenue: columns[6], segments: segments)
      columns += scored.columns
      for warning in scored.warnings { context.warn(warning) }
    }
    let result = tableSchema(customerType, amountType)
    try context.writeTable("table", Batch(schema: result, columns: columns, count: customers.rows.count))
    if let holdout {
      try context.writeTable("holdout", bought(customers, columns[0], Double(holdout.days - Int(end)) / unitDays, customerType, amountType))
    }
    return told(history, counts, customers, repeating: figures.repeating, end: end, context)
  }

  /// The columns from `customer` to `last`, and how many bought again: histories are read once, and written to all columns.
  private func figures(
    _ customers: CustomerHistories, end: Int32, _ amountType: ColumnType, _ context: any RunContext
  ) throws -> (columns: [Column], repeating: Int) {
    let n = customers.rows.count, unit = unitDays, money = Money(amountType), revenueType = revenueType(amountType)
    var frequency = FixedBuilder<Int64>(.int64, reserving: n), orders = FixedBuilder<Int64>(.int64, reserving: n)
    var recency = FixedBuilder<Double>(.float64, reserving: n), age = FixedBuilder<Double>(.float64, reserving: n)
    var monetary = FixedBuilder<Double>(.float64, reserving: n), sinceLast = FixedBuilder<Double>(.float64, reserving: n)
    var first = FixedBuilder<Int32>(.date, reserving: n), last = FixedBuilder<Int32>(.date, reserving: n)
    var revenue = MoneyBuilder(revenueType, isReal: money.isReal, reserving: n)
    var repeating = 0
    let keys = customers.read { _, rows in
      for row in rows {
        frequency.append(Int64(row.periods) - 1)
        recency.append(Double(Int(row.last) - Int(row.first)) / unit)
        age.append(Double(Int(end) - Int(row.first)) / unit)
        monetary.append(money.meanOfRepeats(row))
        orders.append(Int64(row.orders))
        sinceLast.append(Double(Int(end) - Int(row.last)) / unit)
        first.append(row.first)
        last.append(row.last)
        revenue.append(row.realRevenue, row.exactRevenue)
        if row.periods > 1 { repeating += 1 }
      }
    }
    let counted = orders.finish()
    return (
      [
        keys, frequency.finish(), recency.finish(), age.finish(), monetary.finish(), order == nil ? .nulls(.int64, count: n) : counted,
        try revenue.finish("revenue", keys), sinceLast.finish(), first.finish(), last.finish(),
      ], repeating
    )
  }

  /// The hold-out's table.
  private func bought(
    _ customers: CustomerHistories, _ keys: Column, _ duration: Double, _ customerType: ColumnType, _ amountType: ColumnType
  ) throws -> Batch {
    let n = customers.rows.count
    var purchases = FixedBuilder<Int64>(.int64, reserving: n), durations = FixedBuilder<Double>(.float64, reserving: n)
    var revenue = MoneyBuilder(revenueType(amountType), isReal: amountType == .float64, reserving: n)
    for row in customers.rows {
      purchases.append(Int64(row.holdoutPeriods))
      durations.append(duration)
      revenue.append(row.realHoldout, row.exactHoldout)
    }
    return Batch(
      schema: holdoutSchema(customerType, amountType),
      columns: [keys, purchases.finish(), try revenue.finish("hold-out revenue", keys), durations.finish()], count: n)
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

/// Amounts as the history keeps them: scaled integers or doubles.
private struct Money {
  let isReal: Bool
  let scale: Double

  init(_ type: ColumnType) {
    isReal = type == .float64
    var power = 1.0
    if case .decimal(_, let digits) = type { for _ in 0..<digits { power *= 10 } }
    scale = power
  }

  /// Fader and Hardie's monetary value: mean spend per repeat period, the first left out; 0 without repeats.
  func meanOfRepeats(_ history: CustomerHistory) -> Double {
    let frequency = Double(history.periods - 1)
    if history.periods < 2 { return 0 }
    if isReal { return history.realRepeat / frequency }
    // The conversion of 128 bits is slow, and rarely needed.
    let exact = history.exactRepeat, low = Int64(truncatingIfNeeded: exact)
    return (Int128(low) == exact ? Double(low) : Double(exact)) / (scale * frequency)
  }
}

/// A column of sums of money.
private struct MoneyBuilder: ~Copyable {
  private let type: ColumnType
  private let isReal: Bool
  private let limit: Int128
  private var reals: FixedBuilder<Double>
  private var exacts: FixedBuilder<Int64>
  /// The first row whose sum does not fit.
  private var tooLarge: Int?

  init(_ type: ColumnType, isReal: Bool, reserving rows: Int) {
    self.type = type
    self.isReal = isReal
    limit = if case .decimal = type { 999_999_999_999_999_999 } else { Int128(Int64.max) }
    reals = FixedBuilder(.float64, reserving: isReal ? rows : 0)
    exacts = FixedBuilder(isReal ? .int64 : type, reserving: isReal ? 0 : rows)
  }

  @inline(__always) mutating func append(_ real: Double, _ exact: Int128) {
    if isReal {
      reals.append(real)
      return
    }
    if exact > limit || exact < -limit, tooLarge == nil { tooLarge = exacts.count }
    exacts.append(Int64(truncatingIfNeeded: exact))
  }

  consuming func finish(_ what: String, _ keys: Column) throws -> Column {
    if let tooLarge {
      throw Diagnostic(
        "the \(what) of customer \"\(keys.value(at: tooLarge))\" does not fit \(type)", at: .setting(["amount"]),
        hint: "cast the amount to float64")
    }
    return isReal ? reals.finish() : exacts.finish()
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
      for row in 0..<batch.count {
        let at = micros[row]
        to[row] = Int32(truncatingIfNeeded: at >= 0 ? at / perDay : (at &+ 1) / perDay &- 1)
      }
    })
    return Column(type: .date, count: batch.count, validity: moments.validity, storage: .fixed(days))
  }
}
