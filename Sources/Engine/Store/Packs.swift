import Columns
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The packs of a store as this process knows them. What another process adds or takes away is seen at the next question: each change makes the file
/// `packs/.changes` a byte longer, and its size is asked for every time.
final class Packs: Sendable {
  let folder: String
  private let state = Mutex(State())

  /// A file that lies in a pack.
  struct Found: Sendable {
    let pack: Pack
    let entry: Pack.Entry

    var contents: [UInt8]? { pack.contents(entry) }
  }

  private struct State {
    /// The last size of `.changes` that was seen; nil: never looked.
    var changes: Int?
    var packs: [String: Pack] = [:]
    var files: [String: Found] = [:]
  }

  init(in store: String) { folder = store + "/packs" }

  private var changes: String { folder + "/.changes" }

  /// The file of that name, as the store names it.
  func file(_ name: String) -> Found? {
    // Looked at before anybody has to wait.
    let seen = length
    return state.withLock { state in
      if state.changes != seen { refresh(&state) }
      return state.files[name]
    }
  }

  /// All of them by name, ascending.
  var all: [Pack] {
    state.withLock { state in
      refresh(&state)
      return state.packs.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
  }

  /// Of the file of changes; -1: there is none.
  private var length: Int { Disk.size(ofFile: changes) ?? -1 }

  private func refresh(_ state: inout State) {
    let now = length
    if state.changes == now { return }
    state.changes = now
    let names = Disk.names(in: folder).filter { $0.hasSuffix(".pack") }, wanted = Set(names)
    forget(state.packs.keys.filter { !wanted.contains($0) }, &state)
    for name in names where state.packs[name] == nil { if let pack = Pack(path: folder + "/" + name) { learn(pack, &state) } }
  }

  private func learn(_ pack: Pack, _ state: inout State) {
    state.packs[pack.name] = pack
    for entry in pack.entries { state.files[entry.name] = Found(pack: pack, entry: entry) }
  }

  private func forget(_ names: [String], _ state: inout State) {
    if names.isEmpty { return }
    for name in names { state.packs[name] = nil }
    // What lay in two packs is found in the other one again.
    state.files = [:]
    for pack in state.packs.values.sorted(by: { $0.name < $1.name }) { learn(pack, &state) }
  }

  // MARK: Changes

  /// Writes a pack under a temporary name; it is on the disk when this returns. Its name in the store.
  static func write(_ files: [Pack.File], to temporary: String) throws -> String {
    let bytes = Pack.bytes(of: files)
    try Disk.write(bytes, to: temporary, durably: true)
    return "\(bytes.withUnsafeBytes { Digest(of: $0) }).pack"
  }

  /// Gives a pack its place, durably.
  func place(_ temporary: String, as name: String) throws {
    if !Disk.isFolder(folder) {
      try Disk.makeFolders(folder)
      try Disk.flushFolder(Disk.folder(of: folder))
    }
    guard rename(temporary, folder + "/" + name) == 0 else { throw Disk.failure("write", folder + "/" + name) }
    try Disk.flushFolder(folder)
    tell { state in if let pack = Pack(path: folder + "/" + name) { learn(pack, &state) } }
  }

  /// Takes packs away.
  func remove(_ names: [String]) throws {
    if names.isEmpty { return }
    for name in names { unlink(folder + "/" + name) }
    try Disk.flushFolder(folder)
    tell { state in forget(names, &state) }
  }

  /// Has other processes look again. Where that fails they make again what they could have found, and nothing worse.
  private func tell(_ change: (inout State) -> Void) {
    state.withLock { state in
      let file = Disk.opened(changes, O_WRONLY | O_CREAT | O_APPEND, 0o666)
      var length = -1
      if file >= 0 {
        defer { close(file) }
        var status = stat()
        if appendByte(file), fstat(file, &status) == 0 { length = Int(status.st_size) }
      }
      change(&state)
      // Only this process has changed anything since it looked last.
      if let before = state.changes, length == max(before, 0) + 1 { state.changes = length }
    }
  }
}

/// Outside of the class, whose own `write` hides the C function.
private func appendByte(_ file: Int32) -> Bool { withUnsafeBytes(of: UInt8(10)) { write(file, $0.baseAddress!, 1) } == 1 }
