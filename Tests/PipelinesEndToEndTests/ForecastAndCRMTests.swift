import Pipelines
import Testing

/// pipelines/value-and-forecast.json and pipelines/crm-six-month-value.json on Online Retail II.
@Suite(.serialized) struct ForecastAndCRMTests {
  @Test func valueAndForecast() throws {
    guard let shared = Executable.shared else { return print("Online Retail II is not here, nothing checked") }
    let folder = Folder()
    let source = "source=\(shared)/data/online_retail_II/online_retail_II.csv.gz"
    let run = try PipelineRun("value-and-forecast", in: folder, "--set", source, "--to", "months", "--to", "weeks", "--to", "segments")
    #expect(try run.metric("months", "periods") == 24)
    #expect(try run.rows("months") == 6)
    #expect(try run.rows("months", "series") == 30)
    #expect(try run.rows("weeks") == 8)
    #expect(try run.metric("weeks", "origins") == 6)
    // All sales of the customers that are known lie in the months.
    let months = try exported("value-and-forecast", "months.series", in: folder, "--set", source)
    #expect(months.first?["period"] == "2009-12-01" && months.last?["period"] == "2012-05-01")
    let actual = months.compactMap { Double($0["actual"] ?? "") }
    #expect(actual.count == 24)
    let customers = try exported("value-and-forecast", "customers", in: folder, "--set", source)
    #expect(close(actual.reduce(0, +), customers.reduce(0) { $0 + Double($1["revenue"]!)! }, relative: 1e-9))
    // What customers bring and what others must bring are the forecast.
    let ahead = try exported("value-and-forecast", "months", in: folder, "--set", source)
    for row in ahead {
      let parts = Double(row["existing_customers"]!)! + Double(row["new_customers"]!)!
      #expect(close(parts, Double(row["forecast"]!)!, relative: 1e-9))
      #expect(Double(row["low"]!)! <= Double(row["forecast"]!)! && Double(row["forecast"]!)! <= Double(row["high"]!)!)
    }
    let value = try exported("value-and-forecast", "value", in: folder, "--set", source)
    #expect(value.allSatisfy { Double($0["clv_low"]!)! <= Double($0["clv_high"]!)! && Double($0["clv_low"]!)! >= 0 })
    let again = try PipelineRun(
      "value-and-forecast", in: folder, "--set", source, "--to", "months", "--to", "weeks", "--to", "segments", "-j", "1", "--no-cache")
    #expect(again.digests == run.digests)
  }

  /// Value, its scale from 0 to 1 and the tiers of every customer; the values are those of lifetimes.
  @Test func sixMonthsOfValueForTheCRM() throws {
    guard let shared = Executable.shared, let known = try knownAnswers("online_retail_II_weekly.json") else { return }
    let folder = Folder()
    let source = "source=\(shared)/data/online_retail_II/online_retail_II.csv.gz"
    let run = try PipelineRun("crm-six-month-value", in: folder, "--set", source, "--to", "csv")
    #expect(try run.rows("tiers") == 5878)
    let customers = try exported("crm-six-month-value", "tiers", in: folder, "--set", source)
    let value = try #require(known["predictions"]?["bgnbd"]?["clv_6_months_monthly_discount_0.01"])
    let clv = customers.map { Double($0["clv"]!)! }
    #expect(close(clv.reduce(0, +), value["aggregate"]!["sum"]!.double!, relative: 1e-4))
    for (found, answer) in zip(clv, value["first"]!.array!) { #expect(close(found, answer.double!, relative: 1e-3)) }
    let scaled = customers.map { Double($0["clv_scaled"]!)! }
    #expect(scaled.min() == 0 && scaled.max() == 1)
    // A quarter each, the most valuable in A, and the columns of both sides.
    let tiers = Dictionary(grouping: customers) { $0["segment_label"]! }
    #expect(tiers.keys.sorted() == ["A", "B", "C", "D"])
    #expect(tiers.values.allSatisfy { (1460...1480).contains($0.count) })
    #expect(tiers["A"]!.map { Double($0["clv"]!)! }.min()! >= tiers["B"]!.map { Double($0["clv"]!)! }.max()!)
    #expect(customers[0]["rfm_segment"] != nil && customers[0]["last_order"] != nil && customers[0]["p_purchase"] != nil)
  }
}
