import Columns
import Diagnostics
import Formats
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One run with everything it gave, as a file: `runs export`, `runs import`.
///
///     run/run.json, run/run.html      what it says; pictures and exports are artifacts too, and get their names there again
///     recipes/<key>.json              of each of its stages
///     objects/<digest>/artifact.json  before the files of the artifact
///
/// The same run gives the same bytes. Of an archive nothing is believed: names, kinds, sizes and every digest are compared before anything gets its place.
public struct RunArchive: Sendable {
  private let store: ArtifactStore
  private let width: Int

  public init(store: ArtifactStore, width: Int) {
    self.store = store
    self.width = width
  }

  // MARK: Export

  /// Writes the run that a person means; gives its id and the bytes of the file.
  public func export(_ word: String, to path: String) throws -> (id: String, bytes: Int) {
    let registry = RunRegistry(store: store)
    let id = try registry.resolve(word), record = try registry.record(id)
    let aside = "\(path).\(getpid()).partial"
    defer { unlink(aside) }
    let archive = try ArchiveWriter(path: aside)
    let add = { (name: String, path: String) in
      let bytes = try FileBytes(path: path, name: name)
      try archive.add(name, bytes, size: bytes.size)
    }
    for name in RunUnpacking.runFiles { try add("run/" + name, "\(store.runs)/\(id)/\(name)") }
    for key in Self.recipes(of: record) {
      // A recipe may be gone: the artifacts are what counts.
      guard let written = store.writtenRecipe(key), ArtifactStore.recipe(key, of: written) != nil else { continue }
      try archive.add("recipes/\(key).json", HeldBytes(written, name: "recipes/\(key).json"), size: written.count)
    }
    for digest in Self.artifacts(of: record) {
      guard case .sound(let artifact) = store.condition(of: digest), store.isIntact(artifact, width: width) else {
        throw Diagnostic("artifact \(digest) of run \"\(id)\" is not in the store, or not as it was written", hint: "millrace runs reproduce \(id)")
      }
      for file in ["artifact.json"] + artifact.files.map(\.name) {
        let name = "objects/\(digest)/\(file)"
        switch store.place(of: digest) {
        case .folder(let folder): try add(name, folder + "/" + file)
        case .pack(let packs, _):
          guard let bytes = packs.file(name)?.contents else { throw Disk.failure("read", name, code: ENOENT) }
          try archive.add(name, HeldBytes(bytes, name: name), size: bytes.count)
        }
      }
    }
    try archive.finish()
    try Disk.flushFile(aside)
    guard rename(aside, path) == 0 else { throw Disk.failure("write", path) }
    return (id, Disk.size(ofFile: path) ?? 0)
  }

  private static func recipes(of record: JSONValue) -> [Digest] {
    // Of a stage that failed or was skipped the recipe may be there from another run; it is none of this one's.
    let ended = (record["stages"]?.array ?? []).filter { $0["outputs"]?.members?.isEmpty == false }
    return Set(ended.compactMap { $0["recipe"]?.string.flatMap { Digest($0) } }).sorted()
  }

  /// Those that were kept.
  private static func artifacts(of record: JSONValue) -> [Digest] {
    Set((record["stages"]?.array ?? []).flatMap { stage in
      (stage["outputs"]?.members ?? []).compactMap { $0.value["kept"]?.bool == false ? nil : $0.value["digest"]?.string.flatMap { Digest($0) } }
    }).sorted()
  }

  // MARK: Import

  /// Takes a run from a file; its id, and whether it was here already.
  public func take(from path: String) throws -> (id: String, wasKnown: Bool) {
    // What packs best of all is still taken: how much each file may have is said before it comes.
    let archive = try Archive(path: path, limits: UnpackLimits(ratio: 1100))
    try store.prepare()
    TemporaryFolder.sweep(store)
    let live = try LiveRun(in: store)
    defer { live.end() }
    let arrival = try SharedArrival(store, width: width)
    let unpacked = try RunUnpacking(archive, in: arrival.folder(), path)
    let record = try unpacked.record(), id = unpacked.id(of: record)
    guard let id else { throw unpacked.refusal("its run.json names no run") }
    let target = store.runs + "/" + id, run = unpacked.folder + "/run"
    if Disk.exists(target) {
      guard Disk.contents(target + "/run.json") == Disk.contents(run + "/run.json") else {
        throw Diagnostic("the store has another run \"\(id)\"", hint: "millrace runs show \(id)")
      }
      return (id, true)
    }
    let artifacts = Set(Self.artifacts(of: record)), recipes = Set(Self.recipes(of: record))
    for digest in unpacked.artifacts {
      guard artifacts.contains(digest) else { throw unpacked.refusal("artifact \(digest) is none of the run's") }
    }
    for digest in artifacts.sorted() where !unpacked.artifacts.contains(digest) { throw unpacked.refusal("artifact \(digest) of the run is missing") }
    // Everything is looked at before the first gets its place.
    let sound = try unpacked.artifacts.map { digest -> ArtifactRecord in
      let folder = "\(unpacked.folder)/objects/\(digest)"
      guard let artifact = SharedArrival.record(in: folder, digest) else { throw unpacked.refusal("objects/\(digest)/artifact.json is not what was written") }
      let names = Set(artifact.files.map(\.name) + ["artifact.json"])
      for name in Disk.names(in: folder) where !names.contains(name) { throw unpacked.refusal("objects/\(digest)/\(name) is no part of the artifact") }
      if case .file(_, let name, _) = artifact.content, !RunUnpacking.isName(name) || RunUnpacking.runFiles.contains(name) {
        throw unpacked.refusal("objects/\(digest) is a file of a name that leads elsewhere")
      }
      for file in artifact.files {
        let path = folder + "/" + file.name
        guard Disk.size(ofFile: path) == file.bytes, try FileDigest.of(path, width: width) == file.checksum else {
          throw unpacked.refusal("objects/\(digest)/\(file.name) is not what was written")
        }
      }
      return artifact
    }
    var read: [(key: Digest, record: RecipeRecord)] = []
    for key in unpacked.recipes {
      guard recipes.contains(key), let bytes = Disk.contents("\(unpacked.folder)/recipes/\(key).json"), let recipe = ArtifactStore.recipe(key, of: bytes) else {
        throw unpacked.refusal("recipes/\(key).json is not what was written, or none of the run's")
      }
      guard recipe.outputs.allSatisfy({ $0.unkept != nil || artifacts.contains($0.digest) }) else {
        throw unpacked.refusal("recipes/\(key).json names artifacts that are none of the run's")
      }
      read.append((key, recipe))
    }
    for artifact in sound { _ = try arrival.commit(artifact, from: "\(unpacked.folder)/objects/\(artifact.digest)") }
    for (key, recipe) in read { try arrival.commit(recipe, key: key) }
    for artifact in sound {
      // Its name was looked at with the rest.
      guard case .file(let file, let name, _) = artifact.content, !Disk.exists(run + "/" + name) else { continue }
      try Disk.linkOrCopy(store.path(of: file, in: artifact.digest), to: run + "/" + name)
    }
    for name in RunUnpacking.runFiles { try Disk.flushFile(run + "/" + name) }
    guard rename(run, target) == 0 else { throw Disk.failure("write", target) }
    try Disk.flushFolder(store.runs)
    return (id, false)
  }
}
