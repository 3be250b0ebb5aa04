import Columns

/// ISO 8601 days and times: `yyyy-MM-dd`, then a blank or T, `HH:mm`, `:ss`, `.ffffff`, and an offset where the column wants one.
struct TimeParser {
  /// The zone of the column; nil: wall-clock time, which has no offset.
  let zone: String?
  let format: DateFormat?
  private let isUTC: Bool
  // Files are mostly in order of time: the day read last is the next one, too. To begin with, "1970-01-01".
  private var lastLow: UInt64 = 0x2D31_302D_3037_3931, lastHigh: UInt16 = 0x3130, lastDays = 0

  init(zone: String? = nil, format: DateFormat? = nil) {
    self.zone = zone
    self.format = format
    isUTC = zone.map { ["UTC", "Etc/UTC", "Z", "+00:00", "GMT"].contains($0) } ?? false
  }

  @inline(__always) mutating func day(_ text: UnsafePointer<UInt8>, _ days: inout Int) -> Bool {
    let low = UnsafeRawPointer(text).loadUnaligned(as: UInt64.self)
    let high = UnsafeRawPointer(text).loadUnaligned(fromByteOffset: 8, as: UInt16.self)
    if low == lastLow, high == lastHigh {
      days = lastDays
      return true
    }
    guard Self.readDay(text, &days) else { return false }
    (lastLow, lastHigh, lastDays) = (low, high, days)
    return true
  }

  @inline(never) private static func readDay(_ text: UnsafePointer<UInt8>, _ days: inout Int) -> Bool {
    var bad = text[4] != UInt8(ascii: "-") || text[7] != UInt8(ascii: "-")
    for at in [0, 1, 2, 3, 5, 6, 8, 9] where text[at] &- 48 > 9 { bad = true }
    if bad { return false }
    func two(_ at: Int) -> Int { Int(text[at] - 48) * 10 + Int(text[at + 1] - 48) }
    let year = two(0) * 100 + two(2), month = two(5), day = two(8)
    guard year >= 1, (1...12).contains(month), day >= 1, day <= CivilDate.daysInMonth(month, of: year) else { return false }
    days = CivilDate(year: year, month: month, day: day).days
    return true
  }

  @inline(__always) mutating func parseDate(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int32) -> CellFlaw {
    if let format {
      guard let read = format.read(UnsafeBufferPointer(start: text, count: count)) else { return .notOfType }
      value = Int32(truncatingIfNeeded: read.days)
      return .none
    }
    var days = 0
    guard count == 10, day(text, &days) else { return .notOfType }
    value = Int32(truncatingIfNeeded: days)
    return .none
  }

  @inline(__always) mutating func parseTimestamp(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> CellFlaw {
    if format == nil, zone == nil, count == 19 {
      var days = 0
      guard day(text, &days), text[10] == 32 || text[10] == UInt8(ascii: "T"), text[13] == 58, text[16] == 58 else { return .notOfType }
      let h1 = text[11] &- 48, h2 = text[12] &- 48, m1 = text[14] &- 48, m2 = text[15] &- 48, s1 = text[17] &- 48, s2 = text[18] &- 48
      let hour = Int(h1) &* 10 &+ Int(h2), minute = Int(m1) &* 10 &+ Int(m2), second = Int(s1) &* 10 &+ Int(s2)
      if h1 > 2 || h2 > 9 || m1 > 5 || m2 > 9 || s1 > 5 || s2 > 9 || hour > 23 { return .notOfType }
      value = Int64(days) &* 86_400_000_000 &+ Int64(hour &* 3600 &+ minute &* 60 &+ second) &* 1_000_000
      return .none
    }
    return parseOther(text, count, &value)
  }

  @inline(never) private mutating func parseOther(_ text: UnsafePointer<UInt8>, _ count: Int, _ value: inout Int64) -> CellFlaw {
    if let format {
      guard zone == nil || isUTC, let read = format.read(UnsafeBufferPointer(start: text, count: count)) else { return .notOfType }
      value = Int64(read.days) * 86_400_000_000 + read.micros
      return .none
    }
    var days = 0
    guard count >= 10, day(text, &days) else { return .notOfType }
    var at = 10, micros: Int64 = 0
    func two(_ below: Int) -> Int? {
      guard at + 1 < count, text[at] &- 48 <= 9, text[at + 1] &- 48 <= 9 else { return nil }
      let number = Int(text[at] - 48) * 10 + Int(text[at + 1] - 48)
      return number < below ? number : nil
    }
    if at < count, text[at] == 32 || text[at] == UInt8(ascii: "T") {
      at += 1
      guard let hour = two(24) else { return .notOfType }
      at += 2
      guard at < count, text[at] == 58 else { return .notOfType }
      at += 1
      guard let minute = two(60) else { return .notOfType }
      at += 2
      var second = 0
      if at < count, text[at] == 58 {
        at += 1
        guard let found = two(60) else { return .notOfType }
        second = found
        at += 2
        if at < count, text[at] == UInt8(ascii: ".") {
          at += 1
          var unit: Int64 = 100_000, digits = 0
          while at < count, text[at] &- 48 <= 9 {
            let digit = Int64(text[at] - 48)
            if unit == 0, digit != 0 { return .tooManyDigits }
            micros += digit * unit
            unit /= 10
            digits += 1
            at += 1
          }
          if digits == 0 { return .notOfType }
        }
      }
      micros += Int64(hour * 3600 + minute * 60 + second) * 1_000_000
    }
    var offsetMinutes: Int?
    if at > 10, at < count {
      if text[at] == UInt8(ascii: "Z") {
        offsetMinutes = 0
        at += 1
      } else if text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") {
        let sign = text[at] == UInt8(ascii: "-") ? -1 : 1
        at += 1
        guard let hours = two(24) else { return .notOfType }
        at += 2
        if at < count, text[at] == 58 { at += 1 }
        var minutes = 0
        if at < count {
          guard let found = two(60) else { return .notOfType }
          minutes = found
          at += 2
        }
        offsetMinutes = sign * (hours * 60 + minutes)
      }
    }
    // An offset says an instant; wall-clock time has none, and a zone's own times need one unless the zone is UTC.
    guard at == count, (offsetMinutes != nil) == (zone != nil) || isUTC else { return .notOfType }
    value = Int64(days) * 86_400_000_000 + micros - Int64(offsetMinutes ?? 0) * 60_000_000
    return .none
  }
}
