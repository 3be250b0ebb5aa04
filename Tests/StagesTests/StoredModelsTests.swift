import Columns
import Models
import Pipelines
import Statistics
import Testing

@testable import Stages

/// Every model of purchases and contracts from a document: fitted, with a prior, stored as text, used.
@Suite struct StoredModelsTests {
  /// 900 customers of twelve periods, who buy in whole periods and stay or leave: histories that all kinds take.
  static let customers: Batch = {
    var random = RandomStream(seed: 23)
    var (id, x, tx, m) = ([Int64](), [Int64?](), [Double?](), [Double?]())
    for i in 0..<900 {
      let (p, θ) = (random.beta(1.2, 1.5), random.beta(0.8, 6))
      var (count, last, now) = (0, 0, 0)
      while now < 12, random.uniform() >= θ {
        now += 1
        if random.uniform() < p { (count, last) = (count + 1, now) }
      }
      id.append(Int64(i))
      x.append(Int64(count))
      tx.append(Double(last))
      m.append(count > 0 ? 5 + 40 * random.uniform() : 0)
    }
    return LifetimeData.customers(id, x, tx, x.map { _ in 12 }, m)
  }()

  static let kinds = FittedModel.Kind.ofPurchases.map(\.rawValue)

  private func settings(_ model: String, _ more: [JSONMember] = []) -> JSONValue {
    .object([JSONMember("model", .string(model))] + (model.hasSuffix("-k") ? [JSONMember("k", 2)] : []) + more)
  }

  private func fit(_ settings: JSONValue) throws -> JSONValue {
    try #require(try runRoom(Fit.self, settings, ["customers": .table(Self.customers, timeUnit: .month)]).documents["model"])
  }

  /// From the text of the document come the very bits of the run that made it; a new customer is one without a history.
  @Test(arguments: kinds) func theSameBits(model: String) throws {
    let document = try fit(settings(model)), spend = try fit(["model": "gamma-gamma"])
    #expect(Self.kinds.count == 8)
    #expect(document["converged"] == true && document["units"] == ["time": "month"])
    let count = FittedModel.Kind(rawValue: model)!.parameterNames.count
    #expect(document["covariance"]?.array?.count == count)
    let (ll, n) = (document["log_likelihood"]!.double!, Double(count))
    #expect(relative(document["aic"]!.double!, 2 * n - 2 * ll) < 1e-13)
    #expect(relative(document["bic"]!.double!, n * Portable.log(900) - 2 * ll) < 1e-13)
    // Regular buyers cost a sum over each purchase to come: few of them.
    let isRegular = model.hasSuffix("-k")
    func predict(_ document: JSONValue, _ spend: JSONValue) throws -> RoomRun {
      try runRoom(
        Predict.self,
        ["horizon": "6 months", "discount": "1%/month", "chance": true, "counts": 3, "interval": 0.9, "residual": true],
        [
          "customers": .table(isRegular ? Self.customers.slice(0..<12) : Self.customers, timeUnit: .month), "purchases": .document(document, about: "model:\(model)"),
          "spend": .document(spend, about: "model:gamma-gamma"),
        ])
    }
    func stored(_ document: JSONValue) throws -> JSONValue { try JSONReader.read(Array(document.canonical.utf8), file: "model").value }
    let (run, again) = (try predict(document, spend), try predict(stored(document), stored(spend)))
    let (table, other) = (try #require(run.tables["table"]), try #require(again.tables["table"]))
    #expect(table.schema.names.suffix(5) == ["expected_spend", "clv", "clv_low", "clv_high", "residual_value"])
    for name in table.schema.names.dropFirst(5) {
      #expect(table[name].doubles().map(\.bitPattern) == other[name].doubles().map(\.bitPattern), "\(name)")
      #expect(table[name].doubles().allSatisfy { $0 >= 0 && $0 < .infinity }, "\(name)")
    }
    #expect(again.documents["new_customer"] == run.documents["new_customer"])
    // Whatever is still to come is worth more than what comes in half a year.
    #expect(zip(table["clv"].doubles(), table["residual_value"].doubles()).allSatisfy { $0 <= $1 })
    let predictor = PurchaseModel(rawValue: model)!.predictor(
      FittedModel.Kind(rawValue: model)!.parameterNames.map { document["parameters"]![$0]!.double! }, stages: 2)
    let new = try #require(run.documents["new_customer"])
    #expect(relative(new["expected_purchases"]!.double!, predictor.expectedPurchases(by: 6)) < 1e-15)
    #expect((new["p_purchase"]!.double! - (1 - predictor.probability(ofPurchases: 0, by: 6))).magnitude < 1e-15)
    #expect(new["clv"]!.double! > 0 && new["clv"]!.double! < new["expected_spend"]!.double! * new["expected_purchases"]!.double!)
  }

  /// A weak prior moves parameters a little and ℓ hardly; the document says that there was one.
  @Test(arguments: kinds) func weakPriors(model: String) throws {
    let plain = try fit(settings(model)), held = try fit(settings(model, [JSONMember("prior", "weak")]))
    #expect(held["prior"] == ["spread": 3] && plain["prior"] == nil && held["converged"] == true)
    #expect(held["log_likelihood"]!.double! <= plain["log_likelihood"]!.double! + 1e-9)
    #expect(held["log_likelihood"]!.double! > plain["log_likelihood"]!.double! - 0.5)
    #expect(held["parameters"] != plain["parameters"])
  }

  /// BG/BB of the donors of Fader, Hardie & Shang 2010, a row for each history.
  @Test func donors() throws {
    let rows: [(x: Int64, tx: Int64, donors: Double)] = [
      (6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129), (5, 5, 335), (4, 5, 284), (3, 5, 225), (2, 5, 173),
      (1, 5, 119), (4, 4, 240), (3, 4, 181), (2, 4, 155), (1, 4, 78), (3, 3, 322), (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277),
      (1, 1, 1091), (0, 0, 3464),
    ]
    let donors = batch(
      ("frequency", .int64s(rows.map { $0.x })), ("recency", .int64s(rows.map { $0.tx })), ("age", .int64s(rows.map { _ in 6 })),
      ("donors", .full(.float64, rows.map { $0.donors })))
    let document = try #require(
      try runRoom(Fit.self, ["model": "bg-bb", "weight": "donors"], ["customers": .table(donors, timeUnit: .year)]).documents["model"])
    #expect((document["log_likelihood"]!.double! + 33225.6).magnitude < 0.05 && document["observations"] == 11104)
    for (name, known) in [("alpha", 1.204), ("beta", 0.750), ("gamma", 0.657), ("delta", 2.783)] {
      #expect((document["parameters"]![name]!.double! - known).magnitude < 6e-4, "\(name)")
    }
    let run = try runRoom(
      Predict.self, ["horizon": "5 years", "interval": 0.9],
      ["customers": .table(donors, timeUnit: .year), "purchases": .document(document, about: "model:bg-bb")])
    let table = try #require(run.tables["table"])
    let expected = table["expected_purchases"].doubles()
    #expect((expected[0] - 3.75).magnitude < 0.006 && (expected[21] - 0.07).magnitude < 0.006)
    #expect(table["purchases_high"].doubles()[0] == 5 && table["purchases_low"].doubles()[21] == 0)
  }
}
