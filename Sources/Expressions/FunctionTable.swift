import Columns

/// The one table of scalar functions. A new function is one line here.
public enum FunctionTable {
  public static let all: [Function] = numbers + choices + texts + times

  static let numbers: [Function] = [
    Function("abs", [.number("x")], same, .own(.absolute), failure: "overflow", "The value without its sign."),
    Function("sign", [.number("x")], { _ in .int64 }, .own(.sign), "-1, 0 or 1."),
    Function("ceil", ["ceiling"], [.number("x")], whole, .own(.roundUp), "The least whole number not below x."),
    Function("floor", [.number("x")], whole, .own(.roundDown), "The greatest whole number not above x."),
    Function(
      "round", [.number("x"), .integer("digits").constant.optional], same, .lowered(rounding), failure: "overflow",
      "x to so many digits, half away from zero."),
    Function("sqrt", [.float("x")], float, .own(.elementary(.sqrt)), failure: "a negative number", "The square root."),
    Function("ln", [.float("x")], float, .own(.elementary(.ln)), failure: "a number that is not positive", "The natural logarithm."),
    Function("log10", [.float("x")], float, .own(.elementary(.log10)), failure: "a number that is not positive", "The logarithm to base 10."),
    Function("log2", [.float("x")], float, .own(.elementary(.log2)), failure: "a number that is not positive", "The logarithm to base 2."),
    Function(
      "log1p", [.float("x")], float, .own(.elementary(.log1p)), failure: "a number not above -1",
      duckdb: .template("ln(1 + {0})"), "ln(1 + x), exact near zero."),
    Function("exp", [.float("x")], float, .own(.elementary(.exp)), failure: "overflow", "e to the power x."),
    Function(
      "power", ["pow"], [.float("x"), .float("y")], float, .own(.elementary(.power)), failure: "overflow or a root of a negative number",
      "x to the power y."),
    Function("mod", [.number("x"), .number("y")], same, .rewritten { .binary(.modulo, $0[0], $0[1]) }, "The remainder of x / y: x % y."),
    Function("is_nan", ["isnan"], [.float("x")], bool, .own(.isNaN), duckdb: .name("isnan"), spark: .name("isnan"), "Whether x is not a number."),
    Function(
      "is_finite", ["isfinite"], [.float("x")], bool, .own(.isFinite), duckdb: .name("isfinite"),
      spark: .template("(NOT isnan({0}) AND abs({0}) < double('infinity'))"), "Whether x is a number and not infinite."),
  ]

  static let choices: [Function] = [
    Function("greatest", [.common("x").repeating], same, .own(.greatest), "The greatest of the values that are not null."),
    Function("least", [.common("x").repeating], same, .own(.least), "The least of the values that are not null."),
    Function("coalesce", [.common("x").repeating], same, .lowered { .coalesce($0, $1) }, "The first value that is not null."),
    Function("ifnull", ["nvl"], [.common("x"), .common("y")], same, .rewritten { .call("coalesce", $0) }, "x, or y where x is null."),
    Function("nullif", [.common("x"), .common("y")], same, .own(.nullIf), "x, or null where x equals y."),
    Function(
      "if", ["iff"], [.bool("condition"), .common("x"), .common("y")], same,
      .rewritten { .choose(operand: nil, [.init($0[0], then: $0[1])], otherwise: $0[2]) }, "x where the condition is true, else y."),
  ]

  static let texts: [Function] = [
    Function("length", ["len", "char_length"], [.text("text")], int, .arrow("utf8_length"), "How many characters."),
    Function("lower", ["lcase"], [.text("text")], text, .arrow("utf8_lower"), "In small letters."),
    Function("upper", ["ucase"], [.text("text")], text, .arrow("utf8_upper"), "In capitals."),
    Function(
      "trim", [.text("text"), .text("characters").constant.optional], text, .lowered(trimming("")),
      spark: .template("trim(BOTH {1} FROM {0})"), "Without white space, or the characters given, at both ends."),
    Function(
      "ltrim", [.text("text"), .text("characters").constant.optional], text, .lowered(trimming("l")),
      spark: .template("trim(LEADING {1} FROM {0})"), "Without white space, or the characters given, at the start."),
    Function(
      "rtrim", [.text("text"), .text("characters").constant.optional], text, .lowered(trimming("r")),
      spark: .template("trim(TRAILING {1} FROM {0})"), "Without white space, or the characters given, at the end."),
    Function(
      "substring", ["substr"], [.text("text"), .integer("start"), .integer("count").optional], text, .own(.substring),
      "From character start (the first is 1), to the end or so many."),
    Function("left", [.text("text"), .integer("count")], text, .own(.left), "The first so many characters."),
    Function("right", [.text("text"), .integer("count")], text, .own(.right), "The last so many characters."),
    Function(
      "replace", [.text("text"), .text("part").constant, .text("by").constant], text,
      .arrow("replace_substring") { ArrowOptions("replace", $0.map(\.description)) }, "Every occurrence of a part by another."),
    Function(
      "regexp_replace", [.text("text"), .text("pattern").constant, .text("by").constant], text,
      .arrow("replace_substring_regex") { ArrowOptions("replace", $0.map(\.description)) },
      duckdb: .template("regexp_replace({0}, {1}, {2}, 'g')"), "Every match of a pattern (RE2) by a text; \\1 is its first group."),
    Function(
      "regexp_matches", ["regexp_like"], [.text("text"), .text("pattern").constant], bool,
      .arrow("match_substring_regex") { ArrowOptions("match", $0.map(\.description)) }, spark: .name("regexp_like"),
      "Whether a pattern (RE2) matches anywhere."),
    Function("starts_with", ["startswith"], [.text("text"), .text("prefix")], bool, .own(.startsWith), spark: .name("startswith"), "Whether it begins so."),
    Function(
      "ends_with", ["endswith"], [.text("text"), .text("suffix").constant], bool,
      .arrow("ends_with") { ArrowOptions("match", $0.map(\.description)) }, spark: .name("endswith"), "Whether it ends so."),
    Function(
      "contains", [.text("text"), .text("part").constant], bool,
      .arrow("match_substring") { ArrowOptions("match", $0.map(\.description)) }, "Whether the part is in it."),
    Function(
      "position", ["strpos", "instr"], [.text("text"), .text("part")], int, .own(.position), duckdb: .name("strpos"), spark: .name("instr"),
      "The character at which the part begins (the first is 1); 0 where it is not in it."),
    Function(
      "concat", [.any("x").repeating], text, .lowered { nodes, _ in .operation(.concatenate(skippingNulls: true), nodes.map(asText), .string) },
      spark: .template("concat_ws('', {*})"), "The texts one behind the other; nulls are left out."),
    Function("lpad", [.text("text"), .integer("width"), .text("padding")], text, .own(.padLeft), "Filled at the start, or cut, to a width."),
    Function("rpad", [.text("text"), .integer("width"), .text("padding")], text, .own(.padRight), "Filled at the end, or cut, to a width."),
    Function(
      "split_part", [.text("text"), .text("separator"), .integer("n")], text, .own(.splitPart),
      "The n-th piece between separators (the first is 1); empty where there is none."),
    Function("reverse", [.text("text")], text, .arrow("utf8_reverse"), "Backwards."),
  ]

  static let times: [Function] = [
    Function("year", [.day("at")], int, .arrow("year"), "The year."),
    Function("quarter", [.day("at")], int, .arrow("quarter"), "The quarter, 1 to 4."),
    Function("month", [.day("at")], int, .arrow("month"), "The month, 1 to 12."),
    Function("iso_week", ["week", "weekofyear"], [.day("at")], int, .arrow("iso_week"), duckdb: .name("week"), spark: .name("weekofyear"), "The ISO week, 1 to 53."),
    Function("day", ["dayofmonth"], [.day("at")], int, .arrow("day"), "The day of the month."),
    Function(
      "day_of_week", ["dayofweek", "isodow"], [.day("at")], int, .arrow("day_of_week") { _ in ArrowOptions("day_of_week", [], [1, 1]) },
      duckdb: .name("isodow"), spark: .template("(weekday({0}) + 1)"), "The ISO day of the week: Monday is 1, Sunday 7."),
    Function("day_of_year", ["dayofyear"], [.day("at")], int, .arrow("day_of_year"), duckdb: .name("dayofyear"), spark: .name("dayofyear"), "The day of the year, 1 to 366."),
    Function("hour", [.moment("at")], int, .arrow("hour"), "The hour, 0 to 23."),
    Function("minute", [.moment("at")], int, .arrow("minute"), "The minute."),
    Function("second", [.moment("at")], int, .arrow("second"), "The second."),
    Function("date", [.any("x")], { _ in .date }, .rewritten { .cast($0[0], .date, orNull: false) }, "The day: CAST(x AS date)."),
    Function(
      "date_trunc", [.unit, .day("at")], { $0[1] }, .lowered(truncation), "The start of the unit that holds it; weeks begin on Monday."),
    Function(
      "date_diff", ["datediff"], [.unit, .day("from"), .day("to")], int, .lowered(difference),
      spark: .template("date_diff({0}, {1}, {2})"), "How many starts of a unit lie between; weeks begin on Monday."),
    Function(
      "date_add", [.unit, .integer("count"), .day("at")], { $0[2] }, .lowered(advancing), failure: "a time out of range",
      duckdb: .template("({2} + {1} * to_{0}s(1))"), "Later by so many units; a day that the month lacks becomes its last."),
    Function(
      "make_date", [.integer("year"), .integer("month"), .integer("day")], { _ in .date }, .own(.makeDate), failure: "no such day",
      "A date from its parts."),
    Function(
      "strftime", ["format_date"], [.day("at"), .text("format").constant], text, .lowered { .operation(.format, $0.map(wallClock), $1) },
      "As text by %Y %m %d %H %M %S %j %y %b %B %a %A %u %V %G %F %T %p %I."),
    Function("epoch", [.day("at")], float, .lowered { .operation(.epoch, $0.map(asInstant), $1) }, spark: .template("(unix_micros({0}) / 1e6)"), "Seconds since 1970-01-01."),
  ]

  private static let byName: [String: Function] = {
    var table: [String: Function] = [:]
    for function in all { for name in [function.name] + function.aliases { table[name] = function } }
    return table
  }()

  public static func function(named name: String) -> Function? { byName[name] }

  /// Names and aliases, for "did you mean".
  static let spellings: [String] = all.flatMap { [$0.name] + $0.aliases }
}

extension Function {
  fileprivate init(
    _ name: String, _ parameters: [Parameter], _ result: @escaping @Sendable ([ColumnType]) -> ColumnType, _ kernel: Kernel,
    failure: String? = nil, duckdb: Spelling = .same, spark: Spelling = .same, _ help: String
  ) {
    self.init(name, [], parameters, result, kernel, failure: failure, duckdb: duckdb, spark: spark, help)
  }
}

@Sendable private func same(_ types: [ColumnType]) -> ColumnType { types[0] }
@Sendable private func float(_ types: [ColumnType]) -> ColumnType { .float64 }
@Sendable private func int(_ types: [ColumnType]) -> ColumnType { .int64 }
@Sendable private func bool(_ types: [ColumnType]) -> ColumnType { .bool }
@Sendable private func text(_ types: [ColumnType]) -> ColumnType { .string }

@Sendable private func whole(_ types: [ColumnType]) -> ColumnType {
  if case .decimal = types[0] { .int64 } else { types[0] }
}

@Sendable private func rounding(_ nodes: [Node], _ type: ColumnType) -> Node {
  var digits = 0
  if nodes.count > 1, case .int(let n)? = nodes[1].constant { digits = Int(max(-18, min(18, n))) }
  return .operation(.round(digits), [nodes[0]], type)
}

private func trimming(_ side: String) -> @Sendable ([Node], ColumnType) -> Node {
  { nodes, type in
    nodes.count == 1
      ? .operation(.arrow("utf8_\(side)trim_whitespace", nil), nodes, type)
      : .operation(.arrow("utf8_\(side)trim", ArrowOptions("trim", [nodes[1].constant?.description ?? ""])), [nodes[0]], type)
  }
}

private func unit(_ node: Node) -> CalendarUnit {
  CalendarUnit(word: node.constant?.description ?? "") ?? .day
}

@Sendable private func truncation(_ nodes: [Node], _ type: ColumnType) -> Node {
  // Whole weeks, months and days are taken in the column's own zone, which Arrow knows.
  if case .timestamp(.some) = type {
    return .operation(.arrow("floor_temporal", ArrowOptions("round_temporal", [unit(nodes[0]).rawValue])), [nodes[1]], type)
  }
  return .operation(.truncate(unit(nodes[0])), [nodes[1]], type)
}

@Sendable private func difference(_ nodes: [Node], _ type: ColumnType) -> Node {
  .operation(.difference(unit(nodes[0])), nodes[1...].map(asWallClockTime), type)
}

@Sendable private func advancing(_ nodes: [Node], _ type: ColumnType) -> Node { advanced(nodes[2], by: nodes[1], unit(nodes[0])) }

/// `at` later by `count` units; a date moved by hours is a timestamp, an instant moves on its own zone's clock.
func advanced(_ at: Node, by count: Node, _ unit: CalendarUnit) -> Node {
  let type = at.type ?? .date
  if case .timestamp(.some) = type {
    if unit.isOfClock { return .operation(.advance(unit), [at, count], type) }
    return .operation(.cast(orNull: false), [.operation(.advance(unit), [wallClock(at), count], .timestamp())], type)
  }
  if type == .date, unit.isOfClock {
    return .operation(.advance(unit), [converted(at, to: .timestamp()), count], .timestamp())
  }
  return .operation(.advance(unit), [at, count], type)
}

/// An instant as the clock of its zone showed it; anything else as it is.
@Sendable func wallClock(_ node: Node) -> Node {
  if case .timestamp(.some)? = node.type { converted(node, to: .timestamp()) } else { node }
}

private func asWallClockTime(_ node: Node) -> Node { converted(wallClock(node), to: .timestamp()) }

@Sendable private func asInstant(_ node: Node) -> Node { node.type == .date ? converted(node, to: .timestamp()) : node }

@Sendable private func asText(_ node: Node) -> Node { converted(node, to: .string) }
