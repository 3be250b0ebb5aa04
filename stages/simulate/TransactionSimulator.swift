import Pipelines
import Statistics

/// Transactions of a shop whose truth is known: purchases follow BG/NBD, spend per purchase Gamma-Gamma, and the file is as
/// dirty as Online Retail II is.
///
/// Every customer has a random stream of its own and every written order another, so the bytes depend on the seed alone,
/// not on threads. Dirt only *adds* rows (guests, cancellations, write-offs, duplicates, broken lines): the usual cleaning
/// rules give back exactly the simulated purchases.
struct TransactionSimulator: Sendable {
  /// Rates of BG/NBD in weeks; Gamma-Gamma in pounds per purchase (Fader & Hardie's letters).
  struct Truth: Sendable {
    var r = 0.55, alpha = 10.5, a = 0.8, b = 2.4
    var p = 2.2, q = 3.5, v = 45.0
  }

  var truth: Truth
  var customers: Int
  /// The length of the window; the first purchase is uniform in it.
  var weeks: Int
  /// Days since 1970-01-01.
  var firstDay: Int
  var seed: UInt64

  struct Counts: Sendable {
    var rows = 0, customers = 0, purchases = 0, cancellations = 0, guestInvoices = 0
    var duplicates = 0, writeOffs = 0, zeroPrices = 0, unreadable = 0
    /// Pence of all purchases.
    var spend: Int64 = 0

    static func += (a: inout Counts, b: Counts) {
      a.rows += b.rows
      a.duplicates += b.duplicates
      a.writeOffs += b.writeOffs
      a.zeroPrices += b.zeroPrices
      a.unreadable += b.unreadable
      a.spend += b.spend
    }
  }

  /// One invoice before it has lines.
  struct Order: Sendable {
    enum Kind: UInt8 { case sale, cancellation, guest }
    var second: Int32  // since the window's first midnight
    var customer: Int32  // −1: nobody
    var pence: Int32
    var kind: Kind
  }

  /// Writes the whole file through `write`, in order; returns what it holds.
  func run(width: Int, write: ([UInt8]) throws -> Void) throws -> Counts {
    let orders = sortedByTime(try simulateOrders(width: width))
    let range = Catalogue(seed: seed)
    var counts = Counts()
    counts.customers = customers
    for order in orders {
      switch order.kind {
      case .sale: counts.purchases += 1
      case .cancellation: counts.cancellations += 1
      case .guest: counts.guestInvoices += 1
      }
    }
    try write(Array("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n".utf8))
    let chunk = 8192, window = 32
    let chunks = (orders.count + chunk - 1) / chunk
    var start = 0
    while start < chunks {
      let first = start
      let pieces = try concurrentResults(min(window, chunks - start), width: width) { index in
        let at = (first + index) * chunk
        return text(of: orders, at..<min(orders.count, at + chunk), range)
      }
      for (bytes, part) in pieces {
        try write(bytes)
        counts += part
      }
      start += window
    }
    return counts
  }

  // MARK: Who buys when

  /// A stable radix sort in two passes. Orders of one second keep their places: by customer, guests last.
  private func sortedByTime(_ orders: [Order]) -> [Order] {
    let bits = (Int.bitWidth - (weeks * 7 * 86_400).leadingZeroBitCount + 1) / 2
    let mask = 1 << bits - 1
    var from = orders
    for shift in [0, bits] {
      var places = [Int](repeating: 0, count: mask + 1)
      for order in from { places[Int(order.second) >> shift & mask] += 1 }
      var before = 0
      for digit in places.indices { (places[digit], before) = (before, before + places[digit]) }
      from = [Order](unsafeUninitializedCapacity: from.count) { to, count in
        for order in from {
          let digit = Int(order.second) >> shift & mask
          (to.baseAddress! + places[digit]).initialize(to: order)
          places[digit] += 1
        }
        count = from.count
      }
    }
    return from
  }

  private func simulateOrders(width: Int) throws -> [Order] {
    let chunk = 4096
    let customers = customers
    let identified = try concurrentResults((customers + chunk - 1) / chunk, width: width) { index in
      var orders: [Order] = []
      for customer in (index * chunk)..<min(customers, (index + 1) * chunk) { appendOrders(of: customer, to: &orders) }
      return orders
    }
    var orders: [Order] = []
    orders.reserveCapacity(identified.reduce(0) { $0 + $1.count } * 12 / 11)
    for part in identified { orders += part }
    // Guests: an eleventh as many invoices as known ones, but of four lines each, so that about a fifth of the rows have no
    // customer (Online Retail II: 22.8 %).
    var random = RandomStream(seed: seed, substream: UInt64.max)
    let horizon = Double(weeks) * 7
    for _ in 0..<(orders.count / 11) {
      orders.append(Order(
        second: Self.second(day: random.uniform() * horizon), customer: -1,
        pence: Self.pence(random.gamma(shape: truth.p, rate: truth.p / 30)), kind: .guest))
    }
    return orders
  }

  /// BG/NBD: purchases at rate λ ~ Gamma(r, α); after each *repeat* purchase the customer leaves with probability
  /// p ~ Beta(a, b). Gamma-Gamma: spend ~ Gamma(p, ν), ν ~ Gamma(q, γ).
  private func appendOrders(of customer: Int, to orders: inout [Order]) {
    var random = RandomStream(seed: seed, substream: UInt64(customer) + 1)
    let horizon = Double(weeks)
    var time = random.uniform() * horizon
    let rate = random.gamma(shape: truth.r, rate: truth.alpha)
    let leaving = random.beta(truth.a, truth.b)
    let nu = random.gamma(shape: truth.q, rate: truth.v)
    var first = true
    while time < horizon {
      let order = Order(
        second: Self.second(day: time * 7), customer: Int32(customer),
        pence: Self.pence(random.gamma(shape: truth.p, rate: max(nu, 1e-9))), kind: .sale)
      orders.append(order)
      if random.uniform() < 0.02 {
        var cancelled = order
        cancelled.kind = .cancellation
        cancelled.second = min(order.second + 900, Int32(weeks * 7 * 86_400 - 1))
        orders.append(cancelled)
      }
      if !first, random.uniform() < leaving { return }
      first = false
      guard rate > 1e-12 else { return }
      time += random.exponential(rate: rate)
    }
  }

  /// A day and its fraction as a second between 8:00 and 20:00.
  private static func second(day: Double) -> Int32 {
    let whole = day.rounded(.down)
    return Int32(whole) * 86_400 + 8 * 3600 + Int32((day - whole) * 12 * 3600)
  }

  /// At least a penny, at most 50,000 pounds.
  private static func pence(_ pounds: Double) -> Int32 { Int32(max(1, min(5_000_000, (pounds * 100).rounded()))) }

  /// Results by index, computed on at most `width` threads.
  private func concurrentResults<Result: Sendable>(
    _ count: Int, width: Int, _ work: @Sendable (Int) -> Result
  ) throws -> [Result] {
    let results = Slots<Result>(count)
    try performConcurrently(count, width: width) { results[$0] = work($0) }
    return results.all
  }
}

/// One slot per index.
// @unchecked: each index is written by one thread only, and read after all have ended.
private final class Slots<Value: Sendable>: @unchecked Sendable {
  private let slots: UnsafeMutableBufferPointer<Value?>

  init(_ count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: nil)
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
  }

  subscript(index: Int) -> Value? {
    get { slots[index] }
    set { slots[index] = newValue }
  }

  var all: [Value] {
    slots.map { value in
      guard let value else { preconditionFailure("a chunk of the simulation was not computed") }
      return value
    }
  }
}
