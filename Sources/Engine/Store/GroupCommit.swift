import Columns
import Diagnostics
import Dispatch
import Synchronization

/// Makes what stages wrote durable and gives it its place. Those that come while others are being flushed are flushed together, as databases
/// commit in groups (DeWitt et al. 1984): one of them leads, and does it for all that wait at that moment. Where many more are about to come the one that
/// leads waits a little for them.
///
/// In this order, so that a recipe never names bytes that a power failure can take away: files and folders under temporary names are flushed, artifacts get
/// their places, the folder of artifacts is flushed, recipes get their places, their folder is flushed.
final class GroupCommit: Sendable {
  /// What one stage gives: written, not flushed.
  struct Publication: Sendable {
    struct Object: Sendable {
      let record: ArtifactRecord
      /// With all its files and its `artifact.json`.
      let folder: String
      /// What is there under this name is damaged.
      let replaces: Bool
    }
    let objects: [Object]
    let key: Digest
    /// A file of the recipe's words.
    let recipe: String
  }

  private let store: ArtifactStore
  private let gate: StoreGate?
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
  }

  /// `gate` keeps collections away while something gets its place; `flushAll` flushes whatever was written to the store so far; nil: files are
  /// flushed one by one.
  init(_ store: ArtifactStore, gate: StoreGate? = nil, flushAll: (@Sendable () throws -> Void)?) {
    self.store = store
    self.gate = gate
    self.flushAll = flushAll
  }

  /// With whatever the file system of the store can do.
  convenience init(_ store: ArtifactStore, gate: StoreGate?) {
    if let fileSystem = FileSystemFlush(of: store.path) {
      self.init(store, gate: gate, flushAll: { try fileSystem.flush() })
    } else {
      self.init(store, gate: gate, flushAll: nil)
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
    if flushAll != nil, expectsMore, gathers() { _ = own.turn.wait(timeout: .now() + Self.gathering) }
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
    flush(group)
    // An artifact that is there already must not go before a recipe names it again.
    if let gate { gate.hold { place(group) } } else { place(group) }
    for member in group where member.outcome == nil { member.outcome = .success(()) }
  }

  private func place(_ group: [Member]) {
    attempt(group) { try $0.place(in: self.store) }
    together(group) { try Disk.flushFolder(self.store.objects) }
    attempt(group) { try self.store.place($0.key, from: $0.recipe) }
    together(group) { try Disk.flushFolder(self.store.recipes) }
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
    for object in objects {
      for file in object.record.files { try Disk.flushFile(object.folder + "/" + file.name) }
      try Disk.flushFile(object.folder + "/artifact.json")
      try Disk.flushFolder(object.folder)
    }
    try Disk.flushFile(recipe)
  }

  fileprivate func place(in store: ArtifactStore) throws {
    for object in objects { try store.place(object.record, from: object.folder, replacing: object.replaces) }
  }
}
