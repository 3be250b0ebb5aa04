import Columns
import Diagnostics
import Pipelines
import Testing

@testable import Engine

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Small artifacts and their recipes in files that several stages share.
@Suite(.serialized) struct PackTests {
  private static let files = [
    Pack.File(name: "recipes/one.json", bytes: Array("{}".utf8)), Pack.File(name: "objects/a/artifact.json", bytes: []),
    Pack.File(name: "objects/a/part-00000.arrow", bytes: (0...255).map { UInt8($0) }),
  ]

  /// `count` stages without inputs; each gives one row.
  private func story(_ count: Int = 100, add: Int = 0) -> Story {
    let story = Story()
    for at in 0..<count { define(at, add: add, in: story) }
    return story
  }

  private func define(_ at: Int, add: Int, in story: Story) {
    let counter = story.counter
    story.stages.append(Story.Definition(
      name: "s\(at)", settings: ["at": .integer(at), "add": .integer(add)], needs: [], file: nil, outputs: [Binding.Output("table", .table(TableType(Story.schema)))]
    ) { _, context in
      counter.add("s\(at)")
      try context.writeTable("table", Story.table(x: [Int64(at + add)], y: [0]))
      return Metrics()
    })
  }

  private func values(_ report: RunReport, _ store: ArtifactStore) throws -> [Int64] {
    try report.stages.map { stage in
      guard case .table(let table) = try store.open(stage.outputs[0].record, type: .table(TableType(Story.schema)), reads: .all) else { return -1 }
      return Story.cells(try table.partitions[0].read(0), "x")[0]
    }
  }

  /// Writes other bytes to a file without giving it another inode.
  private func overwrite(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = try #require(Disk.contents(path))
    change(&bytes)
    let file = open(path, O_WRONLY | O_TRUNC)
    defer { close(file) }
    #expect(bytes.withUnsafeBytes { write(file, $0.baseAddress!, $0.count) } == bytes.count)
  }

  // MARK: The file

  @Test func whatIsWrittenIsRead() throws {
    let story = Story(), path = story.folder + "/some.pack"
    let bytes = Pack.bytes(of: Self.files)
    try Disk.write(bytes, to: path, durably: false)
    let pack = try #require(Pack(path: path))
    #expect(pack.entries.map(\.name) == Self.files.map(\.name))
    #expect(pack.entries.map { pack.contents($0) } == Self.files.map(\.bytes))
    #expect(bytes.count == Pack.byteCount(of: Self.files.map { ($0.name, $0.bytes.count) }) && pack.byteCount == bytes.count && pack.name == "some.pack")
  }

  @Test func whatWasCutOffGrownOrFlippedInItsListIsNoPack() throws {
    let story = Story(), path = story.folder + "/some.pack"
    let bytes = Pack.bytes(of: Self.files), listed = bytes.count - Self.files.reduce(0) { $0 + $1.bytes.count }
    func isPack(_ bytes: [UInt8]) throws -> Bool {
      Disk.remove(path)
      try Disk.write(bytes, to: path, durably: false)
      return Pack(path: path) != nil
    }
    for length in 0..<bytes.count { #expect(try !isPack(Array(bytes[..<length])), "cut at \(length)") }
    #expect(try !isPack(bytes + [0]))
    for at in 0..<listed {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[at] ^= 1 << UInt8(bit)
        #expect(try !isPack(flipped), "flipped at \(at)")
      }
    }
    #expect(try isPack(bytes))
    #expect(Pack(path: story.folder) == nil && Pack(path: story.folder + "/none") == nil)
  }

  // MARK: Runs

  @Test func stagesThatEndTogetherShareFilesAndAreFoundAgain() throws {
    let story = story()
    let first = try story.run()
    #expect(first.count(.executed) == 100 && story.worked().count == 100)
    let packs = story.store.packs.all
    // The last that are ready do not wait for more, and have files of their own.
    let packed = packs.flatMap(\.entries).filter { $0.name.hasPrefix("recipes/") }.count
    #expect((40...99).contains(packed) && packs.count < packed && Disk.names(in: story.store.recipes).count == 100 - packed)
    #expect(try values(first, ArtifactStore(path: story.store.path)) == (0..<100).map { Int64($0) })
    let second = try Executor(store: ArtifactStore(path: story.store.path)).run(story.plan, RunOptions(width: 2))
    #expect(second.count(.cached) == 100 && second.digests == first.digests && story.worked() == [])
    let findings = StoreFindings(of: story.store, width: 2)
    #expect(findings.all == [] && findings.recipes == 100 && findings.artifacts == 100)
    let statistics = StoreStatistics(of: story.store)
    #expect(statistics.objects == 100 && statistics.recipes == 100 && statistics.bytes > 100 * 500)
    #expect(Disk.names(in: story.store.temporary) == [] && Disk.names(in: story.store.locks) == [])
  }

  @Test func theCatalogIsMadeAgainFromPacks() throws {
    let story = story()
    _ = try story.run()
    for suffix in ["", "-wal", "-shm"] { Disk.remove(story.store.path + "/catalog.sqlite" + suffix) }
    let again = try story.run()
    #expect(again.count(.cached) == 100)
    #expect(Catalog.open(story.store).history(of: story.plan.pipeline).count == 100)
  }

  @Test func whatOneProcessAddsAndTakesAwayAnotherSees() throws {
    let story = Story()
    try story.store.prepare()
    let one = Packs(in: story.store.path), other = Packs(in: story.store.path)
    let place = { (files: [Pack.File]) throws -> String in
      let path = story.store.temporary + "/pack", name = try Packs.write(files, to: path)
      try one.place(path, as: name)
      return name
    }
    #expect(other.file("recipes/a.json") == nil)
    let first = try place([Pack.File(name: "recipes/a.json", bytes: [1])])
    #expect(other.file("recipes/a.json")?.contents == [1])
    let second = try place([Pack.File(name: "recipes/a.json", bytes: [1]), Pack.File(name: "recipes/b.json", bytes: [2])])
    #expect(other.file("recipes/b.json")?.contents == [2] && other.all.map(\.name) == [first, second].sorted())
    try one.remove([first])
    #expect(other.file("recipes/a.json")?.contents == [1] && one.file("recipes/a.json")?.pack.name == second)
    try one.remove([second])
    #expect(other.file("recipes/a.json") == nil && other.all.isEmpty && one.all.isEmpty)
  }

  // MARK: Damage

  @Test func whatIsFlippedInAPackIsFoundAndMadeAgainByItself() throws {
    let story = story()
    let first = try story.run()
    let packed = try #require(first.stages.first { story.store.packs.file("objects/\($0.outputs[0].record.digest)/artifact.json") != nil })
    let record = packed.outputs[0].record, name = "objects/\(record.digest)/part-00000.arrow"
    let found = try #require(story.store.packs.file(name))
    story.addShift("shifted", from: packed.name, add: 1000)
    // A byte of the row itself: Arrow's head is longer than that.
    try overwrite(found.pack.path) { $0[found.entry.place.upperBound - 300] ^= 1 }
    let fresh = ArtifactStore(path: story.store.path)
    #expect(StoreFindings(of: fresh, width: 1).all == [StoreFinding(path: "packs/\(found.pack.name): \(name)", what: "its bytes are not what was written")])
    _ = story.worked()
    let second = try Executor(store: fresh).run(story.plan, RunOptions(width: 2))
    // Nobody reads the others.
    #expect(second[stage: packed.name]?.status == .executed && second[stage: packed.name]?.reasons.map(\.kind) == [.damaged])
    #expect(second.count(.executed) == 2 && Set(story.worked()) == [packed.name, "shifted"])
    #expect(first.stages.allSatisfy { second[stage: $0.name]?.outputs.map(\.record.digest) == $0.outputs.map(\.record.digest) })
    #expect(Disk.exists(fresh.folder(of: record.digest)), "what replaces it has a folder of its own")
    #expect(StoreFindings(of: fresh, width: 1).all == [])
    // What lies behind it goes with the next collection.
    let size = found.pack.byteCount, gone = try fresh.collect(CollectionRules(), isDry: false)
    #expect(gone.artifacts == [] && gone.bytes > 500 && gone.bytes < size && ArtifactStore(path: fresh.path).packs.file(name) == nil)
    #expect(StoreFindings(of: ArtifactStore(path: fresh.path), width: 1).all == [])
  }

  @Test func aRecipeThatIsFlippedInAPackIsMadeAgain() throws {
    let story = story()
    let first = try story.run()
    let plan = try story.planned()
    let stage = try #require(plan.stages.first { story.store.packs.file("recipes/\($0.recipe.key).json") != nil })
    let found = try #require(story.store.packs.file("recipes/\(stage.recipe.key).json"))
    try overwrite(found.pack.path) { $0[found.entry.place.lowerBound + 60] ^= 1 }
    _ = story.worked()
    let second = try Executor(store: ArtifactStore(path: story.store.path)).run(story.plan, RunOptions(width: 2))
    #expect(story.worked() == [stage.name] && second.digests == first.digests)
    #expect(try Executor(store: ArtifactStore(path: story.store.path)).run(story.plan, RunOptions(width: 2)).count(.cached) == 100)
  }

  @Test func whatLayInAPackThatIsCutOffIsMadeAgain() throws {
    let story = story()
    let first = try story.run()
    let pack = try #require(story.store.packs.all.first)
    let lost = pack.entries.filter { $0.name.hasPrefix("recipes/") }.count
    try overwrite(pack.path) { $0.removeLast() }
    let fresh = ArtifactStore(path: story.store.path)
    let lostPack = StoreFinding(path: "packs/\(pack.name)", what: "it is no pack, or not what was written; cache gc takes it away")
    #expect(StoreFindings(of: fresh, width: 1).all == [lostPack])
    _ = story.worked()
    let second = try Executor(store: fresh).run(story.plan, RunOptions(width: 2))
    #expect(second.count(.executed) == lost && story.worked().count == lost && second.digests == first.digests)
    #expect(StoreFindings(of: fresh, width: 1).all == [lostPack])
    #expect(try fresh.collect(CollectionRules(), isDry: false).bytes == pack.byteCount - 1)
    #expect(StoreFindings(of: ArtifactStore(path: fresh.path), width: 1).all == [])
  }

  /// Every byte of every pack, flipped.
  @Test func everyFlipInAPackIsFound() throws {
    let story = story(40)
    _ = try story.run()
    let paths = story.store.packs.all.map(\.path)
    #expect(!paths.isEmpty)
    for path in paths {
      let bytes = try #require(Disk.contents(path))
      for at in stride(from: 0, to: bytes.count, by: 13) {
        try overwrite(path) { $0[at] ^= UInt8(1 << (at % 8)) }
        let found = StoreFindings(of: ArtifactStore(path: story.store.path), width: 1).all
        #expect(found.contains { path.hasSuffix($0.path.prefix(43)) }, "flipped at \(at)")
        try overwrite(path) { $0[at] ^= UInt8(1 << (at % 8)) }
      }
    }
    #expect(StoreFindings(of: ArtifactStore(path: story.store.path), width: 1).all == [])
  }

  // MARK: Collections

  private func bytes(of store: ArtifactStore) -> Int {
    var seen: [String: Int] = [:]
    func look(_ folder: String) {
      for name in Disk.names(in: folder) where name != "latest" && !name.hasPrefix(".") {
        let path = folder + "/" + name
        if Disk.isFolder(path) { look(path) } else if let size = Disk.size(ofFile: path) { seen[Disk.identity(path)!] = size }
      }
    }
    for folder in [store.objects, store.recipes, store.runs, store.packs.folder] { look(folder) }
    return seen.values.reduce(0, +)
  }

  @Test func aCollectionTakesFromPacksWhatNoRunGaveAndLeavesTheRest() throws {
    let story = story()
    _ = try story.run()
    // Every third stage gives something else.
    for at in stride(from: 0, to: 100, by: 3) {
      story.stages.removeAll { $0.name == "s\(at)" }
      define(at, add: 1000, in: story)
    }
    let second = try story.run()
    #expect(second.count(.executed) == 34)
    var rules = CollectionRules()
    rules.runs = 1
    let before = bytes(of: story.store)
    let said = try story.store.collect(rules, isDry: true)
    #expect(bytes(of: story.store) == before && said.runs.count == 1 && said.recipes.count == 34 && said.artifacts.count == 34)
    let done = try ArtifactStore(path: story.store.path).collect(rules, isDry: false)
    #expect(done.json == said.json)
    #expect(bytes(of: story.store) == before - said.bytes && bytes(of: story.store) == said.left)
    let fresh = ArtifactStore(path: story.store.path)
    #expect(StoreFindings(of: fresh, width: 1).all == [] && fresh.recipeKeys.count == 100)
    _ = story.worked()
    #expect(try Executor(store: fresh).run(story.plan, RunOptions(width: 2)).count(.cached) == 100 && story.worked() == [])
    // The store that was asked before sees it too.
    #expect(try story.run().count(.cached) == 100)
  }

  @Test func packsOfWhichNothingIsUsedGo() throws {
    let story = story()
    _ = try story.run()
    for name in Disk.names(in: story.store.runs) { Disk.remove(story.store.runs + "/" + name) }
    let done = try story.store.collect(CollectionRules(), isDry: false)
    #expect(done.recipes.count == 100 && done.artifacts.count == 100 && done.left == 0)
    #expect(story.store.packs.all.isEmpty && Disk.names(in: story.store.packs.folder) == [".changes"])
    #expect(try story.run().count(.executed) == 100)
  }

  // MARK: Elsewhere

  @Test func whatLiesInPacksIsPushedAndPulled() throws {
    let one = story(), other = story()
    let first = try one.run()
    let cache = try SharedCache(one.folder + "/shared")
    let pushed = try cache.push(from: one.store, width: 2)
    #expect((pushed.recipes, pushed.artifacts, pushed.known) == (100, 100, 0) && pushed.findings == [])
    #expect(try cache.push(from: one.store, width: 2).known == 100)
    let pulled = try cache.pull(into: other.store, width: 2)
    #expect((pulled.recipes, pulled.artifacts, pulled.bytes) == (100, 100, pushed.bytes))
    let second = try other.run()
    #expect(second.count(.cached) == 100 && second.digests == first.digests && other.worked() == [])
    #expect(Disk.names(in: one.store.temporary) == [])
  }

  @Test func aRunWhoseArtifactsLieInPacksIsExportedAndImported() throws {
    let one = story(), other = story()
    let first = try one.run()
    let path = one.folder + "/run.tar.gz", again = one.folder + "/again.tar.gz"
    _ = try RunArchive(store: one.store, width: 1).export("latest", to: path)
    _ = try RunArchive(store: ArtifactStore(path: one.store.path), width: 1).export("latest", to: again)
    #expect(Disk.contents(path) == Disk.contents(again))
    #expect(try RunArchive(store: other.store, width: 1).take(from: path).wasKnown == false)
    let second = try other.run()
    #expect(second.count(.cached) == 100 && second.digests == first.digests && other.worked() == [])
  }
}
