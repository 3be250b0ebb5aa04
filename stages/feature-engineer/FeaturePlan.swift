import Columns
import Diagnostics
import Expressions
import Pipelines

/// The settings of a feature-engineer stage against a schema: every expression checked.
struct FeaturePlan: Sendable {
  /// The columns read.
  let input: Schema
  let readsAll: Bool
  let quarantine: Schema
  /// One after the other; each may use those before.
  private(set) var derived: [(name: String, expression: TypedExpression)] = []
  /// The input with the derived columns.
  let wide: Schema
  /// What is computed of each key; nil without keys.
  let grouping: (keys: [Relation.NamedExpression], aggregates: [Relation.NamedExpression])?
  /// After the grouping, before scaling.
  let middle: Schema
  /// Scaled by figures of the whole column.
  private(set) var scaled: [(source: String, name: String, how: FeatureEngineer.Scaling)] = []
  /// `log1p` needs no figures: it is one more expression, of the grouped rows.
  private(set) var logarithms: [(name: String, expression: TypedExpression)] = []
  let output: Schema

  init(_ stage: FeatureEngineer, _ schema: Schema, _ bindings: Expression.Bindings) throws(Mistakes) {
    var mistakes = SettingMistakes()
    var wide = schema
    var broken: Set<String> = []
    for (name, text) in stage.derive.map({ ($0.name, $0.value.text) }) {
      let path: [PathStep] = ["derive", .key(name)]
      guard mistakes.newColumn(name, in: wide.names, at: path) else { continue }
      let known = wide
      do throws(Mistakes) {
        let expression = try Expression.parse(text, bindings: bindings)
        // What stands on a broken column was told there.
        if expression.columnNames.contains(where: broken.contains) {
          broken.insert(name)
          continue
        }
        let typed = try expression.check(known)
        derived.append((name, typed))
        wide = Schema(wide.fields + [Field(name, typed.type)])
      } catch {
        mistakes.all += error.prefixed(by: path).all
        broken.insert(name)
      }
    }

    var keys: [Relation.NamedExpression] = [], aggregates: [Relation.NamedExpression] = [], groupingReads: [String] = []
    for (at, name) in stage.by.enumerated() where !broken.contains(name) {
      if keys.contains(where: { $0.name == name }) { mistakes.all.append(Diagnostic("key \"\(name)\" is named twice", at: .setting(["by", .index(at)]))) }
      else if mistakes.type(of: name, in: wide, at: ["by", .index(at)]) != nil { keys.append(.init(name, Expression(.column(name)))) }
    }
    let rows = wide
    func take(_ name: String, _ path: [PathStep], _ text: () throws(Mistakes) -> String) {
      guard mistakes.newColumn(name, in: keys.map(\.name) + aggregates.map(\.name), at: path) else { return }
      let parsed = mistakes.catching(path) { () throws(Mistakes) in
        let expression = try Expression.parse(try text(), bindings: bindings)
        if expression.columnNames.contains(where: broken.contains) { return expression }
        groupingReads += try AggregateExpression(expression).check(rows, keys: keys.map(\.name)).columnsRead
        return expression
      }
      if let parsed { aggregates.append(.init(name, parsed)) }
    }
    for entry in stage.aggregates { take(entry.name, ["aggregates", .key(entry.name)]) { () throws(Mistakes) in entry.value.text } }
    let ready = ReadyFeatures(stage: stage)
    for (at, name) in stage.features.enumerated() { take(name, ["features", .index(at)]) { () throws(Mistakes) in try ready.sql(name) } }
    if stage.by.isEmpty, !stage.aggregates.isEmpty || !stage.features.isEmpty {
      mistakes.all.append(
        Diagnostic(
          "aggregates and features are of customers", at: .setting([stage.aggregates.isEmpty ? "features" : "aggregates"]),
          hint: "set \"by\" to the key column"))
    }
    try mistakes.throwing()

    let grouped = stage.by.isEmpty ? nil : (keys: keys, aggregates: aggregates)
    grouping = grouped
    self.wide = wide
    if let grouped {
      middle = try Relation.aggregate(.scan("rows"), by: grouped.keys, grouped.aggregates).schema(["rows": wide])
    } else {
      middle = wide
    }
    var fields = middle.fields
    for (source, how) in stage.scale.map({ ($0.name, $0.value) }) {
      let path: [PathStep] = ["scale", .key(source)], name = "\(source)_\(how.suffix)"
      guard let type = mistakes.type(of: source, in: middle, at: path), mistakes.newColumn(name, in: fields.map(\.name), at: path) else { continue }
      guard type.isNumeric else {
        mistakes.all.append(Diagnostic("only numbers can be scaled", at: .setting(path), expected: "a numeric column", found: "\(type)"))
        continue
      }
      if how == .log1p {
        let columns = middle
        let typed = mistakes.catching(path) { () throws(Mistakes) in
          try Expression(.call("log1p", [.cast(.column(source), .float64, orNull: false)])).check(columns)
        }
        if let typed { logarithms.append((name, typed)) }
      } else {
        scaled.append((source, name, how))
      }
      fields.append(Field(name, .float64))
    }
    let all = Schema(fields)
    for (at, name) in (stage.columns ?? []).enumerated() {
      _ = mistakes.type(of: name, in: all, at: ["columns", .index(at)])
      if stage.columns!.prefix(at).contains(name) { mistakes.all.append(Diagnostic("column \"\(name)\" is named twice", at: .setting(["columns", .index(at)]))) }
    }
    let wanted: Set<String>
    if grouped == nil, stage.columns == nil {
      wanted = Set(schema.names)
    } else {
      let passed = grouped == nil ? stage.columns ?? [] : []
      wanted = Set(derived.flatMap { $0.expression.columnsRead } + keys.map(\.name) + groupingReads + stage.scale.names + passed)
    }
    // Columns that are named one by one come sorted by name, as the recipe knows them: their place in the input must not show.
    let readsAll = grouped == nil && stage.columns == nil
    let read = readsAll ? schema.names : schema.names.filter(wanted.contains).sorted()
    for name in ["rule", "reason"] where read.contains(name) {
      mistakes.all.append(
        Diagnostic("the input has a column \"\(name)\", which the quarantine needs for itself", at: .input(port: "table"), hint: "rename it before"))
    }
    try mistakes.throwing()
    input = schema.selecting(read)
    self.readsAll = readsAll
    quarantine = Schema(input.fields + [Field("rule", .string), Field("reason", .string)])
    output = stage.columns.map(all.selecting) ?? all
  }

  /// The same work as a relation; scaling by figures of a whole column is none.
  func relation(of source: Relation) -> Relation? {
    guard scaled.isEmpty else { return nil }
    var result = source, names = input.names
    for (name, expression) in derived {
      result = .project(result, names.map { .init($0, Expression(.column($0))) } + [.init(name, expression.expression)])
      names.append(name)
    }
    if let grouping {
      result = .aggregate(result, by: grouping.keys, grouping.aggregates)
      names = middle.names
    }
    if !logarithms.isEmpty || names != output.names {
      result = .project(result, output.names.map { name in
        .init(name, logarithms.first { $0.name == name }?.expression.expression ?? Expression(.column(name)))
      })
    }
    return result
  }
}
