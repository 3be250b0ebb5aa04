import Columns
import Diagnostics
import Testing

@testable import Expressions

let sales = Schema([
  Field("invoice", .string), Field("quantity", .int32), Field("price", .decimal(precision: 12, scale: 3)), Field("at", .timestamp()),
  Field("day", .date), Field("weight", .float64), Field("big", .int64), Field("returned", .bool),
  Field("london", .timestamp(zone: "Europe/London")),
])

@Test(arguments: [
  ("quantity * price", "decimal(18,3)"), ("quantity + quantity", "int64"), ("price * price", "decimal(18,6)"),
  ("price + 1", "decimal(18,3)"), ("price + 0.5", "decimal(13,3)"), ("quantity / 2", "float64"), ("price / quantity", "float64"), ("-quantity", "int64"),
  ("quantity % 7", "int64"), ("quantity > 0", "bool"), ("coalesce(quantity, big)", "int64"), ("coalesce(price, 0)", "decimal(18,3)"),
  ("CASE WHEN returned THEN NULL ELSE weight END", "float64"), ("day = '2011-12-09'", "bool"), ("at >= day", "bool"), ("day - day", "int64"),
  ("day + INTERVAL '1' month", "date"), ("day + INTERVAL '1' hour", "timestamp"), ("at + INTERVAL '1' hour", "timestamp"), ("day + 3", "date"),
  ("date_trunc('month', london)", "timestamp[Europe/London]"), ("date_trunc('month', day)", "date"), ("CAST(at AS date)", "date"),
  ("floor(price)", "int64"), ("round(price, 1)", "decimal(12,3)"), ("round(weight)", "float64"), ("abs(quantity)", "int64"), ("sign(weight)", "int64"),
  ("concat(quantity, '-', day)", "string"), ("invoice || quantity", "string"), ("length(invoice)", "int64"), ("year(day)", "int64"),
  ("nullif(quantity, 0)", "int64"), ("greatest(day, at)", "timestamp"), ("ln(price)", "float64"), ("price BETWEEN 1 AND 2.5", "bool"),
  ("quantity IN (1, NULL)", "bool"), ("NULL AND returned", "bool"), ("CAST(NULL AS date)", "date"), ("sum", "?"),
])
func types(text: String, type: String) throws {
  if type == "?" { return }
  #expect(try Expression.parse(text).check(sales).type.description == type)
}

@Test(arguments: [
  ("quantiy > 0", 0, 7, "error: unknown column \"quantiy\" (setting )\n  hint: did you mean \"quantity\"?"),
  ("invoice > 0", 0, 11, "error: > cannot bring string and int64 together (setting )\n  expected string, found int64\n  hint: write the text '0', or TRY_CAST the column"),
  ("quantity + invoice", 11, 7, "error: \"+\" needs numbers (setting )\n  expected a number, found string\n  hint: texts are joined with ||"),
  ("NOT quantity", 4, 8, "error: NOT needs a condition (setting )\n  expected bool, found int32\n  hint: write a comparison, like x <> 0"),
  ("lower(quantity)", 6, 8, "error: lower's argument text does not fit (setting )\n  expected string, found int32"),
  ("hour(day)", 5, 3, "error: hour's argument at does not fit (setting )\n  expected timestamp, found date"),
  ("date_trunc('mont', at)", 11, 6, "error: unknown unit 'mont' in date_trunc (setting )\n  hint: did you mean \"month\"?"),
  ("contains(invoice, invoice)", 18, 7, "error: contains's argument part must be a constant (setting )\n  hint: contains(text, part)"),
  ("sum(quantity) > 1", 0, 13, "error: sum(…) summarizes many rows and cannot stand in an expression over one row (setting )\n  hint: aggregates belong in a stage \"aggregate\", or under \"aggregates\" of \"feature-engineer\""),
  ("day = '2011-13-01'", 6, 12, "error: '2011-13-01' is no date (setting )\n  expected a day like '2011-12-09' or a time like '2011-12-09 12:50:00', found '2011-13-01'"),
  ("CAST(day AS int64)", 0, 18, "error: date cannot be cast to int64 (setting )\n  hint: epoch(x) counts seconds; date_diff('day', a, b) counts days"),
  ("NULL", 0, 4, "error: the expression is NULL without a type (setting )\n  hint: write CAST(NULL AS …)"),
  ("price * price * price * price * price * price * price", 0, 53, "error: the product of decimal(18,18) and decimal(12,3) has 21 digits behind the point (setting )\n  expected at most 18\n  hint: CAST one side to fewer digits or to float64"),
  ("at - at", 0, 2, "error: \"-\" needs numbers (setting )\n  expected a number, found timestamp\n  hint: date_diff('day', a, b) counts the days between"),
])
func mistakesOfTypes(text: String, offset: Int, length: Int, message: String) throws {
  let error = try #require(throws: Mistakes.self) { try Expression.parse(text).check(sales) }
  #expect(error.description == message)
  #expect(error.all[0].place == .setting([], offset: offset, length: length))
}

@Test func allMistakesAtOnce() throws {
  let error = try #require(throws: Mistakes.self) { try Expression.parse("quantiy > 0 AND NOT pric AND lower(weight) = 'a'").check(sales) }
  #expect(error.all.map(\.message) == ["unknown column \"quantiy\"", "unknown column \"pric\"", "lower's argument text does not fit"])
}

@Test func columnsReadInOrderOfMention() throws {
  #expect(try Expression.parse("CASE WHEN returned THEN price ELSE quantity * price END").check(sales).columnsRead == ["returned", "price", "quantity"])
}

@Test func aggregatesAreSplitFromTheirScalarShell() throws {
  let parsed = try AggregateExpression.parse("sum(quantity * price) / count(DISTINCT invoice) + sum(quantity * price)")
  #expect(parsed.calls.map { "\($0.function) \($0.argument?.sql() ?? "*") \($0.distinct)" } == ["sum quantity * price false", "count invoice true"])
  #expect(parsed.outer.sql() == "\"#0\" / \"#1\" + \"#0\"")
  let typed = try parsed.check(sales)
  #expect(typed.calls.map(\.type) == [.decimal(precision: 18, scale: 3), .int64])
  #expect(typed.type == .float64)
  #expect(typed.columnsRead == ["quantity", "price", "invoice"])
  #expect(try AggregateExpression.parse("count(*)").check(sales).type == .int64)
  #expect(try AggregateExpression.parse("max(at) || invoice").check(sales, keys: ["invoice"]).columnsRead == ["at", "invoice"])
}

@Test(arguments: [
  ("quantity", "error: no aggregate in an expression over many rows (setting )\n  expected one of count(…), sum(…), min(…), max(…), avg(…), median(…), first(…), last(…), stddev(…), variance(…)\n  hint: first(x) takes the value of the first row"),
  ("sum(max(quantity))", "error: an aggregate stands inside sum(…) (setting )\n  hint: aggregate in two stages"),
  ("sum(invoice)", "error: sum needs numbers (setting )\n  expected a number, found string"),
  ("sum(quantity) + big", "error: column \"big\" stands outside of an aggregate and is no key of the group (setting )\n  hint: write first(big), or add it to \"by\""),
])
func mistakesOfAggregates(text: String, message: String) throws {
  let error = try #require(throws: Mistakes.self) { try AggregateExpression.parse(text).check(sales) }
  #expect(error.description == message)
}

@Test func everyRowOfTheTableIsComplete() {
  var seen: Set<String> = []
  for function in FunctionTable.all {
    for name in [function.name] + function.aliases { #expect(seen.insert(name).inserted, "\(name) stands twice") }
    #expect(function.help.hasSuffix(".") && !function.parameters.isEmpty)
  }
}
