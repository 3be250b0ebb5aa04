import Columns
import Expressions

/// Relational work as a value: what `clean`, `feature-engineer`, `rfm`, `join`, `union` and `aggregate` describe
/// themselves as. The local kernels run it; a cluster back end prints the same value as SQL.
public indirect enum Relation: Hashable, Sendable {
  /// The table connected under this alias.
  case scan(String)
  /// Rows for which every rule holds; a row counts under the first rule it breaks.
  case filter(Relation, [Rule])
  /// These columns and no others.
  case project(Relation, [NamedExpression])
  /// The first row, in source order, of those that are equal in these columns (nil: all); nulls are equal.
  case distinct(Relation, on: [String]?)
  /// One row per group, ascending by the keys, nulls last.
  case aggregate(Relation, by: [NamedExpression], [NamedExpression])
  case join(Relation, Relation, JoinKind, on: [JoinKey])
  /// By name; rows of the first, then of the second, …
  case union([Relation])

  /// A condition with the name under which broken rows are counted.
  public struct Rule: Hashable, Sendable {
    public let name: String
    public let condition: Expression

    public init(_ name: String, _ condition: Expression) {
      self.name = name
      self.condition = condition
    }
  }

  public struct NamedExpression: Hashable, Sendable {
    public let name: String
    public let expression: Expression

    public init(_ name: String, _ expression: Expression) {
      self.name = name
      self.expression = expression
    }
  }

  public struct JoinKey: Hashable, Sendable {
    public let left: String, right: String

    public init(left: String, right: String) {
      self.left = left
      self.right = right
    }
  }

  public enum JoinKind: String, Hashable, Sendable, CaseIterable, Codable { case inner, left, anti }
}
