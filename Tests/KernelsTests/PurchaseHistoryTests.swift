import Columns
import Testing

@testable import Kernels

private func day(_ text: String) -> Int32 { Int32(CivilDate(text)!.days) }

private func batch(_ rows: [(String?, String, Int64, String?)]) -> PurchaseBatch {
  PurchaseBatch(
    customer: .strings(rows.map(\.0)), day: .dates(rows.map { day($0.1) }), amount: .decimals(rows.map(\.2), precision: 10, scale: 2),
    order: .strings(rows.map(\.3)), count: rows.count)
}

@Test func purchasesOfOnePeriodAreOne() {
  let history = PurchaseHistory(customer: .string, order: .string, amount: .decimal(precision: 10, scale: 2), latest: day("2011-02-28"))
  history.add([
    batch([("b", "2011-01-05", 500, "1"), ("a", "2011-01-03", 100, "2"), ("b", "2011-01-01", 50, "3"), (nil, "2011-01-01", 1, "4")]),
    batch([("b", "2011-01-05", 25, "1"), ("b", "2011-02-20", 7, "5"), ("c", "2011-02-01", 9, "6"), ("a", "2011-03-01", 9, "7")]),
  ], width: 2)
  #expect(history.withoutCustomer == 1 && history.later == 1 && history.kept == 6)
  #expect(history.lastDay == day("2011-02-20"))
  let days = history.finish(until: day("2011-01-31"), period: .day, width: 2)
  #expect(days.customers.allValues == [.string("a"), .string("b")])
  let b = days.rows[1]
  #expect(b.periods == 2 && b.first == day("2011-01-01") && b.last == day("2011-01-05") && b.orders == 2)
  #expect(b.exactRevenue == 575 && b.exactRepeat == 525 && b.holdoutPeriods == 1 && b.exactHoldout == 7)
  let weeks = history.finish(until: day("2011-01-31"), period: .month, width: 1).rows[1]
  #expect(weeks.periods == 1 && weeks.first == weeks.last && weeks.exactRepeat == 0)
}

@Test(arguments: [(1969, 12, 28, -1), (1969, 12, 29, 0), (1970, 1, 4, 0), (1970, 1, 5, 1)])
func weeksBeginOnMonday(year: Int, month: Int, date: Int, week: Int32) {
  #expect(PurchasePeriod.week.number(of: Int32(CivilDate(year: year, month: month, day: date).days)) == week)
}

@Test func widthAndBatchesDoNotShow() {
  var rows: [(String?, String, Int64, String?)] = []
  var state: UInt64 = 1
  for at in 0..<5_000 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let date = CivilDate(days: 15_000 + Int(state >> 40) % 300)
    rows.append(("c\(state >> 33 & 255)", date.description, Int64(state >> 50), "o\(at / 3)"))
  }
  let summary = { (size: Int, width: Int) in
    let history = PurchaseHistory(customer: .string, order: .string, amount: .decimal(precision: 10, scale: 2))
    let batches = stride(from: 0, to: rows.count, by: size).map { batch(Array(rows[$0..<min($0 + size, rows.count)])) }
    history.add(batches, width: width)
    let all = history.finish(until: 15_400, period: .day, width: width)
    return zip(all.customers.allValues, all.rows).map { "\($0) \($1.periods) \($1.first) \($1.last) \($1.orders) \($1.exactRevenue) \($1.exactRepeat)" }
  }
  let one = summary(5_000, 1)
  #expect(one.count == 256)
  #expect(summary(700, 3) == one)
}
