import Columns
import Diagnostics
import Models

extension AttributeColumn {
  /// A column of a table: numbers, days of a date, 0 and 1 of a truth value, or levels of a text.
  public init(_ column: Column) {
    guard column.type == .string else {
      self = .numbers(column.doubles())
      return
    }
    let text = column.text
    self = .levels((0..<column.count).map { column.isNull($0) ? nil : text.string($0) })
  }
}

extension Schema {
  /// Why column `name` cannot be a feature, said at `place`; nil when it can.
  public func mistake(takingFeature name: String, of port: String, at place: Place) -> Diagnostic? {
    if let missing = mistake(finding: name, of: port, at: place) { return missing }
    guard case .timestamp = type(of: name) else { return nil }
    return Diagnostic(
      "column \"\(name)\" of input \"\(port)\" is a time, which is no feature", at: place, expected: "a number, a truth value, a date or a text",
      found: "\(type(of: name)!)", hint: "derive what matters of it with feature-engineer, such as date_diff('day', \(name), …)")
  }
}
