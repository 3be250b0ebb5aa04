import Columns
import Testing

@testable import Expressions

/// One batch for all rows of tests. The dictionary column has an entry that no row uses.
private let batch: Batch = {
  let columns: [(String, Column)] = [
    ("i", .int32s([1, -2, nil, 0])), ("l", .int64s([10, .max, nil, 7])), ("d", .decimals([1500, -250, nil, 999], precision: 9, scale: 2)),
    ("f", .float64s([1.5, -0.25, nil, 4])), ("s", .strings(["apple", "Ärger", nil, ""])),
    ("k", .dictionary(codes: [1, 0, nil, 1], values: ["x1", "12", "unused"])), ("b", .bools([true, false, nil, true])),
    ("t", .timestamps([1_323_435_000_000_000, -1, nil, 0])), ("day", .dates([15317, 31, nil, 0])),
  ]
  return Batch(schema: Schema(columns.map { Field($0.0, $0.1.type) }), columns: columns.map(\.1), count: 4)
}()

private func show(_ text: String, by path: Evaluator.Path = .fastest) throws -> String {
  let typed = try Expression.parse(text).check(batch.schema)
  let (column, failures) = try typed.evaluate(batch, by: path)
  #expect(column.type == typed.type && column.count == 4)
  let cells = column.allValues.map { $0 == .null ? "∅" : $0.description }.joined(separator: " | ")
  return cells + failures.map { "  [\($0.row): \($0.reason)]" }.joined()
}

/// Ours, by both paths where Arrow has a kernel for it.
@Test(arguments: [
  ("i + 1", "2 | -1 | ∅ | 1"), ("i * i", "1 | 4 | ∅ | 0"), ("-i", "-1 | 2 | ∅ | 0"), ("i * d", "15.00 | 5.00 | ∅ | 0.00"),
  ("d + d", "30.00 | -5.00 | ∅ | 19.98"), ("d - 0.125", "14.875 | -2.625 | ∅ | 9.865"), ("f * 2", "3.0 | -0.5 | ∅ | 8.0"),
  ("i > 0", "true | false | ∅ | false"), ("d >= 9.99", "true | false | ∅ | true"), ("d = 15", "true | false | ∅ | false"), ("f < i", "false | false | ∅ | false"),
  ("s < 'b'", "true | false | ∅ | true"), ("s = ''", "false | false | ∅ | true"), ("NOT b", "false | true | ∅ | false"), ("i <> 1", "false | true | ∅ | true"),
  ("i IS NULL", "false | false | true | false"), ("l IS NOT NULL", "true | true | false | true"), ("starts_with(s, 'ap')", "true | false | ∅ | false"),
  ("k = '12'", "true | false | ∅ | true"), ("day > DATE '1970-01-31'", "true | true | ∅ | false"), ("l < 8", "false | false | ∅ | true"),
  ("b AND i > 0", "true | false | ∅ | false"), ("b OR i IS NULL", "true | false | true | true"), ("i = NULL", "∅ | ∅ | ∅ | ∅"),
])
func ownAndArrowAgree(text: String, expected: String) throws {
  #expect(try show(text) == expected)
  #expect(try show(text, by: .arrow) == expected)
}

@Test(arguments: [
  ("l + 1", "11 | ∅ | ∅ | 8  [1: 9223372036854775807 + 1 is beyond int64]"),
  ("i / i", "1.0 | 1.0 | ∅ | ∅  [3: division by zero]"), ("f / 0", "∅ | ∅ | ∅ | ∅  [0: division by zero]  [1: division by zero]  [3: division by zero]"),
  ("7 % i", "0 | 1 | ∅ | ∅  [3: division by zero]"), ("CASE WHEN i <> 0 THEN 1 / i END", "1.0 | -0.5 | ∅ | ∅"),
  ("i <> 0 AND 1 / i > 0", "true | false | ∅ | false"), ("i = 0 OR 1 / i > 0", "true | false | ∅ | true"),
  ("1 / i > 0 AND i <> 0", "true | false | ∅ | ∅  [3: division by zero]"),
  ("1 / i IS NULL", "false | false | true | ∅  [3: division by zero]"), ("concat(1 / i)", "1.0 | -0.5 |  | ∅  [3: division by zero]"),
  ("coalesce(i, 1 / 0)", "1.0 | -2.0 | ∅ | 0.0  [2: division by zero]"), ("CAST(k AS int64)", "12 | ∅ | ∅ | 12  [1: \"x1\" is no int64]"),
  ("TRY_CAST(k AS int64)", "12 | ∅ | ∅ | 12"), ("k::decimal(4,1)", "12.0 | ∅ | ∅ | 12.0  [1: \"x1\" is no decimal(4,1)]"),
  ("CAST(f AS int64)", "∅ | ∅ | ∅ | 4  [0: 1.5 is no int64]  [1: -0.25 is no int64]"), ("CAST(d AS int32)", "15 | ∅ | ∅ | ∅  [1: -2.50 is no int32]  [3: 9.99 is no int32]"),
  ("CAST(d AS decimal(3,2))", "∅ | -2.50 | ∅ | 9.99  [0: 15.00 is beyond decimal(3,2)]"),
  ("CAST(f AS decimal(4,1))", "1.5 | ∅ | ∅ | 4.0  [1: -0.25 is no decimal(4,1)]"),
  ("CAST(i AS string) || '!'", "1! | -2! | ∅ | 0!"), ("CAST(b AS int32)", "1 | 0 | ∅ | 1"),
  ("ln(f)", "0.4054651081081644 | ∅ | ∅ | 1.3862943611198906  [1: ln(-0.25) is not defined in float64]"),
  ("log10(1000)", "3.0 | 3.0 | 3.0 | 3.0"), ("log2(f + 0.25)", "0.8073549220576041 | ∅ | ∅ | 2.0874628412503395  [1: log2(0.0) is not defined in float64]"),
  ("power(2, i)", "2.0 | 0.25 | ∅ | 1.0"), ("sqrt(f)", "1.224744871391589 | ∅ | ∅ | 2.0  [1: sqrt(-0.25) is not defined in float64]"), ("exp(0)", "1.0 | 1.0 | 1.0 | 1.0"),
  ("floor(d)", "15 | -3 | ∅ | 9"), ("ceil(d)", "15 | -2 | ∅ | 10"), ("round(d, 1)", "15.00 | -2.50 | ∅ | 10.00"), ("round(d)", "15.00 | -3.00 | ∅ | 10.00"),
  ("round(f)", "2.0 | -0.0 | ∅ | 4.0"), ("round(15, -1)", "20 | 20 | 20 | 20"), ("abs(d)", "15.00 | 2.50 | ∅ | 9.99"), ("sign(f)", "1 | -1 | ∅ | 1"), ("floor(f)", "1.0 | -1.0 | ∅ | 4.0"),
  ("greatest(i, 0)", "1 | 0 | 0 | 0"), ("least(i, l)", "1 | -2 | ∅ | 0"), ("nullif(i, 0)", "1 | -2 | ∅ | ∅"), ("coalesce(i, 5)", "1 | -2 | 5 | 0"),
  ("i IN (1, 0)", "true | false | ∅ | true"), ("i IN (1, NULL)", "true | ∅ | ∅ | ∅"), ("i NOT IN (1, NULL)", "false | ∅ | ∅ | ∅"), ("k IN ('12', 'a')", "true | false | ∅ | true"),
  ("d BETWEEN 0 AND 9.99", "false | false | ∅ | true"), ("i NOT BETWEEN 0 AND 1", "false | true | ∅ | false"), ("d IN (15, -2.5)", "true | true | ∅ | false"),
  ("b IS TRUE", "true | false | false | true"), ("b IS NOT FALSE", "true | false | true | true"),
  ("CASE i WHEN 1 THEN 'one' WHEN 0 THEN k END", "one | ∅ | ∅ | 12"), ("if(b, i, -1)", "1 | -1 | -1 | 0"),
  ("concat(s, '-', i)", "apple-1 | Ärger--2 | - | -0"), ("s || k", "apple12 | Ärgerx1 | ∅ | 12"),
  ("substring(s, 2, 3)", "ppl | rge | ∅ | "), ("left(s, 1)", "a | Ä | ∅ | "), ("right(s, 2)", "le | er | ∅ | "), ("substring(s, 4)", "le | er | ∅ | "),
  ("position(s, 'r')", "0 | 2 | ∅ | 0"), ("lpad(k, 4, 'ab')", "ab12 | abx1 | ∅ | ab12"), ("rpad(s, 3, '.')", "app | Ärg | ∅ | ..."),
  ("split_part('a,b,,c', ',', 2)", "b | b | b | b"), ("split_part(s, 'p', 3)", "le |  | ∅ | "), ("split_part(s, ',', 0)", "∅ | ∅ | ∅ | ∅  [0: piece 0 of a text: the first is 1]  [1: piece 0 of a text: the first is 1]  [3: piece 0 of a text: the first is 1]"),
  ("CAST(t AS date)", "2011-12-09 | 1969-12-31 | ∅ | 1970-01-01"), ("CAST(day AS timestamp)", "2011-12-09 00:00:00 | 1970-02-01 00:00:00 | ∅ | 1970-01-01 00:00:00"),
  ("date_trunc('week', t)", "2011-12-05 00:00:00 | 1969-12-29 00:00:00 | ∅ | 1969-12-29 00:00:00"), ("date_trunc('quarter', day)", "2011-10-01 | 1970-01-01 | ∅ | 1970-01-01"),
  ("date_trunc('hour', t)", "2011-12-09 12:00:00 | 1969-12-31 23:00:00 | ∅ | 1970-01-01 00:00:00"),
  ("date_diff('month', DATE '2011-11-30', day)", "1 | -501 | ∅ | -502"), ("date_diff('day', t, day)", "0 | 32 | ∅ | 0"), ("date_diff('week', DATE '1970-01-04', day)", "2188 | 4 | ∅ | 0"),
  ("DATE '2012-01-31' + INTERVAL '1' month", "2012-02-29 | 2012-02-29 | 2012-02-29 | 2012-02-29"), ("day + 1 - day", "1 | 1 | ∅ | 1"),
  ("t - INTERVAL '1' day", "2011-12-08 12:50:00 | 1969-12-30 23:59:59.999999 | ∅ | 1969-12-31 00:00:00"), ("date_add('year', i, day)", "2012-12-09 | 1968-02-01 | ∅ | 1970-01-01"),
  ("make_date(2011, 2, 28 + i)", "∅ | 2011-02-26 | ∅ | 2011-02-28  [0: year 2011, month 2, day 29 is no date]"), ("epoch(t)", "1323435000.0 | -1e-06 | ∅ | 0.0"),
  ("strftime(t, '%Y/%m/%d %H:%M %a %j W%V')", "2011/12/09 12:50 Fri 343 W49 | 1969/12/31 23:59 Wed 365 W01 | ∅ | 1970/01/01 00:00 Thu 001 W01"),
  ("is_nan(f)", "false | false | ∅ | false"), ("is_finite(f)", "true | true | ∅ | true"), ("1 + 1", "2 | 2 | 2 | 2"), ("i = i", "true | true | ∅ | true"),
])
func ownKernels(text: String, expected: String) throws { #expect(try show(text) == expected) }

/// Arrow's.
@Test(arguments: [
  ("length(s)", "5 | 5 | ∅ | 0"), ("lower(s)", "apple | ärger | ∅ | "), ("upper(s)", "APPLE | ÄRGER | ∅ | "), ("reverse(s)", "elppa | regrÄ | ∅ | "), ("upper(k)", "12 | X1 | ∅ | 12"),
  ("trim('  a ')", "a | a | a | a"), ("ltrim(s, 'ap')", "le | Ärger | ∅ | "), ("rtrim(k, '12')", " | x | ∅ | "), ("replace(s, 'p', 'bb')", "abbbble | Ärger | ∅ | "),
  ("regexp_replace(s, '[aeiou]', '_')", "_ppl_ | Ärg_r | ∅ | "), ("regexp_matches(k, '^[0-9]+$')", "true | false | ∅ | true"), ("contains(s, 'pp')", "true | false | ∅ | false"),
  ("ends_with(s, 'e')", "true | false | ∅ | false"), ("s LIKE '%p_e'", "true | false | ∅ | false"), ("s NOT LIKE 'a%'", "false | true | ∅ | true"), ("s ILIKE 'A%'", "true | false | ∅ | false"),
  ("'50%' LIKE '50!%' ESCAPE '!'", "true | true | true | true"), ("'a\\b' LIKE 'a\\_'", "true | true | true | true"),
  ("year(t)", "2011 | 1969 | ∅ | 1970"), ("month(day)", "12 | 2 | ∅ | 1"), ("day(day)", "9 | 1 | ∅ | 1"), ("hour(t)", "12 | 23 | ∅ | 0"), ("minute(t)", "50 | 59 | ∅ | 0"), ("second(t)", "0 | 59 | ∅ | 0"),
  ("quarter(t)", "4 | 4 | ∅ | 1"), ("day_of_week(day)", "5 | 7 | ∅ | 4"), ("day_of_year(day)", "343 | 32 | ∅ | 1"), ("iso_week(t)", "49 | 1 | ∅ | 1"),
  ("hour(CAST(t AS timestamp[Europe/Berlin]))", "12 | 23 | ∅ | 0"), ("date_trunc('day', CAST(t AS timestamp[Europe/Berlin]))::timestamp", "2011-12-09 00:00:00 | 1969-12-31 00:00:00 | ∅ | 1970-01-01 00:00:00"),
  ("CAST(TIMESTAMP '2011-03-27 02:30:00' AS timestamp[Europe/Berlin]) IS NULL AND i = 1", "∅ | ∅ | ∅ | ∅"),
])
func arrowKernels(text: String, expected: String) throws {
  if expected == "∅ | ∅ | ∅ | ∅" {
    // A local time that the clock skipped fails the row.
    #expect(try show(text).contains("[0: "))
  } else {
    #expect(try show(text) == expected)
  }
}

/// AND, OR, NOT over true, false and unknown, written out (SQL:1999, 8.12).
@Test(arguments: [Evaluator.Path.fastest, .arrow]) func truthTables(path: Evaluator.Path) throws {
  let values: [Bool?] = [true, false, nil]
  let a = values.flatMap { a in values.map { _ in a } }, b = values.flatMap { _ in values }
  let batch = Batch(schema: Schema([Field("a", .bool), Field("b", .bool)]), columns: [.bools(a), .bools(b)], count: 9)
  func answer(_ text: String) throws -> [Value] { try Expression.parse(text).check(batch.schema).evaluate(batch, by: path).column.allValues }
  let (t, f, u) = (Value.bool(true), Value.bool(false), Value.null)
  #expect(try answer("a AND b") == [t, f, u, f, f, f, u, f, u])
  #expect(try answer("a OR b") == [t, t, t, t, f, u, t, u, u])
  #expect(try answer("NOT a") == [f, f, f, t, t, t, u, u, u])
  #expect(try answer("a AND TRUE") == [t, t, t, f, f, f, u, u, u])
  #expect(try answer("a AND NULL") == [u, u, u, f, f, f, u, u, u])
  #expect(try answer("FALSE OR b") == [t, f, u, t, f, u, t, f, u])
}

@Test func predicatesSortRows() throws {
  let selection = try Expression.parse("10 / i > 0").checkCondition(batch.schema).evaluatePredicate(batch)
  #expect(selection.kept == [0])
  #expect(selection.dropped == [1])
  #expect(selection.unknown == [2])
  #expect(selection.failures == [RowFailure(row: 3, reason: "division by zero")])
}

/// The fast loops beside Arrow's kernels on many rows, at lengths around word borders.
@Test(arguments: [0, 1, 63, 64, 65, 1000]) func fastLoopsAgreeWithArrow(rows: Int) throws {
  func value(_ row: Int, _ salt: Int) -> Int { (row &* 2_654_435_761 &+ salt &* 40503) >> 7 & 0xFF }
  let columns: [(String, Column)] = [
    ("q", .int32s((0..<rows).map { value($0, 1) < 20 ? nil : Int32(value($0, 2)) - 100 })),
    ("p", .decimals((0..<rows).map { value($0, 3) < 20 ? nil : Int64(value($0, 4)) * 13 - 900 }, precision: 8, scale: 2)),
    ("x", .float64s((0..<rows).map { value($0, 5) < 20 ? nil : Double(value($0, 6)) / 8 - 9 })),
    ("n", .strings((0..<rows).map { value($0, 7) < 20 ? nil : "C\(value($0, 8))" })),
  ]
  let batch = Batch(schema: Schema(columns.map { Field($0.0, $0.1.type) }), columns: columns.map(\.1), count: rows)
  for text in [
    "q * p", "q + 7", "q > 0", "p <= 3.5", "x >= 1.5", "x * x - x", "q IS NULL", "NOT starts_with(n, 'C1')", "q > 0 AND p > 0 OR x < 0", "n >= 'C5'",
    "q / 3", "p - p", "q = 3 AND (n IS NOT NULL)", "p <> 0",
  ] {
    let typed = try Expression.parse(text).check(batch.schema)
    let (fast, failures) = try typed.evaluate(batch)
    let (arrow, arrowFailures) = try typed.evaluate(batch, by: .arrow)
    #expect(fast.allValues == arrow.allValues, "\(text)")
    #expect(failures.isEmpty && arrowFailures.isEmpty)
    #expect(fast.digest == arrow.digest, "what lies under nulls differs: \(text)")
    // A batch and its slices give the same rows.
    if rows > 70 { #expect(try typed.evaluate(batch.slice(3..<rows)).column.allValues == Array(fast.allValues[3...])) }
  }
}

@Test func arrowsFailuresAreFoundByBisection() throws {
  let batch = Batch(schema: Schema([Field("l", .int64)]), columns: [.int64s((0..<1000).map { $0 % 300 == 7 ? .max : Int64($0) })], count: 1000)
  let typed = try Expression.parse("l + 1").check(batch.schema)
  let (column, failures) = try typed.evaluate(batch, by: .arrow)
  #expect(failures.map(\.row) == [7, 307, 607, 907])
  #expect(column.allValues == (try typed.evaluate(batch)).column.allValues)
}
