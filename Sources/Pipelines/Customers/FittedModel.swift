import Diagnostics

/// What a stage needs of a fitted model's document: which model, its parameters, and the unit of its times.
public struct FittedModel: Sendable {
  public enum Kind: String, SettingChoice, Sendable {
    case bgNBD = "bg-nbd"
    case mbgNBD = "mbg-nbd"
    case gammaGamma = "gamma-gamma"

    public var parameterNames: [String] {
      switch self {
      case .bgNBD, .mbgNBD: ["r", "alpha", "a", "b"]
      case .gammaGamma: ["p", "q", "v"]
      }
    }

    /// Whether its parameters depend on the unit of time.
    public var knowsTime: Bool { self != .gammaGamma }

    /// What the type of its document is about.
    public var about: String { "model:\(rawValue)" }
  }

  public let kind: Kind
  /// In the order of `Kind.parameterNames`; finite and positive.
  public let parameters: [Double]
  /// Nil for models that know no time.
  public let timeUnit: Duration.Unit?
  public let document: JSONValue

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
    timeUnit = document["units"]?["time"]?.string.flatMap(Duration.Unit.init(rawValue:))
    if kind.knowsTime, timeUnit == nil { throw refuse("\"units\" with a \"time\"", found: document["units"]?["time"]) }
    self.kind = kind
    self.document = document
  }
}
