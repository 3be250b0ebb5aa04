import Columns
import Diagnostics
import Expressions
import Pipelines

/// The settings of a clean stage against a schema: every expression checked, every rule numbered.
struct CleanPlan: Sendable {
  struct Repair: Sendable {
    let name: String
    let expression: TypedExpression
    let rule: Int
  }
  struct Fill: Sendable {
    enum By: Sendable { case expression(TypedExpression), mean, median }
    let name: String
    let by: By
    let rule: Int
    var isStatistic: Bool { if case .expression = by { false } else { true } }
  }

  /// The columns read.
  let input: Schema
  /// Every column that the input has is read.
  let readsAll: Bool
  /// After the repairs, in the input's order.
  let repaired: Schema
  let output: Schema
  let quarantine: Schema
  /// Trim, replace and cast of a column, as one expression.
  private(set) var repairs: [Repair] = []
  private(set) var fills: [Fill] = []
  private(set) var required: [(name: String, rule: Int)] = []
  private(set) var conditions: [(expression: TypedExpression, rule: Int)] = []
  let distinctOn: [String]?
  let distinctRule: Int
  let caps: [(name: String, bounds: CapBounds)]
  let amount: TypedExpression?
  /// In the order in which they count.
  let rules: [String]

  init(_ stage: Clean, _ schema: Schema, _ bindings: Expression.Bindings) throws(Mistakes) {
    var mistakes = SettingMistakes()
    var rules: [String] = []
    func rule(_ name: String) -> Int {
      // The same condition written twice is two rules.
      let again = rules.count { $0 == name || $0.hasPrefix("\(name) #") }
      rules.append(again == 0 ? name : "\(name) #\(again + 1)")
      return rules.count - 1
    }

    // Repairs: one expression a column, written as settings allow and checked against the input.
    var terms: [(name: String, term: Term)] = []
    func change(_ name: String, _ make: (Term) -> Term) {
      if let at = terms.firstIndex(where: { $0.name == name }) { terms[at].term = make(terms[at].term) } else { terms.append((name, make(.column(name)))) }
    }
    switch stage.trim {
    case .first(true): for field in schema.fields where field.type == .string { change(field.name) { .call("trim", [$0]) } }
    case .first(false): break
    case .second(let names):
      for (at, name) in names.enumerated() where mistakes.text(name, in: schema, at: ["trim", .index(at)]) { change(name) { .call("trim", [$0]) } }
    }
    for column in stage.replace where mistakes.text(column.name, in: schema, at: ["replace", .key(column.name)]) {
      for pair in column.value {
        change(column.name) { .call("regexp_replace", [$0, .literal(.string(pair.name)), .literal(.string(pair.value))]) }
      }
    }
    for column in stage.cast {
      let path: [PathStep] = ["cast", .key(column.name)]
      guard mistakes.type(of: column.name, in: schema, at: path) != nil else { continue }
      guard let type = ColumnType(column.value) else {
        mistakes.all.append(
          Diagnostic(
            "\"\(column.value)\" is no type", at: .setting(path), expected: "one of \(ColumnType.spellings.joined(separator: ", "))",
            hint: nearest(to: column.value, among: ColumnType.spellings).map { "did you mean \"\($0)\"?" }))
        continue
      }
      change(column.name) { .cast($0, type, orNull: false) }
    }
    var types: [String: ColumnType] = [:]
    for (name, term) in terms {
      let setting: PathStep = stage.cast[name] != nil ? "cast" : stage.replace[name] != nil ? "replace" : "trim"
      let typed = mistakes.catching([setting, .key(name)]) { () throws(Mistakes) in try Expression(term).check(schema) }
      guard let typed else { continue }
      types[name] = typed.type
      repairs.append(Repair(name: name, expression: typed, rule: rule("\(setting) \(name)")))
    }
    let after = Schema(schema.fields.map { Field($0.name, types[$0.name] ?? $0.type) })

    for column in stage.fill {
      let path: [PathStep] = ["fill", .key(column.name)]
      guard let type = mistakes.type(of: column.name, in: after, at: path) else { continue }
      if let by = Self.fill(column.name, type, column.value, after, bindings, &mistakes, path) {
        fills.append(Fill(name: column.name, by: by, rule: rule("fill \(column.name)")))
      }
    }
    for (at, name) in stage.require.enumerated() where mistakes.type(of: name, in: after, at: ["require", .index(at)]) != nil {
      required.append((name, rule("require \(name)")))
    }
    var names: [String] = fills.flatMap { fill in
      if case .expression(let typed) = fill.by { [fill.name] + typed.columnsRead } else { [fill.name] }
    } + required.map(\.name)
    for (at, text) in stage.keep.enumerated() {
      let typed = mistakes.catching(["keep", .index(at)]) { () throws(Mistakes) in
        let typed = try Expression.parse(text.text, bindings: bindings).check(after)
        if typed.type != .bool {
          throw Mistakes(Diagnostic("a condition is true or false", at: .setting([]), expected: "bool", found: "\(typed.type)"))
        }
        return typed
      }
      guard let typed else { continue }
      names += typed.columnsRead
      conditions.append((typed, rule("keep \(text.text)")))
    }
    switch stage.distinct {
    case .first(let all): distinctOn = all ? schema.names : nil
    case .second(let on):
      for (at, name) in on.enumerated() { _ = mistakes.type(of: name, in: schema, at: ["distinct", .index(at)]) }
      if on.isEmpty { mistakes.all.append(Diagnostic("distinct by no column", at: .setting(["distinct"]), expected: "true, false or column names")) }
      distinctOn = on
    }
    distinctRule = rules.count
    if distinctOn != nil { rules.append("distinct") }
    for column in stage.cap { mistakes.cap(column.name, column.value, in: after) }
    caps = stage.cap.map { ($0.name, $0.value) }
    amount = stage.amount.flatMap { text in
      mistakes.catching(["amount"]) { () throws(Mistakes) in
        let typed = try Expression.parse(text.text, bindings: bindings).check(after)
        if !typed.type.isNumeric { throw Mistakes(Diagnostic("an amount is a number", at: .setting([]), found: "\(typed.type)")) }
        return typed
      }
    }
    for (at, name) in (stage.columns ?? []).enumerated() {
      _ = mistakes.type(of: name, in: schema, at: ["columns", .index(at)])
      if stage.columns!.prefix(at).contains(name) { mistakes.all.append(Diagnostic("column \"\(name)\" is named twice", at: .setting(["columns", .index(at)]))) }
    }
    names += repairs.flatMap { $0.expression.columnsRead } + (distinctOn ?? []) + caps.map(\.name) + (amount?.columnsRead ?? [])
    let wanted = Set(names + (stage.columns ?? schema.names))
    // Columns that are named one by one come sorted by name, as the recipe knows them: their place in the input must not show.
    let read = stage.columns == nil ? schema.names : schema.names.filter(wanted.contains).sorted()
    for name in ["rule", "reason"] where read.contains(name) {
      mistakes.all.append(
        Diagnostic("the input has a column \"\(name)\", which the quarantine needs for itself", at: .input(port: "table"), hint: "rename it before"))
    }
    try mistakes.throwing()
    self.rules = rules
    input = schema.selecting(read)
    readsAll = stage.columns == nil
    repaired = after.selecting(read)
    output = after.selecting(stage.columns ?? schema.names)
    quarantine = Schema(input.fields + [Field("rule", .string), Field("reason", .string)])
  }

  private static func fill(
    _ name: String, _ type: ColumnType, _ value: JSONValue, _ schema: Schema, _ bindings: Expression.Bindings,
    _ mistakes: inout SettingMistakes, _ path: [PathStep]
  ) -> Fill.By? {
    var term: Term?
    if let sql = value["sql"]?.string, value.members?.count == 1 {
      term = mistakes.catching(path + ["sql"]) { () throws(Mistakes) in try Expression.parse(sql, bindings: bindings).term }
      if term == nil { return nil }
    } else if let text = value.string {
      if type.isNumeric, text == "mean" { return .mean }
      if type.isNumeric, text == "median" { return .median }
      if !type.isNumeric { term = .literal(.string(text)) }
    } else if let flag = value.bool {
      term = .literal(.bool(flag))
    } else if let number = value.number {
      term = mistakes.catching(path) { () throws(Mistakes) in try Expression.parse(number.text).term }
    }
    guard let term else {
      mistakes.all.append(
        Diagnostic(
          "nothing to fill a \(type) column with", at: .setting(path),
          expected: type.isNumeric ? "a number, \"mean\", \"median\" or { \"sql\": … }" : "a value or { \"sql\": … }", found: value.words))
      return nil
    }
    let typed = mistakes.catching(path) { () throws(Mistakes) in
      try Expression(.cast(.call("coalesce", [.column(name), term]), type, orNull: false)).check(schema)
    }
    return typed.map(Fill.By.expression)
  }

  /// The same work as a relation, where it is one: bounds and statistics of whole columns are not.
  func relation(of source: Relation) -> Relation? {
    guard caps.isEmpty, !fills.contains(where: \.isStatistic) else { return nil }
    func projected(_ from: Relation, _ names: [String], _ changes: [(String, Expression)]) -> Relation {
      .project(from, names.map { name in .init(name, changes.first { $0.0 == name }?.1 ?? Expression(.column(name))) })
    }
    var result = source
    if !repairs.isEmpty { result = projected(result, input.names, repairs.map { ($0.name, $0.expression.expression) }) }
    let filling = fills.compactMap { fill in if case .expression(let typed) = fill.by { (fill.name, typed.expression) } else { nil } }
    if !filling.isEmpty { result = projected(result, input.names, filling) }
    let filters =
      required.map { Relation.Rule(rules[$0.rule], Expression(.test(.column($0.name), .null, negated: true))) }
      + conditions.map { Relation.Rule(rules[$0.rule], $0.expression.expression) }
    if !filters.isEmpty { result = .filter(result, filters) }
    if let distinctOn { result = .distinct(result, on: distinctOn == input.names ? nil : distinctOn) }
    if output.names != input.names { result = projected(result, output.names, []) }
    return result
  }
}

extension SettingMistakes {
  fileprivate mutating func text(_ name: String, in schema: Schema, at path: [PathStep]) -> Bool {
    guard let type = type(of: name, in: schema, at: path) else { return false }
    if type == .string { return true }
    all.append(Diagnostic("column \"\(name)\" holds no text", at: .setting(path), expected: "string", found: "\(type)"))
    return false
  }

  fileprivate mutating func cap(_ name: String, _ bounds: CapBounds, in schema: Schema) {
    let path: [PathStep] = ["cap", .key(name)]
    guard let type = type(of: name, in: schema, at: path) else { return }
    if !type.isNumeric { all.append(Diagnostic("only numbers can be capped", at: .setting(path), expected: "a numeric column", found: "\(type)")) }
    switch (bounds.quantile, bounds.iqr) {
    case (let quantile?, nil):
      if quantile.count != 2 || !(0...1).contains(quantile[0]) || !(0...1).contains(quantile[1]) || quantile[0] > quantile[1] {
        all.append(Diagnostic("these are no two quantiles", at: .setting(path + ["quantile"]), expected: "two numbers from 0 to 1, ascending"))
      }
    case (nil, let iqr?):
      if iqr < 0 { all.append(Diagnostic("a distance is not negative", at: .setting(path + ["iqr"]), found: "\(iqr)")) }
    default:
      all.append(Diagnostic("one kind of bounds is needed", at: .setting(path), expected: "{ \"quantile\": [low, high] } or { \"iqr\": distance }"))
    }
  }
}
