import Columns
import Diagnostics
import Formats
import Pipelines
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Recipes and artifacts that several stores share: a folder, or objects behind an address. Files are named as in a store; `artifact.json` comes
/// after the files it names and a recipe after its artifacts, so that what can be found is whole.
///
///     let cache = try SharedCache("s3://team/millrace", isReadOnly: true)
// @unchecked: mutable state lies in mutexes; the place is constant.
public final class SharedCache: @unchecked Sendable {
  /// As the person gave it.
  public let name: String
  public let isReadOnly: Bool
  private let place: any SharedPlace
  /// Why it is asked no more in this process.
  private let failure = Mutex<Diagnostic?>(nil)
  /// Recipes and artifacts that were found to be not what was written: who makes them puts them there again.
  private let broken = Mutex<Set<String>>([])

  public init(_ name: String, isReadOnly: Bool = false) throws {
    self.name = name
    self.isReadOnly = isReadOnly
    if RemoteAddress.isAddress(name) {
      let address = try RemoteAddress(name)
      if address.isPattern, !name.hasSuffix("/") { throw Diagnostic("a shared cache is one place", expected: "an address without stars") }
      place = SharedObjects(address: address)
    } else {
      if Disk.exists(name), !Disk.isFolder(name) { throw Diagnostic("the shared cache \"\(name)\" is not a folder") }
      if isReadOnly, !Disk.isFolder(name) { throw Diagnostic("there is no shared cache \"\(name)\"") }
      place = SharedFolder(path: name)
    }
  }

  // MARK: Push

  /// What came of a transfer.
  public struct Transfer: Sendable {
    public fileprivate(set) var recipes = 0, artifacts = 0, bytes = 0
    /// Recipes that were on the other side already.
    public fileprivate(set) var known = 0
    /// What was not as it was written, and stayed where it is.
    public fileprivate(set) var findings: [StoreFinding] = []

    public var json: JSONValue {
      [
        "recipes": .integer(recipes), "artifacts": .integer(artifacts), "bytes": .integer(bytes), "known": .integer(known),
        "findings": .array(findings.map(\.json)),
      ]
    }
  }

  /// Gives it what a store holds, but for what it has.
  public func push(from store: ArtifactStore, width: Int) throws -> Transfer {
    if isReadOnly { throw Diagnostic("the shared cache \"\(name)\" is only to be read", hint: "leave --cache-read-only away") }
    var transfer = Transfer()
    for key in store.recipeKeys { try push(key, from: store, width: width, &transfer) }
    return transfer
  }

  func push(_ key: Digest, from store: ArtifactStore, width: Int, _ transfer: inout Transfer) throws {
    let name = "recipes/\(key).json", path = store.path + "/" + name
    guard let written = store.writtenRecipe(key), let recipe = ArtifactStore.recipe(key, of: written) else {
      return transfer.findings.append(StoreFinding(path: name, what: "it is not what was written"))
    }
    let kept = recipe.outputs.filter { $0.unkept == nil }.map { "objects/\($0.digest)" }
    if !isBroken([name] + kept), try place.size(name) == written.count {
      transfer.known += 1
      return
    }
    for output in recipe.outputs where output.unkept == nil {
      let folder = "objects/\(output.digest)"
      if !isBroken([folder]), try place.size(folder + "/artifact.json") != nil { continue }
      // Read whole before it leaves: nobody else shall find what is damaged here.
      guard case .sound(let record) = store.condition(of: output.digest), store.isIntact(record, width: width) else {
        return transfer.findings.append(StoreFinding(path: folder, what: "it is missing or not what was written"))
      }
      for file in record.files.map(\.name) + ["artifact.json"] { try put(file, in: store.place(of: record.digest), as: folder + "/" + file, from: store) }
      transfer.artifacts += 1
      transfer.bytes += record.byteCount
    }
    if Disk.exists(path) { try place.put(path, as: name) } else { try put(written, as: name, from: store) }
    broken.withLock { $0.subtract([name] + kept) }
    transfer.recipes += 1
  }

  private func put(_ file: String, in artifact: ArtifactPlace, as name: String, from store: ArtifactStore) throws {
    switch artifact {
    case .folder(let folder): try place.put(folder + "/" + file, as: name)
    case .pack:
      guard let bytes = artifact.contents(file) else { throw Disk.failure("read", name, code: ENOENT) }
      try put(bytes, as: name, from: store)
    }
  }

  /// What lies in a pack gets a file of its own for as long as it is copied.
  private func put(_ bytes: [UInt8], as name: String, from store: ArtifactStore) throws {
    let aside = try TemporaryFolder(in: store), path = aside.fresh("file")
    try Disk.write(bytes, to: path, durably: false)
    try place.put(path, as: name)
  }

  private func isBroken(_ names: [String]) -> Bool { broken.withLock { !$0.isDisjoint(with: names) } }

  /// `entry`: the recipe or artifact to which the file belongs.
  private func tell(_ what: String, of file: String, _ entry: String, _ transfer: inout Transfer) {
    transfer.findings.append(StoreFinding(path: file, what: what))
    broken.withLock { _ = $0.insert(entry) }
  }

  // MARK: Pull

  /// Brings a store what is here and not there. Every byte is compared with its digest before it gets its place.
  public func pull(into store: ArtifactStore, width: Int) throws -> Transfer {
    try store.prepare()
    TemporaryFolder.sweep(store)
    // So that a collection beside this leaves alone what arrives.
    let live = try LiveRun(in: store)
    defer { live.end() }
    let arrival = try SharedArrival(store, width: width)
    var transfer = Transfer()
    for entry in try place.names(in: "recipes") {
      guard entry.hasSuffix(".json"), let key = Digest(entry.dropLast(5)) else { continue }
      if store.holds(key) { transfer.known += 1 } else { _ = try pull(key, arrival, &transfer) }
    }
    return transfer
  }

  /// Brings one recipe with its artifacts; false: it is not here, or not as it was written.
  func pull(_ key: Digest, _ arrival: SharedArrival, _ transfer: inout Transfer) throws -> Bool {
    let name = "recipes/\(key).json"
    guard let size = try place.size(name) else { return false }
    guard size <= SharedArrival.recordLimit else {
      tell("it is too large for a recipe", of: name, name, &transfer)
      return false
    }
    let written = arrival.fresh("recipe")
    try place.fetch(name, to: written, atMost: size)
    guard let bytes = Disk.contents(written), let recipe = ArtifactStore.recipe(key, of: bytes) else {
      tell("it is not what was written", of: name, name, &transfer)
      return false
    }
    for output in recipe.outputs where output.unkept == nil {
      if case .sound = arrival.store.condition(of: output.digest) { continue }
      guard let bytes = try pull(artifact: output.digest, arrival, &transfer) else { return false }
      transfer.artifacts += 1
      transfer.bytes += bytes
    }
    try arrival.commit(recipe, key: key)
    transfer.recipes += 1
    return true
  }

  /// Its bytes; nil when it is not here or not as it was written.
  private func pull(artifact digest: Digest, _ arrival: SharedArrival, _ transfer: inout Transfer) throws -> Int? {
    let folder = "objects/\(digest)", name = folder + "/artifact.json"
    guard let size = try place.size(name), size <= SharedArrival.recordLimit else {
      tell("it has no artifact.json", of: folder, folder, &transfer)
      return nil
    }
    let into = try arrival.folder()
    defer { Disk.remove(into) }
    try place.fetch(name, to: into + "/artifact.json", atMost: size)
    guard let record = SharedArrival.record(in: into, digest) else {
      tell("it is of another version of Millrace, or not what was written", of: name, folder, &transfer)
      return nil
    }
    for file in record.files {
      guard try place.size(folder + "/" + file.name) == file.bytes else {
        tell("it is missing or of another size", of: folder + "/" + file.name, folder, &transfer)
        return nil
      }
      try place.fetch(folder + "/" + file.name, to: into + "/" + file.name, atMost: file.bytes)
    }
    if let wrong = try arrival.commit(record, from: into) {
      tell("its bytes are not what was written", of: folder + "/" + wrong, folder, &transfer)
      return nil
    }
    return record.byteCount
  }

  // MARK: Beside a run

  /// Brings a recipe that a run asks for; false when it is not to be had. The first failure is the last question.
  func bring(_ key: Digest, _ arrival: SharedArrival) -> Bool {
    if failure.withLock({ $0 != nil }) { return false }
    var transfer = Transfer()
    do {
      let isHere = try pull(key, arrival, &transfer)
      for finding in transfer.findings { arrival.tell(Diagnostic("shared cache \"\(name)\": \(finding.path): \(finding.what); it is not used")) }
      return isHere
    } catch {
      fail(error, arrival.tell)
      return false
    }
  }

  /// Gives it what a run made.
  func give(_ keys: [Digest], from store: ArtifactStore, width: Int, tell: (Diagnostic) -> Void) {
    if isReadOnly || failure.withLock({ $0 != nil }) { return }
    var transfer = Transfer()
    do { for key in keys { try push(key, from: store, width: width, &transfer) } } catch { fail(error, tell) }
  }

  private func fail(_ error: any Error, _ tell: (Diagnostic) -> Void) {
    let reason = Mistakes(describing: error).all.first ?? Diagnostic("\(error)")
    let diagnostic = Diagnostic("the shared cache \"\(name)\" is left out: \(reason.message)", hint: reason.hint, severity: .warning)
    failure.withLock { $0 = diagnostic }
    tell(diagnostic)
  }
}
