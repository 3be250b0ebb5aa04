/// A JSON value whose objects keep the order they were written in: what a Vega-Lite specification is made of.
///
///     let mark: Spec = ["type": "bar", "opacity": 0.5]
///     mark.json                                              // {"type":"bar","opacity":0.5}
public enum Spec: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([Spec])
  case object([(String, Spec)])

  /// The value of a key of an object, the first when there are several.
  public subscript(_ key: String) -> Spec? {
    guard case .object(let fields) = self else { return nil }
    return fields.first { $0.0 == key }?.1
  }

  /// The object with more fields at its end; other values are returned as they are.
  public func adding(_ more: [(String, Spec)]) -> Spec {
    guard case .object(let fields) = self else { return self }
    return .object(fields + more)
  }

  /// Canonical and compact: no blanks, fields in order, the shortest number that reads back as the same double.
  public var json: String {
    var out: [UInt8] = []
    print(into: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// The same, as UTF-8.
  public var bytes: [UInt8] {
    var out: [UInt8] = []
    print(into: &out)
    return out
  }

  private func print(into out: inout [UInt8]) {
    switch self {
    case .null: out += "null".utf8
    case .bool(let value): out += (value ? "true" : "false").utf8
    case .integer(let value): out += String(value).utf8
    case .number(let value): out += Spec.text(of: value).utf8
    case .string(let value): Spec.quote(value, into: &out)
    case .array(let items):
      out.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        item.print(into: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let fields):
      out.append(UInt8(ascii: "{"))
      for (index, field) in fields.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        Spec.quote(field.0, into: &out)
        out.append(UInt8(ascii: ":"))
        field.1.print(into: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  // Whole numbers are printed without ".0"; JSON has no NaN and no infinity, a chart shows them as missing.
  private static func text(of value: Double) -> String {
    guard value.isFinite else { return "null" }
    if value == value.rounded(.towardZero), abs(value) < 9_007_199_254_740_992 { return String(Int(value)) }
    return value.description
  }

  // "<" is escaped so that a specification may stand inside a <script> element; U+2028 and U+2029 because older
  // JavaScript ends a line there.
  static func quote(_ text: String, into out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\"".utf8
      case "\\": out += "\\\\".utf8
      case "\n": out += "\\n".utf8
      case "\r": out += "\\r".utf8
      case "\t": out += "\\t".utf8
      case "<", "\u{2028}", "\u{2029}", "\u{0}"..."\u{1f}", "\u{7f}":
        let hex = String(scalar.value, radix: 16)
        out += ("\\u" + String(repeating: "0", count: 4 - hex.count) + hex).utf8
      default: out += UTF8.encode(scalar)!
      }
    }
    out.append(UInt8(ascii: "\""))
  }
}

extension Spec: Equatable {
  /// Order of fields counts, as it does in the printed form.
  public static func == (a: Spec, b: Spec) -> Bool { a.bytes == b.bytes }
}

extension Spec: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Spec...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, Spec)...) { self = .object(elements) }
  public init(nilLiteral: ()) { self = .null }
}
