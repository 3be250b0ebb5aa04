import Columns
import Diagnostics
import Expressions
import Kernels

extension Relation {
  /// Runs the relation here, over inputs by alias. Row-wise work happens as batches are read; aggregates, `distinct` and
  /// the right side of a join are made at once. A row whose expression fails ends the stage: the rooms that keep a
  /// quarantine catch such rows before.
  public func rows(_ inputs: [String: RowStream], _ context: any RunContext) throws -> RowStream {
    switch self {
    case .scan(let alias):
      guard let input = inputs[alias] else { preconditionFailure("a relation scans \"\(alias)\", which is no input of it") }
      return input
    case .filter(let source, let rules):
      let input = try source.rows(inputs, context)
      var conditions: [(name: String, condition: TypedExpression)] = []
      for rule in rules { conditions.append((rule.name, try rule.condition.check(input.schema))) }
      let all = conditions
      return input.mapping(input.schema) { batch in
        var keeps = [Bool](repeating: true, count: batch.count)
        for (name, condition) in all {
          let column = try condition.values(of: batch, in: name)
          let bits = column.bits
          for row in keeps.indices where !bits[row] || column.isNull(row) { keeps[row] = false }
        }
        return batch.keeping(keeps)
      }
    case .project(let source, let columns):
      let input = try source.rows(inputs, context)
      var typed: [(name: String, expression: TypedExpression)] = []
      for column in columns { typed.append((column.name, try column.expression.check(input.schema))) }
      let all = typed
      let schema = Schema(all.map { Field($0.name, $0.expression.type) })
      return input.mapping(schema) { batch in
        Batch(schema: schema, columns: try all.map { try $0.expression.values(of: batch, in: $0.name) }, count: batch.count)
      }
    case .distinct(let source, let on): return try Self.distinct(try source.rows(inputs, context), on: on, context)
    case .aggregate(let source, let keys, let aggregates):
      let input = try source.rows(inputs, context)
      return RowStream(try Grouping(input.schema, keys, aggregates).run(input, context))
    case .join(let left, let right, let kind, let keys):
      let (a, b) = (try left.rows(inputs, context), try right.rows(inputs, context))
      let schema = try Relation.join(.scan("left"), .scan("right"), kind, on: keys).schema(["left": a.schema, "right": b.schema])
      let side = try b.whole(context)
      let table = JoinTable(keys: keys.map { side[$0.right] }, count: side.count)
      let added = kind == .anti ? [] : side.schema.names.filter { name in !keys.contains { $0.right == name } }
      let how: JoinTable.Kind =
        switch kind {
        case .inner: .inner
        case .left: .left
        case .anti: .anti
        }
      return a.mapping(schema) { batch in
        let pairs = table.probe(keys.map { batch[$0.left] }, count: batch.count, how)
        let columns = batch.columns.map { $0.gather(pairs.left) } + added.map { side[$0].gather(pairs.right) }
        return Batch(schema: schema, columns: columns, count: pairs.left.count)
      }
    case .union(let sources):
      let streams = try sources.map { try $0.rows(inputs, context) }
      return RowStream(joining: streams)
    }
  }

  private static func distinct(_ input: RowStream, on: [String]?, _ context: any RunContext) throws -> RowStream {
    var batches: [(partition: String, batch: Batch)] = [], keys: [DistinctBatch] = [], partitions: [String] = []
    try input.forEach(context, preparing: { $0 }, opening: { partitions.append($0) }) { batch in
      batches.append((partitions.last ?? "", batch))
      keys.append(DistinctBatch((on ?? batch.schema.names).map { batch[$0] }, count: batch.count))
    }
    let repeated = repeatedRows(in: keys, width: context.width)
    let pieces = batches.indices.map { at in
      let ((partition, batch), drops) = (batches[at], repeated[at])
      return RowStream.Piece(partition: partition) { batch.keeping(drops.map { !$0 }) }
    }
    return RowStream(schema: input.schema, pieces: pieces, partitions: partitions)
  }
}

extension TypedExpression {
  /// The values of all rows; the first that fails is thrown.
  public func values(of batch: Batch, in name: String) throws -> Column {
    let (column, failures) = try evaluate(batch)
    if let failure = failures.first {
      throw Diagnostic(
        "\"\(name)\" fails on a row: \(failure.reason)", found: batch.words(of: Int(failure.row)),
        hint: "put a clean or feature-engineer stage before, which keeps such rows in quarantine, or use try_cast or nullif")
    }
    return column
  }
}

extension Batch {
  /// The rows marked, in order.
  public func keeping(_ keeps: [Bool]) -> Batch {
    var rows: [Int32] = []
    rows.reserveCapacity(count)
    for row in 0..<count where keeps[row] { rows.append(Int32(truncatingIfNeeded: row)) }
    return rows.count == count ? self : gather(rows)
  }

  /// A row for a message: `a = 1, b = x`.
  func words(of row: Int) -> String {
    zip(schema.names, columns).prefix(8).map { "\($0) = \($1.value(at: row))" }.joined(separator: ", ")
  }
}

extension Grouping {
  /// One row per group, ascending by the keys, nulls last; without keys one row over all.
  func run(_ input: RowStream, _ context: any RunContext) throws -> Batch {
    let index = KeyIndex(types: keys.map { $0.expression.type })
    let calls = aggregates.flatMap(\.expression.calls)
    let states = calls.map { GroupAggregate($0.groupFunction, of: $0.argument?.type) }
    let owners = aggregates.flatMap { aggregate in aggregate.expression.calls.map { _ in aggregate.name } }
    var failed = FailedRows(), partition = ""
    try input.forEach(context, preparing: { batch in
      var failures: [FailedRows.Part] = []
      let keyColumns = try keys.map { try $0.expression.values(of: batch, key: true, in: $0.name, &failures) }
      let arguments = try zip(calls, owners).map { call, owner in
        try call.argument?.values(of: batch, key: false, in: owner, &failures)
      }
      return (count: batch.count, keys: keyColumns, arguments: arguments, failures: failures)
    }, opening: { partition = $0 }) { ready in
      failed.add(ready.failures, rows: ready.count, partition: partition)
      // All rows are looked at, so that all that fail are counted; they are not added up any more.
      if !failed.isEmpty { return }
      let groups = keys.isEmpty ? [Int32](repeating: 0, count: ready.count) : index.groups(of: ready.keys, count: ready.count)
      let known = keys.isEmpty ? 1 : index.count
      for (state, argument) in zip(states, ready.arguments) { state.add(argument, groups: groups, groupCount: known) }
    }
    if !failed.isEmpty { throw failed }

    let count = keys.isEmpty ? 1 : index.count
    let keyColumns = keys.isEmpty ? [] : index.keys()
    let order = sortedRows(by: keyColumns, count: count)
    let sortedKeys = keyColumns.map { $0.gather(order) }
    var columns = sortedKeys, at = 0
    for (name, expression) in aggregates {
      var fields = zip(keys, sortedKeys).map { (Field($0.name, $0.expression.type), $1) }
      for (number, call) in expression.calls.enumerated() {
        let (column, overflowed) = states[at].finish(groupCount: count)
        if let overflowed {
          let group = keyColumns.map { $0.value(at: overflowed).description }.joined(separator: ", ")
          throw Diagnostic(
            "\(call.function.rawValue) of \"\(name)\" does not fit \(call.type)\(group.isEmpty ? "" : " in group \(group)")",
            hint: "cast to float64")
        }
        fields.append((Field("#\(number)", call.type), column.gather(order)))
        at += 1
      }
      let batch = Batch(schema: Schema(fields.map(\.0)), columns: fields.map(\.1), count: count)
      var failures: [FailedRows.Part] = []
      columns.append(try expression.outer.values(of: batch, key: false, in: name, &failures))
      if !failures.isEmpty {
        var failed = FailedRows(ofGroups: true)
        failed.add(failures, rows: count, partition: "")
        throw failed
      }
    }
    return Batch(schema: schema, columns: columns, count: count)
  }
}

extension TypedAggregateExpression.Call {
  var groupFunction: GroupFunction {
    switch function {
    case .count: argument == nil ? .rows : distinct ? .countDistinct : .count
    case .sum: .sum
    case .min: .min
    case .max: .max
    case .avg: .mean
    case .median: .median
    case .first: .first
    case .last: .last
    case .stddev: .deviation
    case .variance: .variance
    }
  }
}
