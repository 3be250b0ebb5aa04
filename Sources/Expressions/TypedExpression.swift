import Columns
import Diagnostics

/// An expression whose names and types are settled against a schema.
public struct TypedExpression: Sendable {
  public let expression: Expression
  public let type: ColumnType
  /// In order of first mention.
  public let columnsRead: [String]
  let root: Node

  /// Kernels that reach results; recipes name it.
  public static let kernelsVersion = "expressions-1 arrow-26"

  /// The expression over every row. Rows that fail are null in the column and listed, ascending.
  public func evaluate(_ batch: Batch) throws(ArrowFailure) -> (column: Column, failures: [RowFailure]) {
    try evaluate(batch, by: .fastest)
  }

  func evaluate(_ batch: Batch, by path: Evaluator.Path) throws(ArrowFailure) -> (column: Column, failures: [RowFailure]) {
    let evaluator = Evaluator(batch: batch, path: path)
    let result = try evaluator.evaluate(root)
    var column = result.operand.broadcast(to: batch.count).relabelled(type)
    // A scalar's failure stands for all rows.
    let failures = result.operand.isScalar ? result.failures.everyRow(batch.count) : result.failures
    // IS NULL and its like have answers where an operand failed; the row has none.
    if !failures.isEmpty { column = column.withNulls(at: failures) }
    return (column, failures.rows)
  }

  /// For a condition: which rows it holds for. A failed row is in none of the other lists.
  public struct Selection: Sendable {
    /// True.
    public var kept: [Int32]
    /// Neither true nor false: a null stood in the way.
    public var unknown: [Int32]
    /// False.
    public var dropped: [Int32]
    public var failures: [RowFailure]
  }

  public func evaluatePredicate(_ batch: Batch) throws(ArrowFailure) -> Selection {
    precondition(type == .bool, "a \(type) expression was used as a condition; the binder has to refuse that")
    let (column, failures) = try evaluate(batch)
    var selection = Selection(kept: [], unknown: [], dropped: [], failures: failures)
    selection.kept.reserveCapacity(batch.count)
    let bits = column.bits
    var nextFailure = 0
    for row in 0..<batch.count {
      if nextFailure < failures.count, failures[nextFailure].row == Int32(truncatingIfNeeded: row) {
        nextFailure += 1
      } else if column.isNull(row) {
        selection.unknown.append(Int32(truncatingIfNeeded: row))
      } else if bits[row] {
        selection.kept.append(Int32(truncatingIfNeeded: row))
      } else {
        selection.dropped.append(Int32(truncatingIfNeeded: row))
      }
    }
    return selection
  }
}

/// A row over which an expression has no value, and why.
public struct RowFailure: Hashable, Sendable {
  public let row: Int32
  /// In the user's words: `division by zero`, `"12,50" is no float64`.
  public let reason: String

  public init(row: Int32, reason: String) {
    self.row = row
    self.reason = reason
  }
}

extension Expression {
  /// Settles names and types; throws every mistake at once.
  public func check(_ schema: Schema) throws(Mistakes) -> TypedExpression {
    var checker = Checker(schema: schema)
    let root = checker.check(term, span)
    if !checker.mistakes.isEmpty { throw Mistakes(checker.mistakes) }
    guard let root else { preconditionFailure("an expression was refused without a mistake") }
    guard let type = root.type else {
      throw Mistakes(Diagnostic(
        "the expression is NULL without a type", at: .setting([], offset: span.range.lowerBound, length: span.range.count),
        hint: "write CAST(NULL AS …)"))
    }
    return TypedExpression(expression: self, type: type, columnsRead: checker.columnsRead, root: root)
  }

  /// The same for a condition.
  public func checkCondition(_ schema: Schema) throws(Mistakes) -> TypedExpression {
    let typed = try check(schema)
    guard typed.type == .bool else {
      throw Mistakes(Diagnostic(
        "a condition is needed", at: .setting([], offset: span.range.lowerBound, length: span.range.count), expected: "bool",
        found: typed.type.description, hint: "write a comparison, like x <> 0"))
    }
    return typed
  }
}
