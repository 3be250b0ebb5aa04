import Columns
import Pipelines
import Statistics
import Testing

@testable import Stages

@Suite struct EvaluateTests {
  /// fit → predict → evaluate on CDNOW, against lifetimes and models.md.
  @Test func holdOutOfCDNOW() throws {
    guard let (customers, holdout) = LifetimeData.cdnow, let expected = try LifetimeData.expected("cdnow_sample.json") else { return }
    let table = RoomInput.table(customers, timeUnit: .week)
    let model = try runRoom(Fit.self, ["model": "bg-nbd"], ["customers": table]).documents["model"]!
    let spend = try runRoom(Fit.self, ["model": "gamma-gamma"], ["customers": table]).documents["model"]!
    let value = try runRoom(
      Predict.self, ["horizon": "39 weeks", "discount": "15%/year"],
      [
        "customers": table, "purchases": .document(model, about: "model:bg-nbd"),
        "spend": .document(spend, about: "model:gamma-gamma"),
      ]
    ).tables["table"]!
    let run = try runRoom(Evaluate.self, [:], ["predicted": .table(value), "holdout": .table(holdout)])
    let found = try #require(run.documents["metrics"])
    let known = expected["weekly"]!["holdout_validation"]!["models"]!["bgnbd"]!
    #expect(found["customers"] == 2357)
    for (name, answer) in [
      ("predicted_total", known["predicted_total"]!), ("actual_total", known["actual_total"]!), ("rmse", known["rmse"]!),
      ("mae", known["mae"]!), ("pearson", known["pearson"]!), ("gini_normalized", known["normalized_gini"]!),
      ("top_decile_capture", known["top_decile_capture"]!["share_of_actual"]!),
    ] {
      #expect(relative(found["purchases"]![name]!.double!, answer.double!) < 1e-5, "\(name)")
    }
    for (name, answer) in [("mae", 0.7855), ("rmse", 1.6080), ("msle", 0.2343), ("pearson", 0.6256)] {
      #expect((found["purchases"]![name]!.double! - answer).magnitude < 5e-5, "\(name)")
    }
    #expect((found["purchases"]!["predicted_total"]!.double! - 1653.41).magnitude < 0.005)
    #expect((found["purchases"]!["bias"]!.double! + 0.122).magnitude < 1e-3)
    #expect((found["spend"]!["actual_total"]!.double! - 70976.39).magnitude < 0.005)
    #expect((found["spend"]!["predicted_total"]!.double! - 59931.63).magnitude < 0.05)
    #expect((found["spend"]!["mae"]!.double! - 30.41).magnitude < 0.005)

    let groups = run.tables["by_frequency"]!
    let answers = known["by_calibration_frequency"]!.array!
    #expect(groups["label"].allValues.map(\.description) == answers.map { $0["frequency"]!.string! })
    #expect(groups["customers"].doubles() == answers.map { $0["customers"]!.double! })
    for (column, key) in [("actual", "actual_mean"), ("predicted", "predicted_mean")] {
      let worst = zip(groups[column].doubles(), answers).map { relative($0, $1[key]!.double!) }.max()!
      #expect(worst < 1e-5, "\(column)")
    }
    let tenths = run.tables["by_decile"]!
    #expect(tenths.count == 10)
    #expect(tenths["customers"].doubles().reduce(0, +) == 2357)
    #expect(relative(tenths["actual_share"].doubles()[0], 0.4670563230605739) < 1e-9)
    #expect(run.metrics["mae"] == found["purchases"]?["mae"])
    #expect(relative(tenths["lift"].doubles()[0], 0.4670563230605739 * 2357 / tenths["customers"].doubles()[0]) < 1e-9)
    let error = (tenths["predicted"].doubles()[0] - tenths["actual"].doubles()[0]) / tenths["actual"].doubles()[0]
    #expect((tenths["error"].doubles()[0] - error).magnitude < 1e-12)
    #expect(found["interval"] == nil)
  }

  /// A column of lows and one of highs: how many actual numbers lie between.
  @Test func coverageOfIntervals() throws {
    let predicted = Batch(
      schema: Schema([
        Field("customer", .string), Field("frequency", .int64), Field("expected_purchases", .float64), Field("purchases_low", .float64),
        Field("purchases_high", .float64),
      ]),
      columns: [
        .strings(["a", "b", "c", "d"]), .int64s([1, 1, 1, 1]), .float64s([1, 1, 1, 1]), .float64s([0, 1, 2, nil]),
        .float64s([0, 2, 6, 3]),
      ], count: 4)
    let run = try runRoom(
      Evaluate.self, [:], ["predicted": .table(predicted), "holdout": .table(Self.holdout(["a", "b", "c", "d"], [0, 2, 1, 0]))])
    #expect(run.documents["metrics"]?["interval"] == ["customers": 3, "coverage": .double(2.0 / 3), "mean_width": .double(5.0 / 3)])
  }

  /// Bounds of the value hold or miss what was spent; MAE is in its unit, WAPE a share of it.
  @Test func coverageOfValues() throws {
    let predicted = batch(
      ("customer", .strings(["a", "b", "c", "d"])), ("frequency", .int64s([1, 1, 1, 1])), ("expected_purchases", .float64s([1, 2, 1, 1])),
      ("expected_spend", .float64s([10, 10, 20, 5])), ("clv_low", .float64s([0, 5, 25, nil])), ("clv_high", .float64s([10, 35, 40, 9])))
    let holdout = batch(
      ("customer", .strings(["a", "b", "c", "d"])), ("purchases", .int64s([0, 3, 1, 1])), ("revenue", .float64s([0, 36, 25, 3])))
    let run = try runRoom(Evaluate.self, [:], ["predicted": .table(predicted), "holdout": .table(holdout)])
    let metrics = try #require(run.documents["metrics"])
    #expect(metrics["value_interval"] == ["customers": 3, "coverage": .double(2.0 / 3), "mean_width": .double(55.0 / 3)])
    #expect(metrics["interval"] == nil)
    // |10|, |−16|, |−5|, |2| of 64 in all.
    #expect(metrics["spend"]?["mae"] == 8.25 && metrics["spend"]?["wape"] == .double(33.0 / 64))
    #expect(metrics["purchases"]?["mae"] == 0.5 && metrics["purchases"]?["wape"] == 0.4)
    #expect(run.binding.reads.contains(.init("predicted", .named(["clv_high", "clv_low", "customer", "expected_purchases", "expected_spend", "frequency"]))))
    let alarms = try runRoom(Drift.self, [:], ["metrics": .document(metrics, about: "evaluation")])
    #expect(alarms.warnings.last == "only 66.7 % of the actual values lie in their intervals, limit 80 %")
    // Without a hold-out, in one table.
    let beside = batch(
      ("predicted", .float64s([1, 2, 3])), ("actual", .float64s([2, 2, 9])), ("clv_low", .float64s([0, 1, 2])), ("clv_high", .float64s([2, 3, 4])))
    let own = try runRoom(Evaluate.self, [:], ["predicted": .table(beside)])
    #expect(own.documents["metrics"]?["value_interval"] == ["customers": 3, "coverage": .double(2.0 / 3), "mean_width": 2])
  }

  /// 20,000 customers of a known law, fitted, foretold and waited for: 90 of 100 values and purchases, and some more for what is discrete, lie in
  /// their intervals of 90 %.
  @Test func intervalsHoldWhatComes() throws {
    var random = RandomStream(seed: 77)
    var (id, x, tx, T, m, later, paid) = ([Int64](), [Int64?](), [Double?](), [Double?](), [Double?](), [Int64?](), [Double]())
    for i in 0..<20_000 {
      let (rate, p, ν) = (random.gamma(shape: 0.8, rate: 8), random.beta(0.6, 3), random.gamma(shape: 3.5, rate: 20))
      var (now, last, count, sum, after, spent) = (0.0, 0.0, 0, 0.0, 0, 0.0)
      while true {
        now += random.exponential(rate: rate)
        if now > 90 { break }
        let amount = random.gamma(shape: 4, rate: ν)
        if now <= 40 { (count, last, sum) = (count + 1, now, sum + amount) } else { (after, spent) = (after + 1, spent + amount) }
        if random.uniform() < p { break }
      }
      id.append(Int64(i))
      x.append(Int64(count))
      tx.append(last)
      T.append(40)
      m.append(count > 0 ? sum / Double(count) : 0)
      later.append(Int64(after))
      paid.append(spent)
    }
    let customers = RoomInput.table(LifetimeData.customers(id, x, tx, T, m), timeUnit: .week)
    let purchases = try runRoom(Fit.self, ["model": "bg-nbd"], ["customers": customers]).documents["model"]!
    let spend = try runRoom(Fit.self, ["model": "gamma-gamma"], ["customers": customers]).documents["model"]!
    let value = try runRoom(
      Predict.self, ["horizon": "50 weeks", "interval": 0.9],
      ["customers": customers, "purchases": .document(purchases, about: "model:bg-nbd"), "spend": .document(spend, about: "model:gamma-gamma")]
    ).tables["table"]!
    let holdout = batch(("customer", .int64s(id)), ("purchases", .int64s(later)), ("revenue", .full(.float64, paid)))
    let metrics = try #require(try runRoom(Evaluate.self, [:], ["predicted": .table(value), "holdout": .table(holdout)]).documents["metrics"])
    for name in ["interval", "value_interval"] {
      let share = metrics[name]!["coverage"]!.double!
      #expect(share > 0.895 && share < 0.985, "\(name) \(share)")
      #expect(metrics[name]!["customers"] == 20_000)
    }
  }

  static func predicted(_ customers: [String?], _ expected: [Double?]) -> Batch {
    Batch(
      schema: Schema([Field("customer", .string), Field("frequency", .int64), Field("expected_purchases", .float64)]),
      columns: [.strings(customers), .int64s(customers.map { _ in 1 }), .float64s(expected)], count: customers.count)
  }

  static func holdout(_ customers: [String?], _ purchases: [Int64?]) -> Batch {
    Batch(
      schema: Schema([Field("customer", .string), Field("purchases", .int64)]), columns: [.strings(customers), .int64s(purchases)],
      count: customers.count)
  }

  @Test func rowsAreJoinedByCustomerInAnyOrder() throws {
    let run = try runRoom(
      Evaluate.self, [:],
      [
        "predicted": .table(Self.predicted(["a", "b", "c"], [1, 2, nil])),
        "holdout": .table(Self.holdout(["c", "b", "a"], [9, 2, 1])),
      ])
    let metrics = run.documents["metrics"]!
    #expect(metrics["purchases"]?["mae"] == 0)
    #expect(metrics["left_out"] == 1)
    #expect(metrics["spend"] == nil)
    #expect(run.warnings == ["1 of 3 customers were left out: a prediction or an actual number is missing"])
  }

  @Test(arguments: [
    (
      "strangers on both sides", predicted(["a", "b", "x"], [1, 1, 1]), holdout(["a", "b", "y", "z"], [0, 0, 0, 0]),
      [
        "1 customer of \"predicted\" is missing in \"holdout\": \"x\"; hint: take both from one rfm with \"holdout\"",
        "2 customers of \"holdout\" are missing in \"predicted\": \"y\", \"z\"; hint: take both from one rfm with \"holdout\"",
      ]
    ),
    (
      "twice", predicted(["a", "a"], [1, 1]), holdout(["a", "a"], [1, 1]),
      ["customer \"a\" of \"holdout\" stands in two rows, 1 and 2; hint: evaluate compares one row a customer"]
    ),
    (
      "without a name", predicted([nil], [1]), holdout([nil], [1]),
      ["a customer of \"holdout\" has no \"customer\" (row 1)"]
    ),
    ("nobody", predicted([], []), holdout([], []), ["nothing can be evaluated: there are no customers"]),
    (
      "no predictions", predicted(["a"], [nil]), holdout(["a"], [1]),
      ["nothing can be evaluated: no customer has a prediction and an actual number"]
    ),
  ])
  func whatCannotBeEvaluated(_ name: String, predicted: Batch, holdout: Batch, messages: [String]) {
    #expect(complaints { try runRoom(Evaluate.self, [:], ["predicted": .table(predicted), "holdout": .table(holdout)]) } == messages, "\(name)")
  }

  @Test func mistakesOfADocumentAllAtOnce() {
    let other = Batch(
      schema: Schema([Field("customer", .int64), Field("purchase", .int64)]), columns: [.int64s([]), .int64s([])], count: 0)
    let said = complaints {
      try runRoom(
        Evaluate.self, ["frequency": "x"], ["predicted": .table(Self.predicted([], [])), "holdout": .table(other)])
    }
    #expect(said == [
      "input \"predicted\" has no column \"x\"; hint: known: customer, frequency, expected_purchases",
      "input \"holdout\" has no column \"purchases\"; hint: did you mean \"purchase\"?",
      "column \"customer\" has one type in \"predicted\" and another in \"holdout\"; expected string; found int64",
    ])
  }
}
