import Columns
import Diagnostics
import Pipelines
import Testing

@testable import Stages

private let sales = batch(
  ("customer", .strings([" a", nil, "b", "a", "b ", "c"])), ("price", .strings(["1.50", "2", "x", "1.50", "0", "3.25"])),
  ("quantity", .int32s([1, 2, 3, 1, nil, 4])))

private let settings: JSONValue = [
  "trim": ["customer"], "cast": ["price": "decimal(8,2)"], "require": ["customer"], "keep": ["quantity > 0", "price > 0"], "distinct": true,
  "amount": "quantity * price",
]

@Test func rulesCountInOneFixedOrder() throws {
  let result = try runStage(Clean.self, settings, [.table("table", sales)])
  #expect(result.rows() == [["a", "1.50", "1"], ["c", "3.25", "4"]])
  #expect(
    result.rows("quarantine") == [
      ["", "2", "2", "require customer", "missing"], ["b", "x", "3", "cast price", "\"x\" is no decimal(8,2)"],
      ["a", "1.50", "1", "distinct", "repeats an earlier row"], ["b ", "0", "", "keep quantity > 0", "unknown"],
    ])
  #expect(result.metrics["rows_in"] == 6 && result.metrics["rows_kept"] == 2 && result.metrics["rows_removed"] == 4)
  #expect(
    result.metrics["removed"] == [
      "trim customer": 0, "cast price": 1, "require customer": 1, "keep quantity > 0": 1, "keep price > 0": 0, "distinct": 1,
    ])
  #expect(result.metrics["amount_in"] == 20 && result.metrics["amount_kept"] == 14.5)
  #expect(result.metrics["amount_removed"]?["distinct"] == 1.5)
}

@Test(arguments: [1, 8]) func widthDoesNotShowInCleanRows(width: Int) throws {
  let halves = BenchInput.table("table", sales.slice(0..<3), sales.slice(3..<6))
  let result = try runStage(Clean.self, settings, [halves], width: width)
  #expect(result.rows() == [["a", "1.50", "1"], ["c", "3.25", "4"]])
}

@Test func textsAreReplacedAndNullsFilled() throws {
  let rows = batch(
    ("id", .strings(["13085.0", "7.0", nil])), ("country", .strings(["EIRE", nil, "Spain"])), ("age", .float64s([20, nil, 40])),
    ("n", .int64s([1, nil, 4])))
  let result = try runStage(
    Clean.self,
    [
      "replace": ["id": ["\\.0$": ""], "country": ["^EIRE$": "Ireland"]],
      "fill": ["country": "Unspecified", "age": "mean", "n": ["sql": "length(country)"]],
    ], [.table("table", rows)])
  #expect(result.rows().map { [$0[0], $0[1], $0[2]] } == [["13085", "Ireland", "20.0"], ["7", "Unspecified", "30.0"], ["", "Spain", "40.0"]])
  #expect(result.binding.work == .whole(because: "fill"))
}

@Test func outliersMoveToTheBounds() throws {
  let rows = batch(("x", .int64s([1, 2, 3, 4, 100, nil])), ("y", .decimals([100, 200, 300, 400, 9000, 0], precision: 8, scale: 2)))
  let result = try runStage(
    Clean.self, ["cap": ["x": ["quantile": [0, 0.75]], "y": ["iqr": 1.5]]], [.table("table", rows)])
  #expect(result.table()["x"].allValues == [.int(1), .int(2), .int(3), .int(4), .int(4), .null])
  #expect(result.metrics["capped"]?["x"] == 1 && result.metrics["capped"]?["y"] == 1)
}

@Test func partitionsStay() throws {
  let input = BenchInput.table(partitions: [("a.csv", [sales.slice(0..<2)]), ("b.csv", [sales.slice(5..<6)])])
  let result = try runStage(Clean.self, ["require": ["customer"], "columns": ["customer"]], [input])
  #expect(result.context.tables.map { "\($0.output) \($0.partition) \($0.batches.reduce(0) { $0 + $1.count })" } == [
    "table a.csv 1", "quarantine a.csv 1", "table b.csv 1", "quarantine b.csv 0",
  ])
  #expect(result.binding.work == .eachPartition)
  #expect(result.binding.reads.map(\.columns) == [.named(["customer"])])
}

@Test func allRowsRemovedIsATableWithoutRows() throws {
  let result = try runStage(Clean.self, ["keep": ["quantity > 1000"]], [.table("table", sales)])
  #expect(result.rows().isEmpty && result.metrics["rows_removed"] == 6)
}

@Test func allMistakesOfACleanStageAreTold() {
  let found = mistakes(
    of: Clean.self,
    ["require": ["custmer"], "cast": ["price": "decimal(40,2)"], "trim": ["quantity"], "cap": ["quantity": [:]], "keep": ["quantity + 1"]],
    [.table("table", sales)])
  #expect(found.count == 5)
  #expect(found.contains { $0.contains("no column \"custmer\"") && $0.contains("did you mean \"customer\"?") })
}

@Test func aCleanStageIsARelation() throws {
  let binding = try bindStage(Clean.self, ["require": ["customer"], "keep": ["quantity > 0"], "distinct": true], [.table("table", sales)])
  #expect(binding.relation?.sql() == """
    WITH step1 AS (
      SELECT * FROM "table" WHERE ("customer" IS NOT NULL) AND ("quantity" > 0)
    ),
    step2 AS (
      SELECT DISTINCT * FROM step1
    )
    SELECT * FROM step2
    """)
}

@Test func nothingLeftIsToldWithItsReasons() throws {
  let table = batch(("a", .strings(["x", nil, "y", nil])), ("n", .full(.int32, [Int32(-1), 1, 0, 2])))
  let run = try runStage(Clean.self, ["require": ["a"], "keep": ["n > 0"]], [.table("table", table)])
  #expect(run.rows().isEmpty && run.rows("quarantine").count == 4)
  #expect(run.warnings.map(\.message) == ["all 4 rows were removed"])
  #expect(run.warnings.map(\.found) == ["2 by require a, 2 by keep n > 0"])
  #expect(try runStage(Clean.self, ["require": ["a"]], [.table("table", table)]).warnings.isEmpty)
  #expect(try runStage(Clean.self, ["require": ["a"]], [.table("table", table.slice(0..<0))]).warnings.isEmpty)
}
