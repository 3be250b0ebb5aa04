import Columns
import Models
import Pipelines
import Testing

@testable import Stages

@Suite struct TrackingTests {
  /// CDNOW, 78 weeks: BG/NBD fitted to the first 39 follows the cumulative purchases within a few percent, as Fader, Hardie & Lee 2005 show.
  @Test func weeksOfCDNOW() throws {
    guard let (customers, holdout) = LifetimeData.cdnow, let data = LifetimeData.shared("cdnow/CDNOW_sample.txt") else { return }
    var (ids, days): ([Int64], [Int32]) = ([], [])
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: " ")
      ids.append(Int64(fields[1])!)
      days.append(Int32(LifetimeData.day(Int(fields[2])!) - 719_468))
    }
    let purchases = Batch(
      schema: Schema([Field("customer", .int64), Field("at", .date)]), columns: [.int64s(ids), .full(.date, days)], count: ids.count)
    let table = RoomInput.table(customers, timeUnit: .week)
    let model = RoomInput.document(try #require(try runRoom(Fit.self, ["model": "bg-nbd"], ["customers": table]).documents["model"]), about: "model:bg-nbd")
    let value = try #require(try runRoom(Predict.self, ["horizon": "39 weeks"], ["customers": table, "purchases": model]).tables["table"])
    let run = try runRoom(
      Evaluate.self, [:], ["predicted": .table(value), "holdout": .table(holdout), "transactions": .table(purchases), "purchases": model])
    let tracking = try #require(run.tables["tracking"])
    #expect(tracking.count == 78)
    #expect(tracking["from"].allValues[0].description == "1997-01-01" && tracking["through"].allValues[77].description == "1998-06-30")
    let (actual, expected) = (tracking["actual_cumulative"].doubles(), tracking["expected_cumulative"].doubles())
    // 6,696 days with a purchase of 2,357 customers, 2,457 of the repeats before October 1997.
    #expect(actual[77] == 4339 && actual[38] == 2457)
    #expect((expected[38] - 2457).magnitude < 0.05 * 2457 && (expected[77] - 4339).magnitude < 0.07 * 4339)
    #expect(zip(expected, expected.dropFirst()).allSatisfy { $0 < $1 })
    #expect((tracking["expected"].doubles().reduce(0, +) - expected[77]).magnitude < 1e-8)
    let told = try #require(run.documents["metrics"]?["tracking"])
    #expect(relative(told["final_error"]!.double!, (expected[77] - 4339) / 4339) < 1e-9)
    #expect(
      complaints { try runRoom(Evaluate.self, [:], ["predicted": .table(value), "holdout": .table(holdout), "purchases": model]) } == [
        "\"purchases\" means nothing alone; expected both \"transactions\" and \"purchases\", for tracking"
      ])
  }
}
