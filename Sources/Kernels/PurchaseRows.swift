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
  /// The key word of the customer; its number within the partition once that is known.
  var customer: UInt64
  /// The key word of the order, or its number with the top bit set where the word does not tell all.
  var order: UInt64
  /// Int64, or the bits of a Double.
  var amount: UInt64
  /// Of the batch; later the place within the partition, which keeps rows of one day in source order. The top bit says that
  /// there is no order.
  var row: UInt32
  var day: Int32

  static var withoutOrder: UInt32 { 1 << 31 }
  var hasOrder: Bool { row < Self.withoutOrder }
  var place: UInt32 { row & ~Self.withoutOrder }
}

/// Rows of one batch that count, grouped by partition; within one in row order. All that a partition needs lies together,
/// so that it reads memory in order.
// @unchecked: the rows are written in `init` only, before another thread can see them.
final class PreparedPurchases: @unchecked Sendable {
  let customer: Cells, order: Cells?
  let rows: PurchaseRows
  let starts: [Int]
  private(set) var withoutCustomer = 0, withoutDay = 0, withoutAmount = 0, later = 0
  private(set) var firstDay = Int32.max, lastDay = Int32.min

  init(_ batch: PurchaseBatch, latest: Int32) {
    let customer = Cells(batch.customer), order = batch.order.map(Cells.init), day = batch.day, amount = batch.amount
    let n = batch.count
    let pieces = UnsafeMutablePointer<UInt8>.allocate(capacity: max(n, 1))
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: max(3 * n, 1)), orders = words + n, amounts = words + 2 * n
    let days = day.base.assumingMemoryBound(to: Int32.self)
    defer {
      pieces.deallocate()
      words.deallocate()
    }
    var counts = [Int](repeating: 0, count: Radix.count)
    var withoutCustomer = 0, withoutDay = 0, withoutAmount = 0, later = 0
    var firstDay = Int32.max, lastDay = Int32.min
    let anyNull = customer.validity != nil || day.validity != nil || amount.validity != nil
    customer.keyWords(count: n, to: words)
    if let order { order.keyWords(count: n, to: orders) } else { orders.initialize(repeating: 0, count: n) }
    // −0 was made 0 by this; a sum cannot tell.
    amount.keyWords(count: n, to: amounts)
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
        let piece = Radix.piece(of: RowHash.ofRow(words[row]))
        pieces[row] = UInt8(truncatingIfNeeded: piece)
        counts[piece] &+= 1
      }
    }
    var starts = [0]
    for count in counts { starts.append(starts[starts.count - 1] + count) }
    var cursor = starts
    let rows = PurchaseRows(starts[Radix.count]), base = rows.base
    cursor.withUnsafeMutableBufferPointer { cursor in
      for row in 0..<n where pieces[row] != 255 {
        let piece = Int(pieces[row])
        base[cursor[piece]] = PurchaseRow(
          customer: words[row], order: orders[row], amount: amounts[row], row: UInt32(truncatingIfNeeded: row), day: days[row])
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

  var count: Int { starts[Radix.count] }
}

/// The packed rows of one batch: they stay until the histories are told, each partition's together.
// @unchecked: a partition touches its own rows only, in one piece of work at a time.
final class PurchaseRows: @unchecked Sendable {
  let base: UnsafeMutablePointer<PurchaseRow>

  init(_ count: Int) { base = LargeMemory.rows(count, of: PurchaseRow.self) }

  deinit { LargeMemory.free(base) }
}
