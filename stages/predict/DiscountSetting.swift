import Models
import Pipelines
import Statistics

/// How the value of later purchases is lowered: an effective rate, a force of interest, or lifetimes' monthly sum.
typealias DiscountSetting = Either<EffectiveRate, Either<ForceOfInterest, MonthlyDiscount>>

extension DiscountSetting {
  /// In units of time of a model.
  func discount(horizon: Double, unit: Duration.Unit) -> Discount {
    switch self {
    case .first(let rate): .continuous(rate: rate.force(per: unit), horizon: horizon)
    case .second(.first(let force)): .continuous(rate: force.force(per: unit), horizon: horizon)
    case .second(.second(let monthly)):
      .monthly(rate: monthly.monthly.share, month: monthly.month.count(of: unit), months: monthly.months)
    }
  }
}

/// `10%/year`: what is 100 today was worth 100 / 1.10 a year later; compounding is continuous.
struct EffectiveRate: TextSetting, Hashable {
  let percent: Percent
  let unit: Duration.Unit

  static var formName: String { "rate" }
  static var formWords: String { "a rate such as \"10%/year\"" }

  init?(settingText text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let percent = Percent(settingText: String(parts[0])),
      let unit = Duration.Unit(rawValue: String(parts[1].drop { $0 == " " }))
    else { return nil }
    (self.percent, self.unit) = (percent, unit)
  }

  var settingText: String { "\(percent.settingText)/\(unit.rawValue)" }

  /// δ = ln(1 + d), spread over the units that `unit` has.
  func force(per modelUnit: Duration.Unit) -> Double {
    Portable.log1p(percent.share) / Duration(1, unit).count(of: modelUnit)
  }
}

/// `1%`; not negative.
struct Percent: TextSetting, Hashable {
  let count: Double

  static var formName: String { "percent" }
  static var formWords: String { "a percentage such as \"1%\"" }

  init?(settingText text: String) {
    let number = text.split(separator: "%", omittingEmptySubsequences: false)
    guard number.count == 2, number[1].allSatisfy({ $0 == " " }) else { return nil }
    let digits = number[0].reversed().drop { $0 == " " }.reversed()
    guard !digits.isEmpty, digits.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }), let count = Double(String(digits)),
      count.isFinite
    else { return nil }
    self.count = count
  }

  var settingText: String { "\(JSONValue.double(count).canonical)%" }
  var share: Double { count / 100 }
}

/// `{"delta": 0.0026877, "per": "week"}`: δ itself, of e^−δt.
struct ForceOfInterest: SettingsGroup {
  @Setting("δ: values are lowered by e^(−δ·t)", in: 0...) var delta: Double
  @Setting("the unit of time that δ is meant for") var per: Duration.Unit

  func force(per modelUnit: Duration.Unit) -> Double { delta / Duration(1, per).count(of: modelUnit) }
}

/// `{"monthly": "1%", "month": "30 days", "months": 6}`: Σ over months of the month's purchases / (1 + d)^i.
struct MonthlyDiscount: SettingsGroup {
  @Setting("the rate of one month") var monthly: Percent
  @Setting("how long a month is") var month = Duration(30, .day)
  @Setting("how many months count", in: 1...1200) var months: Int
}
