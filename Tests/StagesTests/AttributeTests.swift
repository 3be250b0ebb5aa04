import Columns
import Foundation
import Models
import Pipelines
import Statistics
import Testing

@testable import Stages

/// Value from attributes: fit → predict → evaluate, against scikit-learn and XGBoost's own Python.
@Suite struct AttributeTests {
  static let trees: Bool = {
    do {
      _ = try BoostedTrees.libraryVersion()
      return true
    } catch {
      print("note: \((error as? BoostedTrees.Failure)?.words ?? ""); models of trees were not tried")
      return false
    }
  }()

  static let kinds = AttributeModel.Kind.allCases.filter { trees || !$0.isTrees }.map(\.rawValue)

  /// Rows of ReferenceValues/attributes.json, every fifth marked as held out; a few cells are missing.
  static func customers(missing: Bool = false) throws -> Batch {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("ReferenceValues/attributes.json")
    let rows = try JSONReader.read([UInt8](Data(contentsOf: file)), file: "attributes.json").value["synthetic"]!["rows"]!.array!.map { $0.array! }
    func numbers(_ at: Int) -> [Double?] { rows.enumerated().map { missing && ($0.offset + at) % 37 == 0 ? nil : $0.element[at].double } }
    func texts(_ at: Int) -> [String?] { rows.enumerated().map { missing && ($0.offset + at) % 41 == 0 ? nil : $0.element[at].string } }
    return batch(
      ("customer", .int64s(rows.indices.map { Int64($0 + 1) })), ("income", .float64s(numbers(0))),
      ("policies", .int32s(rows.map { $0[1].int.map(Int32.init) })), ("claims", .float64s(numbers(2))), ("coverage", .strings(texts(3))),
      ("region", .strings(texts(4))), ("value", .float64s(rows.map { $0[5].double })), ("held_out", .bools(rows.indices.map { $0 % 5 == 4 })))
  }

  static let features: JSONValue = ["income", "policies", "claims", "coverage", "region"]

  static func fit(_ model: String, _ customers: Batch, _ more: [JSONMember] = [], width: Int = 2) throws -> RoomRun {
    let own = JSONValue.object([JSONMember("target", "value"), JSONMember("features", features), JSONMember("test", "held_out")] + more)
    return try runRoom(Fit.self, ["model": .string(model), "attributes": own], ["customers": .table(customers)], width: width)
  }

  static func predict(_ document: JSONValue, _ customers: Batch, _ settings: JSONValue = [:]) throws -> RoomRun {
    try runRoom(
      Predict.self, settings,
      ["customers": .table(customers), "value": .document(document, about: "model:\(document["model"]!.string!)")])
  }

  /// The document goes through its text, as from a store.
  @Test(arguments: kinds) func aStoredModelPredictsTheSameBits(model: String) throws {
    let customers = try Self.customers(missing: true)
    let run = try Self.fit(model, customers, [JSONMember("missing", "mean"), JSONMember("folds", 3)])
    let document = run.documents["model"]!
    let stored = try JSONReader.read(Array(document.canonical.utf8), file: "model").value
    let rows = (0..<customers.count).filter { $0 % 5 == 4 }.map(Int32.init)
    let held = run.tables["held_out"]!, values = try Self.predict(stored, customers.gather(rows)).tables["table"]!
    #expect(held.schema.names == ["customer", "actual", "predicted"])
    #expect(held["customer"].doubles() == values["customer"].doubles())
    #expect(held["predicted"].doubles().map(\.bitPattern) == values["predicted_value"].doubles().map(\.bitPattern))
    #expect(held["predicted"].nullCount == 0)
    // The same at any width, document and all.
    #expect(try Self.fit(model, customers, [JSONMember("missing", "mean"), JSONMember("folds", 3)], width: 1).documents["model"] == document)
    #expect(document["cross_validation"]?["folds"] == 3)
    let told = document["importance"]!.array!.map { $0["feature"]!.string! }
    #expect(Set(told) == ["income", "policies", "claims", "coverage", "region"])
    // Errors are those that evaluate finds.
    let score = try runRoom(Evaluate.self, [:], ["predicted": .table(held)]).documents["metrics"]!
    for name in ["mae", "wape", "rmse", "r2", "gini_normalized"] { #expect(document["test"]?[name] == score["value"]?[name], "\(name)") }
    #expect(score["customers"] == 60)
  }

  @Test(arguments: kinds.filter { $0 != "zero-inflated-lognormal" }) func contributionsAddUp(model: String) throws {
    let customers = try Self.customers()
    let document = try Self.fit(model, customers).documents["model"]!
    let run = try Self.predict(document, customers, ["column": "worth", "explain": ["income", "coverage"]])
    let table = run.tables["table"]!
    #expect(table.schema.names.suffix(5) == ["worth", "contribution_base", "contribution_income", "contribution_coverage", "contribution_rest"])
    func cells(_ name: String) -> [Double] { table[name].doubles() }
    let sums = (0..<table.count).map { row in ["base", "income", "coverage", "rest"].reduce(0) { $0 + cells("contribution_" + $1)[row] } }
    let isLog = model == "poisson" || model == "tweedie"
    for (sum, value) in zip(sums, cells("worth")) { #expect((sum - (isLog ? log(value) : value)).magnitude < 2e-3) }
    #expect(relative(run.metrics["worth"]!.double!, cells("worth").reduce(0, +)) < 1e-12)
  }

  @Test func refitUsesAllRows() throws {
    let customers = try Self.customers()
    let plain = try Self.fit("ols", customers).documents["model"]!, again = try Self.fit("ols", customers, [JSONMember("refit", true)]).documents["model"]!
    #expect(plain["observations"] == 240 && again["observations"] == 300)
    #expect(plain["test"] == again["test"])
    let all = try runRoom(Fit.self, ["model": "ols", "attributes": ["target": "value", "features": Self.features]], ["customers": .table(customers)])
    #expect(all.documents["model"]?["coefficients"] == again["coefficients"])
    #expect(all.documents["model"]?["test"] == nil && all.tables["held_out"] == nil)
  }

  @Test(arguments: [
    ("usual", "60 values", ["2 rows have a level of \"region\" that the model was not fitted to: \"moon\", \"sea\""]),
    ("null", "58 values", ["2 rows have a level of \"region\" that the model was not fitted to: \"moon\", \"sea\"", "2 of 60 rows get no prediction: a feature is missing or of an unknown level"]),
    ("error", "2 rows have a level of \"region\" that the model was not fitted to: \"moon\", \"sea\"; hint: fit again, or with another \"unseen\"", []),
  ]) func levelsThatComeLater(unseen: String, outcome: String, warnings: [String]) throws {
    let customers = try Self.customers()
    let document = try Self.fit("ols", customers, [JSONMember("unseen", .string(unseen))]).documents["model"]!
    let later = customers.slice(0..<60)
    var regions: [String?] = (0..<60).map { later["region"].text.string($0) }
    (regions[3], regions[9]) = ("sea", "moon")
    let at = later.schema.index(of: "region")!
    let changed = Batch(schema: later.schema, columns: later.columns.enumerated().map { $0.offset == at ? .strings(regions) : $0.element }, count: 60)
    do {
      let run = try Self.predict(document, changed)
      #expect("\(60 - run.tables["table"]!["predicted_value"].nullCount) values" == outcome)
      #expect(run.warnings == warnings)
    } catch {
      #expect(complaints { throw error } == [outcome])
    }
  }

  // MARK: The insurer

  static let insurer: Batch? = {
    guard let data = LifetimeData.shared("ibm_customer_value/WA_Fn-UseC_-Marketing-Customer-Value-Analysis.csv") else { return nil }
    let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    var columns = lines[0].enumerated().map { at, name -> (String, Column) in
      let cells = lines.dropFirst().map { $0[at] }
      let numbers = cells.map(Double.init)
      return (name, numbers.contains(nil) ? .strings(cells) : .float64s(numbers))
    }
    columns.append(("log_value", .full(.float64, columns.first { $0.0 == "Customer Lifetime Value" }!.1.doubles().map { Portable.log($0) })))
    columns.append(("held_out", .bools((0..<lines.count - 1).map { $0 % 5 == 4 })))
    return Batch(schema: Schema(columns.map { Field($0.0, $0.1.type) }), columns: columns.map(\.1), count: lines.count - 1)
  }()

  static func reference() throws -> JSONValue {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("ReferenceValues/attributes.json")
    return try JSONReader.read([UInt8](Data(contentsOf: file)), file: "attributes.json").value["ibm"]!
  }

  static func insurerFit(_ model: String, text: Bool, target: String = "Customer Lifetime Value", _ more: [JSONMember] = []) throws -> RoomRun? {
    guard let insurer else { return nil }
    let known = try reference()
    let own: [JSONMember] = [
      JSONMember("target", .string(target)), JSONMember("features", .array(known["numeric"]!.array! + (text ? known["text"]!.array! : []))),
      JSONMember("test", "held_out"), JSONMember("key", "Customer"), JSONMember("importance", 0),
    ]
    return try runRoom(Fit.self, ["model": .string(model), "attributes": .object(own + more)], ["customers": .table(insurer)])
  }

  @Test func leastSquaresOfTheInsurer() throws {
    guard let run = try Self.insurerFit("ols", text: false), let expected = try LifetimeData.expected("ibm_customer_value.json") else { return }
    let document = run.documents["model"]!, known = expected["ols_numeric"]!, own = try Self.reference()["ols"]!
    #expect(relative(document["intercept"]!["estimate"]!.double!, known["intercept"]!.double!) < 1e-8)
    for (at, term) in document["coefficients"]!.array!.enumerated() {
      #expect(relative(term["estimate"]!.double!, known["coefficients"]![term["feature"]!.string!]!.double!) < 1e-8)
      #expect(relative(term["standard_error"]!.double!, own["errors"]!.array![at + 1].double!) < 1e-8)
    }
    #expect(relative(document["r2"]!.double!, known["r2_train"]!.double!) < 1e-8)
    for name in ["r2", "rmse", "mae"] { #expect(relative(document["test"]![name]!.double!, known[name + "_test"]!.double!) < 1e-8, "\(name)") }
    let predicted = run.tables["held_out"]!["predicted"].doubles()
    for (found, answer) in zip(predicted, known["test_predictions_first20"]!.array!) { #expect(relative(found, answer.double!) < 1e-8) }
  }

  @Test func leastSquaresOfTheLogarithm() throws {
    guard let run = try Self.insurerFit("ols", text: false, target: "log_value"), let expected = try LifetimeData.expected("ibm_customer_value.json") else {
      return
    }
    let document = run.documents["model"]!, known = expected["ols_numeric_log_target"]!
    #expect(relative(document["intercept"]!["estimate"]!.double!, known["intercept"]!.double!) < 1e-8)
    for term in document["coefficients"]!.array! {
      #expect(relative(term["estimate"]!.double!, known["coefficients"]![term["feature"]!.string!]!.double!) < 1e-8)
    }
    #expect(relative(document["r2"]!.double!, known["r2_train"]!.double!) < 1e-8)
    for name in ["r2", "rmse", "mae"] { #expect(relative(document["test"]![name]!.double!, known[name + "_test"]!.double!) < 1e-8, "\(name)") }
    let predicted = run.tables["held_out"]!["predicted"].doubles()
    for (found, answer) in zip(predicted, known["test_predictions_first20"]!.array!) { #expect(relative(found, answer.double!) < 1e-8) }
    #expect(document["units"] == ["value": "log_value"] && document["settings"] == ["seed": 1, "test": "held_out", "refit": false])
  }

  /// Policy determines Policy Type: two columns say nothing new.
  @Test func oneHotLeastSquaresOfTheInsurer() throws {
    guard let run = try Self.insurerFit("ols", text: true), let expected = try LifetimeData.expected("ibm_customer_value.json") else { return }
    let document = run.documents["model"]!, known = expected["ols_numeric_and_one_hot"]!
    #expect(document["coefficients"]!.array!.count == 50)
    #expect(run.warnings == [
      "ols: 2 columns depend on those before and have no coefficients of their own: Policy = Personal L3, Policy = Special L3"
    ])
    #expect(relative(document["r2"]!.double!, known["r2_train"]!.double!) < 1e-8)
    for name in ["r2", "rmse", "mae"] { #expect(relative(document["test"]![name]!.double!, known[name + "_test"]!.double!) < 1e-8, "\(name)") }
    let predicted = run.tables["held_out"]!["predicted"].doubles()
    for (found, answer) in zip(predicted, known["test_predictions_first20"]!.array!) { #expect(relative(found, answer.double!) < 1e-8) }
  }

  @Test(arguments: [
    ("gradient-boosting", "boosting", ["count": 200, "depth": 4, "learningRate": 0.1] as [String: Double]), ("random-forest", "forest", ["count": 50]),
  ]) func treesOfTheInsurer(model: String, name: String, trees: [String: Double]) throws {
    guard Self.trees else { return }
    let settings = JSONValue.object(trees.sorted { $0.key < $1.key }.map { JSONMember($0.key, .double($0.value)) })
    guard let run = try Self.insurerFit(model, text: true, [JSONMember("trees", settings)]) else { return }
    let known = try Self.reference()[name]!, test = run.documents["model"]!["test"]!
    for name in ["mae", "rmse", "r2"] { #expect(relative(test[name]!.double!, known[name]!.double!) < 0.01, "\(name)") }
    #expect(test["r2"]!.double! > 0.6)
  }
}
