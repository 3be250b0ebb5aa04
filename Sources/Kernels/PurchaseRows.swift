import Columns

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

/// One purchase, packed.
struct PurchaseRow: BitwiseCopyable {
  /// The key word of the customer; of a long text its number within the partition, with the top bit set.
  var customer: UInt64
  /// The same of the order; 0 without one.
  var order: UInt64
  /// Int64, or the bits of a Double.
  var amount: UInt64
  /// Bits of the customer's hash; before long texts have their numbers, the row's place in its batch. The top bit says that there is
  /// no order.
  var mark: UInt32
  var day: Int32

  static var withoutOrder: UInt32 { 1 << 31 }
  var hasOrder: Bool { mark < Self.withoutOrder }
  /// The hash, or the place.
  var place: UInt32 { mark & ~Self.withoutOrder }

  /// 31 bits of a hash, those that tell the part and 25 below.
  @inline(__always) static func mark(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash &>> 27) & ~withoutOrder }

  @inline(__always) mutating func setHash() { mark = mark & Self.withoutOrder | Self.mark(RowHash.ofRow(customer)) }

  /// By the bits that follow those of the partition.
  @inline(__always) var part: Int { Int(truncatingIfNeeded: mark &>> 25 & 63) }
  static var parts: Int { 64 }
}

/// Rows of one batch that count, grouped by partition; within one in row order. Where amounts sum exactly, neighbours of
/// one customer, order and day are one row: the lines of an invoice follow each other.
// @unchecked: the rows are written in `init` only, before another thread can see them; later a partition touches its own.
public final class PreparedPurchases: @unchecked Sendable {
  /// Where there are texts that are not in their words.
  let longCustomers: Cells?, longOrders: Cells?
  /// Whether rows have bits of hashes, not places.
  let hasHashes: Bool
  private let rows: UnsafeMutablePointer<PurchaseRow>
  private let scratch: BatchMemory
  private let block: BatchMemory.Block
  private let ends: [Int]
  private let starts: [Int]
  private(set) var withoutCustomer = 0, withoutDay = 0, withoutAmount = 0, later = 0
  private(set) var firstDay = Int32.max, lastDay = Int32.min

  /// Rows that count, of the batch.
  var count: Int { starts[Radix.count] }

  subscript(piece: Int) -> UnsafeMutableBufferPointer<PurchaseRow> {
    UnsafeMutableBufferPointer(start: rows + starts[piece], count: ends[piece] - starts[piece])
  }

  init(_ batch: PurchaseBatch, latest: Int32, _ scratch: BatchMemory) {
    let customer = Cells(batch.customer), order = batch.order.map(Cells.init), day = batch.day, amount = batch.amount
    let n = batch.count
    // Rows, then what they are made of: key words of customers and orders, bits of hashes, partitions.
    let block = scratch.take(n * (MemoryLayout<PurchaseRow>.stride + 21))
    let rows = block.base.bindMemory(to: PurchaseRow.self, capacity: n)
    let words = UnsafeMutableRawPointer(rows + n).bindMemory(to: UInt64.self, capacity: 2 * n), orders = words + n
    let hashes = UnsafeMutableRawPointer(orders + n).bindMemory(to: UInt32.self, capacity: n)
    let pieces = UnsafeMutableRawPointer(hashes + n).bindMemory(to: UInt8.self, capacity: n)
    let days = day.base.assumingMemoryBound(to: Int32.self)
    var counts = [Int](repeating: 0, count: Radix.count)
    var withoutCustomer = 0, withoutDay = 0, withoutAmount = 0, later = 0
    var firstDay = Int32.max, lastDay = Int32.min
    let anyNull = customer.validity != nil || day.validity != nil || amount.validity != nil
    customer.keyWords(count: n, to: words)
    order?.keyWords(count: n, to: orders)
    var anyWord: UInt64 = 0, anyOrder: UInt64 = 0
    counts.withUnsafeMutableBufferPointer { counts in
      for row in 0..<n {
        let date = days[row]
        if anyNull || date > latest {
          pieces[row] = 255
          if customer.isNull(row) { withoutCustomer &+= 1; continue }
          if day.isNull(row) { withoutDay &+= 1; continue }
          if date > latest { later &+= 1; continue }
          if amount.isNull(row) { withoutAmount &+= 1; continue }
        }
        firstDay = min(firstDay, date)
        lastDay = max(lastDay, date)
        anyWord |= words[row]
        let hash = RowHash.ofRow(words[row]), piece = Radix.piece(of: hash)
        hashes[row] = PurchaseRow.mark(hash)
        pieces[row] = UInt8(truncatingIfNeeded: piece)
        counts[piece] &+= 1
      }
    }
    if order != nil { for row in 0..<n { anyOrder |= orders[row] } }
    let longCustomer: UInt64 = customer.kind == .text ? 1 << 63 : 0, longOrder: UInt64 = order?.kind == .text ? 1 << 63 : 0
    longCustomers = anyWord & longCustomer != 0 ? customer : nil
    longOrders = anyOrder & longOrder != 0 ? order : nil
    let isHashed = longCustomers == nil && longOrders == nil
    hasHashes = isHashed
    var starts = [0]
    for count in counts { starts.append(starts[starts.count - 1] + count) }
    var cursor = Array(starts.prefix(Radix.count))
    let isExact = amount.kind != .real, mayLackOrder = order.map { $0.validity != nil } ?? true
    cursor.withUnsafeMutableBufferPointer { cursor in
      starts.withUnsafeBufferPointer { starts in
        for row in 0..<n where pieces[row] != 255 {
          let piece = Int(pieces[row]), at = cursor[piece]
          var purchase = PurchaseRow(
            customer: words[row], order: 0, amount: amount.word(row), mark: isHashed ? hashes[row] : UInt32(truncatingIfNeeded: row), day: days[row])
          if mayLackOrder, order?.isNull(row) ?? true { purchase.mark |= PurchaseRow.withoutOrder } else { purchase.order = orders[row] }
          if isExact, at > starts[piece] {
            let before = rows + (at &- 1)
            if before.pointee.customer == purchase.customer, before.pointee.order == purchase.order, before.pointee.day == purchase.day,
              before.pointee.hasOrder == purchase.hasOrder, purchase.customer & longCustomer == 0, purchase.order & longOrder == 0
            {
              let (sum, overflows) = Int64(bitPattern: before.pointee.amount).addingReportingOverflow(Int64(bitPattern: purchase.amount))
              if !overflows {
                before.pointee.amount = UInt64(bitPattern: sum)
                continue
              }
            }
          }
          rows[at] = purchase
          cursor[piece] = at &+ 1
        }
      }
    }
    self.rows = rows
    self.scratch = scratch
    self.block = block
    self.starts = starts
    ends = cursor
    (self.withoutCustomer, self.withoutDay, self.withoutAmount, self.later) = (withoutCustomer, withoutDay, withoutAmount, later)
    (self.firstDay, self.lastDay) = (firstDay, lastDay)
  }

  deinit { scratch.give(block) }
}
