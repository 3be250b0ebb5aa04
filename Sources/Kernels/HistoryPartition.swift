import Columns

// @unchecked: one thread at a time works on a partition.
final class HistoryPartition: @unchecked Sendable {
  let customers: KeyIndex
  /// Orders whose key word does not tell all: texts of more than seven bytes.
  private let longOrders: KeyIndex?
  private let isReal: Bool
  private let customerIsText: Bool
  /// Cells for keys whose words tell all.
  private let noCustomers: Cells
  private struct Segment {
    let rows: PurchaseRows
    let range: Range<Int>
    /// Customers have their numbers.
    var isNumbered = false
  }
  private var segments: [Segment] = []
  private var count = 0

  init(customer: ColumnType, order: ColumnType?, amount: ColumnType) {
    customers = KeyIndex(types: [customer])
    noCustomers = Cells(.nulls(customer, count: 0))
    customerIsText = customer == .string
    longOrders = order == .string ? KeyIndex(types: [.string]) : nil
    isReal = amount == .float64
  }

  func add(_ batch: PreparedPurchases, piece: Int) {
    let range = batch.starts[piece]..<batch.starts[piece + 1], n = range.count
    if n == 0 { return }
    var segment = Segment(rows: batch.rows, range: range)
    let rows = batch.rows.base + range.lowerBound
    // Long texts have to be looked at, and the batch goes: they get their numbers now. Others wait for `number`, when all of
    // a partition is at hand, and its table in the caches.
    var longCustomer = false, longOrder = false
    for at in 0..<n {
      longCustomer = longCustomer || !Cells.isWhole(rows[at].customer)
      longOrder = longOrder || !Cells.isWhole(rows[at].order)
    }
    if longOrder, let longOrders, let order = batch.order {
      withIDs(n) { ids in
        let base = UnsafeRawPointer(rows), stride = MemoryLayout<PurchaseRow>.stride
        longOrders.add(
          words: base + MemoryLayout<PurchaseRow>.offset(of: \.order)!, stride: stride, order,
          rows: base + MemoryLayout<PurchaseRow>.offset(of: \.row)!, count: n, into: ids)
        for at in 0..<n where !Cells.isWhole(rows[at].order) { rows[at].order = 1 << 63 | UInt64(UInt32(bitPattern: ids[at])) }
      }
    }
    if longCustomer, customerIsText {
      numberCustomers(segment, batch.customer)
      segment.isNumbered = true
    }
    if batch.order?.validity != nil || batch.order == nil {
      for at in 0..<n where batch.order?.isNull(Int(rows[at].row)) ?? true { rows[at].row |= PurchaseRow.withoutOrder }
    }
    segments.append(segment)
    count += n
    precondition(count < Int(Int32.max), "more than 2,147,483,646 purchase rows in one of 64 partitions")
  }

  /// Gives the customers that wait for it their numbers.
  func number() {
    for at in segments.indices where !segments[at].isNumbered {
      numberCustomers(segments[at], noCustomers)
      segments[at].isNumbered = true
    }
  }

  private func numberCustomers(_ segment: Segment, _ cells: Cells) {
    let rows = segment.rows.base + segment.range.lowerBound, n = segment.range.count
    withIDs(n) { ids in
      let base = UnsafeRawPointer(rows)
      customers.add(
        words: base, stride: MemoryLayout<PurchaseRow>.stride, cells, rows: base + MemoryLayout<PurchaseRow>.offset(of: \.row)!, count: n, into: ids)
      for at in 0..<n { rows[at].customer = UInt64(UInt32(bitPattern: ids[at])) }
    }
  }

  private func withIDs(_ count: Int, _ body: (UnsafeMutablePointer<Int32>) -> Void) {
    let ids = UnsafeMutablePointer<Int32>.allocate(capacity: count)
    body(ids)
    ids.deallocate()
  }

  /// Writes the histories to `to`, which has room for one of each customer; gives their number.
  func histories(until: Int32, period: PurchasePeriod, into to: UnsafeMutablePointer<CustomerHistory>) -> Int {
    let customers = self.customers.count
    if count == 0 { return 0 }
    // Counting sort by customer, then by day within the customer; rows come nearly sorted.
    let starts = UnsafeMutablePointer<Int32>.allocate(capacity: customers + 1)
    let sorted = UnsafeMutablePointer<PurchaseRow>.allocate(capacity: count), orders = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    defer {
      starts.deallocate()
      sorted.deallocate()
      orders.deallocate()
    }
    starts.initialize(repeating: 0, count: customers + 1)
    for segment in segments {
      let base = segment.rows.base
      for at in segment.range { starts[Int(base[at].customer)] &+= 1 }
    }
    var next: Int32 = 0
    for customer in 0..<customers {
      let here = starts[customer]
      starts[customer] = next
      next &+= here
    }
    var place: UInt32 = 0
    for segment in segments {
      let base = segment.rows.base
      for at in segment.range {
        var row = base[at]
        row.row = row.row & PurchaseRow.withoutOrder | place
        place &+= 1
        let customer = Int(row.customer)
        sorted[Int(starts[customer])] = row
        starts[customer] &+= 1
      }
    }
    // Each start has become the next one's.
    var found = 0, first = 0
    for customer in 0..<customers {
      let end = Int(starts[customer])
      let rows = UnsafeMutableBufferPointer(start: sorted + first, count: end - first)
      first = end
      sortByDay(rows)
      if rows[0].day > until { continue }
      to[found] = history(of: Int32(truncatingIfNeeded: customer), rows, until: until, period: period, orders)
      found += 1
    }
    return found
  }

  private func history(
    of customer: Int32, _ rows: UnsafeMutableBufferPointer<PurchaseRow>, until: Int32, period: PurchasePeriod,
    _ orders: UnsafeMutablePointer<UInt64>
  ) -> CustomerHistory {
    var history = CustomerHistory()
    history.customer = customer
    history.first = rows[0].day
    var current = Int32.min, currentHoldout = Int32.min
    var listed = 0
    for at in 0..<rows.count {
      let row = rows[at], number = period.number(of: row.day)
      if row.day > until {
        if number != currentHoldout {
          currentHoldout = number
          history.holdoutPeriods += 1
        }
        add(row.amount, to: &history.holdout)
        continue
      }
      if number != current || history.periods == 0 {
        current = number
        history.periods += 1
        history.last = row.day
      }
      add(row.amount, to: &history.revenue)
      if history.periods > 1 { add(row.amount, to: &history.repeats) }
      // Rows of an order mostly follow each other.
      if row.hasOrder, listed == 0 || orders[listed &- 1] != row.order {
        orders[listed] = row.order
        listed &+= 1
      }
    }
    history.orders = Int32(truncatingIfNeeded: distinctCount(UnsafeMutableBufferPointer(start: orders, count: listed)))
    return history
  }

  @inline(__always) private func add(_ amount: UInt64, to sum: inout MoneySum) {
    if isReal { sum.add(Double(bitPattern: amount)) } else { sum.add(Int64(bitPattern: amount)) }
  }
}

/// How many different numbers there are; their order may change.
private func distinctCount(_ numbers: UnsafeMutableBufferPointer<UInt64>) -> Int {
  let n = numbers.count
  if n < 2 { return n }
  var all = numbers
  if n > 16 { all.sort() }
  var found = 0
  for at in 0..<n {
    // Found ones lie in front. Sorted, only the last can be equal.
    var earlier = n > 16 ? max(0, found &- 1) : 0
    while earlier < found, all[earlier] != all[at] { earlier &+= 1 }
    if earlier == found {
      all[found] = all[at]
      found &+= 1
    }
  }
  return found
}

/// Stable, by day: insertion for short or sorted histories, a sort by (day, place) for long disordered ones.
private func sortByDay(_ rows: UnsafeMutableBufferPointer<PurchaseRow>) {
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
