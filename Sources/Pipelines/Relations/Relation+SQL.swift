import Expressions

extension Relation {
  /// The relation as one SQL statement: a named step per operation, so that people can read it and a cluster can run it.
  /// Inputs are tables named by their aliases. What is used twice is one step; rows that come in the order of keys are
  /// sorted by them at the end.
  public func sql(dialect: Dialect = .duckdb) -> String {
    var printer = RelationPrinter(dialect: dialect)
    let last = printer.add(self)
    let order = keys.isEmpty ? "" : " ORDER BY " + keys.map { "\(printer.quoted($0)) NULLS LAST" }.joined(separator: ", ")
    let steps = printer.steps.map { "\($0.name) AS (\n  \($0.text)\n)" }.joined(separator: ",\n")
    return (steps.isEmpty ? "" : "WITH \(steps)\n") + "SELECT * FROM \(last)\(order)"
  }

  /// The columns by which the rows come sorted, as aggregates give them and row-wise work keeps them.
  public var keys: [String] {
    switch self {
    case .scan, .union: []
    case .filter(let source, _), .distinct(let source, _), .join(let source, _, _, _): source.keys
    case .aggregate(_, let keys, _): keys.map(\.name)
    case .project(let source, let columns):
      // Renamed keys still are; from the first that is left out on, nothing is known.
      source.keys.map { key in columns.first { $0.expression.term == .column(key) }?.name }.prefix { $0 != nil }.compactMap(\.self)
    }
  }
}

private struct RelationPrinter {
  let dialect: Dialect
  var steps: [(name: String, text: String)] = []
  private var known: [Relation: String] = [:]

  init(dialect: Dialect) { self.dialect = dialect }

  func quoted(_ name: String) -> String { Expression(.column(name)).sql(dialect: dialect) }

  private func named(_ columns: [Relation.NamedExpression]) -> String {
    columns.map { "\($0.expression.sql(dialect: dialect)) AS \(quoted($0.name))" }.joined(separator: ", ")
  }

  /// Adds the steps of a relation, unless an equal one has them; gives the name of its result.
  mutating func add(_ relation: Relation) -> String {
    if let name = known[relation] { return name }
    let name = print(relation)
    known[relation] = name
    return name
  }

  private mutating func print(_ relation: Relation) -> String {
    switch relation {
    case .scan(let alias): return quoted(alias)
    case .filter(let source, let rules):
      let from = add(source)
      return step("SELECT * FROM \(from) WHERE " + rules.map { "(\($0.condition.sql(dialect: dialect)))" }.joined(separator: " AND "))
    case .project(let source, let columns):
      let from = add(source)
      return step("SELECT \(named(columns)) FROM \(from)")
    case .distinct(let source, nil):
      let from = add(source)
      return step("SELECT DISTINCT * FROM \(from)")
    case .distinct(let source, let on?):
      let from = add(source), keys = on.map(quoted).joined(separator: ", ")
      if dialect != .spark { return step("SELECT DISTINCT ON (\(keys)) * FROM \(from)") }
      let place = quoted("#place")
      let numbered = step(
        "SELECT *, row_number() OVER (PARTITION BY \(keys) ORDER BY monotonically_increasing_id()) AS \(place) FROM \(from)")
      return step("SELECT * EXCEPT (\(place)) FROM \(numbered) WHERE \(place) = 1")
    case .aggregate(let source, let keys, let aggregates):
      let from = add(source)
      let group = keys.isEmpty ? "" : " GROUP BY " + keys.map { $0.expression.sql(dialect: dialect) }.joined(separator: ", ")
      return step("SELECT \(named(keys + aggregates)) FROM \(from)\(group)")
    case .join(let left, let right, let kind, let keys):
      let a = add(left), b = add(right)
      let on = keys.map { "a.\(quoted($0.left)) = b.\(quoted($0.right))" }.joined(separator: " AND ")
      let drop = "\(dialect == .spark ? "EXCEPT" : "EXCLUDE") (\(keys.map { quoted($0.right) }.joined(separator: ", ")))"
      switch kind {
      case .anti: return step("SELECT a.* FROM \(a) AS a \(dialect == .spark ? "LEFT ANTI" : "ANTI") JOIN \(b) AS b ON \(on)")
      case .inner: return step("SELECT a.*, b.* \(drop) FROM \(a) AS a JOIN \(b) AS b ON \(on)")
      case .left: return step("SELECT a.*, b.* \(drop) FROM \(a) AS a LEFT JOIN \(b) AS b ON \(on)")
      }
    case .union(let sources):
      let parts = sources.map { add($0) }
      return step(parts.map { "SELECT * FROM \($0)" }.joined(separator: " UNION ALL "))
    }
  }

  private mutating func step(_ text: String) -> String {
    let name = "step\(steps.count + 1)"
    steps.append((name, text))
    return name
  }
}
