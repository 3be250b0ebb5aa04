import Columns
import Diagnostics

/// Functions over the rows of a group.
public enum AggregateFunction: String, Hashable, Sendable, CaseIterable {
  case count, sum, min, max, avg, median, first, last, stddev, variance

  init?(spelling: String) {
    switch spelling {
    case "mean": self = .avg
    case "stddev_samp", "std": self = .stddev
    case "var_samp", "var": self = .variance
    default:
      guard let function = AggregateFunction(rawValue: spelling) else { return nil }
      self = function
    }
  }

  static let spellings = allCases.map(\.rawValue)

  /// nil: not over this type. Sums of decimals keep their scale at the widest precision.
  public func result(over type: ColumnType) -> ColumnType? {
    switch self {
    case .count: return .int64
    case .min, .max, .first, .last: return type
    case .avg, .median, .stddev, .variance: return type.isNumeric ? .float64 : nil
    case .sum:
      switch type {
      case .int32, .int64: return .int64
      case .float64: return .float64
      case .decimal(_, let scale): return .decimal(precision: ColumnType.widestDecimal, scale: scale)
      case .bool, .string, .date, .timestamp: return nil
      }
    }
  }
}

/// `sum(amount) / count(*)`: aggregates of scalar expressions, and a scalar expression over what they give.
public struct AggregateExpression: Hashable, Sendable {
  /// Equal calls are made once.
  public let calls: [Call]
  /// Over the results, which are its columns `#0`, `#1`, …; other columns are keys of the group.
  public let outer: Expression
  public let expression: Expression

  public struct Call: Hashable, Sendable {
    public let function: AggregateFunction
    /// nil for `count(*)`.
    public let argument: Expression?
    public let distinct: Bool
  }

  public static func parse(_ text: String, bindings: Expression.Bindings = [:]) throws(Mistakes) -> AggregateExpression {
    try AggregateExpression(try Expression.parse(text, bindings: bindings))
  }

  /// Splits an expression; one without any aggregate, or with one inside another, is a mistake.
  public init(_ expression: Expression) throws(Mistakes) {
    self.expression = expression
    var calls: [Call] = [], mistakes: [Diagnostic] = []
    func split(_ term: Term, _ span: Span) -> (Term, Span) {
      if case .aggregate(let function, let argument, let distinct) = term {
        if let argument, containsAggregate(argument) {
          mistakes.append(Diagnostic(
            "an aggregate stands inside \(function.rawValue)(…)",
            at: .setting([], offset: span.range.lowerBound, length: span.range.count), hint: "aggregate in two stages"))
        }
        let call = Call(function: function, argument: argument.map { Expression($0, span: span.child(0)) }, distinct: distinct)
        let at = calls.firstIndex(of: call) ?? calls.count
        if at == calls.count { calls.append(call) }
        return (.column("#\(at)"), Span(span.range))
      }
      let parts = term.children.enumerated().map { split($1, span.child($0)) }
      return (term.replacingChildren(parts.map(\.0)), Span(span.range, parts.map(\.1)))
    }
    let (outer, span) = split(expression.term, expression.span)
    if calls.isEmpty {
      mistakes.append(Diagnostic(
        "no aggregate in an expression over many rows",
        at: .setting([], offset: expression.span.range.lowerBound, length: expression.span.range.count),
        expected: "one of \(AggregateFunction.spellings.map { $0 + "(…)" }.joined(separator: ", "))",
        hint: "first(x) takes the value of the first row"))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    self.calls = calls
    self.outer = Expression(outer, span: span)
  }

  /// Against the rows' schema; `keys` are the columns of the group, which may stand outside of aggregates.
  public func check(_ schema: Schema, keys: [String] = []) throws(Mistakes) -> TypedAggregateExpression {
    var mistakes: [Diagnostic] = [], typed: [TypedAggregateExpression.Call] = [], read: [String] = []
    for call in calls {
      guard let argument = call.argument else {
        typed.append(.init(function: .count, argument: nil, distinct: false, type: .int64))
        continue
      }
      do throws(Mistakes) {
        let checked = try argument.check(schema)
        for name in checked.columnsRead where !read.contains(name) { read.append(name) }
        guard let type = call.function.result(over: checked.type) else {
          mistakes.append(Diagnostic(
            "\(call.function.rawValue) needs numbers", at: .setting([], offset: argument.span.range.lowerBound, length: argument.span.range.count),
            expected: "a number", found: checked.type.description))
          continue
        }
        typed.append(.init(function: call.function, argument: checked, distinct: call.distinct, type: type))
      } catch { mistakes += error.all }
    }
    for name in outer.columnNames where !name.hasPrefix("#") && !keys.contains(name) {
      mistakes.append(Diagnostic(
        schema.index(of: name) == nil ? "unknown column \"\(name)\"" : "column \"\(name)\" stands outside of an aggregate and is no key of the group",
        at: .setting([], offset: expression.span.range.lowerBound, length: expression.span.range.count),
        hint: schema.index(of: name) == nil ? hint(forUnknown: name, among: schema.names) : "write first(\(name)), or add it to \"by\""))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    let results = typed.enumerated().map { Field("#\($0)", $1.type) }
    let outerTyped = try outer.check(Schema(results + keys.compactMap { schema[$0] }))
    for name in outerTyped.columnsRead where !name.hasPrefix("#") && !read.contains(name) { read.append(name) }
    return TypedAggregateExpression(calls: typed, outer: outerTyped, columnsRead: read)
  }
}

/// A checked aggregate expression. `outer` is evaluated over a batch whose columns are `#0`, `#1`, … (and keys).
public struct TypedAggregateExpression: Sendable {
  public let calls: [Call]
  public let outer: TypedExpression
  /// Of the rows, in order of first mention.
  public let columnsRead: [String]
  public var type: ColumnType { outer.type }

  public struct Call: Sendable {
    public let function: AggregateFunction
    public let argument: TypedExpression?
    public let distinct: Bool
    /// Of its result.
    public let type: ColumnType
  }
}

extension Expression {
  /// Whether it summarizes rows.
  public var isAggregate: Bool { containsAggregate(term) }
}

private func containsAggregate(_ term: Term) -> Bool {
  if case .aggregate = term { return true }
  return term.children.contains(where: containsAggregate)
}

extension Term {
  /// The same term over other children, in the order of `children`.
  public func replacingChildren(_ new: [Term]) -> Term {
    switch self {
    case .literal, .interval, .column: return self
    case .negate: return .negate(new[0])
    case .not: return .not(new[0])
    case .binary(let operation, _, _): return .binary(operation, new[0], new[1])
    case .test(_, let test, let negated): return .test(new[0], test, negated: negated)
    case .isIn(_, _, let negated): return .isIn(new[0], Array(new[1...]), negated: negated)
    case .between(_, _, _, let negated): return .between(new[0], new[1], new[2], negated: negated)
    case .like(_, _, let escape, let ignoringCase, let negated):
      return .like(new[0], pattern: new[1], escape: escape, ignoringCase: ignoringCase, negated: negated)
    case .choose(let operand, let whens, let otherwise):
      let first = operand == nil ? 0 : 1
      return .choose(
        operand: operand == nil ? nil : new[0],
        whens.indices.map { .init(new[first + 2 * $0], then: new[first + 2 * $0 + 1]) },
        otherwise: otherwise == nil ? nil : new[new.count - 1])
    case .cast(_, let type, let orNull): return .cast(new[0], type, orNull: orNull)
    case .call(let name, _): return .call(name, new)
    case .aggregate(let function, _, let distinct): return .aggregate(function, new.first, distinct: distinct)
    }
  }
}
