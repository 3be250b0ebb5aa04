import Columns
import Diagnostics
import Models

/// A model of a value from attributes as the document that `fit` writes and `predict` reads.
///
/// Numbers are printed with as many digits as they need to come back as the same bits; trees are XGBoost's own UBJSON in base64.
public struct AttributeModelDocument: Sendable {
  public let model: AttributeModel
  /// The column that was foretold.
  public let target: String

  public init(_ model: AttributeModel, target: String) { (self.model, self.target) = (model, target) }

  /// What the type of its document is about.
  public static func about(_ kind: AttributeModel.Kind) -> String { "model:\(kind.rawValue)" }
  public static let abouts = AttributeModel.Kind.allCases.map(about)

  // MARK: Writing

  /// The members that `init(_:port:)` reads. `library` is XGBoost with its version, where it made the model.
  public func members(library: String?) -> [JSONMember] {
    let encoder = model.encoder
    var members: [JSONMember] = [
      JSONMember("model", .string(model.kind.rawValue)), JSONMember("target", .string(target)),
      JSONMember("features", .array(encoder.features.map(Self.json))), JSONMember("missing", .string(encoder.missing.rawValue)),
      JSONMember("unseen", .string(encoder.unseen.rawValue)),
    ]
    switch model.law {
    case .linear(let form), .logLinear(let form): members += linear(form)
    case .zeroInflatedLognormal(let law):
      members.append(JSONMember("chance", law.chance.map { .object(linear($0)) } ?? .null))
      members.append(JSONMember("log_value", .object(linear(law.logValue))))
      members.append(JSONMember("log_sigma", .double(law.sigma)))
    case .trees(let trees):
      members.append(
        JSONMember(
          "trees",
          [
            "library": .string(library ?? BoostedTrees.version), "format": "ubj", "columns": .integer(trees.columnCount), "log": .bool(trees.isLog),
            "digest": .string(Self.digest(of: trees.bytes)), "base64": .string(Base64.text(of: trees.bytes)),
          ]))
    }
    return members
  }

  private func linear(_ form: LinearForm) -> [JSONMember] {
    let names = model.encoder.names
    let terms = names.indices.map { at -> JSONValue in
      var term = [JSONMember("feature", .string(model.encoder.features[names[at].feature].name))]
      if let level = names[at].level { term.append(JSONMember("level", .string(level))) }
      if names[at].isMissing { term.append(JSONMember("missing", true)) }
      term.append(JSONMember("estimate", .double(form.coefficients[at])))
      if let errors = form.errors { term.append(JSONMember("standard_error", .double(errors[at]))) }
      term.append(JSONMember("mean", .double(form.means[at])))
      return .object(term)
    }
    var intercept = [JSONMember("estimate", .double(form.intercept))]
    if let error = form.interceptError { intercept.append(JSONMember("standard_error", .double(error))) }
    return [JSONMember("intercept", .object(intercept)), JSONMember("coefficients", .array(terms))]
  }

  private static func json(_ feature: AttributeEncoder.Feature) -> JSONValue {
    var members = [JSONMember("name", .string(feature.name))]
    func add(_ key: String, _ value: JSONValue) { members.append(JSONMember(key, value)) }
    func addLevels(_ levels: [String]) { add("levels", .array(levels.map(JSONValue.string))) }
    func addMissing(_ missing: AttributeEncoder.MissingLevel, _ levels: [String]) {
      switch missing {
      case .unknown: break
      case .level(let level): add("missing_is", .string(levels[level]))
      case .own(let value): add("missing_value", .double(value))
      }
    }
    switch feature.form {
    case .number(let fill, let indicator):
      add("as", "number")
      if let fill { add("missing_value", .double(fill)) }
      if indicator { add("indicator", true) }
    case .ordinal(let levels, let fill, let indicator):
      add("as", "ordinal")
      addLevels(levels)
      if let fill { add("missing_value", .double(fill)) }
      if indicator { add("indicator", true) }
    case .oneHot(let levels, let baseline, let missing):
      add("as", "one-hot")
      addLevels(levels)
      if let baseline { add("baseline", .string(levels[baseline])) }
      addMissing(missing, levels)
    case .target(let levels, let values, let otherwise, let missing):
      add("as", "target")
      addLevels(levels)
      add("values", .array(values.map(JSONValue.double)))
      add("otherwise", .double(otherwise))
      addMissing(missing, levels)
    }
    return .object(members)
  }

  /// Of trees: XGBoost reads damaged ones without a word, or dies of them.
  private static func digest(of bytes: [UInt8]) -> String { bytes.withUnsafeBytes { Digest(of: $0).description } }

  // MARK: Reading

  /// Reads a document that a stage `fit` wrote.
  public init(_ document: JSONValue, port: String) throws {
    let reader = AttributeDocumentReader(port: port)
    let kinds = AttributeModel.Kind.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
    guard let kind = document["model"]?.string.flatMap(AttributeModel.Kind.init(rawValue:)) else {
      throw reader.refusal("\"model\": \(kinds)", document["model"])
    }
    target = try reader.string(document, "target")
    guard let missing = document["missing"]?.string.flatMap(MissingPolicy.init(rawValue:)) else { throw reader.refusal("\"missing\"", document["missing"]) }
    guard let unseen = document["unseen"]?.string.flatMap(UnseenPolicy.init(rawValue:)) else { throw reader.refusal("\"unseen\"", document["unseen"]) }
    let encoder = AttributeEncoder(features: try reader.array(document, "features").map(reader.feature), missing: missing, unseen: unseen)
    let columns = encoder.names.count
    let law: AttributeModel.Law
    switch kind {
    case .ols, .ridge, .elasticNet: law = .linear(try reader.form(document, columns))
    case .poisson, .tweedie: law = .logLinear(try reader.form(document, columns))
    case .zeroInflatedLognormal:
      let chance = document["chance"]
      law = .zeroInflatedLognormal(
        ZeroInflatedLognormal(
          chance: chance == nil || chance == .null ? nil : try reader.form(chance!, columns),
          logValue: try reader.form(document["log_value"] ?? .null, columns), sigma: try reader.number(document, "log_sigma")))
    case .randomForest, .gradientBoosting:
      guard let trees = document["trees"], trees["columns"]?.int == columns, let isLog = trees["log"]?.bool,
        let bytes = trees["base64"]?.string.flatMap(Base64.bytes)
      else { throw reader.refusal("\"trees\" of \(columns) columns", document["trees"]) }
      if let told = trees["digest"], told.string != Self.digest(of: bytes) {
        throw reader.refusal("\"trees\" as their \"digest\" says", .string(Self.digest(of: bytes)))
      }
      law = .trees(BoostedTrees(bytes: bytes, columnCount: columns, isLog: isLog))
    }
    model = AttributeModel(kind: kind, encoder: encoder, law: law)
  }
}

/// The pieces of such a document.
struct AttributeDocumentReader {
  let port: String

  func refusal(_ expected: String, _ found: JSONValue?) -> Diagnostic {
    Diagnostic(
      "the document of input \"\(port)\" is not a model of value from attributes that can be used", at: .input(port: port),
      expected: expected, found: found?.words ?? "nothing", hint: "connect the output of a stage \"fit\"")
  }

  func string(_ value: JSONValue, _ key: String) throws -> String {
    guard let text = value[key]?.string else { throw refusal("a text \"\(key)\"", value[key]) }
    return text
  }
  func number(_ value: JSONValue, _ key: String) throws -> Double {
    guard let number = value[key]?.double else { throw refusal("a number \"\(key)\"", value[key]) }
    return number
  }
  func array(_ value: JSONValue, _ key: String) throws -> [JSONValue] {
    guard let items = value[key]?.array else { throw refusal("a list \"\(key)\"", value[key]) }
    return items
  }

  func form(_ value: JSONValue, _ columns: Int) throws -> LinearForm {
    let terms = try array(value, "coefficients")
    guard terms.count == columns else { throw refusal("\(columns) coefficients", value["coefficients"]) }
    return LinearForm(
      intercept: try number(value["intercept"] ?? .null, "estimate"), coefficients: try terms.map { try number($0, "estimate") },
      means: try terms.map { try number($0, "mean") })
  }

  func feature(_ value: JSONValue) throws -> AttributeEncoder.Feature {
    let name = try string(value, "name")
    let fill = value["missing_value"]?.double, indicator = value["indicator"]?.bool ?? false
    func levels() throws -> [String] {
      try array(value, "levels").map { level in
        guard let text = level.string else { throw refusal("levels that are texts", level) }
        return text
      }
    }
    func missing(_ levels: [String]) throws -> AttributeEncoder.MissingLevel {
      if let level = value["missing_is"]?.string {
        guard let at = levels.firstIndex(of: level) else { throw refusal("\"missing_is\" among the levels", value["missing_is"]) }
        return .level(at)
      }
      return fill.map { .own($0) } ?? .unknown
    }
    switch value["as"]?.string {
    case "number": return .init(name: name, form: .number(fill: fill, indicator: indicator))
    case "ordinal": return .init(name: name, form: .ordinal(levels: try levels(), fill: fill, indicator: indicator))
    case "one-hot":
      let known = try levels()
      var baseline: Int?
      if let told = value["baseline"]?.string {
        baseline = known.firstIndex(of: told)
        if baseline == nil { throw refusal("\"baseline\" among the levels", value["baseline"]) }
      }
      return .init(name: name, form: .oneHot(levels: known, baseline: baseline, missing: try missing(known)))
    case "target":
      let known = try levels(), values = try array(value, "values").map { $0.double ?? .nan }
      guard values.count == known.count, values.allSatisfy(\.isFinite) else { throw refusal("\(known.count) values", value["values"]) }
      return .init(
        name: name, form: .target(levels: known, values: values, otherwise: try number(value, "otherwise"), missing: try missing(known)))
    default: throw refusal("\"as\": \"number\", \"ordinal\", \"one-hot\" or \"target\"", value["as"])
    }
  }
}
