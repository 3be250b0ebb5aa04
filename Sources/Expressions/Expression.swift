import Columns
import Diagnostics

/// A SQL scalar expression: parsed, checked against a schema at plan time, evaluated batch by batch, printed again.
///
///     let revenue = try Expression.parse("quantity * price").check(schema)
///     let (column, failures) = try revenue.evaluate(batch)
public struct Expression: Sendable {
  public let term: Term
  /// Where the terms stand in the text that was parsed.
  public let span: Span

  public init(_ term: Term, span: Span = .none) {
    self.term = term
    self.span = span
  }

  /// What `$name` stands for: a literal of a type, never pasted text.
  public typealias Bindings = [String: (value: Value, type: ColumnType)]

  /// Reads a scalar expression; aggregate calls parse too, and are refused by `check`.
  public static func parse(_ text: String, bindings: Bindings = [:]) throws(Mistakes) -> Expression {
    var parser = try Parser(text, bindings: bindings)
    return try parser.whole()
  }

  /// Names of the columns, in order of first mention.
  public var columnNames: [String] {
    var names: [String] = []
    func visit(_ term: Term) {
      if case .column(let name) = term, !names.contains(name) { names.append(name) }
      for child in term.children { visit(child) }
    }
    visit(term)
    return names
  }
}

extension Expression: Hashable {
  public static func == (a: Expression, b: Expression) -> Bool { a.term == b.term }
  public func hash(into hasher: inout Hasher) { hasher.combine(term) }
}

extension Expression: CustomStringConvertible {
  /// The canonical text: it parses to an equal expression.
  public var description: String { sql() }
}

extension Mistakes {
  /// The same mistakes where the expression stands in a setting: `path` is put before their places.
  public func prefixed(by path: [PathStep]) -> Mistakes {
    Mistakes(all.map { mistake in
      guard case .setting(let rest, let offset, let length) = mistake.place else { return mistake }
      var moved = mistake
      moved.place = .setting(path + rest, offset: offset, length: length)
      return moved
    })
  }
}
