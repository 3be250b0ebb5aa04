import Diagnostics
import Pipelines

/// The runs of a store, newest first.
public struct RunRegistry: Sendable {
  private let store: ArtifactStore

  public init(store: ArtifactStore) { self.store = store }

  /// One line of `runs list`.
  public struct Entry: Sendable {
    public let id: String
    /// What `run.json` begins with; nil when the run was killed, or is under way.
    public let summary: JSONValue?
    /// Kept, whatever `cache gc` is told.
    public let isPinned: Bool

    public var pipeline: String { summary?["pipeline"]?.string ?? "" }
    public var status: String { summary?["status"]?.string ?? "unfinished" }
    public var started: String { summary?["started"]?.string ?? "" }
    public var seconds: Double { summary?["seconds"]?.double ?? 0 }
    public var executed: Int { summary?["executed"]?.int ?? 0 }
    public var cached: Int { summary?["cached"]?.int ?? 0 }
  }

  public func list() -> [Entry] {
    let catalog = Catalog.open(store)
    let known = catalog.runSummaries()
    var added: [(id: String, summary: JSONValue)] = []
    let entries = Self.ids(in: store).map { id -> Entry in
      let isPinned = Disk.exists(pin(of: id))
      if let summary = known[id] { return Entry(id: id, summary: summary, isPinned: isPinned) }
      guard let record = Disk.json("\(store.runs)/\(id)/run.json"), let members = record.members else {
        return Entry(id: id, summary: nil, isPinned: isPinned)
      }
      let summary = RunHeading.json(of: members)
      added.append((id, summary))
      return Entry(id: id, summary: summary, isPinned: isPinned)
    }
    catalog.record(runs: added)
    return entries
  }

  /// The id that a person means: an id, the beginning of one, `last`, `last~1`.
  public func resolve(_ word: String) throws -> String {
    let ids = Self.ids(in: store)
    if ids.isEmpty { throw Diagnostic("the store \"\(store.path)\" holds no run", hint: "millrace run makes one") }
    if word == "last" || word == "latest" { return ids[0] }
    if word.hasPrefix("last~") {
      guard let back = Int(word.dropFirst(5)), back >= 0 else { throw Diagnostic("\"\(word)\" names no run", expected: "last~1, last~2 …") }
      guard back < ids.count else { throw Diagnostic("\"\(word)\" goes behind the first of \(ids.count) runs") }
      return ids[back]
    }
    if ids.contains(word) { return word }
    let meant = ids.filter { $0.hasPrefix(word) }
    if meant.count == 1 { return meant[0] }
    throw Diagnostic(
      meant.isEmpty ? "there is no run \"\(word)\"" : "\(meant.count) runs begin with \"\(word)\"", hint: hint(forUnknown: word, among: ids))
  }

  /// `run.json` of a run, by what a person calls it.
  public func record(_ word: String) throws -> JSONValue {
    let id = try resolve(word)
    guard let record = Disk.json("\(store.runs)/\(id)/run.json") else {
      throw Diagnostic("run \"\(id)\" has no record: it was killed, or is under way")
    }
    return record
  }

  func pin(of id: String) -> String { "\(store.runs)/\(id)/pinned" }

  /// Keeps a run, by what a person calls it, from collections; gives its id.
  public func pin(_ word: String) throws -> String {
    let id = try resolve(word)
    if !Disk.exists(pin(of: id)) { try Disk.write([], to: pin(of: id), durably: true) }
    return id
  }

  public func unpin(_ word: String) throws -> String {
    let id = try resolve(word)
    Disk.remove(pin(of: id))
    return id
  }

  /// The stages that failed in the newest run of a pipeline that ended.
  func failedStages(of pipeline: String) -> Set<String> {
    guard let newest = list().first(where: { $0.pipeline == pipeline && $0.summary != nil }), let record = try? record(newest.id) else { return [] }
    return Set((record["stages"]?.array ?? []).filter { $0["status"]?.string == "failed" }.compactMap { $0["name"]?.string })
  }

  /// Newest first: ids sort by time.
  static func ids(in store: ArtifactStore) -> [String] {
    Disk.names(in: store.runs).filter { $0 != "latest" && !$0.hasPrefix(".") }.reversed()
  }
}
