/// A length of time as people say it: `26 weeks`, `1.5 years`. It keeps its number and unit.
///
/// Days and weeks are exact; a month is 365.25 / 12 days and a year 365.25 days, so every unit is a whole number of seconds.
public struct Duration: TextSetting, Hashable, CustomStringConvertible {
  public enum Unit: String, SettingChoice, Hashable {
    case second, minute, hour, day, week, month, year

    public var seconds: Int {
      switch self {
      case .second: 1
      case .minute: 60
      case .hour: 3600
      case .day: 86_400
      case .week: 604_800
      case .month: 2_629_800
      case .year: 31_557_600
      }
    }
  }

  /// Finite, not negative.
  public let count: Double
  public let unit: Unit

  public init(_ count: Double, _ unit: Unit) {
    precondition(count.isFinite && count >= 0, "a duration is finite and not negative, not \(count)")
    self.count = count
    self.unit = unit
  }

  /// `26 weeks`, `1 day`; nil for other texts.
  public init?(_ text: String) {
    let parts = text.split(separator: " ")
    guard parts.count == 2, parts[0].utf8.allSatisfy({ $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let count = Double(parts[0]), count.isFinite,
      let unit = Unit(rawValue: String(parts[1])) ?? (parts[1].last == "s" ? Unit(rawValue: String(parts[1].dropLast())) : nil)
    else { return nil }
    self.init(count, unit)
  }

  /// How many of `unit` it is: 26 weeks are 182 days.
  public func count(of unit: Unit) -> Double {
    // The fraction is reduced first, so that 26 weeks in days is 26 × 7 / 1 and 18 months in years 18 × 1 / 12.
    var a = self.unit.seconds, b = unit.seconds
    while b != 0 { (a, b) = (b, a % b) }
    return count * Double(self.unit.seconds / a) / Double(unit.seconds / a)
  }

  public var days: Double { count(of: .day) }

  public var description: String {
    "\(JSONValue.double(count).canonical) \(unit.rawValue)\(count == 1 ? "" : "s")"
  }

  public static var formName: String { "duration" }
  public static var formWords: String { "a duration such as \"26 weeks\" (days, weeks, months, years)" }
  public init?(settingText: String) { self.init(settingText) }
  public var settingText: String { description }
}
