import Columns

/// The purchases of the customers that share the top bits of their hash.
// @unchecked: one thread at a time works on a partition.
final class HistoryPartition: @unchecked Sendable {
  /// Keys whose words do not tell all: texts of many bytes.
  let longCustomers: KeyIndex?
  private let longOrders: KeyIndex?
  private let isReal: Bool
  private var rows = Chain<PurchaseRow>()
  /// How many rows each part has. Parts are so small that what is done to one stays in the nearest cache.
  private let partCounts: UnsafeMutablePointer<Int32>

  init(customer: ColumnType, order: ColumnType?, amount: ColumnType) {
    longCustomers = customer == .string ? KeyIndex(types: [.string]) : nil
    longOrders = order == .string ? KeyIndex(types: [.string]) : nil
    isReal = amount == .float64
    partCounts = .allocate(capacity: PurchaseRow.parts)
    partCounts.initialize(repeating: 0, count: PurchaseRow.parts)
  }

  deinit { partCounts.deallocate() }

  /// Long texts get numbers now: the batch goes.
  func add(_ batch: PreparedPurchases, piece: Int, in memory: ChunkMemory) {
    let added = batch[piece]
    if added.count == 0 { return }
    if let customers = batch.longCustomers, let longCustomers { number(0, added, customers, longCustomers) }
    if let order = batch.longOrders, let longOrders { number(MemoryLayout<PurchaseRow>.offset(of: \.order)!, added, order, longOrders) }
    if !batch.hasHashes { for at in 0..<added.count { added[at].setHash() } }
    var rows = self.rows
    let partCounts = partCounts
    for row in added {
      partCounts[row.part] &+= 1
      rows.append(row, in: memory)
    }
    self.rows = rows
    precondition(rows.count < Int(Int32.max), "more than 2,147,483,646 purchase rows in one of 64 partitions")
  }

  private struct LongKey: BitwiseCopyable {
    var word: UInt64
    var row: UInt32
    /// Among the rows added.
    var place: Int32
  }

  /// `offset` is that of the key within a row.
  private func number(_ offset: Int, _ rows: UnsafeMutableBufferPointer<PurchaseRow>, _ cells: Cells, _ index: KeyIndex) {
    guard let base = rows.baseAddress.map({ UnsafeMutableRawPointer($0) + offset }) else { return }
    var keys = Pile<LongKey>(reserving: rows.count)
    defer { keys.free() }
    for at in 0..<rows.count {
      let word = base.load(fromByteOffset: at &* MemoryLayout<PurchaseRow>.stride, as: UInt64.self)
      if !Cells.isWhole(word) { keys.append(LongKey(word: word, row: rows[at].place, place: Int32(truncatingIfNeeded: at))) }
    }
    if keys.count == 0 { return }
    let ids = UnsafeMutablePointer<Int32>.allocate(capacity: keys.count)
    defer { ids.deallocate() }
    let from = UnsafeRawPointer(keys.base)
    index.add(
      words: from, stride: MemoryLayout<LongKey>.stride, cells, rows: from + MemoryLayout<LongKey>.offset(of: \.row)!, count: keys.count, into: ids)
    for at in 0..<keys.count {
      base.storeBytes(
        of: 1 << 63 | UInt64(UInt32(bitPattern: ids[at])), toByteOffset: Int(keys[at].place) &* MemoryLayout<PurchaseRow>.stride, as: UInt64.self)
    }
  }

  /// What `histories` gives.
  struct Found {
    var histories = Chain<StoredHistory>()
    /// Of each chunk of histories, where there is a hold-out.
    var holdouts: [UnsafeMutablePointer<MoneySum>] = []
    /// Customers without a purchase up to the last day observed.
    var holdoutOnly = 0
    /// Bits that the sort keys of all have, and of any.
    var allKeys = UInt64.max, anyKey: UInt64 = 0
  }

  /// The customers' histories, in no order that counts. `keepsRows`: this is asked again.
  func histories(until: Int32, period: PurchasePeriod, hasHoldout: Bool, keepsRows: Bool, in memory: ChunkMemory) -> Found {
    var found = Found()
    let n = rows.count
    if n == 0 { return found }
    let sorted = LargeMemory.rows(n, of: PurchaseRow.self)
    defer { LargeMemory.free(sorted) }
    var starts = [0], most = 0
    for part in 0..<PurchaseRow.parts {
      starts.append(starts[part] + Int(partCounts[part]))
      most = max(most, Int(partCounts[part]))
    }
    var cursor = starts
    cursor.withUnsafeMutableBufferPointer { cursor in
      for (at, chunk) in rows.chunks.enumerated() {
        for row in UnsafeBufferPointer(start: chunk, count: rows.count(ofChunk: at)) {
          let part = row.part, place = cursor[part]
          sorted[place] = row
          cursor[part] = place &+ 1
        }
      }
    }
    if !keepsRows { rows.giveBack(to: memory) }
    let teller = HistoryTeller(most: most, isReal: isReal, until: until, period: period, hasHoldout: hasHoldout, memory: memory, isText: longCustomers != nil, longCustomers)
    defer { teller.free() }
    for part in 0..<PurchaseRow.parts {
      teller.tell(UnsafeMutableBufferPointer(start: sorted + starts[part], count: starts[part + 1] - starts[part]), &found)
    }
    return found
  }
}
