import Columns
import Diagnostics
import Pipelines

/// Why a stage has to be executed.
public struct Reason: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    /// No recipe of this stage is known.
    case firstRun = "first-run"
    case setting, parameter
    /// The stage's kind, its version, or a library that reaches its bytes.
    case implementation
    /// Other wiring, or a column read came out different.
    case input
    /// An input will be made again; it may come out equal.
    case upstream
    /// The bytes of a source file.
    case file
    /// The artifact or its recipe is not in the store.
    case missing
    /// The artifact is in the store and is not what was written.
    case damaged
    /// The artifact was not kept, and is needed.
    case unkept
    case forced
    /// What is expected of something before it is not met.
    case expectation
    /// The rows of a query have no version: it is asked in every run.
    case unversioned
  }

  public let kind: Kind
  /// A JSON pointer into the document, where there is one.
  public let path: String?
  /// The input, column or file that is meant.
  public let name: String?
  public let old: JSONValue?
  public let new: JSONValue?

  public init(_ kind: Kind, path: String? = nil, name: String? = nil, old: JSONValue? = nil, new: JSONValue? = nil) {
    self.kind = kind
    self.path = path
    self.name = name
    self.old = old
    self.new = new
  }

  public var json: JSONValue {
    var members = [JSONMember("kind", .string(kind.rawValue))]
    if let path { members.append(JSONMember("path", .string(path))) }
    if let name { members.append(JSONMember("name", .string(name))) }
    if let old { members.append(JSONMember("old", old)) }
    if let new { members.append(JSONMember("new", new)) }
    return .object(members)
  }

  /// As a run's record has it.
  public init?(json: JSONValue) {
    guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }) else { return nil }
    self.init(kind, path: json["path"]?.string, name: json["name"]?.string, old: json["old"], new: json["new"])
  }
}

extension Reason: CustomStringConvertible {
  /// One line for people: `setting /stages/sales/with/keep/1: "a" → "b"`.
  public var description: String {
    let change = [old.map(\.canonical), new.map(\.canonical)].compactMap { $0.map { $0.count > 80 ? $0.prefix(80) + "…" : $0 } }
      .joined(separator: " → ")
    let what: String
    switch kind {
    case .firstRun: what = "first run"
    case .setting: what = "setting \(path ?? "")"
    case .parameter: what = "parameter \(name ?? "")"
    case .implementation: what = "another version of \(name ?? "the stage")"
    case .input: what = "input \(name ?? "") changed"
    case .upstream: what = "\(name ?? "an input") is made again"
    case .file: what = "file \(name ?? "") changed"
    case .missing: what = "the artifact is missing"
    case .damaged: what = "the artifact is damaged"
    case .unkept: what = name.map { "not kept, and \($0) needs it" } ?? "not kept before"
    case .forced: what = "forced"
    case .expectation: what = "not met: \(name ?? "an expectation")"
    case .unversioned: what = "the query is asked in every run: no \"version\" says whether its rows are the same"
    }
    switch kind {
    case .setting, .parameter, .implementation: return change.isEmpty ? what : what + ": " + change
    default: return what
    }
  }
}

/// Compares a stage's recipe with the one it had before.
struct Reasons {
  let stage: BoundStage
  let old: JSONValue
  let new: JSONValue
  private(set) var found: [Reason] = []

  /// Everything that differs between the stage's earlier recipe and the one it has now; empty when nothing does.
  static func between(_ old: JSONValue, and new: Recipe, of stage: BoundStage, producers: [String]) -> [Reason] {
    var reasons = Reasons(stage: stage, old: old, new: new.json)
    reasons.compareImplementation()
    reasons.found += (old["settings"] ?? .null).changes(to: stage.settingsOfRecipe, at: ["stages", .key(stage.name), "with"]).map {
      Reason(.setting, path: $0.path.pointer, old: $0.old, new: $0.new)
    }
    reasons.compareParameters()
    reasons.compareInputs(known: new.known, producers: producers)
    reasons.compareSources()
    return reasons.found
  }

  private init(stage: BoundStage, old: JSONValue, new: JSONValue) {
    self.stage = stage
    self.old = old
    self.new = new
  }

  private mutating func compareImplementation() {
    for name in ["format", "kind", "version"] where old[name] != new[name] {
      found.append(Reason(.implementation, name: name == "version" ? stage.contract.kind : name, old: old[name], new: new[name]))
    }
    let before = old["shares"]?.members ?? [], now = new["shares"]?.members ?? []
    for share in now where !before.contains(share) {
      found.append(Reason(.implementation, name: share.key, old: before.first { $0.key == share.key }?.value, new: share.value))
    }
    for share in before where !now.contains(where: { $0.key == share.key }) {
      found.append(Reason(.implementation, name: share.key, old: share.value))
    }
  }

  private mutating func compareParameters() {
    let before = old["parameters"]?.members ?? [], now = new["parameters"]?.members ?? []
    for parameter in now where !before.contains(parameter) {
      found.append(Reason(
        .parameter, path: ["parameters", .key(parameter.key)].pointer, name: parameter.key,
        old: before.first { $0.key == parameter.key }?.value, new: parameter.value))
    }
  }

  private mutating func compareInputs(known: [Bool], producers: [String]) {
    let before = old["inputs"]?.array ?? [], now = new["inputs"]?.array ?? []
    for (at, entry) in now.enumerated() {
      let alias = entry["alias"]?.string ?? ""
      let path = ["stages", .key(stage.name), "from"].pointer
      guard let earlier = before.first(where: { $0["alias"] == entry["alias"] && $0["port"] == entry["port"] }) else {
        found.append(Reason(.input, path: path, name: alias))
        continue
      }
      if !known[at] {
        let reason = Reason(.upstream, path: path, name: producers[at])
        // Two outputs of one producer are one reason.
        if !found.contains(reason) { found.append(reason) }
        continue
      }
      if earlier == entry { continue }
      let columns = entry["columns"]?.array ?? [], columnsBefore = earlier["columns"]?.array ?? []
      let changed = columns.filter { !columnsBefore.contains($0) }
      if changed.isEmpty {
        found.append(Reason(.input, path: path, name: alias))
      } else {
        for column in changed {
          let name = column.array?.first
          found.append(Reason(
            .input, path: path, name: alias + "." + (name?.string ?? ""),
            old: columnsBefore.first { $0.array?.first == name }?.array?.last, new: column.array?.last))
        }
      }
    }
    for entry in before where !now.contains(where: { $0["alias"] == entry["alias"] && $0["port"] == entry["port"] }) {
      found.append(Reason(.input, path: ["stages", .key(stage.name), "from"].pointer, name: entry["alias"]?.string))
    }
  }

  private mutating func compareSources() {
    let before = (old["sources"]?.array ?? []).flatMap { $0.array ?? [] }, now = (new["sources"]?.array ?? []).flatMap { $0.array ?? [] }
    for file in now where !before.contains(file) {
      let name = file.array?.first
      found.append(Reason(.file, name: name?.string, old: before.first { $0.array?.first == name }?.array?.last, new: file.array?.last))
    }
    for file in before where !now.contains(where: { $0.array?.first == file.array?.first }) {
      found.append(Reason(.file, name: file.array?.first?.string, old: file.array?.last))
    }
  }
}
