import Columns
import Diagnostics

/// Numbers, intervals and the names of types.
extension Parser {
  mutating func interval(_ first: Token) throws(Mistakes) -> Parsed {
    at += 1
    let negative = take("-")
    let amount = next
    var words = amount.text.split(separator: " ").map(String.init)
    at += 1
    if words.count == 1, next.kind == .word || next.kind == .string {
      words.append(next.text)
      at += 1
    }
    guard words.count == 2, let count = Int64(words[0]), let unit = CalendarUnit(word: words[1]) else {
      throw mistake(
        "an interval could not be read", first.range.lowerBound..<previousEnd,
        expected: "a whole number and a unit, like INTERVAL '3' month", hint: "units: \(CalendarUnit.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return leaf(.interval(negative ? 0 &- count : count, unit), first)
  }

  mutating func number(negative: Bool) throws(Mistakes) -> Term {
    let token = next
    at += 1
    let text = (negative ? "-" : "") + token.text
    if token.text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
      guard let value = Double(text), value.isFinite else { throw mistake("\(text) is beyond float64", token.range) }
      return .literal(.float(value))
    }
    if let point = token.text.firstIndex(of: ".") {
      let scale = token.text[token.text.index(after: point)...].utf8.count
      let digits = (negative ? "-" : "") + token.text.filter { $0 != "." }
      guard let unscaled = Int64(digits), scale <= ColumnType.widestDecimal, decimalDigits(unscaled) <= ColumnType.widestDecimal else {
        throw mistake("\(text) has more than \(ColumnType.widestDecimal) digits", token.range, hint: "write it with an exponent for a float64, like \(text)e0")
      }
      return .literal(.decimal(unscaled: unscaled, scale: scale))
    }
    guard let value = Int64(text) else { throw mistake("\(text) is beyond int64", token.range) }
    return .literal(.int(value))
  }

  /// `decimal(12,3)`, `timestamp[Europe/London]`, or a SQL name like BIGINT.
  mutating func type() throws(Mistakes) -> ColumnType {
    let first = next
    guard first.kind == .word else { throw unexpected("a type is missing", expected: "a type, like int64 or decimal(12,2)") }
    at += 1
    var end = first.range.upperBound
    for (open, close) in [("(", ")"), ("[", "]")] where next.text == open && next.kind == .symbol {
      while next.text != close, next.kind != .end { at += 1 }
      end = next.range.upperBound
      if next.kind != .end { at += 1 }
    }
    let spelling = String(decoding: Array(text.utf8)[first.range.lowerBound..<end], as: UTF8.self)
    if let type = ColumnType(spelling) ?? ColumnType(sql: spelling) { return type }
    throw mistake(
      "unknown type \"\(spelling)\"", first.range.lowerBound..<end,
      hint: hint(forUnknown: spelling, among: ColumnType.spellings))
  }
}

/// Words that are no column unless quoted.
let reservedWords: Set<String> = [
  "AND", "OR", "NOT", "IS", "NULL", "TRUE", "FALSE", "IN", "BETWEEN", "LIKE", "ILIKE", "ESCAPE", "CASE", "WHEN", "THEN",
  "ELSE", "END", "CAST", "TRY_CAST", "AS", "DISTINCT",
]

extension ColumnType {
  /// The names that SQL has for our types.
  init?(sql: String) {
    let word = sql.lowercased()
    switch word {
    case "boolean": self = .bool
    case "int", "integer": self = .int32
    case "bigint", "long": self = .int64
    case "double", "float", "real", "double precision": self = .float64
    case "varchar", "text", "char": self = .string
    case "datetime": self = .timestamp()
    default:
      if word.hasPrefix("numeric("), let type = ColumnType("decimal" + word.dropFirst(7)) { self = type }
      else if let type = ColumnType(word) { self = type }
      else { return nil }
    }
  }
}

func decimalDigits(_ unscaled: Int64) -> Int { String(unscaled.magnitude).utf8.count }
