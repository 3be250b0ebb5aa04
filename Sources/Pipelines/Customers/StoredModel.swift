import Diagnostics
import Models

/// The document of a fitted model that comes from a file.
///
/// What `fit` left in the store is believed; a file may come from another version, a broken disk or a hand, and is checked in full before
/// anything is made of it. All mistakes are told at once, each with its place in the file.
public struct StoredModel: Sendable {
  /// Of what `fit` writes; a newer one may hold what this program would misread.
  public static let version = 4

  public let document: JSONValue
  /// What the type of the document is about.
  public let about: String

  public init(_ bytes: [UInt8], file: String) throws(Mistakes) {
    let json = try JSONReader.read(bytes, file: file)
    var check = StoredModelCheck(json)
    guard let about = check.run(), check.mistakes.isEmpty else { throw Mistakes(check.mistakes) }
    (document, self.about) = (json.value, about)
  }
}

/// Goes over such a document once.
private struct StoredModelCheck {
  let json: JSONDocument
  private(set) var mistakes: [Diagnostic] = []

  /// Fits end far inside; predictions are finite there.
  private static let sizes = 1e-15...1e15
  private static let origin = "as a stage \"fit\" wrote it"

  init(_ json: JSONDocument) { self.json = json }

  private mutating func tell(_ message: String, _ path: [PathStep], expected: String, hint: String? = nil) {
    mistakes.append(
      Diagnostic(message, at: .text(json.span(of: path)), expected: expected, found: json.node(at: path)?.value.words ?? "nothing", hint: hint))
  }

  /// What the document is about; nil where that cannot be known.
  mutating func run() -> String? {
    guard json.root.members != nil else {
      tell("the file holds no model", [], expected: "the document of a model, \(Self.origin)")
      return nil
    }
    guard isOfKnownVersion() else { return nil }
    let name = json.root["model"]?.string ?? ""
    if let kind = FittedModel.Kind(rawValue: name) {
      lifetime(kind)
      return kind.about
    }
    if let kind = AttributeModel.Kind(rawValue: name) {
      attributes(kind)
      return AttributeModelDocument.about(kind)
    }
    let names = FittedModel.Kind.allCases.map(\.rawValue) + AttributeModel.Kind.allCases.map(\.rawValue)
    tell(
      "the model is not one that this version knows", ["model"], expected: names.map { "\"\($0)\"" }.joined(separator: ", "),
      hint: Diagnostics.hint(forUnknown: name, among: names))
    return nil
  }

  /// Of a newer one nothing else is told: it may be right as it is. A document without an origin was written by hand.
  private mutating func isOfKnownVersion() -> Bool {
    guard let told = json.node(at: ["made_by"]) else { return true }
    let prefix = "millrace fit "
    let version = told.string.flatMap { $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count)) : nil }
    if let version, (1...StoredModel.version).contains(version) { return true }
    if let version, version > StoredModel.version {
      tell(
        "the model was made by a newer version", ["made_by"], expected: "\"\(prefix)1\" to \"\(prefix)\(StoredModel.version)\"",
        hint: "update millrace, or fit the model again with this version")
    } else {
      tell("what made the model is not known", ["made_by"], expected: "\"\(prefix)\(StoredModel.version)\", or nothing where a person wrote it")
    }
    return false
  }

  // MARK: Lifetimes and spend

  private mutating func lifetime(_ kind: FittedModel.Kind) {
    let names = kind.parameterNames
    for name in names {
      number(["parameters", .key(name)], "parameter \"\(name)\" cannot be used", "a number from 1e-15 to 1e15") { Self.sizes.contains($0) }
    }
    if kind == .gammaGamma, let q = double(["parameters", "q"]), Self.sizes.contains(q), !(q > 1) {
      tell("with this \"q\" there is no mean spend", ["parameters", "q"], expected: "a number above 1")
    }
    for member in json.node(at: ["parameters"])?.members ?? [] where !names.contains(member.key) {
      mistakes.append(
        Diagnostic(
          "\(kind.rawValue) has no parameter \"\(member.key)\"", at: .text(json.span(ofKey: ["parameters", .key(member.key)])),
          hint: Diagnostics.hint(forUnknown: member.key, among: names)))
    }
    if isGiven(["standard_errors"]) {
      for name in names { number(["standard_errors", .key(name)], "the standard error of \"\(name)\" cannot be used", "a number of 0 or more") { $0 >= 0 } }
    }
    matrix(["covariance"], order: names.count)
    if kind.hasStages {
      number(["k"], "the number of stages cannot be used", "a whole number from 1 to 1000") { $0 >= 1 && $0 <= 1000 && $0 == $0.rounded() }
    } else if json.node(at: ["k"]) != nil {
      tell("\(kind.rawValue) has no \"k\"", ["k"], expected: "nothing")
    }
    if kind.knowsTime, json.node(at: ["units", "time"])?.string.flatMap(Duration.Unit.init(rawValue:)) == nil {
      tell("the unit of the model's times is not known", ["units", "time"], expected: Duration.Unit.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
    }
    if kind == .gammaGamma, json.node(at: ["population_mean"]) != nil {
      number(["population_mean"], "the population mean cannot be used", "a positive number") { $0 > 0 }
    }
    if json.node(at: ["covariates"]) != nil { covariates(kind) }
    observed()
  }

  private mutating func covariates(_ kind: FittedModel.Kind) {
    guard CovariateFit.models.map(\.rawValue).contains(kind.rawValue) else {
      tell("\(kind.rawValue) takes no covariates", ["covariates"], expected: "nothing")
      return
    }
    let columns = json.node(at: ["covariates", "columns"])?.items?.map(\.string) ?? []
    let names = columns.compactMap { $0 }
    guard !names.isEmpty, names.count == columns.count, Set(names).count == names.count else {
      tell("the columns of the covariates are not known", ["covariates", "columns"], expected: "a list of distinct names")
      return
    }
    let shifted = kind == .nbd ? ["purchases"] : ["purchases", "dropout"]
    for what in shifted {
      for name in names {
        number(["covariates", .key(what), .key(name)], "the effect of \"\(name)\" on \(what) cannot be used", "a number") { $0.magnitude <= 1e15 }
      }
    }
    matrix(["covariates", "covariance"], order: kind.parameterNames.count + shifted.count * names.count)
  }

  /// Of the days the model was fitted to: a model may not say them.
  private mutating func observed() {
    let path: [PathStep] = ["data", "observed"]
    guard isGiven(path), let node = json.node(at: path) else { return }
    if let days = ObservedDays(node.value), days.from.days <= days.until.days { return }
    tell("the days the model was fitted to cannot be read", path, expected: "{\"from\": \"2011-01-01\", \"until\": \"2011-12-09\"}, or null")
  }

  // MARK: Value from attributes

  private mutating func attributes(_ kind: AttributeModel.Kind) {
    if kind.isTrees, json.node(at: ["trees", "base64"]) != nil, json.node(at: ["trees", "digest"]) == nil {
      return tell(
        "the trees have no digest, so that damage would not show", ["trees"], expected: "a member \"digest\"", hint: "fit the model again with this version")
    }
    do { _ = try AttributeModelDocument(json.value, port: "") } catch let mistake as Diagnostic {
      mistakes.append(
        Diagnostic(
          "the file is not a model of value from attributes that can be used", at: .text(json.span(of: [] as [PathStep])), expected: mistake.expected,
          found: mistake.found))
    } catch {
      mistakes.append(Diagnostic("\(error)", at: .text(json.span(of: [] as [PathStep]))))
    }
  }

  // MARK: Pieces

  /// Whether something stands there that is not null.
  private func isGiven(_ path: [PathStep]) -> Bool {
    guard let node = json.node(at: path) else { return false }
    if case .null = node.content { return false }
    return true
  }

  /// Finite.
  private func double(_ path: [PathStep]) -> Double? {
    guard let x = json.node(at: path)?.value.double, x.isFinite else { return nil }
    return x
  }

  private mutating func number(_ path: [PathStep], _ message: String, _ expected: String, _ isSound: (Double) -> Bool) {
    if let x = double(path), isSound(x) { return }
    tell(message, path, expected: expected)
  }

  /// Variances and covariances, or null.
  private mutating func matrix(_ path: [PathStep], order: Int) {
    if !isGiven(path) { return }
    let rows = json.node(at: path)?.items?.map { $0.value.array?.compactMap(\.double) ?? [] } ?? []
    guard rows.count == order, rows.allSatisfy({ $0.count == order && $0.allSatisfy(\.isFinite) }) else {
      return tell("the covariance cannot be used", path, expected: "\(order) lists of \(order) numbers, or null")
    }
    for i in 0..<order {
      for j in 0...i {
        // What two directions share is less than what each has, and the same seen from both.
        let bound = (rows[i][i] * rows[j][j]).squareRoot()
        if rows[i][i] >= 0, rows[j][j] >= 0, rows[i][j].magnitude <= bound * (1 + 1e-6), (rows[i][j] - rows[j][i]).magnitude <= 1e-6 * bound { continue }
        return tell("the covariance cannot be used: row \(i + 1) and row \(j + 1) contradict each other", path, expected: "variances and covariances")
      }
    }
  }
}
