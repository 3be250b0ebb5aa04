import Columns

/// Calendar periods within which several purchases are one.
public enum PurchasePeriod: Sendable {
  case day, week, month

  /// Numbers neighbouring periods; ISO weeks begin on Monday (1970-01-01 was a Thursday).
  @inline(__always) func number(of day: Int32) -> Int32 {
    switch self {
    case .day: return day
    case .week:
      let fromMonday = Int(day) + 3
      return Int32(truncatingIfNeeded: fromMonday >= 0 ? fromMonday / 7 : (fromMonday - 6) / 7)
    case .month:
      let date = CivilDate(days: Int(day))
      return Int32(truncatingIfNeeded: date.year * 12 + date.month - 1)
    }
  }
}

/// Purchases of one batch: who, on which day, how much, in which order.
public struct PurchaseBatch: Sendable {
  let count: Int
  let customer: Column, day: Cells, amount: Cells, order: Column?

  /// `day` is a date column; `amount` int32, int64, decimal or float64.
  public init(customer: Column, day: Column, amount: Column, order: Column?, count: Int) {
    precondition(day.type == .date && amount.type.isNumeric, "purchases need a day and a number, not \(day.type) and \(amount.type)")
    self.count = count
    self.customer = customer
    self.day = Cells(day)
    self.amount = Cells(amount)
    self.order = order
  }
}

/// Collects purchases batch by batch and gives each customer's history in figures. Memory follows customers, orders and
/// 24 bytes a row. Rows go to 64 partitions by the customer's hash; within one, customers are numbered as they come.
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
    let results = Slots<[CustomerHistory]>(Radix.count), keys = Slots<Column>(Radix.count)
    let partitions = partitions
    inPieces(Radix.count, width: width) { piece in
      let found = partitions[piece].histories(until: until, period: period)
      results[piece] = found
      keys[piece] = partitions[piece].customers.keys()[0].gather(found.map(\.customer))
    }
    let all = keys.values
    let customers = Column.concatenate(all, type: all[0].type)
    let order = sortedRows(by: [customers], count: customers.count)
    let unsorted = results.values.flatMap { $0 }
    let known = partitions.reduce(0) { $0 + $1.customers.count }
    return CustomerHistories(
      customers: customers.gather(order), rows: order.map { unsorted[Int($0)] }, holdoutOnly: known - order.count)
  }
}

/// The customers in ascending order, and their figures row by row.
public struct CustomerHistories: Sendable {
  public let customers: Column
  public let rows: [CustomerHistory]
  /// Customers without a purchase up to the last day observed: not among the rows.
  public let holdoutOnly: Int
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
  public var exactRevenue: Int128 = 0
  /// Without the first period.
  public var exactRepeat: Int128 = 0
  public var exactHoldout: Int128 = 0
  public var realRevenue = 0.0, realRepeat = 0.0, realHoldout = 0.0
}

/// One purchase row, packed.
private struct PurchaseRecord: BitwiseCopyable {
  var customer: Int32
  var day: Int32
  /// Int64, or the bits of a Double.
  var amount: UInt64
  /// −1 where the order is null.
  var order: Int32
  /// Place within the partition: keeps rows of one day in source order.
  var place: UInt32
}

/// A row on its way to its partition.
private struct PurchaseRow: BitwiseCopyable {
  var customer: UInt64
  var order: UInt64
  var amount: UInt64
  var row: Int32
  var day: Int32
}

/// Rows of one batch that count, grouped by partition; within one in row order. All that a partition needs lies together,
/// so that it reads memory in order.
// @unchecked: the rows are written in `init` only, before another thread can see them.
private final class PreparedPurchases: @unchecked Sendable {
  let customer: Cells, order: Cells?
  let rows: UnsafeMutablePointer<PurchaseRow>
  let starts: [Int]
  private(set) var withoutCustomer = 0, withoutDay = 0, withoutAmount = 0, later = 0
  private(set) var firstDay = Int32.max, lastDay = Int32.min

  init(_ batch: PurchaseBatch, latest: Int32) {
    let customer = Cells(batch.customer), order = batch.order.map(Cells.init), day = batch.day, amount = batch.amount
    let n = batch.count
    let pieces = UnsafeMutablePointer<UInt8>.allocate(capacity: max(n, 1))
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: max(n, 1))
    defer {
      pieces.deallocate()
      words.deallocate()
    }
    var counts = [Int](repeating: 0, count: Radix.count)
    var withoutCustomer = 0, withoutDay = 0, withoutAmount = 0, later = 0
    var firstDay = Int32.max, lastDay = Int32.min
    for row in 0..<n {
      pieces[row] = 255
      if customer.isNull(row) { withoutCustomer &+= 1; continue }
      if day.isNull(row) { withoutDay &+= 1; continue }
      let date = Int32(truncatingIfNeeded: day.word(row))
      if date > latest { later &+= 1; continue }
      if amount.isNull(row) { withoutAmount &+= 1; continue }
      firstDay = min(firstDay, date)
      lastDay = max(lastDay, date)
      let word = customer.keyWord(row)
      words[row] = word
      let piece = Radix.piece(of: RowHash.ofRow(word))
      pieces[row] = UInt8(truncatingIfNeeded: piece)
      counts[piece] &+= 1
    }
    var starts = [0]
    for count in counts { starts.append(starts[starts.count - 1] + count) }
    var cursor = starts
    let rows = UnsafeMutablePointer<PurchaseRow>.allocate(capacity: max(starts[Radix.count], 1))
    cursor.withUnsafeMutableBufferPointer { cursor in
      for row in 0..<n where pieces[row] != 255 {
        let piece = Int(pieces[row])
        rows[cursor[piece]] = PurchaseRow(
          customer: words[row], order: order?.keyWord(row) ?? 0, amount: amount.word(row), row: Int32(truncatingIfNeeded: row),
          day: Int32(truncatingIfNeeded: day.word(row)))
        cursor[piece] &+= 1
      }
    }
    self.rows = rows
    self.customer = customer
    self.order = order
    self.starts = starts
    (self.withoutCustomer, self.withoutDay, self.withoutAmount, self.later) = (withoutCustomer, withoutDay, withoutAmount, later)
    (self.firstDay, self.lastDay) = (firstDay, lastDay)
  }

  deinit { rows.deallocate() }

  var count: Int { starts[Radix.count] }
}

// @unchecked: one thread at a time works on a partition.
private final class HistoryPartition: @unchecked Sendable {
  let customers: KeyIndex
  private let orders: KeyIndex?
  private let isReal: Bool
  private var records = Pile<PurchaseRecord>()

  init(customer: ColumnType, order: ColumnType?, amount: ColumnType) {
    customers = KeyIndex(types: [customer])
    orders = order.map { KeyIndex(types: [$0]) }
    isReal = amount == .float64
  }

  deinit { records.free() }

  func add(_ batch: PreparedPurchases, piece: Int) {
    let range = batch.starts[piece]..<batch.starts[piece + 1], n = range.count
    if n == 0 { return }
    let ids = UnsafeMutablePointer<Int32>.allocate(capacity: n * 2), orderIDs = ids + n
    defer { ids.deallocate() }
    let rows = batch.rows + range.lowerBound, base = UnsafeRawPointer(rows), stride = MemoryLayout<PurchaseRow>.stride
    let places = base + MemoryLayout<PurchaseRow>.offset(of: \.row)!
    customers.add(words: base, stride: stride, batch.customer, rows: places, count: n, into: ids)
    if let orders, let order = batch.order {
      orders.add(words: base + MemoryLayout<PurchaseRow>.offset(of: \.order)!, stride: stride, order, rows: places, count: n, into: orderIDs)
      if order.validity != nil { for at in 0..<n where order.isNull(Int(rows[at].row)) { orderIDs[at] = -1 } }
    } else {
      orderIDs.update(repeating: -1, count: n)
    }
    let firstPlace = records.count
    precondition(firstPlace + n <= Int(UInt32.max), "more than 4,294,967,295 purchase rows in one of 64 partitions")
    let to = records.extend(by: n)
    for at in 0..<n {
      // −0 was made 0 by `word`; a sum cannot tell.
      to[at] = PurchaseRecord(
        customer: ids[at], day: rows[at].day, amount: rows[at].amount, order: orderIDs[at],
        place: UInt32(truncatingIfNeeded: firstPlace &+ at))
    }
  }

  func histories(until: Int32, period: PurchasePeriod) -> [CustomerHistory] {
    let n = records.count, count = customers.count
    if n == 0 { return [] }
    // Counting sort by customer, then by day within the customer; rows come nearly sorted.
    var starts = [Int](repeating: 0, count: count + 1)
    for at in 0..<n { starts[Int(records[at].customer) + 1] += 1 }
    for customer in 0..<count { starts[customer + 1] += starts[customer] }
    let sorted = UnsafeMutablePointer<PurchaseRecord>.allocate(capacity: n)
    defer { sorted.deallocate() }
    var cursor = starts
    for at in 0..<n {
      let record = records[at], customer = Int(record.customer)
      sorted[cursor[customer]] = record
      cursor[customer] += 1
    }
    // The last customer that an order was counted for, + 1.
    var counted = [Int32](repeating: 0, count: orders?.count ?? 0)
    var result: [CustomerHistory] = []
    result.reserveCapacity(count)
    for customer in 0..<count {
      let rows = UnsafeMutableBufferPointer(start: sorted + starts[customer], count: starts[customer + 1] - starts[customer])
      sortByDay(rows)
      if rows[0].day > until { continue }
      result.append(history(of: Int32(truncatingIfNeeded: customer), rows, until: until, period: period, counted: &counted))
    }
    return result
  }

  private func history(
    of customer: Int32, _ rows: UnsafeMutableBufferPointer<PurchaseRecord>, until: Int32, period: PurchasePeriod,
    counted: inout [Int32]
  ) -> CustomerHistory {
    var history = CustomerHistory()
    history.customer = customer
    history.first = rows[0].day
    var current = Int32.min, currentHoldout = Int32.min
    for at in 0..<rows.count {
      let row = rows[at], number = period.number(of: row.day)
      let exact = Int128(Int64(bitPattern: row.amount)), real = isReal ? Double(bitPattern: row.amount) : 0
      if row.day > until {
        if number != currentHoldout {
          currentHoldout = number
          history.holdoutPeriods += 1
        }
        if isReal { history.realHoldout += real } else { history.exactHoldout += exact }
        continue
      }
      if number != current || history.periods == 0 {
        current = number
        history.periods += 1
        history.last = row.day
      }
      if isReal { history.realRevenue += real } else { history.exactRevenue += exact }
      if history.periods > 1 {
        if isReal { history.realRepeat += real } else { history.exactRepeat += exact }
      }
      if row.order >= 0, counted[Int(row.order)] != customer + 1 {
        counted[Int(row.order)] = customer + 1
        history.orders += 1
      }
    }
    return history
  }
}

/// Stable, by day: insertion for short or sorted histories, a sort by (day, place) for long disordered ones.
private func sortByDay(_ rows: UnsafeMutableBufferPointer<PurchaseRecord>) {
  var moved = 0
  for at in 1..<max(rows.count, 1) {
    let row = rows[at]
    if rows[at &- 1].day <= row.day { continue }
    var to = at
    while to > 0, rows[to &- 1].day > row.day {
      rows[to] = rows[to &- 1]
      to &-= 1
    }
    rows[to] = row
    moved += at - to
    if moved > 64 * rows.count {
      var all = rows
      all.sort { ($0.day, $0.place) < ($1.day, $1.place) }
      return
    }
  }
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
