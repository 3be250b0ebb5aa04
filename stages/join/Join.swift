import Columns
import Diagnostics
import Expressions
import Kernels
import Pipelines

/// Rows of one table with what another knows of their keys.
///
///     { "stage": "join", "from": { "left": "sales", "right": "products" },
///       "with": { "how": "left", "on": "stock", "cardinality": "many-to-one" } }
struct Join: Stage {
  static let contract = Contract(
    "join", "Rows of the left table with the columns of the right one (inner, left), or those without a partner (anti)",
    inputs: [.table("left", help: "rows whose order stays"), .table("right", help: "what is looked up; held in memory")],
    outputs: [.table("table", help: "left columns, then right columns that are no keys")],
    version: 1, shares: ["kernels": "1"])

  enum How: String, SettingChoice { case inner, left, anti }
  enum Cardinality: String, SettingChoice {
    case oneToOne = "one-to-one"
    case manyToOne = "many-to-one"
    case oneToMany = "one-to-many"
    case manyToMany = "many-to-many"
    var leftIsUnique: Bool { self == .oneToOne || self == .oneToMany }
    var rightIsUnique: Bool { self == .oneToOne || self == .manyToOne }
  }

  @Setting("which rows come out") var how = How.inner
  @Setting("key columns of one name on both sides, or { left: right }; a null key has no partner") var on: Either<OneOrMany<String>, Named<String>>
  @Setting("how many rows may share a key on each side; checked, and a key that breaks it ends the stage") var cardinality = Cardinality.manyToOne

  init() {}

  private var keys: [Relation.JoinKey] {
    switch on {
    case .first(let names): names.map { .init(left: $0, right: $0) }
    case .second(let pairs): pairs.map { .init(left: $0.name, right: $0.value) }
    }
  }

  private func relation(_ left: String, _ right: String) -> Relation {
    let kind: Relation.JoinKind =
      switch how {
      case .inner: .inner
      case .left: .left
      case .anti: .anti
      }
    return .join(.scan(left), .scan(right), kind, on: keys)
  }

  func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    let rightReads: Binding.Read = .init("right", how == .anti ? .named(keys.map(\.right)) : .all)
    var mistakes = SettingMistakes()
    if keys.isEmpty { mistakes.all.append(Diagnostic("a join needs a key", at: .setting(["on"]), expected: "at least one column")) }
    guard let left = inputs.schema("left"), let right = inputs.schema("right") else {
      try mistakes.throwing()
      return Binding(outputs: [.init("table", .open)], reads: [.init("left", .all), rightReads])
    }
    for (at, key) in keys.enumerated() {
      let path: [PathStep] = if case .second = on { ["on", .key(key.left)] } else { ["on", .index(at)] }
      let a = left.type(of: key.left), b = right.type(of: key.right)
      if a == nil { mistakes.all.append(.missingSide(key.left, "left", in: left, at: path)) }
      if b == nil { mistakes.all.append(.missingSide(key.right, "right", in: right, at: path)) }
      if let a, let b, !Self.comparable(a, b) {
        mistakes.all.append(
          Diagnostic("the key has two types", at: .setting(path), expected: "\(a), as on the left", found: "\(b)", hint: "cast one side before"))
      }
    }
    try mistakes.throwing()
    let relation = relation("left", "right")
    let schema = try relation.schema(["left": left, "right": right])
    let order = inputs["left"]?.table?.order ?? .source
    return Binding(
      outputs: [.init("table", .table(TableType(schema, order: order)))], reads: [.init("left", .all), rightReads],
      work: .whole(because: nil), relation: relation)
  }

  /// Whether equal keys have equal words in the kernels.
  private static func comparable(_ a: ColumnType, _ b: ColumnType) -> Bool {
    if a == b { return true }
    switch (a, b) {
    case (.int32, .int64), (.int64, .int32): return true
    case (.decimal(_, let x), .decimal(_, let y)): return x == y
    default: return false
    }
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let left = inputs.table("left"), right = inputs.table("right")
    let leftRows = RowStream(left), rightRows = RowStream(right, columns: how == .anti ? keys.map(\.right).unique : nil)
    let side = try rightRows.whole(context)
    if cardinality.rightIsUnique, let row = JoinTable(keys: keys.map { side[$0.right] }, count: side.count).repeatedRow {
      throw repeated("right", keys.map { side[$0.right].value(at: row) })
    }
    if cardinality.leftIsUnique { try checkLeft(leftRows, context) }
    let joined = try relation("left", "right").rows(["left": leftRows, "right": RowStream(side)], context)
    var metrics = Metrics()
    metrics["left_rows"] = .integer(left.rows)
    metrics["right_rows"] = .integer(right.rows)
    metrics["rows"] = .integer(try joined.write("table", context))
    return metrics
  }

  private func checkLeft(_ rows: RowStream, _ context: any RunContext) throws {
    let index = KeyIndex(types: keys.map { rows.schema.type(of: $0.left)! })
    try rows.forEach(context) { batch in
      let columns = keys.map { batch[$0.left] }
      var seen = index.count
      for (row, group) in index.groups(of: columns, count: batch.count).enumerated() {
        if Int(group) == seen { seen += 1 } else if !columns.contains(where: { $0.isNull(row) }) {
          throw repeated("left", columns.map { $0.value(at: row) })
        }
      }
    }
  }

  private func repeated(_ side: String, _ values: [Value]) -> Diagnostic {
    let names = keys.map { side == "left" ? $0.left : $0.right }
    let key = zip(names, values).map { "\($0) = \($1)" }.joined(separator: ", ")
    return Diagnostic(
      "two rows of the \(side) table have the key \(key)", at: .setting(["cardinality"]), expected: "\(cardinality.rawValue)",
      hint: "make the key distinct before, or declare another cardinality")
  }
}

extension Diagnostic {
  fileprivate static func missingSide(_ name: String, _ side: String, in schema: Schema, at path: [PathStep]) -> Diagnostic {
    Diagnostic("no column \"\(name)\" in the \(side) table", at: .setting(path), hint: Diagnostics.hint(forUnknown: name, among: schema.names))
  }
}
