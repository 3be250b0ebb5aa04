import Columns
import Diagnostics
import Dispatch
import Synchronization

/// Makes what stages wrote durable and gives it its place. Those that come while others are being flushed are flushed together, as databases
/// commit in groups (DeWitt et al. 1984): one of them leads, and does it for all that wait at that moment. Where many more are about to come the one that
/// leads waits a little for them.
///
/// In this order, so that a recipe never names bytes that a power failure can take away: files and folders under temporary names are flushed, artifacts get
/// their places, the folder of artifacts is flushed, recipes get their places, their folder is flushed. What is small goes into a pack, which holds a recipe and all that it names:
/// it is flushed under a temporary name, gets its place, and its folder is flushed.
final class GroupCommit: Sendable {
  /// What one stage gives.
  enum Publication: Sendable {
    /// Written, not flushed: artifacts, and a file of the recipe's words.
    case large(objects: [Object], key: Digest, recipe: String)
    /// Files that go into one with those of others, a pack: artifacts of few bytes and the recipe, by their names below the store.
    case small([Pack.File])
  }

  struct Object: Sendable {
    let record: ArtifactRecord
    /// With all its files and its `artifact.json`.
    let folder: String
    /// What is there under this name is damaged.
    let replaces: Bool
  }

  private let store: ArtifactStore
  private let gate: StoreGate?
  private let temporary: @Sendable () -> String
  private let flushAll: (@Sendable () throws -> Void)?
  private let state = Mutex(State())
  /// For fewer it is cheaper, and waits for nobody else's bytes, to flush each file.
  private static let fewestTogether = 4
  /// Nobody is waited for any longer when so many have come, or after so long.
  private static let mostGathered = 32, gathering = DispatchTimeInterval.milliseconds(20)

  private struct State {
    /// The one that leads, or will, first.
    var waiting: [Member] = []
    var isLed = false
    /// The first waits for more.
    var isGathering = false
  }

  /// One that waits.
  // @unchecked: `outcome` is written by whoever leads, before it signals `turn`, and read after that.
  private final class Member: @unchecked Sendable {
    let publication: Publication
    /// Signalled when there is an outcome, when it is this one's turn to lead, and when it leads and has waited for enough.
    let turn = DispatchSemaphore(value: 0)
    var outcome: Result<Void, any Error>?

    init(_ publication: Publication) { self.publication = publication }

    var isSmall: Bool { if case .small = publication { true } else { false } }
  }

  /// `gate` keeps collections away while something gets its place; `temporary` gives paths for packs; `flushAll` flushes whatever was written to the store so
  /// far; nil: files are flushed one by one.
  init(_ store: ArtifactStore, gate: StoreGate? = nil, temporary: @escaping @Sendable () -> String, flushAll: (@Sendable () throws -> Void)?) {
    self.store = store
    self.gate = gate
    self.temporary = temporary
    self.flushAll = flushAll
  }

  /// With whatever the file system of the store can do.
  convenience init(_ store: ArtifactStore, gate: StoreGate?, temporary: @escaping @Sendable () -> String) {
    if let fileSystem = FileSystemFlush(of: store.path) {
      self.init(store, gate: gate, temporary: temporary, flushAll: { try fileSystem.flush() })
    } else {
      self.init(store, gate: gate, temporary: temporary, flushAll: nil)
    }
  }

  /// Returns when it is on the disk, under its name. `expectsMore`: others will come soon, and nobody waits for this one alone.
  func commit(_ publication: Publication, expectsMore: Bool = false) throws {
    let own = Member(publication)
    let leads = state.withLock { state in
      state.waiting.append(own)
      if state.isGathering, state.waiting.count == Self.mostGathered { state.waiting[0].turn.signal() }
      defer { state.isLed = true }
      return !state.isLed
    }
    if !leads { own.turn.wait() }
    if let outcome = own.outcome { return try outcome.get() }
    if flushAll != nil || own.isSmall, expectsMore, gathers() { _ = own.turn.wait(timeout: .now() + Self.gathering) }
    let group = state.withLock { state in
      defer { (state.waiting, state.isGathering) = ([], false) }
      return state.waiting
    }
    settle(group)
    let next = state.withLock { state in
      state.isLed = !state.waiting.isEmpty
      return state.waiting.first
    }
    next?.turn.signal()
    for member in group where member !== own { member.turn.signal() }
    try own.outcome?.get()
  }

  private func gathers() -> Bool {
    state.withLock { state in
      state.isGathering = state.waiting.count < Self.mostGathered
      return state.isGathering
    }
  }

  /// Gives each member its outcome.
  private func settle(_ group: [Member]) {
    let small = group.filter(\.isSmall), large = group.filter { !$0.isSmall }
    flush(large)
    var pack: (name: String, path: String)?
    together(small) { pack = try written(small) }
    // An artifact that is there already must not go before a recipe names it again.
    if let gate { gate.hold { place(large, small, pack) } } else { place(large, small, pack) }
    for member in group where member.outcome == nil { member.outcome = .success(()) }
  }

  private func place(_ large: [Member], _ small: [Member], _ pack: (name: String, path: String)?) {
    attempt(large) { try $0.place(in: self.store) }
    together(large) { try Disk.flushFolder(self.store.objects) }
    attempt(large) { if case .large(_, let key, let recipe) = $0 { try self.store.place(key, from: recipe) } }
    together(large) { try Disk.flushFolder(self.store.recipes) }
    if let pack { together(small) { try self.store.packs.place(pack.path, as: pack.name) } }
  }

  /// A pack of what they give, on the disk.
  private func written(_ small: [Member]) throws -> (name: String, path: String) {
    var files: [Pack.File] = [], names: Set<String> = []
    for member in small {
      guard case .small(let own) = member.publication else { continue }
      for file in own where names.insert(file.name).inserted { files.append(file) }
    }
    let path = temporary()
    return (try Packs.write(files, to: path), path)
  }

  private func flush(_ group: [Member]) {
    if let flushAll, group.count >= Self.fewestTogether {
      together(group, flushAll)
    } else {
      attempt(group) { try $0.flush() }
    }
  }

  /// What each needs for itself.
  private func attempt(_ group: [Member], _ body: (Publication) throws -> Void) {
    for member in group where member.outcome == nil {
      do { try body(member.publication) } catch { member.outcome = .failure(error) }
    }
  }

  /// What is done once: when it fails, it fails for all that came so far.
  private func together(_ group: [Member], _ body: () throws -> Void) {
    let left = group.filter { $0.outcome == nil }
    if left.isEmpty { return }
    do { try body() } catch { for member in left { member.outcome = .failure(error) } }
  }
}

extension GroupCommit.Publication {
  fileprivate func flush() throws {
    guard case .large(let objects, _, let recipe) = self else { return }
    for object in objects {
      for file in object.record.files { try Disk.flushFile(object.folder + "/" + file.name) }
      try Disk.flushFile(object.folder + "/artifact.json")
      try Disk.flushFolder(object.folder)
    }
    try Disk.flushFile(recipe)
  }

  fileprivate func place(in store: ArtifactStore) throws {
    guard case .large(let objects, _, _) = self else { return }
    for object in objects { try store.place(object.record, from: object.folder, replacing: object.replaces) }
  }
}
