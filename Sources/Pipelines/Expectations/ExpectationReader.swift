import Columns
import Diagnostics
import Expressions

/// One expectation as a document has it, and the table that it is about.
public struct PortExpectation: Hashable, Sendable {
  public enum Port: Hashable, Sendable {
    /// Nil: the main one.
    case output(String?)
    /// Nil: the only one.
    case input(String?)
  }

  public let port: Port
  /// Place among those of the stage.
  public let place: Int
  let written: JSONValue
  public let severity: Expectation.Severity
}

/// Takes an expectation apart. Its mistakes are at `.setting` places below `expect`.
struct ExpectationReader {
  private(set) var mistakes: [Diagnostic] = []
  private static let common = ["of", "input", "severity", "name"]
  private static let forms: [(key: String, more: [String])] = [
    ("notNull", []), ("unique", []), ("column", ["min", "max", "in"]), ("rows", []), ("sql", []), ("fresh", ["within", "asOf"]),
  ]

  /// What can be known without the table; nil when it is not.
  mutating func port(_ written: JSONValue, at place: Int) -> PortExpectation? {
    let before = mistakes.count
    guard let form = Self.forms.first(where: { written[$0.key] != nil }) else {
      let known = Self.forms.map(\.key), words = "one of " + known.map { "\"\($0)\"" }.joined(separator: ", ")
      let meant = (written.members ?? []).lazy.map(\.key).filter { !Self.common.contains($0) && nearest(to: $0, among: known) != nil }
      mistakes.append(
        meant.first.map { key in
          Diagnostic(
            "unknown key \(JSONValue.string(key).canonical) of an expectation", at: .setting([.index(place), .key(key)], offset: Place.keyOffset),
            expected: words, hint: hint(forUnknown: key, among: known))
        } ?? Diagnostic("the expectation does not say what is expected", at: .setting([.index(place)]), expected: words))
      return nil
    }
    for member in written.members ?? [] where member.key != form.key && !(form.more + Self.common).contains(member.key) {
      mistakes.append(Diagnostic(
        "unknown key \(JSONValue.string(member.key).canonical) of an expectation with \"\(form.key)\"",
        at: .setting([.index(place), .key(member.key)], offset: Place.keyOffset),
        hint: hint(forUnknown: member.key, among: form.more + Self.common)))
    }
    var severity = Expectation.Severity.error
    if let word = text("severity", of: written, at: place) {
      if let known = Expectation.Severity(rawValue: word) {
        severity = known
      } else {
        misfit("severity", written, at: place, "\"error\", \"warn\" or \"quarantine\"", hint: hint(forUnknown: word, among: Expectation.Severity.allCases.map(\.rawValue)))
      }
    }
    let output = text("of", of: written, at: place), input = text("input", of: written, at: place)
    if output != nil, input != nil {
      mistakes.append(Diagnostic("an expectation is about an output (\"of\") or an input, not both", at: .setting([.index(place), "input"], offset: Place.keyOffset)))
    }
    _ = text("name", of: written, at: place)
    guard mistakes.count == before else { return nil }
    return PortExpectation(port: written["input"] == nil ? .output(output) : .input(input), place: place, written: written, severity: severity)
  }

  /// With the columns of its table.
  mutating func expectation(_ port: PortExpectation, _ schema: Schema, bindings: Expression.Bindings) -> Expectation? {
    let before = mistakes.count, written = port.written, place = port.place
    var test: Expectation.Test?, columns: [String] = [], words = ""
    if written["notNull"] != nil {
      columns = names("notNull", of: written, in: schema, at: place)
      test = .notNull(columns)
      words = columns.joined(separator: ", ") + (columns.count == 1 ? " is never null" : " are never null")
    } else if written["unique"] != nil {
      columns = names("unique", of: written, in: schema, at: place)
      test = .unique(columns)
      words = columns.joined(separator: ", ") + (columns.count == 1 ? " is unique" : " are unique together")
    } else if written["column"] != nil {
      (test, columns, words) = range(written, schema, at: place)
    } else if let rows = written["rows"] {
      (test, words) = self.rows(rows, at: place)
    } else if let sql = text("sql", of: written, at: place) {
      do throws(Mistakes) {
        let checked = try Expression.parse(sql, bindings: bindings).checkCondition(schema)
        (test, columns, words) = (.condition(sql, isNullFine: false), checked.columnsRead, sql)
      } catch { mistakes += error.prefixed(by: [.index(place), "sql"]).all }
    } else if let column = text("fresh", of: written, at: place) {
      (test, words) = fresh(column, written, schema, at: place)
      columns = [column]
    }
    guard mistakes.count == before, let test else { return nil }
    return Expectation(test, severity: port.severity, words: written["name"]?.string ?? words, columns: columns)
  }

  // MARK: Forms

  private mutating func range(_ written: JSONValue, _ schema: Schema, at place: Int) -> (Expectation.Test?, [String], String) {
    guard let column = text("column", of: written, at: place) else { return (nil, [], "") }
    guard let type = schema.type(of: column) else {
      mistakes.append(.missingColumn(column, in: schema, at: [.index(place), "column"]))
      return (nil, [], "")
    }
    var parts: [String] = [], words: [String] = []
    let name = Expectation.quoted(column)
    for (key, sign, word) in [("min", ">=", "at least"), ("max", "<=", "at most")] {
      guard let value = written[key] else { continue }
      guard let literal = Self.literal(value, type), type != .bool else {
        misfit(key, written, at: place, "a value of type \(type), as column \"\(column)\" has it")
        continue
      }
      parts.append("\(name) \(sign) \(literal)")
      words.append("\(word) \(value.string ?? value.canonical)")
    }
    if let allowed = written["in"] {
      let literals = allowed.array.map { $0.map { Self.literal($0, type) } } ?? []
      if literals.isEmpty || literals.contains(where: { $0 == nil }) {
        misfit("in", written, at: place, "a list of values of type \(type), as column \"\(column)\" has it")
      } else {
        parts.append("\(name) IN (\(literals.compactMap { $0 }.joined(separator: ", ")))")
        let shown = (allowed.array ?? []).prefix(6).map { $0.string ?? $0.canonical }.joined(separator: ", ")
        words.append("one of \(shown)" + (literals.count > 6 ? " …" : ""))
      }
    }
    if parts.isEmpty, written["min"] == nil, written["max"] == nil, written["in"] == nil {
      mistakes.append(Diagnostic("nothing is expected of column \"\(column)\"", at: .setting([.index(place)]), expected: "\"min\", \"max\" or \"in\""))
    }
    let sql = parts.joined(separator: " AND ")
    if !parts.isEmpty, (try? Expression.parse(sql).checkCondition(schema)) == nil {
      mistakes.append(Diagnostic("the bounds do not fit column \"\(column)\"", at: .setting([.index(place)]), expected: "values of type \(type)"))
    }
    return (.condition(sql, isNullFine: true), [column], "\(column) is " + words.joined(separator: " and "))
  }

  private mutating func rows(_ rows: JSONValue, at place: Int) -> (Expectation.Test?, String) {
    if let exact = rows.int, exact >= 0 { return (.rows(least: exact, most: exact), "\(exact) row\(exact == 1 ? "" : "s")") }
    let least = rows["min"]?.int, most = rows["max"]?.int
    let isKnown = rows.members?.allSatisfy { ["min", "max"].contains($0.key) && $0.value.int ?? -1 >= 0 } ?? false
    guard isKnown, least != nil || most != nil, least ?? 0 <= most ?? .max else {
      mistakes.append(Diagnostic(
        "\"rows\" does not fit", at: .setting([.index(place), "rows"]), expected: #"a number of rows, or {"min": 1, "max": 1000}"#, found: rows.words))
      return (nil, "")
    }
    let words = [least.map { "at least \($0)" }, most.map { "at most \($0)" }].compactMap { $0 }.joined(separator: " and ")
    return (.rows(least: least, most: most), words + ((most ?? least) == 1 ? " row" : " rows"))
  }

  private mutating func fresh(_ column: String, _ written: JSONValue, _ schema: Schema, at place: Int) -> (Expectation.Test?, String) {
    switch schema.type(of: column) {
    case nil: mistakes.append(.missingColumn(column, in: schema, at: [.index(place), "fresh"]))
    case .date?, .timestamp?: break
    case let type?:
      mistakes.append(Diagnostic(
        "column \"\(column)\" does not say when", at: .setting([.index(place), "fresh"]), expected: "a date or timestamp", found: "\(type)"))
    }
    let within = written["within"]?.string.flatMap { Duration($0) }
    if within == nil { misfit("within", written, at: place, Duration.formWords) }
    let asOf = written["asOf"]?.string.flatMap { CivilDate($0) }
    if asOf == nil { misfit("asOf", written, at: place, "the day that it is seen from, such as \"2011-12-09\" or \"${asOf}\"") }
    guard let within, let asOf else { return (nil, "") }
    return (.fresh(column: column, within: within, asOf: asOf), "\(column) is at most \(within) old on \(asOf)")
  }

  // MARK: Parts

  /// A value of a column's type as SQL has it; nil when it is none.
  private static func literal(_ value: JSONValue, _ type: ColumnType) -> String? {
    switch (type, value) {
    case (.int32, .number(let number)), (.int64, .number(let number)): number.int64.map(String.init)
    case (.float64, .number(let number)), (.decimal, .number(let number)): number.canonicalText
    case (.string, .string(let text)): "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    case (.bool, .bool(let value)): value ? "TRUE" : "FALSE"
    case (.date, .string(let text)): CivilDate(text).map { "DATE '\($0)'" }
    case (.timestamp, .string(let text)) where !text.contains("'"): CivilDate(text.prefix(10)).map { _ in "TIMESTAMP '\(text.count == 10 ? text + " 00:00" : text)'" }
    default: nil
    }
  }

  private mutating func names(_ key: String, of written: JSONValue, in schema: Schema, at place: Int) -> [String] {
    let value = written[key] ?? .null
    guard let names = value.string.map({ [$0] }) ?? value.array?.compactMap(\.string), !names.isEmpty, names.count == value.array?.count ?? 1 else {
      misfit(key, written, at: place, "a column, or a list of columns")
      return []
    }
    for (at, name) in names.enumerated() where schema.index(of: name) == nil {
      mistakes.append(.missingColumn(name, in: schema, at: value.string == nil ? [.index(place), .key(key), .index(at)] : [.index(place), .key(key)]))
    }
    return names
  }

  private mutating func text(_ key: String, of written: JSONValue, at place: Int) -> String? {
    guard let value = written[key] else { return nil }
    if value.string == nil { misfit(key, written, at: place, "a text") }
    return value.string
  }

  private mutating func misfit(_ key: String, _ written: JSONValue, at place: Int, _ expected: String, hint: String? = nil) {
    mistakes.append(Diagnostic(
      "\"\(key)\" of an expectation does not fit", at: .setting([.index(place), .key(key)]), expected: expected, found: written[key]?.words ?? "nothing",
      hint: hint))
  }
}

extension PortExpectation {
  /// As a rule of a stage that knows the types of its rows better than the document does; nil of what is not about single rows.
  var ruleWithoutTypes: String? {
    if let sql = written["sql"]?.string { return sql }
    if let value = written["notNull"] {
      let names = value.string.map { [$0] } ?? value.array?.compactMap(\.string) ?? []
      return names.isEmpty ? nil : names.map { "\(Expectation.quoted($0)) IS NOT NULL" }.joined(separator: " AND ")
    }
    guard let column = written["column"]?.string else { return nil }
    let name = Expectation.quoted(column)
    let literal = { (value: JSONValue) in value.string.map { "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'" } ?? value.canonical }
    var parts: [String] = []
    if let least = written["min"] { parts.append("\(name) >= \(literal(least))") }
    if let most = written["max"] { parts.append("\(name) <= \(literal(most))") }
    if let allowed = written["in"]?.array, !allowed.isEmpty { parts.append("\(name) IN (\(allowed.map(literal).joined(separator: ", ")))") }
    return parts.isEmpty ? nil : "(\(parts.joined(separator: " AND "))) IS NOT FALSE"
  }
}
