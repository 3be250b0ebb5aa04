import Columns

/// A literal's type: whole numbers are int64, `0.10` is decimal(2,2).
func literalType(of value: Value) -> ColumnType? {
  switch value {
  case .null: nil
  case .bool: .bool
  case .int: .int64
  case .float: .float64
  case .decimal(let unscaled, let scale): .decimal(precision: max(1, scale, decimalDigits(unscaled)), scale: scale)
  case .string: .string
  case .date: .date
  case .timestamp: .timestamp()
  }
}

/// Precision and scale of a number that takes part in decimal arithmetic.
func decimalShape(_ type: ColumnType) -> (precision: Int, scale: Int) {
  switch type {
  case .decimal(let precision, let scale): (precision, scale)
  case .int32: (10, 0)
  default: (ColumnType.widestDecimal, 0)
  }
}

/// The type that holds both; nil when they cannot meet.
func commonType(_ a: ColumnType, _ b: ColumnType) -> ColumnType? {
  if a == b { return a }
  switch (a, b) {
  case (.int32, .int64), (.int64, .int32): return .int64
  case (.float64, _) where b.isNumeric, (_, .float64) where a.isNumeric: return .float64
  case (.decimal, _) where b.isNumeric, (_, .decimal) where a.isNumeric:
    let (p1, s1) = decimalShape(a), (p2, s2) = decimalShape(b)
    let scale = max(s1, s2)
    return .decimal(precision: min(ColumnType.widestDecimal, max(p1 - s1, p2 - s2) + scale), scale: scale)
  case (.date, .timestamp): return b
  case (.timestamp, .date): return a
  // A wall-clock time beside an instant is read on the instant's own clock.
  case (.timestamp(nil), .timestamp(.some)): return b
  case (.timestamp(.some), .timestamp(nil)): return a
  case (.timestamp(.some), .timestamp(.some)): return a
  default: return nil
  }
}

extension Checker {
  /// The operands in one type. Text literals beside dates and timestamps are read as such, at plan time.
  mutating func common(_ nodes: [Node], _ span: Span, in what: String) -> (nodes: [Node], type: ColumnType)? {
    var nodes = nodes
    let time = nodes.lazy.compactMap(\.type).first { type in
      switch type {
      case .date, .timestamp: true
      default: false
      }
    }
    if time != nil {
      for (at, node) in nodes.enumerated() {
        guard case .string(let text)? = node.constant else { continue }
        if let day = parsedDate(text) {
          nodes[at] = .constant(.date(day), .date)
        } else if let micros = parsedTimestamp(text) {
          nodes[at] = .constant(.timestamp(micros), .timestamp())
        } else {
          _ = note(
            "'\(text)' is no date", at < span.children.count ? span.child(at) : span, expected: "a day like '2011-12-09' or a time like '2011-12-09 12:50:00'",
            found: "'\(text)'")
          return nil
        }
      }
    }
    var type: ColumnType?
    for (at, node) in nodes.enumerated() {
      guard let other = node.type else { continue }
      guard let known = type else {
        type = other
        continue
      }
      guard let both = commonType(known, other) else {
        _ = note(
          "\(what) cannot bring \(known) and \(other) together", span, expected: known.description, found: other.description,
          hint: advice(known, other, nodes[at]))
        return nil
      }
      type = both
    }
    guard let type else {
      _ = note("\(what) has no type: all its values are NULL", span, hint: "write CAST(NULL AS …)")
      return nil
    }
    return (nodes.map { converted($0, to: type) }, type)
  }

  private func advice(_ a: ColumnType, _ b: ColumnType, _ node: Node) -> String? {
    if a == .string && b.isNumeric, let value = node.constant { return "write the text '\(value)', or TRY_CAST the column" }
    if a == .string && b.isNumeric || b == .string && a.isNumeric { return "TRY_CAST(x AS \(a == .string ? b : a)) makes a number of a text, null where it is none" }
    return nil
  }
}

/// `node` as `type`; literals at once where that is exact, else by a cast that fails row by row.
func converted(_ node: Node, to type: ColumnType) -> Node {
  guard let from = node.type else { return .constant(.null, type) }
  if from == type { return node }
  if case .constant(let value, _) = node, case .success(let exact) = castValue(value, from: from, to: type) { return .constant(exact, type) }
  return .operation(.cast(orNull: false), [node], type)
}

func canCast(_ from: ColumnType, to: ColumnType) -> Bool {
  switch (from, to) {
  case (.string, _), (_, .string): true
  case (.bool, .int32), (.bool, .int64), (.int32, .bool), (.int64, .bool): true
  case (.date, .date), (.date, .timestamp), (.timestamp, .date), (.timestamp, .timestamp): true
  default: from.isNumeric && to.isNumeric || from == to
  }
}
