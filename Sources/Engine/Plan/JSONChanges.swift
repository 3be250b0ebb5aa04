import Diagnostics
import Pipelines

/// One difference between two JSON values; nil where a side has nothing there.
public struct JSONChange: Hashable, Sendable {
  public let path: [PathStep]
  public let old: JSONValue?
  public let new: JSONValue?

  public var json: JSONValue {
    .object([JSONMember("path", .string(path.pointer)), old.map { JSONMember("old", $0) }, new.map { JSONMember("new", $0) }].compactMap { $0 })
  }
}

extension JSONChange: CustomStringConvertible {
  /// `/least: 0 → 1`.
  public var description: String {
    let side = { (value: JSONValue?) in value.map { $0.canonical.count > 80 ? $0.canonical.prefix(80) + "…" : $0.canonical } ?? "nothing" }
    return "\(path.pointer): \(side(old)) → \(side(new))"
  }
}

extension JSONValue {
  /// What differs, as deep as both sides have the same shape. The order of members counts.
  func changes(to new: JSONValue, at path: [PathStep] = []) -> [JSONChange] {
    if self == new { return [] }
    switch (self, new) {
    case (.object(let before), .object(let now)) where Set(before.map(\.key)) != Set(now.map(\.key)) || before.map(\.key) == now.map(\.key):
      let changed = now.flatMap { member -> [JSONChange] in
        let path = path + [.key(member.key)]
        return self[member.key]?.changes(to: member.value, at: path) ?? [JSONChange(path: path, old: nil, new: member.value)]
      }
      let gone = before.filter { new[$0.key] == nil }.map { JSONChange(path: path + [.key($0.key)], old: $0.value, new: nil) }
      return changed + gone
    case (.array(let before), .array(let now)) where before.count == now.count:
      return now.indices.flatMap { before[$0].changes(to: now[$0], at: path + [.index($0)]) }
    default: return [JSONChange(path: path, old: self, new: new)]
    }
  }
}
