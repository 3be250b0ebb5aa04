import Columns
import Testing

/// Export and import are each other's inverse; no Arrow library is needed for that.
@Suite struct ArrowInterchangeTests {
  static let columns: [(String, Column)] = [
    ("bool", .bools([true, nil, false])), ("int32", .int32s([1, nil, -3])), ("int64", .int64s([.max, nil, .min])),
    ("float64", .float64s([1.5, nil, -.infinity])), ("decimal", .decimals([6950, nil, -1], precision: 12, scale: 3)),
    ("string", .strings(["å", nil, ""])), ("dictionary", .dictionary(codes: [1, nil, 0], values: ["x", "y"])),
    ("date", .dates([0, nil, -1])), ("timestamp", .timestamps([1, nil, 2])), ("instant", .timestamps([1, nil, 2], zone: "Europe/London")),
    ("no rows", .strings([])),
  ]

  @Test(arguments: columns) func aColumnComesBack(_ name: String, column: Column) throws {
    let back = try Column(importing: column.exportArray(), schema: column.exportSchema(name: "c"))
    #expect(back.type == column.type)
    #expect(back.allValues == column.allValues)
    #expect(back.digest == column.digest)
  }

  @Test(arguments: columns) func aSliceComesBack(_ name: String, column: Column) throws {
    guard column.count == 3 else { return }
    let slice = column.slice(1..<3)
    let back = try Column(importing: slice.exportArray(), schema: slice.exportSchema(name: "c"))
    #expect(back.allValues == Array(column.allValues[1...]))
  }
}
