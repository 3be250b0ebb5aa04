import Testing

@testable import Columns

/// One column of each layout, with nulls and without; 200 rows, so that whole words and a rest occur.
private let columns: [(name: String, column: Column)] = {
  let n = 200
  let holes = { (row: Int) in row % 7 == 3 }
  let texts = (0..<n).map { row in String(repeating: "é\(row)", count: row % 9) }
  return [
    ("int32", .int32s((0..<n).map { Int32($0 * 3) })), ("int64 with nulls", .int64s((0..<n).map { holes($0) ? nil : Int64($0) << 33 })),
    ("float64", .float64s((0..<n).map { Double($0) / 3 })), ("bool", .bools((0..<n).map { $0 % 3 == 0 })),
    ("bool with nulls", .bools((0..<n).map { holes($0) ? nil : $0 % 2 == 0 })), ("text", .strings(texts)),
    ("text with nulls", .strings(texts.indices.map { holes($0) ? nil : texts[$0] })),
    ("dictionary with nulls", .dictionary(codes: (0..<n).map { holes($0) ? nil : Int32($0 % 4) }, values: ["a", "", "longer than sixteen bytes", "é"])),
  ]
}()

private func cells(_ column: Column) -> [Value] { column.allValues }

@Test(arguments: columns.map(\.name)) func gatheredRowsAreThoseNamed(name: String) {
  let column = columns.first { $0.name == name }!.column
  let lists: [[Int32]] = [
    [], [0], [199, 0, 7], (0..<200).map { Int32($0) }, (0..<131).map { Int32($0 * 37 % 200) }, (0..<70).map { $0 % 5 == 2 ? -1 : Int32($0) },
  ]
  for start in [0, 1, 9, 64] {
    let part = column.slice(start..<200)
    for rows in lists.map({ $0.filter { Int($0) < part.count } }) {
      let gathered = part.gather(rows)
      #expect(cells(gathered) == rows.map { $0 < 0 ? Value.null : part.value(at: Int($0)) })
      // Zero under nulls, so that equal columns have equal digests whatever they were made from.
      #expect(gathered.digest == Column(values: cells(gathered), like: column).digest)
    }
  }
}

@Test(arguments: columns.map(\.name)) func joinedColumnsFollowEachOther(name: String) {
  let column = columns.first { $0.name == name }!.column
  let parts = [column.slice(3..<70), column.slice(0..<0), column.slice(64..<200), column.slice(5..<6)]
  #expect(cells(.concatenate(parts, type: column.type)) == parts.flatMap(cells))
}

@Test(arguments: [0, 1, 7, 8, 13]) func wordsOfABitmapAreItsRows(offset: Int) {
  let all = (0..<301).map { $0 * $0 % 5 < 2 }
  for count in [0, 1, 8, 63, 64, 65, 128, 200] {
    let bits = Bitmap(all).slice(offset..<offset + count)
    for word in 0..<(count + 63) / 64 {
      var expected: UInt64 = 0
      for row in word * 64..<min(count, word * 64 + 64) where all[offset + row] { expected |= 1 << UInt64(row - word * 64) }
      #expect(bits.word(word) == expected)
    }
    #expect(bits.setCount == all[offset..<offset + count].count { $0 })
    let inverted = bits.inverted()
    #expect((0..<count).allSatisfy { inverted[$0] != bits[$0] } && inverted.setCount == count - bits.setCount)
    #expect((0..<count).allSatisfy { Bitmap(count: count) { bits[$0] }[$0] == all[offset + $0] })
  }
}

extension Column {
  /// The same cells made one by one.
  fileprivate init(values: [Value], like column: Column) {
    switch column.type {
    case .bool: self = .bools(values.map { if case .bool(let value) = $0 { value } else { nil } })
    case .int32: self = .int32s(values.map { if case .int(let value) = $0 { Int32(value) } else { nil } })
    case .int64: self = .int64s(values.map { if case .int(let value) = $0 { value } else { nil } })
    case .float64: self = .float64s(values.map { if case .float(let value) = $0 { value } else { nil } })
    default: self = .strings(values.map { if case .string(let value) = $0 { value } else { nil } })
    }
  }
}
