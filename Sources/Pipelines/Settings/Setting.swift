import Diagnostics

/// A struct whose `@Setting` properties are what people may write: a stage, or a group inside one.
public protocol Settings: Codable, Sendable {
  init()
}

/// A setting: its value, its help, and what values are allowed. Said once, it gives decoding, typo hints, canonical settings,
/// the JSON Schema and the pages.
///
///     @Setting("share of rows cut off at each end", in: 0...0.5) var trim = 0.01
///     @Setting("name of the customer column") var customer: String             // required: it has no default
///     @Setting("last day observed; default the last in the data") var until: CivilDate?
@propertyWrapper
public struct Setting<Value: SettingValue>: Codable, Sendable {
  let help: String
  let range: SettingRange?
  // nil: a required setting that was not given.
  private var value: Value?

  public var wrappedValue: Value {
    get {
      guard let value else { preconditionFailure("a required setting was read before it was decoded (its help: \"\(help)\")") }
      return value
    }
    set { value = newValue }
  }

  public init(wrappedValue: Value, _ help: String) {
    (self.help, range, value) = (help, nil, wrappedValue)
  }

  /// Required.
  public init(_ help: String) {
    (self.help, range, value) = (help, nil, nil)
  }

  /// Optional: absent unless given.
  public init(_ help: String) where Value: ExpressibleByNilLiteral {
    (self.help, range, value) = (help, nil, .some(nil))
  }

  public init<Bounds: SettingBounds>(wrappedValue: Value, _ help: String, in bounds: Bounds)
  where Value: NumberSetting, Bounds.Bound == Value.Number {
    (self.help, range, value) = (help, SettingRange(bounds), wrappedValue)
  }

  public init<Bounds: SettingBounds>(_ help: String, in bounds: Bounds)
  where Value: NumberSetting, Bounds.Bound == Value.Number {
    (self.help, range, value) = (help, SettingRange(bounds), nil)
  }

  public init<Bounds: SettingBounds>(_ help: String, in bounds: Bounds)
  where Value: NumberSetting & ExpressibleByNilLiteral, Bounds.Bound == Value.Number {
    (self.help, range, value) = (help, SettingRange(bounds), .some(nil))
  }

  public init(from decoder: any Decoder) throws {
    guard let own = decoder as? JSONValueDecoder else {
      preconditionFailure("settings are decoded by decodeSettings(_:from:), which knows their order")
    }
    (help, range) = ("", nil)
    value = try Value(setting: own.value, at: own.path)
  }

  public func encode(to encoder: any Encoder) throws {
    if let value { try value.setting.encode(to: encoder) }
  }
}

/// What `Mirror` finds in a `Settings` struct, whatever its value's type.
protocol AnySetting {
  var item: (help: String, shape: SettingShape, range: SettingRange?, given: JSONValue?) { get }
  /// The setting of a type that may be left out; nil for the others.
  static var absent: Any? { get }
}

extension Setting: AnySetting {
  var item: (help: String, shape: SettingShape, range: SettingRange?, given: JSONValue?) {
    (help, Value.shape, range, value?.setting)
  }

  static var absent: Any? {
    guard case .optional = Value.shape, let value = try? Value(setting: .null, at: []) else { return nil }
    return Setting(wrappedValue: value, "")
  }
}

/// The numbers a setting allows.
public struct SettingRange: Hashable, Sendable {
  public let lowest: JSONNumber?, highest: JSONNumber?
  /// `0..<1` leaves out 1.
  public let leavesOutHighest: Bool

  init<Bounds: SettingBounds>(_ bounds: Bounds) {
    lowest = bounds.lowest?.setting.number
    highest = bounds.highest?.setting.number
    leavesOutHighest = bounds.leavesOutHighest
  }

  public func contains(_ number: JSONNumber) -> Bool {
    guard let value = number.double else { return false }
    if let low = lowest?.double, value < low { return false }
    if let high = highest?.double, leavesOutHighest ? value >= high : value > high { return false }
    return true
  }

  /// `from 0 to 0.5`, `of at least 1`.
  public var words: String {
    switch (lowest?.canonicalText, highest?.canonicalText) {
    case (let low?, let high?): leavesOutHighest ? "from \(low) to below \(high)" : "from \(low) to \(high)"
    case (let low?, nil): "of at least \(low)"
    case (nil, let high?): leavesOutHighest ? "below \(high)" : "of at most \(high)"
    case (nil, nil): ""
    }
  }
}

/// Swift's ranges, as far as settings use them.
public protocol SettingBounds<Bound> {
  associatedtype Bound: SettingValue & Comparable
  var lowest: Bound? { get }
  var highest: Bound? { get }
  var leavesOutHighest: Bool { get }
}

extension ClosedRange: SettingBounds where Bound: SettingValue {
  public var lowest: Bound? { lowerBound }
  public var highest: Bound? { upperBound }
  public var leavesOutHighest: Bool { false }
}
extension Range: SettingBounds where Bound: SettingValue {
  public var lowest: Bound? { lowerBound }
  public var highest: Bound? { upperBound }
  public var leavesOutHighest: Bool { true }
}
extension PartialRangeFrom: SettingBounds where Bound: SettingValue {
  public var lowest: Bound? { lowerBound }
  public var highest: Bound? { nil }
  public var leavesOutHighest: Bool { false }
}
extension PartialRangeThrough: SettingBounds where Bound: SettingValue {
  public var lowest: Bound? { nil }
  public var highest: Bound? { upperBound }
  public var leavesOutHighest: Bool { false }
}

/// Values whose numbers a range can bound: numbers, and optionals and lists of them.
public protocol NumberSetting: SettingValue {
  associatedtype Number: SettingValue & Comparable
}
extension Int: NumberSetting { public typealias Number = Int }
extension Double: NumberSetting { public typealias Number = Double }
extension Optional: NumberSetting where Wrapped: NumberSetting { public typealias Number = Wrapped.Number }
extension Array: NumberSetting where Element: NumberSetting { public typealias Number = Element.Number }
