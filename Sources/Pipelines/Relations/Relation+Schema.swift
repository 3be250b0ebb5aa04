import Columns
import Diagnostics
import Expressions

extension Relation {
  /// The columns that the relation gives, over inputs by alias. Its own mistakes have no setting; a room that wants them
  /// told at a setting checks its expressions itself before it builds the relation.
  public func schema(_ inputs: [String: Schema]) throws(Mistakes) -> Schema {
    switch self {
    case .scan(let alias):
      guard let schema = inputs[alias] else { preconditionFailure("a relation scans \"\(alias)\", which is no input of it") }
      return schema
    case .filter(let source, let rules):
      let schema = try source.schema(inputs)
      for rule in rules {
        let type = try rule.condition.check(schema).type
        if type != .bool { throw Mistakes(Diagnostic("the condition \"\(rule.name)\" is not true or false", expected: "bool", found: "\(type)")) }
      }
      return schema
    case .project(let source, let columns):
      let schema = try source.schema(inputs)
      var fields: [Field] = []
      for column in columns { fields.append(Field(column.name, try column.expression.check(schema).type)) }
      return Schema(fields)
    case .distinct(let source, _): return try source.schema(inputs)
    case .aggregate(let source, let keys, let aggregates):
      let grouping = try Grouping(try source.schema(inputs), keys, aggregates)
      return grouping.schema
    case .join(let left, let right, let kind, let keys):
      let (a, b) = (try left.schema(inputs), try right.schema(inputs))
      if kind == .anti { return a }
      let added = b.fields.filter { field in !keys.contains { $0.right == field.name } }
      var mistakes: [Diagnostic] = []
      for field in added where a.index(of: field.name) != nil {
        mistakes.append(
          Diagnostic("both sides of the join have a column \"\(field.name)\"", at: .setting(["on"]), hint: "rename or leave out one before"))
      }
      if !mistakes.isEmpty { throw Mistakes(mistakes) }
      return Schema(a.fields + added)
    case .union(let sources):
      guard let first = sources.first else { preconditionFailure("a union of nothing") }
      let schema = try first.schema(inputs)
      for source in sources.dropFirst() where try source.schema(inputs) != schema {
        preconditionFailure("the sides of a union have different columns; the room has to bring them together")
      }
      return schema
    }
  }
}

/// A checked aggregation: keys, calls over rows, and what is made of their results.
struct Grouping: Sendable {
  let keys: [(name: String, expression: TypedExpression)]
  let aggregates: [(name: String, expression: TypedAggregateExpression)]
  let schema: Schema

  init(_ source: Schema, _ by: [Relation.NamedExpression], _ named: [Relation.NamedExpression]) throws(Mistakes) {
    var mistakes = SettingMistakes()
    var keys: [(name: String, expression: TypedExpression)] = []
    var aggregates: [(name: String, expression: TypedAggregateExpression)] = []
    for key in by {
      if let typed = mistakes.catching(["by", .key(key.name)], { () throws(Mistakes) in try key.expression.check(source) }) {
        keys.append((key.name, typed))
      }
    }
    // A computed key may stand outside of an aggregate like any other.
    let known = Schema(source.fields + keys.filter { source.index(of: $0.name) == nil }.map { Field($0.name, $0.expression.type) })
    for aggregate in named {
      let typed = mistakes.catching(["aggregates", .key(aggregate.name)]) { () throws(Mistakes) in
        try AggregateExpression(aggregate.expression).check(known, keys: keys.map(\.name))
      }
      guard let typed else { continue }
      if typed.calls.contains(where: { $0.distinct && $0.function != .count }) {
        mistakes.all.append(
          Diagnostic("DISTINCT is only for count", at: .setting(["aggregates", .key(aggregate.name)]), hint: "write count(DISTINCT x)"))
      }
      aggregates.append((aggregate.name, typed))
    }
    try mistakes.throwing()
    self.keys = keys
    self.aggregates = aggregates
    schema = Schema(keys.map { Field($0.name, $0.expression.type) } + aggregates.map { Field($0.name, $0.expression.type) })
  }
}
