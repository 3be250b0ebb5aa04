import Columns
import Diagnostics

/// Settles names and types of an expression against a schema; collects every mistake. No rows, no Arrow.
struct Checker {
  let schema: Schema
  var mistakes: [Diagnostic] = []
  /// In order of first mention.
  var columnsRead: [String] = []

  init(schema: Schema) { self.schema = schema }

  /// nil: there is a mistake below, already noted.
  mutating func check(_ term: Term, _ span: Span) -> Node? {
    switch term {
    case .literal(let value): return .constant(value, literalType(of: value))
    case .interval:
      return note("an interval stands alone", span, hint: "add it to a date or timestamp, or subtract it from one")
    case .column(let name): return column(name, span)
    case .negate(let operand):
      guard let node = check(operand, span.child(0)), let type = number(node, "-", span.child(0)) else { return nil }
      let result: ColumnType = type == .int32 ? .int64 : type
      return .operation(.negate, [converted(node, to: result)], result)
    case .not(let operand):
      guard let node = condition(operand, span.child(0), of: "NOT") else { return nil }
      return .operation(.not, [node], .bool)
    case .binary(let operation, let a, let b): return binary(operation, a, b, span)
    case .test(let operand, let test, let negated):
      let node = test == .null ? check(operand, span.child(0)) : condition(operand, span.child(0), of: "IS \(test.rawValue)")
      guard let node else { return nil }
      return negatedIf(negated, .operation(.test(test), [node], .bool))
    case .isIn(let operand, let list, let negated): return membership(operand, list, negated, span)
    case .between(let operand, let low, let high, let negated):
      let nodes = [operand, low, high].enumerated().map { check($1, span.child($0)) }
      guard let nodes = all(nodes), let fitted = common(nodes, span, in: "BETWEEN") else { return nil }
      let above = Node.operation(.compare(.greaterOrEqual), [fitted.nodes[0], fitted.nodes[1]], .bool)
      let below = Node.operation(.compare(.lessOrEqual), [fitted.nodes[0], fitted.nodes[2]], .bool)
      return negatedIf(negated, .and(above, below))
    case .like(let operand, let pattern, let escape, let ignoringCase, let negated):
      return like(operand, pattern, escape, ignoringCase, negated, span)
    case .choose(let operand, let whens, let otherwise): return choose(operand, whens, otherwise, span)
    case .cast(let operand, let type, let orNull): return cast(operand, type, orNull, span)
    case .call(let name, let arguments): return call(name, arguments, span)
    case .aggregate(let function, _, _):
      return note(
        "\(function.rawValue)(…) summarizes many rows and cannot stand in an expression over one row", span,
        hint: "aggregates belong in a stage \"aggregate\", or under \"aggregates\" of \"feature-engineer\"")
    }
  }

  mutating func note(_ message: String, _ span: Span, expected: String? = nil, found: String? = nil, hint: String? = nil) -> Node? {
    mistakes.append(Diagnostic(
      message, at: .setting([], offset: span.range.lowerBound, length: span.range.count), expected: expected, found: found, hint: hint))
    return nil
  }

  private mutating func column(_ name: String, _ span: Span) -> Node? {
    guard let type = schema.type(of: name) else {
      return note("unknown column \"\(name)\"", span, hint: hint(forUnknown: name, among: schema.names))
    }
    if !columnsRead.contains(name) { columnsRead.append(name) }
    return .column(name, type)
  }

  /// A bool operand; NULL counts as one.
  mutating func condition(_ term: Term, _ span: Span, of what: String) -> Node? {
    guard let node = check(term, span) else { return nil }
    guard let type = node.type else { return .constant(.null, .bool) }
    if type == .bool { return node }
    return note("\(what) needs a condition", span, expected: "bool", found: type.description, hint: "write a comparison, like x <> 0")
  }

  private mutating func number(_ node: Node, _ what: String, _ span: Span) -> ColumnType? {
    guard let type = node.type else { return .int64 }
    if type.isNumeric { return type }
    _ = note("\(what) needs a number", span, expected: "a number", found: type.description, hint: castHint(type))
    return nil
  }

  func castHint(_ type: ColumnType) -> String? {
    type == .string ? "TRY_CAST(x AS float64) makes a number of a text, null where it is none" : nil
  }

  private mutating func membership(_ operand: Term, _ list: [Term], _ negated: Bool, _ span: Span) -> Node? {
    let nodes = ([operand] + list).enumerated().map { check($1, span.child($0)) }
    guard let nodes = all(nodes), let fitted = common(nodes, span, in: "IN") else { return nil }
    let values = fitted.nodes.dropFirst().map(\.constant)
    if values.allSatisfy({ $0 != nil }) {
      return negatedIf(negated, .operation(.isIn(values.compactMap { $0 }), [fitted.nodes[0]], .bool))
    }
    var tests = fitted.nodes.dropFirst().map { Node.operation(.compare(.equal), [fitted.nodes[0], $0], .bool) }
    // Pairwise, so that a long list makes a low tree.
    while tests.count > 1 {
      tests = stride(from: 0, to: tests.count, by: 2).map { $0 + 1 < tests.count ? .or(tests[$0], tests[$0 + 1]) : tests[$0] }
    }
    return negatedIf(negated, tests[0])
  }

  private mutating func like(
    _ operand: Term, _ pattern: Term, _ escape: String?, _ ignoringCase: Bool, _ negated: Bool, _ span: Span
  ) -> Node? {
    let word = ignoringCase ? "ILIKE" : "LIKE"
    let nodes = [check(operand, span.child(0)), check(pattern, span.child(1))]
    guard let nodes = all(nodes) else { return nil }
    for (at, node) in nodes.enumerated() where node.type != nil && node.type != .string {
      return note("\(word) compares texts", span.child(at), expected: "string", found: node.type?.description)
    }
    guard let value = nodes[1].constant else {
      return note("the pattern of \(word) must be a constant", span.child(1), expected: "a text in single quotes")
    }
    guard case .string(let text) = value else { return .constant(.null, .bool) }
    guard let arrowPattern = arrowLike(text, escape: escape) else {
      return note("the pattern of \(word) ends in its escape character", span.child(1), found: "'\(text)'")
    }
    let match = Operation.arrow("match_like", ArrowOptions("match", [arrowPattern], [ignoringCase ? 1 : 0]))
    return negatedIf(negated, .operation(match, [converted(nodes[0], to: .string)], .bool))
  }

  private mutating func choose(_ operand: Term?, _ whens: [Term.When], _ otherwise: Term?, _ span: Span) -> Node? {
    var at = operand == nil ? 0 : 1
    let subject = operand.map { check($0, span.child(0)) }
    var conditions: [Node?] = [], results: [Node?] = []
    for when in whens {
      if let subject {
        let value = check(when.condition, span.child(at))
        if let subject, let value, let fitted = common([subject, value], span.child(at), in: "CASE") {
          conditions.append(.operation(.compare(.equal), fitted.nodes, .bool))
        } else {
          conditions.append(nil)
        }
      } else {
        conditions.append(condition(when.condition, span.child(at), of: "WHEN"))
      }
      results.append(check(when.result, span.child(at + 1)))
      at += 2
    }
    if let otherwise { results.append(check(otherwise, span.child(at))) }
    guard let conditions = all(conditions), let results = all(results), let fitted = common(results, span, in: "CASE") else { return nil }
    return .choose(
      zip(conditions, fitted.nodes).map { ($0, $1) }, otherwise: otherwise == nil ? nil : fitted.nodes.last, fitted.type)
  }

  private mutating func cast(_ operand: Term, _ type: ColumnType, _ orNull: Bool, _ span: Span) -> Node? {
    guard let node = check(operand, span.child(0)) else { return nil }
    guard let from = node.type else { return .constant(.null, type) }
    if from == type { return node }
    guard canCast(from, to: type) else {
      return note("\(from) cannot be cast to \(type)", span, hint: castAdvice(from, type))
    }
    return .operation(.cast(orNull: orNull), [node], type)
  }

  private func castAdvice(_ from: ColumnType, _ to: ColumnType) -> String? {
    switch (from, to) {
    case (.date, .int64), (.timestamp, .int64), (.date, .float64), (.timestamp, .float64): "epoch(x) counts seconds; date_diff('day', a, b) counts days"
    case (.int64, .timestamp), (.float64, .timestamp), (.int64, .date): "make_date(year, month, day) makes a date"
    default: nil
    }
  }

  private mutating func call(_ name: String, _ arguments: [Term], _ span: Span) -> Node? {
    guard let function = FunctionTable.function(named: name) else {
      return note("unknown function \"\(name)\"", span, hint: hint(forUnknown: name, among: FunctionTable.spellings))
    }
    if let wrong = function.wrongCount(arguments.count) {
      return note("\(function.name) \(wrong)", span, found: "\(arguments.count)", hint: function.signature)
    }
    let checked = arguments.enumerated().map { check($1, span.child($0)) }
    guard var nodes = all(checked) else { return nil }
    var sound = true
    for (at, node) in nodes.enumerated() {
      if let fitted = fit(node, function, at, span.child(at)) { nodes[at] = fitted } else { sound = false }
    }
    guard sound else { return nil }
    let shared = nodes.indices.filter { function.parameter($0).kind == .common }
    if !shared.isEmpty {
      guard let fitted = common(shared.map { nodes[$0] }, span, in: function.name) else { return nil }
      for (i, at) in shared.enumerated() { nodes[at] = fitted.nodes[i] }
    }
    let types = nodes.map { $0.type ?? .string }
    var type = function.result(types)
    if function.name == "abs" || function.name == "sign" || function.name == "round", type == .int32 {
      // int32 operations give int64.
      type = .int64
      nodes[0] = converted(nodes[0], to: .int64)
    }
    switch function.kernel {
    case .own(let operation): return .operation(operation, nodes, type)
    case .lowered(let lower):
      let node = lower(nodes, type)
      return node
    case .arrow(let kernel, let options):
      let constants = nodes.indices.filter { function.parameter($0).isConstant }.map { nodes[$0].constant ?? .null }
      let operands = nodes.indices.filter { !function.parameter($0).isConstant }.map { nodes[$0] }
      return .operation(.arrow(kernel, options(constants)), operands, type)
    case .rewritten: preconditionFailure("\(name) is rewritten by the parser; a term built by hand has to do the same")
    }
  }

  /// One argument as its parameter wants it.
  private mutating func fit(_ node: Node, _ function: Function, _ at: Int, _ span: Span) -> Node? {
    let parameter = function.parameter(at)
    let what = "\(function.name)'s argument \(parameter.name)"
    if parameter.isConstant {
      guard let value = node.constant, value != .null else {
        return note("\(what) must be a constant", span, hint: function.signature)
      }
    }
    let type = node.type
    switch parameter.kind {
    case .any, .common: return node
    case .number:
      if let type { return type.isNumeric ? node : wrong("a number") }
      return .constant(.null, .int64)
    case .float:
      if let type, !type.isNumeric { return wrong("a number") }
      return converted(node, to: .float64)
    case .integer:
      if let type, type != .int32, type != .int64 { return wrong("a whole number") }
      return converted(node, to: .int64)
    case .text:
      if let type, type != .string { return wrong("string") }
      return converted(node, to: .string)
    case .bool:
      if let type, type != .bool { return wrong("bool") }
      return converted(node, to: .bool)
    case .day, .moment:
      switch type {
      case .timestamp: return node
      case .date where parameter.kind == .day: return node
      case nil: return .constant(.null, parameter.kind == .day ? .date : .timestamp())
      case .string where node.constant != nil:
        if case .string(let text)? = node.constant {
          if parameter.kind == .day, let day = parsedDate(text) { return .constant(.date(day), .date) }
          if let micros = parsedTimestamp(text) { return .constant(.timestamp(micros), .timestamp()) }
        }
        return wrong(parameter.kind == .day ? "date or timestamp" : "timestamp")
      default: return wrong(parameter.kind == .day ? "date or timestamp" : "timestamp")
      }
    case .unit:
      guard case .string(let word)? = node.constant, let unit = CalendarUnit(word: word) else {
        let units = CalendarUnit.allCases.map(\.rawValue)
        let word = node.constant?.description ?? ""
        return note(
          "unknown unit '\(word)' in \(function.name)", span, hint: hint(forUnknown: word, among: units))
      }
      return .constant(.string(unit.rawValue), .string)
    }

    func wrong(_ expected: String) -> Node? {
      note(
        "\(what) does not fit", span, expected: expected, found: type?.description,
        hint: type == .string ? "TRY_CAST(x AS \(expected == "a number" ? "float64" : expected == "a whole number" ? "int64" : "timestamp")) makes one of a text, null where it is none" : nil)
    }
  }

  func negatedIf(_ negated: Bool, _ node: Node) -> Node { negated ? .operation(.not, [node], .bool) : node }
  func all(_ nodes: [Node?]) -> [Node]? { nodes.contains { $0 == nil } ? nil : nodes.compactMap { $0 } }
}

/// A LIKE pattern as Arrow wants it, whose escape is the backslash; nil when the last character is an escape.
func arrowLike(_ pattern: String, escape: String?) -> String? {
  let escape = escape?.unicodeScalars.first
  var out = String.UnicodeScalarView()
  var isEscaped = false
  for scalar in pattern.unicodeScalars {
    if isEscaped {
      if "%_\\".unicodeScalars.contains(scalar) { out.append("\\") }
      out.append(scalar)
      isEscaped = false
    } else if scalar == escape {
      isEscaped = true
    } else {
      if scalar == "\\" { out.append("\\") }
      out.append(scalar)
    }
  }
  return isEscaped ? nil : String(out)
}
