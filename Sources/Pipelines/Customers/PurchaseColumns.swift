import Columns
import Diagnostics

/// Where a table of customers holds what the lifetime models know of them. The defaults are the names that `rfm` gives.
public struct PurchaseColumns: SettingsGroup {
  @Setting("column of the repeat purchases") public var frequency = "frequency"
  @Setting("column of the time from the first to the last purchase") public var recency = "recency"
  @Setting("column of the time from the first purchase to the end of the observation") public var age = "age"
  @Setting("column of the mean spend of a repeat purchase") public var monetary = "monetary"

  @Setting("column of the day of the first purchase, a date: where the customers have it, a model says which days it has seen") public var first = "first"
  @Setting("column of the day of the last purchase, a date: by it a model of spend says which days it has seen") public var last = "last"

  public init() {}

  public enum Role: String, CaseIterable, Sendable {
    case frequency, recency, age, monetary
  }

  public subscript(role: Role) -> String {
    switch role {
    case .frequency: frequency
    case .recency: recency
    case .age: age
    case .monetary: monetary
    }
  }

  /// Everything that keeps these columns of an input from being read.
  public func mistakes(reading roles: [Role], in schema: Schema, of port: String) -> [Diagnostic] {
    let standard = PurchaseColumns()
    var mistakes: [Diagnostic] = []
    for (at, role) in roles.enumerated() {
      let name = self[role]
      let place: Place = name == standard[role] ? .input(port: port) : .setting(["columns", .key(role.rawValue)])
      if let other = roles[..<at].first(where: { self[$0] == name }) {
        mistakes.append(Diagnostic("\(other) and \(role) are one column, \"\(name)\"", at: place, expected: "two columns"))
      } else if let mistake = schema.mistake(readingNumbers: name, of: port, at: place) {
        mistakes.append(mistake)
      }
    }
    // The usual name may be absent, or be something else's.
    for (key, name, usual) in [("first", first, standard.first), ("last", last, standard.last)] where name != usual {
      let place = Place.setting(["columns", .key(key)])
      if let mistake = schema.mistake(finding: name, of: port, at: place) {
        mistakes.append(mistake)
      } else if schema.type(of: name) != .date {
        mistakes.append(
          Diagnostic(
            "column \"\(name)\" of input \"\(port)\" has a type that does not fit", at: place, expected: "a date",
            found: schema.type(of: name).map { "\($0)" }))
      }
    }
    return mistakes
  }
}
