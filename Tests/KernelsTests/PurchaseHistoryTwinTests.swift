import Columns
import Testing

@testable import Kernels

/// One purchase, in plain words.
private struct Purchase {
  var customer: String?
  var day: Int32
  var amount: Int64
  var order: String?
}

/// Long and short customers and orders, shared by customers, with gaps; in no order.
private let purchases: [Purchase] = {
  var state: UInt64 = 99
  func next(_ below: UInt64) -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33 % below
  }
  return (0..<6_000).map { at in
    let customer = next(120)
    let order = next(40)
    return Purchase(
      customer: customer == 7 ? nil : customer % 3 == 0 ? "customer number \(customer)" : "c\(customer)",
      day: 14_000 + Int32(at / 40) + Int32(next(50)) - 25, amount: Int64(next(9_000)) - 1_000,
      order: order == 3 ? nil : order % 2 == 0 ? "order number \(order) of the year" : "o\(order)")
  }
}()

/// What a customer's history is, told row by row.
private func told(until: Int32) -> [String] {
  let byCustomer = Dictionary(grouping: purchases.filter { $0.customer != nil }) { $0.customer! }
  return byCustomer.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { customer in
    let all = byCustomer[customer]!, seen = all.filter { $0.day <= until }, later = all.filter { $0.day > until }
    guard let first = seen.map(\.day).min(), let last = seen.map(\.day).max() else { return nil }
    let total = seen.reduce(0) { $0 + $1.amount }, repeats = seen.filter { $0.day != first }.reduce(0) { $0 + $1.amount }
    return "\(customer) \(Set(seen.map(\.day)).count) \(first) \(last) \(Set(seen.compactMap(\.order)).count) \(total) \(repeats) "
      + "\(Set(later.map(\.day)).count) \(later.reduce(0) { $0 + $1.amount })"
  }
}

@Test(arguments: [(width: 1, rows: 6_000, coded: false), (2, 701, false), (3, 97, true)])
func historiesAreWhatRowsTell(width: Int, rows: Int, coded: Bool) {
  let history = PurchaseHistory(customer: .string, order: .string, amount: .int64)
  let names = Array(Set(purchases.compactMap(\.customer))).sorted()
  let batches = stride(from: 0, to: purchases.count, by: rows).map { start in
    let part = purchases[start..<min(start + rows, purchases.count)]
    let customers =
      coded
      ? Column.dictionary(codes: part.map { $0.customer.map { Int32(names.firstIndex(of: $0)!) } }, values: names)
      : Column.strings(part.map(\.customer))
    return PurchaseBatch(
      customer: customers, day: .dates(part.map(\.day)), amount: .int64s(part.map(\.amount)), order: .strings(part.map(\.order)), count: part.count)
  }
  for wave in stride(from: 0, to: batches.count, by: 5) { history.add(Array(batches[wave..<min(wave + 5, batches.count)]), width: width) }
  for until in [14_060, 14_400] as [Int32] {
    let found = history.finish(until: until, period: .day, width: width)
    let lines = zip(found.customers.allValues, found.rows).map { customer, row in
      guard case .string(let name) = customer else { return "" }
      return "\(name) \(row.periods) \(row.first) \(row.last) \(row.orders) \(row.exactRevenue) \(row.exactRepeat) \(row.holdoutPeriods) \(row.exactHoldout)"
    }
    #expect(lines == told(until: until))
  }
}

@Test func sumsGoBeyondSixtyFourBits() {
  let history = PurchaseHistory(customer: .int32, order: .int64, amount: .int64)
  let rows: [Int64] = [.max, .max, .min, .min, .min, -1]
  // Orders −1 and 0, and none: words of numbers are no texts.
  let orders: [Int64?] = [-1, 0, nil, 0, -1, nil]
  history.add([PurchaseBatch(
    customer: .int32s([5, 5, 5, 5, 5, 5]), day: .dates([1, 2, 2, 2, 2, 3]), amount: .int64s(rows), order: .int64s(orders), count: 6)], width: 1)
  let row = history.finish(until: 9, period: .day, width: 1).rows[0]
  #expect(row.exactRevenue == rows.reduce(Int128(0)) { $0 + Int128($1) })
  #expect(row.exactRepeat == rows.dropFirst().reduce(Int128(0)) { $0 + Int128($1) })
  #expect(row.orders == 2 && row.periods == 3)
}
