import Columns
import Diagnostics
import Expressions
import Kernels
import Pipelines
import Synchronization

extension FeatureEngineer {
  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table()
    let plan = try FeaturePlan(self, table.schema, context.parameters.bindings)
    let input = RowStream(table, columns: plan.input.names)
    var metrics = Metrics()
    // In its place; by row it is counted on the way.
    metrics["rows_in"] = .integer(0)
    if plan.grouping == nil { try runByRow(plan, input, &metrics, context) } else { try runByKey(plan, input, &metrics, context) }
    return metrics
  }

  private func runByRow(_ plan: FeaturePlan, _ input: RowStream, _ metrics: inout Metrics, _ context: any RunContext) throws {
    var figures: [String: ScaleFigures] = [:]
    if !plan.scaled.isEmpty {
      let rows = input.mapping(plan.wide) { try DerivedRows($0, plan, plan.logarithms).kept(plan.wide) }
      figures = try ScaleFigures.of(plan.scaled.map(\.source).unique, rows, context)
    }
    let known = figures
    var output = PartitionedOutput([("table", plan.output), ("quarantine", plan.quarantine)], context)
    var failed: [String: Int] = [:]
    try input.forEach(
      context,
      preparing: { batch in
        let rows = try DerivedRows(batch, plan, plan.logarithms)
        let kept = try rows.kept(nil)
        return (plan.finished(kept, known), rows.removed(plan), rows.failedByRule)
      }, opening: { try output.open($0) }
    ) { kept, removed, failures in
      for (rule, count) in failures { failed[rule, default: 0] += count }
      try output.append([kept, removed])
    }
    try output.close()
    metrics["rows_in"] = .integer(output.rows[0] + output.rows[1])
    metrics["rows"] = .integer(output.rows[0])
    metrics["rows_removed"] = .integer(output.rows[1])
    let rules = plan.derived.map { "derive \($0.name)" } + plan.logarithms.map { "scale \($0.name)" }
    metrics["removed"] = .object(rules.map { JSONMember($0, .integer(failed[$0] ?? 0)) })
  }

  private func runByKey(_ plan: FeaturePlan, _ input: RowStream, _ metrics: inout Metrics, _ context: any RunContext) throws {
    guard let grouping = plan.grouping else { preconditionFailure("grouping without keys") }
    let wide = Schema(plan.input.fields + plan.derived.map { Field($0.name, $0.expression.type) })
    let failures = Atomic<Int>(0), counted = Atomic<Int>(0)
    let result: RowStream
    do {
      let rows = input.mapping(wide) { batch in
        let derived = try DerivedRows(batch, plan, [])
        failures.add(derived.failures.count, ordering: .relaxed)
        counted.add(batch.count, ordering: .relaxed)
        return try derived.kept(wide)
      }
      result = try Relation.aggregate(.scan("rows"), by: grouping.keys, grouping.aggregates).rows(["rows": rows], context)
    }
    metrics["rows_in"] = .integer(counted.load(ordering: .relaxed))
    var output = PartitionedOutput([("quarantine", plan.quarantine)], context)
    // Without expressions of the rows none can fail, and the rows may have been arriving.
    if !plan.derived.isEmpty {
      // Rows that failed are rare: they are looked for again only when there were any.
      if failures.load(ordering: .relaxed) == 0 {
        for partition in input.partitions { try output.open(partition) }
      } else {
        try input.forEach(context, preparing: { try DerivedRows($0, plan, []).removed(plan) }, opening: { try output.open($0) }) {
          try output.append([$0])
        }
      }
    }
    try output.close()
    let figures = try ScaleFigures.of(plan.scaled.map(\.source).unique, result, context)
    var grouped = try result.whole(context)
    for (name, expression) in plan.logarithms {
      grouped = Batch(
        schema: Schema(grouped.schema.fields + [Field(name, .float64)]), columns: grouped.columns + [try expression.values(of: grouped, in: name)],
        count: grouped.count)
    }
    try context.writeTable("table", plan.finished(grouped, figures))
    metrics["rows"] = .integer(grouped.count)
    metrics["rows_removed"] = .integer(output.rows[0])
  }
}

extension FeaturePlan {
  /// Scaled columns added, the output's columns in its order.
  fileprivate func finished(_ batch: Batch, _ figures: [String: ScaleFigures]) -> Batch {
    let columns = output.fields.map { field in
      if let scaling = scaled.first(where: { $0.name == field.name }), let known = figures[scaling.source] {
        return known.scaled(batch[scaling.source], scaling.how)
      }
      return batch[field.name]
    }
    return Batch(schema: output, columns: columns, count: batch.count)
  }
}

/// A batch with its derived columns, and the rows where one failed.
private struct DerivedRows {
  let original: Batch
  let batch: Batch
  /// Ascending by row; the first rule that a row broke.
  let failures: [(row: Int32, rule: String, reason: String)]

  init(_ original: Batch, _ plan: FeaturePlan, _ more: [(name: String, expression: TypedExpression)]) throws {
    self.original = original
    var batch = original
    var failed: [Int32: (rule: String, reason: String)] = [:]
    let all = plan.derived.map { ($0.name, $0.expression, "derive \($0.name)") } + more.map { ($0.name, $0.expression, "scale \($0.name)") }
    for (name, expression, rule) in all {
      let (column, failures) = try expression.evaluate(batch)
      for failure in failures where failed[failure.row] == nil { failed[failure.row] = (rule, failure.reason) }
      batch = Batch(schema: Schema(batch.schema.fields + [Field(name, expression.type)]), columns: batch.columns + [column], count: batch.count)
    }
    self.batch = batch
    failures = failed.keys.sorted().map { ($0, failed[$0]!.rule, failed[$0]!.reason) }
  }

  /// The rows that did not fail; `schema` names the columns wanted that are there.
  func kept(_ schema: Schema?) throws -> Batch {
    let names = schema.map { $0.names.filter { batch.schema.index(of: $0) != nil } }
    let wanted = names.map { $0 == batch.schema.names ? batch : batch.selecting($0) } ?? batch
    if failures.isEmpty { return wanted }
    var keeps = [Bool](repeating: true, count: batch.count)
    for failure in failures { keeps[Int(failure.row)] = false }
    return wanted.keeping(keeps)
  }

  func removed(_ plan: FeaturePlan) -> Batch {
    Batch(
      schema: plan.quarantine,
      columns: original.gather(failures.map(\.row)).columns + [.strings(failures.map(\.rule)), .strings(failures.map(\.reason))],
      count: failures.count)
  }

  var failedByRule: [(String, Int)] { failures.map { ($0.rule, 1) } }
}

/// What standard and min-max scaling need of a column: over all rows, in row order.
private struct ScaleFigures: Sendable {
  let mean: Double, deviation: Double, low: Double, high: Double

  static func of(_ names: [String], _ rows: RowStream, _ context: any RunContext) throws -> [String: ScaleFigures] {
    if names.isEmpty { return [:] }
    let functions: [GroupFunction] = [.mean, .variance, .min, .max, .count]
    let states = names.map { name in functions.map { GroupAggregate($0, of: $0 == .variance ? .float64 : rows.schema.type(of: name)) } }
    try rows.forEach(context) { batch in
      let zeros = [Int32](repeating: 0, count: batch.count)
      for (name, own) in zip(names, states) { for state in own { state.add(batch[name], groups: zeros, groupCount: 1) } }
    }
    var figures: [String: ScaleFigures] = [:]
    for (name, own) in zip(names, states) {
      let values = own.map { $0.finish(groupCount: 1).column.doubles()[0] }
      let count = values[4]
      figures[name] = ScaleFigures(
        mean: values[0], deviation: count > 1 ? (values[1] * (count - 1) / count).squareRoot() : 0, low: values[2], high: values[3])
    }
    return figures
  }

  /// A column that does not vary becomes 0.
  func scaled(_ column: Column, _ how: FeatureEngineer.Scaling) -> Column {
    let (center, spread) = how == .standard ? (mean, deviation) : (low, high - low)
    let values = column.doubles()
    return .float64s(values.indices.map { row in
      column.isNull(row) ? nil : spread > 0 ? (values[row] - center) / spread : 0
    })
  }
}
