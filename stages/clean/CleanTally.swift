import Columns
import Diagnostics
import Pipelines

/// Rows and amounts: in, kept, and removed by each rule. They add up exactly.
struct CleanTally {
  private let plan: CleanPlan
  private var rows = 0, kept = 0
  private var removed: [Int], unknown: [Int], failed: [Int]
  private var capped: [Int]
  /// Of the rows kept, then of each rule.
  private var sums: [Sum]
  private var withoutAmount = 0

  /// Exact for integers and decimals; doubles in row order with Neumaier's compensation.
  private struct Sum {
    var exact: Int128 = 0
    var real = 0.0, lost = 0.0

    mutating func add(_ value: Double) {
      let next = real + value
      lost += real.magnitude >= value.magnitude ? (real - next) + value : (value - next) + real
      real = next
    }
  }

  init(_ plan: CleanPlan) {
    self.plan = plan
    removed = plan.rules.map { _ in 0 }
    unknown = removed
    failed = removed
    capped = plan.caps.map { _ in 0 }
    sums = Array(repeating: Sum(), count: plan.rules.count + 1)
  }

  mutating func add(_ batch: CleanBatch) {
    rows += batch.states.count
    // By state first, without a branch a row: which rows are kept nobody can foresee.
    var counts = [Int](repeating: 0, count: plan.rules.count * 4 + 1)
    counts.withUnsafeMutableBufferPointer { counts in
      batch.states.withUnsafeBufferPointer { for state in $0 { counts[Int(state)] &+= 1 } }
    }
    kept += counts[0]
    for (at, count) in counts.enumerated().dropFirst() {
      let state = UInt16(at), rule = CleanBatch.rule(state)
      removed[rule] += count
      switch CleanBatch.Why(rawValue: (state - 1) % 4) {
      case .unknown: unknown[rule] += count
      case .failed: failed[rule] += count
      case .broken, .missing, nil: break
      }
    }
    guard let amounts = batch.amounts else { return }
    withoutAmount += amounts.nullCount
    switch amounts.type {
    case .float64:
      let values = amounts.values(as: Double.self)
      for row in 0..<amounts.count where !amounts.isNull(row) { sums[Self.place(batch.states[row])].add(values[row]) }
    case .int32: addExactly(amounts.values(as: Int32.self), batch.states)
    default: addExactly(amounts.values(as: Int64.self), batch.states)
    }
  }

  /// Among the sums: 0 of the rows kept, then a rule's number + 1.
  @inline(__always) private static func place(_ state: UInt16) -> Int { (Int(state) &+ 3) &>> 2 }

  /// Under a null lies 0.
  private mutating func addExactly<T: FixedWidthInteger>(_ values: UnsafeBufferPointer<T>, _ states: [UInt16]) {
    // 64 bits a rule as long as they hold the sum.
    var short = [Int64](repeating: 0, count: sums.count)
    short.withUnsafeMutableBufferPointer { short in
      states.withUnsafeBufferPointer { states in
        for row in 0..<states.count {
          let place = Self.place(states[row]), value = Int64(truncatingIfNeeded: values[row])
          let (sum, over) = short[place].addingReportingOverflow(value)
          if over { sums[place].exact += Int128(short[place]) }
          short[place] = over ? value : sum
        }
      }
    }
    for (place, sum) in short.enumerated() { sums[place].exact += Int128(sum) }
  }

  mutating func addCapped(_ counts: [Int]) { for (at, count) in counts.enumerated() { capped[at] += count } }

  var metrics: Metrics {
    var metrics = Metrics()
    metrics["rows_in"] = .integer(rows)
    metrics["rows_kept"] = .integer(kept)
    metrics["rows_removed"] = .integer(rows - kept)
    metrics["removed"] = .object(zip(plan.rules, removed).map { JSONMember($0, .integer($1)) })
    let odd = [("unknown", unknown), ("failed", failed)]
    for (name, counts) in odd where counts.contains(where: { $0 > 0 }) {
      metrics[name] = .object(zip(plan.rules, counts).filter { $1 > 0 }.map { JSONMember($0, .integer($1)) })
    }
    if !plan.caps.isEmpty { metrics["capped"] = .object(zip(plan.caps, capped).map { JSONMember($0.name, .integer($1)) }) }
    if let amount = plan.amount {
      var total = Sum()
      for sum in sums {
        total.exact += sum.exact
        total.add(sum.real)
        total.add(sum.lost)
      }
      metrics["amount_in"] = number(total, amount.type)
      metrics["amount_kept"] = number(sums[0], amount.type)
      metrics["amount_removed"] = .object(zip(plan.rules, sums.dropFirst()).map { JSONMember($0, number($1, amount.type)) })
      if withoutAmount > 0 { metrics["rows_without_amount"] = .integer(withoutAmount) }
    }
    return metrics
  }

  private func number(_ sum: Sum, _ type: ColumnType) -> JSONValue {
    switch type {
    case .float64: return .double(sum.lost.isFinite ? sum.real + sum.lost : sum.real)
    case .decimal(_, let scale):
      // Digit for digit as long as a JSON number keeps them, as text beyond.
      let text = decimalDigits(sum.exact, scale: scale)
      return sum.exact.magnitude < 1_000_000_000_000_000 ? .double(Double(text) ?? 0) : .string(text)
    default: return Int64(exactly: sum.exact).map { .integer($0) } ?? .string("\(sum.exact)")
    }
  }
}
