import Diagnostics

extension JSONValue {
  /// A value of a `Decodable` type; what does not fit is a `Diagnostic` whose place is the path inside the value.
  public func decoded<T: Decodable>(as type: T.Type) throws -> T { try JSONValueDecoder(self).decode(T.self) }
}

/// `Decodable` from a `JSONValue`. Unlike Foundation's decoder it keeps the order of members.
struct JSONValueDecoder: Decoder {
  let value: JSONValue
  var codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(_ value: JSONValue, path: [any CodingKey] = []) {
    self.value = value
    codingPath = path
  }

  var path: [PathStep] { codingPath.map { step in step.intValue.map(PathStep.index) ?? .key(step.stringValue) } }

  func mismatch(_ expected: String) -> Diagnostic {
    Diagnostic("a value of another type is needed here", at: .setting(path), expected: expected, found: value.words)
  }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    if T.self == JSONValue.self { return value as! T }
    return try T(from: self)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard let members = value.members else { throw mismatch("an object") }
    return KeyedDecodingContainer(Members(decoder: self, members: members))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard let items = value.array else { throw mismatch("a list") }
    return Items(decoder: self, items: items)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(decoder: self) }

  func child(_ value: JSONValue, _ key: any CodingKey) -> JSONValueDecoder {
    JSONValueDecoder(value, path: codingPath + [key])
  }

  func integer<T: FixedWidthInteger>() throws -> T {
    guard let number = value.number else { throw mismatch("a whole number") }
    guard let whole = T(number.text) ?? number.int64.flatMap({ T(exactly: $0) }) else {
      throw mismatch("a whole number from \(T.min) to \(T.max)")
    }
    return whole
  }

  func double() throws -> Double {
    guard let number = value.number else { throw mismatch("a number") }
    guard let double = number.double else { throw mismatch("a number that a double can hold") }
    return double
  }
}

/// The place of an item in a list, or the name of a member.
struct JSONKey: CodingKey {
  let stringValue: String
  let intValue: Int?
  init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
  init(intValue: Int) { (stringValue, self.intValue) = (String(intValue), intValue) }
}

private struct Single: SingleValueDecodingContainer {
  let decoder: JSONValueDecoder
  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.value.isNull }
  func decode(_ type: Bool.Type) throws -> Bool {
    guard let value = decoder.value.bool else { throw decoder.mismatch("true or false") }
    return value
  }
  func decode(_ type: String.Type) throws -> String {
    guard let value = decoder.value.string else { throw decoder.mismatch("a text") }
    return value
  }
  func decode(_ type: Double.Type) throws -> Double { try decoder.double() }
  func decode(_ type: Float.Type) throws -> Float { Float(try decoder.double()) }
  func decode(_ type: Int.Type) throws -> Int { try decoder.integer() }
  func decode(_ type: Int8.Type) throws -> Int8 { try decoder.integer() }
  func decode(_ type: Int16.Type) throws -> Int16 { try decoder.integer() }
  func decode(_ type: Int32.Type) throws -> Int32 { try decoder.integer() }
  func decode(_ type: Int64.Type) throws -> Int64 { try decoder.integer() }
  func decode(_ type: UInt.Type) throws -> UInt { try decoder.integer() }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.integer() }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.integer() }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.integer() }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.integer() }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.decode(type) }
}

private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: JSONValueDecoder
  let members: [JSONMember]
  var codingPath: [any CodingKey] { decoder.codingPath }
  // In the order of the text.
  var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

  func contains(_ key: Key) -> Bool { members.contains { $0.key == key.stringValue } }

  private func at(_ key: Key) throws -> JSONValueDecoder {
    guard let member = members.first(where: { $0.key == key.stringValue }) else {
      throw Diagnostic("\"\(key.stringValue)\" is missing", at: .setting(decoder.path + [.key(key.stringValue)]))
    }
    return decoder.child(member.value, key)
  }

  private func single(_ key: Key) throws -> Single { Single(decoder: try at(key)) }

  func decodeNil(forKey key: Key) throws -> Bool { try at(key).value.isNull }
  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try single(key).decode(type) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try single(key).decode(type) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try single(key).decode(type) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try single(key).decode(type) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try single(key).decode(type) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try single(key).decode(type) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try single(key).decode(type) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try single(key).decode(type) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try single(key).decode(type) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try single(key).decode(type) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try single(key).decode(type) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try single(key).decode(type) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try single(key).decode(type) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try single(key).decode(type) }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    if !contains(key), let setting = T.self as? any AnySetting.Type, let absent = setting.absent { return absent as! T }
    return try at(key).decode(type)
  }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
    try at(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try at(key).unkeyedContainer() }
  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { try at(key) }
}

private struct Items: UnkeyedDecodingContainer {
  let decoder: JSONValueDecoder
  let items: [JSONValue]
  var currentIndex = 0
  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { items.count }
  var isAtEnd: Bool { currentIndex >= items.count }

  init(decoder: JSONValueDecoder, items: [JSONValue]) {
    self.decoder = decoder
    self.items = items
  }

  private mutating func next() throws -> JSONValueDecoder {
    guard !isAtEnd else {
      throw Diagnostic("the list is too short", at: .setting(decoder.path), found: "\(items.count) items")
    }
    defer { currentIndex += 1 }
    return decoder.child(items[currentIndex], JSONKey(intValue: currentIndex))
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, items[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode(_ type: Bool.Type) throws -> Bool { try Single(decoder: next()).decode(type) }
  mutating func decode(_ type: String.Type) throws -> String { try Single(decoder: next()).decode(type) }
  mutating func decode(_ type: Double.Type) throws -> Double { try next().double() }
  mutating func decode(_ type: Float.Type) throws -> Float { Float(try next().double()) }
  mutating func decode(_ type: Int.Type) throws -> Int { try next().integer() }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try next().integer() }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try next().integer() }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try next().integer() }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try next().integer() }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try next().integer() }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next().integer() }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next().integer() }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next().integer() }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next().integer() }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().decode(type) }
  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    try next().container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
  mutating func superDecoder() throws -> any Decoder { try next() }
}

extension JSONValue: Codable {
  public init(from decoder: any Decoder) throws {
    guard let own = decoder as? JSONValueDecoder else {
      preconditionFailure("a JSONValue keeps the order of members, so only JSONValue.decoded(as:) can decode one")
    }
    self = own.value
  }

  public func encode(to encoder: any Encoder) throws {
    guard let own = encoder as? JSONValueEncoder else {
      preconditionFailure("a JSONValue keeps the order of members, so only JSONValue(encoding:) can encode one")
    }
    own.slot.content = .value(self)
  }
}
