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
    var output = PartitionedOutput([("table", plan.output), ("quarantine", plan.quarantine)], context)
    let words = CleanWords(plan), asked = CleanAsked(context)
    if plan.distinctOn == nil, plan.caps.isEmpty {
      try rows.forEach(
        context,
        preparing: { batch in
          let cleaned = try CleanBatch(batch, plan, fills)
          return (cleaned, cleaned.split(plan, words, asked, capped: [:]))
        }, opening: { try output.open($0) }
      ) { cleaned, parts in
        tally.add(cleaned)
        try output.append([parts.kept, parts.removed])
      }
    } else if plan.caps.isEmpty {
      let seen = DistinctRows()
      try rows.forEachWave(context, preparing: { DistinctCandidates(try CleanBatch($0, plan, fills), plan, seen) }) { wave in
        var candidates: [DistinctCandidates] = []
        for case .batch(let batch) in wave { candidates.append(batch) }
        let ready = DistinctCandidates.settled(candidates, plan, seen, context)
        let parts = try context.concurrentMap(ready.count) { ready[$0].split(plan, words, asked, capped: [:]) }
        var at = 0
        for step in wave {
          if case .partition(let key) = step {
            try output.open(key)
            continue
          }
          tally.add(ready[at])
          try output.append([parts[at].kept, parts[at].removed])
          at += 1
        }
      }
    } else {
      try runCapped(plan, rows, fills, words, &tally, &output, context)
    }
    try output.close()
    if context.part == nil { for warning in warnings(about: tally.metrics.json) { context.warn(warning) } }
    return tally.metrics
  }

  /// Nothing left is no failure, but hardly what was meant.
  func warnings(about metrics: JSONValue) -> [Diagnostic] {
    guard let rows = metrics["rows_in"]?.int, rows > 0, metrics["rows_kept"]?.int == 0 else { return [] }
    let counts = (metrics["removed"]?.members ?? []).compactMap { rule in
      rule.value.int.flatMap { $0 > 0 ? "\($0) by \(rule.key)" : nil }
    }
    return [
      Diagnostic(
        rows == 1 ? "the only row was removed" : "all \(rows) rows were removed", found: counts.joined(separator: ", "),
        hint: "look at the quarantine output, which has every row with the rule it broke", severity: .warning)
    ]
  }

  /// Bounds are known only when every row has been seen: batches stay mapped, changed columns in memory.
  private func runCapped(
    _ plan: CleanPlan, _ rows: RowStream, _ fills: [(expression: TypedExpression, name: String, rule: Int)], _ words: CleanWords,
    _ tally: inout CleanTally, _ output: inout PartitionedOutput, _ context: any RunContext
  ) throws {
    var all: [CleanBatch] = []
    /// Partitions and how many batches stand before them.
    var partitions: [(key: String, at: Int)] = []
    try rows.forEach(context, preparing: { try CleanBatch($0, plan, fills) }, opening: { partitions.append(($0, all.count)) }) { all.append($0) }
    if plan.distinctOn != nil {
      let (cleaned, seen) = (all, DistinctRows())
      for wave in cleaned.indices.pieces(of: max(4, context.width * 2)) {
        let candidates = try context.concurrentMap(wave.count) { DistinctCandidates(cleaned[wave[$0]], plan, seen) }
        all.replaceSubrange(wave[0]...wave[wave.count - 1], with: DistinctCandidates.settled(candidates, plan, seen, context))
      }
    }
    for batch in all { tally.add(batch) }
    let bounds = plan.caps.map { ($0.name, CapRange($0.bounds, all, $0.name)) }
    let ready = all, asked = CleanAsked(context)
    var opened = 0
    // Enough at once to keep all threads busy; more would only be memory.
    for wave in ready.indices.pieces(of: max(4, context.width * 2)) {
      try context.checkCancellation()
      let parts = try context.concurrentMap(wave.count) { at in
        var changed: [String: Column] = [:]
        var moved: [Int] = []
        for (name, range) in bounds {
          let (column, count) = range.applied(to: ready[wave[at]].cleaned[name], rules: ready[wave[at]].states)
          changed[name] = column
          moved.append(count)
        }
        return (ready[wave[at]].split(plan, words, asked, capped: changed), moved)
      }
      for (at, part) in zip(wave, parts) {
        while opened < partitions.count, partitions[opened].at <= at {
          try output.open(partitions[opened].key)
          opened += 1
        }
        tally.addCapped(part.1)
        try output.append([part.0.kept, part.0.removed])
      }
    }
    for partition in partitions[opened...] { try output.open(partition.key) }
  }
}

/// A batch whose rows that are kept so far may repeat earlier ones.
private struct DistinctCandidates: Sendable {
  private let batch: CleanBatch
  private let rows: [Int32]
  private let keys: DistinctKeys

  init(_ batch: CleanBatch, _ plan: CleanPlan, _ seen: DistinctRows) {
    self.batch = batch
    rows = batch.keptRows
    keys = seen.prepared(
      DistinctBatch(
        (plan.distinctOn ?? []).map { batch.cleaned[$0] }, count: batch.cleaned.count, rows: rows.count == batch.cleaned.count ? nil : rows))
  }

  /// The batches, in their order, with those rows out.
  static func settled(_ candidates: [DistinctCandidates], _ plan: CleanPlan, _ seen: DistinctRows, _ context: any RunContext) -> [CleanBatch] {
    let repeated = seen.add(candidates.map { $0.keys }, width: context.width), broken = CleanBatch.state(plan.distinctRule, .broken)
    return zip(candidates, repeated).map { candidate, repeated in
      var batch = candidate.batch
      batch.set(broken, candidate.rows, where: repeated)
      return batch
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
      try rows.forEach(context) { batch in
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
