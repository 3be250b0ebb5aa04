import Columns
import Models
import Pipelines
import Testing

@testable import Stages

@Suite struct ForecastTests {
  /// Three sales a month, of a third each, three years from January 2009; and one more in a month that is not over.
  static let sales: Batch = {
    var (days, amounts): ([Int32], [Double]) = ([], [])
    let series = (0..<36).map { 100 + Double($0) + [0.0, 9, 20, 4, -8, -30, -12, 5, 7, 1, 30, 60][$0 % 12] }
    for (i, sum) in series.enumerated() {
      for day in [1, 13, 28] {
        days.append(Int32(CivilDate(year: 2009 + i / 12, month: i % 12 + 1, day: day).days))
        amounts.append(sum / 3)
      }
    }
    days.append(Int32(CivilDate(year: 2012, month: 1, day: 4).days))
    amounts.append(7)
    return Batch(schema: Schema([Field("at", .date), Field("revenue", .float64)]), columns: [.full(.date, days), .full(.float64, amounts)], count: days.count)
  }()

  static func customers(_ purchases: Double) -> RoomInput {
    .table(
      Batch(
        schema: Schema([Field("expected_purchases", .float64), Field("expected_spend", .float64)]),
        columns: [.float64s([purchases, 2, nil]), .full(.float64, [10.0, 20, 30])], count: 3))
  }

  @Test func months() throws {
    let run = try runRoom(Forecast.self, ["horizon": "26 weeks"], ["sales": .table(Self.sales)])
    let table = try #require(run.tables["table"]), series = try #require(run.tables["series"])
    // 26 weeks are 5.98 months; January 2012 is not over.
    #expect(table["period"].allValues.map(\.description) == ["2012-01-01", "2012-02-01", "2012-03-01", "2012-04-01", "2012-05-01", "2012-06-01"])
    #expect(series.count == 42)
    #expect((series["actual"].doubles()[0] - 100).magnitude < 1e-9 && (series["actual"].doubles()[35] - 195).magnitude < 1e-9)
    #expect(series["actual"].doubles()[36].isNaN && series["forecast"].doubles()[35].isNaN)
    #expect(series["forecast"].doubles().suffix(6) == table["forecast"].doubles()[...])
    for (found, expected) in zip(table["forecast"].doubles(), [136.0, 146, 158, 143, 132, 111]) { #expect((found - expected).magnitude < 4, "\(found)") }
    #expect(zip(table["low"].doubles(), table["high"].doubles()).allSatisfy { $0 <= $1 })
    #expect(run.metrics["periods"] == 36)
    let model = try #require(run.documents["model"])
    #expect(model["choice"]?["leader_board"]?.array?.count == 6)
    #expect(model["choice"]!["reason"]!.string!.contains(" had the least error at 5 earlier times (MASE "))
    let notes = (run.metrics["notes"]?.array ?? []).compactMap(\.string)
    try #require(notes.count == 7)
    #expect(notes[0] == model["choice"]?["reason"]?.string && notes[1].hasPrefix("1. \(model["method"]!.string!): MASE "))
    #expect(model["last_period"] == "2011-12-01" && model["customers"] == nil)
    #expect(run.warnings == [])
  }

  /// Weeks begin on Monday, and those that are not whole are left out at both ends.
  @Test func weeks() throws {
    let days = (0..<40).map { Int32(CivilDate(year: 2011, month: 6, day: 1).days + $0) }  // a Wednesday
    let sales = Batch(
      schema: Schema([Field("day", .date), Field("n", .int64)]), columns: [.full(.date, days), .int64s((0..<40).map { _ in 2 })], count: 40)
    let run = try runRoom(
      Forecast.self, ["at": "day", "value": "n", "period": "week", "horizon": "14 days", "method": "theta", "season": 1], ["sales": .table(sales)])
    let series = try #require(run.tables["series"])
    #expect(series["period"].allValues.map(\.description) == ["2011-06-06", "2011-06-13", "2011-06-20", "2011-06-27", "2011-07-04", "2011-07-11", "2011-07-18"])
    #expect(series["actual"].doubles().prefix(5) == [14, 14, 14, 14, 14] && series["actual"].doubles()[5].isNaN)
    #expect(run.tables["table"]!["forecast"].doubles().allSatisfy { ($0 - 14).magnitude < 1e-6 })
    #expect(run.documents["model"]?["choice"]?["reason"] == "the document names it")
  }

  /// What customers bring is a part of the forecast; more than all of it moves both.
  @Test func customers() throws {
    func run(_ purchases: Double) throws -> RoomRun {
      try runRoom(Forecast.self, ["horizon": "3 months", "customersHorizon": "2 months"], ["sales": .table(Self.sales), "customers": Self.customers(purchases)])
    }
    let some = try run(10)
    let table = try #require(some.tables["table"])
    let (all, existing, new) = (table["forecast"].doubles(), table["existing_customers"].doubles(), table["new_customers"].doubles())
    #expect((existing[0] + existing[1] - 140).magnitude < 1e-9 && existing[2].isNaN && new[2].isNaN)
    for i in 0..<2 { #expect((existing[i] + new[i] - all[i]).magnitude < 1e-9) }
    #expect(all == table["before_reconciling"].doubles() && some.warnings == [])
    #expect(some.documents["model"]?["customers"]?["expected"] == 140)

    let many = try run(1000)
    let moved = try #require(many.tables["table"])
    let before = moved["before_reconciling"].doubles(), after = moved["forecast"].doubles()
    #expect((after[0] + after[1] - 0.5 * (before[0] + before[1] + 10_040)).magnitude < 1e-6 && after[2] == before[2])
    #expect(moved["new_customers"].doubles().prefix(2).allSatisfy { $0 < 1e-9 })
    #expect(many.warnings.count == 1 && many.warnings[0].hasPrefix("the customers' predictions are more than the forecast, by "))
  }

  @Test func mistakes() throws {
    func said(_ settings: JSONValue, _ inputs: KeyValuePairs<String, RoomInput> = ["sales": .table(Self.sales)]) -> [String] {
      complaints { try runRoom(Forecast.self, settings, inputs) }
    }
    #expect(said(["horizon": "0 days", "value": "revenu"]) == [
      "the horizon is out of range; expected more than nothing, at most 1000 periods; found 0 days",
      "input \"sales\" has no column \"revenu\"; hint: did you mean \"revenue\"?",
    ])
    #expect(said(["horizon": "1 year", "at": "revenue", "since": "2011-01-02", "until": "2011-01-01", "customersHorizon": "1 year"]) == [
      "the last day that counts lies before the first; expected a day from 2011-01-02 on; found 2011-01-01",
      "column \"revenue\" of input \"sales\" has a type that does not fit; expected a date or timestamp; found float64",
      "\"customersHorizon\" means nothing without customers; expected input \"customers\"",
    ])
    #expect(said(["horizon": "1 month", "customersHorizon": "2 months"], ["sales": .table(Self.sales), "customers": Self.customers(1)]) == [
      "the customers' predictions reach further than the forecast; expected at most 1 month; found 2 months"
    ])
    #expect(said(["horizon": "1 month", "since": "2011-10-20"]) == [
      "nothing can be foretold from 2 periods: at least four are needed; hint: take a longer time or shorter periods"
    ])
    #expect(said(["horizon": "1 month", "since": "2015-10-20"]) == ["nothing can be foretold: no whole month lies in the data"])
  }
}
