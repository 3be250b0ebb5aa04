import Columns
import Diagnostics
import Pipelines
import Testing

@testable import Stages

private let left = BenchInput.table("left", batch(("stock", .strings(["x", "y", nil, "x"])), ("n", .int64s([1, 2, 3, 4]))))
private let right = BenchInput.table("right", batch(("code", .strings(["x", "z"])), ("name", .strings(["Lamp", "Clock"]))))

@Test(arguments: [
  ("inner", [["x", "1", "Lamp"], ["x", "4", "Lamp"]]), ("left", [["x", "1", "Lamp"], ["y", "2", ""], ["", "3", ""], ["x", "4", "Lamp"]]),
  ("anti", [["y", "2"], ["", "3"]]),
])
func rowsMeetTheirPartners(how: String, rows: [[String]]) throws {
  let result = try runStage(Join.self, ["how": .string(how), "on": ["stock": "code"]], [left, right])
  #expect(result.rows() == rows)
}

@Test func aBrokenCardinalityNamesTheKey() throws {
  let twice = BenchInput.table("right", batch(("stock", .strings(["x", "x"])), ("name", .strings(["a", "b"]))))
  let mistake = #expect(throws: Diagnostic.self) { try runStage(Join.self, ["on": "stock"], [left, twice]) }
  #expect(mistake?.message == "two rows of the right table have the key stock = x")
  let unique = #expect(throws: Diagnostic.self) { try runStage(Join.self, ["on": ["stock": "code"], "cardinality": "one-to-one"], [left, right]) }
  #expect(unique?.message == "two rows of the left table have the key stock = x")
  #expect(try runStage(Join.self, ["on": "stock", "cardinality": "many-to-many"], [left, twice]).rows().count == 4)
}

@Test func keysOfTwoTypesAreRefused() {
  let numbers = BenchInput.table("right", batch(("stock", .int64s([1]))))
  #expect(mistakes(of: Join.self, ["on": "stock"], [left, numbers]).count == 1)
  #expect(mistakes(of: Join.self, ["on": ["stok"]], [left, right]).count == 2)
}
