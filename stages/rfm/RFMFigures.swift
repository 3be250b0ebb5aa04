import Columns
import Diagnostics
import Kernels
import Pipelines

/// The columns of the outputs, any neighbouring rows at a time.
struct RFMFigures: Sendable {
  let customers: CustomerHistories
  private let end: Int32
  private let unit: Double
  private let money: Money
  private let revenueType: ColumnType
  private let hasOrders: Bool

  init(_ stage: RFM, _ customers: CustomerHistories, end: Int32, _ amount: ColumnType) {
    self.customers = customers
    self.end = end
    unit = stage.unitDays
    money = Money(amount)
    revenueType = stage.revenueType(amount)
    hasOrders = stage.order != nil
  }

  /// From `customer` to `last`, and how many customers bought again. Histories are read once, and written to all columns.
  func columns(_ range: Range<Int>) throws -> (columns: [Column], repeating: Int) {
    let n = range.count
    var frequency = FixedBuilder<Int64>(.int64, reserving: n), orders = FixedBuilder<Int64>(.int64, reserving: n)
    var recency = FixedBuilder<Double>(.float64, reserving: n), age = FixedBuilder<Double>(.float64, reserving: n)
    var monetary = FixedBuilder<Double>(.float64, reserving: n), sinceLast = FixedBuilder<Double>(.float64, reserving: n)
    var first = FixedBuilder<Int32>(.date, reserving: n), last = FixedBuilder<Int32>(.date, reserving: n)
    var revenue = MoneyBuilder(revenueType, isReal: money.isReal, reserving: n)
    var repeating = 0
    let keys = customers.read(range) { rows in
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
        keys, frequency.finish(), recency.finish(), age.finish(), monetary.finish(), hasOrders ? counted : .nulls(.int64, count: n),
        try revenue.finish("revenue", keys), sinceLast.finish(), first.finish(), last.finish(),
      ], repeating
    )
  }

  /// Of the hold-out, which is `duration` long.
  func holdout(_ range: Range<Int>, duration: Double) throws -> [Column] {
    let n = range.count
    var purchases = FixedBuilder<Int64>(.int64, reserving: n), durations = FixedBuilder<Double>(.float64, reserving: n)
    var revenue = MoneyBuilder(revenueType, isReal: money.isReal, reserving: n)
    let keys = customers.read(range) { rows in
      for row in rows {
        purchases.append(Int64(row.holdoutPeriods))
        durations.append(duration)
        revenue.append(row.realHoldout, row.exactHoldout)
      }
    }
    return [keys, purchases.finish(), try revenue.finish("hold-out revenue", keys), durations.finish()]
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
  private let limit: Int64
  private var reals: FixedBuilder<Double>
  private var exacts: FixedBuilder<Int64>
  /// The first row whose sum does not fit.
  private var tooLarge: Int?

  init(_ type: ColumnType, isReal: Bool, reserving rows: Int) {
    self.type = type
    self.isReal = isReal
    limit = if case .decimal = type { 999_999_999_999_999_999 } else { Int64.max }
    reals = FixedBuilder(.float64, reserving: isReal ? rows : 0)
    exacts = FixedBuilder(isReal ? .int64 : type, reserving: isReal ? 0 : rows)
  }

  @inline(__always) mutating func append(_ real: Double, _ exact: Int128) {
    if isReal {
      reals.append(real)
      return
    }
    let low = Int64(truncatingIfNeeded: exact)
    if Int128(low) != exact || low.magnitude > limit.magnitude, tooLarge == nil { tooLarge = exacts.count }
    exacts.append(low)
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
