import Columns
import Diagnostics
import Expressions
import Kernels
import Pipelines
import Statistics

extension Clean {
  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table()
    let plan = try CleanPlan(self, table.schema, context.parameters.bindings)
    let rows = RowStream(table, columns: plan.input.names)
    let fills = try plan.constants(rows, context)
    var tally = CleanTally(plan)
    var output = PartitionedOutput(
      [("table", plan.output), ("quarantine", plan.quarantine)], partitions: rows.partitions, context)
    let ruleNames = Column.dictionary(codes: [], values: plan.rules)
    if plan.distinctOn == nil, plan.caps.isEmpty {
      try rows.forEach(context, preparing: { batch in
        let cleaned = try CleanBatch(batch, plan, fills)
        return (cleaned, cleaned.split(plan, ruleNames, capped: [:]))
      }) { piece, ready in
        tally.add(ready.0)
        try output.append([ready.1.kept, ready.1.removed], partition: piece.partition)
      }
    } else {
      // Bounds and repetitions are known only when every row has been seen: batches stay mapped, changed columns in memory.
      var all: [CleanBatch] = []
      try rows.forEach(context, preparing: { try CleanBatch($0, plan, fills) }) { all.append($1) }
      if let on = plan.distinctOn { try Self.removeRepetitions(&all, on: on, rule: plan.distinctRule, context) }
      for batch in all { tally.add(batch) }
      let bounds = plan.caps.map { ($0.name, CapRange($0.bounds, all, $0.name)) }
      let ready = all
      for wave in ready.indices.pieces(of: 16) {
        try context.checkCancellation()
        let parts = try context.concurrentMap(wave.count) { at in
          var changed: [String: Column] = [:]
          var moved: [Int] = []
          for (name, range) in bounds {
            let (column, count) = range.applied(to: ready[wave[at]].cleaned[name], rules: ready[wave[at]].states)
            changed[name] = column
            moved.append(count)
          }
          return (ready[wave[at]].split(plan, ruleNames, capped: changed), moved)
        }
        for (at, part) in zip(wave, parts) {
          tally.addCapped(part.1)
          try output.append([part.0.kept, part.0.removed], partition: rows.pieces[at].partition)
        }
      }
    }
    try output.close()
    return tally.metrics
  }

  private static func removeRepetitions(_ all: inout [CleanBatch], on: [String], rule: Int, _ context: any RunContext) throws {
    let ready = all
    let candidates = try context.concurrentMap(ready.count) { ready[$0].keptRows }
    let repeated = repeatedRows(
      in: zip(ready, candidates).map { batch, rows in
        DistinctBatch(on.map { batch.cleaned[$0] }, count: batch.cleaned.count, rows: rows.count == batch.cleaned.count ? nil : rows)
      }, width: context.width)
    for at in all.indices {
      for (candidate, row) in candidates[at].enumerated() where repeated[at][candidate] {
        all[at].states[Int(row)] = CleanBatch.state(rule, .broken)
      }
    }
  }
}

extension CleanPlan {
  /// The fills as expressions; means and medians are of the whole column after the casts, and become constants of its type.
  func constants(_ rows: RowStream, _ context: any RunContext) throws -> [(expression: TypedExpression, name: String, rule: Int)] {
    var states: [String: GroupAggregate] = [:]
    for fill in fills where fill.isStatistic {
      if case .mean = fill.by { states[fill.name] = GroupAggregate(.mean, of: repaired.type(of: fill.name)) } else {
        states[fill.name] = GroupAggregate(.median, of: repaired.type(of: fill.name))
      }
    }
    if !states.isEmpty {
      try rows.forEach(context) { _, batch in
        let zeros = [Int32](repeating: 0, count: batch.count)
        for fill in fills where fill.isStatistic {
          let repair = repairs.first { $0.name == fill.name }
          states[fill.name]?.add(try repair.map { try $0.expression.evaluate(batch).column } ?? batch[fill.name], groups: zeros, groupCount: 1)
        }
      }
    }
    return try fills.map { fill in
      if case .expression(let typed) = fill.by { return (typed, fill.name, fill.rule) }
      let type = repaired.type(of: fill.name)!
      let value = states[fill.name]?.finish(groupCount: 1).column.value(at: 0) ?? .null
      var term = Term.column(fill.name)
      if case .float(let number) = value, let literal = Self.literal(number, type) { term = .cast(.call("coalesce", [term, .literal(literal)]), type, orNull: false) }
      return (try Expression(term).check(repaired), fill.name, fill.rule)
    }
  }

  /// A number as a cell of the type, rounded half to even where the type is coarser.
  private static func literal(_ number: Double, _ type: ColumnType) -> Value? {
    switch type {
    case .float64: return .float(number)
    case .int32, .int64: return Int64(exactly: number.rounded(.toNearestOrEven)).map(Value.int)
    case .decimal(_, let scale):
      var power = 1.0
      for _ in 0..<scale { power *= 10 }
      return Int64(exactly: (number * power).rounded(.toNearestOrEven)).map { .decimal(unscaled: $0, scale: scale) }
    case .bool, .string, .date, .timestamp: return nil
    }
  }
}

/// One batch: its cells repaired, and for each row whether it stays or which rule it breaks first.
struct CleanBatch: Sendable {
  enum Why: UInt16 { case broken, missing, unknown, failed }

  let original: Batch
  let cleaned: Batch
  /// 0 stays; else the rule and why.
  var states: [UInt16]
  private(set) var reasons: [Int32: String] = [:]
  /// Of the amount, where one is named.
  let amounts: Column?

  static func state(_ rule: Int, _ why: Why) -> UInt16 { UInt16(rule * 4) + why.rawValue + 1 }
  static func rule(_ state: UInt16) -> Int { Int(state - 1) / 4 }

  init(_ batch: Batch, _ plan: CleanPlan, _ fills: [(expression: TypedExpression, name: String, rule: Int)]) throws {
    original = batch
    var states = [UInt16](repeating: 0, count: batch.count)
    var reasons: [Int32: String] = [:]
    func fail(_ failures: [RowFailure], _ rule: Int) {
      for failure in failures where states[Int(failure.row)] == 0 {
        states[Int(failure.row)] = Self.state(rule, .failed)
        reasons[failure.row] = failure.reason
      }
    }
    var columns = batch.columns
    for repair in plan.repairs {
      let (column, failures) = try repair.expression.evaluate(batch)
      fail(failures, repair.rule)
      columns[plan.input.index(of: repair.name)!] = column
    }
    var cleaned = Batch(schema: plan.repaired, columns: columns, count: batch.count)
    // Fills see the columns as the casts left them, not each other.
    for fill in fills {
      let (column, failures) = try fill.expression.evaluate(cleaned)
      fail(failures, fill.rule)
      columns[plan.input.index(of: fill.name)!] = column
    }
    if !fills.isEmpty { cleaned = Batch(schema: plan.repaired, columns: columns, count: batch.count) }
    for (name, rule) in plan.required {
      let column = cleaned[name]
      if column.nullCount == 0 { continue }
      for row in 0..<batch.count where states[row] == 0 && column.isNull(row) { states[row] = Self.state(rule, .missing) }
    }
    for (expression, rule) in plan.conditions {
      let selection = try expression.evaluatePredicate(cleaned)
      fail(selection.failures, rule)
      for row in selection.dropped where states[Int(row)] == 0 { states[Int(row)] = Self.state(rule, .broken) }
      for row in selection.unknown where states[Int(row)] == 0 { states[Int(row)] = Self.state(rule, .unknown) }
    }
    self.cleaned = cleaned
    self.states = states
    self.reasons = reasons
    amounts = try plan.amount.map { try $0.evaluate(cleaned).column }
  }

  var keptRows: [Int32] {
    var rows: [Int32] = []
    rows.reserveCapacity(states.count)
    for row in states.indices where states[row] == 0 { rows.append(Int32(truncatingIfNeeded: row)) }
    return rows
  }

  /// The rows for each output.
  func split(_ plan: CleanPlan, _ ruleNames: Column, capped: [String: Column]) -> (kept: Batch, removed: Batch) {
    var source = cleaned
    if !capped.isEmpty {
      source = Batch(schema: cleaned.schema, columns: zip(cleaned.schema.names, cleaned.columns).map { capped[$0] ?? $1 }, count: cleaned.count)
    }
    source = source.schema.names == plan.output.names ? source : source.selecting(plan.output.names)
    let keptRows = keptRows
    let kept = keptRows.count == source.count ? source : source.gather(keptRows)
    var removedRows: [Int32] = [], codes: [Int32] = [], reasons: [String?] = []
    if keptRows.count < states.count {
      for row in states.indices where states[row] != 0 {
        removedRows.append(Int32(truncatingIfNeeded: row))
        codes.append(Int32(Self.rule(states[row])))
        reasons.append(reason(row, plan))
      }
    }
    let rules: Column
    if case .codes(_, let values) = ruleNames.storage {
      rules = Column(type: .string, count: codes.count, validity: nil, storage: .codes(Buffer(codes), values))
    } else {
      rules = ruleNames
    }
    let removed = Batch(
      schema: plan.quarantine, columns: original.gather(removedRows).columns + [rules, .strings(reasons)], count: removedRows.count)
    return (kept, removed)
  }

  private func reason(_ row: Int, _ plan: CleanPlan) -> String {
    switch Why(rawValue: (states[row] - 1) % 4) {
    case .missing: "missing"
    case .unknown: "unknown"
    case .failed: reasons[Int32(row)] ?? "failed"
    case .broken, nil: Self.rule(states[row]) == plan.distinctRule && plan.distinctOn != nil ? "repeats an earlier row" : "false"
    }
  }
}
