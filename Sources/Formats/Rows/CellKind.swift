/// What a source that is read row by row (a line of JSON, a row of a sheet, a result of a query) says of one cell.
/// Its text is in the same spelling as in CSV: `6.95`, `true`, `2011-12-09`, `2011-12-09 12:50:00`.
enum CellKind: UInt8 {
  case text, number, bool, date, timestamp
  /// Other cells within one cell, as JSON.
  case nested
}

/// A JSON number without exponent and without needless zeros: `1.50e2` is `150`. nil when it would be long.
func plainNumber(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
  var at = 0, digits: [UInt8] = [], point: Int?
  let negative = text.first == UInt8(ascii: "-")
  if negative { at = 1 }
  while at < text.count, text[at] &- 48 <= 9 || text[at] == UInt8(ascii: ".") {
    if text[at] == UInt8(ascii: ".") { point = digits.count } else { digits.append(text[at]) }
    at += 1
  }
  var exponent = 0
  if at < text.count {
    guard text[at] | 0x20 == UInt8(ascii: "e") else { return nil }
    at += 1
    var falls = false
    if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") {
      falls = text[at] == UInt8(ascii: "-")
      at += 1
    }
    while at < text.count {
      guard text[at] &- 48 <= 9, exponent < 10_000 else { return nil }
      exponent = exponent * 10 + Int(text[at] - 48)
      at += 1
    }
    if falls { exponent = -exponent }
  }
  var place = (point ?? digits.count) + exponent
  while digits.count > 1, digits.last == 48, digits.count > place { digits.removeLast() }
  if digits.allSatisfy({ $0 == 48 }) { return [48] }
  guard place > -40, place < 80 else { return nil }
  if place < 1 {
    digits.insert(contentsOf: [UInt8](repeating: 48, count: 1 - place), at: 0)
    place = 1
  }
  while digits.count < place { digits.append(48) }
  let whole = digits[..<place].drop { $0 == 48 }
  let fraction = digits[place...]
  return (negative ? [UInt8(ascii: "-")] : []) + (whole.isEmpty ? [48] : Array(whole))
    + (fraction.isEmpty ? [] : [UInt8(ascii: ".")] + fraction)
}
