import Columns
import Diagnostics
import Testing

@testable import Expressions

/// What a text is read as, shown by its canonical text.
@Test(arguments: [
  ("1+2*3", "1 + 2 * 3"),
  ("(1+2)*3", "(1 + 2) * 3"),
  ("a - (b - c)", "a - (b - c)"),
  ("a - b - c", "a - b - c"),
  ("not a = b and c or d", "NOT a = b AND c OR d"),
  ("NOT (a AND b)", "NOT (a AND b)"),
  ("NOT starts_with(invoice, 'C')", "NOT starts_with(invoice, 'C')"),
  ("x != 1", "x <> 1"),
  ("x is not null", "x IS NOT NULL"),
  ("(a = b) is true", "a = b IS TRUE"),
  ("x not in (1, 2)", "x NOT IN (1, 2)"),
  ("x between 1 and 2 and y", "x BETWEEN 1 AND 2 AND y"),
  ("name like '50!%%' escape '!'", "name LIKE '50!%%' ESCAPE '!'"),
  ("name NOT ILIKE 'a%'", "name NOT ILIKE 'a%'"),
  ("a LIKE NOT (b <> c OR d <= - -1e3)", "a LIKE (NOT (b <> c OR d <= -(-1000.0e0)))"), ("a + NOT b = c", "a + (NOT b = c)"),
  ("a::int64::string", "CAST(CAST(a AS int64) AS string)"), ("-a::int64", "-(CAST(a AS int64))"), ("- - -x", "-(-(-x))"), ("-5::string", "CAST(-5 AS string)"),
  ("-x", "-x"), ("-(x + 1)", "-(x + 1)"), ("-5", "-5"), ("-(5)", "-(5)"), ("- -x", "-(-x)"),
  ("x::decimal(12,2)", "CAST(x AS decimal(12,2))"),
  ("TRY_CAST(x AS BIGINT)", "TRY_CAST(x AS int64)"),
  ("a::timestamp[Europe/London]", "CAST(a AS timestamp[Europe/London])"),
  ("CASE a WHEN 1 THEN 'x' ELSE 'y' END", "CASE a WHEN 1 THEN 'x' ELSE 'y' END"),
  ("if(a, 1, 2)", "CASE WHEN a THEN 1 ELSE 2 END"),
  ("POW(x, 2)", "power(x, 2)"), ("mod(a, b)", "a % b"), ("nvl(a, b)", "coalesce(a, b)"),
  ("\"Customer ID\" = 'O''Neil'", "\"Customer ID\" = 'O''Neil'"),
  ("date", "date"), ("date(at)", "CAST(at AS date)"), ("DATE '2011-12-09'", "DATE '2011-12-09'"),
  ("at + INTERVAL '3' months", "at + INTERVAL '3' month"), ("at - interval '2 days'", "at - INTERVAL '2' day"),
  ("TIMESTAMP '2011-12-09T12:50'", "TIMESTAMP '2011-12-09 12:50:00'"),
  ("0.10", "0.10"), ("1e3", "1000.0e0"), ("first", "first"), ("count(*)", "count(*)"), ("count(distinct x)", "count(DISTINCT x)"),
  ("größe > 1", "größe > 1"), ("(x)", "x"), ("+x", "x"), ("a || b || 'c'", "a || b || 'c'"),
  ("$low <= x", "3 <= x"),
])
func canonicalText(text: String, canonical: String) throws {
  let parsed = try Expression.parse(text, bindings: ["low": (.int(3), .int64)])
  #expect(parsed.description == canonical)
  #expect(try Expression.parse(canonical) == parsed)
}

@Test(arguments: [
  ("", 0, 0, "error: an empty expression (setting )\n  expected an expression"),
  ("a +", 3, 0, "error: an operand is missing (setting )\n  expected a column, a value, a function or \"(\", found the end"),
  ("(a", 2, 0, "error: a parenthesis is not closed (setting )\n  expected an operator or \")\", found the end"),
  ("a)", 1, 1, "error: a parenthesis is closed that was not opened (setting )\n  expected an operator or the end, found \")\""),
  ("a b", 2, 1, "error: the expression does not end here (setting )\n  expected an operator or the end, found \"b\""),
  ("a < b < c", 2, 5, "error: comparisons do not chain (setting )\n  hint: write \"a < b AND b < c\""),
  ("'abc", 0, 4, "error: a text has no closing ' (setting )"),
  ("a ; b", 2, 1, "error: unexpected character \";\" in an expression (setting )"),
  ("x = $lo", 4, 3, "error: unknown parameter \"$lo\" (setting )\n  hint: did you mean \"low\"?"),
  ("lowr(x)", 0, 4, "error: unknown function \"lowr\" (setting )\n  hint: did you mean \"lower\"?"),
  ("lower(x, y)", 0, 11, "error: lower takes 1 argument (setting )\n  found 2\n  hint: lower(text)"),
  ("min(a, b)", 0, 9, "error: min takes one argument (setting )\n  found 2\n  hint: the least of several values is least(a, b)"),
  ("x::int46", 3, 5, "error: unknown type \"int46\" (setting )\n  hint: did you mean \"int64\"?"),
  ("x IN ()", 0, 7, "error: IN has an empty list (setting )\n  expected at least one value"),
  ("x IS 5", 5, 1, "error: IS is not finished (setting )\n  expected NULL, TRUE or FALSE, found \"5\""),
  ("DATE '2011-02-30'", 5, 12, "error: '2011-02-30' is not a date (setting )\n  expected a day like '2011-12-09'"),
  ("99999999999999999999", 0, 20, "error: 99999999999999999999 is beyond int64 (setting )"),
  ("3apples", 0, 7, "error: \"3apples\" is neither a number nor a name (setting )\n  hint: a column whose name begins with a digit is written in double quotes"),
])
func mistakesOfText(text: String, offset: Int, length: Int, message: String) throws {
  let error = try #require(throws: Mistakes.self) { try Expression.parse(text, bindings: ["low": (.int(3), .int64)]) }
  #expect(error.description == message)
  #expect(error.all[0].place == .setting([], offset: offset, length: length))
  #expect(error.prefixed(by: ["keep", 1]).all[0].place == .setting(["keep", 1], offset: offset, length: length))
}

@Test(arguments: [("(", "1", ")"), ("NOT ", "TRUE", ""), ("-", "x", ""), ("abs(", "", ""), ("CASE WHEN ", "", "")])
func hostileNesting(before: String, core: String, after: String) throws {
  let text = String(repeating: before, count: 100_000) + core + String(repeating: after, count: 100_000)
  let error = try #require(throws: Mistakes.self) { try Expression.parse(text) }
  #expect(error.all[0].message == "an expression is nested deeper than 100 levels")
}

/// Brackets that only the canonical text has count as well: what is read once is read again.
@Test(arguments: [
  ("-", "x", ""), ("- -", "x", ""), ("NOT ", "x", ""), ("a LIKE NOT ", "x", ""), ("a + NOT ", "x", ""), ("", "x", "::int64::string"), ("a = (", "x", ")"),
  ("a - (b - ", "x", ")"), ("if(a, b, ", "x", ")"), ("", "x", " = b IS NULL"), ("(", "x", " + 1) * 2"), ("", "x", " - 1"),
])
func deepTextIsReadTwiceOrNotAtAll(before: String, core: String, after: String) throws {
  var refused = 0
  for count in 1...120 {
    let text = String(repeating: before, count: count) + core + String(repeating: after, count: count)
    do {
      let parsed = try Expression.parse(text)
      let printed = parsed.description
      #expect(try Expression.parse(printed) == parsed, "\(count): \(printed)")
      #expect(refused == 0, "refused once, \(count) is taken")
    } catch {
      #expect(error.all[0].message == "an expression is nested deeper than 100 levels")
      #expect(error.all[0].hint == "derive a column for a part of it")
      refused += 1
    }
  }
  // Half of the levels are anybody's, brackets or none.
  #expect(refused <= 120 - 24, "only \(120 - refused) are read")
}

/// Found by fuzzing: signs inside of brackets inside of NOT.
@Test func signsInBracketsInNot() throws {
  let text = "a LIKE NOT (b <> c OR d <= " + String(repeating: "-", count: 52) + "1e3)"
  let error = try #require(throws: Mistakes.self) { try Expression.parse(text) }
  #expect(error.description == "error: an expression is nested deeper than 100 levels (setting )\n  hint: derive a column for a part of it")
  #expect(error.all[0].place == .setting([], offset: 0, length: text.utf8.count))
  let few = try Expression.parse(text.replacing(String(repeating: "-", count: 50), with: ""))
  #expect(few.description == "a LIKE (NOT (b <> c OR d <= -(-1000.0e0)))")
}

@Test func longChainsAreRefusedAndUsualOnesAreNot() throws {
  let error = try #require(throws: Mistakes.self) {
    try Expression.parse((0..<100_000).map { "x = \($0)" }.joined(separator: " OR "))
  }
  #expect(error.all[0].message == "an expression chains more than 300 operators")
  let sum = try Expression.parse(Array(repeating: "x", count: 250).joined(separator: " + ")).check(Schema([Field("x", .int64)]))
  let batch = Batch(schema: Schema([Field("x", .int64)]), columns: [.int64s([1, 2])], count: 2)
  #expect(try sum.evaluate(batch).column.allValues == [.int(250), .int(500)])
  let list = "x IN (" + (0..<5000).map(String.init).joined(separator: ", ") + ")"
  #expect(try Expression.parse(list).check(Schema([Field("x", .int64)])).evaluate(batch).column.allValues == [.bool(true), .bool(true)])
}

// MARK: Random trees

/// SplitMix64.
private struct Random: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }
}

private func randomTerm(_ random: inout Random, depth: Int) -> Term {
  func below(_ n: Int) -> Int { Int.random(in: 0..<n, using: &random) }
  func sub() -> Term { randomTerm(&random, depth: depth - 1) }
  let texts = ["", "a", "O'Neil", "50%_\\", "ü\"–", "a b"]
  if depth == 0 || below(6) == 0 {
    switch below(9) {
    case 0: return .literal(.int(Int64.random(in: .min ... .max, using: &random)))
    case 1: return .literal(.decimal(unscaled: Int64(below(2_000_000)) - 1_000_000, scale: below(7)))
    case 2: return .literal(.float(Double.random(in: -1e9...1e9, using: &random) * (below(2) == 0 ? 1 : 1e-30)))
    case 3: return .literal(.string(texts[below(texts.count)]))
    case 4: return .literal([.null, .bool(true), .bool(false)][below(3)])
    case 5: return .literal(.date(Int32(below(40_000)) - 10_000))
    case 6: return .literal(.timestamp(Int64(below(4_000_000_000)) * 1_000_003))
    case 7: return .interval(Int64(below(100)) - 50, CalendarUnit.allCases[below(8)])
    default: return .column(["x", "Customer ID", "and", "date", "größe", "say \"hi\"", "#0"][below(7)])
    }
  }
  let negated = below(2) == 0
  switch below(13) {
  case 0, 1, 2: return .binary(BinaryOperator.allCases[below(14)], sub(), sub())
  case 3: return .negate(sub())
  case 4: return .not(sub())
  case 5: return .test(sub(), TruthTest.allCases[below(3)], negated: negated)
  case 6: return .isIn(sub(), (0...below(3)).map { _ in sub() }, negated: negated)
  case 7: return .between(sub(), sub(), sub(), negated: negated)
  case 8: return .like(sub(), pattern: sub(), escape: [nil, "!", "'"][below(3)], ignoringCase: below(2) == 0, negated: negated)
  case 9:
    return .choose(
      operand: below(2) == 0 ? sub() : nil, (0...below(2)).map { _ in .init(sub(), then: sub()) }, otherwise: below(2) == 0 ? sub() : nil)
  case 10: return .cast(sub(), [.int64, .decimal(precision: 12, scale: 3), .timestamp(zone: "Europe/London")][below(3)], orNull: negated)
  case 11: return .call(["coalesce", "greatest", "concat"][below(3)], (0...below(3)).map { _ in sub() })
  default: return .aggregate([.sum, .count, .median][below(3)], sub(), distinct: negated)
  }
}

@Test(arguments: 0..<40) func printedTextParsesToAnEqualTree(seed: Int) throws {
  var random = Random(state: UInt64(seed))
  for _ in 0..<50 {
    let expression = Expression(randomTerm(&random, depth: 5))
    let text = expression.sql()
    let again = try Expression.parse(text)
    #expect(again == expression, "\(text)\n\(again.sql())")
    #expect(again.sql() == text)
  }
}

/// Trees as high as fifty levels, most of them thin: one operand of each term is high, the others are leaves.
@Test(arguments: 0..<40) func highTreesArePrintedAndReadAgain(seed: Int) throws {
  var random = Random(state: 1000 + UInt64(seed))
  for height in 1...50 {
    var term = randomTerm(&random, depth: 0)
    for _ in 1..<height {
      // Any term of one level, one of whose leaves is replaced by what there is.
      var leaf: Term
      repeat { leaf = randomTerm(&random, depth: 1) } while leaf.children.isEmpty
      term = leaf.replacingChild(Int.random(in: 0..<leaf.children.count, using: &random), with: term)
    }
    let expression = Expression(term)
    let again = try Expression.parse(expression.sql())
    #expect(again == expression, "\(expression.sql())\n\(again.sql())")
  }
}

extension Term {
  fileprivate func replacingChild(_ at: Int, with term: Term) -> Term {
    var children = self.children
    children[at] = term
    switch self {
    case .literal, .interval, .column: return term
    case .negate: return .negate(children[0])
    case .not: return .not(children[0])
    case .test(_, let test, let negated): return .test(children[0], test, negated: negated)
    case .cast(_, let type, let orNull): return .cast(children[0], type, orNull: orNull)
    case .binary(let operation, _, _): return .binary(operation, children[0], children[1])
    case .isIn(_, _, let negated): return .isIn(children[0], Array(children.dropFirst()), negated: negated)
    case .between(_, _, _, let negated): return .between(children[0], children[1], children[2], negated: negated)
    case .like(_, _, let escape, let ignoringCase, let negated):
      return .like(children[0], pattern: children[1], escape: escape, ignoringCase: ignoringCase, negated: negated)
    case .choose(let operand, let whens, let otherwise):
      let first = operand == nil ? 0 : 1
      return .choose(
        operand: operand.map { _ in children[0] },
        whens.indices.map { .init(children[first + 2 * $0], then: children[first + 2 * $0 + 1]) },
        otherwise: otherwise.map { _ in children[children.count - 1] })
    case .call(let name, _): return .call(name, children)
    case .aggregate(let function, _, let distinct): return .aggregate(function, children[0], distinct: distinct)
    }
  }
}

@Test(arguments: [
  ("starts_with(\"Customer ID\", 'O''N')", "starts_with(\"Customer ID\", 'O''N')", "startswith(`Customer ID`, 'O\\'N')"),
  ("a / b", "CAST(\"a\" AS DOUBLE) / \"b\"", "CAST(`a` AS DOUBLE) / `b`"),
  ("day_of_week(at)", "isodow(\"at\")", "(weekday(`at`) + 1)"),
  ("CAST(x AS string)", "CAST(\"x\" AS VARCHAR)", "CAST(`x` AS STRING)"),
  ("date_diff('day', a, b)", "date_diff('day', \"a\", \"b\")", "date_diff(day, `a`, `b`)"),
  ("trim(a)", "trim(\"a\")", "trim(`a`)"), ("trim(a, 'x')", "trim(\"a\", 'x')", "trim(BOTH 'x' FROM `a`)"),
])
func otherDialects(text: String, duckdb: String, spark: String) throws {
  let expression = try Expression.parse(text)
  #expect(expression.sql(dialect: .duckdb) == duckdb)
  #expect(expression.sql(dialect: .spark) == spark)
}
