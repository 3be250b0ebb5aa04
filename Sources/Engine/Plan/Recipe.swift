import Columns
import Diagnostics
import Pipelines

/// What an artifact is made from, as canonical JSON; its digest is the key under which the artifact is found again.
///
///     {"format":1,"kind":"clean","version":1,"shares":{},"settings":{…},"parameters":{},
///      "inputs":[{"port":"table","alias":"table","columns":[["price","decimal(12,3)","9f…"],…]}],"sources":[]}
///
/// An input that has not been made stands as a name for "whatever that recipe gives"; such a recipe says what is known
/// of the stage without saying what it reads.
struct Recipe: Sendable {
  static let format = 1

  /// What is known about one input.
  enum Content: Sendable {
    case known(ArtifactRecord)
    /// Still to be made; `name` is the same for inputs that must come out the same.
    case unknown(name: String)
  }

  let json: JSONValue
  /// By place among the inputs.
  let known: [Bool]
  /// Kinds, settings and sources without what the inputs hold: equal recipes have equal skeletons.
  var skeleton: Digest {
    guard let skeleton = Self.skeleton(of: json) else { preconditionFailure("a recipe has no inputs, or is of another format") }
    return skeleton
  }

  let key: Digest
  var isComplete: Bool { !known.contains(false) }

  /// `part`: the partition that is made by itself; what its inputs and sources are is said by them.
  init(stage: BoundStage, inputs: [Content], sources: [[(name: String, digest: Digest)]], part: String? = nil) {
    precondition(inputs.count == stage.inputs.count, "a recipe needs one content for each input of stage \"\(stage.name)\"")
    known = inputs.map { if case .known = $0 { true } else { false } }
    var members: [JSONMember] = [
      JSONMember("format", .integer(Self.format)), JSONMember("kind", .string(stage.contract.kind)),
      JSONMember("version", .integer(stage.contract.version)),
      JSONMember("shares", .object(stage.contract.shares.map { JSONMember($0.key, .string($0.value)) })),
      JSONMember("settings", stage.settingsOfRecipe),
      JSONMember("parameters", .object(stage.parameters.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
        JSONMember($0.key, $0.value.recipe)
      })),
      JSONMember("inputs", .array(zip(stage.inputs, inputs).map { Self.entry($0, $1, stage) })),
      JSONMember("sources", .array(sources.map { files in
        .array(files.map { .array([.string($0.name), .string($0.digest.description)]) })
      })),
    ]
    if let part { members.append(JSONMember("part", .string(part))) }
    json = .object(members)
    key = json.canonicalBytes.withUnsafeBytes { Digest(of: $0) }
  }

  /// Whether a complete recipe of the same skeleton may turn out to be this one: its known inputs are equal.
  func mayBecome(_ other: JSONValue) -> Bool {
    guard let mine = json["inputs"]?.array, let others = other["inputs"]?.array, mine.count == others.count else { return false }
    return zip(known, zip(mine, others)).allSatisfy { !$0 || $1.0 == $1.1 }
  }

  /// The skeleton of a recipe, which may have been stored; nil: it is of another format.
  static func skeleton(of stored: JSONValue) -> Digest? {
    guard stored["format"]?.int == format, var members = stored.members, let at = members.firstIndex(where: { $0.key == "inputs" }),
      let inputs = members[at].value.array
    else { return nil }
    members[at].value = .array(inputs.map(withoutDigests))
    return Digest(of: JSONValue.object(members).canonical)
  }

  private static func entry(_ input: BoundInput, _ content: Content, _ stage: BoundStage) -> JSONValue {
    var members = [JSONMember("port", .string(input.port)), JSONMember("alias", .string(input.alias))]
    let read = stage.binding.reads.first { $0.alias == input.alias }?.columns ?? .all
    switch (read, input.type) {
    case (.named(let names), .table(let type)) where names.isEmpty:
      _ = type
      members.append(JSONMember("rows", rows(content)))
    case (.named(let names), .table(let type)):
      members.append(JSONMember("columns", .array(names.map { name in
        let field = type.schema.selecting([name]).fields[0]
        return .array([.string(name), .string(field.type.description), .string(digest(ofColumn: name, content))])
      })))
    case (.all, .table(let type)):
      members.append(JSONMember("schema", .array(type.schema.fields.map { .array([.string($0.name), .string($0.type.description)]) })))
      members.append(JSONMember("whole", .string(whole(content))))
    case (_, .document), (_, .file), (_, .open):
      members.append(JSONMember("whole", .string(whole(content))))
    }
    return .object(members)
  }

  // The pseudo-column #rows: how many, in which partitions.
  private static func rows(_ content: Content) -> JSONValue {
    switch content {
    case .unknown(let name): .string(name)
    case .known(let record):
      .array((record.table?.partitions ?? []).map { .array([.string($0.key), .integer($0.rows)]) })
    }
  }

  private static func digest(ofColumn name: String, _ content: Content) -> String {
    switch content {
    case .unknown(let name): return name
    case .known(let record):
      guard let table = record.table, let at = table.schema.index(of: name) else {
        preconditionFailure("an input was bound to column \"\(name)\", which the artifact does not have")
      }
      return table.digest(ofColumn: at).description
    }
  }

  private static func whole(_ content: Content) -> String {
    switch content {
    case .unknown(let name): name
    case .known(let record): record.digest.description
    }
  }

  private static func withoutDigests(_ entry: JSONValue) -> JSONValue {
    .object((entry.members ?? []).map { member in
      switch member.key {
      case "rows", "whole": JSONMember(member.key, "")
      case "columns":
        JSONMember("columns", .array((member.value.array ?? []).map { column in
          .array((column.array ?? []).prefix(2) + [.string("")])
        }))
      default: member
      }
    })
  }
}
