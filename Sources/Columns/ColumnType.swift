/// What the cells of a column are. Arrow's types, by their names in a document.
public enum ColumnType: Hashable, Sendable {
  case bool
  case int32
  case int64
  case float64
  /// Scaled Int64 in memory (p ≤ 18), Arrow decimal128 in files: `decimal(12,3)` holds 6.950 as 6950.
  case decimal(precision: Int, scale: Int)
  /// UTF-8.
  case string
  /// Days since 1970-01-01, Int32.
  case date
  /// Microseconds, Int64: wall-clock time where `zone` is nil, an instant (since 1970-01-01 UTC) shown in `zone` else.
  case timestamp(zone: String? = nil)

  /// The widest decimal whose scaled value always fits an Int64.
  public static let widestDecimal = 18
}

extension ColumnType: CustomStringConvertible {
  /// The type as a document spells it: `decimal(12,3)`, `timestamp[Europe/London]`.
  public var description: String {
    switch self {
    case .bool: "bool"
    case .int32: "int32"
    case .int64: "int64"
    case .float64: "float64"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .string: "string"
    case .date: "date"
    case .timestamp(nil): "timestamp"
    case .timestamp(let zone?): "timestamp[\(zone)]"
    }
  }

  /// Reads the spelling of `description`; nil when it is none.
  public init?(_ text: String) {
    switch text {
    case "bool": self = .bool
    case "int32": self = .int32
    case "int64": self = .int64
    case "float64": self = .float64
    case "string": self = .string
    case "date": self = .date
    case "timestamp": self = .timestamp()
    default:
      if text.hasPrefix("decimal("), text.hasSuffix(")") {
        let parts = text.dropFirst(8).dropLast().split(separator: ",", omittingEmptySubsequences: false)
          .map { Int($0.drop(while: { $0 == " " })) }
        guard parts.count == 2, let precision = parts[0], let scale = parts[1],
          (1...Self.widestDecimal).contains(precision), (0...precision).contains(scale)
        else { return nil }
        self = .decimal(precision: precision, scale: scale)
      } else if text.hasPrefix("timestamp["), text.hasSuffix("]"), text.utf8.count > 11 {
        self = .timestamp(zone: String(text.dropFirst(10).dropLast()))
      } else {
        return nil
      }
    }
  }

  /// All spellings, for messages.
  public static let spellings = [
    "bool", "int32", "int64", "float64", "decimal(p,s)", "string", "date", "timestamp", "timestamp[zone]",
  ]

  /// Bytes of one cell; nil for bool (bits) and string (offsets and bytes).
  public var width: Int? {
    switch self {
    case .bool, .string: nil
    case .int32, .date: 4
    case .int64, .float64, .decimal, .timestamp: 8
    }
  }

  public var isNumeric: Bool {
    switch self {
    case .int32, .int64, .float64, .decimal: true
    case .bool, .string, .date, .timestamp: false
    }
  }
}

/// A column's name and type.
public struct Field: Hashable, Sendable {
  public var name: String
  public var type: ColumnType

  public init(_ name: String, _ type: ColumnType) {
    self.name = name
    self.type = type
  }
}

/// The columns of a table, in order, names distinct.
public struct Schema: Hashable, Sendable {
  public let fields: [Field]
  private let positions: [String: Int]

  public init(_ fields: [Field]) {
    self.fields = fields
    positions = Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { _, _ in
      preconditionFailure("a schema was given two columns of one name; the caller has to refuse that")
    })
  }

  public var names: [String] { fields.map(\.name) }
  public var count: Int { fields.count }
  public func index(of name: String) -> Int? { positions[name] }
  public func type(of name: String) -> ColumnType? { positions[name].map { fields[$0].type } }
  public subscript(name: String) -> Field? { positions[name].map { fields[$0] } }

  /// The named columns, in the order given; names must exist.
  public func selecting(_ names: [String]) -> Schema {
    Schema(names.map { name in
      guard let at = positions[name] else { preconditionFailure("column \"\(name)\" is not in the schema") }
      return fields[at]
    })
  }
}
