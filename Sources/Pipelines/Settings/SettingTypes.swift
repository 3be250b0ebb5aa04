import Diagnostics

/// An ordered dictionary whose keys are the user's names; the order is part of the canonical settings.
public struct Named<Value: SettingValue>: SettingValue, RandomAccessCollection, ExpressibleByDictionaryLiteral {
  public struct Entry: Sendable {
    public let name: String
    public var value: Value
  }

  public private(set) var entries: [Entry]

  /// The first of entries with one name stands.
  public init(_ entries: [(String, Value)]) {
    self.entries = []
    var seen: Set<String> = []
    for (name, value) in entries where seen.insert(name).inserted { self.entries.append(Entry(name: name, value: value)) }
  }

  public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }
  public subscript(position: Int) -> Entry { entries[position] }
  public subscript(name: String) -> Value? { entries.first { $0.name == name }?.value }
  // Not by a key path: in a generic type each use makes it anew.
  public var names: [String] { entries.map { $0.name } }

  public static var shape: SettingShape { .named(Value.shape) }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    guard let members = setting.members else {
      throw Diagnostic("a value of another type is needed here", at: .setting(path), expected: Self.shape.words, found: setting.words)
    }
    self.init(try members.map { ($0.key, try Value(setting: $0.value, at: path + [.key($0.key)])) })
  }
  public var setting: JSONValue { .object(entries.map { JSONMember($0.name, $0.value.setting) }) }
}

/// A list that may be written as its only item: `"on": "revenue"` is `"on": ["revenue"]`.
public struct OneOrMany<Value: SettingValue>: SettingValue, RandomAccessCollection, ExpressibleByArrayLiteral {
  public var items: [Value]

  public init(_ items: [Value]) { self.items = items }
  public init(arrayLiteral elements: Value...) { items = elements }

  public var startIndex: Int { 0 }
  public var endIndex: Int { items.count }
  public subscript(position: Int) -> Value { items[position] }

  public static var shape: SettingShape { .oneOrMany(Value.shape) }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    items = setting.array == nil ? [try Value(setting: setting, at: path)] : try [Value](setting: setting, at: path)
  }
  public var setting: JSONValue { items.setting }
}

/// A setting of two forms: `"distinct": true` or `"distinct": ["invoice", "stock"]`.
public enum Either<First: SettingValue, Second: SettingValue>: SettingValue {
  case first(First)
  case second(Second)

  public static var shape: SettingShape { .either(First.shape, Second.shape) }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    if let first = try? First(setting: setting, at: path) {
      self = .first(first)
    } else {
      self = .second(try Second(setting: setting, at: path))
    }
  }
  public var setting: JSONValue {
    switch self {
    case .first(let value): value.setting
    case .second(let value): value.setting
    }
  }
}
extension Either: Equatable where First: Equatable, Second: Equatable {}
extension Named: Equatable where Value: Equatable {}
extension Named.Entry: Equatable where Value: Equatable {}
extension OneOrMany: Equatable where Value: Equatable {}

/// A SQL expression. `$p` inside it is a parameter, bound as a typed literal.
public struct SQLText: TextSetting, Hashable, ExpressibleByStringLiteral {
  public var text: String
  public init(_ text: String) { self.text = text }
  public init(stringLiteral value: String) { text = value }

  public static var formName: String { "sql" }
  public static var formWords: String { "a SQL expression" }
  public init?(settingText: String) { text = settingText }
  public var settingText: String { text }
}

/// A path: relative to the document, or to the current folder when it was typed on the command line.
public struct PathText: TextSetting, Hashable, ExpressibleByStringLiteral {
  public var text: String
  public init(_ text: String) { self.text = text }
  public init(stringLiteral value: String) { text = value }

  public static var formName: String { "path" }
  public static var formWords: String { "a path" }
  public init?(settingText: String) {
    guard !settingText.isEmpty, !settingText.utf8.contains(0) else { return nil }
    text = settingText
  }
  public var settingText: String { text }
}

/// The name of a secret, never its value: `{"secret": "SHOP_PASSWORD"}`.
public struct Secret: SettingValue, Hashable {
  public var name: String
  public init(_ name: String) { self.name = name }

  public static var shape: SettingShape { .secret }
  public init(setting: JSONValue, at path: [PathStep]) throws {
    guard let name = setting["secret"]?.string else {
      throw Diagnostic("a value of another type is needed here", at: .setting(path), expected: Self.shape.words, found: setting.words)
    }
    self.name = name
  }
  public var setting: JSONValue { ["secret": .string(name)] }
}
