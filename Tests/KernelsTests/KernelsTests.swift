import Columns
import Testing

@testable import Kernels

@Test func equalRowsHaveEqualHashesWhateverTheLayout() {
  let plain = Column.strings(["a", nil, "longer than eight bytes", "a", ""])
  let coded = Column.dictionary(codes: [1, nil, 0, 1, 2], values: ["longer than eight bytes", "a", ""])
  #expect(rowHashes([plain], count: 5) == rowHashes([coded], count: 5))
  let hashes = rowHashes([plain], count: 5)
  #expect(hashes[0] == hashes[3] && Set(hashes).count == 4)
}

@Test func zeroAndNaNAreOneKeyEach() {
  let index = KeyIndex(types: [.float64])
  #expect(index.groups(of: [.float64s([0, -0.0, .nan, -.nan, nil, nil, 1])], count: 7) == [0, 0, 1, 1, 2, 2, 3])
}

@Test func keysAreNumberedAcrossBatchesInOrderOfFirstAppearance() {
  let index = KeyIndex(types: [.string, .int32])
  #expect(index.groups(of: [.strings(["x", "y", "x"]), .int32s([1, 1, 1])], count: 3) == [0, 1, 0])
  #expect(index.groups(of: [.dictionary(codes: [0, 0, nil], values: ["y"]), .int32s([1, 2, nil])], count: 3) == [1, 2, 3])
  #expect(index.keys().map(\.allValues) == [[.string("x"), .string("y"), .string("y"), .null], [.int(1), .int(1), .int(2), .null]])
  #expect(index.find([.strings(["y", "z"]), .int32s([2, 2])], count: 2) == [2, -1])
}

@Test func manyKeysSurviveGrowth() {
  let index = KeyIndex(types: [.string])
  let names = (0..<50_000).map { "customer \($0 % 30_000)" }
  let groups = index.groups(of: [.strings(names)], count: names.count)
  #expect(index.count == 30_000)
  #expect(groups.enumerated().allSatisfy { Int($1) == $0 % 30_000 })
}

// The clear twin of `repeatedRows`.
private func slowlyRepeated(_ batches: [[Column]]) -> [[Bool]] {
  var seen: Set<[Value]> = []
  return batches.map { columns in (0..<columns[0].count).map { row in !seen.insert(columns.map { $0.value(at: row) }).inserted } }
}

@Test(arguments: [1, 2, 8]) func distinctKeepsTheFirstInSourceOrder(width: Int) {
  var state: UInt64 = 7
  func next(_ n: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1
    return Int(state >> 33) % n
  }
  let batches = (0..<5).map { _ in
    [
      Column.strings((0..<700).map { _ in let n = next(12); return n == 0 ? nil : "text number \(n)" }),
      Column.int64s((0..<700).map { _ in let n = next(9); return n == 0 ? nil : Int64(n) }),
      Column.bools((0..<700).map { _ in next(2) == 0 }),
    ]
  }
  let repeated = repeatedRows(in: batches.map { DistinctBatch($0, count: 700) }, width: width)
  #expect(repeated == slowlyRepeated(batches))
}

@Test(arguments: [1, 3]) func rowsAreToldApartWhateverTheLayoutAndTheBatch(width: Int) {
  // Texts about the length at which words become hashes, with nulls; plain in one batch, by codes in the next, then both by rows.
  let texts = ["", "a", "a\0", "b", "eight by", "fifteen bytes..", "sixteen bytes...", "sixteen bytes..!", "a text of more than sixteen bytes"]
  let codes: [Int32?] = (0..<64).map { $0 % 10 == 9 ? nil : Int32($0 % 10) }
  let coded = Column.dictionary(codes: codes, values: texts), plain = Column.strings(codes.map { $0.map { texts[Int($0)] } })
  let numbers = Column.int32s((0..<64).map { $0 < 20 ? Int32($0 / 10) : nil }), real = Column.float64s((0..<64).map { $0 % 2 == 0 ? 0 : -0.0 })
  let batches = [[plain, numbers, real], [coded, numbers, real], [coded, numbers, real]]
  let repeated = repeatedRows(in: batches.map { DistinctBatch($0, count: 64) }, width: width)
  #expect(repeated == slowlyRepeated(batches.map { [$0[0], $0[1]] }))
  #expect(repeated[0].filter { !$0 }.count == 30)
  let some = DistinctBatch([coded, numbers], count: 64, rows: [3, 9, 19, 13, 63, 29])
  #expect(repeatedRows(in: [some, DistinctBatch([plain, numbers], count: 64, rows: [39, 49, 9])], width: width) == [[false, false, false, false, false, false], [true, true, true]])
}

@Test func dictionariesOfSeveralBatchesAreToldApart() {
  // One dictionary for two batches, then a longer one, then another with the same codes: what is remembered of one must not be taken for another's.
  let rows = DistinctRows()
  func repeated(_ values: [String], _ codes: [Int32?]) -> [Bool] {
    rows.add([rows.prepared(DistinctBatch([.dictionary(codes: codes, values: values)], count: codes.count))], width: 2)[0]
  }
  #expect(repeated(["a", "b"], [0, 1, nil, 0]) == [false, false, false, true])
  #expect(repeated(["a", "b"], [1, 0, nil, 1]) == [true, true, true, true])
  #expect(repeated(["a", "b", "c", "a text of more than sixteen bytes"], [2, 3, 0, 1]) == [false, false, true, true])
  #expect(repeated(["c", "d"], [0, 1, 0, 1]) == [true, false, true, true])
}

@Test func tablesOfRowsGrow() {
  let rows = DistinctRows()
  for batch in 0..<12 {
    let column = Column.int64s((0..<20_000).map { Int64($0 % 2 == 0 ? batch * 20_000 + $0 : $0) })
    let repeated = rows.add([rows.prepared(DistinctBatch([column], count: 20_000))], width: batch % 3 + 1)
    #expect(repeated[0].enumerated().allSatisfy { $1 == (batch > 0 && $0 % 2 == 1) }, "batch \(batch)")
  }
}

@Test func distinctLooksOnlyAtTheCandidates() {
  let a = DistinctBatch([.strings(["a", "b", "a"])], count: 3, rows: [1, 2]), b = DistinctBatch([.strings(["a", "b"])], count: 2, rows: [0])
  #expect(repeatedRows(in: [a, b], width: 2) == [[false, false], [true]])
}

@Test(arguments: [
  ("texts by bytes, nulls last", Column.strings(["b", nil, "a", "ab", "", "abcdefgh", "abcdefghi", "abcdefg"]), [4, 2, 3, 7, 5, 6, 0, 1] as [Int32]),
  ("a zero byte is more than the end", Column.strings(["a\0", "a"]), [1, 0]),
  ("integers", Column.int64s([3, -1, nil, .min, .max]), [3, 1, 0, 4, 2]),
  ("doubles, NaN after numbers", Column.float64s([.nan, 1, -.infinity, nil, -2, .infinity]), [2, 4, 1, 5, 0, 3]),
  ("stable", Column.int32s([1, 0, 1, 0]), [1, 3, 0, 2]),
  ("bools", Column.bools([true, false, nil]), [1, 0, 2]),
])
func rowsInKeyOrder(name: String, column: Column, rows: [Int32]) {
  #expect(sortedRows(by: [column], count: column.count) == rows, "\(name)")
}

@Test func severalKeysSortFromTheFirst() {
  #expect(sortedRows(by: [.strings(["b", "a", "b", "a"]), .int32s([1, 2, 0, 1])], count: 4) == [3, 1, 2, 0])
}

@Test func joinsPairLeftRowsInOrder() {
  let table = JoinTable(keys: [.strings(["x", "y", "x", nil])], count: 4)
  let left: [Column] = [.strings(["y", "z", "x", nil])]
  #expect(table.repeatedRow == 2)
  let inner = table.probe(left, count: 4, .inner)
  #expect(inner.left == [0, 2, 2] && inner.right == [1, 0, 2])
  let outer = table.probe(left, count: 4, .left)
  #expect(outer.left == [0, 1, 2, 2, 3] && outer.right == [1, -1, 0, 2, -1])
  #expect(table.probe(left, count: 4, .anti).left == [1, 3])
}

@Test(arguments: [
  (GroupFunction.rows, [3, 2, 1] as [Value?]), (.count, [2, 2, 0]), (.countDistinct, [2, 1, 0]), (.sum, [.int(30), .int(14), nil]),
  (.min, [.int(10), .int(7), nil]), (.max, [.int(20), .int(7), nil]), (.first, [.int(10), .int(7), nil]), (.last, [.int(20), .int(7), nil]),
  (.mean, [.float(15), .float(7), nil]), (.median, [.float(15), .float(7), nil]), (.variance, [.float(50), .float(0), nil]),
])
func aggregatesOfGroups(function: GroupFunction, expected: [Value?]) {
  let aggregate = GroupAggregate(function, of: .int32)
  aggregate.add(.int32s([10, 7, nil]), groups: [0, 1, 0], groupCount: 2)
  aggregate.add(.int32s([20, 7, nil]), groups: [0, 1, 2], groupCount: 3)
  #expect(aggregate.finish(groupCount: 3).column.allValues == expected.map { $0 ?? .null })
}

@Test func textsAndDoublesHaveExtremes() {
  let texts = GroupAggregate(.max, of: .string)
  texts.add(.strings(["b", "a", nil]), groups: [0, 0, 1], groupCount: 2)
  texts.add(.strings(["ba"]), groups: [0], groupCount: 2)
  #expect(texts.finish(groupCount: 2).column.allValues == [.string("ba"), .null])
  let reals = GroupAggregate(.min, of: .float64)
  reals.add(.float64s([-1, -2.5, 3]), groups: [0, 0, 0], groupCount: 1)
  #expect(reals.finish(groupCount: 1).column.allValues == [.float(-2.5)])
}

@Test func sumsThatDoNotFitAreNamed() {
  let sum = GroupAggregate(.sum, of: .int64)
  sum.add(.int64s([1, .max, 1]), groups: [0, 1, 1], groupCount: 2)
  #expect(sum.finish(groupCount: 2).overflowed == 1)
}

extension Value: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int64) { self = .int(value) }
}
