import Columns
import Diagnostics
import Pipelines
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A store that is looked at and not touched: no catalog is opened, no lock taken, nothing written, so that it may be read-only and a run may be under way.
///
/// What it has read of a run that ended is kept in memory: records are written once.
public final class StoreView: Sendable {
  public let store: ArtifactStore
  private let known = Mutex<[String: KnownRun]>([:])

  public init(_ store: ArtifactStore) { self.store = store }

  public enum RunState: String, Hashable, Sendable {
    case ended
    case underWay = "under way"
    /// Its process is gone and left no record.
    case killed
  }

  public struct Run: Sendable {
    public let entry: RunRegistry.Entry
    public let state: RunState
    /// As the record has it: `commit`, and whether files differ from it.
    public let git: JSONValue?
  }

  /// What made an artifact: an output of a stage in a run.
  public struct Maker: Hashable, Sendable {
    public let run: String
    public let stage: String
    public let output: String
  }

  private struct KnownRun {
    let summary: JSONValue
    let git: JSONValue?
    let outputs: [(digest: String, stage: String, output: String)]
  }

  /// Whether there is a store at all.
  public var exists: Bool { Disk.isFolder(store.runs) }

  /// Newest first.
  public func runs() -> [Run] {
    let registry = RunRegistry(store: store)
    let entries = RunRegistry.ids(in: store).map { id in
      RunRegistry.Entry(id: id, summary: run(id)?.summary, isPinned: Disk.exists(registry.pin(of: id)))
    }
    let begin = entries.contains { $0.summary == nil } ? oldestLiveRun : nil
    return entries.map { entry in
      if entry.summary != nil { return Run(entry: entry, state: .ended, git: run(entry.id)?.git) }
      guard let begin, let made = FileTime(ofFile: "\(store.runs)/\(entry.id)"), made >= begin else {
        return Run(entry: entry, state: .killed, git: nil)
      }
      return Run(entry: entry, state: .underWay, git: nil)
    }
  }

  /// A run by its whole id, as it is in the list; nothing else is looked for.
  public func run(exactly id: String) -> Run? { runs().first { $0.entry.id == id } }

  /// `run.json`; nil: the run has not ended.
  public func record(of run: Run) -> JSONValue? {
    guard run.state == .ended else { return nil }
    return Disk.json("\(store.runs)/\(run.entry.id)/run.json")
  }

  /// Nil: it is not in the store, or not as it was written.
  public func artifact(_ digest: Digest) -> ArtifactRecord? {
    guard case .sound(let record) = store.condition(of: digest) else { return nil }
    return record
  }

  public func recipe(_ key: Digest) -> RecipeRecord? { store.recipe(key) }

  /// The outputs that are this artifact, of the newest runs first.
  public func makers(of digest: Digest) -> [Maker] {
    let word = digest.description
    return RunRegistry.ids(in: store).flatMap { id -> [Maker] in
      (run(id)?.outputs ?? []).filter { $0.digest == word }.map { Maker(run: id, stage: $0.stage, output: $0.output) }
    }
  }

  /// The bytes of a file artifact, at most `limit`; nil: it is no file, not in the store, or longer.
  public func content(of record: ArtifactRecord, limit: Int) -> [UInt8]? {
    guard case .file(let file, _, _) = record.content, file.bytes <= limit else { return nil }
    return store.place(of: record.digest).contents(file.name)
  }

  /// A document artifact.
  public func document(_ record: ArtifactRecord) -> JSONValue? {
    guard case .document(let file) = record.content else { return nil }
    return store.place(of: record.digest).contents(file.name).flatMap { JSONReader.readAll($0, file: file.name).document?.value }
  }

  private func run(_ id: String) -> KnownRun? {
    if let run = known.withLock({ $0[id] }) { return run }
    guard let record = Disk.json("\(store.runs)/\(id)/run.json"), let members = record.members else { return nil }
    let outputs = (record["stages"]?.array ?? []).flatMap { stage in
      (stage["outputs"]?.members ?? []).map { (digest: $0.value["digest"]?.string ?? "", stage: stage["name"]?.string ?? "", output: $0.key) }
    }
    let run = KnownRun(summary: RunHeading.json(of: members), git: record["git"], outputs: outputs)
    known.withLock { $0[id] = run }
    return run
  }

  /// When the oldest run began whose process is there. Its lock is not tried: whoever tries has it for a moment.
  private var oldestLiveRun: FileTime? {
    Disk.names(in: store.locks).filter { $0.hasPrefix(LiveRun.prefix) }.compactMap { name -> FileTime? in
      let path = store.locks + "/" + name
      guard let process = FileLock.holder(path)?.process, let number = pid_t(exactly: process), number > 0 else { return nil }
      return kill(number, 0) == 0 || errno == EPERM ? FileTime(ofFile: path) : nil
    }.min()
  }
}
