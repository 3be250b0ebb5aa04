import Columns

/// Types of the binary operators.
extension Checker {
  mutating func binary(_ operation: BinaryOperator, _ a: Term, _ b: Term, _ span: Span) -> Node? {
    switch operation {
    case .and, .or:
      let left = condition(a, span.child(0), of: operation.rawValue), right = condition(b, span.child(1), of: operation.rawValue)
      guard let left, let right else { return nil }
      return operation == .and ? .and(left, right) : .or(left, right)
    case .concatenate:
      let nodes = [check(a, span.child(0)), check(b, span.child(1))]
      guard let nodes = all(nodes) else { return nil }
      return .operation(.concatenate(skippingNulls: false), nodes.map { converted($0, to: .string) }, .string)
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      let nodes = [check(a, span.child(0)), check(b, span.child(1))]
      guard let nodes = all(nodes) else { return nil }
      if let narrow = literalBesideInt32(nodes) { return .operation(.compare(operation), narrow, .bool) }
      guard let fitted = common(nodes, span, in: operation.rawValue) else { return nil }
      return .operation(.compare(operation), fitted.nodes, .bool)
    case .add, .subtract, .multiply, .divide, .modulo: return arithmetic(operation, a, b, span)
    }
  }

  /// `quantity > 0` compares int32 with int32 where the number allows it, so that no column is widened for it.
  private func literalBesideInt32(_ nodes: [Node]) -> [Node]? {
    for (column, other) in [(0, 1), (1, 0)] where nodes[column].type == .int32 {
      guard case .constant(.int(let value), _) = nodes[other], Int32(exactly: value) != nil else { continue }
      var fitted = nodes
      fitted[other] = .constant(.int(value), .int32)
      return fitted
    }
    return nil
  }

  private mutating func arithmetic(_ operation: BinaryOperator, _ a: Term, _ b: Term, _ span: Span) -> Node? {
    if case .interval(let count, let unit) = b, operation == .add || operation == .subtract {
      return moved(a, span.child(0), count, unit, back: operation == .subtract, span)
    }
    if case .interval(let count, let unit) = a, operation == .add { return moved(b, span.child(1), count, unit, back: false, span) }
    let nodes = [check(a, span.child(0)), check(b, span.child(1))]
    guard let nodes = all(nodes) else { return nil }
    if let dates = dateArithmetic(operation, nodes) { return dates }
    for (at, node) in nodes.enumerated() {
      guard let type = node.type, !type.isNumeric else { continue }
      let isTime = type == .date || { if case .timestamp = type { true } else { false } }()
      return note(
        "\"\(operation.rawValue)\" needs numbers", span.child(at), expected: "a number", found: type.description,
        hint: type == .string && operation == .add ? "texts are joined with ||"
          : isTime ? (operation == .add ? "add INTERVAL '1' day" : "date_diff('day', a, b) counts the days between") : castHint(type))
    }
    let types = nodes.map { $0.type ?? .int64 }
    if operation == .divide || types.contains(.float64) {
      return .operation(own(operation), nodes.map { converted($0, to: .float64) }, .float64)
    }
    guard types.contains(where: { if case .decimal = $0 { true } else { false } }) else {
      return .operation(own(operation), nodes.map { converted($0, to: .int64) }, .int64)
    }
    let (p1, s1) = decimalShape(types[0]), (p2, s2) = decimalShape(types[1])
    let widest = ColumnType.widestDecimal
    if operation == .multiply {
      guard s1 + s2 <= widest else {
        return note(
          "the product of \(types[0]) and \(types[1]) has \(s1 + s2) digits behind the point", span, expected: "at most \(widest)",
          hint: "CAST one side to fewer digits or to float64")
      }
      // Operands keep their own scales; scaled integers multiply as they are.
      return .operation(.multiply, nodes.map { scaled($0) }, .decimal(precision: min(widest, p1 + p2), scale: s1 + s2))
    }
    let scale = max(s1, s2), whole = max(p1 - s1, p2 - s2)
    let result = ColumnType.decimal(precision: min(widest, whole + scale + (operation == .modulo ? 0 : 1)), scale: scale)
    let operand = ColumnType.decimal(precision: widest, scale: scale)
    return .operation(own(operation), nodes.map { converted($0, to: operand) }, result)
  }

  /// A factor of a decimal product: a decimal, or a whole number as it stands.
  private func scaled(_ node: Node) -> Node { node.type == nil ? .constant(.null, .int64) : node }

  private func own(_ operation: BinaryOperator) -> Operation {
    switch operation {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .modulo: .modulo
    case .or, .and, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .concatenate:
      preconditionFailure("\(operation.rawValue) is no arithmetic")
    }
  }

  /// date − date counts days; date ± n moves by days.
  private func dateArithmetic(_ operation: BinaryOperator, _ nodes: [Node]) -> Node? {
    let isWhole = { (node: Node) in node.type == .int32 || node.type == .int64 }
    if operation == .subtract, nodes[0].type == .date, nodes[1].type == .date {
      return .operation(.difference(.day), [nodes[1], nodes[0]].map { converted($0, to: .timestamp()) }, .int64)
    }
    if operation == .add, nodes[0].type == .date, isWhole(nodes[1]) { return advanced(nodes[0], by: converted(nodes[1], to: .int64), .day) }
    if operation == .add, nodes[1].type == .date, isWhole(nodes[0]) { return advanced(nodes[1], by: converted(nodes[0], to: .int64), .day) }
    if operation == .subtract, nodes[0].type == .date, isWhole(nodes[1]) {
      return advanced(nodes[0], by: .operation(.negate, [converted(nodes[1], to: .int64)], .int64), .day)
    }
    return nil
  }

  private mutating func moved(
    _ at: Term, _ atSpan: Span, _ count: Int64, _ unit: CalendarUnit, back: Bool, _ span: Span
  ) -> Node? {
    guard let node = check(at, atSpan) else { return nil }
    let count = Node.constant(.int(back ? 0 &- count : count), .int64)
    switch node.type {
    case .date, .timestamp: return advanced(node, by: count, unit)
    case .string:
      if case .string(let text)? = node.constant, let day = parsedDate(text) { return advanced(.constant(.date(day), .date), by: count, unit) }
      fallthrough
    default:
      return note("an interval is added to a date or timestamp", atSpan, expected: "date or timestamp", found: node.type?.description ?? "NULL")
    }
  }
}
