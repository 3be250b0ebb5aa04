import Columns
import Testing

@Suite struct DigestTests {
  @Test(arguments: [
    ("dictionary and plain text", Column.strings(["a", nil, "b", "a"]), Column.dictionary(codes: [0, nil, 1, 0], values: ["a", "b"])),
    ("another dictionary order", .dictionary(codes: [1, 0], values: ["y", "x"]), .dictionary(codes: [0, 1], values: ["x", "y"])),
    ("minus zero", .float64s([0.0]), .float64s([-0.0])),
    ("any NaN", .float64s([.nan]), .float64s([Double(nan: 7, signaling: false)])),
  ])
  func equalContentHasOneDigest(_ situation: String, a: Column, b: Column) { #expect(a.digest == b.digest) }

  @Test(arguments: [
    ("null and zero", Column.int32s([nil, 1]), Column.int32s([0, 1])),
    ("null and empty text", .strings([nil]), .strings([""])),
    ("borders between texts", .strings(["ab", "c"]), .strings(["a", "bc"])),
    ("one row more", .int64s([1, 2]), .int64s([1, 2, 0])),
    ("a null elsewhere", .bools([nil, false]), .bools([false, nil])),
  ])
  func otherContentHasAnotherDigest(_ situation: String, a: Column, b: Column) { #expect(a.digest != b.digest) }

  @Test func batchBordersDoNotShow() {
    let n = 200_000
    let whole = Column.int64s((0..<n).map { $0 % 7 == 3 ? nil : Int64($0 * 31) })
    for step in [1_000, 65_536, 65_537, 199_999] {
      let digester = ColumnDigester(type: .int64)
      var row = 0
      while row < n {
        digester.update(whole.slice(row..<min(n, row + step)))
        row += step
      }
      #expect(digester.finish() == whole.digest, "batches of \(step)")
    }
  }

  @Test func slicesKeepTheirBits() {
    let column = Column.bools((0..<50).map { $0 % 3 == 0 ? nil : $0 % 2 == 0 })
    let slice = column.slice(5..<23)
    #expect(slice.allValues == Array(column.allValues[5..<23]))
    #expect(slice.digest == Column.bools((5..<23).map { $0 % 3 == 0 ? nil : $0 % 2 == 0 }).digest)
  }
}
