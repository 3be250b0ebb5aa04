import Synchronization

/// What a `Settings` type lets people write, found by reflection: the one list behind typo hints, canonical settings, the JSON
/// Schema and the pages.
public struct SettingsDescription: Sendable {
  public struct Item: Sendable {
    public let name: String
    public let help: String
    public let shape: SettingShape
    public let range: SettingRange?
    /// Nil for a required setting.
    public let standard: JSONValue?

    public var isRequired: Bool { standard == nil }

    /// Its type in one expression, for lists: `number 0…0.5`, `list<sql>`, `k-means | ward`.
    public var typeText: String {
      guard let range else { return shape.typeText }
      let low = range.lowest?.canonicalText ?? "", high = range.highest?.canonicalText ?? ""
      return "\(shape.typeText) \(low)\(range.leavesOutHighest ? "..<" : "…")\(high)"
    }
  }

  /// In the order of the declaration.
  public let items: [Item]

  /// Reflection takes its time, and a document may have thousands of stages of a kind: each type is looked at once.
  private static let known = Mutex<[ObjectIdentifier: SettingsDescription]>([:])

  public init<T: Settings>(of type: T.Type) {
    if let known = Self.known.withLock({ $0[ObjectIdentifier(type)] }) {
      self = known
      return
    }
    self.init(reflecting: T())
    let found = self
    Self.known.withLock { $0[ObjectIdentifier(type)] = found }
  }

  /// Of a value that has its defaults.
  public init(reflecting value: Any) {
    items = Mirror(reflecting: value).children.compactMap { child in
      guard let label = child.label, let setting = child.value as? any AnySetting else { return nil }
      let (help, shape, range, given) = setting.item
      // The wrapper of `trim` is stored as `_trim`.
      return Item(name: String(label.drop { $0 == "_" }), help: help, shape: shape, range: range, standard: given)
    }
  }

  public subscript(name: String) -> Item? { items.first { $0.name == name } }
  public var names: [String] { items.map(\.name) }
}

extension SettingShape {
  /// For "expected": `a number`, `a list of texts`, `"k-means" or "ward"`.
  public var words: String {
    switch self {
    case .boolean: "true or false"
    case .integer: "a whole number"
    case .number: "a number"
    case .text: "a text"
    case .formed(let form): form.words
    case .choice(let cases): Self.alternatives(cases.map { JSONValue.string($0).canonical })
    case .optional(let inner): inner.words
    case .list(let inner): "a list of \(inner.manyWords)"
    case .named(let inner): "an object whose keys are names and whose values are \(inner.manyWords)"
    case .oneOrMany(let inner): "\(inner.words), or a list of \(inner.manyWords)"
    case .either(let a, let b): "\(a.words), or \(b.words)"
    case .group(let description): description.names.isEmpty ? "an object" : "an object of \(description.names.joined(separator: ", "))"
    case .shortened(let description, let item): "\(item.shape.words), or \(SettingShape.group(description).words)"
    case .secret: #"an object such as {"secret": "NAME"}"#
    case .any: "any JSON"
    }
  }

  private var manyWords: String {
    switch self {
    case .boolean: "true or false"
    case .integer: "whole numbers"
    case .number: "numbers"
    case .text: "texts"
    case .formed(let form):
      switch form.name {
      case "sql": "SQL expressions"
      default: form.name + "s"
      }
    case .choice: words
    case .optional(let inner): inner.manyWords
    case .list: "lists"
    case .named, .group, .secret: "objects"
    case .oneOrMany(let inner): "\(inner.manyWords) or lists of them"
    case .either(let a, let b): "\(a.manyWords) or \(b.manyWords)"
    case .shortened(_, let item): "\(item.shape.manyWords) or objects"
    case .any: "any JSON"
    }
  }

  private static func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }

  /// One expression, for lists: `list<sql>`.
  public var typeText: String {
    switch self {
    case .boolean: "bool"
    case .integer: "int"
    case .number: "number"
    case .text: "string"
    case .formed(let form): form.name
    case .choice(let cases): cases.joined(separator: " | ")
    case .optional(let inner): inner.typeText
    case .list(let inner): "list<\(inner.typeText)>"
    case .named(let inner): "{name: \(inner.typeText)}"
    case .oneOrMany(let inner): "\(inner.typeText) | list<\(inner.typeText)>"
    case .either(let a, let b): "\(a.typeText) | \(b.typeText)"
    case .group: "object"
    case .shortened(_, let item): "\(item.shape.typeText) | object"
    case .secret: "secret"
    case .any: "json"
    }
  }

  /// The settings of objects within this one.
  var nested: [SettingsDescription] {
    switch self {
    case .group(let description), .shortened(let description, _): [description]
    case .optional(let inner), .list(let inner), .named(let inner), .oneOrMany(let inner): inner.nested
    case .either(let a, let b): a.nested + b.nested
    case .boolean, .integer, .number, .text, .formed, .choice, .secret, .any: []
    }
  }
}
