import Columns

/// `expected_purchases` is "expected purchases": a column's name as people read it.
public func words(of name: String) -> String { String(name.map { $0 == "_" ? " " : $0 }) }

extension Value {
  /// A cell as it stands on an axis, in a legend, in a table: numbers without needless digits, a midnight as its day.
  public var label: String {
    switch self {
    case .null: return "none"
    case .float(let value):
      return value == value.rounded(.towardZero) && abs(value) < 1e15 ? String(Int(value)) : NumberFormat.plain.text(value)
    case .timestamp(let micros):
      let text = timestampText(micros)
      return text.hasSuffix(" 00:00:00") ? String(text.dropLast(9)) : text
    case .bool, .int, .decimal, .string, .date: return description
    }
  }
}
