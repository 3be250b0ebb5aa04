import Columns
import Diagnostics

/// Reads tokens into a tree by operator precedence (Pratt, "Top down operator precedence", 1973).
struct Parser {
  /// Parentheses, calls and CASE nested deeper than this are refused, so that no text can exhaust the stack.
  static let deepestNesting = 100
  /// Operators chained without parentheses make deep trees too; each level costs the later passes one call.
  static let tallestTree = 300

  let text: String
  let tokens: [Token]
  let bindings: Expression.Bindings
  var at = 0
  var nesting = 0

  /// A term with its span and the height of its tree.
  struct Parsed {
    var term: Term
    var span: Span
    var height: Int
  }

  init(_ text: String, bindings: Expression.Bindings) throws(Mistakes) {
    self.text = text
    self.bindings = bindings
    tokens = try Lexer.tokens(text)
  }

  mutating func whole() throws(Mistakes) -> Expression {
    if next.kind == .end { throw mistake("an empty expression", next.range, expected: "an expression") }
    let parsed = try expression(0)
    guard next.kind == .end else {
      throw unexpected(next.text == ")" ? "a parenthesis is closed that was not opened" : "the expression does not end here",
        expected: "an operator or the end")
    }
    try checkPrinted(parsed)
    return Expression(parsed.term, span: parsed.span)
  }

  /// The canonical text has brackets where none need be written, as around `--x` and `x::int64::string`. They are levels too,
  /// and what is printed must be read again. One level of the tree takes at most two of the text.
  private func checkPrinted(_ parsed: Parsed) throws(Mistakes) {
    guard parsed.height * 2 > Self.deepestNesting else { return }
    do {
      var again = try Parser(Printer(dialect: .millrace).text(parsed.term), bindings: [:])
      _ = try again.expression(0)
    } catch { throw nestedTooDeeply(parsed.span.range) }
  }

  private func nestedTooDeeply(_ range: Range<Int>) -> Mistakes {
    mistake("an expression is nested deeper than \(Self.deepestNesting) levels", range, hint: "derive a column for a part of it")
  }

  // MARK: Operators

  mutating func expression(_ least: Int) throws(Mistakes) -> Parsed {
    nesting += 1
    defer { nesting -= 1 }
    if nesting > Self.deepestNesting { throw nestedTooDeeply(next.range) }
    var left = try prefix()
    while let step = try suffix(of: left, least) { left = step }
    return left
  }

  mutating func prefix() throws(Mistakes) -> Parsed {
    let first = next
    if takeWord("NOT") {
      let operand = try expression(Precedence.not)
      return try made(.not(operand.term), from: first, [operand])
    }
    if take("-") {
      if next.kind == .number {
        let number = try self.number(negative: true)
        return Parsed(term: number, span: Span(first.range.lowerBound..<previousEnd), height: 1)
      }
      let operand = try expression(Precedence.sign)
      return try made(.negate(operand.term), from: first, [operand])
    }
    if take("+") { return try expression(Precedence.sign) }
    return try primary()
  }

  /// The operator behind `left`, when it binds at least as tightly as `least`; nil at the end of this level.
  mutating func suffix(of left: Parsed, _ least: Int) throws(Mistakes) -> Parsed? {
    if let binary = binaryOperator(next), binary.precedence >= least {
      let sign = next
      at += 1
      let right = try expression(binary.precedence + 1)
      if binary.isComparison, let again = binaryOperator(next), again.isComparison {
        throw mistake(
          "comparisons do not chain", sign.range.lowerBound..<next.range.upperBound,
          hint: "write \"a \(binary.rawValue) b AND b \(again.rawValue) c\"")
      }
      return try made(.binary(binary, left.term, right.term), from: left, [left, right])
    }
    if next.text == "::", least <= Precedence.castSuffix {
      at += 1
      let type = try self.type()
      return try made(.cast(left.term, type, orNull: false), from: left, [left])
    }
    if isWord("IS"), least <= Precedence.truthTest {
      at += 1
      let negated = takeWord("NOT")
      for test in TruthTest.allCases where takeWord(test.rawValue) {
        return try made(.test(left.term, test, negated: negated), from: left, [left])
      }
      throw unexpected("IS is not finished", expected: "NULL, TRUE or FALSE")
    }
    guard least <= Precedence.membership else { return nil }
    let isNegated = isWord("NOT")
    guard ["IN", "BETWEEN", "LIKE", "ILIKE"].contains(where: { isWord($0, ahead: isNegated ? 1 : 0) }) else {
      if isNegated, !isWord("NOT", ahead: 1) { throw unexpected("NOT stands where an operator is needed", expected: "IN, BETWEEN, LIKE or ILIKE after NOT") }
      return nil
    }
    if isNegated { at += 1 }
    return try membership(of: left, negated: isNegated)
  }

  mutating func membership(of left: Parsed, negated: Bool) throws(Mistakes) -> Parsed {
    if takeWord("IN") {
      try need("(", "a list in parentheses after IN")
      let list = try self.list()
      if list.isEmpty { throw mistake("IN has an empty list", left.span.range.lowerBound..<previousEnd, expected: "at least one value") }
      return try made(.isIn(left.term, list.map(\.term), negated: negated), from: left, [left] + list)
    }
    if takeWord("BETWEEN") {
      let low = try expression(Precedence.concatenation)
      guard takeWord("AND") else { throw unexpected("BETWEEN is not finished", expected: "AND and the upper bound") }
      let high = try expression(Precedence.concatenation)
      return try made(.between(left.term, low.term, high.term, negated: negated), from: left, [left, low, high])
    }
    let ignoringCase = isWord("ILIKE")
    at += 1
    let pattern = try expression(Precedence.concatenation)
    var escape: String?
    if takeWord("ESCAPE") {
      guard next.kind == .string, next.text.unicodeScalars.count == 1 else {
        throw unexpected("ESCAPE is not finished", expected: "one character in single quotes")
      }
      escape = next.text
      at += 1
    }
    return try made(
      .like(left.term, pattern: pattern.term, escape: escape, ignoringCase: ignoringCase, negated: negated), from: left, [left, pattern])
  }

  func binaryOperator(_ token: Token) -> BinaryOperator? {
    switch token.kind {
    case .symbol:
      token.text == "!=" ? .notEqual : token.text == "==" ? .equal : BinaryOperator(rawValue: token.text)
    case .word: isWord("AND") ? .and : isWord("OR") ? .or : nil
    default: nil
    }
  }

  // MARK: Primaries

  mutating func primary() throws(Mistakes) -> Parsed {
    let first = next
    switch first.kind {
    case .number:
      let number = try self.number(negative: false)
      return leaf(number, first)
    case .string:
      at += 1
      return leaf(.literal(.string(first.text)), first)
    case .quotedName:
      at += 1
      return leaf(.column(first.text), first)
    case .parameter:
      at += 1
      guard let bound = bindings[first.text] else {
        throw mistake(
          "unknown parameter \"$\(first.text)\"", first.range,
          hint: hint(forUnknown: first.text, among: bindings.keys.sorted()) ?? "declare it under \"parameters\"")
      }
      return leaf(.literal(bound.value), first)
    case .symbol where first.text == "(":
      at += 1
      let inner = try expression(0)
      guard take(")") else { throw unexpected("a parenthesis is not closed", expected: "an operator or \")\"") }
      // The parentheses belong to what stands in them, for messages.
      return Parsed(term: inner.term, span: Span(first.range.lowerBound..<previousEnd, inner.span.children), height: inner.height)
    case .word: return try word(first)
    case .symbol, .end: throw unexpected("an operand is missing", expected: "a column, a value, a function or \"(\"")
    }
  }

  mutating func word(_ first: Token) throws(Mistakes) -> Parsed {
    let follows = tokens[min(at + 1, tokens.count - 1)]
    switch first.text.uppercased() {
    case "TRUE", "FALSE":
      at += 1
      return leaf(.literal(.bool(first.text.uppercased() == "TRUE")), first)
    case "NULL":
      at += 1
      return leaf(.literal(.null), first)
    case "DATE" where follows.kind == .string:
      at += 2
      guard let date = parsedDate(follows.text) else {
        throw mistake("'\(follows.text)' is not a date", follows.range, expected: "a day like '2011-12-09'")
      }
      return leaf(.literal(.date(date)), first)
    case "TIMESTAMP" where follows.kind == .string:
      at += 2
      guard let micros = parsedTimestamp(follows.text) else {
        throw mistake("'\(follows.text)' is not a timestamp", follows.range, expected: "a time like '2011-12-09 12:50:00'")
      }
      return leaf(.literal(.timestamp(micros)), first)
    case "INTERVAL" where follows.kind == .string || follows.kind == .number || follows.text == "-":
      return try interval(first)
    case "CASE": return try choose(first)
    case "CAST", "TRY_CAST":
      at += 1
      try need("(", "\"(\" after \(first.text.uppercased())")
      let operand = try expression(0)
      guard takeWord("AS") else { throw unexpected("\(first.text.uppercased()) is not finished", expected: "AS and a type") }
      let type = try self.type()
      try need(")", "\")\" after the type")
      return try made(.cast(operand.term, type, orNull: first.text.uppercased() == "TRY_CAST"), from: first, [operand])
    default:
      if follows.text == "(", follows.kind == .symbol { return try call(first) }
      if reservedWords.contains(first.text.uppercased()) {
        throw unexpected(
          "\(first.text) stands where an operand is needed", expected: "a column, a value, a function or \"(\"",
          hint: "a column of this name is written in double quotes")
      }
      at += 1
      return leaf(.column(first.text), first)
    }
  }

  mutating func call(_ first: Token) throws(Mistakes) -> Parsed {
    at += 2
    let name = first.text.lowercased()
    if let function = AggregateFunction(spelling: name) {
      if function == .count, take("*") {
        try need(")", "\")\" after count(*")
        return try made(.aggregate(.count, nil, distinct: false), from: first, [])
      }
      let distinct = takeWord("DISTINCT")
      let arguments = try list()
      guard arguments.count == 1 else {
        throw mistake(
          "\(name) takes one argument", first.range.lowerBound..<previousEnd, found: String(arguments.count),
          hint: name == "min" || name == "max" ? "the \(name == "min" ? "least" : "greatest") of several values is \(name == "min" ? "least" : "greatest")(a, b)" : nil)
      }
      return try made(.aggregate(function, arguments[0].term, distinct: distinct), from: first, arguments)
    }
    let arguments = try list()
    let terms = arguments.map(\.term)
    guard let function = FunctionTable.function(named: name) else {
      throw mistake(
        "unknown function \"\(first.text)\"", first.range,
        hint: hint(forUnknown: name, among: FunctionTable.spellings + AggregateFunction.spellings))
    }
    if let wrong = function.wrongCount(terms.count) {
      throw mistake("\(name) \(wrong)", first.range.lowerBound..<previousEnd, found: "\(terms.count)", hint: function.signature)
    }
    if case .rewritten(let rewrite) = function.kernel {
      return Parsed(
        term: rewrite(terms), span: Span(first.range.lowerBound..<previousEnd, arguments.map(\.span)),
        height: try checked(height: arguments.map(\.height).max()! + 1))
    }
    return try made(.call(function.name, terms), from: first, arguments)
  }

  /// Arguments up to the closing parenthesis; the opening one is behind us.
  mutating func list() throws(Mistakes) -> [Parsed] {
    if take(")") { return [] }
    var items: [Parsed] = []
    while true {
      items.append(try expression(0))
      if take(")") { return items }
      guard take(",") else { throw unexpected("a list is not closed", expected: "\",\" or \")\"") }
    }
  }

  mutating func choose(_ first: Token) throws(Mistakes) -> Parsed {
    at += 1
    var parts: [Parsed] = [], whens: [Term.When] = []
    var operand: Parsed?, otherwise: Parsed?
    if !isWord("WHEN") {
      operand = try expression(0)
      parts.append(operand!)
    }
    while takeWord("WHEN") {
      let condition = try expression(0)
      guard takeWord("THEN") else { throw unexpected("WHEN is not finished", expected: "THEN") }
      let result = try expression(0)
      whens.append(.init(condition.term, then: result.term))
      parts += [condition, result]
    }
    if whens.isEmpty { throw unexpected("CASE has no WHEN", expected: "WHEN") }
    if takeWord("ELSE") {
      otherwise = try expression(0)
      parts.append(otherwise!)
    }
    guard takeWord("END") else { throw unexpected("CASE is not finished", expected: "WHEN, ELSE or END") }
    return try made(.choose(operand: operand?.term, whens, otherwise: otherwise?.term), from: first, parts)
  }

  // MARK: Tokens

  var next: Token { tokens[at] }
  var previousEnd: Int { at > 0 ? tokens[at - 1].range.upperBound : 0 }

  func isWord(_ word: String, ahead: Int = 0) -> Bool {
    let token = tokens[min(at + ahead, tokens.count - 1)]
    return token.kind == .word && token.text.uppercased() == word
  }

  mutating func takeWord(_ word: String) -> Bool {
    guard isWord(word) else { return false }
    at += 1
    return true
  }

  mutating func take(_ symbol: String) -> Bool {
    guard next.kind == .symbol, next.text == symbol else { return false }
    at += 1
    return true
  }

  mutating func need(_ symbol: String, _ expected: String) throws(Mistakes) {
    if !take(symbol) { throw unexpected("\"\(symbol)\" is missing", expected: expected) }
  }

  func unexpected(_ message: String, expected: String, hint: String? = nil) -> Mistakes {
    mistake(message, next.range, expected: expected, found: next.kind == .end ? "the end" : "\"\(next.text)\"", hint: hint)
  }

  func leaf(_ term: Term, _ first: Token) -> Parsed {
    Parsed(term: term, span: Span(first.range.lowerBound..<previousEnd), height: 1)
  }

  func made(_ term: Term, from first: Token, _ parts: [Parsed]) throws(Mistakes) -> Parsed {
    try made(term, start: first.range.lowerBound, parts)
  }

  func made(_ term: Term, from left: Parsed, _ parts: [Parsed]) throws(Mistakes) -> Parsed {
    try made(term, start: left.span.range.lowerBound, parts)
  }

  func made(_ term: Term, start: Int, _ parts: [Parsed]) throws(Mistakes) -> Parsed {
    let height = try checked(height: (parts.map(\.height).max() ?? 0) + 1)
    return Parsed(term: term, span: Span(start..<previousEnd, parts.map(\.span)), height: height)
  }

  func checked(height: Int) throws(Mistakes) -> Int {
    if height > Self.tallestTree {
      throw mistake(
        "an expression chains more than \(Self.tallestTree) operators", 0..<previousEnd,
        hint: "IN (…) compares with many values; a derived column can hold a part")
    }
    return height
  }
}
