import Diagnostics

/// A JSON value whose objects keep the order they were written in and whose numbers keep their text.
///
///     let settings: JSONValue = ["keep": ["quantity > 0"], "trim": 0.01]
///     settings.canonical                                     // {"keep":["quantity > 0"],"trim":0.01}
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONValue])
  case object([JSONMember])

  public static func integer(_ value: some BinaryInteger) -> JSONValue { .number(JSONNumber(value)) }

  /// JSON has no NaN and no infinity: both become null.
  public static func double(_ value: Double) -> JSONValue { JSONNumber(value).map(JSONValue.number) ?? .null }
}

/// One member of an object.
public struct JSONMember: Hashable, Sendable {
  public var key: String
  public var value: JSONValue

  public init(_ key: String, _ value: JSONValue) {
    self.key = key
    self.value = value
  }
}

/// A number as it was written. Two numbers are equal when their canonical texts are: `1.0`, `1` and `10e-1` are one number.
public struct JSONNumber: Hashable, Sendable {
  /// As written; follows RFC 8259's grammar.
  public let text: String

  public init(_ value: some BinaryInteger) { text = String(value) }

  /// Nil for NaN and infinities, which JSON cannot hold.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    text = Self.text(of: value)
  }

  /// `text` must follow RFC 8259's grammar; the reader has made sure.
  init(checked text: String) { self.text = text }

  /// The nearest double; nil when the number is beyond the largest one.
  public var double: Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }

  /// The number when it is whole and fits: `4`, `4.0` and `4e0` are 4.
  public var int64: Int64? {
    if let value = Int64(text) { return value }
    guard !isPlainInteger, let value = double else { return nil }
    return Int64(exactly: value)
  }

  /// Integers digit for digit; other numbers as the shortest text that reads back as the same double.
  public var canonicalText: String {
    if isPlainInteger { return text == "-0" ? "0" : text }
    return double.map(Self.text(of:)) ?? text
  }

  public static func == (a: JSONNumber, b: JSONNumber) -> Bool { a.text == b.text || a.canonicalText == b.canonicalText }
  public func hash(into hasher: inout Hasher) { hasher.combine(canonicalText) }

  private var isPlainInteger: Bool {
    text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  // Whole doubles below 2^53 are printed as integers, so that 4 and 4.0 are one setting.
  private static func text(of value: Double) -> String {
    if value == value.rounded(.towardZero), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
    return value.description
  }
}

extension JSONValue {
  public var isNull: Bool { self == .null }

  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
  public var double: Double? { number?.double }
  public var int64: Int64? { number?.int64 }
  public var int: Int? { number?.int64.flatMap { Int(exactly: $0) } }
  public var array: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
  public var members: [JSONMember]? { if case .object(let members) = self { members } else { nil } }

  /// A member of an object by its key; nil for other values.
  public subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The value at a path; nil when the path leaves the value.
  public subscript(path: some Sequence<PathStep>) -> JSONValue? {
    var value = self
    for step in path {
      switch (step, value) {
      case (.key(let key), .object(let members)):
        guard let next = members.first(where: { $0.key == key }) else { return nil }
        value = next.value
      case (.index(let index), .array(let items)):
        guard items.indices.contains(index) else { return nil }
        value = items[index]
      default: return nil
      }
    }
    return value
  }

  /// What it is, for "found": `the text "x"`, `the number 3`, `true`, `a list`. Long texts are cut.
  public var words: String {
    switch self {
    case .null: "null"
    case .bool(let value): String(value)
    case .number(let number): "the number \(number.text)"
    case .string(let text): "the text \(JSONValue.string(text.count > 60 ? text.prefix(60) + "…" : text).canonical)"
    case .array(let items): items.isEmpty ? "an empty list" : "a list"
    case .object: "an object"
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
  ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map { JSONMember($0.0, $0.1) }) }
  public init(nilLiteral: ()) { self = .null }
}
