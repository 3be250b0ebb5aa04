import Columns
import Diagnostics
import Pipelines

/// What `recipes/<key>.json` says: which artifacts a recipe gave, and what was told about it.
public struct RecipeRecord: Sendable {
  /// The recipe itself, so that the catalog can be rebuilt from these files. Of one that was read it is made from the text each time:
  /// whoever looks whether something is fresh does not ask for it.
  public var recipe: JSONValue {
    switch source {
    case .made(let recipe): recipe
    case .written(let node): node.value
    }
  }
  private let source: Source
  /// By the name of the output, in the order of the binding; `unkept` is what stays known of one that was not stored.
  public let outputs: [Output]
  /// An object; repeated when cached.
  public let metrics: JSONValue
  public let warnings: [Diagnostic]

  private enum Source: Sendable {
    case made(JSONValue)
    case written(JSONNode)
  }

  public struct Output: Sendable {
    public let name: String
    public let digest: Digest
    public let unkept: ArtifactRecord?
  }

  var json: JSONValue {
    [
      "recipe": recipe,
      "outputs": .array(outputs.map { output in
        .object([
          JSONMember("name", .string(output.name)), JSONMember("digest", .string(output.digest.description)),
          output.unkept.map { JSONMember("unkept", $0.json) },
        ].compactMap { $0 })
      }),
      "metrics": metrics, "warnings": .array(warnings.map(\.json)),
    ]
  }

  init(recipe: JSONValue, outputs: [Output], metrics: JSONValue, warnings: [Diagnostic]) {
    source = .made(recipe)
    self.outputs = outputs
    self.metrics = metrics
    self.warnings = warnings
  }

  /// Of what a sealed file holds, and the key of the recipe in it.
  static func read(_ written: JSONDocument) -> (record: RecipeRecord, key: Digest)? {
    guard let record = RecipeRecord(written.root), case .written(let node) = record.source else { return nil }
    // Sealed files are written canonically, so that the key is the digest of the text as it stands there.
    return (record, written.text.bytes[node.range].withUnsafeBytes { Digest(of: $0) })
  }

  private init?(_ json: JSONNode) {
    guard let recipe = json["recipe"], let outputs = json["outputs"]?.items, let metrics = json["metrics"], let warnings = json["warnings"]?.items else {
      return nil
    }
    source = .written(recipe)
    var read: [Output] = []
    for output in outputs.map({ $0.value }) {
      guard let name = output["name"]?.string, let digest = output["digest"]?.string.flatMap({ Digest($0) }) else { return nil }
      let unkept = output["unkept"].flatMap { ArtifactRecord($0) }
      if let unkept, unkept.digest != digest { return nil }
      read.append(Output(name: name, digest: digest, unkept: unkept))
    }
    self.outputs = read
    self.metrics = metrics.value
    self.warnings = warnings.map { Diagnostic(json: $0.value) }
  }
}

extension Diagnostic {
  /// For the records of a run and of a recipe.
  public var json: JSONValue {
    var members = [JSONMember("severity", .string(severity.rawValue)), JSONMember("message", .string(message))]
    switch place {
    case .nowhere: break
    case .text(let span):
      members.append(JSONMember("place", ["file": .string(span.file), "line": .integer(span.line), "character": .integer(span.column)]))
    case .setting(let path, _, _): members.append(JSONMember("place", ["setting": .array(path.map(\.json))]))
    case .input(let port): members.append(JSONMember("place", ["input": port.map { .string($0) } ?? .null]))
    case .data(let file, let line, let byte, let column):
      members.append(JSONMember("place", [
        "file": .string(file), "line": line.map { .integer($0) } ?? .null, "byte": byte.map { .integer($0) } ?? .null,
        "column": column.map { .string($0) } ?? .null,
      ]))
    }
    for (name, text) in [("expected", expected), ("found", found), ("hint", hint)] {
      if let text { members.append(JSONMember(name, .string(text))) }
    }
    return .object(members)
  }

  /// Places in a document come back without their excerpt, as places in a data file.
  public init(json: JSONValue) {
    var place = Place.nowhere
    if let at = json["place"] {
      if let steps = at["setting"]?.array {
        place = .setting(steps.map { step in step.int.map { .index($0) } ?? .key(step.string ?? "") })
      } else if let file = at["file"]?.string {
        place = .data(file: file, line: at["line"]?.int, byte: at["byte"]?.int, column: at["column"]?.string)
      } else {
        place = .input(port: at["input"]?.string)
      }
    }
    self.init(
      json["message"]?.string ?? "", at: place, expected: json["expected"]?.string, found: json["found"]?.string,
      hint: json["hint"]?.string, severity: json["severity"]?.string == "warning" ? .warning : .error)
  }
}

extension PathStep {
  fileprivate var json: JSONValue {
    switch self {
    case .key(let key): .string(key)
    case .index(let index): .integer(index)
    }
  }
}
