import Columns
import Pipelines
import Testing

@testable import Stages

@Suite struct PredictTests {
  static let cdnowModel = modelDocument("bg-nbd", ["r": 0.24259452678427854, "alpha": 4.413601813662093, "a": 0.7929220432826214, "b": 2.4259070700100924], unit: "week")
  static let cdnowSpend = modelDocument("gamma-gamma", ["p": 6.249571652614301, "q": 3.744224873870582, "v": 15.443523523162899])

  /// (file, unit, horizon and its key in the file, month of the discrete value)
  @Test(arguments: [
    ("online_retail_II_daily.json", "day", "180 days", "180", "30 days"),
    ("online_retail_II_weekly.json", "week", "26 weeks", "26", "4.345 weeks"),
  ])
  func firstCustomersOfOnlineRetail(file: String, unit: String, horizon: String, key: String, month: String) throws {
    guard let expected = try LifetimeData.expected(file) else { return }
    for kind in ["bg-nbd", "mbg-nbd"] {
      let name = kind == "bg-nbd" ? "bgnbd" : "mbgnbd"
      let run = try runRoom(
        Predict.self, ["horizon": .string(horizon), "discount": ["monthly": "1%", "month": .string(month), "months": 6]],
        [
          "customers": .table(LifetimeData.first20(expected)),
          "purchases": modelDocument(kind, expected["fits"]![name]!["mle"]!["params"]!, unit: unit),
          "spend": modelDocument("gamma-gamma", expected["gamma_gamma"]!["mle"]!["params"]!),
        ])
      let table = try #require(run.tables["table"])
      let known = expected["predictions"]!
      for (column, answers) in [
        ("p_alive", known[name]!["p_alive"]!["first"]!),
        ("expected_purchases", known[name]!["conditional_expected_purchases"]![key]!["first"]!),
        ("expected_spend", known["expected_average_profit"]!["first"]!),
        ("clv", known[name]!["clv_6_months_monthly_discount_0.01"]!["first"]!),
      ] {
        let worst = zip(table[column].doubles(), answers.array!).map { relative($0, $1.double!) }.max()!
        #expect(worst < 1e-6, "\(file) \(kind) \(column)")
      }
    }
  }

  /// One customer, x = 2, t_x = 30.43, T = 38.86, at 15 % a year: values of the continuous form computed with 40 digits.
  @Test(arguments: [
    ("nothing", nil, 1.2259104930580),
    ("a rate by the year", Written("15%/year"), 1.16732188139960),
    ("δ by the week", Written(["delta": 0.002687731, "per": "week"]), 1.1673218),
    ("δ by the day", Written(["delta": 0.000383961571, "per": "day"]), 1.1673218),
  ] as [(String, Written?, Double)])
  func continuousDiscount(_ name: String, discount: Written?, value: Double) throws {
    let customer = LifetimeData.customers([1], [2], [30.43], [38.86], [24])
    var written: [JSONMember] = [JSONMember("horizon", "39 weeks")]
    if let discount { written.append(JSONMember("discount", discount.json)) }
    let run = try runRoom(
      Predict.self, .object(written),
      [
        "customers": .table(customer, timeUnit: .week),
        "purchases": modelDocument("bg-nbd", ["r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881], unit: "week"),
        "spend": Self.cdnowSpend,
      ])
    let table = run.tables["table"]!
    // A year has 365.25 days here and 52 weeks in the reference.
    #expect(relative(table["clv"].doubles()[0] / table["expected_spend"].doubles()[0], value) < 5e-4, "\(name)")
  }

  @Test func discountsOfTheSameForceAreOneNumber() throws {
    let customer = LifetimeData.customers([1], [2], [30.43], [38.86], [24])
    let values = try (["10%/year", ["delta": 0.09531017980432493, "per": "year"]] as [JSONValue]).map { discount in
      try runRoom(
        Predict.self, ["horizon": "1 year", "discount": discount],
        ["customers": .table(customer), "purchases": Self.cdnowModel, "spend": Self.cdnowSpend]
      ).tables["table"]!["clv"].doubles()[0]
    }
    #expect(relative(values[0], values[1]) < 1e-14)
  }

  /// A century and more is no trouble: at 15 % a year nothing is left to add after it.
  @Test func farHorizons() throws {
    func value(_ horizon: String) throws -> Double {
      let run = try runRoom(
        Predict.self, ["horizon": .string(horizon), "discount": "15%/year"],
        ["customers": .table(LifetimeData.customers([1], [2], [30.43], [38.86], [24])), "purchases": Self.cdnowModel, "spend": Self.cdnowSpend])
      return try #require(run.tables["table"])["clv"].doubles()[0]
    }
    let century = try value("100 years"), all = try value("9000 years")
    #expect(century > (try value("20 years")) && all >= century && all - century < 1e-5 * all)
    #expect(complaints { try value("9001 years") } == ["the horizon is out of range; expected at most 9000 years; found 9001 years"])
  }

  @Test func columnsAreCarriedAndValuesScaled() throws {
    let customers = LifetimeData.customers([7, 8, 9], [0, 2, 5], [0, 30, 20], [38, 38, 38], [0, 20, 80])
    let run = try runRoom(
      Predict.self, ["horizon": "39 weeks", "scaled": true],
      ["customers": .table(customers, timeUnit: .week), "purchases": Self.cdnowModel, "spend": Self.cdnowSpend])
    let table = run.tables["table"]!
    #expect(table.schema.names == [
      "customer", "frequency", "recency", "age", "monetary", "p_alive", "expected_purchases", "expected_spend", "clv", "clv_scaled",
    ])
    #expect(table["customer"].allValues == customers["customer"].allValues)
    let (clv, scaled) = (table["clv"].doubles(), table["clv_scaled"].doubles())
    #expect(scaled.min() == 0 && scaled.max() == 1)
    #expect(scaled.firstIndex(of: 1) == clv.firstIndex(of: clv.max()!))
    #expect(relative(table["expected_spend"].doubles()[0], 35.170370965521926) < 1e-9)  // the population mean
    #expect(run.binding.outputs.first?.type.table?.timeUnit == .week)
  }

  @Test func withoutSpendNothingIsSaidOfValue() throws {
    let customers = LifetimeData.customers([1], [2], [30.43], [38.86], [nil])
    let run = try runRoom(Predict.self, ["horizon": "39 weeks"], ["customers": .table(customers), "purchases": Self.cdnowModel])
    #expect(run.tables["table"]!.schema.names.suffix(3) == ["monetary", "p_alive", "expected_purchases"])
    #expect(run.warnings == [])
  }

  @Test func impossibleHistoriesGetNulls() throws {
    let customers = LifetimeData.customers([1, 2, 3], [2, 2, nil], [30, 50, 3], [38, 38, 38], [20, 20, 20])
    let run = try runRoom(
      Predict.self, ["horizon": "39 weeks", "scaled": true],
      ["customers": .table(customers), "purchases": Self.cdnowModel, "spend": Self.cdnowSpend])
    let table = run.tables["table"]!
    for name in ["p_alive", "expected_purchases", "expected_spend", "clv", "clv_scaled"] {
      #expect((0..<3).map { table[name].isNull($0) } == [false, true, true], "\(name)")
    }
    #expect(run.warnings == ["2 of 3 customers get no prediction: their history is incomplete or impossible"])
    #expect(run.metrics["without_prediction"] == 2)
  }

  @Test func noCustomersIsNoMistake() throws {
    let run = try runRoom(
      Predict.self, ["horizon": "39 weeks"], ["customers": .table(LifetimeData.customers([], [], [], [], [])), "purchases": Self.cdnowModel])
    #expect(run.tables["table"]!.count == 0)
  }

  @Test func mistakesOfADocumentAllAtOnce() {
    let table = Batch(
      schema: Schema([Field("frequency", .int64), Field("recency", .float64), Field("age", .date), Field("p_alive", .float64)]),
      columns: [.int64s([]), .float64s([]), .dates([]), .float64s([])], count: 0)
    let said = complaints {
      try runRoom(Predict.self, ["horizon": "39 weeks", "scaled": true], ["customers": .table(table), "purchases": Self.cdnowSpend])
    }
    #expect(said == [
      "input \"purchases\" is not a model that it can use; expected a fitted model of purchases; found a fitted gamma-gamma",
      "\"scaled\" needs a model of spend: without one there is no value to scale; hint: connect a fitted gamma-gamma as \"spend\"",
      "column \"age\" of input \"customers\" is not numeric; expected a number type; found date",
      "input \"customers\" already has a column \"p_alive\", which this stage makes; hint: leave it out, or rename it in the stage before",
    ])
  }

  /// Where q is not above 1 no mean exists: the formula would give endless or negative amounts.
  @Test(arguments: [1, 0.5]) func noMeanSpend(q: Double) {
    let said = complaints {
      try runRoom(
        Predict.self, ["horizon": "39 weeks"],
        [
          "customers": .table(LifetimeData.customers([1], [2], [30], [38], [20]), timeUnit: .week), "purchases": Self.cdnowModel,
          "spend": modelDocument("gamma-gamma", ["p": 6, "q": .double(q), "v": 15]),
        ])
    }
    #expect(said == [
      "the document of input \"spend\" is not a fitted model that can be used here; expected a \"q\" above 1, where a mean spend exists; found \(JSONValue.double(q).words); hint: connect the output of a stage \"fit\""
    ])
  }

  @Test func timesInTwoUnits() {
    let said = complaints {
      try runRoom(
        Predict.self, ["horizon": "39 weeks"],
        ["customers": .table(LifetimeData.customers([1], [0], [0], [3], [0]), timeUnit: .day), "purchases": Self.cdnowModel])
    }
    #expect(said == [
      "the model was fitted to times in weeks, but the customers are measured in days; hint: make both with one \"unit\" of rfm"
    ])
  }

  @Test(arguments: [
    ("10%/year", "10%/year"), ("10.0% / year", "10%/year"), ("0.5%/month", "0.5%/month"), ("10/year", nil), ("-1%/year", nil),
    ("10%/fortnight", nil), ("%/year", nil), ("10%", nil), ("1e3%/year", nil),
  ])
  func rates(text: String, canonical: String?) { #expect(EffectiveRate(settingText: text)?.settingText == canonical) }
}
