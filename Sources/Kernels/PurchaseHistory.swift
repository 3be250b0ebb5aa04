import Columns

/// Collects purchases batch by batch and gives each customer's history in figures. Memory follows customers and
/// 32 bytes a row; lines of one order that follow each other are one row where their amounts sum exactly. Rows go to 64
/// partitions by the customer's hash.
///
/// Sums of integers and decimals are exact; sums of doubles run in row order within a period, periods in time order.
// @unchecked: `add` and `finish` are called by one thread at a time, `prepared` uses what never changes; inside, each partition is touched by one piece of work.
public final class PurchaseHistory: @unchecked Sendable {
  private let partitions: [HistoryPartition]
  private let customer: ColumnType
  private let memory = ChunkMemory()
  private let scratch = BatchMemory()
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
    self.customer = customer
    self.latest = latest
  }

  /// Of one batch what `add` takes: any thread may ask for it, and the batch is not needed any more.
  public func prepared(_ batch: PurchaseBatch) -> PreparedPurchases { PreparedPurchases(batch, latest: latest, scratch) }

  /// Batches in source order; several at once keep all threads busy.
  public func add(_ batches: [PurchaseBatch], width: Int) {
    let prepared = Slots<PreparedPurchases>(batches.count)
    inPieces(batches.count, width: width) { prepared[$0] = self.prepared(batches[$0]) }
    add(prepared.values, width: width)
  }

  public func add(_ ready: [PreparedPurchases], width: Int) {
    let partitions = partitions, memory = memory
    inPieces(Radix.count, width: width) { piece in
      for batch in ready { partitions[piece].add(batch, piece: piece, in: memory) }
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
  /// Without `keepsRows` it is the last thing asked, and the rows' memory is used for the histories.
  public func finish(until: Int32, period: PurchasePeriod, width: Int, keepsRows: Bool = true) -> CustomerHistories {
    let found = Slots<HistoryPartition.Found>(Radix.count)
    let partitions = partitions, memory = memory, hasHoldout = lastDay.map { $0 > until } ?? false
    inPieces(Radix.count, width: width) { piece in
      found[piece] = partitions[piece].histories(until: until, period: period, hasHoldout: hasHoldout, keepsRows: keepsRows, in: memory)
    }
    return CustomerHistories(customer, found.values, longCustomers: partitions.map(\.longCustomers), memory: memory)
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
