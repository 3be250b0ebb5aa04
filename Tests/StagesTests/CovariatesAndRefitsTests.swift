import Columns
import Models
import Pipelines
import Statistics
import Testing

@testable import Stages

/// Covariates through fit and predict, and fits that begin where another ended.
@Suite struct CovariatesAndRefitsTests {
  /// 3,000 customers, two of five of whom are members, who buy twice as often and stay less.
  static let customers: Batch = {
    var random = RandomStream(seed: 17)
    var (x, tx, T, member, id) = ([Int64?](), [Double?](), [Double?](), [Bool?](), [Int64]())
    for i in 0..<3000 {
      let isMember = i % 5 < 2
      let age = 60 + (random.uniform() * 60).rounded(.down)
      let rate = random.gamma(shape: 0.8, rate: isMember ? 5 : 10), p = random.beta(isMember ? 1.2 : 0.6, isMember ? 6 : 3)
      var (now, last, count) = (0.0, 0.0, 0)
      while true {
        now += random.exponential(rate: rate)
        if now > age { break }
        (last, count) = (now, count + 1)
        if random.uniform() < p { break }
      }
      id.append(Int64(i))
      x.append(Int64(count))
      tx.append(last)
      T.append(age)
      member.append(isMember)
    }
    let plain = LifetimeData.customers(id, x, tx, T, x.map { $0! > 0 ? 20 : 0 })
    return Batch(
      schema: Schema(plain.schema.fields + [Field("member", .bool)]), columns: plain.schema.names.map { plain[$0] } + [.bools(member)],
      count: 3000)
  }()

  private func fit(_ settings: JSONValue, _ more: KeyValuePairs<String, RoomInput> = [:]) throws -> RoomRun {
    if let earlier = more.first { return try runRoom(Fit.self, settings, ["customers": .table(Self.customers, timeUnit: .week), earlier.key: earlier.value]) }
    return try runRoom(Fit.self, settings, ["customers": .table(Self.customers, timeUnit: .week)])
  }

  static let models = CovariateFit.models.map(\.rawValue)

  private func settings(_ model: String, _ more: JSONMember...) -> JSONValue {
    .object([JSONMember("model", .string(model))] + (model.hasSuffix("-k") ? [JSONMember("k", 2)] : []) + more)
  }

  @Test(arguments: models)
  func members(model: String) throws {
    #expect(Self.models.count == 6)
    let document = try #require(try fit(settings(model, JSONMember("covariates", ["member"]))).documents["model"])
    let told = try #require(document["covariates"])
    let names = FittedModel.Kind(rawValue: model)!.parameterNames, leaves = model != "nbd", n = names.count, effects = leaves ? 2 : 1
    #expect(document["converged"] == true && document["parameters"]?.members?.map(\.key) == names)
    #expect((told["dropout"] != nil) == leaves && told["covariance"]?.array?.count == n + effects)
    // ln 2 more purchases; errors belong to it.
    // Where nobody leaves it is those who stay longer that buy less.
    let (effect, error) = (told["purchases"]!["member"]!.double!, told["standard_errors"]!["purchases"]!["member"]!.double!)
    if leaves { #expect((effect - 0.693).magnitude < 4 * error && error < 0.2, "\(effect) ± \(error)") }
    #expect(told["likelihood_ratio"]!["degrees"]!.int == effects)
    if leaves {
      #expect(told["likelihood_ratio"]!["p"]!.double! < 1e-6)
      #expect(document["log_likelihood"]!.double! > told["likelihood_ratio"]!["without"]!.double! + 10)
    }

    // Each customer is predicted by its own parameters.
    // Regular buyers cost a sum over each purchase to come: few of them.
    let rows = model.hasSuffix("-k") ? 15 : 50
    let some = Self.customers.slice(0..<rows)
    func predict(_ batch: Batch, _ document: JSONValue) throws -> Batch {
      let run = try runRoom(
        Predict.self, ["horizon": "26 weeks", "discount": "10%/year", "interval": 0.9, "chance": true],
        [
          "customers": .table(batch, timeUnit: .week), "purchases": .document(document, about: "model:\(model)"), "spend": PredictTests.cdnowSpend,
        ])
      return try #require(run.tables["table"])
    }
    let table = try predict(some, document)
    let base = names.map { document["parameters"]![$0]!.double! }
    for row in 0..<rows {
      let z = row % 5 < 2 ? 1.0 : 0
      let own = zip(CovariateFit.rows(PurchaseModel(rawValue: model)!, [z]), base).map { map, p in
        p * Portable.exp(map[n] * told["purchases"]!["member"]!.double! + (leaves ? map[n + 1] * told["dropout"]!["member"]!.double! : 0))
      }
      let predictor = PurchaseModel(rawValue: model)!.predictor(own, stages: document["k"]?.int ?? 1)
      let cells = ["frequency", "recency", "age"].map { some[$0].doubles()[row] }
      let expected = predictor.expectedPurchases(x: cells[0], tx: cells[1], T: cells[2], within: 26)
      #expect(relative(table["expected_purchases"].doubles()[row], expected) < 1e-12)
    }
    #expect(zip(table["purchases_low"].doubles(), table["purchases_high"].doubles()).allSatisfy { $0 <= $1 })
    let alone = try predict(some.slice(7..<8), document)
    let stored = try predict(some, try JSONReader.read(Array(document.canonical.utf8), file: "model").value)
    for name in table.schema.names.dropFirst(6) {
      #expect(alone[name].doubles()[0] == table[name].doubles()[7], "\(name)")
      #expect(stored[name].doubles().map(\.bitPattern) == table[name].doubles().map(\.bitPattern), "\(name)")
    }
  }

  /// A row that stands for three members is three members.
  @Test func weighted() throws {
    let all = Self.customers.slice(0..<900)
    let weights = (0..<900).map { Double($0 % 3 + 1) }, rows = (0..<900).flatMap { [Int32](repeating: Int32($0), count: $0 % 3 + 1) }
    func add(_ batch: Batch, _ weights: [Double]) -> Batch {
      Batch(schema: Schema(batch.schema.fields + [Field("weight", .float64)]), columns: batch.columns + [.full(.float64, weights)], count: batch.count)
    }
    let repeated = Batch(schema: all.schema, columns: all.columns.map { $0.gather(rows) }, count: rows.count)
    func fit(_ batch: Batch, _ weighted: Bool) throws -> JSONValue {
      let settings: JSONValue = weighted ? ["model": "bg-nbd", "covariates": ["member"], "weight": "weight"] : ["model": "bg-nbd", "covariates": ["member"]]
      return try #require(try runRoom(Fit.self, settings, ["customers": .table(batch, timeUnit: .week)]).documents["model"])
    }
    let (a, b) = (try fit(add(all, weights), true), try fit(add(repeated, rows.map { _ in 1 }), false))
    #expect(a["observations"] == b["observations"] && relative(a["log_likelihood"]!.double!, b["log_likelihood"]!.double!) < 1e-12)
    for name in ["purchases", "dropout"] {
      #expect((a["covariates"]![name]!["member"]!.double! - b["covariates"]![name]!["member"]!.double!).magnitude < 1e-7)
    }
  }

  /// The same maximum from an earlier fit, in fewer passes.
  @Test(arguments: FittedModel.Kind.ofPurchases.map(\.rawValue), [[], ["member"]])
  func refits(model: String, covariates: [String]) throws {
    if !covariates.isEmpty, !Self.models.contains(model) { return }
    let isPeriodic = model == "sbg" || model == "bg-bb"
    let customers = isPeriodic ? StoredModelsTests.customers : Self.customers
    let settings = covariates.isEmpty ? settings(model) : settings(model, JSONMember("covariates", ["member"]))
    func fit(_ count: Int, _ earlier: JSONValue?) throws -> RoomRun {
      let table = RoomInput.table(customers.slice(0..<count), timeUnit: isPeriodic ? .month : .week)
      guard let earlier else { return try runRoom(Fit.self, settings, ["customers": table]) }
      return try runRoom(Fit.self, settings, ["customers": table, "earlier": .document(earlier, about: "model:\(model)")])
    }
    let cold = try fit(customers.count, nil)
    let warm = try fit(customers.count, try #require(try fit(customers.count * 5 / 6, nil).documents["model"]))
    let (a, b) = (cold.documents["model"]!, warm.documents["model"]!)
    #expect(b["converged"] == true)
    #expect((a["log_likelihood"]!.double! - b["log_likelihood"]!.double!).magnitude < 1e-8)
    // As far as the likelihood tells parameters apart: those of dropout in Pareto/NBD least.
    let bound = model == "pareto-nbd" ? 1e-5 : covariates.isEmpty && ["bg-nbd", "mbg-nbd", "nbd"].contains(model) ? 1e-8 : 1e-7
    for member in a["parameters"]!.members! {
      #expect(relative(b["parameters"]![member.key]!.double!, member.value.double!) < bound, "\(member.key)")
    }
    for name in ["purchases", "dropout"] {
      for member in a["covariates"]?[name]?.members ?? [] {
        #expect((b["covariates"]![name]![member.key]!.double! - member.value.double!).magnitude < 1e-6, "\(member.key)")
      }
    }
    #expect(b["evaluations"]!.int! < a["evaluations"]!.int!, "\(b["evaluations"]!) after \(a["evaluations"]!)")
  }

  @Test func spendRefits() throws {
    guard let (customers, _) = LifetimeData.cdnow else { return }
    func fit(_ batch: Batch, _ earlier: JSONValue?) throws -> JSONValue {
      guard let earlier else { return try runRoom(Fit.self, ["model": "gamma-gamma"], ["customers": .table(batch)]).documents["model"]! }
      return try runRoom(
        Fit.self, ["model": "gamma-gamma"], ["customers": .table(batch), "earlier": .document(earlier, about: "model:gamma-gamma")]
      ).documents["model"]!
    }
    let warm = try fit(customers, try fit(customers.slice(0..<2000), nil)), cold = try fit(customers, nil)
    for name in ["p", "q", "v"] { #expect(relative(warm["parameters"]![name]!.double!, cold["parameters"]![name]!.double!) < 1e-7, "\(name)") }
    #expect(warm["evaluations"]!.int! < cold["evaluations"]!.int!)
  }

  @Test func whatDoesNotFit() throws {
    let document = modelDocument("pareto-nbd", ["r": 1, "alpha": 1, "s": 1, "beta": 1], unit: "week")
    func said(_ settings: JSONValue, _ more: KeyValuePairs<String, RoomInput> = [:]) -> [String] { complaints { try fit(settings, more) } }
    #expect(said(["model": "bg-nbd"], ["earlier": document]) == [
      "input \"earlier\" is not a model that the search could begin from; expected a fitted bg-nbd; found a fitted pareto-nbd"
    ])
    #expect(said(["model": "auto"], ["earlier": document]) == [
      "the models cannot be tried on earlier days without the purchases; expected input \"transactions\"; hint: connect the table that rfm reads as \"transactions\"",
      "\"earlier\" means nothing to auto; expected the name of the earlier model as \"model\"",
    ])
    #expect(said(["model": "pareto-nbd", "unit": "day"], ["earlier": document]) == [
      "the earlier model was fitted to times in weeks, but the customers are measured in days; hint: make both with one \"unit\" of rfm"
    ])
    #expect(said(["model": "bg-bb", "covariates": ["member"]]) == [
      "\"covariates\" means nothing to bg-bb; expected \"model\": \"bg-nbd\" or \"mbg-nbd\" or \"pareto-nbd\" or \"nbd\" or \"bg-cnbd-k\" or \"mbg-cnbd-k\""
    ])
    #expect(said(["model": "bg-nbd", "covariates": ["member", "members", "age"]]) == [
      "input \"customers\" has no column \"members\"; hint: did you mean \"member\"?",
      "\"age\" is read already; expected a column of its own",
    ])
    let plain = LifetimeData.customers([1], [2], [3], [9], [4])
    #expect(
      complaints {
        try runRoom(
          Predict.self, ["horizon": "1 week"],
          [
            "customers": .table(plain, timeUnit: .week),
            "purchases": .document(
              [
                "model": "bg-nbd", "parameters": ["r": 1, "alpha": 1, "a": 1, "b": 1], "units": ["time": "week"],
                "covariates": ["columns": ["member"], "purchases": ["member": 1], "dropout": ["member": 0]],
              ], about: "model:bg-nbd"),
          ])
      } == ["input \"customers\" has no column \"member\"; hint: known: customer, frequency, recency, age, monetary"])
  }
}
