import Columns

/// The tree of a SQL scalar expression, as written: `quantity * price` is
/// `.binary(.multiply, .column("quantity"), .column("price"))`.
public indirect enum Term: Hashable, Sendable {
  case literal(Value)
  /// `INTERVAL '3' month`, for arithmetic with dates and timestamps.
  case interval(Int64, CalendarUnit)
  case column(String)
  case negate(Term)
  case not(Term)
  case binary(BinaryOperator, Term, Term)
  case test(Term, TruthTest, negated: Bool)
  case isIn(Term, [Term], negated: Bool)
  case between(Term, Term, Term, negated: Bool)
  case like(Term, pattern: Term, escape: String?, ignoringCase: Bool, negated: Bool)
  case choose(operand: Term?, [When], otherwise: Term?)
  case cast(Term, ColumnType, orNull: Bool)
  /// A function of the table, by its canonical name.
  case call(String, [Term])
  /// `count(*)` has no argument.
  case aggregate(AggregateFunction, Term?, distinct: Bool)

  public struct When: Hashable, Sendable {
    public var condition: Term, result: Term
    public init(_ condition: Term, then result: Term) {
      self.condition = condition
      self.result = result
    }
  }

  /// The terms directly below, in the order they are written; spans have the same order.
  public var children: [Term] {
    switch self {
    case .literal, .interval, .column: []
    case .negate(let a), .not(let a), .test(let a, _, _), .cast(let a, _, _): [a]
    case .binary(_, let a, let b): [a, b]
    case .isIn(let a, let list, _): [a] + list
    case .between(let a, let low, let high, _): [a, low, high]
    case .like(let a, let pattern, _, _, _): [a, pattern]
    case .choose(let operand, let whens, let otherwise):
      [operand].compactMap { $0 } + whens.flatMap { [$0.condition, $0.result] } + [otherwise].compactMap { $0 }
    case .call(_, let arguments): arguments
    case .aggregate(_, let argument, _): [argument].compactMap { $0 }
    }
  }
}

public enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
  case or = "OR", and = "AND"
  case equal = "=", notEqual = "<>", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
  case concatenate = "||"
  case add = "+", subtract = "-", multiply = "*", divide = "/", modulo = "%"

  /// How tightly it binds; more is tighter.
  var precedence: Int {
    switch self {
    case .or: Precedence.or
    case .and: Precedence.and
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: Precedence.comparison
    case .concatenate: Precedence.concatenation
    case .add, .subtract: Precedence.sum
    case .multiply, .divide, .modulo: Precedence.product
    }
  }

  var isComparison: Bool { precedence == Precedence.comparison }
}

/// The ladder of SQL, from loose to tight.
enum Precedence {
  static let or = 10, and = 20, not = 30, truthTest = 40, comparison = 50, membership = 60
  static let concatenation = 70, sum = 80, product = 90, sign = 100, castSuffix = 110, primary = 120
}

public enum TruthTest: String, Hashable, Sendable, CaseIterable {
  case null = "NULL", isTrue = "TRUE", isFalse = "FALSE"
}

/// Units of the calendar and of the clock; weeks begin on Monday (ISO 8601).
public enum CalendarUnit: String, Hashable, Sendable, CaseIterable {
  case year, quarter, month, week, day, hour, minute, second

  public init?(word: String) {
    let word = word.lowercased()
    guard let unit = CalendarUnit(rawValue: word) ?? CalendarUnit(rawValue: word.hasSuffix("s") ? String(word.dropLast()) : word)
    else { return nil }
    self = unit
  }

  /// Hours and below need a time of day.
  var isOfClock: Bool {
    switch self {
    case .hour, .minute, .second: true
    case .year, .quarter, .month, .week, .day: false
    }
  }

  /// Microseconds, where the length is fixed.
  var microseconds: Int64? {
    switch self {
    case .second: 1_000_000
    case .minute: 60_000_000
    case .hour: 3_600_000_000
    case .day: 86_400_000_000
    case .week: 604_800_000_000
    case .year, .quarter, .month: nil
    }
  }

  /// Months, where that is the measure.
  var months: Int64? {
    switch self {
    case .month: 1
    case .quarter: 3
    case .year: 12
    case .week, .day, .hour, .minute, .second: nil
    }
  }
}

/// Where a term and the terms below it stand in the text: UTF-8 byte ranges, kept beside the tree so that equal
/// expressions are equal wherever they were written.
public struct Span: Hashable, Sendable {
  public var range: Range<Int>
  public var children: [Span]

  public init(_ range: Range<Int>, _ children: [Span] = []) {
    self.range = range
    self.children = children
  }

  /// For terms that no text holds.
  public static let none = Span(0..<0)

  func child(_ at: Int) -> Span { at < children.count ? children[at] : Span(range) }
}
