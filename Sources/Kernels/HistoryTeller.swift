import Columns

/// Tells histories from the rows of a few customers at a time.
struct HistoryTeller {
  let isReal: Bool
  let until: Int32
  let period: PurchasePeriod
  let hasHoldout: Bool
  let memory: ChunkMemory
  private let isText: Bool
  private let longCustomers: KeyIndex?
  /// Room for the largest part: customers by hash (number + 1, 0 is empty), their keys, how many rows each has and then
  /// where they end; each row's customer; rows by customer; orders of one.
  private let slots: UnsafeMutablePointer<UInt32>
  private let keys: UnsafeMutablePointer<UInt64>
  private let ends: UnsafeMutablePointer<Int32>
  private let customers: UnsafeMutablePointer<Int32>
  private let places: UnsafeMutablePointer<Int32>
  private let orders: UnsafeMutablePointer<UInt64>

  init(most: Int, isReal: Bool, until: Int32, period: PurchasePeriod, hasHoldout: Bool, memory: ChunkMemory, isText: Bool, _ longCustomers: KeyIndex?) {
    self.isText = isText
    self.longCustomers = longCustomers
    self.isReal = isReal
    self.until = until
    self.period = period
    self.hasHoldout = hasHoldout
    self.memory = memory
    slots = .allocate(capacity: Self.slotCount(most))
    keys = .allocate(capacity: most)
    orders = .allocate(capacity: most)
    ends = .allocate(capacity: most)
    customers = .allocate(capacity: most)
    places = .allocate(capacity: most)
  }

  func free() {
    slots.deallocate()
    keys.deallocate()
    ends.deallocate()
    customers.deallocate()
    places.deallocate()
    orders.deallocate()
  }

  private static func slotCount(_ rows: Int) -> Int {
    var count = 16
    while count < rows &* 2 { count &*= 2 }
    return count
  }

  func tell(_ rows: UnsafeMutableBufferPointer<PurchaseRow>, _ found: inout HistoryPartition.Found) {
    if rows.count == 0 { return }
    let count = numberCustomers(rows)
    var first: Int32 = 0
    for customer in 0..<count {
      let here = ends[customer]
      ends[customer] = first
      first &+= here
    }
    for at in 0..<rows.count {
      let customer = Int(customers[at])
      places[Int(ends[customer])] = Int32(truncatingIfNeeded: at)
      ends[customer] &+= 1
    }
    // Each start has become the next one's.
    var start = 0
    for customer in 0..<count {
      let end = Int(ends[customer])
      let own = UnsafeMutableBufferPointer(start: places + start, count: end - start)
      start = end
      sortByDay(own, rows)
      if rows[Int(own[0])].day > until { found.holdoutOnly &+= 1 } else { tell(keys[customer], own, rows, &found) }
    }
  }

  /// Numbers from 0 in order of first appearance; counts rows in `ends`.
  private func numberCustomers(_ rows: UnsafeMutableBufferPointer<PurchaseRow>) -> Int {
    let slotCount = Self.slotCount(rows.count), mask = slotCount &- 1
    slots.initialize(repeating: 0, count: slotCount)
    var count = 0
    for at in 0..<rows.count {
      let word = rows[at].customer
      var slot = Int(truncatingIfNeeded: rows[at].place) & mask
      var customer: Int
      while true {
        customer = Int(slots[slot]) &- 1
        if customer < 0 {
          customer = count
          count &+= 1
          slots[slot] = UInt32(truncatingIfNeeded: count)
          keys[customer] = word
          ends[customer] = 0
          break
        }
        if keys[customer] == word { break }
        slot = (slot &+ 1) & mask
      }
      customers[at] = Int32(truncatingIfNeeded: customer)
      ends[customer] &+= 1
    }
    return count
  }

  private func tell(
    _ customer: UInt64, _ own: UnsafeMutableBufferPointer<Int32>, _ rows: UnsafeMutableBufferPointer<PurchaseRow>,
    _ found: inout HistoryPartition.Found
  ) {
    var history = StoredHistory(customer: customer)
    var holdout = MoneySum()
    history.first = rows[Int(own[0])].day
    var current = Int32.min, currentHoldout = Int32.min
    var listed = 0
    for at in own {
      let row = rows[Int(at)], number = period.number(of: row.day)
      if row.day > until {
        if number != currentHoldout {
          currentHoldout = number
          history.holdoutPeriods &+= 1
        }
        add(row.amount, to: &holdout)
        continue
      }
      if number != current || history.periods == 0 {
        current = number
        history.periods &+= 1
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
    if hasHoldout {
      let room = Chain<StoredHistory>.room, place = found.histories.count % room
      if place == 0 { found.holdouts.append(.allocate(capacity: room)) }
      found.holdouts[found.holdouts.count - 1][place] = holdout
    }
    let key = history.sortKey(isText: isText, longCustomers)
    found.allKeys &= key
    found.anyKey |= key
    found.histories.append(history, in: memory)
  }

  @inline(__always) private func add(_ amount: UInt64, to sum: inout MoneySum) {
    if isReal { sum.add(Double(bitPattern: amount)) } else { sum.add(Int64(bitPattern: amount)) }
  }

  /// Stable, by day: insertion for short or sorted histories, a sort by (day, place) for long disordered ones.
  @inline(__always) private func sortByDay(_ own: UnsafeMutableBufferPointer<Int32>, _ rows: UnsafeMutableBufferPointer<PurchaseRow>) {
    var moved = 0
    for at in 1..<own.count {
      let place = own[at], day = rows[Int(place)].day
      if rows[Int(own[at &- 1])].day <= day { continue }
      var to = at
      while to > 0, rows[Int(own[to &- 1])].day > day {
        own[to] = own[to &- 1]
        to &-= 1
      }
      own[to] = place
      moved += at - to
      if moved > 64 * own.count {
        var all = own
        all.sort { (rows[Int($0)].day, $0) < (rows[Int($1)].day, $1) }
        return
      }
    }
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
