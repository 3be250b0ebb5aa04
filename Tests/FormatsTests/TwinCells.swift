import Columns

@testable import Formats

/// What a text is as a cell of a type, by regular expressions and the standard library: slow, and clear to see.
enum TwinCells {
  enum Verdict: Equatable {
    case value(Value)
    case flaw(CellFlaw)
  }

  static func read(_ text: String, _ type: ColumnType) -> Verdict {
    switch type {
    case .string: .value(.string(text))
    case .int32: integer(text, Int64(Int32.min)...Int64(Int32.max))
    case .int64: integer(text, Int64.min...Int64.max)
    case .decimal(let precision, let scale): decimal(text, precision, scale)
    case .float64: float(text)
    case .bool: bool(text)
    case .date: day(text).map { .value(.date(Int32($0))) } ?? .flaw(.notOfType)
    case .timestamp: timestamp(text)
    }
  }

  private static func has(_ text: some StringProtocol, _ regex: Regex<Substring>) -> Bool { String(text).wholeMatch(of: regex) != nil }

  private static func regex(_ pattern: String) -> Regex<Substring> {
    try! Regex(pattern, as: Substring.self).matchingSemantics(.unicodeScalar)
  }

  // Regular expressions are compiled once; Regex is not Sendable, and these are only read.
  private nonisolated(unsafe) static let integers = regex("[+-]?[0-9]+")
  private nonisolated(unsafe) static let decimals = regex("[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)")
  private nonisolated(unsafe) static let floats = regex("[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
  private nonisolated(unsafe) static let days = regex("[0-9]{4}-[0-9]{2}-[0-9]{2}")
  private nonisolated(unsafe) static let times = regex("[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]+)?)?")
  private nonisolated(unsafe) static let tooFine = regex("[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}[0-9]*[1-9]")

  private static func integer(_ text: String, _ range: ClosedRange<Int64>) -> Verdict {
    guard has(text, integers) else { return .flaw(.notOfType) }
    guard let value = Int64(text), range.contains(value) else { return .flaw(.outOfRange) }
    return .value(.int(value))
  }

  private static func decimal(_ text: String, _ precision: Int, _ scale: Int) -> Verdict {
    guard has(text, decimals) else { return .flaw(.notOfType) }
    let unsigned = text.drop { $0 == "-" || $0 == "+" }
    let parts = unsigned.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = parts.count > 1 ? parts[1] : ""
    let used = String((parts[0] + fraction.prefix(scale)).drop { $0 == "0" })
    if used.count > 18 { return .flaw(.outOfRange) }
    if fraction.dropFirst(scale).contains(where: { $0 != "0" }) { return .flaw(.tooManyDigits) }
    let digits = used.isEmpty ? "" : used + String(repeating: "0", count: max(0, scale - fraction.count))
    if digits.count > precision { return .flaw(.outOfRange) }
    let value = digits.isEmpty ? 0 : Int64(digits)!
    return .value(.decimal(unscaled: text.hasPrefix("-") ? -value : value, scale: scale))
  }

  private static func float(_ text: String) -> Verdict {
    guard has(text, floats) else { return .flaw(.notOfType) }
    let value = Double(text)!
    return value.isFinite ? .value(.float(value)) : .flaw(.outOfRange)
  }

  private static func bool(_ text: String) -> Verdict {
    if ["true", "t", "yes", "y", "1"].contains(text.lowercased()) { return .value(.bool(true)) }
    if ["false", "f", "no", "n", "0"].contains(text.lowercased()) { return .value(.bool(false)) }
    return .flaw(.notOfType)
  }

  /// Days since 1970-01-01, counted year by year and month by month.
  private static func day(_ text: some StringProtocol) -> Int? {
    guard has(text, days) else { return nil }
    let parts = text.split(separator: "-").map { Int($0)! }
    func isLeap(_ year: Int) -> Bool { year % 4 == 0 && year % 100 != 0 || year % 400 == 0 }
    func length(_ month: Int) -> Int { [31, isLeap(parts[0]) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] }
    guard parts[0] >= 1, (1...12).contains(parts[1]), parts[2] >= 1, parts[2] <= length(parts[1]) else { return nil }
    var days = parts[2] - 1
    for month in 1..<parts[1] { days += length(month) }
    if parts[0] >= 1970 {
      for year in 1970..<parts[0] { days += isLeap(year) ? 366 : 365 }
    } else {
      for year in parts[0]..<1970 { days -= isLeap(year) ? 366 : 365 }
    }
    return days
  }

  /// Without a zone.
  private static func timestamp(_ text: String) -> Verdict {
    guard let date = day(text.prefix(10)) else { return .flaw(.notOfType) }
    let midnight = Int64(date) * 86_400_000_000
    let time = text.dropFirst(10)
    if time.isEmpty { return .value(.timestamp(midnight)) }
    if String(time).prefixMatch(of: tooFine) != nil { return .flaw(.tooManyDigits) }
    guard has(time, times) else { return .flaw(.notOfType) }
    let parts = time.dropFirst().split(separator: ":")
    let seconds = parts.count > 2 ? parts[2].split(separator: ".") : []
    var micros = Int64(parts[0])! * 3_600_000_000 + Int64(parts[1])! * 60_000_000
    if seconds.count > 0 { micros += Int64(seconds[0])! * 1_000_000 }
    if seconds.count > 1 { micros += Int64((seconds[1] + "000000").prefix(6))! }
    return .value(.timestamp(midnight + micros))
  }
}
