import Columns
import Diagnostics
import Expressions

/// The rows on which expressions of an aggregate fail: how many for each expression, and the first one.
public struct FailedRows: Error, Sendable {
  public struct Expression: Sendable {
    /// Of the key or the aggregate that the expression belongs to.
    public let name: String
    public let isKey: Bool
    public fileprivate(set) var count: Int
    public let reason: String
    /// Where the first one is; counted from 1 within its partition.
    public let row: Int
    public let partition: String
    /// What the first one holds: `quantity = 0, price = 2.50`.
    public let words: String
  }

  /// In the order in which they first failed.
  public private(set) var expressions: [Expression] = []
  /// All rows, or all groups.
  public private(set) var total = 0
  /// Whether they are groups, and failed in what is computed of finished aggregates.
  public let ofGroups: Bool
  private var partition: String?
  private var before = 0

  /// What one expression came to in one batch.
  struct Part: Sendable {
    let name: String
    let isKey: Bool
    let rows: Int
    let first: Int
    let reason: String
    let words: String
  }

  init(ofGroups: Bool = false) { self.ofGroups = ofGroups }

  var isEmpty: Bool { expressions.isEmpty }

  /// Batches come in the order of their rows.
  mutating func add(_ failures: [Part], rows: Int, partition: String) {
    if self.partition != partition { (self.partition, before) = (partition, 0) }
    for failure in failures {
      if let at = expressions.firstIndex(where: { $0.name == failure.name && $0.isKey == failure.isKey }) {
        expressions[at].count += failure.rows
      } else {
        expressions.append(Expression(
          name: failure.name, isKey: failure.isKey, count: failure.rows, reason: failure.reason, row: before + failure.first + 1,
          partition: partition, words: failure.words))
      }
    }
    before += rows
    total += rows
  }

  /// One mistake for each expression; `place` says where the document has it.
  public func mistakes(at place: (Expression) -> Place) -> Mistakes {
    Mistakes(expressions.map { expression in
      let what = "\(expression.isKey ? "key" : "aggregate") \"\(expression.name)\""
      let noun = ofGroups ? "group" : "row"
      var first = ofGroups ? "" : ", first on row \(expression.row)"
      if !expression.partition.isEmpty { first += " of partition \"\(expression.partition)\"" }
      return Diagnostic(
        "\(what) fails on \(expression.count) of \(total) \(noun)\(total == 1 ? "" : "s")\(first): \(expression.reason)",
        at: place(expression), found: expression.words.isEmpty ? nil : expression.words,
        hint: ofGroups
          ? "try_cast and nullif give null in place of an error"
          : "try_cast and nullif give null in place of an error; a clean or feature-engineer stage before keeps such rows in quarantine")
    })
  }
}

extension TypedExpression {
  /// The values of all rows, with null where it fails; what fails is added to `failures`.
  func values(of batch: Batch, key: Bool, in name: String, _ failures: inout [FailedRows.Part]) throws -> Column {
    let (column, failed) = try evaluate(batch)
    if let first = failed.first {
      // Columns that hold finished aggregates have no names of their own.
      let shown = zip(batch.schema.names, batch.columns).filter { !$0.0.hasPrefix("#") }.prefix(8)
      let words = shown.map { "\($0) = \($1.value(at: Int(first.row)))" }.joined(separator: ", ")
      failures.append(FailedRows.Part(
        name: name, isKey: key, rows: failed.count, first: Int(first.row), reason: "\(first.reason)", words: words))
    }
    return column
  }
}
