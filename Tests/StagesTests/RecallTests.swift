import Columns
import Diagnostics
import Foundation
import Models
import Pipelines
import Testing

@testable import Stages

/// A model's document as a file: the same model in another pipeline, and one clear mistake for each file that is none.
@Suite struct RecallTests {
  /// What the stage makes of a file with this text.
  private func recall(_ text: String, name: String = "model.json") throws -> StageResult {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recall-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return try runStage(Recall.self, ["path": .string(name)], [], files: [[SourceFile(name: name, path: file.path)]])
  }

  private static let members = CovariatesAndRefitsTests.customers.slice(0..<600)

  /// A fit of each model, where it can with covariates.
  static let fits: [(name: String, model: String, covariates: Bool)] =
    FittedModel.Kind.ofPurchases.map { ($0.rawValue, $0.rawValue, false) } + CovariateFit.models.map { ("\($0.rawValue) with covariates", $0.rawValue, true) }

  /// From the file comes the document of the store, and with it the very bits of a prediction in the same run.
  @Test(arguments: fits.indices) func theSameBits(at index: Int) throws {
    let (name, model, hasCovariates) = Self.fits[index]
    let isPeriodic = model == "bg-bb" || model == "sbg"
    let customers = isPeriodic ? StoredModelsTests.customers : Self.members
    let table = RoomInput.table(customers, timeUnit: isPeriodic ? .month : .week)
    var settings = [JSONMember("model", .string(model))]
    if model.hasSuffix("-k") { settings.append(JSONMember("k", 2)) }
    if hasCovariates { settings.append(JSONMember("covariates", ["member"])) }
    let fitted = try #require(try runRoom(Fit.self, .object(settings), ["customers": table]).documents["model"])
    let result = try recall(fitted.pretty())
    let recalled = try #require(result.document("model"))
    #expect(recalled.canonical == fitted.canonical, "\(name)")
    #expect(result.binding.outputs.map(\.type) == [.document(about: "model:\(model)")])
    #expect(result.metrics["model"] == .string(model) && result.metrics["made_by"] == "millrace fit \(StoredModel.version)")
    #expect(Fit.contract.version == StoredModel.version)
    let some = RoomInput.table(customers.slice(0..<(model.hasSuffix("-k") ? 8 : 60)), timeUnit: isPeriodic ? .month : .week)
    func predict(_ document: JSONValue) throws -> Batch {
      try #require(
        try runRoom(
          Predict.self, ["horizon": "6 months", "chance": true, "counts": 3, "interval": 0.9],
          ["customers": some, "purchases": .document(document, about: "model:\(model)")]
        ).tables["table"])
    }
    let (own, other) = (try predict(fitted), try predict(recalled))
    for column in own.schema.names.dropFirst(customers.schema.names.count) {
      #expect(own[column].doubles().map(\.bitPattern) == other[column].doubles().map(\.bitPattern), "\(name): \(column)")
    }
    // The search may begin from it.
    let again = try runRoom(
      Fit.self, .object(settings), ["customers": table, "earlier": .document(recalled, about: "model:\(model)")])
    #expect(again.documents["model"]!["evaluations"]!.int! < fitted["evaluations"]!.int!)
  }

  @Test func spendAndAttributes() throws {
    let spend = try #require(try runRoom(Fit.self, ["model": "gamma-gamma"], ["customers": .table(StoredModelsTests.customers)]).documents["model"])
    #expect(try recall(spend.pretty()).document("model")?.canonical == spend.canonical)
    let attributes: JSONValue = ["model": "ridge", "attributes": ["target": "monetary", "features": ["frequency", "recency"]]]
    let value = try #require(try runRoom(Fit.self, attributes, ["customers": .table(StoredModelsTests.customers)]).documents["model"])
    let result = try recall(value.pretty())
    #expect(result.document("model")?.canonical == value.canonical)
    #expect(result.binding.outputs.map(\.type) == [.document(about: "model:ridge")])
    func predict(_ document: JSONValue) throws -> [UInt64] {
      try runRoom(
        Predict.self, [:], ["customers": .table(StoredModelsTests.customers), "value": .document(document, about: "model:ridge")]
      ).tables["table"]!["predicted_value"].doubles().map(\.bitPattern)
    }
    #expect(try predict(value) == predict(result.document("model")!))
  }

  /// Trees, which XGBoost reads without looking: a cell of theirs that changed is a mistake.
  @Test func trees() throws {
    guard AttributeTests.trees else { return }
    let settings: JSONValue = [
      "model": "gradient-boosting", "attributes": ["target": "value", "features": ["income", "coin", "tier"], "importance": 0, "trees": ["count": 8]],
    ]
    let fitted = try #require(try runRoom(Fit.self, settings, ["customers": .table(TreesTests.customers)]).documents["model"])
    let recalled = try #require(try recall(fitted.pretty()).document("model"))
    #expect(recalled.canonical == fitted.canonical)
    func predict(_ document: JSONValue) throws -> [UInt64] {
      try runRoom(
        Predict.self, [:], ["customers": .table(TreesTests.customers), "value": .document(document, about: "model:gradient-boosting")]
      ).tables["table"]!["predicted_value"].doubles().map(\.bitPattern)
    }
    #expect(try predict(fitted) == predict(recalled))
    let text = fitted.pretty(), bytes = try #require(fitted["trees"]?["base64"]?.string), middle = bytes.index(bytes.startIndex, offsetBy: bytes.count / 2)
    let other = bytes[..<middle] + (bytes[middle] == "A" ? "B" : "A") + bytes[bytes.index(after: middle)...]
    let said = complaints { try recall(text.replacingOccurrences(of: bytes, with: other)) }
    #expect(said.count == 1 && said[0].hasPrefix("the file is not a model of value from attributes that can be used; expected \"trees\" as their \"digest\" says; found the text"))
    let digest = try #require(fitted["trees"]?["digest"]?.string)
    #expect(complaints { try recall(text.replacingOccurrences(of: "\"digest\": \"\(digest)\",", with: "")) }.first?.hasPrefix(
      "the trees have no digest, so that damage would not show; expected a member \"digest\"; found an object") == true)
    #expect(complaints { try recall(text.replacingOccurrences(of: bytes, with: String(bytes.prefix(100)))) }.count == 1)
  }

  /// `check` opens no file, and leaves open which model it is.
  @Test func withoutFiles() throws {
    #expect(try bindStage(Recall.self, ["path": "model.json"], []).outputs.map(\.type) == [.open])
    #expect(
      complaints { try bindStage(Recall.self, ["path": "models/*.json"], [], files: [[SourceFile(name: "a", path: "/a"), SourceFile(name: "b", path: "/b")]]) }
        == ["a model is one file; expected the path of a file; found 2 files"])
  }

  static let sound = """
    {"model": "bg-nbd", "parameters": {"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}, "units": {"time": "week"}}
    """
  static let spend = """
    {"model": "gamma-gamma", "parameters": {"p": 6.25, "q": 3.74, "v": 15.44}, "units": {"spend": "monetary"}}
    """

  /// What a person writes down of a paper is a model too.
  @Test(arguments: [sound, spend]) func writtenByHand(text: String) throws {
    #expect(try recall(text).document("model") == JSONReader.read(Array(text.utf8), file: "hand").value)
  }

  struct Broken: Sendable, CustomTestStringConvertible {
    var name: String, from = RecallTests.sound, old = "", new = ""
    var said: [String]
    var testDescription: String { name }
  }

  static let number = "expected a number from 1e-15 to 1e15"
  static let broken: [Broken] = [
    Broken(name: "unknown model", old: "bg-nbd", new: "bg-ndb", said: [
      "the model is not one that this version knows; expected "
        + (FittedModel.Kind.allCases.map(\.rawValue) + AttributeModel.Kind.allCases.map(\.rawValue)).map { "\"\($0)\"" }.joined(separator: ", ")
        + "; found the text \"bg-ndb\"; hint: did you mean \"bg-nbd\"?"
    ]),
    Broken(name: "list", from: "[]", said: [
      "the file holds no model; expected the document of a model, as a stage \"fit\" wrote it; found an empty list"
    ]),
    Broken(name: "missing parameter", old: ", \"b\": 2.43", said: ["parameter \"b\" cannot be used; \(number); found nothing"]),
    Broken(name: "parameter of another model", old: "\"b\": 2.43", new: "\"b\": 2.43, \"betta\": 1", said: ["bg-nbd has no parameter \"betta\"; hint: known: r, alpha, a, b"]),
    Broken(name: "text for a number", old: "0.24", new: "\"0.24\"", said: ["parameter \"r\" cannot be used; \(number); found the text \"0.24\""]),
    Broken(name: "zero and too large", old: "0.24, \"alpha\": 4.41", new: "0, \"alpha\": 1e300", said: [
      "parameter \"r\" cannot be used; \(number); found the number 0", "parameter \"alpha\" cannot be used; \(number); found the number 1e300",
    ]),
    Broken(name: "infinite", old: "0.24", new: "1e999", said: ["parameter \"r\" cannot be used; \(number); found the number 1e999"]),
    Broken(name: "parameters are a list", old: "{\"r\": 0.24, \"alpha\": 4.41, \"a\": 0.79, \"b\": 2.43}", new: "[1, 2, 3, 4]", said: ["r", "alpha", "a", "b"].map {
      "parameter \"\($0)\" cannot be used; \(number); found nothing"
    }),
    Broken(name: "q at 1", from: spend, old: "3.74", new: "1", said: ["with this \"q\" there is no mean spend; expected a number above 1; found the number 1"]),
    Broken(name: "q below 1", from: spend, old: "3.74", new: "0.5", said: ["with this \"q\" there is no mean spend; expected a number above 1; found the number 0.5"]),
    Broken(name: "no unit", old: "week", new: "fortnight", said: [
      "the unit of the model's times is not known; expected \"second\", \"minute\", \"hour\", \"day\", \"week\", \"month\", \"year\"; found the text \"fortnight\""
    ]),
    Broken(name: "newer version", old: "\"units\"", new: "\"made_by\": \"millrace fit 99\", \"k\": 0, \"units\"", said: [
      "the model was made by a newer version; expected \"millrace fit 1\" to \"millrace fit \(StoredModel.version)\"; found the text \"millrace fit 99\"; hint: update millrace, or fit the model again with this version"
    ]),
    Broken(name: "another program", old: "\"units\"", new: "\"made_by\": \"lifetimes\", \"units\"", said: [
      "what made the model is not known; expected \"millrace fit \(StoredModel.version)\", or nothing where a person wrote it; found the text \"lifetimes\""
    ]),
    Broken(name: "k where there is none", old: "\"units\"", new: "\"k\": 2, \"units\"", said: ["bg-nbd has no \"k\"; expected nothing; found the number 2"]),
    Broken(name: "no k", old: "bg-nbd", new: "bg-cnbd-k", said: ["the number of stages cannot be used; expected a whole number from 1 to 1000; found nothing"]),
    Broken(name: "half a stage", old: "bg-nbd\"", new: "bg-cnbd-k\", \"k\": 1.5", said: [
      "the number of stages cannot be used; expected a whole number from 1 to 1000; found the number 1.5"
    ]),
    Broken(name: "covariance of another order", old: "\"units\"", new: "\"covariance\": [[1, 0], [0, 1]], \"units\"", said: [
      "the covariance cannot be used; expected 4 lists of 4 numbers, or null; found a list"
    ]),
    Broken(name: "covariance that is none", old: "\"units\"", new: "\"covariance\": [[1,2,0,0],[2,1,0,0],[0,0,1,0],[0,0,0,1]], \"units\"", said: [
      "the covariance cannot be used: row 2 and row 1 contradict each other; expected variances and covariances; found a list"
    ]),
    Broken(name: "negative error", old: "\"units\"", new: "\"standard_errors\": {\"r\": -1, \"alpha\": 1, \"a\": 1, \"b\": 1}, \"units\"", said: [
      "the standard error of \"r\" cannot be used; expected a number of 0 or more; found the number -1"
    ]),
    Broken(name: "covariates of a model without", old: "bg-nbd\", \"parameters\": {\"r\": 0.24, \"alpha\": 4.41, \"a\": 0.79, \"b\": 2.43}",
      new: "sbg\", \"parameters\": {\"a\": 1, \"b\": 2}, \"covariates\": {}", said: ["sbg takes no covariates; expected nothing; found an object"]),
    Broken(name: "covariate without effect", old: "\"units\"", new: "\"covariates\": {\"columns\": [\"age\"], \"purchases\": {\"age\": 1}}, \"units\"", said: [
      "the effect of \"age\" on dropout cannot be used; expected a number; found nothing"
    ]),
    Broken(name: "covariates without names", old: "\"units\"", new: "\"covariates\": {\"columns\": [\"age\", \"age\"]}, \"units\"", said: [
      "the columns of the covariates are not known; expected a list of distinct names; found a list"
    ]),
    Broken(name: "days that are none", old: "\"units\"", new: "\"data\": {\"observed\": {\"from\": \"2011-12-09\", \"until\": \"2011-01-01\"}}, \"units\"", said: [
      "the days the model was fitted to cannot be read; expected {\"from\": \"2011-01-01\", \"until\": \"2011-12-09\"}, or null; found an object"
    ]),
    Broken(name: "attributes without a target", from: "{\"model\": \"ols\"}", said: [
      "the file is not a model of value from attributes that can be used; expected a text \"target\"; found nothing"
    ]),
  ]

  @Test(arguments: broken) func aFileThatIsNone(_ row: Broken) throws {
    let text = row.old.isEmpty ? row.from : row.from.replacingOccurrences(of: row.old, with: row.new)
    #expect(text != row.from || row.old.isEmpty)
    #expect(complaints { try recall(text) } == row.said)
  }

  /// Cut anywhere it is a mistake with a place in the file, never a model and never a trap.
  @Test func truncated() throws {
    for length in 0..<Self.sound.utf8.count {
      do {
        _ = try recall(String(Self.sound.prefix(length)))
        Issue.record("\(length) bytes are a model")
      } catch let mistakes as Mistakes {
        guard mistakes.all.count == 1, case .text(let span) = mistakes.all[0].place else {
          Issue.record("\(length) bytes: \(mistakes)")
          continue
        }
        #expect(span.file == "model.json")
      }
    }
    #expect(complaints { try recall(Self.sound.replacingOccurrences(of: "0.24", with: "NaN")) }.count == 1)
  }

  /// Parameters at the ends of what is allowed give finite predictions or none.
  @Test(arguments: FittedModel.Kind.ofPurchases, [1e-15, 1e15]) func extremes(kind: FittedModel.Kind, size: Double) throws {
    let parameters = JSONValue.object(kind.parameterNames.map { JSONMember($0, .double(size)) })
    var members = [JSONMember("model", .string(kind.rawValue)), JSONMember("parameters", parameters), JSONMember("units", ["time": "month"])]
    if kind.hasStages { members.append(JSONMember("k", 2)) }
    let document = try #require(try recall(JSONValue.object(members).pretty()).document("model"))
    let table = try #require(
      try runRoom(
        Predict.self, ["horizon": "6 months", "chance": true],
        ["customers": .table(StoredModelsTests.customers.slice(0..<40), timeUnit: .month), "purchases": .document(document, about: kind.about)]
      ).tables["table"])
    for name in ["p_alive", "expected_purchases", "p_purchase"] { #expect(table[name].doubles().allSatisfy { $0 >= 0 && $0 < .infinity }, "\(name)") }
  }
}
