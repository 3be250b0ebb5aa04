import Columns
import Diagnostics
import Pipelines

/// What differs between two runs, from their records: `runs compare A B`.
public struct RunComparison: Sendable {
  public struct Output: Sendable {
    public let name: String
    /// Digest, rows, file name … as the record has them; nil: the run has no such output.
    public let old: JSONValue?
    public let new: JSONValue?
    /// Columns whose type or content differs, or that one side lacks; nil: it is no table, or one is not in the store any more.
    public let columns: [String]?

    public var isSame: Bool { old?["digest"] == new?["digest"] }
  }

  public struct Stage: Sendable {
    public let name: String
    public let kind: String
    public let outputs: [Output]
    public let metrics: [JSONChange]
    /// By what is expected: whether it is met, and what was found.
    public let expectations: [JSONChange]
    /// `executed`, `failed` …; nil: the run has no such stage.
    public let status: (old: String?, new: String?)

    public var isSame: Bool { status.old != nil && status.new != nil && metrics.isEmpty && expectations.isEmpty && outputs.allSatisfy(\.isSame) && (status.old == "failed") == (status.new == "failed") }
  }

  public let ids: (old: String, new: String)
  /// Of the resolved documents: parameters, wiring and settings.
  public let settings: [JSONChange]
  /// By stage and file: digests.
  public let sources: [JSONChange]
  /// Version of Millrace, commit, machine.
  public let surroundings: [JSONChange]
  public let stages: [Stage]

  public var isSame: Bool { settings.isEmpty && sources.isEmpty && stages.allSatisfy(\.isSame) }

  public init(_ old: JSONValue, _ new: JSONValue, in store: ArtifactStore) {
    ids = (old["run"]?.string ?? "", new["run"]?.string ?? "")
    settings = (old["document"] ?? .null).changes(to: new["document"] ?? .null)
    sources = Self.sources(old).changes(to: Self.sources(new))
    surroundings = Self.surroundings(old).changes(to: Self.surroundings(new))
    let before = old["stages"]?.array ?? [], now = new["stages"]?.array ?? []
    let byName = Dictionary(before.map { ($0["name"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    let names = Set(now.map { $0["name"]?.string ?? "" })
    stages = now.map { Self.stage(byName[$0["name"]?.string ?? ""], $0, store) }
      + before.filter { !names.contains($0["name"]?.string ?? "") }.map { Self.stage($0, nil, store) }
  }

  private static func sources(_ record: JSONValue) -> JSONValue {
    .object((record["stages"]?.array ?? []).compactMap { stage in stage["sources"].map { JSONMember(stage["name"]?.string ?? "", $0) } })
  }

  private static func surroundings(_ record: JSONValue) -> JSONValue {
    .object(["millrace", "git", "machine"].compactMap { key in record[key].map { JSONMember(key, $0) } })
  }

  private static func stage(_ old: JSONValue?, _ new: JSONValue?, _ store: ArtifactStore) -> Stage {
    let before = old?["outputs"]?.members ?? [], now = new?["outputs"]?.members ?? []
    let outputs = now.map { output in (output.key, before.first { $0.key == output.key }?.value, JSONValue?.some(output.value)) }
      + before.filter { output in !now.contains { $0.key == output.key } }.map { ($0.key, JSONValue?.some($0.value), JSONValue?.none) }
    return Stage(
      name: (new ?? old)?["name"]?.string ?? "", kind: (new ?? old)?["kind"]?.string ?? "",
      outputs: outputs.map { Output(name: $0.0, old: $0.1, new: $0.2, columns: columns($0.1, $0.2, store)) },
      metrics: old == nil || new == nil ? [] : (old?["metrics"] ?? [:]).changes(to: new?["metrics"] ?? [:]),
      expectations: old == nil || new == nil ? [] : Self.expectations(old).changes(to: Self.expectations(new)),
      status: (old?["status"]?.string, new?["status"]?.string))
  }

  private static func expectations(_ stage: JSONValue?) -> JSONValue {
    .object((stage?["expectations"]?.array ?? []).map { entry in
      JSONMember(
        (entry["of"]?.string ?? "") + ": " + (entry["expects"]?.string ?? ""),
        .object(["holds", "found", "counts"].compactMap { key in entry[key].map { JSONMember(key, $0) } }))
    })
  }

  private static func columns(_ old: JSONValue?, _ new: JSONValue?, _ store: ArtifactStore) -> [String]? {
    guard let old, let new, old["digest"] != new["digest"], let before = table(old, store), let now = table(new, store) else { return nil }
    let names = before.schema.names + now.schema.names.filter { before.schema.index(of: $0) == nil }
    return names.filter { name in
      guard let at = before.schema.index(of: name), let place = now.schema.index(of: name) else { return true }
      return before.schema.fields[at] != now.schema.fields[place] || before.digest(ofColumn: at) != now.digest(ofColumn: place)
    }
  }

  private static func table(_ output: JSONValue, _ store: ArtifactStore) -> ArtifactRecord.Table? {
    guard let digest = output["digest"]?.string.flatMap({ Digest($0) }), case .sound(let record) = store.condition(of: digest) else { return nil }
    return record.table
  }
}

extension ArtifactStore {
  /// A table of the store by its digest, to be looked at; nil when it is not there, or no table.
  public func table(_ digest: String) throws -> TableArtifact? {
    guard let digest = Digest(digest), case .sound(let record) = condition(of: digest), let table = record.table,
      case .table(let opened) = try open(record, type: .table(TableType(table.schema)), reads: .all)
    else { return nil }
    return opened
  }
}
