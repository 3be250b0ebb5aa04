import Columns
import Expressions
import Pipelines

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
    var columns = batch.columns
    for repair in plan.repairs {
      let (column, failures) = try repair.expression.evaluate(batch)
      Self.fail(failures, repair.rule, &states, &reasons)
      columns[plan.input.index(of: repair.name)!] = column
    }
    var cleaned = Batch(schema: plan.repaired, columns: columns, count: batch.count)
    // Fills see the columns as the casts left them, not each other.
    for fill in fills {
      let (column, failures) = try fill.expression.evaluate(cleaned)
      Self.fail(failures, fill.rule, &states, &reasons)
      columns[plan.input.index(of: fill.name)!] = column
    }
    if !fills.isEmpty { cleaned = Batch(schema: plan.repaired, columns: columns, count: batch.count) }
    for (name, rule) in plan.required {
      guard let present = cleaned[name].validity else { continue }
      let missing = Self.state(rule, .missing)
      states.withUnsafeMutableBufferPointer { states in
        present.forEachClear { row in if states[row] == 0 { states[row] = missing } }
      }
    }
    for (expression, rule) in plan.conditions {
      let (column, failures) = try expression.evaluate(cleaned)
      Self.fail(failures, rule, &states, &reasons)
      let broken = Self.state(rule, .broken), unknown = Self.state(rule, .unknown)
      // Rows that failed are null here, and have their state already.
      states.withUnsafeMutableBufferPointer { states in
        column.bits.forEachClear { row in if states[row] == 0 { states[row] = column.isNull(row) ? unknown : broken } }
      }
    }
    self.cleaned = cleaned
    self.states = states
    self.reasons = reasons
    amounts = try plan.amount.map { try $0.evaluate(cleaned).column }
  }

  private static func fail(_ failures: [RowFailure], _ rule: Int, _ states: inout [UInt16], _ reasons: inout [Int32: String]) {
    for failure in failures where states[Int(failure.row)] == 0 {
      states[Int(failure.row)] = state(rule, .failed)
      reasons[failure.row] = failure.reason
    }
  }

  /// Gives some rows a state.
  mutating func set(_ state: UInt16, _ rows: [Int32], where marks: [Bool]) {
    states.withUnsafeMutableBufferPointer { states in
      rows.withUnsafeBufferPointer { rows in
        marks.withUnsafeBufferPointer { marks in
          for at in 0..<rows.count where marks[at] { states[Int(rows[at])] = state }
        }
      }
    }
  }

  var keptRows: [Int32] {
    Self.rows(states) { $0 == 0 }
  }

  /// The rows whose state is as asked, without a branch a row.
  @inline(__always) private static func rows(_ states: [UInt16], _ fits: (UInt16) -> Bool) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: states.count) { to, count in
      states.withUnsafeBufferPointer { states in
        for row in 0..<states.count {
          to[count] = Int32(truncatingIfNeeded: row)
          count &+= fits(states[row]) ? 1 : 0
        }
      }
    }
  }

  /// The rows for each output.
  func split(_ plan: CleanPlan, _ words: CleanWords, _ asked: CleanAsked, capped: [String: Column]) -> (kept: Batch, removed: Batch) {
    var source = cleaned
    if !capped.isEmpty {
      source = Batch(schema: cleaned.schema, columns: zip(cleaned.schema.names, cleaned.columns).map { capped[$0] ?? $1 }, count: cleaned.count)
    }
    source = source.schema.names == plan.output.names ? source : source.selecting(plan.output.names)
    let keptRows = keptRows
    let kept = keptRows.count == source.count ? source : source.gather(keptRows, only: asked.table)
    if asked.quarantine?.isEmpty ?? false {
      let count = states.count - keptRows.count
      return (kept, Batch(schema: plan.quarantine, columns: plan.quarantine.fields.map { .nulls($0.type, count: count) }, count: count))
    }
    let removedRows = keptRows.count == states.count ? [] : Self.rows(states) { $0 != 0 }
    let removed = Batch(
      schema: plan.quarantine,
      columns: original.gather(removedRows, only: asked.quarantine).columns + [words.rules(removedRows, self), words.reasons(removedRows, self)],
      count: removedRows.count)
    return (kept, removed)
  }
}

/// The columns of each output that anybody reads; nil: all.
struct CleanAsked: Sendable {
  let table: Set<String>?, quarantine: Set<String>?

  init(_ context: any RunContext) {
    table = context.columnsAsked(of: "table")
    quarantine = context.columnsAsked(of: "quarantine")
  }
}

extension Batch {
  /// Nulls in the columns that nobody reads.
  fileprivate func gather(_ rows: [Int32], only names: Set<String>?) -> Batch {
    guard let names else { return gather(rows) }
    let gathered = zip(schema.fields, columns).map { names.contains($0.name) ? $1.gather(rows) : .nulls($0.type, count: rows.count) }
    return Batch(schema: schema, columns: gathered, count: rows.count)
  }
}

extension Bitmap {
  /// The rows whose bit is 0; whole words are passed over.
  @inline(__always) fileprivate func forEachClear(_ body: (Int) -> Void) {
    for at in 0..<(count + 63) / 64 {
      var clear = ~word(at)
      if at == count / 64 { clear &= 1 << UInt64(count % 64) - 1 }
      while clear != 0 {
        body(at &* 64 &+ clear.trailingZeroBitCount)
        clear &= clear &- 1
      }
    }
  }
}

/// The quarantine's words: a dictionary each, the same for all batches.
struct CleanWords: Sendable {
  private let ruleNames: TextValues
  private let reasonWords = TextValues(["false", "missing", "unknown", "repeats an earlier row"])
  /// The reason's code by state, where the state tells it; states count from 1.
  private var reasonCodes: [Int32] = [0]

  init(_ plan: CleanPlan) {
    ruleNames = TextValues(plan.rules.isEmpty ? [""] : plan.rules)
    for rule in plan.rules.indices {
      let broken: Int32 = rule == plan.distinctRule && plan.distinctOn != nil ? 3 : 0
      // In the order of `CleanBatch.Why`; what failed has a reason of its own.
      reasonCodes += [broken, 1, 2, -1]
    }
  }

  func rules(_ rows: [Int32], _ batch: CleanBatch) -> Column {
    let codes = rows.map { Int32(truncatingIfNeeded: CleanBatch.rule(batch.states[Int($0)])) }
    return Column(type: .string, count: rows.count, validity: nil, storage: .codes(Buffer(codes), ruleNames))
  }

  func reasons(_ rows: [Int32], _ batch: CleanBatch) -> Column {
    var more: [String] = [], places: [String: Int32] = [:]
    let codes = rows.map { (row: Int32) -> Int32 in
      let code = reasonCodes[Int(batch.states[Int(row)])]
      if code >= 0 { return code }
      let reason = batch.reasons[row] ?? "failed"
      if let place = places[reason] { return place }
      let place = Int32(truncatingIfNeeded: reasonWords.count + more.count)
      places[reason] = place
      more.append(reason)
      return place
    }
    let values = more.isEmpty ? reasonWords : TextValues((0..<reasonWords.count).map { reasonWords.string($0) } + more)
    return Column(type: .string, count: rows.count, validity: nil, storage: .codes(Buffer(codes), values))
  }
}
