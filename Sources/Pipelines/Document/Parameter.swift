import Columns

/// The type of a parameter, as its declaration names it.
public indirect enum ParameterType: Hashable, Sendable {
  case string, int, float, bool, date, duration, path
  case list(ParameterType)
  case oneOf([ParameterValue])

  static let scalars: [(name: String, type: ParameterType)] = [
    ("string", .string), ("int", .int), ("float", .float), ("bool", .bool), ("date", .date), ("duration", .duration), ("path", .path),
  ]

  /// `int`, `list<path>`; nil for other words. `one-of` is not here: it needs its values.
  public init?(_ word: String) {
    if let scalar = Self.scalars.first(where: { $0.name == word }) {
      self = scalar.type
    } else if word.hasPrefix("list<"), word.hasSuffix(">"),
      let item = Self.scalars.first(where: { $0.name == word.dropFirst(5).dropLast() })
    {
      self = .list(item.type)
    } else {
      return nil
    }
  }

  public var name: String {
    switch self {
    case .list(let item): "list<\(item.name)>"
    case .oneOf: "one-of"
    case .string, .int, .float, .bool, .date, .duration, .path: Self.scalars.first { $0.type == self }!.name
    }
  }

  /// For "expected".
  public var words: String {
    switch self {
    case .string: "a text"
    case .int: "a whole number"
    case .float: "a number"
    case .bool: "true or false"
    case .date: CivilDate.formWords
    case .duration: Duration.formWords
    case .path: PathText.formWords
    case .list(let item): "a list of \(item.name) values"
    case .oneOf(let values): "one of \(values.map(\.json.canonical).joined(separator: ", "))"
    }
  }

  /// Whether a value of it may stand inside other text.
  var fitsInText: Bool {
    switch self {
    case .string, .int, .float, .date, .duration, .path: true
    case .bool, .list: false
    case .oneOf(let values): values.allSatisfy { if case .bool = $0 { false } else { true } }
    }
  }

  var isPath: Bool { self == .path || self == .list(.path) }

  /// The value that JSON gives; nil when it does not fit.
  func value(of json: JSONValue) -> ParameterValue? {
    switch self {
    case .string: json.string.map(ParameterValue.string)
    case .int: json.int64.map(ParameterValue.int)
    case .float: json.double.map(ParameterValue.float)
    case .bool: json.bool.map(ParameterValue.bool)
    case .date: json.string.flatMap { CivilDate($0) }.map(ParameterValue.date)
    case .duration: json.string.flatMap { Duration($0) }.map(ParameterValue.duration)
    case .path: json.string.flatMap { PathText(settingText: $0) }.map { .path($0.text) }
    case .list(let item):
      if let items = json.array, case let values = items.compactMap({ item.value(of: $0) }), values.count == items.count {
        .list(values)
      } else {
        nil
      }
    case .oneOf(let values): values.first { $0.json == json }
    }
  }

  /// The value that `--set name=text` gives: a list is written `a,b` or as JSON.
  func value(ofText text: String) -> ParameterValue? {
    switch self {
    case .string: return .string(text)
    case .int: return Int64(text).map(ParameterValue.int)
    case .float: return Double(text).flatMap { $0.isFinite ? .float($0) : nil }
    case .bool: return text == "true" ? .bool(true) : text == "false" ? .bool(false) : nil
    case .date, .duration, .path: return value(of: .string(text))
    case .list(let item):
      if text.utf8.first == UInt8(ascii: "[") {
        return (try? JSONReader.read(Array(text.utf8), file: "--set")).flatMap { value(of: $0.value) }
      }
      let parts = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      let values = parts.compactMap { item.value(ofText: $0) }
      return values.count == parts.count ? .list(values) : nil
    case .oneOf(let values): return values.first { $0.text == text }
    }
  }
}

/// A value of a parameter.
public indirect enum ParameterValue: Hashable, Sendable {
  case string(String)
  case int(Int64)
  case float(Double)
  case bool(Bool)
  case date(CivilDate)
  case duration(Duration)
  case path(String)
  case list([ParameterValue])

  public var json: JSONValue {
    switch self {
    case .string(let text), .path(let text): .string(text)
    case .int(let value): .integer(value)
    case .float(let value): .double(value)
    case .bool(let value): .bool(value)
    case .date(let date): .string(date.description)
    case .duration(let duration): .string(duration.description)
    case .list(let items): .array(items.map(\.json))
    }
  }

  /// As it stands inside other text.
  var text: String { json.string ?? json.canonical }
}

/// A parameter as the document declares it.
public struct DocumentParameter: Sendable {
  public let name: String
  public let type: ParameterType
  /// Nil: it must be set.
  public let standard: ParameterValue?
  public let help: String
}

/// Where the value of a parameter came from, and therefore what a path in it is relative to.
public enum PathOrigin: Hashable, Sendable {
  /// The folder of the document.
  case document
  /// The current folder: it was typed with `--set`.
  case commandLine
}

/// A parameter with its value.
public struct ResolvedParameter: Sendable {
  public let name: String
  public let type: ParameterType
  public let value: ParameterValue
  public let origin: PathOrigin
}
