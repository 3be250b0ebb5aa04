import Columns
import Diagnostics
import Dispatch
import Pipelines
import Synchronization
import Testing

@testable import Engine

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif
/// Stages that end at about the same time become durable together.
@Suite(.serialized) struct GroupCommitTests {
  private let story = Story()
  private var store: ArtifactStore { story.store }

  /// What one stage gives.
  private struct Given {
    let object: GroupCommit.Object
    let key: Digest
    let recipe: String

    var publication: GroupCommit.Publication { .large(objects: [object], key: key, recipe: recipe) }

    /// The same as parts of a pack.
    var small: GroupCommit.Publication {
      let folder = "objects/\(object.record.digest)/"
      let files = (object.record.files.map(\.name) + ["artifact.json"]).map { Pack.File(name: folder + $0, bytes: Disk.contents(object.folder + "/" + $0)!) }
      return .small(files + [Pack.File(name: "recipes/\(key).json", bytes: Disk.contents(recipe)!)])
    }
  }

  /// A document that holds a number, written and not flushed.
  private func publication(_ number: Int) throws -> Given {
    let place = "\(store.temporary)/object-\(number)"
    try Disk.makeFolders(place)
    let bytes = JSONValue.integer(number).canonicalBytes
    try Disk.write(bytes, to: place + "/document.json", durably: false)
    let record = ArtifactRecord(document: .init(name: "document.json", bytes: bytes.count, checksum: try FileDigest.of(place + "/document.json", width: 1)))
    try store.finish(record, in: place, durably: false)
    let recipe: JSONValue = ["number": .integer(number)]
    let words = RecipeRecord(recipe: recipe, outputs: [.init(name: "document", digest: record.digest, unkept: nil)], metrics: [:], warnings: [])
    try Disk.write(Sealed.bytes(words.json), to: "\(store.temporary)/recipe-\(number)", durably: false)
    return Given(
      object: .init(record: record, folder: place, replaces: false), key: recipe.canonicalBytes.withUnsafeBytes { Digest(of: $0) },
      recipe: "\(store.temporary)/recipe-\(number)")
  }

  private func isThere(_ given: Given) -> Bool {
    guard let recipe = store.recipe(given.key), recipe.outputs.map(\.digest) == [given.object.record.digest] else { return false }
    return if case .sound(let record) = store.condition(of: given.object.record.digest) { store.isIntact(record, width: 1) } else { false }
  }

  private func commits(gate: StoreGate? = nil, flushAll: (@Sendable () throws -> Void)?) -> GroupCommit {
    let next = Mutex(0), folder = store.temporary
    return GroupCommit(store, gate: gate, temporary: { "\(folder)/pack-\(next.withLock { $0 += 1; return $0 })" }, flushAll: flushAll)
  }

  /// Commits each on a thread of its own; what each was told.
  private func committed(_ given: [Given], _ commits: GroupCommit) -> [String?] { committed(given.map(\.publication), commits) }

  private func committed(_ publications: [GroupCommit.Publication], _ commits: GroupCommit) -> [String?] {
    let told = Mutex([String?](repeating: nil, count: publications.count))
    let group = DispatchGroup()
    for (at, publication) in publications.enumerated() {
      DispatchQueue(label: "commit").async(group: group) {
        do { try commits.commit(publication, expectsMore: true) } catch { told.withLock { $0[at] = "\(error)" } }
      }
    }
    group.wait()
    return told.withLock { $0 }
  }

  @Test func sixtyFourAreFlushedInFewGroupsAndAllAreThere() throws {
    try store.prepare()
    let flushes = Mutex(0)
    let commits = commits(flushAll: { flushes.withLock { $0 += 1 } })
    let publications = try (0..<64).map(publication)
    #expect(committed(publications, commits) == Array(repeating: nil, count: 64))
    #expect(publications.allSatisfy(isThere))
    // The first waits for 31 others, or for 20 ms; a slow machine makes more groups of them, and never one of each.
    #expect((1...16).contains(flushes.withLock { $0 }))
    #expect(Disk.names(in: store.temporary).isEmpty)
  }

  @Test func oneAloneIsFlushedFileByFileAtOnce() throws {
    try store.prepare()
    let commits = commits(flushAll: { throw Diagnostic("nobody asked for that") })
    let alone = try publication(1)
    try commits.commit(alone.publication)
    #expect(isThere(alone))
  }

  @Test func whereTheFileSystemCannotBeFlushedEachFileIs() throws {
    try store.prepare()
    let publications = try (0..<12).map(publication)
    #expect(committed(publications, commits(flushAll: nil)) == Array(repeating: nil, count: 12))
    #expect(publications.allSatisfy(isThere))
  }

  @Test func whenTheFlushFailsNoneOfTheGroupGetsAPlaceAndLaterOnesDo() throws {
    try store.prepare()
    let fails = Mutex(true)
    let commits = commits(flushAll: { if fails.withLock({ $0 }) { throw Diagnostic("the disk is gone") } })
    let first = try (0..<32).map(publication)
    let told = committed(first, commits)
    // Who came in a group of less than four was flushed file by file.
    for (publication, told) in zip(first, told) {
      #expect(isThere(publication) == (told == nil))
      if let told { #expect(told.contains("the disk is gone")) }
    }
    #expect(told.filter { $0 != nil }.count >= 4)
    fails.withLock { $0 = false }
    let later = try (100..<132).map(publication)
    #expect(committed(later, commits) == Array(repeating: nil, count: 32))
    #expect(later.allSatisfy(isThere))
  }

  @Test func aCollectionMayWorkWhileManyWaitForTheDisk() throws {
    try store.prepare()
    let path = store.path + "/gate"
    let free = Mutex<[Bool]>([])
    let commits = commits(gate: StoreGate(store), flushAll: {
      let file = Disk.opened(path, O_RDWR)
      let isFree = flock(file, LOCK_EX | LOCK_NB) == 0
      close(file)
      free.withLock { $0.append(isFree) }
    })
    let publications = try (0..<32).map(publication)
    #expect(committed(publications, commits) == Array(repeating: nil, count: 32))
    #expect(publications.allSatisfy(isThere))
    #expect(!free.withLock { $0.isEmpty } && free.withLock { $0.allSatisfy { $0 } })
  }

  @Test func whatIsWrongWithOneIsItsOwn() throws {
    try store.prepare()
    let commits = commits(flushAll: {})
    let publications = try (0..<32).map(publication)
    Disk.remove(publications[5].object.folder)
    Disk.remove(publications[9].recipe)
    let told = committed(publications, commits)
    #expect(told.indices.filter { told[$0] != nil } == [5, 9])
    #expect(publications.indices.filter { !isThere(publications[$0]) } == [5, 9])
  }

  @Test func whatIsSmallGoesIntoPacksBesideWhatIsLarge() throws {
    try store.prepare()
    let commits = commits(flushAll: {})
    let given = try (0..<64).map(publication)
    #expect(committed(given.enumerated().map { $0 % 2 == 0 ? $1.small : $1.publication }, commits) == Array(repeating: nil, count: 64))
    #expect(given.allSatisfy(isThere))
    #expect((1...16).contains(store.packs.all.count))
    #expect(Disk.names(in: store.objects).count == 32 && Disk.names(in: store.recipes).count == 32)
    #expect(store.recipeKeys == given.map(\.key).sorted())
    #expect(StoreFindings(of: ArtifactStore(path: store.path), width: 1).all == [])
  }

  @Test func aPackThatCannotBeWrittenFailsThoseThatAreInItAndNoOthers() throws {
    try store.prepare()
    let path = store.path
    let commits = GroupCommit(store, temporary: { path + "/nowhere/pack" }, flushAll: {})
    let given = try (0..<32).map(publication)
    let told = committed(given.enumerated().map { $0 % 2 == 0 ? $1.small : $1.publication }, commits)
    #expect(told.indices.filter { told[$0] != nil } == stride(from: 0, to: 32, by: 2).map { $0 })
    #expect(told[0] == "error: cannot write \"\(path)/nowhere/pack\": No such file or directory")
    #expect(given.indices.filter { isThere(given[$0]) } == stride(from: 1, to: 32, by: 2).map { $0 })
  }

  @Test func allOfARunOfManyStagesIsThere() throws {
    for at in 0..<200 {
      story.stages.append(Story.Definition(
        name: "s\(at)", settings: ["at": .integer(at)], needs: [], file: nil, outputs: [Binding.Output("table", .table(TableType(Story.schema)))]
      ) { _, context in
        try context.writeTable("table", Story.table(x: [Int64(at)], y: [0]))
        return Metrics()
      })
    }
    #expect(try Executor(store: story.store).run(story.plan, RunOptions(width: 2)).count(.executed) == 200)
    #expect(try Executor(store: story.store).run(story.plan, RunOptions(width: 2)).count(.cached) == 200)
    for key in story.store.recipeKeys {
      let recipe = try #require(story.store.recipe(key))
      for output in recipe.outputs {
        guard case .sound(let record) = story.store.condition(of: output.digest) else { Issue.record("\(output.name) is not there"); continue }
        #expect(story.store.isIntact(record, width: 1))
      }
    }
    #expect(story.store.recipeKeys.count == 200)
  }
}
