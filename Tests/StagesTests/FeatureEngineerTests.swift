import Columns
import Pipelines
import Testing

@testable import Stages

private func day(_ text: String) -> Int64 { Int64(CivilDate(text)!.days) * 86_400_000_000 + 3_600_000_000 }

private let lines = batch(
  ("customer", .strings(["b", "a", "b", "b", "a"])), ("invoice", .strings(["1", "2", "3", "3", "4"])),
  ("stock", .strings(["x", "x", "y", "x", "y"])),
  ("at", .timestamps(["2011-12-02", "2011-12-03", "2011-12-04", "2011-12-04", "2011-12-09"].map(day))),
  ("quantity", .int32s([1, 2, 3, 4, 5])), ("price", .decimals([100, 200, 300, 400, 500], precision: 8, scale: 2)))

@Test func columnsAreDerivedOneFromTheOther() throws {
  let result = try runStage(
    FeatureEngineer.self, ["derive": ["revenue": "quantity * price", "share": "1 / (quantity - 3)", "twice": "revenue * 2"]], [.table("table", lines)])
  #expect(result.table().schema.names == lines.schema.names + ["revenue", "share", "twice"])
  #expect(result.rows().map { $0[6] } == ["1.00", "4.00", "16.00", "25.00"])
  #expect(result.rows("quarantine").map { [$0[1], $0[6]] } == [["3", "derive share"]])
  #expect(result.metrics["removed"]?["derive share"] == 1 && result.metrics["rows"] == 4)
}

@Test func customersGetReadyFeatures() throws {
  let result = try runStage(
    FeatureEngineer.self,
    [
      "by": "customer", "at": "at", "order": "invoice", "product": "stock", "quantity": "quantity", "amount": "price", "asOf": "2011-12-09",
      "features": ["orders", "items", "spend", "distinct_products", "mean_days_between_orders", "share_of_weekends", "spend_last_7_days"],
      "aggregates": ["dearest": "max(price)"],
    ], [.table("table", lines)])
  #expect(result.table().schema.names.first == "customer")
  #expect(result.rows() == [
    ["a", "5.00", "2", "7", "7.00", "2", "6.0", "0.5", "7.00"], ["b", "4.00", "2", "8", "8.00", "2", "2.0", "0.5", "7.00"],
  ])
}

@Test func numbersAreScaledIntoNewColumns() throws {
  let rows = batch(("x", .float64s([0, 1, 2, nil])), ("y", .int64s([5, 5, 5, 5])))
  let result = try runStage(FeatureEngineer.self, ["scale": ["x": "min-max", "y": "standard"]], [.table("table", rows)])
  #expect(result.table()["x_min_max"].allValues == [.float(0), .float(0.5), .float(1), .null])
  #expect(result.table()["y_standard"].allValues == [.float(0), .float(0), .float(0), .float(0)])
  let logs = try runStage(FeatureEngineer.self, ["scale": ["x": "log1p"], "columns": ["x_log1p"]], [.table("table", rows)])
  #expect(logs.table().schema.names == ["x_log1p"])
  #expect(logs.table()["x_log1p"].value(at: 0) == .float(0))
}

@Test func mistakesOfFeaturesAreToldTogether() {
  let found = mistakes(
    of: FeatureEngineer.self, ["derive": ["price": "1", "z": "quantty + 1"], "by": "customer", "features": ["orders", "itemz", "spend_last_9_days"]],
    [.table("table", lines)])
  #expect(found.count == 5)
  #expect(found.contains { $0.contains("\"orders\" needs the column of the order") })
  #expect(found.contains { $0.contains("did you mean \"items\"?") })
}
