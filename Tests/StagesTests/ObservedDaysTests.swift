import Columns
import Diagnostics
import Models
import Pipelines
import Testing

@testable import Stages

/// Which days a model has seen: in its document, and said where customers are known up to an earlier day.
@Suite struct ObservedDaysTests {
  /// 40 customers; of each first to last day a purchase every 40 days or so.
  private static let purchases: Batch = {
    var (ids, days, amounts): ([Int64], [Int32], [Int64]) = ([], [], [])
    for customer in 0..<40 {
      for at in 0...(customer % 7) {
        ids.append(Int64(customer))
        days.append(Int32(14_610 + customer * 3 + at * (23 + customer % 11)))  // from 2010-01-01
        amounts.append(Int64(10 + (customer * 7 + at * 3) % 23))
      }
    }
    return batch(("customer", .int64s(ids)), ("at", .full(.date, days)), ("amount", .int64s(amounts)))
  }()

  private static func customers(_ unit: String, until: String) throws -> Batch {
    try runRoom(
      RFM.self, ["customer": "customer", "at": "at", "amount": "amount", "unit": .string(unit), "until": .string(until)],
      ["table": .table(purchases)]
    ).tables["table"]!
  }

  private static func unit(_ name: String) -> Duration.Unit { Duration.Unit(rawValue: name)! }

  @Test(arguments: ["day", "week", "month", "year"]) func ofEveryUnit(unit: String) throws {
    for until in ["2010-09-30", "2012-02-29"] {
      let customers = try Self.customers(unit, until: until)
      for model in ["bg-nbd", "gamma-gamma"] {
        let run = try runRoom(
          Fit.self, ["model": .string(model), "prior": model == "bg-nbd" ? "weak" : "none"], ["customers": .table(customers, timeUnit: Self.unit(unit))])
        let document = try #require(run.documents["model"])
        // Spend ends with the last purchase, whatever the unit and the end are.
        let last = CivilDate(days: Int(customers["last"].doubles().max()!)).description
        #expect(document["data"]?["observed"] == ["from": "2010-01-01", "until": .string(model == "bg-nbd" ? until : last)])
        #expect(try FittedModel(document, port: "purchases", among: FittedModel.Kind.allCases).observed?.json == document["data"]?["observed"])
        #expect(run.binding.reads == [.init("customers", .named(model == "bg-nbd" ? ["age", "first", "frequency", "recency"] : ["first", "frequency", "last", "monetary"]))])
      }
    }
  }

  /// A model of value from attributes, too: to the end of the observation where the table says the unit of its ages, else to the last purchase.
  @Test(arguments: [true, false]) func ofAttributes(isTimed: Bool) throws {
    let until = "2012-02-29"
    let customers = try Self.customers("week", until: until)
    let settings: JSONValue = ["model": "ols", "attributes": ["target": "revenue", "features": ["frequency"]]]
    func fit(_ customers: Batch) throws -> RoomRun {
      try runRoom(Fit.self, settings, ["customers": .table(customers, timeUnit: isTimed ? .week : nil)])
    }
    let run = try fit(customers)
    let last = CivilDate(days: Int(customers["last"].doubles().max()!)).description
    #expect(run.documents["model"]?["data"]?["observed"] == ["from": "2010-01-01", "until": .string(isTimed ? until : last)])
    #expect(run.binding.reads == [.init("customers", .named((isTimed ? ["age"] : []) + ["first", "frequency"] + (isTimed ? [] : ["last"]) + ["revenue"]))])
    let names = ["customer", "frequency", "revenue"]
    let without = Batch(schema: customers.schema.selecting(names), columns: names.map { customers[$0] }, count: customers.count)
    let other = try #require(try fit(without).documents["model"])
    #expect(other["data"]?["observed"] == .null && other["data"]?["digest"] == run.documents["model"]?["data"]?["digest"])
  }

  /// Nothing is said where nothing is known; documents of old, which have no such member, are read as before.
  @Test func whereNothingIsKnown() throws {
    let customers = try Self.customers("week", until: "2010-09-30")
    func without(_ name: String) -> Batch {
      let names = customers.schema.names.filter { $0 != name }
      return Batch(schema: customers.schema.selecting(names), columns: names.map { customers[$0] }, count: customers.count)
    }
    let document = try #require(
      try runRoom(Fit.self, ["model": "bg-nbd", "prior": "weak"], ["customers": .table(without("first"), timeUnit: .week)]).documents["model"])
    #expect(document["data"]?["observed"] == .null)
    let told = try #require(
      try runRoom(Fit.self, ["model": "bg-nbd", "prior": "weak"], ["customers": .table(customers, timeUnit: .week)]).documents["model"])
    #expect(document["data"]?["digest"] == told["data"]?["digest"] && document["parameters"] == told["parameters"])
    let spend = try #require(try runRoom(Fit.self, ["model": "gamma-gamma"], ["customers": .table(without("last"))]).documents["model"])
    #expect(spend["data"]?["observed"] == .null)
    for old in [document, JSONValue.object(document.members!.filter { $0.key != "data" })] {
      #expect(try FittedModel(old, port: "purchases", among: [.bgNBD]).observed == nil)
      let run = try runRoom(
        Predict.self, ["horizon": "4 weeks"], ["customers": .table(customers, timeUnit: .week), "purchases": .document(old, about: "model:bg-nbd")])
      #expect(run.warnings == [])
    }
  }

  /// A model that has seen what it is asked to foretell says so; one that ends with the customers, or before, does not.
  @Test func whatWasSeenAlready() throws {
    func predict(_ until: String, fittedTo later: String) throws -> [String] {
      let known = RoomInput.table(try Self.customers("week", until: until), timeUnit: .week)
      let seen = RoomInput.table(try Self.customers("week", until: later), timeUnit: .week)
      let purchases = try runRoom(Fit.self, ["model": "bg-nbd", "prior": "weak"], ["customers": seen]).documents["model"]!
      let spend = try runRoom(Fit.self, ["model": "gamma-gamma"], ["customers": known]).documents["model"]!
      return try runRoom(
        Predict.self, ["horizon": "4 weeks"],
        ["customers": known, "purchases": .document(purchases, about: "model:bg-nbd"), "spend": .document(spend, about: "model:gamma-gamma")]
      ).warnings
    }
    #expect(try predict("2010-09-30", fittedTo: "2010-09-30") == [])
    #expect(try predict("2010-12-31", fittedTo: "2010-09-30") == [])
    #expect(
      try predict("2010-09-30", fittedTo: "2010-12-31") == [
        "the model was fitted to days up to 2010-12-31, but the customers are observed up to 2010-09-30: of the days between it has seen what it foretells"
      ])
  }

  @Test func anotherColumn() throws {
    let customers = try Self.customers("week", until: "2010-09-30")
    let names = customers.schema.names.map { $0 == "first" ? "born" : $0 == "last" ? "seen" : $0 }
    let table = Batch(schema: Schema(zip(names, customers.schema.fields).map { Field($0, $1.type) }), columns: customers.columns, count: customers.count)
    func fit(_ first: String) throws -> RoomRun {
      try runRoom(Fit.self, ["model": "bg-nbd", "prior": "weak", "columns": ["first": .string(first)]], ["customers": .table(table, timeUnit: .week)])
    }
    #expect(try fit("born").documents["model"]?["data"]?["observed"] == ["from": "2010-01-01", "until": "2010-09-30"])
    #expect(complaints { try fit("orders") } == ["column \"orders\" of input \"customers\" has a type that does not fit; expected a date; found int64"])
    #expect(complaints { try fit("begun") }.first?.hasPrefix("input \"customers\" has no column \"begun\"") == true)
  }

  /// Days that no calendar has, and ages that are no numbers, do not count.
  @Test func oddDays() {
    let first = Column.full(.date, [Int32.min, 14_610, 14_620, 14_600])
    #expect(ObservedDays(first: first, ages: [3, 10, .infinity, .nan], unit: .day)?.json == ["from": "2010-01-01", "until": "2010-01-11"])
    #expect(ObservedDays(first: first, ages: [.nan, .nan, .nan, .nan], unit: .day) == nil)
    #expect(ObservedDays(["from": "2010-01-01", "until": "2010-02-30"] as JSONValue) == nil && ObservedDays(nil) == nil)
  }
}
