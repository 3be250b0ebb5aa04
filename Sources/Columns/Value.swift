/// One cell, for people and for literals; never in a hot loop.
public enum Value: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case float(Double)
  /// `unscaled` / 10^`scale`.
  case decimal(unscaled: Int64, scale: Int)
  case string(String)
  case date(Int32)
  case timestamp(Int64)
}

extension Value: CustomStringConvertible {
  /// As a CSV cell would hold it; null is empty.
  public var description: String {
    switch self {
    case .null: ""
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .float(let value): "\(value)"
    case .decimal(let unscaled, let scale): decimalText(unscaled, scale: scale)
    case .string(let value): value
    case .date(let days): CivilDate(days: Int(days)).description
    case .timestamp(let micros): timestampText(micros)
    }
  }
}

/// 6950 at scale 3 is `6.950`.
public func decimalText(_ unscaled: Int64, scale: Int) -> String {
  if scale == 0 { return String(unscaled) }
  var digits = String(unscaled.magnitude)
  if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
  return (unscaled < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
}

extension Column {
  public func value(at row: Int) -> Value {
    if isNull(row) { return .null }
    return switch type {
    case .bool: .bool(bits[row])
    case .int32: .int(Int64(values(as: Int32.self)[row]))
    case .int64: .int(values(as: Int64.self)[row])
    case .float64: .float(values(as: Double.self)[row])
    case .decimal(_, let scale): .decimal(unscaled: values(as: Int64.self)[row], scale: scale)
    case .string: .string(text.string(row))
    case .date: .date(values(as: Int32.self)[row])
    case .timestamp: .timestamp(values(as: Int64.self)[row])
    }
  }

  /// All cells, for small tables and tests.
  public var allValues: [Value] { (0..<count).map(value(at:)) }

  /// The cells as Doubles where the type is numeric; null is NaN. A date counts days, a timestamp microseconds.
  public func doubles() -> [Double] {
    switch type {
    case .int32, .date:
      let cells = values(as: Int32.self)
      return (0..<count).map { isNull($0) ? .nan : Double(cells[$0]) }
    case .int64, .timestamp:
      let cells = values(as: Int64.self)
      return (0..<count).map { isNull($0) ? .nan : Double(cells[$0]) }
    case .decimal(_, let scale):
      let cells = values(as: Int64.self)
      var power = 1.0
      for _ in 0..<scale { power *= 10 }
      return (0..<count).map { isNull($0) ? .nan : Double(cells[$0]) / power }
    case .float64:
      let cells = values(as: Double.self)
      return (0..<count).map { isNull($0) ? .nan : cells[$0] }
    case .bool: return (0..<count).map { isNull($0) ? .nan : bits[$0] ? 1 : 0 }
    case .string: preconditionFailure("a string column was asked for as numbers")
    }
  }
}
