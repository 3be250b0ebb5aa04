import Columns

/// Reads cells of one type. `fast` takes what most cells look like and says false to anything else, which then goes to
/// `slow`; where both accept a text they agree.
protocol CellReader {
  associatedtype Cell: BitwiseCopyable
  static var zero: Cell { get }
  /// `count` is at least 1.
  mutating func fast(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Cell) -> Bool
  mutating func slow(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Cell) -> CellFlaw
}

/// Up to 16 digits, which no Int64 overflows, with or without a minus.
@inline(__always) private func fastInteger(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> Bool {
  var text = text, count = count
  let negative = text[0] == UInt8(ascii: "-")
  if negative { (text, count) = (text + 1, count &- 1) }
  if UInt(bitPattern: count &- 1) < 8 {
    let digits = Words.tail(text, count)
    if !Words.areDigits(digits) { return false }
    let number = Int64(bitPattern: Words.number(digits))
    value = negative ? 0 &- number : number
    return true
  }
  if UInt(bitPattern: count &- 9) >= 8 { return false }
  let front = Words.tail(text, count &- 8), back = Words.tail(text + (count &- 8), 8)
  if !Words.areDigits(front) || !Words.areDigits(back) { return false }
  let number = Int64(bitPattern: Words.number(front) &* 100_000_000 &+ Words.number(back))
  value = negative ? 0 &- number : number
  return true
}

struct Int64Cells: CellReader {
  static var zero: Int64 { 0 }
  @inline(__always) func fast(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> Bool { fastInteger(text, count, &value) }
  func slow(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> CellFlaw { parseInteger(text, count, &value) }
}

/// Up to eight digits fit whatever they are.
struct Int32Cells: CellReader {
  static var zero: Int32 { 0 }

  @inline(__always) func fast(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int32) -> Bool {
    var text = text, count = count
    let negative = text[0] == UInt8(ascii: "-")
    if negative { (text, count) = (text + 1, count &- 1) }
    if UInt(bitPattern: count &- 1) >= 8 { return false }
    let digits = Words.tail(text, count)
    if !Words.areDigits(digits) { return false }
    let number = Int32(truncatingIfNeeded: Words.number(digits))
    value = negative ? 0 &- number : number
    return true
  }

  func slow(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int32) -> CellFlaw { parseInt32(text, count, &value) }
}

/// Up to eight characters, digits and one point.
@inline(__always) private func fastDigits(
  _ text: UnsafePointer<UInt8>, _ count: Int, point: UInt64, _ number: inout UInt64, _ fraction: inout Int, _ negative: inout Bool
) -> Bool {
  var text = text, count = count
  negative = text[0] == UInt8(ascii: "-")
  if negative { (text, count) = (text + 1, count &- 1) }
  if UInt(bitPattern: count &- 1) >= 8 { return false }
  let word = Words.tail(text, count)
  let (digits, behind) = Words.withoutPoint(word, point)
  // A point alone is no number; "5." and ".5" are.
  if !Words.areDigits(digits) || count == 1 && digits != word { return false }
  number = Words.number(digits)
  fraction = behind
  return true
}

struct DecimalCells: CellReader {
  static var zero: Int64 { 0 }
  private let parser: DecimalParser
  private let point: UInt64
  private let limit: UInt64
  /// For 0...7 digits behind the point.
  private let factors: UnsafePointer<UInt64>

  /// `factors`: room for eight numbers, which has to live as long as this.
  init(precision: Int, scale: Int, point: UInt8, factors: UnsafeMutablePointer<UInt64>) {
    parser = DecimalParser(precision: precision, scale: scale, point: point)
    self.point = UInt64(point ^ 0x30)
    limit = parser.limit
    for fraction in 0..<8 {
      // 10^missing; 0, which nothing is, where digits are too many or eight of them and eleven zeros may not fit.
      let missing = scale - fraction
      factors[fraction] = missing < 0 || missing > 11 ? 0 : (0..<missing).reduce(1) { power, _ in power * 10 }
    }
    self.factors = UnsafePointer(factors)
  }

  @inline(__always) func fast(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> Bool {
    var number: UInt64 = 0, fraction = 0, negative = false
    if !fastDigits(text, count, point: point, &number, &fraction, &negative) { return false }
    let factor = factors[fraction]
    let scaled = number &* factor
    if factor == 0 || scaled >= limit { return false }
    value = negative ? 0 &- Int64(bitPattern: scaled) : Int64(bitPattern: scaled)
    return true
  }

  func slow(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> CellFlaw { parser.parse(text, count, &value) }
}

struct FloatCells: CellReader {
  static var zero: Double { 0 }
  private let parser: FloatParser
  private let point: UInt64
  /// 10^0...10^7.
  private let powers: UnsafePointer<Double>

  init(point: UInt8, powers: UnsafePointer<Double>) {
    parser = FloatParser(point: point)
    self.point = UInt64(point ^ 0x30)
    self.powers = powers
  }

  @inline(__always) func fast(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Double) -> Bool {
    var number: UInt64 = 0, fraction = 0, negative = false
    if !fastDigits(text, count, point: point, &number, &fraction, &negative) { return false }
    // Both are whole numbers that a Double holds, so the division rounds once.
    let magnitude = Double(Int64(bitPattern: number)) / powers[fraction]
    value = negative ? -magnitude : magnitude
    return true
  }

  func slow(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Double) -> CellFlaw { parser.parse(text, count, &value) }
}

/// Days as `yyyy-MM-dd`; other formats are always read slowly.
struct DateCells: CellReader {
  static var zero: Int32 { 0 }
  private var parser: TimeParser
  private let isISO: Bool

  init(format: DateFormat?) {
    parser = TimeParser(format: format)
    isISO = format == nil
  }

  @inline(__always) mutating func fast(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int32) -> Bool {
    var days = 0
    guard isISO, count == 10, parser.day(text, &days) else { return false }
    value = Int32(truncatingIfNeeded: days)
    return true
  }

  mutating func slow(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int32) -> CellFlaw { parser.parseDate(text, count, &value) }
}

/// Wall-clock times as `yyyy-MM-dd HH:mm:ss`, or with a T; anything else is read slowly.
struct TimestampCells: CellReader {
  static var zero: Int64 { 0 }
  private var parser: TimeParser
  private let isWallClock: Bool

  init(zone: String?, format: DateFormat?) {
    parser = TimeParser(zone: zone, format: format)
    isWallClock = zone == nil && format == nil
  }

  @inline(__always) mutating func fast(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> Bool {
    var days = 0
    guard isWallClock, count == 19, text[10] == 32 || text[10] == UInt8(ascii: "T"), parser.day(text, &days) else { return false }
    // "HH:mm:ss": digits at 0, 1, 3, 4, 6, 7 and colons at 2 and 5.
    let word = UnsafeRawPointer(text).loadUnaligned(fromByteOffset: 11, as: UInt64.self) ^ 0x3030_3A30_303A_3030
    if ((word &+ 0x7676_7F76_767F_7676) | word) & 0x8080_8080_8080_8080 != 0 { return false }
    let pairs = word &* 10 &+ (word &>> 8)
    let hour = pairs & 0xFF, minute = (pairs &>> 24) & 0xFF, second = (pairs &>> 48) & 0xFF
    if hour > 23 || minute > 59 || second > 59 { return false }
    value = Int64(days) &* 86_400_000_000 &+ Int64(bitPattern: hour &* 3600 &+ minute &* 60 &+ second) &* 1_000_000
    return true
  }

  mutating func slow(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> CellFlaw {
    parser.parseTimestamp(text, count, &value)
  }
}

struct BoolCells: CellReader {
  static var zero: UInt8 { 0 }

  /// The digits; words are read slowly.
  @inline(__always) func fast(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout UInt8) -> Bool {
    let digit = text[0] &- 48
    if count != 1 || digit > 1 { return false }
    value = digit
    return true
  }

  func slow(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout UInt8) -> CellFlaw { parseBool(text, count, &value) }
}
