import Columns
import Pipelines
import Testing

@testable import Stages

/// Every model of purchases through fit and predict.
@Suite struct PurchaseModelsTests {
  private func fit(_ settings: JSONValue, _ customers: Batch, unit: Duration.Unit = .week) throws -> JSONValue {
    try #require(try runRoom(Fit.self, settings, ["customers": .table(customers, timeUnit: unit)]).documents["model"])
  }

  /// Numbers of the papers and of CLVTools, as the notes beside the models' tests say.
  @Test(arguments: [
    ("pareto-nbd", ["r", "alpha", "s", "beta"], [0.55328, 10.57768, 0.60624, 11.66874], -9594.9762, 1665.51),
    ("nbd", ["r", "alpha"], [0.3848, 12.072], -9763.658, 2929.82),
    ("mbg-nbd", ["r", "alpha", "a", "b"], [0.52484, 6.18309, 0.89136, 1.61400], -9582.1357, 1576.73),
  ])
  func cdnow(model: String, names: [String], values: [Double], logLikelihood: Double, total: Double) throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let document = try fit(["model": .string(model)], customers)
    #expect((document["log_likelihood"]!.double! - logLikelihood).magnitude < 1e-3)
    #expect(document["parameters"]!.members!.map(\.key) == names)
    for (name, value) in zip(names, values) { #expect(relative(document["parameters"]![name]!.double!, value) < 1e-3, "\(name)") }
    let run = try runRoom(
      Predict.self, ["horizon": "39 weeks"],
      ["customers": .table(customers, timeUnit: .week), "purchases": .document(document, about: "model:\(model)")])
    #expect((run.metrics["expected_purchases"]!.double! - total).magnitude < 0.02)
    #expect(run.documents["new_customer"]?["model"] == .string(model))
  }

  /// Years of contracts (Fader & Hardie 2007) and years of donations (Fader, Hardie & Shang 2010), a row for each history.
  @Test func periods() throws {
    let survivors: [Double] = [1000, 869, 743, 653, 593, 551, 517, 491]
    let contracts = Batch(
      schema: Schema([Field("recency", .int64), Field("age", .int64), Field("customers", .float64)]),
      columns: [
        .int64s((0...7).map { Int64($0) }), .int64s((0...7).map { _ in 7 }),
        .float64s((0...7).map { $0 < 7 ? survivors[$0] - survivors[$0 + 1] : survivors[7] }),
      ], count: 8)
    let sbg = try fit(["model": "sbg", "weight": "customers"], contracts, unit: .year)
    #expect((sbg["log_likelihood"]!.double! + 1611.1581).magnitude < 5e-5)
    #expect((sbg["parameters"]!["a"]!.double! - 0.668).magnitude < 5e-4)
    let run = try runRoom(
      Predict.self, ["horizon": "3 years", "chance": true],
      ["customers": .table(contracts, timeUnit: .year), "purchases": .document(sbg, about: "model:sbg")])
    let table = try #require(run.tables["table"])
    #expect(table["p_alive"].doubles() == [0, 0, 0, 0, 0, 0, 0, 1])
    let (a, b) = (sbg["parameters"]!["a"]!.double!, sbg["parameters"]!["b"]!.double!)
    #expect(relative(table["p_purchase"].doubles()[7], (b + 7) / (a + b + 7)) < 1e-14)
  }

  /// Chances, counts, intervals and everything still to come, column by column.
  @Test(arguments: ["bg-nbd", "pareto-nbd", "bg-cnbd-k"])
  func moreColumns(model: String) throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let settings: JSONValue = model == "bg-cnbd-k" ? ["model": .string(model), "k": 2] : ["model": .string(model)]
    let some = customers.slice(0..<60)
    let document = try fit(settings, customers)
    if model == "bg-cnbd-k" {
      #expect(document["k"] == 2)
      #expect(document["diagnoses"]?.array?.last == "the log-likelihood leaves out the times between purchases, which were not given: compare it for the same k only")
    }
    func predicted(_ batch: Batch) throws -> RoomRun {
      try runRoom(
        Predict.self,
        ["horizon": "39 weeks", "discount": "15%/year", "chance": true, "counts": 3, "interval": 0.9, "residual": .bool(model != "bg-cnbd-k")],
        [
          "customers": .table(batch, timeUnit: .week), "purchases": .document(document, about: "model:\(model)"),
          "spend": PredictTests.cdnowSpend,
        ])
    }
    let run = try predicted(some)
    let table = try #require(run.tables["table"])
    #expect(table.schema.names.dropFirst(5).prefix(9) == [
      "p_alive", "expected_purchases", "p_purchase", "p_0", "p_1", "p_2", "p_3_and_more", "purchases_low", "purchases_high",
    ])
    // The model of spend is given without one.
    #expect(run.warnings == ["the intervals take parameters for certain: a model's document has no covariance"])
    #expect(zip(table["clv_low"].doubles(), table["clv_high"].doubles()).allSatisfy { $0 <= $1 && $0 >= 0 })
    let p = ["p_0", "p_1", "p_2", "p_3_and_more"].map { table[$0].doubles() }
    let chance = table["p_purchase"].doubles()
    for row in 0..<60 {
      #expect((p[0][row] + p[1][row] + p[2][row] + p[3][row] - 1).magnitude < 1e-12)
      #expect((1 - p[0][row] - chance[row]).magnitude < 1e-12)
    }
    #expect(zip(table["purchases_low"].doubles(), table["purchases_high"].doubles()).allSatisfy { $0 <= $1 })
    if model != "bg-cnbd-k" {
      #expect(zip(table["clv"].doubles(), table["residual_value"].doubles()).allSatisfy { $0 < $1 })
    }
    // A customer alone gets the same bits.
    let alone = try #require(try predicted(some.slice(5..<6)).tables["table"])
    for name in table.schema.names.dropFirst(5) { #expect(alone[name].doubles()[0] == table[name].doubles()[5], "\(name)") }
  }

  @Test func settingsThatMeanNothing() throws {
    let customers = LifetimeData.customers([], [], [], [], [])
    func said(_ settings: JSONValue) -> [String] { complaints { try runRoom(Fit.self, settings, ["customers": .table(customers, timeUnit: .day)]) } }
    #expect(said(["model": "bg-cnbd-k"]) == [
      "how many stages a purchase takes is not known; expected \"k\", or \"spacing\": the column from which it is chosen"
    ])
    #expect(said(["model": "bg-nbd", "k": 2, "spacing": "monetary"]) == [
      "\"k\" means nothing to bg-nbd; expected \"model\": \"bg-cnbd-k\" or \"mbg-cnbd-k\"",
      "\"spacing\" means nothing to bg-nbd; expected \"model\": \"bg-cnbd-k\" or \"mbg-cnbd-k\"",
    ])
    #expect(said(["model": "gamma-gamma", "prior": "weak"]) == ["\"prior\" means nothing to gamma-gamma; expected a model of purchases"])
    #expect(said(["model": "bg-nbd", "weight": "customers"]).count == 1)
    #expect(
      complaints {
        try runRoom(
          Predict.self, ["horizon": "1 year", "residual": true],
          ["customers": .table(customers, timeUnit: .week), "purchases": PredictTests.cdnowModel, "spend": PredictTests.cdnowSpend])
      } == ["\"residual\" needs a model of spend and a discount such as \"10%/year\": what never ends and never counts less has no value"])
  }

  /// CDNOW's purchases, tried on three earlier days: dropout is found, and the document says what was chosen and why.
  @Test func theDataChoose() throws {
    guard let (customers, _) = LifetimeData.cdnow, let data = LifetimeData.shared("cdnow/CDNOW_sample.txt") else { return }
    var (ids, days): ([Int64], [Int32]) = ([], [])
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: " ")
      ids.append(Int64(fields[1])!)
      days.append(Int32(LifetimeData.day(Int(fields[2])!) - 719_468))
    }
    let purchases = Batch(
      schema: Schema([Field("customer", .int64), Field("at", .date)]), columns: [.int64s(ids), .full(.date, days)], count: ids.count)
    let run = try runRoom(
      Fit.self, ["model": "auto", "backtest": ["until": "1997-09-30", "horizon": "6 weeks"]],
      ["customers": .table(customers, timeUnit: .week), "transactions": .table(purchases)])
    let document = try #require(run.documents["model"])
    let board = try #require(document["choice"]?["leader_board"]?.array)
    #expect(board.count == 4)
    #expect(board.first?["model"] == document["model"])
    #expect(document["model"] != "nbd" && board.last?["model"] == "nbd")
    #expect(document["choice"]!["reason"]!.string!.contains(" gave what happened after 3 origins the highest probability (mean log score "))
    #expect(run.metrics["choice"] == document["choice"]?["reason"])
    let notes = (run.metrics["notes"]?.array ?? []).compactMap(\.string)
    try #require(notes.count == 5)
    #expect(notes[0] == document["choice"]?["reason"]?.string)
    #expect(notes[1].hasPrefix("1. \(document["model"]!.string!): log score -0.") && notes[4].hasPrefix("4. nbd: log score -0."))
    #expect(document["choice"]?["origins"] == ["1997-05-27", "1997-07-08", "1997-08-19"] && document["choice"]?["horizon_days"] == 42)
    #expect(run.binding.outputs == [.init("model", .document(about: "model:auto"))])
    let predicted = try runRoom(
      Predict.self, ["horizon": "39 weeks"],
      ["customers": .table(customers, timeUnit: .week), "purchases": .document(document, about: "model:auto")])
    #expect(predicted.metrics["expected_purchases"]!.double! > 1000)
    #expect(
      complaints { try runRoom(Fit.self, ["model": "auto"], ["customers": .table(customers, timeUnit: .week)]) } == [
        "the models cannot be tried on earlier days without the purchases; expected input \"transactions\"; hint: connect the table that rfm reads as \"transactions\""
      ])
  }
}
