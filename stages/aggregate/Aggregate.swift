import Columns
import Diagnostics
import Expressions
import Pipelines
import Synchronization

/// Groups and what is computed of them, one row per group.
///
///     { "stage": "aggregate", "with": { "by": ["country"], "aggregates": { "revenue": "sum(amount)", "orders": "count(DISTINCT invoice)" } } }
struct Aggregate: Stage {
  static let contract = Contract(
    "aggregate", "One row per group, with SQL aggregates; ascending by the keys",
    inputs: [.table("table", help: "rows")], outputs: [.table("table", help: "groups")],
    version: 1, shares: ["expressions": "1", "arrow": "26", "kernels": "1"])

  @Setting("key columns, or keys by name as SQL; without any, one row over all") var by: Either<OneOrMany<String>, Named<SQLText>> = .first([])
  @Setting("columns by name, as SQL aggregates: count(*), sum(x), avg(x), min(x), count(DISTINCT x) …") var aggregates: Named<SQLText>

  init() {}

  func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    let alias = inputs.entries[0].alias
    guard let schema = inputs.schema() else {
      return Binding(outputs: [.init("table", .open)], reads: [.init(alias, .all)])
    }
    let (keys, results) = try columns(of: schema, context.parameters.bindings)
    let relation = Relation.aggregate(.scan(alias), by: keys, results)
    return Binding(
      outputs: [.init("table", .table(TableType(try relation.schema([alias: schema]), order: .key(keyNames))))],
      reads: [.init(alias, .named(columnsRead(keys + results)), .once)], work: .whole(because: nil), relation: relation)
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table()
    // What it may get wrong was told when it was bound.
    let (keys, results) = try columns(of: nil, context.parameters.bindings)
    let relation = Relation.aggregate(.scan("table"), by: keys, results)
    let counted = Atomic<Int>(0)
    let rows = RowStream(table, columns: columnsRead(keys + results))
    let stream = rows.mapping(rows.schema) { batch in
      counted.add(batch.count, ordering: .relaxed)
      return batch
    }
    let result: RowStream
    do { result = try relation.rows(["table": stream], context) } catch let failed as FailedRows {
      throw failed.mistakes { expression in
        guard expression.isKey else { return .setting(["aggregates", .key(expression.name)]) }
        return .setting(["by", .key(expression.name)])
      }
    }
    var metrics = Metrics()
    metrics["rows"] = .integer(counted.load(ordering: .relaxed))
    metrics["groups"] = .integer(try result.write("table", context))
    return metrics
  }

  private var keyNames: [String] {
    switch by {
    case .first(let names): names.items
    case .second(let named): named.names
    }
  }

  /// Keys and aggregates; checked where the schema of the input is given.
  private func columns(
    of schema: Schema?, _ bindings: Expression.Bindings
  ) throws(Mistakes) -> (keys: [Relation.NamedExpression], results: [Relation.NamedExpression]) {
    var mistakes = SettingMistakes()
    var keys: [Relation.NamedExpression] = []
    switch by {
    case .first(let names):
      for (at, name) in names.enumerated() {
        if let schema { _ = mistakes.type(of: name, in: schema, at: ["by", .index(at)]) }
        if keys.contains(where: { $0.name == name }) {
          mistakes.all.append(Diagnostic("key \"\(name)\" is named twice", at: .setting(["by", .index(at)])))
        } else {
          keys.append(.init(name, Expression(.column(name))))
        }
      }
    case .second(let named):
      for (name, text) in named.map({ ($0.name, $0.value.text) }) {
        let path: [PathStep] = ["by", .key(name)]
        let parsed = mistakes.catching(path) { () throws(Mistakes) in
          let expression = try Expression.parse(text, bindings: bindings)
          if let schema { _ = try expression.check(schema) }
          return expression
        }
        guard let parsed else { continue }
        if let schema, schema.index(of: name) != nil, parsed.term != .column(name) {
          mistakes.all.append(Diagnostic("key \"\(name)\" has the name of a column that it is not", at: .setting(path), hint: "choose another name"))
        }
        keys.append(.init(name, parsed))
      }
    }
    var results: [Relation.NamedExpression] = []
    for (name, text) in aggregates.map({ ($0.name, $0.value.text) }) {
      let path: [PathStep] = ["aggregates", .key(name)]
      guard mistakes.newColumn(name, in: keyNames, at: path) else { continue }
      let parsed = mistakes.catching(path) { () throws(Mistakes) in try Expression.parse(text, bindings: bindings) }
      if let parsed { results.append(.init(name, parsed)) }
    }
    if aggregates.isEmpty, keyNames.isEmpty {
      mistakes.all.append(Diagnostic("nothing to aggregate", at: .setting(["aggregates"]), expected: "at least one aggregate or key"))
    }
    // What the aggregates themselves get wrong is told at their own settings, beside the rest.
    if let schema, !mistakes.all.contains(where: { if case .setting(let path, _, _) = $0.place { path.first == "by" } else { false } }) {
      _ = mistakes.catching([]) { () throws(Mistakes) in
        try Relation.aggregate(.scan("table"), by: keys, results).schema(["table": schema])
      }
    }
    try mistakes.throwing()
    return (keys, results)
  }

  private func columnsRead(_ expressions: [Relation.NamedExpression]) -> [String] {
    var names = expressions.flatMap(\.expression.columnNames)
    // A computed key may be named outside of an aggregate, and is no column of the input.
    if case .second(let named) = by {
      let known = keyNames, texts = named.map(\.value.text)
      names.removeAll { name in known.contains(name) && !texts.contains(name) }
    }
    return names.unique
  }
}
