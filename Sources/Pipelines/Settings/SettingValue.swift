import Columns
import Diagnostics

/// A type that a setting can have: its form in JSON, and the way there and back.
///
/// Most types conform through one of its refinements: an enum of words is a `SettingChoice`, a type written as text a
/// `TextSetting`, a nested object a `SettingsGroup`.
public protocol SettingValue: Sendable {
  static var shape: SettingShape { get }
  /// From canonical JSON: what `canonicalSettings` let through.
  init(setting: JSONValue, at path: [PathStep]) throws
  var setting: JSONValue { get }
}

/// The form of a setting in JSON.
public indirect enum SettingShape: Sendable {
  case boolean
  case integer
  case number
  case text
  /// A text with a form of its own; `canonical` gives nil for texts that have not got it.
  case formed(TextForm)
  case choice([String])
  /// May be null or absent.
  case optional(SettingShape)
  case list(SettingShape)
  /// An object whose keys are the user's names; their order counts.
  case named(SettingShape)
  /// A single value stands for a list of one.
  case oneOrMany(SettingShape)
  case either(SettingShape, SettingShape)
  case group(SettingsDescription)
  /// An object, or the value of one of its settings in its place: `"price": "decimal(12,2)"` for `"price": {"type": "decimal(12,2)"}`.
  case shortened(SettingsDescription, by: SettingsDescription.Item)
  /// `{"secret": "NAME"}`
  case secret
  /// Any JSON.
  case any
}

/// How a `TextSetting` reads and what it is called.
public struct TextForm: Sendable {
  /// One word: `date`, `duration`, `sql`, `path`.
  public let name: String
  /// For "expected": `a date such as "2011-12-09"`.
  public let words: String
  let canonical: @Sendable (String) -> String?

  public init(name: String, words: String, canonical: @escaping @Sendable (String) -> String?) {
    self.name = name
    self.words = words
    self.canonical = canonical
  }
}

/// A setting written as text with a form of its own: a date, a duration, a rate.
public protocol TextSetting: SettingValue {
  /// One word: `date`.
  static var formName: String { get }
  /// For "expected": `a date such as "2011-12-09"`.
  static var formWords: String { get }
  init?(settingText: String)
  /// The one canonical text: equal values have equal text.
  var settingText: String { get }
}

extension TextSetting {
  public static var shape: SettingShape {
    .formed(TextForm(name: formName, words: formWords) { Self(settingText: $0)?.settingText })
  }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    guard let text = setting.string, let value = Self(settingText: text) else {
      throw Diagnostic("a value of another type is needed here", at: .setting(path), expected: Self.formWords, found: setting.words)
    }
    self = value
  }
  public var setting: JSONValue { .string(settingText) }
}

/// A setting that is one of several words: `enum Method: String, SettingChoice { case kMeans = "k-means" }`.
public protocol SettingChoice: SettingValue, RawRepresentable, CaseIterable where RawValue == String {}

extension SettingChoice {
  public static var shape: SettingShape { .choice(allCases.map(\.rawValue)) }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    guard let value = setting.string.flatMap(Self.init(rawValue:)) else {
      throw Diagnostic(
        "a value of another type is needed here", at: .setting(path), expected: Self.shape.words, found: setting.words)
    }
    self = value
  }
  public var setting: JSONValue { .string(rawValue) }
}

/// A nested object of settings: `struct Scores: SettingsGroup { @Setting("…") var bins = 5 }`.
public protocol SettingsGroup: Settings, SettingValue {}

extension SettingsGroup {
  public static var shape: SettingShape { .group(SettingsDescription(of: Self.self)) }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    do { self = try setting.decoded(as: Self.self) } catch { throw error.inside(path) }
  }
  public var setting: JSONValue {
    do { return try JSONValue(encoding: self) } catch {
      preconditionFailure("settings of \(Self.self) did not encode: \(error)")
    }
  }
}

/// A nested object for which the value of one of its settings may stand, when nothing else is said.
public protocol ShortenedGroup: SettingsGroup {
  /// The setting's name.
  static var shortName: String { get }
}

extension ShortenedGroup {
  public static var shape: SettingShape {
    let description = SettingsDescription(of: Self.self)
    guard let item = description[shortName] else { preconditionFailure("\(Self.self) has no setting \"\(shortName)\" to be shortened to") }
    return .shortened(description, by: item)
  }
}

extension Error {
  /// The same mistake, its path continued from `path`.
  fileprivate func inside(_ path: [PathStep]) -> any Error {
    guard var diagnostic = self as? Diagnostic, case .setting(let rest, let offset, let length) = diagnostic.place else { return self }
    diagnostic.place = .setting(path + rest, offset: offset, length: length)
    return diagnostic
  }
}

private func fit<Value>(_ value: Value?, _ shape: SettingShape, _ setting: JSONValue, _ path: [PathStep]) throws -> Value {
  guard let value else {
    throw Diagnostic("a value of another type is needed here", at: .setting(path), expected: shape.words, found: setting.words)
  }
  return value
}

extension Bool: SettingValue {
  public static var shape: SettingShape { .boolean }
  public init(setting: JSONValue, at path: [PathStep]) throws { self = try fit(setting.bool, Self.shape, setting, path) }
  public var setting: JSONValue { .bool(self) }
}

extension Int: SettingValue {
  public static var shape: SettingShape { .integer }
  public init(setting: JSONValue, at path: [PathStep]) throws { self = try fit(setting.int, Self.shape, setting, path) }
  public var setting: JSONValue { .integer(self) }
}

extension Double: SettingValue {
  public static var shape: SettingShape { .number }
  public init(setting: JSONValue, at path: [PathStep]) throws { self = try fit(setting.double, Self.shape, setting, path) }
  public var setting: JSONValue { .double(self) }
}

extension String: SettingValue {
  public static var shape: SettingShape { .text }
  public init(setting: JSONValue, at path: [PathStep]) throws { self = try fit(setting.string, Self.shape, setting, path) }
  public var setting: JSONValue { .string(self) }
}

extension JSONValue: SettingValue {
  public static var shape: SettingShape { .any }
  public init(setting: JSONValue, at path: [PathStep]) { self = setting }
  public var setting: JSONValue { self }
}

extension Optional: SettingValue where Wrapped: SettingValue {
  public static var shape: SettingShape { .optional(Wrapped.shape) }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    self = setting.isNull ? .none : .some(try Wrapped(setting: setting, at: path))
  }
  public var setting: JSONValue { self?.setting ?? .null }
}

extension Array: SettingValue where Element: SettingValue {
  public static var shape: SettingShape { .list(Element.shape) }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    let items = try fit(setting.array, Self.shape, setting, path)
    self = try items.enumerated().map { try Element(setting: $0.element, at: path + [.index($0.offset)]) }
  }
  public var setting: JSONValue { .array(map(\.setting)) }
}

extension CivilDate: TextSetting {
  public static var formName: String { "date" }
  public static var formWords: String { "a date such as \"2011-12-09\"" }
  public init?(settingText: String) { self.init(settingText) }
  public var settingText: String { description }
}
