import Columns

/// Why a cell is not of its type.
enum CellFlaw: UInt8 {
  case none, notOfType, outOfRange, tooManyDigits
}

/// Signed decimal digits, exactly.
@inline(__always) func parseInteger(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> CellFlaw {
  var at = 0
  let negative = text[0] == UInt8(ascii: "-")
  if negative || text[0] == UInt8(ascii: "+") { at = 1 }
  guard at < count else { return .notOfType }
  if count &- at > 18 { return parseLongInteger(text + at, count &- at, negative: negative, &value) }
  var sum: UInt64 = 0
  while at < count {
    let digit = text[at] &- 48
    if digit > 9 { return .notOfType }
    sum = sum &* 10 &+ UInt64(digit)
    at &+= 1
  }
  value = negative ? 0 &- Int64(bitPattern: sum) : Int64(bitPattern: sum)
  return .none
}

@inline(never) private func parseLongInteger(
  _ digits: UnsafePointer<UInt8>, _ count: Int, negative: Bool, _ value: inout Int64
) -> CellFlaw {
  var sum: Int64 = 0, over = false
  for at in 0..<count {
    let digit = digits[at] &- 48
    if digit > 9 { return .notOfType }
    let (tens, over1) = sum.multipliedReportingOverflow(by: 10)
    let (next, over2) = negative ? tens.subtractingReportingOverflow(Int64(digit)) : tens.addingReportingOverflow(Int64(digit))
    over = over || over1 || over2
    sum = next
  }
  if over { return .outOfRange }
  value = sum
  return .none
}

@inline(__always) func parseInt32(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int32) -> CellFlaw {
  var wide: Int64 = 0
  let flaw = parseInteger(text, count, &wide)
  if flaw != .none { return flaw }
  value = Int32(truncatingIfNeeded: wide)
  return Int64(value) == wide ? .none : .outOfRange
}

/// What a decimal type asks of a text: 6.95 at scale 3 is 6950. Zeros beyond the scale are allowed, other digits are not.
struct DecimalParser {
  let scale: Int
  let limit: UInt64  // 10^precision
  let point: UInt8
  private let powers: [UInt64]

  init(precision: Int, scale: Int, point: UInt8) {
    var powers: [UInt64] = [1]
    for _ in 0..<18 { powers.append(powers[powers.count - 1] * 10) }
    self.powers = powers
    self.scale = scale
    self.point = point
    limit = powers[precision]
  }

  @inline(__always) func parse(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> CellFlaw {
    var at = 0, sum: UInt64 = 0, digits = 0, fraction = 0
    let negative = text[0] == UInt8(ascii: "-")
    if negative || text[0] == UInt8(ascii: "+") { at = 1 }
    let limit = limit, scale = scale
    while at < count {
      let digit = text[at] &- 48
      if digit > 9 { break }
      // Below 10^18 before, so below 2^64 behind.
      sum = sum &* 10 &+ UInt64(digit)
      if sum >= 1_000_000_000_000_000_000 { return restIsNumber(text, at, count) ? .outOfRange : .notOfType }
      digits &+= 1
      at &+= 1
    }
    if at < count, text[at] == point {
      at &+= 1
      while at < count {
        let digit = text[at] &- 48
        if digit > 9 { return .notOfType }
        digits &+= 1
        if fraction < scale {
          sum = sum &* 10 &+ UInt64(digit)
          if sum >= 1_000_000_000_000_000_000 { return restIsNumber(text, at, count) ? .outOfRange : .notOfType }
          fraction &+= 1
        } else if digit != 0 {
          return restIsNumber(text, at, count) ? .tooManyDigits : .notOfType
        }
        at &+= 1
      }
    }
    guard at == count, digits > 0 else { return .notOfType }
    if fraction < scale {
      let (scaled, over) = sum.multipliedReportingOverflow(by: powers[scale &- fraction])
      if over { return .outOfRange }
      sum = scaled
    }
    if sum >= limit { return .outOfRange }
    value = negative ? 0 &- Int64(bitPattern: sum) : Int64(bitPattern: sum)
    return .none
  }

  @inline(never) private func restIsNumber(_ text: UnsafePointer<UInt8>, _ from: Int, _ count: Int) -> Bool {
    var points = 0
    for at in 0..<count where at > 0 || text[0] != UInt8(ascii: "-") && text[0] != UInt8(ascii: "+") {
      if text[at] == point { points += 1 } else if text[at] &- 48 > 9 { return false }
    }
    return points <= 1
  }
}

/// Powers of ten that a Double holds exactly.
let exactPowers: [Double] = (0...22).map { exponent in (0..<exponent).reduce(1.0) { power, _ in power * 10 } }

/// A decimal number, correctly rounded: digits, point, exponent; no hexadecimal, no infinity, no NaN.
struct FloatParser {
  let point: UInt8
  private let powers = exactPowers

  init(point: UInt8) { self.point = point }

  @inline(__always) func parse(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Double) -> CellFlaw {
    var at = 0, sum: UInt64 = 0, digits = 0, fraction = 0
    let negative = text[0] == UInt8(ascii: "-")
    if negative || text[0] == UInt8(ascii: "+") { at = 1 }
    while at < count {
      let digit = text[at] &- 48
      if digit > 9 { break }
      sum = sum &* 10 &+ UInt64(digit)
      digits &+= 1
      at &+= 1
    }
    if at < count, text[at] == point {
      at &+= 1
      while at < count {
        let digit = text[at] &- 48
        if digit > 9 { break }
        sum = sum &* 10 &+ UInt64(digit)
        digits &+= 1
        fraction &+= 1
        at &+= 1
      }
    }
    guard digits > 0 else { return .notOfType }
    // Up to 15 digits and a power of ten up to 22: both exact, so one rounding (Clinger 1990).
    if at == count, digits <= 15, fraction <= 22 {
      let magnitude = powers.withUnsafeBufferPointer { Double(sum) / $0[fraction] }
      value = negative ? -magnitude : magnitude
      return .none
    }
    return parseSlowly(text, count, from: at, &value)
  }

  @inline(never) private func parseSlowly(_ text: UnsafePointer<UInt8>, _ count: Int, from: Int, _ value: inout Double) -> CellFlaw {
    var at = from
    if at < count {
      guard text[at] | 0x20 == UInt8(ascii: "e") else { return .notOfType }
      at += 1
      if at < count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") { at += 1 }
      guard at < count else { return .notOfType }
      while at < count {
        if text[at] &- 48 > 9 { return .notOfType }
        at += 1
      }
    }
    var copy = Array(UnsafeBufferPointer(start: text, count: count))
    if let comma = copy.firstIndex(of: point) { copy[comma] = UInt8(ascii: ".") }
    guard let parsed = Double(String(decoding: copy, as: UTF8.self)) else { return .notOfType }
    if !parsed.isFinite { return .outOfRange }
    value = parsed
    return .none
  }
}

private let truths: [(String, Bool)] = [
  ("true", true), ("false", false), ("t", true), ("f", false), ("yes", true), ("no", false), ("y", true), ("n", false), ("1", true),
  ("0", false),
]

/// true, false, t, f, yes, no, y, n, 1, 0 in any case.
@inline(never) func parseBool(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout UInt8) -> CellFlaw {
  for (word, truth) in truths where word.utf8.count == count {
    if zip(UnsafeBufferPointer(start: text, count: count), word.utf8).allSatisfy({ ($0 >= 64 ? $0 | 0x20 : $0) == $1 }) {
      value = truth ? 1 : 0
      return .none
    }
  }
  return .notOfType
}
