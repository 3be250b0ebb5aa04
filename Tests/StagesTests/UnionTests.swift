import Columns
import Pipelines
import Testing

@testable import Stages

private let first = BenchInput.table("tables", alias: "old", batch(("id", .int32s([1])), ("name", .strings(["a"]))))
private let second = BenchInput.table("tables", alias: "new", batch(("name", .strings(["b", nil])), ("id", .int64s([2, 3]))))

@Test func columnsMeetByName() throws {
  let result = try runStage(Union.self, ["source": "from"], [first, second])
  #expect(result.table().schema.fields == [Field("id", .int64), Field("name", .string), Field("from", .string)])
  #expect(result.rows() == [["1", "a", "old"], ["2", "b", "new"], ["3", "", "new"]])
}

@Test func whatIsMissingIsAMistakeOrNull() throws {
  let third = BenchInput.table("tables", alias: "other", batch(("id", .int64s([4]))))
  #expect(mistakes(of: Union.self, [:], [first, third]).count == 1)
  #expect(try runStage(Union.self, ["missing": "null"], [first, third]).rows() == [["1", "a"], ["4", ""]])
}
