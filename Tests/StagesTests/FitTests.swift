import Columns
import Pipelines
import Testing

@testable import Stages

@Suite struct FitTests {
  @Test func purchasesOfCDNOW() throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let run = try runRoom(Fit.self, ["model": "bg-nbd"], ["customers": .table(customers, timeUnit: .week)])
    let model = try #require(run.documents["model"])
    #expect((model["log_likelihood"]!.double! + 9582.4292).magnitude < 1e-4)
    for (name, value) in [("r", 0.24259), ("alpha", 4.41360), ("a", 0.79292), ("b", 2.42591)] {
      #expect(relative(model["parameters"]![name]!.double!, value) < 1e-4, "\(name)")
    }
    for (name, value) in [("r", 0.0126), ("alpha", 0.3782), ("a", 0.1857), ("b", 0.7054)] {
      #expect(relative(model["standard_errors"]![name]!.double!, value) < 5e-3, "\(name)")
    }
    #expect(model["observations"]?.int == 2357)
    #expect(model["converged"] == true)
    #expect(model["units"] == ["time": "week"])
    #expect(model["left_out"] == [])
    #expect(model["covariance"]?.array?.count == 4)
    #expect(run.metrics["log_likelihood"] == model["log_likelihood"])
    #expect(run.warnings == [])
    #expect(model.members?.map(\.key) == [
      "model", "parameters", "standard_errors", "covariance", "log_likelihood", "aic", "bic", "observations", "left_out",
      "converged", "iterations", "evaluations", "gradient_norm", "units", "diagnoses", "made_by", "data",
    ])
    #expect(run.binding.reads == [.init("customers", .named(["age", "frequency", "recency"]))])
    #expect(run.binding.outputs == [.init("model", .document(about: "model:bg-nbd"))])
  }

  @Test func purchasesOfCDNOWWhereDropoutMayComeAtOnce() throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let run = try runRoom(Fit.self, ["model": "mbg-nbd", "unit": "week"], ["customers": .table(customers)])
    let model = try #require(run.documents["model"])
    #expect((model["log_likelihood"]!.double! + 9582.1357).magnitude < 1e-4)
    #expect(relative(model["parameters"]!["r"]!.double!, 0.52484) < 1e-3)
  }

  @Test func spendOfCDNOW() throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let run = try runRoom(Fit.self, ["model": "gamma-gamma"], ["customers": .table(customers)])
    let model = try #require(run.documents["model"])
    #expect((model["log_likelihood"]!.double! + 4055.9177).magnitude < 1e-4)
    for (name, value) in [("p", 6.24957), ("q", 3.74422), ("v", 15.44353)] {
      #expect(relative(model["parameters"]![name]!.double!, value) < 1e-4, "\(name)")
    }
    #expect(relative(model["population_mean"]!.double!, 35.170371) < 1e-5)
    #expect(model["observations"]?.int == 946)
    #expect(model["left_out"] == [["reason": "no repeat purchase", "customers": 1411]])
    #expect(model["units"] == ["spend": "monetary"])
    // With q = 1 the amounts of a customer would all be the same: n ln c − 2 Σ ln m − n, c the harmonic mean.
    #expect((model["border_log_likelihood"]!.double! + 4274.756072724).magnitude < 1e-6)
    #expect((model["border_statistic"]!.double! - 2 * (4274.756072724 - 4055.917694802)).magnitude < 1e-6)
    #expect(model["diagnoses"] == [])
    #expect(run.binding.reads == [.init("customers", .named(["frequency", "monetary"]))])
  }

  @Test func sameBytesAtAnyWidth() throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let documents = try [1, 8].map { width in
      try runRoom(Fit.self, ["model": "bg-nbd"], ["customers": .table(customers, timeUnit: .week)], width: width).documents["model"]!.canonical
    }
    #expect(documents[0] == documents[1])
  }

  static let few = LifetimeData.customers(
    Array(1...12), Array(repeating: 0, count: 12), Array(repeating: 0, count: 12), Array(repeating: 30, count: 12),
    Array(repeating: 0, count: 12))

  @Test(arguments: [
    (
      "nobody", LifetimeData.customers([], [], [], [], []), "bg-nbd",
      "no model can be fitted: there are no customers"
    ),
    (
      "one customer", few.slice(0..<1), "bg-nbd",
      "BG/NBD cannot be fitted to 1 customer: four parameters need at least 10; hint: take more customers or a longer observation period"
    ),
    (
      "no repeat customers", few, "bg-nbd",
      "BG/NBD cannot be fitted: none of the 12 customers bought again, so nothing is known of rates or dropout; hint: take a longer observation period"
    ),
    (
      "no spend", few, "gamma-gamma",
      "Gamma-Gamma cannot be fitted: only 0 of the 12 customers have a repeat purchase and a positive mean spend; at least 5 are needed; hint: take more customers or a longer observation period"
    ),
    (
      "everything missing", LifetimeData.customers([1, 2], [nil, nil], [0, 0], [1, 1], [0, 0]), "bg-nbd",
      "no model can be fitted: all 2 customers lack a value of \"frequency\", \"recency\", \"age\""
    ),
  ])
  func whatCannotBeFitted(_ name: String, customers: Batch, model: String, message: String) {
    let said = complaints { try runRoom(Fit.self, ["model": .string(model)], ["customers": .table(customers, timeUnit: .day)]) }
    #expect(said == [message], "\(name)")
  }

  @Test func missingValuesAreLeftOutAndTold() throws {
    let n = 40
    let id = (0...n).map { (row: Int) -> Int64 in Int64(row) }
    let x = id.map { (row: Int64) -> Int64? in row == n ? nil : row % 4 }
    let tx = id.map { (row: Int64) -> Double? in Double(row % 4 * (5 + row % 7)) }
    let T = id.map { (row: Int64) -> Double? in Double(40 + row % 5) }
    let customers = LifetimeData.customers(id, x, tx, T, id.map { (_: Int64) -> Double? in 1 })
    let run = try runRoom(Fit.self, ["model": "bg-nbd"], ["customers": .table(customers, timeUnit: .day)])
    #expect(run.documents["model"]?["left_out"] == [["reason": "a value is missing", "customers": 1]])
    #expect(run.documents["model"]?["observations"] == 40)
    #expect(run.warnings.contains("1 customer was left out of the fit: a value is missing"))
  }

  @Test func mistakesOfADocumentAllAtOnce() {
    let table = Batch(
      schema: Schema([Field("frequency", .string), Field("recencys", .float64)]), columns: [.strings([]), .float64s([])], count: 0)
    let said = complaints {
      try runRoom(Fit.self, ["model": "bg-nbd", "columns": ["age": "frequency"]], ["customers": .table(table)])
    }
    #expect(said == [
      "column \"frequency\" of input \"customers\" is not numeric; expected a number type; found string",
      "input \"customers\" has no column \"recency\"; hint: did you mean \"recencys\"?",
      "frequency and age are one column, \"frequency\"; expected two columns",
      "the unit of the customers' times is not known; expected \"unit\": \"day\", \"week\" or another unit of time; hint: only a table that comes straight from rfm says its unit",
    ])
  }

  @Test func aSettingThatContradictsTheTableIsTold() throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    let run = try runRoom(Fit.self, ["model": "bg-nbd", "unit": "day"], ["customers": .table(customers, timeUnit: .week)])
    #expect(run.binding.warnings.map(\.message) == [
      "the customers' times are taken as days, but the stage before measured them in weeks"
    ])
    #expect(run.documents["model"]?["units"] == ["time": "day"])
  }
}
