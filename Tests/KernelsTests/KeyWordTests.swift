import Columns
import Testing

@testable import Kernels

private func word(_ text: String) -> UInt64 { Array(text.utf8).withUnsafeBytes { Cells.keyWord($0) } }

private func spelled(_ word: UInt64) -> String {
  let bytes = Cells.spelled(word)
  return String(decoding: (0..<bytes.count).map { UInt8(truncatingIfNeeded: ($0 < 8 ? bytes.low : bytes.high) >> UInt64(($0 & 7) * 8)) }, as: UTF8.self)
}

@Test(arguments: [
  "", "a", "ab", "abc", "abcdefg", "é", "0", "1234567", "12345678", "126560.0", "1000000.0", "2009-12-01", "00000000000000", "99999999999999",
  "-./0123456789:", ";<<<<<<<", "+1234567", "1234567",
])
func wordsSpellWhatTheyHold(text: String) {
  let key = word(text)
  if text == "+1234567" {
    #expect(!Cells.isWhole(key), "+ is not among the sixteen")
  } else {
    #expect(Cells.isWhole(key) && key != 0)
    #expect(spelled(key) == text)
  }
}

// One byte below the sixteen, one above, at each place; and lengths beyond.
@Test func otherTextsAreHashed() {
  for n in 8...14 {
    for place in 0..<n {
      for byte in [UInt8(0x2C), 0x3D, 0x00, 0xFF] {
        var text = [UInt8](repeating: 0x2D, count: n)
        #expect(text.withUnsafeBytes { Cells.isWhole(Cells.keyWord($0)) })
        text[place] = byte
        #expect(!text.withUnsafeBytes { Cells.isWhole(Cells.keyWord($0)) }, "byte \(byte) at \(place) of \(n)")
      }
    }
  }
  #expect(!Cells.isWhole(word("123456789012345")))
}

@Test func wordsOfDifferentTextsDiffer() {
  var texts: [String] = []
  for n in 0...14 { for digit in ["0", "-", "<", "9"] { texts.append(String(repeating: digit, count: n)) } }
  texts += ["a", "b", "aa", "1234567\u{0}", "1234567"]
  let different = Set(texts)
  #expect(Set(different.map(word)).count == different.count)
}

/// Customers whose keys are of all kinds, in batches; days in no order, lines of an order mostly behind each other.
private struct Kind: CustomTestStringConvertible, Sendable {
  let name: String
  let column: @Sendable ([Int]) -> Column
  var testDescription: String { name }
}

private let kinds = [
  Kind(name: "texts that share their first bytes") { .strings($0.map { "1000000\($0 % 7).\($0)" }) },
  Kind(name: "texts that end within others") { .strings($0.map { String(repeating: "10", count: $0 % 9) + ($0 % 9 == 8 ? "x\($0)" : "") + (($0 / 9) % 2 == 0 ? "" : "a") + "\($0 / 18)" }) },
  Kind(name: "long texts") { .strings($0.map { "customer \($0 % 10) of the year \($0)" }) },
  Kind(name: "texts with zero bytes") { .strings($0.map { String(repeating: "\u{0}", count: $0 % 12) + "\($0 / 12)" }) },
  Kind(name: "small numbers") { .int32s($0.map { Int32($0) - 100 }) },
  Kind(name: "numbers of all sizes") { .int64s($0.map { Int64(truncatingIfNeeded: $0 &* Int(bitPattern: 0x9E37_79B9_7F4A_7C15)) }) },
  Kind(name: "dates") { .dates($0.map { Int32($0 * 31) }) },
]

private let purchasesOfAll: [(customer: Int, day: Int32, amount: Int64, order: Int)] = {
  var state: UInt64 = 5
  func next(_ below: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % below
  }
  var all: [(Int, Int32, Int64, Int)] = []
  while all.count < 5_000 {
    let customer = next(400), day = Int32(next(600)), order = next(30)
    for _ in 0...next(6) { all.append((customer, day, next(20) == 0 ? .max : Int64(next(1_000)) - 200, order)) }
  }
  return all
}()

@Test(arguments: kinds, [(width: 1, rows: 5_100), (2, 333)])
private func customersComeInTheirOrderWithTheirOwn(kind: Kind, cut: (width: Int, rows: Int)) {
  let history = PurchaseHistory(customer: kind.column([1]).type, order: .int64, amount: .int64)
  var names: [Int: Value] = [:]
  for start in stride(from: 0, to: purchasesOfAll.count, by: cut.rows) {
    let part = purchasesOfAll[start..<min(start + cut.rows, purchasesOfAll.count)]
    let customers = kind.column(part.map(\.customer))
    for (at, row) in part.enumerated() { names[row.customer] = customers.value(at: at) }
    history.add(
      [PurchaseBatch(
        customer: customers, day: .dates(part.map(\.day)), amount: .int64s(part.map(\.amount)), order: .int64s(part.map { Int64($0.order) }),
        count: part.count)], width: cut.width)
  }
  #expect(history.kept == purchasesOfAll.count)
  let found = history.finish(until: 500, period: .day, width: cut.width, keepsRows: false)
  let lines = zip(found.customers.allValues, found.rows).map { "\($0) \($1.periods) \($1.first) \($1.last) \($1.orders) \($1.exactRevenue) \($1.exactHoldout)" }
  var expected: [(key: Value, line: String)] = []
  for (customer, all) in Dictionary(grouping: purchasesOfAll, by: \.customer) {
    let seen = all.filter { $0.day <= 500 }
    guard let first = seen.map(\.day).min(), let last = seen.map(\.day).max(), let name = names[customer] else { continue }
    let total = seen.reduce(Int128(0)) { $0 + Int128($1.amount) }, later = all.reduce(Int128(0)) { $0 + ($1.day > 500 ? Int128($1.amount) : 0) }
    expected.append((name, "\(name) \(Set(seen.map(\.day)).count) \(first) \(last) \(Set(seen.map(\.order)).count) \(total) \(later)"))
  }
  expected.sort { a, b in
    switch (a.key, b.key) {
    case (.string(let x), .string(let y)): return x.utf8.lexicographicallyPrecedes(y.utf8)
    case (.int(let x), .int(let y)): return x < y
    case (.date(let x), .date(let y)): return x < y
    default: return false
    }
  }
  #expect(lines == expected.map(\.line))
}
