import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Which runs of a store stay. Pinned ones, those under way and the newest of each pipeline always do.
public struct CollectionRules: Sendable {
  /// The newest so many of each pipeline.
  public var runs = 10
  /// In seconds: older runs go, though they be among the newest.
  public var age: Int?
  /// Runs go, the oldest first, until the store is not larger.
  public var bytes: Int?

  public init() {}
}

/// What goes from a store: runs that no rule keeps, and what no other run gave. `cache gc`.
public struct StoreCollection: Sendable {
  /// Oldest first.
  public let runs: [String]
  public let recipes: [String]
  public let artifacts: [String]
  /// What is left of each pack from which something goes; nothing: the pack goes.
  let packs: [(name: String, left: [Pack.Entry])]
  /// Freed by it: files that have another name elsewhere free nothing.
  public let bytes: Int
  /// Of the store after it.
  public let left: Int

  public var json: JSONValue {
    let texts = { (list: [String]) in JSONValue.array(list.map { .string($0) }) }
    return ["bytes": .integer(bytes), "left": .integer(left), "runs": texts(runs), "recipes": texts(recipes), "artifacts": texts(artifacts)]
  }
}

extension ArtifactStore {
  /// Takes away what `rules` do not keep; `isDry`: only says what. Runs may be under way: what they use stays.
  /// `waits` is told who is waited for, when that takes longer than a second.
  public func collect(
    _ rules: CollectionRules, isDry: Bool, waits: @escaping @Sendable (LockHolder?) -> Void = { _ in }
  ) throws -> StoreCollection {
    guard Disk.isFolder(path) else { return StoreCollection(runs: [], recipes: [], artifacts: [], packs: [], bytes: 0, left: 0) }
    try prepare()
    guard let gate = StoreGate(self, waits: waits) else { throw Disk.failure("write", path + "/gate") }
    return try gate.holdAlone {
      let contents = try StoreContents(self)
      let collection = contents.collection(rules)
      if isDry { return collection }
      let aside = try TemporaryFolder(in: self)
      // What names is taken before what is named: an end at any moment leaves only what the next collection takes.
      for name in collection.recipes { unlink(recipes + "/" + name) }
      try Disk.flushFolder(recipes)
      try repack(collection.packs, through: aside)
      for name in collection.runs { Disk.remove(runs + "/" + name) }
      for name in collection.artifacts {
        // In one step, so that no one ever sees half of it.
        let place = aside.fresh("object")
        if rename(objects + "/" + name, place) == 0 { Disk.remove(place) } else { Disk.remove(objects + "/" + name) }
      }
      Catalog.open(self).forget(runs: collection.runs)
      return collection
    }
  }

  /// Writes what is left of packs into new ones, and takes the old ones away.
  private func repack(_ old: [(name: String, left: [Pack.Entry])], through aside: TemporaryFolder) throws {
    let known = Dictionary(uniqueKeysWithValues: packs.all.map { ($0.name, $0) })
    for (name, left) in old where !left.isEmpty {
      guard let pack = known[name] else { continue }
      let files = try left.map { entry in
        guard let bytes = pack.contents(entry) else { throw Disk.failure("read", pack.path) }
        return Pack.File(name: entry.name, bytes: bytes)
      }
      let path = aside.fresh("pack")
      try packs.place(path, as: Packs.write(files, to: path))
    }
    try packs.remove(old.map(\.name))
  }
}

/// A store as it stands: what names what, and how large everything is.
private struct StoreContents {
  struct Run {
    let id: String
    let pipeline: String
    let age: Int
    /// Digests of what it gave; nil: it has no record.
    let outputs: Set<String>?
    /// Keys of what it gave them by, those of expectations among them.
    var keys: Set<String> = []
    /// Whatever the rules say.
    let isHeld: Bool
  }

  struct StoredRecipe {
    let name: String
    /// None of what an expectation counted.
    let outputs: [String]
    /// Of a piece of a stage's work: its family and its source files.
    let part: (family: Digest, sources: Set<String>)?
    /// Of the whole of one.
    let whole: (family: Digest, sources: Set<String>)?
    let isInUse: Bool
  }

  private let runs: [Run]
  private let recipes: [StoredRecipe]
  private let artifacts: [(name: String, isInUse: Bool)]
  private let files: [(path: String, identity: String, bytes: Int, links: Int)]
  /// Packs in use stay as they are.
  private let packs: [(pack: Pack, isInUse: Bool)]
  /// Of those nothing can be had.
  private let unreadable: [(name: String, bytes: Int)]
  /// What has a file or folder of its own, by its name in a pack: there nobody reads it any more.
  private let superseded: Set<String>

  /// Throws when a part of it cannot be read: what cannot be seen must not be taken for nothing.
  init(_ store: ArtifactStore) throws {
    let oldest = LiveRun.oldest(in: store)
    let isInUse = { (path: String) in
      guard let oldest, let time = FileTime(ofFile: path) else { return false }
      return time >= oldest
    }
    runs = try Disk.list(store.runs).filter { $0 != "latest" && !$0.hasPrefix(".") }.map { id in
      let folder = store.runs + "/" + id
      let written = try Disk.read(folder + "/run.json")
      guard let record = written.flatMap({ JSONReader.readAll($0, file: id).document?.value }) else {
        return Run(id: id, pipeline: "", age: FileTime(ofFile: folder)?.age ?? 0, outputs: nil, isHeld: isInUse(folder) || Disk.exists(folder + "/pinned"))
      }
      var outputs: Set<String> = [], keys: Set<String> = []
      for stage in record["stages"]?.array ?? [] {
        for recipe in [stage] + (stage["expectations"]?.array ?? []) { if let key = recipe["recipe"]?.string { keys.insert(key) } }
        for output in stage["outputs"]?.members ?? [] { if let digest = output.value["digest"]?.string { outputs.insert(digest) } }
      }
      return Run(
        id: id, pipeline: record["pipeline"]?.string ?? "", age: FileTime(ofFile: folder + "/run.json")?.age ?? 0, outputs: outputs, keys: keys,
        isHeld: Disk.exists(folder + "/pinned"))
    }
    packs = store.packs.all.map { ($0, isInUse($0.path)) }
    let readable = Set(packs.map(\.pack.name))
    // What cannot be opened at this moment may be whole.
    unreadable = try Disk.list(store.packs.folder).filter { $0.hasSuffix(".pack") && !readable.contains($0) }.compactMap { name in
      let path = store.packs.folder + "/" + name, bytes = try Disk.read(path)?.count
      return Pack(path: path) == nil ? bytes.map { (name, $0) } : nil
    }
    let loose = try Disk.list(store.recipes), known = Set(loose)
    var places: [String: (pack: Pack, entry: Pack.Entry, isInUse: Bool)] = [:]
    for (pack, isUsed) in packs {
      for entry in pack.entries where entry.name.hasPrefix("recipes/") {
        // Of two that hold the same recipe the one in use counts.
        let name = String(entry.name.dropFirst(8))
        if !known.contains(name), isUsed || places[name] == nil { places[name] = (pack, entry, isUsed) }
      }
    }
    let packed = places
    recipes = try (loose + packed.keys.sorted()).map { name in
      let path = store.recipes + "/" + name, place = packed[name]
      let written = try place.map { $0.pack.contents($0.entry) } ?? Disk.read(path)
      // What is not as it was written is worth nothing: it goes.
      guard let written, let key = name.hasSuffix(".json") ? Digest(name.dropLast(5)) : nil, let record = ArtifactStore.recipe(key, of: written) else {
        return StoredRecipe(name: name, outputs: ["damaged"], part: nil, whole: nil, isInUse: place?.isInUse ?? isInUse(path))
      }
      let family = Self.family(record.recipe)
      let isPart = record.recipe["part"] != nil
      return StoredRecipe(
        name: name, outputs: record.outputs.map(\.digest.description), part: isPart ? family : nil, whole: isPart ? nil : family, isInUse: place?.isInUse ?? isInUse(path))
    }
    let folders = try Disk.list(store.objects)
    var inPacks: [String: Bool] = [:]
    for (pack, isUsed) in packs { for name in Self.artifacts(in: pack) { inPacks[name] = isUsed || inPacks[name] ?? false } }
    for folder in folders { inPacks[folder] = nil }
    artifacts = folders.map { ($0, isInUse(store.objects + "/" + $0)) } + inPacks.keys.sorted().map { ($0, inPacks[$0]!) }
    var files: [(String, String, Int, Int)] = []
    func look(_ path: String) {
      var status = stat()
      guard lstat(store.path + "/" + path, &status) == 0 else { return }
      if status.st_mode & S_IFMT == S_IFDIR {
        for name in Disk.names(in: store.path + "/" + path) { look(path + "/" + name) }
      } else if status.st_mode & S_IFMT == S_IFREG {
        files.append((path, "\(status.st_dev):\(status.st_ino)", Int(status.st_size), Int(status.st_nlink)))
      }
    }
    for folder in ["objects", "recipes", "runs"] { look(folder) }
    for (pack, _) in packs { look("packs/" + pack.name) }
    for pack in unreadable { look("packs/" + pack.name) }
    superseded = Set(loose.map { "recipes/" + $0 } + folders)
    self.files = files
  }

  private static func artifacts(in pack: Pack) -> Set<String> { Set(pack.entries.compactMap { artifact(of: $0) }) }

  /// The artifact to which a file of a pack belongs; nil: it is a recipe.
  private static func artifact(of entry: Pack.Entry) -> String? {
    let parts = entry.name.split(separator: "/")
    return parts.count == 3 && parts[0] == "objects" ? String(parts[1]) : nil
  }

  /// Kind, versions and settings: what the pieces of a stage's work share with the whole; and the files of its source.
  private static func family(_ recipe: JSONValue) -> (Digest, Set<String>) {
    let shared = ["format", "kind", "version", "shares", "settings", "parameters"].map { recipe[$0] ?? .null }
    let files = (recipe["sources"]?.array ?? []).flatMap { $0.array ?? [] }.map(\.canonical)
    return (Digest(of: JSONValue.array(shared).canonical), Set(files))
  }

  func collection(_ rules: CollectionRules) -> StoreCollection {
    var goes = Set<String>(), mayGo: [String] = [], rank: [String: Int] = [:]
    // The newest first; ids sort by time.
    for run in runs.reversed() {
      if run.outputs == nil {
        if !run.isHeld { goes.insert(run.id) }
        continue
      }
      let place = rank[run.pipeline, default: 0]
      rank[run.pipeline] = place + 1
      if run.isHeld || place == 0 { continue }
      if place >= rules.runs || run.age > rules.age ?? .max { goes.insert(run.id) } else { mayGo.append(run.id) }
    }
    var found = collection(without: goes)
    guard let limit = rules.bytes, found.left > limit, !mayGo.isEmpty else { return found }
    // The fewest, oldest first, with which the store is small enough; all of them when it never is.
    let oldest = Array(mayGo.reversed().sorted())
    var low = 1, high = oldest.count
    while low < high {
      let middle = (low + high) / 2
      if collection(without: goes.union(oldest[..<middle])).left <= limit { high = middle } else { low = middle + 1 }
    }
    found = collection(without: goes.union(oldest[..<low]))
    return found
  }

  private func collection(without goes: Set<String>) -> StoreCollection {
    var given: Set<String> = [], asked: Set<String> = []
    for run in runs where !goes.contains(run.id) {
      given.formUnion(run.outputs ?? [])
      asked.formUnion(run.keys)
    }
    var families: [Digest: Set<String>] = [:], stays = Set<String>()
    // A recipe that gave nothing to keep, as those of expectations, stays as long as a run that tells of it.
    let isNamed = { (recipe: StoredRecipe) in
      recipe.outputs.isEmpty ? asked.contains(String(recipe.name.dropLast(5))) : recipe.outputs.allSatisfy(given.contains)
    }
    for recipe in recipes where recipe.part == nil && (recipe.isInUse || isNamed(recipe)) {
      stays.insert(recipe.name)
      if let whole = recipe.whole { families[whole.family, default: []].formUnion(whole.sources) }
    }
    for recipe in recipes {
      guard let part = recipe.part else { continue }
      // A piece of a table has no files: it stays as long as its stage.
      if recipe.isInUse || families[part.family].map({ part.sources.isSubset(of: $0) }) ?? false { stays.insert(recipe.name) }
    }
    var used: Set<String> = given
    for recipe in recipes where stays.contains(recipe.name) { used.formUnion(recipe.outputs) }
    let gone = artifacts.filter { !$0.isInUse && !used.contains($0.name) }.map(\.name)
    let removedRecipes = recipes.map(\.name).filter { !stays.contains($0) }
    let removedRuns = runs.map(\.id).filter(goes.contains)
    let (repacked, packedBytes) = packsWithout(recipes: Set(removedRecipes), artifacts: Set(gone))
    // By folder or file directly below objects, recipes and runs.
    let removed = Set(gone.map { "objects/" + $0 } + removedRecipes.map { "recipes/" + $0 } + removedRuns.map { "runs/" + $0 })
    var links: [String: (removed: Int, all: Int, bytes: Int)] = [:]
    for file in files {
      let place = file.path.split(separator: "/", maxSplits: 2).prefix(2).joined(separator: "/")
      links[file.identity, default: (0, file.links, file.bytes)].removed += removed.contains(place) ? 1 : 0
    }
    var freed = 0, total = 0
    for file in links.values {
      total += file.bytes
      if file.removed == file.all { freed += file.bytes }
    }
    freed += packedBytes
    return StoreCollection(runs: removedRuns, recipes: removedRecipes, artifacts: gone, packs: repacked, bytes: freed, left: total - freed)
  }

  /// What is left of the packs that hold something of it, and how many bytes that frees.
  private func packsWithout(recipes: Set<String>, artifacts: Set<String>) -> ([(name: String, left: [Pack.Entry])], Int) {
    var changed: [(name: String, left: [Pack.Entry])] = unreadable.map { ($0.name, []) }, freed = unreadable.reduce(0) { $0 + $1.bytes }
    for (pack, isInUse) in packs where !isInUse {
      let left = pack.entries.filter { entry in
        if let artifact = Self.artifact(of: entry) { return !artifacts.contains(artifact) && !superseded.contains(artifact) }
        return !recipes.contains(String(entry.name.dropFirst(8))) && !superseded.contains(entry.name)
      }
      if left.count == pack.entries.count { continue }
      changed.append((pack.name, left))
      freed += pack.byteCount - (left.isEmpty ? 0 : Pack.byteCount(of: left.map { ($0.name, $0.place.count) }))
    }
    return (changed, freed)
  }
}
