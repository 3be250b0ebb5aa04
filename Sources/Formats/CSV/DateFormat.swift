import Columns

/// A date's or timestamp's written form, as `%d/%m/%Y %H:%M` (strptime) or `dd/MM/yyyy HH:mm` (Unicode patterns).
///
/// A number next to another number needs all its digits (`%Y%m%d`: 4, 2, 2); elsewhere `%d`, `%m`, `%H`, `d`, `M`, `H` take one
/// or two. Two-digit years: 69…99 are 1969…1999, 00…68 are 2000…2068 (POSIX).
struct DateFormat: Sendable {
  private enum Element: Equatable {
    case year, shortYear, month, monthName, day, hour, hour12, minute, second, fraction, halfDay
    case literal(UInt8)

    var isNumber: Bool {
      switch self {
      case .monthName, .halfDay, .literal: false
      default: true
      }
    }
  }

  private let elements: [(element: Element, fewest: Int, most: Int)]

  struct Refusal: Error {
    var message: String
    var expected: String?
  }

  static func parse(_ text: String, withTime: Bool) -> Result<DateFormat, Refusal> {
    var elements: [(Element, Int)] = []
    if let refusal = text.utf8.contains(UInt8(ascii: "%")) ? percents(text, &elements) : letters(text, &elements) {
      return .failure(refusal)
    }
    func has(_ element: Element) -> Bool { elements.contains { $0.0 == element } }
    guard has(.year) || has(.shortYear), has(.month) || has(.monthName), has(.day) else {
      return .failure(Refusal(message: "a format needs year, month and day", expected: "something like %Y-%m-%d or yyyy-MM-dd"))
    }
    if !withTime, elements.contains(where: { [.hour, .hour12, .minute, .second, .fraction, .halfDay].contains($0.0) }) {
      return .failure(Refusal(message: "the format of a date has no time", expected: "a column of type timestamp for a time"))
    }
    if has(.hour12) != has(.halfDay) {
      return .failure(Refusal(message: "hours of half a day need AM or PM, and these need such hours", expected: "%I with %p, or h with a"))
    }
    return .success(DateFormat(elements: elements.enumerated().map { at, item in
      let (element, written) = item
      guard element.isNumber else { return (element, 0, 0) }
      if element == .year { return (element, 4, 4) }
      if element == .fraction { return (element, 1, 6) }
      if element == .shortYear || written == 2 { return (element, 2, 2) }
      let crowded = at > 0 && elements[at - 1].0.isNumber || at + 1 < elements.count && elements[at + 1].0.isNumber
      return (element, crowded ? 2 : 1, 2)
    }))
  }

  private static func percents(_ text: String, _ elements: inout [(Element, Int)]) -> Refusal? {
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        elements.append((.literal(byte), 0))
        continue
      }
      let letter = bytes.popFirst() ?? 0
      switch Character(Unicode.Scalar(letter)) {
      case "Y": elements.append((.year, 4))
      case "y": elements.append((.shortYear, 2))
      case "m": elements.append((.month, 0))
      case "b", "B", "h": elements.append((.monthName, 0))
      case "d", "e": elements.append((.day, 0))
      case "H": elements.append((.hour, 0))
      case "I": elements.append((.hour12, 0))
      case "M": elements.append((.minute, 0))
      case "S": elements.append((.second, 0))
      case "f": elements.append((.fraction, 0))
      case "p": elements.append((.halfDay, 0))
      case "%": elements.append((.literal(letter), 0))
      case "T":
        elements += [(.hour, 2), (.literal(58), 0), (.minute, 2), (.literal(58), 0), (.second, 2)]
      case "F":
        elements += [(.year, 4), (.literal(45), 0), (.month, 2), (.literal(45), 0), (.day, 2)]
      default: return Refusal(message: "unknown part %\(Character(Unicode.Scalar(letter))) in a format", expected: "one of %Y %y %m %b %d %H %I %M %S %f %p %T %F")
      }
    }
    return nil
  }

  private static func letters(_ text: String, _ elements: inout [(Element, Int)]) -> Refusal? {
    var rest = text[...]
    while let first = rest.first {
      let run = rest.prefix { $0 == first }
      rest = rest.dropFirst(run.count)
      switch first {
      case "y": elements.append((run.count == 2 ? .shortYear : .year, run.count))
      case "M": elements.append((run.count > 2 ? .monthName : .month, run.count))
      case "d": elements.append((.day, run.count))
      case "H": elements.append((.hour, run.count))
      case "h": elements.append((.hour12, run.count))
      case "m": elements.append((.minute, run.count))
      case "s": elements.append((.second, run.count))
      case "S": elements.append((.fraction, run.count))
      case "a": elements.append((.halfDay, run.count))
      case "'":
        let quoted = rest.prefix { $0 != "'" }
        rest = rest.dropFirst(quoted.count + 1)
        elements += quoted.utf8.map { (.literal($0), 0) }
      case _ where first.isASCII && first.isLetter:
        return Refusal(message: "unknown letter \(first) in a format", expected: "letters of yyyy-MM-dd HH:mm:ss, others in '…'")
      default: elements += String(run).utf8.map { (.literal($0), 0) }
      }
    }
    return nil
  }

  private init(elements: [(Element, Int, Int)]) { self.elements = elements.map { (element: $0.0, fewest: $0.1, most: $0.2) } }

  /// Days and microseconds of the day; nil when the text is written otherwise or is no such day or time.
  func read(_ text: UnsafeBufferPointer<UInt8>) -> (days: Int, micros: Int64)? {
    var at = 0
    var year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, micros = 0
    var afternoon: Bool?
    for (element, fewest, most) in elements {
      switch element {
      case .literal(let byte):
        guard at < text.count, text[at] == byte else { return nil }
        at += 1
      case .monthName:
        guard let found = Self.monthName(text, &at) else { return nil }
        month = found
      case .halfDay:
        guard at + 1 < text.count, text[at + 1] | 0x20 == UInt8(ascii: "m") else { return nil }
        switch text[at] | 0x20 {
        case UInt8(ascii: "a"): afternoon = false
        case UInt8(ascii: "p"): afternoon = true
        default: return nil
        }
        at += 2
      default:
        var value = 0, digits = 0
        while digits < most, at < text.count, text[at] &- 48 <= 9 {
          value = value * 10 + Int(text[at] &- 48)
          digits += 1
          at += 1
        }
        guard digits >= fewest else { return nil }
        switch element {
        case .year: year = value
        case .shortYear: year = value + (value < 69 ? 2000 : 1900)
        case .month: month = value
        case .day: day = value
        case .hour: hour = value
        case .hour12:
          guard (1...12).contains(value) else { return nil }
          hour = value % 12
        case .minute: minute = value
        case .second: second = value
        case .fraction:
          micros = value
          for _ in digits..<6 { micros *= 10 }
        case .monthName, .halfDay, .literal: break
        }
      }
    }
    if afternoon == true { hour += 12 }
    guard at == text.count, year >= 1, (1...12).contains(month), day >= 1, day <= CivilDate.daysInMonth(month, of: year), hour < 24,
      minute < 60, second < 60
    else { return nil }
    return (
      CivilDate(year: year, month: month, day: day).days,
      Int64(hour * 3600 + minute * 60 + second) * 1_000_000 + Int64(micros)
    )
  }

  private static let monthNames = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
  ].map { Array($0.utf8) }

  /// English, whole or its first three letters, in any case.
  private static func monthName(_ text: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Int? {
    func has(_ name: some Collection<UInt8>) -> Bool {
      at + name.count <= text.count && zip(text[at...], name).allSatisfy { $0 | 0x20 == $1 }
    }
    for (month, name) in monthNames.enumerated() {
      if has(name) {
        at += name.count
        return month + 1
      }
    }
    for (month, name) in monthNames.enumerated() where has(name.prefix(3)) {
      at += 3
      return month + 1
    }
    return nil
  }
}
