import Columns

/// What the cells of a column showed so far: gives the narrowest type that holds them all without loss.
struct ColumnEvidence {
  private var seen: Set<CellKind> = []
  private var wholeDigits = 1, fractionDigits = 0
  private var isWhole = true, isPlain = true
  private var time = TimeParser()
  /// Numbers with more digits behind the point are taken as floating point.
  private let fractionLimit: Int
  /// Texts that read as days or times are taken as such: for sources that have no type for them.
  private let readsTimes: Bool

  init(fractionLimit: Int, readsTimes: Bool) {
    self.fractionLimit = fractionLimit
    self.readsTimes = readsTimes
  }

  mutating func see(_ kind: CellKind, _ text: UnsafeBufferPointer<UInt8>) {
    switch kind {
    case .number: see(number: text)
    case .text where readsTimes && !seen.contains(.text): seen.insert(timeKind(text))
    case .nested: seen.insert(.text)
    default: seen.insert(kind)
    }
  }

  private mutating func timeKind(_ text: UnsafeBufferPointer<UInt8>) -> CellKind {
    guard let base = text.baseAddress else { return .text }
    var days: Int32 = 0, micros: Int64 = 0
    if time.parseDate(base, text.count, &days) == .none { return .date }
    return text.count >= 19 && time.parseTimestamp(base, text.count, &micros) == .none ? .timestamp : .text
  }

  private mutating func see(number text: UnsafeBufferPointer<UInt8>) {
    seen.insert(.number)
    var at = text.first == UInt8(ascii: "-") ? 1 : 0
    let start = at
    while at < text.count, text[at] &- 48 <= 9 { at += 1 }
    wholeDigits = max(wholeDigits, at - start)
    if at == text.count {
      if wholeDigits > 18 {
        var value: Int64 = 0
        if let base = text.baseAddress, parseInteger(base, text.count, &value) != .none { isWhole = false }
      }
      return
    }
    isWhole = false
    guard text[at] == UInt8(ascii: ".") else {
      isPlain = false
      return
    }
    let point = at
    at += 1
    while at < text.count, text[at] &- 48 <= 9 { at += 1 }
    fractionDigits = max(fractionDigits, at - point - 1)
    if at < text.count { isPlain = false }
  }

  var type: ColumnType {
    switch seen {
    case [.number]:
      if isWhole { return .int64 }
      if isPlain, fractionDigits <= fractionLimit, wholeDigits + fractionDigits <= ColumnType.widestDecimal {
        return fractionDigits == 0 ? .string : .decimal(precision: wholeDigits + fractionDigits, scale: fractionDigits)
      }
      return fractionDigits == 0 && isPlain ? .string : .float64
    case [.bool]: return .bool
    case [.date]: return .date
    case [.timestamp], [.date, .timestamp]: return .timestamp()
    default: return .string
    }
  }
}
