import Columns
import Diagnostics
import Expressions
import Kernels

/// Counts, batch by batch, what does not come up to an expectation. Rows come in the order of the table.
// @unchecked: one thread at a time adds.
public final class ExpectationTally: @unchecked Sendable {
  private let expectation: Expectation
  private let condition: TypedExpression?
  private let seen = DistinctRows()
  private let width: @Sendable () -> Int
  private var partition = ""
  /// Rows of the partition before the batch at hand.
  private var before = 0
  private var rows = 0, broken = 0
  private var first: JSONValue?
  private var latest: Value?

  /// `schema`: of the batches, or of more columns.
  public init(_ expectation: Expectation, schema: Schema, bindings: Expression.Bindings, width: @escaping @Sendable () -> Int) throws {
    self.expectation = expectation
    self.width = width
    if case .condition(let sql, _) = expectation.test {
      condition = try Expression.parse(sql, bindings: bindings).checkCondition(schema.selecting(expectation.columns))
    } else {
      condition = nil
    }
  }

  public func open(partition: String) {
    self.partition = partition
    before = 0
  }

  public func add(_ batch: Batch) throws {
    defer {
      rows += batch.count
      before += batch.count
    }
    switch expectation.test {
    case .rows: break
    case .notNull(let columns):
      var isNull = [Bool](repeating: false, count: batch.count)
      for name in columns where batch[name].validity != nil {
        let column = batch[name]
        for row in 0..<batch.count where column.isNull(row) { isNull[row] = true }
      }
      note(isNull.reduce(0) { $0 + ($1 ? 1 : 0) }, isNull.firstIndex(of: true), batch)
    case .unique(let columns):
      let repeats = seen.add([seen.prepared(DistinctBatch(columns.map { batch[$0] }, count: batch.count))], width: width())[0]
      note(repeats.reduce(0) { $0 + ($1 ? 1 : 0) }, repeats.firstIndex(of: true), batch)
    case .condition(_, let isNullFine):
      guard let condition else { preconditionFailure("a condition was not settled before its rows came") }
      let result = try condition.evaluatePredicate(batch.selecting(expectation.columns))
      let failed = result.failures.map(\.row)
      let lists = [result.dropped, failed, isNullFine ? [] : result.unknown]
      note(lists.reduce(0) { $0 + $1.count }, lists.compactMap(\.first).min().map(Int.init), batch)
    case .fresh(let name, _, _):
      let column = batch[name]
      for row in 0..<batch.count where !column.isNull(row) {
        let value = column.value(at: row)
        if latest.map({ Self.isLater(value, $0) }) ?? true { latest = value }
      }
    }
  }

  private static func isLater(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.date(let x), .date(let y)): x > y
    case (.timestamp(let x), .timestamp(let y)): x > y
    default: false
    }
  }

  private func note(_ count: Int, _ row: Int?, _ batch: Batch) {
    broken += count
    guard first == nil, let row else { return }
    let cells = expectation.columns.prefix(6).map { name in JSONMember(name, Self.json(batch[name].value(at: row))) }
    first = ["partition": .string(partition), "row": .integer(before + row + 1), "values": .object(Array(cells))]
  }

  private static func json(_ value: Value) -> JSONValue {
    switch value {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .integer(value)
    case .float(let value): .double(value)
    case .string(let text): .string(text.count > 60 ? text.prefix(60) + "…" : text)
    case .decimal, .date, .timestamp: .string(value.description)
    }
  }

  /// What was counted; the same however the rows came.
  public var counts: Metrics {
    var counts = Metrics()
    counts["rows"] = .integer(rows)
    switch expectation.test {
    case .rows: break
    case .notNull, .unique, .condition:
      counts["broken"] = .integer(broken)
      counts["first"] = first
    case .fresh: counts["latest"] = latest.map { .string($0.description) } ?? .null
    }
    return counts
  }
}
