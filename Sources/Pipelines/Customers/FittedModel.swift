import Diagnostics

/// What a stage needs of a fitted model's document: which model, its parameters, and the unit of its times.
public struct FittedModel: Sendable {
  public enum Kind: String, SettingChoice, Sendable {
    case bgNBD = "bg-nbd"
    case mbgNBD = "mbg-nbd"
    case paretoNBD = "pareto-nbd"
    case nbd
    case bgCNBDk = "bg-cnbd-k"
    case mbgCNBDk = "mbg-cnbd-k"
    case bgBB = "bg-bb"
    case sBG = "sbg"
    case gammaGamma = "gamma-gamma"

    /// What the type of a document is about whose model is chosen by the data: one of those of purchases at any time.
    public static let aboutChosen = "model:auto"

    /// Every model of purchases or renewals.
    public static let ofPurchases: [Kind] = allCases.filter { $0 != .gammaGamma }

    public var parameterNames: [String] {
      switch self {
      case .bgNBD, .mbgNBD, .bgCNBDk, .mbgCNBDk: ["r", "alpha", "a", "b"]
      case .paretoNBD: ["r", "alpha", "s", "beta"]
      case .nbd: ["r", "alpha"]
      case .bgBB: ["alpha", "beta", "gamma", "delta"]
      case .sBG: ["a", "b"]
      case .gammaGamma: ["p", "q", "v"]
      }
    }

    /// Whether purchases take a whole number of stages, which the document gives as `k`.
    public var hasStages: Bool { self == .bgCNBDk || self == .mbgCNBDk }

    /// What of the customers it is fitted to and predicts from.
    public var roles: [PurchaseColumns.Role] {
      switch self {
      case .sBG: [.recency, .age]
      case .gammaGamma: [.frequency, .monetary]
      default: [.frequency, .recency, .age]
      }
    }

    /// Whether its parameters depend on the unit of time.
    public var knowsTime: Bool { self != .gammaGamma }

    /// What the type of its document is about.
    public var about: String { "model:\(rawValue)" }
  }

  public let kind: Kind
  /// In the order of `Kind.parameterNames`; finite and positive. Of a customer whose covariates are 0, where there are some.
  public private(set) var parameters: [Double]
  /// Stages from purchase to purchase; 1 for models that have none.
  public let stages: Int
  /// Variances and covariances of the parameters, row by row; nil where the fit had none.
  public private(set) var covariance: [[Double]]?
  /// What is known of the customers beside their purchases, where the model takes account of it.
  public let covariates: Covariates?
  /// Nil for models that know no time.
  public let timeUnit: Duration.Unit?
  /// The days of the customers it was fitted to; nil where its document does not say.
  public let observed: ObservedDays?
  public let document: JSONValue

  /// Static covariates of a model, and what a unit of each changes.
  public struct Covariates: Sendable {
    /// Columns of the customers.
    public let columns: [String]
    /// By column.
    public let purchases: [Double]
    /// By column; empty where nobody leaves.
    public let dropout: [Double]
    /// Of the logarithms of the parameters, the effects on purchases and those on dropout; nil where the fit had none.
    public let covariance: [[Double]]?

    public var effects: [Double] { purchases + dropout }
  }

  /// The model of customers with certain covariates.
  public func with(parameters: [Double], covariance: [[Double]]?) -> FittedModel {
    precondition(parameters.count == self.parameters.count, "a model keeps the number of its parameters")
    var model = self
    (model.parameters, model.covariance) = (parameters, covariance)
    return model
  }

  /// Reads a document that a stage `fit` wrote.
  public init(_ document: JSONValue, port: String, among kinds: [Kind]) throws {
    func refuse(_ what: String, found: JSONValue?) -> Diagnostic {
      Diagnostic(
        "the document of input \"\(port)\" is not a fitted model that can be used here", at: .input(port: port), expected: what,
        found: found?.words ?? "nothing", hint: "connect the output of a stage \"fit\"")
    }
    guard let kind = document["model"]?.string.flatMap(Kind.init(rawValue:)), kinds.contains(kind) else {
      throw refuse("\"model\": " + kinds.map { "\"\($0.rawValue)\"" }.joined(separator: " or "), found: document["model"])
    }
    parameters = try kind.parameterNames.map { name in
      guard let value = document["parameters"]?[name]?.double, value > 0 else {
        throw refuse("\"parameters\" with a positive \"\(name)\"", found: document["parameters"]?[name])
      }
      return value
    }
    if kind == .gammaGamma, !(parameters[1] > 1) { throw refuse("a \"q\" above 1, where a mean spend exists", found: document["parameters"]?["q"]) }
    timeUnit = document["units"]?["time"]?.string.flatMap(Duration.Unit.init(rawValue:))
    stages = document["k"]?.int ?? 1
    if kind.hasStages, document["k"]?.int == nil || !(1...1000).contains(stages) {
      throw refuse("\"k\" from 1 to 1000", found: document["k"])
    }
    let rows = document["covariance"]?.array?.map { $0.array?.compactMap(\.double) ?? [] }
    let count = kind.parameterNames.count
    covariance = rows.flatMap { rows in rows.count == count && rows.allSatisfy { $0.count == count } ? rows : nil }
    covariates = try document["covariates"].map { told in
      let columns = told["columns"]?.array?.compactMap(\.string) ?? []
      func effects(_ name: String) throws -> [Double] {
        try columns.map { column in
          guard let value = told[name]?[column]?.double, value.isFinite else {
            throw refuse("\"covariates\" with the effect of \"\(column)\" on \(name)", found: told[name]?[column])
          }
          return value
        }
      }
      let rows = told["covariance"]?.array?.map { $0.array?.compactMap(\.double) ?? [] }
      let shifts = try (purchases: effects("purchases"), dropout: kind == .nbd ? [] : effects("dropout"))
      let order = count + shifts.purchases.count + shifts.dropout.count
      return Covariates(
        columns: columns, purchases: shifts.purchases, dropout: shifts.dropout,
        covariance: rows.flatMap { rows in rows.count == order && rows.allSatisfy { $0.count == order } ? rows : nil })
    }
    if kind.knowsTime, timeUnit == nil { throw refuse("\"units\" with a \"time\"", found: document["units"]?["time"]) }
    observed = ObservedDays(document["data"]?["observed"])
    self.kind = kind
    self.document = document
  }
}
