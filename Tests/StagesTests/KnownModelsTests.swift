import Columns
import Foundation
import Models
import Pipelines
import Statistics
import Testing

@testable import Stages

/// Every fit, sum and hold-out error of the known answers (lifetimes; shared data, `expected/`), from raw rows on.
@Suite struct KnownModelsTests {
  /// A set of known answers and the customers they are about.
  struct Known: Sendable, CustomTestStringConvertible {
    var file: String
    var inside: String?
    /// Settings of `rfm` beside the columns.
    var rfm: Written
    /// A month of the discrete value, in units.
    var month: Double
    /// The tool cut at midnight: the last day of `rfm` is the one before, and counts for the age only.
    var endsAtMidnight = false
    var testDescription: String { file + (inside.map { " " + $0 } ?? "") }
  }

  static let sets = [
    Known(file: "cdnow_sample.json", inside: "weekly", rfm: Written(["unit": "week", "until": "1997-09-30", "holdout": "1998-06-30"]), month: 4.345),
    Known(file: "cdnow_sample_full_daily.json", rfm: Written(["unit": "day", "until": "1998-06-30"]), month: 30),
    Known(file: "online_retail_II_daily.json", rfm: Written(["unit": "day", "until": "2011-12-09"]), month: 30),
    Known(file: "online_retail_II_weekly.json", rfm: Written(["unit": "week", "until": "2011-12-09"]), month: 4.345),
    Known(
      file: "online_retail_II_holdout_2011-06-09.json",
      rfm: Written(["unit": "week", "until": "2011-06-08", "holdout": "2011-12-08"]), month: 4.345, endsAtMidnight: true),
  ]

  static let models = [("bgnbd", PurchaseModel.bgNBD), ("mbgnbd", .mbgNBD), ("pnbd", .paretoNBD)]

  @Test(arguments: sets)
  func everything(known: Known) throws {
    guard let document = try LifetimeData.expected(known.file), let customers = try Self.customers(known) else { return }
    let json = known.inside.flatMap { document[$0] } ?? document
    var table = customers.table()
    if known.endsAtMidnight {
      let ages = Column.full(.float64, table["age"].doubles().map { $0 + 1 / 7.0 })
      table = Batch(schema: table.schema, columns: table.schema.names.map { $0 == "age" ? ages : table[$0] }, count: table.count)
    }
    let s = PurchaseSummary(x: table["frequency"].doubles(), tx: table["recency"].doubles(), T: table["age"].doubles())
    let spend = table["monetary"].doubles()
    let unit = known.rfm.json["unit"]!.string!

    // Spend.
    let gg = try #require(json["gamma_gamma"])
    let fitted = try GammaGamma.fit(x: s.x, m: spend)
    #expect(fitted.observations == gg["customers_used"]?.int)
    #expect((fitted.logLikelihood - gg["mle"]!["log_likelihood"]!.double!).magnitude < 1e-4)
    for (name, value) in zip(GammaGamma.Parameters.names, fitted.parameters.vector) {
      #expect(relative(value, gg["mle"]!["params"]![name]!.double!) < 1e-3, "\(name)")
    }
    for (name, value) in zip(GammaGamma.Parameters.names, try #require(fitted.standardErrors).vector) {
      #expect(relative(value, gg["lifetimes_default_fit"]!["standard_errors"]![name]!.double!) < 1e-2, "error of \(name)")
    }
    #expect((fitted.correlation - gg["correlation_frequency_monetary"]!.double!).magnitude < 1e-9)
    let law = GammaGamma.Parameters(
      p: gg["mle"]!["params"]!["p"]!.double!, q: gg["mle"]!["params"]!["q"]!.double!, v: gg["mle"]!["params"]!["v"]!.double!)
    let profit = s.x.indices.map { s.x[$0] > 0 && spend[$0] > 0 ? law.expectedSpend(x: s.x[$0], m: spend[$0]) : law.populationMean }
    try expect(profit, json["predictions"]!["expected_average_profit"]!, "spend")

    #expect(relative(fitted.populationMean, gg["population_mean_spend"]!.double!) < 1e-3)
    #expect(relative(law.populationMean, gg["population_mean_spend"]!.double!) < 1e-9)
    // Far from its border: a mean spend exists in all of these data.
    #expect(fitted.borderStatistic > 3.84 && fitted.diagnoses == [])

    // Where Pareto/NBD rises along a ridge without end: not below where another search stopped.
    if known.endsAtMidnight {
      let ridge = try ParetoNBD.fit(s)
      #expect(ridge.logLikelihood > -58463.88787)
      let ahead = PredictedBatch(PurchaseModel.paretoNBD.predictor(ridge.parameters.vector), s).purchases(within: 26)
      #expect(ahead.allSatisfy { $0 >= 0 && $0 < 1000 })
      #expect(!ridge.diagnoses.isEmpty)
    }

    // The guess that everybody goes on as before, against which the models are held.
    if let validation = json["holdout_validation"], let baseline = validation["baseline_rate_frequency_over_T"] {
      let ahead = validation["duration_holdout"]!.double!
      let metrics = HoldoutMetrics(
        predicted: s.x.indices.map { s.T[$0] > 0 ? s.x[$0] / s.T[$0] * ahead : 0 }, actual: customers.table("holdout")["purchases"].doubles())
      for (value, name) in [(metrics.rmse, "rmse"), (metrics.mae, "mae")] { #expect(relative(value, baseline[name]!.double!) < 1e-9, "baseline \(name)") }
      #expect(relative(metrics.topDecileCapture, baseline["top_decile_capture"]!["share_of_actual"]!.double!) < 1e-9)
    }

    // Purchases: the fit from these rows, and predictions at the parameters given.
    for (name, model) in Self.models {
      guard let fit = json["fits"]?[name] else { continue }
      let found = try runRoom(
        Fit.self, ["model": .string(model.rawValue)], ["customers": .table(table, timeUnit: Duration.Unit(rawValue: unit)!)]
      ).documents["model"]!
      #expect(found["converged"] == true, "\(name)")
      #expect((found["log_likelihood"]!.double! - fit["mle"]!["log_likelihood"]!.double!).magnitude < 1e-4, "\(name)")
      let names = fit["parameter_names"]!.array!.map { $0.string! }
      for key in names { #expect(relative(found["parameters"]![key]!.double!, fit["mle"]!["params"]![key]!.double!) < 1e-3, "\(name) \(key)") }
      if let errors = fit["lifetimes_default_fit"]?["standard_errors"] {
        for key in names { #expect(relative(found["standard_errors"]![key]!.double!, errors[key]!.double!) < 1e-2, "\(name) error of \(key)") }
      }
      let predictor = model.predictor(names.map { fit["mle"]!["params"]![$0]!.double! })
      let batch = PredictedBatch(predictor, s)
      let answers = json["predictions"]![name]!
      try expect(batch.alive, answers["p_alive"]!, "\(name) alive")
      for horizon in answers["conditional_expected_purchases"]!.members! {
        try expect(batch.purchases(within: Double(horizon.key)!), horizon.value, "\(name) purchases within \(horizon.key)")
      }
      for time in answers["unconditional_expected_purchases"]!.members! {
        #expect(relative(predictor.expectedPurchases(by: Double(time.key)!), time.value.double!) < 1e-6, "\(name) by \(time.key)")
      }
      let discounted = batch.discounted(.monthly(rate: 0.01, month: known.month, months: 6))
      try expect(zip(discounted, profit).map { $0 * $1 }, answers["clv_6_months_monthly_discount_0.01"]!, "\(name) value")
      if let validation = json["holdout_validation"] {
        let actual = customers.table("holdout")["purchases"].doubles()
        let predicted = batch.purchases(within: validation["duration_holdout"]!.double!)
        let metrics = HoldoutMetrics(predicted: predicted, actual: actual)
        let truth = validation["models"]![name]!
        for (row, answer) in (truth["predicted_first20"]?.array ?? []).enumerated() {
          #expect(relative(predicted[row], answer.double!) < 1e-6, "\(name) of row \(row)")
        }
        if let answers = truth["by_calibration_frequency"]?.array {
          let groups = HoldoutTables.byFrequency(s.x, predicted, actual, highest: 7)
          #expect(groups["label"].allValues.map(\.description) == answers.map { $0["frequency"]!.string! }, "\(name)")
          #expect(groups["customers"].doubles() == answers.map { $0["customers"]!.double! }, "\(name)")
          for (column, key) in [("actual", "actual_mean"), ("predicted", "predicted_mean")] {
            let worst = zip(groups[column].doubles(), answers).map { relative($0, $1[key]!.double!) }.max()!
            #expect(worst < 1e-6, "\(name) \(column) by frequency: \(worst)")
          }
        }
        for (value, key) in [
          (metrics.predictedTotal, "predicted_total"), (metrics.actualTotal, "actual_total"), (metrics.rmse, "rmse"), (metrics.mae, "mae"),
          (metrics.pearson, "pearson"), (metrics.normalizedGini, "normalized_gini"),
        ] { #expect(relative(value, truth[key]!.double!) < 1e-6, "\(name) \(key)") }
        #expect(relative(metrics.topDecileCapture, truth["top_decile_capture"]!["share_of_actual"]!.double!) < 1e-9)
      }
    }
  }

  /// The first twenty and what is known of all.
  private func expect(_ values: [Double], _ known: JSONValue, _ what: String) throws {
    for (found, answer) in zip(values, known["first"]?.array ?? []) { #expect(relative(found, answer.double!) < 1e-6, "\(what)") }
    guard let all = known["aggregate"] else { return }
    #expect(values.count == all["n"]?.int, "\(what)")
    for (found, key) in [
      (Summaries.sum(values), "sum"), (Summaries.variance(values).squareRoot(), "sd_ddof1"), (values.min()!, "min"), (values.max()!, "max"),
      (Summaries.median(values), "median"),
    ] { #expect(relative(found, all[key]!.double!) < 1e-6, "\(what) \(key): \(found)") }
  }

  // MARK: Customers

  private static func customers(_ known: Known) throws -> StageResult? {
    let cdnow = known.file.hasPrefix("cdnow")
    guard let rows = cdnow ? purchasesOfCDNOW : sales else { return nil }
    let roles: JSONValue = cdnow
      ? ["customer": "customer", "at": "at", "amount": "spend"] : ["customer": "customer", "at": "at", "amount": "revenue", "order": "invoice"]
    return try runStage(RFM.self, .object(roles.members! + known.rfm.json.members!), [.table(partitions: [("", rows)])])
  }

  private static let purchasesOfCDNOW: [Batch]? = {
    guard let data = LifetimeData.shared("cdnow/CDNOW_sample.txt") else { return nil }
    var (ids, days, amounts): ([Int32], [Int32], [Int64]) = ([], [], [])
    for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: " ")
      let date = Int(fields[2])!
      ids.append(Int32(fields[1])!)
      days.append(Int32(CivilDate(year: date / 10_000, month: date / 100 % 100, day: date % 100).days))
      amounts.append(Int64((Double(fields[4])! * 100).rounded()))
    }
    return [batch(("customer", .full(.int32, ids)), ("at", .full(.date, days)), ("spend", .full(.decimal(precision: 8, scale: 2), amounts)))]
  }()

  private static let sales: [Batch]? = {
    guard let rows = OnlineRetail.rows else { return nil }
    guard
      let clean = try? runStage(
        Clean.self,
        ["require": ["customer"], "keep": ["NOT starts_with(invoice, 'C')", "quantity > 0", "price > 0"], "distinct": true],
        [.table(partitions: [("", rows)])]),
      let valued = try? runStage(
        FeatureEngineer.self, ["derive": ["revenue": "quantity * price"]],
        [.table(partitions: clean.context.tables.filter { $0.output == "table" }.map { (key: $0.partition, batches: $0.batches) })])
    else { preconditionFailure("the sales of Online Retail II were not made") }
    return [valued.table()]
  }()
}
