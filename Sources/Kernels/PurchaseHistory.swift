import Columns

/// Collects purchases batch by batch and gives each customer's history in figures. Memory follows customers and
/// 32 bytes a row. Rows go to 64 partitions by the customer's hash; within one, customers are numbered as they come.
///
/// Sums of integers and decimals are exact; sums of doubles run in row order within a period, periods in time order.
// @unchecked: `add` and `finish` are called by one thread at a time; inside, each partition is touched by one piece of work.
public final class PurchaseHistory: @unchecked Sendable {
  private let partitions: [HistoryPartition]
  private let latest: Int32
  /// Rows left out, by why.
  public private(set) var withoutCustomer = 0
  public private(set) var withoutDay = 0
  public private(set) var withoutAmount = 0
  /// Rows after the last day asked for.
  public private(set) var later = 0
  public private(set) var kept = 0
  /// Of the rows kept.
  public private(set) var firstDay: Int32?
  public private(set) var lastDay: Int32?

  /// Rows after `latest` are left out.
  public init(customer: ColumnType, order: ColumnType?, amount: ColumnType, latest: Int32 = .max) {
    partitions = (0..<Radix.count).map { _ in HistoryPartition(customer: customer, order: order, amount: amount) }
    self.latest = latest
  }

  /// Batches in source order; several at once keep all threads busy.
  public func add(_ batches: [PurchaseBatch], width: Int) {
    let prepared = Slots<PreparedPurchases>(batches.count)
    let latest = latest
    inPieces(batches.count, width: width) { prepared[$0] = PreparedPurchases(batches[$0], latest: latest) }
    let ready = prepared.values
    let partitions = partitions
    inPieces(Radix.count, width: width) { piece in
      for batch in ready { partitions[piece].add(batch, piece: piece) }
    }
    for batch in ready {
      withoutCustomer += batch.withoutCustomer
      withoutDay += batch.withoutDay
      withoutAmount += batch.withoutAmount
      later += batch.later
      kept += batch.count
      if batch.count > 0 {
        firstDay = min(firstDay ?? batch.firstDay, batch.firstDay)
        lastDay = max(lastDay ?? batch.lastDay, batch.lastDay)
      }
    }
  }

  /// Histories of all customers with a purchase up to `until`, ascending by customer; what comes after is the hold-out.
  public func finish(until: Int32, period: PurchasePeriod, width: Int) -> CustomerHistories {
    let keys = Slots<Column>(Radix.count)
    let partitions = partitions
    inPieces(Radix.count, width: width) { partitions[$0].number() }
    let firsts = partitions.indices.reduce(into: [0]) { $0.append($0.last! + partitions[$1].customers.count) }
    let known = firsts[partitions.count]
    let memory = HistoryMemory(known)
    inPieces(Radix.count, width: width) { piece in
      let to = memory.base + firsts[piece]
      let found = partitions[piece].histories(until: until, period: period, into: to)
      let all = partitions[piece].customers.keys()[0]
      keys[piece] = found == all.count ? all : all.gather((0..<found).map { to[$0].customer })
    }
    // Those of the hold-out alone left gaps.
    let columns = keys.values
    var count = 0
    for (first, column) in zip(firsts, columns) {
      if count < first { (memory.base + count).update(from: memory.base + first, count: column.count) }
      count += column.count
    }
    let customers = Column.concatenate(columns, type: columns[0].type)
    let order = sortedRows(by: [customers], count: count)
    // Whole records are moved at once: one miss of the caches a customer, not one for each figure.
    let ordered = HistoryMemory(count)
    for at in 0..<count { ordered.base[at] = memory.base[Int(order[at])] }
    return CustomerHistories(
      customers: customers.gather(order), rows: CustomerHistories.Rows(memory: ordered, count: count), holdoutOnly: known - count)
  }
}

/// The customers in ascending order, and their figures row by row.
public struct CustomerHistories: Sendable {
  public let customers: Column
  public let rows: Rows
  /// Customers without a purchase up to the last day observed: not among the rows.
  public let holdoutOnly: Int

  public struct Rows: RandomAccessCollection, Sendable {
    @usableFromInline let memory: HistoryMemory
    @usableFromInline let number: Int

    init(memory: HistoryMemory, count: Int) {
      self.memory = memory
      number = count
    }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { number }
    @inlinable @inline(__always) public subscript(at: Int) -> CustomerHistory { memory.base[at] }
  }
}

// @unchecked: partitions write places of their own, and have ended before anybody reads.
@usableFromInline final class HistoryMemory: @unchecked Sendable {
  @usableFromInline let base: UnsafeMutablePointer<CustomerHistory>

  init(_ count: Int) { base = LargeMemory.rows(count, of: CustomerHistory.self) }

  deinit { LargeMemory.free(base) }
}

/// What one customer bought. Amounts are scaled integers where the column's are (`exact…`), doubles otherwise (`real…`).
public struct CustomerHistory: BitwiseCopyable, Sendable {
  var customer: Int32 = 0
  /// Purchase periods, the first included.
  public var periods: Int32 = 0
  /// First purchase day, and the first purchase day of the last period.
  public var first: Int32 = 0, last: Int32 = 0
  public var orders: Int32 = 0
  public var holdoutPeriods: Int32 = 0
  var revenue = MoneySum(), repeats = MoneySum(), holdout = MoneySum()

  public var exactRevenue: Int128 { revenue.exact }
  /// Without the first period.
  public var exactRepeat: Int128 { repeats.exact }
  public var exactHoldout: Int128 { holdout.exact }
  public var realRevenue: Double { revenue.real }
  public var realRepeat: Double { repeats.real }
  public var realHoldout: Double { holdout.real }
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

/// One result a piece of work.
// @unchecked: each place is written by one piece, and read after all have ended.
final class Slots<T>: @unchecked Sendable {
  private let base: UnsafeMutablePointer<T?>
  private let count: Int

  init(_ count: Int) {
    self.count = count
    base = .allocate(capacity: max(count, 1))
    base.initialize(repeating: nil, count: count)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }

  subscript(at: Int) -> T? {
    get { base[at] }
    set { base[at] = newValue }
  }

  var values: [T] { (0..<count).map { base[$0]! } }
}
