extension JSONValue {
  /// An `Encodable` value, members in the order in which its type encodes them. What encodes nothing (a setting that is
  /// unset) is left out of its object. NaN and infinities become null.
  public init(encoding value: some Encodable) throws {
    let encoder = JSONValueEncoder()
    try encoder.encode(value)
    self = encoder.slot.json ?? [:]
  }
}

/// Where a value will stand once it has been encoded. A class: containers fill it after their parent has taken it in.
final class JSONSlot {
  enum Content {
    case nothing
    case value(JSONValue)
    case items([JSONSlot])
    case members([(key: String, slot: JSONSlot)])
  }
  var content = Content.nothing

  var json: JSONValue? {
    switch content {
    case .nothing: nil
    case .value(let value): value
    case .items(let slots): .array(slots.map { $0.json ?? .null })
    case .members(let members): .object(members.compactMap { member in member.slot.json.map { JSONMember(member.key, $0) } })
    }
  }
}

struct JSONValueEncoder: Encoder {
  let slot: JSONSlot
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  init(slot: JSONSlot = JSONSlot(), path: [any CodingKey] = []) {
    self.slot = slot
    codingPath = path
  }

  func encode(_ value: some Encodable) throws { try value.encode(to: self) }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    if case .members = slot.content {} else { slot.content = .members([]) }
    return KeyedEncodingContainer(Members(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    if case .items = slot.content {} else { slot.content = .items([]) }
    return Items(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }

  func member(_ key: any CodingKey) -> JSONValueEncoder {
    guard case .members(var members) = slot.content else { preconditionFailure("an encoder changed from object to another kind") }
    let child = JSONSlot()
    slot.content = .nothing
    members.append((key.stringValue, child))
    slot.content = .members(members)
    return JSONValueEncoder(slot: child, path: codingPath + [key])
  }

  func item() -> JSONValueEncoder {
    guard case .items(var items) = slot.content else { preconditionFailure("an encoder changed from list to another kind") }
    let child = JSONSlot()
    slot.content = .nothing
    items.append(child)
    slot.content = .items(items)
    return JSONValueEncoder(slot: child, path: codingPath + [JSONKey(intValue: items.count - 1)])
  }

  func put(_ value: JSONValue) { slot.content = .value(value) }
}

private struct Single: SingleValueEncodingContainer {
  let encoder: JSONValueEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil() { encoder.put(.null) }
  func encode(_ value: Bool) { encoder.put(.bool(value)) }
  func encode(_ value: String) { encoder.put(.string(value)) }
  func encode(_ value: Double) { encoder.put(.double(value)) }
  func encode(_ value: Float) { encoder.put(.double(Double(value))) }
  func encode(_ value: Int) { encoder.put(.integer(value)) }
  func encode(_ value: Int8) { encoder.put(.integer(value)) }
  func encode(_ value: Int16) { encoder.put(.integer(value)) }
  func encode(_ value: Int32) { encoder.put(.integer(value)) }
  func encode(_ value: Int64) { encoder.put(.integer(value)) }
  func encode(_ value: UInt) { encoder.put(.integer(value)) }
  func encode(_ value: UInt8) { encoder.put(.integer(value)) }
  func encode(_ value: UInt16) { encoder.put(.integer(value)) }
  func encode(_ value: UInt32) { encoder.put(.integer(value)) }
  func encode(_ value: UInt64) { encoder.put(.integer(value)) }
  func encode<T: Encodable>(_ value: T) throws { try encoder.encode(value) }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: JSONValueEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil(forKey key: Key) { encoder.member(key).put(.null) }
  func encode(_ value: Bool, forKey key: Key) { encoder.member(key).put(.bool(value)) }
  func encode(_ value: String, forKey key: Key) { encoder.member(key).put(.string(value)) }
  func encode(_ value: Double, forKey key: Key) { encoder.member(key).put(.double(value)) }
  func encode(_ value: Float, forKey key: Key) { encoder.member(key).put(.double(Double(value))) }
  func encode(_ value: Int, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: Int8, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: Int16, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: Int32, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: Int64, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: UInt, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: UInt8, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: UInt16, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: UInt32, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode(_ value: UInt64, forKey key: Key) { encoder.member(key).put(.integer(value)) }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try encoder.member(key).encode(value) }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
    encoder.member(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { encoder.member(key).unkeyedContainer() }
  func superEncoder() -> any Encoder { encoder.member(JSONKey(stringValue: "super")) }
  func superEncoder(forKey key: Key) -> any Encoder { encoder.member(key) }
}

private struct Items: UnkeyedEncodingContainer {
  let encoder: JSONValueEncoder
  var codingPath: [any CodingKey] { encoder.codingPath }
  var count: Int { if case .items(let items) = encoder.slot.content { items.count } else { 0 } }

  func encodeNil() { encoder.item().put(.null) }
  func encode(_ value: Bool) { encoder.item().put(.bool(value)) }
  func encode(_ value: String) { encoder.item().put(.string(value)) }
  func encode(_ value: Double) { encoder.item().put(.double(value)) }
  func encode(_ value: Float) { encoder.item().put(.double(Double(value))) }
  func encode(_ value: Int) { encoder.item().put(.integer(value)) }
  func encode(_ value: Int8) { encoder.item().put(.integer(value)) }
  func encode(_ value: Int16) { encoder.item().put(.integer(value)) }
  func encode(_ value: Int32) { encoder.item().put(.integer(value)) }
  func encode(_ value: Int64) { encoder.item().put(.integer(value)) }
  func encode(_ value: UInt) { encoder.item().put(.integer(value)) }
  func encode(_ value: UInt8) { encoder.item().put(.integer(value)) }
  func encode(_ value: UInt16) { encoder.item().put(.integer(value)) }
  func encode(_ value: UInt32) { encoder.item().put(.integer(value)) }
  func encode(_ value: UInt64) { encoder.item().put(.integer(value)) }
  func encode<T: Encodable>(_ value: T) throws { try encoder.item().encode(value) }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    encoder.item().container(keyedBy: type)
  }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.item().unkeyedContainer() }
  func superEncoder() -> any Encoder { encoder.item() }
}
