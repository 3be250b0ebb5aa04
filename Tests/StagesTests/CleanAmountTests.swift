import Columns
import Pipelines
import Testing

@testable import Stages

/// Rows and amounts add up to the penny: input = kept + every rule, for one table and for the sum of its partitions.
@Suite struct CleanAmountTests {
  private struct Sale {
    var customer: String?, quantity: Int32?, price: Int64?

    /// In thousandths.
    var amount: Int128? { quantity.flatMap { quantity in price.map { Int128(quantity) * Int128($0) } } }
  }

  private static let settings: JSONValue = [
    "require": ["customer"], "keep": ["quantity > 0", "price > 0"], "distinct": ["customer", "quantity"], "amount": "quantity * price",
  ]
  private static let rules = ["require customer", "keep quantity > 0", "keep price > 0", "distinct"]

  private func sales(_ dice: inout SystemlessRandom, large: Bool) -> [Sale] {
    (0..<Int(dice.next() % 90)).map { _ in
      let price = Int64(dice.next() % (large ? 90_000_000_000_000 : 10_000_000)) - (large ? 9_000_000_000 : 1_000_000)
      return Sale(
        customer: dice.next() % 9 == 0 ? nil : "c\(dice.next() % 12)", quantity: dice.next() % 11 == 0 ? nil : Int32(dice.next() % 60) - 10,
        price: dice.next() % 13 == 0 ? nil : price)
    }
  }

  private func table(_ sales: [Sale]) -> Batch {
    batch(
      ("customer", .strings(sales.map(\.customer))),
      ("quantity", .int32s(sales.map(\.quantity))), ("price", .decimals(sales.map(\.price), precision: 17, scale: 3)))
  }

  /// What the rules are, said once more and row by row.
  private func expected(_ sales: [Sale]) -> (rows: [Int], amounts: [Int128]) {
    var rows = [0, 0, 0, 0, 0], amounts = [Int128](repeating: 0, count: 5), seen: Set<String> = []
    for sale in sales {
      var rule = 4
      if sale.customer == nil { rule = 0 } else if !((sale.quantity ?? 0) > 0) { rule = 1 } else if !((sale.price ?? 0) > 0) { rule = 2 }
      else if !seen.insert("\(sale.customer!) \(sale.quantity!)").inserted { rule = 3 }
      rows[rule] += 1
      amounts[rule] += sale.amount ?? 0
    }
    return (rows, amounts)
  }

  /// In thousandths.
  private func units(_ value: JSONValue?) -> Int128? {
    guard let text = value?.string ?? value?.number?.text else { return nil }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    guard parts.count <= 2, fraction.count <= 3, let number = Int128(parts[0] + fraction + String(repeating: "0", count: 3 - fraction.count)) else { return nil }
    return number
  }

  private func check(_ metrics: JSONValue, _ sales: [Sale], _ rows: [Int], _ amounts: [Int128]) {
    #expect(metrics["rows_in"]?.int == sales.count && metrics["rows_kept"]?.int == rows[4])
    #expect(units(metrics["amount_in"]) == sales.reduce(Int128(0)) { $0 + ($1.amount ?? 0) })
    #expect(units(metrics["amount_kept"]) == amounts[4])
    for (at, rule) in Self.rules.enumerated() {
      #expect(metrics["removed"]?[rule]?.int == rows[at], "\(rule)")
      #expect(units(metrics["amount_removed"]?[rule]) == amounts[at], "\(rule)")
    }
    let removed = Self.rules.reduce(Int128(0)) { $0 + (units(metrics["amount_removed"]?[$1]) ?? 0) }
    #expect(units(metrics["amount_in"]) == (units(metrics["amount_kept"]) ?? 0) + removed)
  }

  @Test(arguments: [false, true]) func amountsAddUp(large: Bool) throws {
    for seed in 0..<40 {
      var dice = SystemlessRandom(seed: UInt64(seed))
      let sales = sales(&dice, large: large), truth = expected(sales), whole = table(sales), cut = sales.count / 3
      let run = try runStage(Clean.self, Self.settings, [.table("table", whole.slice(0..<cut), whole.slice(cut..<sales.count))], width: 1 + seed % 3)
      check(run.metrics.json, sales, truth.rows, truth.amounts)
      #expect(run.metrics["rows_without_amount"]?.int ?? 0 == sales.filter { $0.amount == nil }.count)
    }
  }

  @Test(arguments: [false, true]) func amountsOfPartitionsAddUp(large: Bool) throws {
    for seed in 100..<120 {
      var dice = SystemlessRandom(seed: UInt64(seed)), all: [Sale] = [], rows = [0, 0, 0, 0, 0], amounts = [Int128](repeating: 0, count: 5), parts: [JSONValue] = []
      for _ in 0..<4 {
        let sales = sales(&dice, large: large), truth = expected(sales)
        all += sales
        for at in 0..<5 {
          rows[at] += truth.rows[at]
          amounts[at] += truth.amounts[at]
        }
        parts.append(try runStage(Clean.self, Self.settings, [.table("table", table(sales))]).metrics.json)
      }
      check(try Clean().combined(parts), all, rows, amounts)
    }
  }
}
