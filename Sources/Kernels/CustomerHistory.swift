/// What one customer bought. Amounts are scaled integers where the column's are (`exact…`), doubles otherwise (`real…`).
public struct CustomerHistory: BitwiseCopyable, Sendable {
  let stored: StoredHistory
  let holdout: MoneySum

  /// Purchase periods, the first included.
  public var periods: Int32 { stored.periods }
  /// First purchase day, and the first purchase day of the last period.
  public var first: Int32 { stored.first }
  public var last: Int32 { stored.last }
  public var orders: Int32 { stored.orders }
  public var holdoutPeriods: Int32 { stored.holdoutPeriods }

  public var exactRevenue: Int128 { stored.revenue.exact }
  /// Without the first period.
  public var exactRepeat: Int128 { stored.repeats.exact }
  public var exactHoldout: Int128 { holdout.exact }
  public var realRevenue: Double { stored.revenue.real }
  public var realRepeat: Double { stored.repeats.real }
  public var realHoldout: Double { holdout.real }
}

/// What there is of every customer: 64 bytes, so that one step to a customer is one miss of the caches.
struct StoredHistory: BitwiseCopyable, Sendable {
  /// The key word, as in `PurchaseRow`.
  var customer: UInt64
  var revenue = MoneySum(), repeats = MoneySum()
  var periods: Int32 = 0
  var first: Int32 = 0, last: Int32 = 0
  var orders: Int32 = 0
  var holdoutPeriods: Int32 = 0

  /// In the order of the customers; of a text by its first eight bytes.
  @inline(__always) func sortKey(isText: Bool, _ longTexts: KeyIndex?) -> UInt64 {
    if !isText { return customer ^ 1 << 63 }
    if Cells.isWhole(customer) { return Cells.spelled(customer).low.byteSwapped }
    guard let longTexts else { preconditionFailure("a long text among customers that are no texts") }
    return leadingBytes(longTexts.longText(Int(customer & 0xFFFF_FFFF)))
  }
}

/// An exact sum of scaled integers, or a sum of doubles; whoever adds knows which.
struct MoneySum: BitwiseCopyable, Sendable {
  private var low: UInt64 = 0, high: Int64 = 0

  var exact: Int128 { Int128(high) << 64 | Int128(low) }
  var real: Double { Double(bitPattern: low) }

  @inline(__always) mutating func add(_ amount: Int64) {
    let (sum, carry) = low.addingReportingOverflow(UInt64(bitPattern: amount))
    low = sum
    high &+= amount &>> 63 &+ (carry ? 1 : 0)
  }

  @inline(__always) mutating func add(_ amount: Double) { low = (Double(bitPattern: low) + amount).bitPattern }
}
