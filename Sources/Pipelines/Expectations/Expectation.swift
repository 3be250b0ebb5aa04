import Columns
import Diagnostics
import Expressions

/// What a document expects of one table.
///
///     { "notNull": ["customer"] }   { "unique": "invoice" }   { "column": "price", "min": 0, "max": 1000 }
///     { "column": "country", "in": ["UK", "France"] }   { "rows": { "min": 1 } }   { "sql": "price * quantity < 1e6" }
///     { "fresh": "at", "within": "2 days", "asOf": "${asOf}" }
public struct Expectation: Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// What reads the table is not run.
    case error
    /// Told, and the run goes on.
    case warn
    /// Rows that break it are put aside by the stage that makes the table.
    case quarantine
  }

  public enum Test: Hashable, Sendable {
    case notNull([String])
    case unique([String])
    /// SQL that has to hold for each row; `isNullFine`: also where it is neither true nor false.
    case condition(String, isNullFine: Bool)
    case rows(least: Int?, most: Int?)
    case fresh(column: String, within: Duration, asOf: CivilDate)
  }

  public let test: Test
  public let severity: Severity
  /// What people call it: its name, or what it says.
  public let words: String
  /// Of the table.
  public let columns: [String]

  public init(_ test: Test, severity: Severity, words: String, columns: [String]) {
    self.test = test
    self.severity = severity
    self.words = words
    self.columns = columns
  }

  /// What of it decides what is counted. Bounds that counts are compared with, and the severity, are no part of it.
  var counted: JSONValue {
    switch test {
    case .notNull(let columns): ["not-null": .array(columns.map { .string($0) })]
    case .unique(let columns): ["unique": .array(columns.map { .string($0) })]
    case .condition(let sql, let isNullFine): ["condition": .string(sql), "null-is-fine": .bool(isNullFine)]
    case .rows: ["rows": true]
    case .fresh(let column, _, _): ["latest": .string(column)]
    }
  }

  /// A column's name inside SQL.
  static func quoted(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}

/// How an expectation came out.
public struct ExpectationOutcome: Hashable, Sendable {
  public let holds: Bool
  /// `12 of 500 rows, first row 17: customer = ""`; nil where it holds.
  public let found: String?
}

extension Expectation {
  /// From what was counted. The comparison with a day or with bounds is made in every run.
  public func outcome(of counts: JSONValue) -> ExpectationOutcome {
    let rows = counts["rows"]?.int ?? 0
    switch test {
    case .notNull, .unique, .condition:
      let broken = counts["broken"]?.int ?? 0
      if broken == 0 { return ExpectationOutcome(holds: true, found: nil) }
      var found = "\(broken) of \(rows) row\(rows == 1 ? "" : "s")"
      if let first = counts["first"] {
        found += ", first row \(first["row"]?.int ?? 0)"
        if let partition = first["partition"]?.string, !partition.isEmpty { found += " of partition \"\(partition)\"" }
        let cells = (first["values"]?.members ?? []).map { "\($0.key) = \($0.value.canonical)" }
        if !cells.isEmpty { found += ": " + cells.joined(separator: ", ") }
      }
      return ExpectationOutcome(holds: false, found: found)
    case .rows(let least, let most):
      let holds = rows >= least ?? .min && rows <= most ?? .max
      return ExpectationOutcome(holds: holds, found: holds ? nil : "\(rows) row\(rows == 1 ? "" : "s")")
    case .fresh(_, let within, let asOf):
      guard let latest = counts["latest"]?.string, let day = CivilDate(latest.prefix(10)) else {
        return ExpectationOutcome(holds: false, found: rows == 0 ? "no rows" : "nothing but nulls")
      }
      let holds = Double(asOf.days - day.days) <= within.days
      return ExpectationOutcome(holds: holds, found: holds ? nil : "the latest is \(latest)")
    }
  }
}
