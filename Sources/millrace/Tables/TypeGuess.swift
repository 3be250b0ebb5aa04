import Columns

/// Finds the narrowest type that every cell of a text column has without loss, from the cells themselves.
///
/// Only texts that the type gives back count: `007`, `+1` and `1,000` stay text. Decimals may come back with more zeros
/// (2.1 beside 6.95 is 2.10). A column without cells, or with empty texts in quotes, stays text.
struct TypeGuess {
  private struct Candidates: OptionSet {
    let rawValue: UInt8
    static let int = Candidates(rawValue: 1), decimal = Candidates(rawValue: 2), float = Candidates(rawValue: 4)
    static let bool = Candidates(rawValue: 8), date = Candidates(rawValue: 16), timestamp = Candidates(rawValue: 32)
    static let all = Candidates(rawValue: 63)
  }

  private var candidates = Candidates.all
  private var cells = 0
  private var wholeDigits = 1, fractionDigits = 0

  var type: ColumnType {
    if cells == 0 { return .string }
    if candidates.contains(.int) { return .int64 }
    if candidates.contains(.decimal), wholeDigits + fractionDigits <= ColumnType.widestDecimal {
      return .decimal(precision: wholeDigits + fractionDigits, scale: fractionDigits)
    }
    if candidates.contains(.float) { return .float64 }
    if candidates.contains(.bool) { return .bool }
    if candidates.contains(.date) { return .date }
    return candidates.contains(.timestamp) ? .timestamp() : .string
  }

  /// A column that was read as text.
  mutating func add(_ column: Column) {
    if column.count == column.nullCount { return }
    cells += column.count - column.nullCount
    let text = column.text
    for row in 0..<column.count where !column.isNull(row) {
      if candidates.isEmpty { return }
      add(text[row])
    }
  }

  private mutating func add(_ cell: UnsafeBufferPointer<UInt8>) {
    var kept = Candidates()
    if let number = Self.number(cell) {
      if number.isWhole { kept.insert(.int) }
      if number.isDecimal {
        kept.insert(.decimal)
        wholeDigits = max(wholeDigits, number.whole)
        fractionDigits = max(fractionDigits, number.fraction)
      }
      // A whole number that a Double cannot hold exactly would come back as another.
      if !number.isWhole || number.whole <= 15 { kept.insert(.float) }
    } else if Self.isBool(cell) {
      kept.insert(.bool)
    } else if Self.isDay(cell) {
      kept.insert(.date)
    } else if Self.isTime(cell) {
      kept.insert(.timestamp)
    }
    candidates.formIntersection(kept)
  }

  private struct Number {
    var isWhole = false, isDecimal = false
    var whole = 0, fraction = 0
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  private static func number(_ cell: UnsafeBufferPointer<UInt8>) -> Number? {
    var number = Number(), at = 0, isZero = true
    let isNegative = cell.first == UInt8(ascii: "-")
    if isNegative { at = 1 }
    let start = at
    while at < cell.count, isDigit(cell[at]) {
      if cell[at] != 48 { isZero = false }
      at += 1
    }
    number.whole = at - start
    // No number without a digit in front; no zeros in front.
    guard number.whole > 0, number.whole == 1 || cell[start] != 48 else { return nil }
    if at == cell.count {
      number.isDecimal = number.whole <= ColumnType.widestDecimal && !(isNegative && isZero)
      number.isWhole = number.isDecimal
      return number.isDecimal ? number : nil
    }
    if cell[at] == UInt8(ascii: ".") {
      let point = at
      at += 1
      while at < cell.count, isDigit(cell[at]) {
        if cell[at] != 48 { isZero = false }
        at += 1
      }
      number.fraction = at - point - 1
      guard number.fraction > 0 else { return nil }
      number.isDecimal = at == cell.count && !(isNegative && isZero)
    }
    if at == cell.count { return number }
    guard cell[at] | 32 == UInt8(ascii: "e") else { return nil }
    at += 1
    if at < cell.count, cell[at] == UInt8(ascii: "-") || cell[at] == UInt8(ascii: "+") { at += 1 }
    let exponent = at
    while at < cell.count, isDigit(cell[at]) { at += 1 }
    guard at == cell.count, at > exponent, Double(String(decoding: cell, as: UTF8.self))?.isFinite == true else { return nil }
    return number
  }

  private static func isBool(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
    cell.count == 4 && cell.elementsEqual("true".utf8) || cell.count == 5 && cell.elementsEqual("false".utf8)
  }

  private static func isDay(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
    cell.count == 10 && CivilDate(String(decoding: cell, as: UTF8.self)) != nil
  }

  /// `2011-12-09 12:50:00`, with `T` between and up to six places behind the seconds too.
  private static func isTime(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
    guard cell.count == 19 || (21...26).contains(cell.count), cell[10] == 32 || cell[10] == UInt8(ascii: "T"), cell[13] == 58, cell[16] == 58,
      isDay(UnsafeBufferPointer(rebasing: cell[0..<10]))
    else { return false }
    func two(_ at: Int) -> Int? { isDigit(cell[at]) && isDigit(cell[at + 1]) ? Int(cell[at] - 48) * 10 + Int(cell[at + 1] - 48) : nil }
    guard let hour = two(11), let minute = two(14), let second = two(17), hour < 24, minute < 60, second < 60 else { return false }
    return cell.count == 19 || cell[19] == 46 && cell[20...].allSatisfy(isDigit)
  }
}
