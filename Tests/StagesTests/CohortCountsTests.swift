import Columns
import Testing

@testable import Stages

/// Who came back: counted as rows come, and from a list of all of them; beside both a slow count in sets.
@Suite struct CohortCountsTests {
  private static func counted(_ rows: [(customer: Int64, day: Int32)], inOrder: Bool, limit: Int) -> (active: [Int: [Int]], last: Int)? {
    var counts = CohortCounts(every: .day, customer: .int64, inOrder: inOrder, limit: limit)
    // In batches of three.
    for first in stride(from: 0, to: rows.count, by: 3) {
      let some = rows[first..<min(first + 3, rows.count)]
      counts.add(.int64s(some.map(\.customer)), .dates(some.map(\.day)))
    }
    if counts.isOutOfOrder { return nil }
    let found = counts.counted()
    return (found.active, found.last)
  }

  private static func slowly(_ rows: [(customer: Int64, day: Int32)], limit: Int) -> [Int: [Int]] {
    var days: [Int64: Set<Int>] = [:], active: [Int: [Int]] = [:]
    for row in rows { days[row.customer, default: []].insert(Int(row.day)) }
    for own in days.values {
      let cohort = own.min()!
      for later in own.map({ $0 - cohort }) where later <= limit {
        let missing = later + 1 - (active[cohort]?.count ?? 0)
        if missing > 0 { active[cohort, default: []] += Array(repeating: 0, count: missing) }
        active[cohort]![later] += 1
      }
    }
    return active
  }

  @Test(arguments: 0..<40) func bothWaysCountAsSetsDo(_ seed: Int) throws {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    func number(below limit: UInt64) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % limit)
    }
    let rows = (0..<number(below: 200) + 1).map { _ in (customer: Int64(number(below: 12)), day: Int32(number(below: 30)) - 10) }
    let expected = Self.slowly(rows, limit: 9)
    let listed = try #require(Self.counted(rows, inOrder: false, limit: 9))
    #expect(listed.active == expected)
    #expect(listed.last == rows.map { Int($0.day) }.max())
    let inOrder = try #require(Self.counted(rows.sorted { $0.day < $1.day }, inOrder: true, limit: 9))
    #expect(inOrder.active == expected && inOrder.last == listed.last)
  }

  @Test func aRowBeforeAnEarlierOneOfItsCustomerIsSeen() {
    #expect(Self.counted([(1, 5), (2, 3), (1, 4)], inOrder: true, limit: 9) == nil)
    #expect(Self.counted([(1, 5), (2, 3), (1, 6)], inOrder: true, limit: 9)?.active == [5: [1, 1], 3: [1]])
  }

  /// A wrong date may be any that a file can hold.
  @Test(arguments: [true, false]) func daysThatLieFarApartMakeNoLongList(_ inOrder: Bool) throws {
    let found = try #require(Self.counted([(1, -700_000), (1, 2_000_000_000), (2, 7)], inOrder: inOrder, limit: 24))
    #expect(found.active == [-700_000: [1], 7: [1]])
    #expect(found.last == 2_000_000_000)
  }
}
