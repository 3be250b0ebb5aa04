import Columns
import Diagnostics
import Expressions
import Pipelines

/// Tables one behind the other, columns matched by name.
struct Union: Stage {
  static let contract = Contract(
    "union", "Rows of the first table, then of the second, …; columns are matched by name",
    inputs: [.table("tables", .many, help: "at least one; the first says the order of the columns")],
    outputs: [.table("table", help: "all rows")],
    version: 1, shares: ["expressions": "1", "arrow": "26"])

  enum Missing: String, SettingChoice { case error, null }

  @Setting("what a column means that some table lacks: a mistake, or nulls there") var missing = Missing.error
  @Setting("name of a new column that holds the alias of the table a row came from") var source: String?

  init() {}

  func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    let tables = inputs.many("tables")
    let reads = tables.map { Binding.Read($0.alias, .all) }
    if tables.isEmpty { throw Mistakes(Diagnostic("a union needs at least one table", at: .input(port: "tables"))) }
    let schemas = tables.compactMap { table in table.value.table.map { (table.alias, $0.schema) } }
    guard schemas.count == tables.count else { return Binding(outputs: [.init("table", .open)], reads: reads) }
    let relation = try relation(schemas)
    let schema = try relation.schema(Dictionary(uniqueKeysWithValues: schemas))
    return Binding(
      outputs: [.init("table", .table(TableType(schema)))], reads: reads, work: .whole(because: nil), relation: relation)
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    var tables: [(alias: String, value: TableArtifact)] = []
    for (alias, artifact) in inputs.many("tables") {
      guard case .table(let table) = artifact else { preconditionFailure("input \"\(alias)\" of a union is no table") }
      tables.append((alias, table))
    }
    let relation = try relation(tables.map { ($0.alias, $0.value.schema) })
    let streams = Dictionary(uniqueKeysWithValues: tables.map { ($0.alias, RowStream($0.value)) })
    var metrics = Metrics()
    for (alias, table) in tables { metrics["rows_\(alias)"] = .integer(table.rows) }
    metrics["rows"] = .integer(try relation.rows(streams, context).write("table", context))
    return metrics
  }

  private func relation(_ tables: [(String, Schema)]) throws(Mistakes) -> Relation {
    var mistakes = SettingMistakes()
    var types: [(name: String, type: ColumnType)] = []
    for (alias, schema) in tables {
      for field in schema.fields {
        guard let at = types.firstIndex(where: { $0.name == field.name }) else {
          types.append((field.name, field.type))
          continue
        }
        guard let both = Self.common(types[at].type, field.type) else {
          mistakes.all.append(
            Diagnostic(
              "column \"\(field.name)\" of \"\(alias)\" has a type that does not fit", at: .input(port: "tables"),
              expected: "\(types[at].type), as before", found: "\(field.type)", hint: "cast it before"))
          continue
        }
        types[at].type = both
      }
    }
    if missing == .error {
      for (alias, schema) in tables {
        for column in types where schema.index(of: column.name) == nil {
          mistakes.all.append(
            Diagnostic(
              "\"\(alias)\" has no column \"\(column.name)\"", at: .input(port: "tables"),
              hint: hint(forUnknown: column.name, among: schema.names.filter { name in !types.contains { $0.name == name } })
                ?? "set \"missing\": \"null\" to have nulls there"))
        }
      }
    }
    if let source { _ = mistakes.newColumn(source, in: types.map(\.name), at: ["source"]) }
    try mistakes.throwing()
    return .union(tables.map { alias, schema in
      var columns = types.map { name, type in
        let term: Term = schema.type(of: name) == nil ? .literal(.null) : .column(name)
        return Relation.NamedExpression(name, Expression(schema.type(of: name) == type ? term : .cast(term, type, orNull: false)))
      }
      if let source { columns.append(.init(source, Expression(.literal(.string(alias))))) }
      return .project(.scan(alias), columns)
    })
  }

  private static func common(_ a: ColumnType, _ b: ColumnType) -> ColumnType? {
    if a == b { return a }
    switch (a, b) {
    case (.int32, .int64), (.int64, .int32): return .int64
    case (.float64, _) where b.isNumeric, (_, .float64) where a.isNumeric: return .float64
    case (.decimal(let p, let s), .decimal(let q, let t)):
      return .decimal(precision: min(ColumnType.widestDecimal, max(p - s, q - t) + max(s, t)), scale: max(s, t))
    case (.date, .timestamp): return b
    case (.timestamp, .date): return a
    default: return nil
    }
  }
}
