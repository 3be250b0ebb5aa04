import Columns

// @unchecked: one thread at a time works on a partition.
final class HistoryPartition: @unchecked Sendable {
  let customers: KeyIndex
  /// Orders whose key word does not tell all: texts of more than seven bytes.
  private let longOrders: KeyIndex?
  private let isReal: Bool
  private var segments: [(rows: PurchaseRows, range: Range<Int>)] = []
  private var count = 0

  init(customer: ColumnType, order: ColumnType?, amount: ColumnType) {
    customers = KeyIndex(types: [customer])
    longOrders = order == .string ? KeyIndex(types: [.string]) : nil
    isReal = amount == .float64
  }

  func add(_ batch: PreparedPurchases, piece: Int) {
    let range = batch.starts[piece]..<batch.starts[piece + 1], n = range.count
    if n == 0 { return }
    let ids = UnsafeMutablePointer<Int32>.allocate(capacity: n)
    defer { ids.deallocate() }
    let rows = batch.rows.base + range.lowerBound, base = UnsafeRawPointer(rows), stride = MemoryLayout<PurchaseRow>.stride
    let places = base + MemoryLayout<PurchaseRow>.offset(of: \.row)!
    customers.add(words: base, stride: stride, batch.customer, rows: places, count: n, into: ids)
    for at in 0..<n { rows[at].customer = UInt64(UInt32(bitPattern: ids[at])) }
    if let longOrders, let order = batch.order {
      var anyLong = false
      for at in 0..<n where !Cells.isWhole(rows[at].order) { anyLong = true }
      if anyLong {
        longOrders.add(words: base + MemoryLayout<PurchaseRow>.offset(of: \.order)!, stride: stride, order, rows: places, count: n, into: ids)
        for at in 0..<n where !Cells.isWhole(rows[at].order) { rows[at].order = 1 << 63 | UInt64(UInt32(bitPattern: ids[at])) }
      }
    }
    for at in 0..<n where batch.order?.isNull(Int(rows[at].row)) ?? true { rows[at].row |= PurchaseRow.withoutOrder }
    segments.append((batch.rows, range))
    count += n
    precondition(count < Int(Int32.max), "more than 2,147,483,646 purchase rows in one of 64 partitions")
  }

  /// Writes the histories to `to`, which has room for one of each customer; gives their number.
  func histories(until: Int32, period: PurchasePeriod, into to: UnsafeMutablePointer<CustomerHistory>) -> Int {
    let customers = self.customers.count
    if count == 0 { return 0 }
    // Counting sort by customer, then by day within the customer; rows come nearly sorted.
    let starts = UnsafeMutablePointer<Int32>.allocate(capacity: customers + 1)
    let sorted = UnsafeMutablePointer<PurchaseRow>.allocate(capacity: count)
    defer {
      starts.deallocate()
      sorted.deallocate()
    }
    starts.initialize(repeating: 0, count: customers + 1)
    for (rows, range) in segments {
      for at in range { starts[Int(rows.base[at].customer)] &+= 1 }
    }
    var next: Int32 = 0
    for customer in 0..<customers {
      let here = starts[customer]
      starts[customer] = next
      next &+= here
    }
    var place: UInt32 = 0
    for (rows, range) in segments {
      for at in range {
        var row = rows.base[at]
        row.row = row.row & PurchaseRow.withoutOrder | place
        place &+= 1
        let customer = Int(row.customer)
        sorted[Int(starts[customer])] = row
        starts[customer] &+= 1
      }
    }
    // Each start has become the next one's.
    var orders: [UInt64] = []
    var found = 0, first = 0
    for customer in 0..<customers {
      let end = Int(starts[customer])
      let rows = UnsafeMutableBufferPointer(start: sorted + first, count: end - first)
      first = end
      sortByDay(rows)
      if rows[0].day > until { continue }
      to[found] = history(of: Int32(truncatingIfNeeded: customer), rows, until: until, period: period, &orders)
      found += 1
    }
    return found
  }

  private func history(
    of customer: Int32, _ rows: UnsafeMutableBufferPointer<PurchaseRow>, until: Int32, period: PurchasePeriod, _ orders: inout [UInt64]
  ) -> CustomerHistory {
    var history = CustomerHistory()
    history.customer = customer
    history.first = rows[0].day
    var current = Int32.min, currentHoldout = Int32.min
    orders.removeAll(keepingCapacity: true)
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
      if row.hasOrder, orders.last != row.order { orders.append(row.order) }
    }
    history.orders = Int32(truncatingIfNeeded: distinctCount(&orders))
    return history
  }

  @inline(__always) private func add(_ amount: UInt64, to sum: inout MoneySum) {
    if isReal { sum.add(Double(bitPattern: amount)) } else { sum.add(Int64(bitPattern: amount)) }
  }
}

/// How many different numbers there are; their order may change.
private func distinctCount(_ numbers: inout [UInt64]) -> Int {
  let n = numbers.count
  if n < 2 { return n }
  return numbers.withUnsafeMutableBufferPointer { all in
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
