import Columns
import Pipelines
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
