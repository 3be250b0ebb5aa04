import Columns
import Pipelines
import Statistics
import Testing

@testable import Stages

/// How many trees are enough, and in which direction they may go.
@Suite struct TreesTests {
  /// 600 customers whose value rises with income, noisily, and knows nothing of the coin.
  static let customers: Batch = {
    var random = RandomStream(seed: 91)
    var (income, coin, tier, value) = ([Double](), [Double](), [String?](), [Double]())
    for _ in 0..<600 {
      income.append(20 + 80 * random.uniform())
      coin.append(random.uniform())
      tier.append(["low", "middle", "top"][random.integer(below: 3)])
      let step: Double = tier.last! == "top" ? 30 : 0
      value.append(2 * income.last! + step + 40 * random.normal())
    }
    return batch(("income", .full(.float64, income)), ("coin", .full(.float64, coin)), ("tier", .strings(tier)), ("value", .full(.float64, value)))
  }()

  private func fit(_ model: String, _ trees: JSONValue, encodings: JSONValue = [:], width: Int = 2) throws -> RoomRun {
    try runRoom(
      Fit.self,
      [
        "model": .string(model),
        "attributes": [
          "target": "value", "features": ["income", "coin", "tier"], "test": 0.25, "importance": 0, "encodings": encodings, "trees": trees,
        ],
      ], ["customers": .table(Self.customers)], width: width)
  }

  /// 400 trees learn the noise; those that stop in time foretell better, and are the same at any width.
  @Test func stopsInTime() throws {
    guard AttributeTests.trees else { return }
    let all = try fit("gradient-boosting", ["count": 400, "learningRate": 0.1])
    let stopped = try fit("gradient-boosting", ["count": 400, "learningRate": 0.1, "patience": 20])
    let document = try #require(stopped.documents["model"])
    let rounds = try #require(document["rounds"]?.double)
    #expect(rounds >= 1 && rounds < 200)
    #expect(document["validation_error"]!.double! > 20)
    #expect(document["settings"]?["patience"] == 20 && document["settings"]?["validation"] == 0.2 && document["diagnoses"] == [])
    #expect(document["test"]!["rmse"]!.double! < 0.95 * all.documents["model"]!["test"]!["rmse"]!.double!)
    #expect(stopped.metrics["rounds"]?.double == rounds)
    // Trees grow over all rows of the fit, as many as were found: the same as when the document says the number.
    let named = try fit("gradient-boosting", ["count": .integer(Int(rounds)), "learningRate": 0.1])
    #expect(named.documents["model"]?["trees"] == document["trees"])
    #expect(try fit("gradient-boosting", ["count": 400, "learningRate": 0.1, "patience": 20], width: 1).documents["model"] == document)
    let few = try fit("gradient-boosting", ["count": 3, "learningRate": 0.01, "patience": 20])
    #expect(few.warnings == ["gradient-boosting: the last of 3 trees still made the error smaller: more may foretell better"])
  }

  /// Along a feature that may only rise no prediction falls, whatever the noise says; without the constraint some do.
  @Test(arguments: ["gradient-boosting", "random-forest"]) func neverFalls(model: String) throws {
    guard AttributeTests.trees else { return }
    func falls(_ trees: JSONValue) throws -> Int {
      let document = try #require(try fit(model, trees, encodings: ["tier": "ordinal"]).documents["model"])
      let rising = batch(
        ("income", .full(.float64, (0..<161).map { 20 + 0.5 * Double($0) })), ("coin", .full(.float64, [Double](repeating: 0.3, count: 161))),
        ("tier", .strings([String?](repeating: "low", count: 161))))
      let run = try runRoom(Predict.self, [:], ["customers": .table(rising), "value": .document(document, about: "model:\(model)")])
      let values = run.tables["table"]!["predicted_value"].doubles()
      return zip(values, values.dropFirst()).filter { $0 > $1 }.count
    }
    #expect(try falls(["count": 60]) > 0)
    #expect(try falls(["count": 60, "monotone": ["income": "increasing", "tier": "increasing"]]) == 0)
  }

  @Test func settingsThatMeanNothing() throws {
    func said(_ model: String, _ trees: JSONValue) -> [String] { complaints { try fit(model, trees) } }
    #expect(said("random-forest", ["patience": 5]) == ["\"patience\" means nothing to random-forest; expected \"model\": \"gradient-boosting\""])
    #expect(said("gradient-boosting", ["validation": 0.3, "monotone": ["incom": "increasing"]]) == [
      "\"validation\" means nothing without \"patience\"; expected \"patience\" beside it",
      "\"incom\" is not one of the features; hint: did you mean \"income\"?",
    ])
    #expect(said("gradient-boosting", ["monotone": ["tier": "increasing"]]) == [
      "the levels of \"tier\" have no order to rise in; expected a number or a date, or another encoding than one-hot; hint: set \"encodings\": {\"tier\": \"ordinal\"} or \"target\""
    ])
  }
}
