import Columns

/// What a number format makes of a number: only whether it is a time matters here.
enum CellFormat: UInt8 {
  case number, date, dateTime, time
  /// Hours, minutes or seconds counted beyond a day: `[h]:mm`.
  case elapsed

  /// Formats without a text of their own (ECMA-376 part 1, 18.8.30, with those that only East Asian versions have).
  init(builtin id: Int) {
    switch id {
    case 14...17, 27...31, 34...36, 50...54, 57...58: self = .date
    case 22: self = .dateTime
    case 18...21, 32...33, 45, 47, 55...56: self = .time
    case 46: self = .elapsed
    default: self = .number
    }
  }

  /// By its text, of which the first section counts: letters of dates and times outside of quotes, escapes and brackets.
  init(code: String) {
    let bytes = Array(code.utf8)
    var at = 0, days = false, hours = false, minutes = false, general = false
    scan: while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: ";"): break scan
      case UInt8(ascii: "\\"), UInt8(ascii: "_"), UInt8(ascii: "*"): at += 1
      case UInt8(ascii: "\""):
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += 1 }
      case UInt8(ascii: "["):
        let start = at + 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "]") { at += 1 }
        let inside = bytes[min(start, at)..<at].map { $0 | 0x20 }
        if let first = inside.first, "hms".utf8.contains(first), inside.allSatisfy({ $0 == first }) {
          self = .elapsed
          return
        }
      case UInt8(ascii: "y"), UInt8(ascii: "Y"), UInt8(ascii: "d"), UInt8(ascii: "D"), UInt8(ascii: "b"), UInt8(ascii: "B"): days = true
      case UInt8(ascii: "h"), UInt8(ascii: "H"), UInt8(ascii: "s"), UInt8(ascii: "S"): hours = true
      case UInt8(ascii: "m"), UInt8(ascii: "M"): minutes = true
      case UInt8(ascii: "G"), UInt8(ascii: "g"):
        // "General", in which no letter counts; a lone g is an era.
        if String(decoding: bytes[at...].prefix(7), as: UTF8.self).lowercased() == "general" {
          general = true
          at += 6
        }
      case UInt8(ascii: "0"), UInt8(ascii: "#"), UInt8(ascii: "?"):
        // Digits stand in times only behind the point of seconds.
        if !hours { general = true }
      default: break
      }
      at += 1
    }
    if general, !days, !hours { self = .number }
    else if days { self = hours ? .dateTime : .date }
    else if hours { self = .time }
    else if minutes { self = .date }
    else { self = .number }
  }
}

/// Days since the last day of 1899 (or the first of 1904) as the text of a day or a time.
struct SerialTime {
  let is1904: Bool
  /// The last day a workbook can hold: 9999-12-31.
  private static let last = 2_958_466.0
  private static let millisADay = 86_400_000

  /// nil: no time that a workbook can hold, so it stays a number.
  func cell(_ serial: Double, _ format: CellFormat) -> (kind: CellKind, text: String)? {
    guard serial >= 0, serial < Self.last else { return nil }
    let millis = Int((serial * Double(Self.millisADay)).rounded())
    let day = millis / Self.millisADay, rest = millis % Self.millisADay
    if format == .elapsed { return (.text, "\(millis / 3_600_000):\(two(rest / 60_000 % 60)):\(seconds(rest))") }
    if format == .time, day == 0 { return (.text, time(rest)) }
    let date: String
    if is1904 {
      date = civil(day - 24_107)  // 1904-01-01 is day 0
    } else if day == 60 {
      date = "1900-02-29"  // a day that spreadsheets have and no calendar has
    } else {
      date = civil(day - (day < 60 ? 25_568 : 25_569))  // 1900-01-01 is day 1
    }
    if format == .date, rest == 0 { return (day == 60 && !is1904 ? .text : .date, date) }
    return (day == 60 && !is1904 ? .text : .timestamp, "\(date) \(time(rest))")
  }

  private func civil(_ days: Int) -> String { CivilDate(days: days).description }
  private func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  private func time(_ millis: Int) -> String { "\(two(millis / 3_600_000)):\(two(millis / 60_000 % 60)):\(seconds(millis))" }

  private func seconds(_ millis: Int) -> String {
    let whole = two(millis / 1000 % 60), fraction = millis % 1000
    return fraction == 0 ? whole : whole + "." + String(String(1000 + fraction).dropFirst())
  }
}
