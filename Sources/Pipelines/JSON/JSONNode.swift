import Diagnostics

/// A JSON value that remembers where it was written: a byte range for every value and every key.
public struct JSONNode: Sendable {
  public enum Content: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONNode])
    case object([Member])
  }

  public struct Member: Sendable {
    public let key: String
    /// With its quotes.
    public let keyRange: Range<Int>
    public let value: JSONNode
  }

  public let content: Content
  /// Bytes of the text, from the first of the value to behind its last.
  public let range: Range<Int>

  public var value: JSONValue {
    switch content {
    case .null: .null
    case .bool(let value): .bool(value)
    case .number(let number): .number(number)
    case .string(let text): .string(text)
    case .array(let items): .array(items.map(\.value))
    case .object(let members): .object(members.map { JSONMember($0.key, $0.value.value) })
    }
  }

  public var members: [Member]? { if case .object(let members) = content { members } else { nil } }
  public var items: [JSONNode]? { if case .array(let items) = content { items } else { nil } }
  public var string: String? { if case .string(let text) = content { text } else { nil } }

  public subscript(_ key: String) -> JSONNode? { members?.first { $0.key == key }?.value }
}

/// A JSON text that was read: its tree, and where everything in it stands.
public struct JSONDocument: Sendable {
  public let text: SourceText
  public let root: JSONNode
  /// Places of the members of the root's large objects by their keys: a document may have thousands of stages.
  private let large: [String: [String: Int]]

  init(text: SourceText, root: JSONNode) {
    self.text = text
    self.root = root
    var large: [String: [String: Int]] = [:]
    for member in root.members ?? [] {
      guard let members = member.value.members, members.count > 32 else { continue }
      large[member.key] = Dictionary(members.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
    }
    self.large = large
  }

  public var value: JSONValue { root.value }

  /// The deepest thing on a path that was written.
  struct Reached {
    var node: JSONNode
    /// The key that led to `node`; nil for the root and for items of lists.
    var keyRange: Range<Int>?
    /// Steps that could not be taken.
    var missing: Int
  }

  func reached(_ path: some Collection<PathStep>) -> Reached {
    var reached = Reached(node: root, keyRange: nil, missing: path.count)
    for step in path {
      switch (step, reached.node.content) {
      case (.key(let key), .object(let members)):
        let isBelowRoot = reached.missing == path.count - 1
        let known = isBelowRoot ? path.first.flatMap { if case .key(let first) = $0 { large[first] } else { nil } } : nil
        let place = known.map { $0[key] } ?? members.firstIndex { $0.key == key }
        guard let member = place.map({ members[$0] }) else { return reached }
        reached.node = member.value
        reached.keyRange = member.keyRange
      case (.index(let index), .array(let items)):
        guard items.indices.contains(index) else { return reached }
        reached.node = items[index]
        reached.keyRange = nil
      default: return reached
      }
      reached.missing -= 1
    }
    return reached
  }

  public func node(at path: some Collection<PathStep>) -> JSONNode? {
    let reached = reached(path)
    return reached.missing == 0 ? reached.node : nil
  }

  /// Where the value at `path` stands. When nothing stands there, the key of the nearest object around it: that is where
  /// it has to be added.
  public func span(of path: some Collection<PathStep>) -> TextSpan { text.span(of: range(of: path)) }

  /// Where the key at the end of `path` stands; for items of lists, the item.
  public func span(ofKey path: some Collection<PathStep>) -> TextSpan {
    let reached = reached(path)
    return text.span(of: reached.keyRange ?? reached.node.range)
  }

  /// Where a part of the string at `path` stands; `offset` and `length` count UTF-8 bytes of its value, not of its escapes.
  public func span(inStringAt path: some Collection<PathStep>, offset: Int, length: Int) -> TextSpan {
    let reached = reached(path)
    guard case .string = reached.node.content else { return span(of: path) }
    return text.span(of: text.rangeInString(reached.node.range, offset: offset, length: length))
  }

  private func range(of path: some Collection<PathStep>) -> Range<Int> {
    let reached = reached(path)
    if reached.missing == 0 { return reached.node.range }
    switch reached.node.content {
    // A path can go on behind a scalar: a single text stands where a list of one is meant.
    case .null, .bool, .number, .string: return reached.node.range
    case .array, .object:
      return reached.keyRange ?? reached.node.range.lowerBound..<min(reached.node.range.lowerBound + 1, reached.node.range.upperBound)
    }
  }
}
