import Columns
import Diagnostics
import Pipelines
import Synchronization
import Testing

@testable import Engine

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `cache push`, `cache pull` and `run --cache`, with a folder as the shared cache.
@Suite(.serialized) struct SharedCacheTests {
  /// rows → shifted → sum → page, in a store of its own.
  private func story(like other: Story? = nil) throws -> Story {
    let story = Story()
    try story.write("rows.csv", "1,10\n2,20\n3,30\n")
    story.addReader("rows", file: "rows.csv")
    story.addShift("shifted", from: "rows", add: 1)
    story.addSum("sum", from: "shifted")
    story.addPage("page", from: "sum")
    return story
  }

  private func place(_ story: Story) -> String { story.folder + "/shared" }

  private func run(_ story: Story, _ cache: SharedCache, observer: (any RunObserver)? = nil) throws -> RunReport {
    var options = RunOptions(width: 2)
    options.cache = cache
    return try story.run(options, observer: observer)
  }

  private func flip(_ path: String, at offset: Int) throws {
    var bytes = Disk.contents(path)!
    bytes[offset % bytes.count] ^= 1
    Disk.remove(path)
    try Disk.write(bytes, to: path, durably: false)
  }

  @Test func whatOneStorePushesAnotherPulls() throws {
    let one = try story(), other = try story()
    let first = try one.run()
    let cache = try SharedCache(place(one))
    let pushed = try cache.push(from: one.store, width: 2)
    #expect((pushed.recipes, pushed.artifacts, pushed.known) == (4, 4, 0))
    #expect(pushed.findings == [])
    let again = try cache.push(from: one.store, width: 2)
    #expect((again.recipes, again.artifacts, again.bytes, again.known) == (0, 0, 0, 4))
    let pulled = try SharedCache(place(one), isReadOnly: true).pull(into: other.store, width: 2)
    #expect((pulled.recipes, pulled.artifacts, pulled.bytes) == (4, 4, pushed.bytes))
    #expect(StoreFindings(of: other.store, width: 1).all == [])
    #expect(Disk.names(in: other.store.temporary) == [] && Disk.names(in: other.store.locks) == [])
    _ = other.worked()
    let second = try other.run()
    #expect(second.count(.cached) == 4 && second.digests == first.digests)
    #expect(other.worked() == [])
    #expect(try cache.pull(into: other.store, width: 2).known == 4)
  }

  /// A folder that was filled by pushes is a sound store.
  @Test func theCacheIsAsAStore() throws {
    let one = try story()
    try one.run()
    _ = try SharedCache(place(one)).push(from: one.store, width: 1)
    let findings = StoreFindings(of: ArtifactStore(path: place(one)), width: 1)
    #expect(findings.all == [] && findings.artifacts == 4 && findings.recipes == 4)
  }

  @Test func runsConsultIt() throws {
    let one = try story(), other = try story()
    let first = try run(one, SharedCache(place(one)))
    #expect(first.count(.executed) == 4)
    let second = try run(other, SharedCache(place(one)))
    #expect(second.count(.cached) == 4 && other.worked() == [])
    #expect(second.digests == first.digests)
    // What differs is made here, and goes there.
    other["sum"].settings = ["of": "x", "other": 1]
    #expect(try run(other, SharedCache(place(one))).names(.executed) == ["sum"])
    one["sum"].settings = ["of": "x", "other": 1]
    _ = one.worked()
    #expect(try run(one, SharedCache(place(one))).count(.cached) == 4)
    #expect(one.worked() == [])
  }

  @Test func whatIsOnlyToBeReadGetsNothing() throws {
    let one = try story(), other = try story()
    try Disk.makeFolders(place(one))
    #expect(try run(one, SharedCache(place(one), isReadOnly: true)).count(.executed) == 4)
    #expect(Disk.names(in: place(one)) == [])
    #expect { _ = try SharedCache(place(one), isReadOnly: true).push(from: one.store, width: 1) } throws: {
      "\($0)" == "error: the shared cache \"\(place(one))\" is only to be read\n  hint: leave --cache-read-only away"
    }
    #expect { _ = try SharedCache(place(other), isReadOnly: true) } throws: { "\($0)" == "error: there is no shared cache \"\(place(other))\"" }
    try one.write("shared-file", "")
    #expect { _ = try SharedCache(one.folder + "/shared-file") } throws: { "\($0)" == "error: the shared cache \"\(one.folder)/shared-file\" is not a folder" }
  }

  @Test(arguments: [
    ("a flipped bit", "objects/A/part-00000.arrow: its bytes are not what was written"), ("a cut file", "objects/A/part-00000.arrow: it is missing or of another size"),
    ("a flipped record", "objects/A/artifact.json: it is of another version of Millrace, or not what was written"),
    ("another artifact", "objects/A/artifact.json: it is of another version of Millrace, or not what was written"),
    ("a missing artifact", "objects/A: it has no artifact.json"), ("a flipped recipe", "recipes/K.json: it is not what was written"),
    ("another recipe", "recipes/K.json: it is not what was written"), ("a file that leads elsewhere", "objects/A/artifact.json: it is of another version of Millrace, or not what was written"),
  ]) func whatArrivesIsCompared(how: String, expected: String) throws {
    let one = try story(), other = try story()
    let report = try one.run()
    _ = try SharedCache(place(one)).push(from: one.store, width: 1)
    let (a, b) = (report[stage: "rows"]!, report[stage: "shifted"]!)
    let (digest, second) = (a.outputs[0].record.digest.description, b.outputs[0].record.digest.description)
    let folder = place(one) + "/objects/" + digest, part = folder + "/part-00000.arrow", recipe = "\(place(one))/recipes/\(a.recipe).json"
    switch how {
    case "a flipped bit": try flip(part, at: 333)
    case "a cut file": truncate(part, 100)
    case "a flipped record": try flip(folder + "/artifact.json", at: 150)
    case "another artifact":
      Disk.remove(folder)
      rename(place(one) + "/objects/" + second, folder)
    case "a missing artifact": Disk.remove(folder)
    case "a flipped recipe": try flip(recipe, at: 200)
    case "another recipe": rename("\(place(one))/recipes/\(b.recipe).json", recipe)
    default:
      // With a right seal.
      let text = Sealed.content(folder + "/artifact.json")!.canonical.replacing("part-00000.arrow", with: "..\\u002fescaped")
      Disk.remove(folder + "/artifact.json")
      try Disk.write(Sealed.bytes(JSONReader.read(Array(text.utf8), file: "t").value), to: folder + "/artifact.json", durably: false)
      rename(part, place(one) + "/objects/escaped")
    }
    let told = Told()
    let words = { (text: String) in text.replacing(digest, with: "A").replacing(a.recipe, with: "K") }
    let second2 = try run(other, SharedCache(place(one), isReadOnly: true), observer: told)
    #expect(second2.status == .succeeded && second2.digests == report.digests)
    #expect(second2[stage: "rows"]?.status == .executed)
    #expect(told.all.map { words($0.message) }.contains("shared cache \"\(place(one))\": \(expected); it is not used"))
    #expect(StoreFindings(of: other.store, width: 1).all == [])
    #expect(StoreFindings(of: ArtifactStore(path: place(one)), width: 1).all != [])
    let third = try story()
    let transfer = try SharedCache(place(one), isReadOnly: true).pull(into: third.store, width: 1)
    #expect(transfer.findings.map { words("\($0.path): \($0.what)") }.contains(expected))
    #expect(StoreFindings(of: third.store, width: 1).all == [])
    #expect(Disk.names(in: third.store.temporary) == [])
    // Who may write there puts right what had to be made again.
    let fourth = try story()
    #expect(try run(fourth, SharedCache(place(one))).status == .succeeded)
    Disk.remove(place(one) + "/objects/escaped")
    if how != "a file that leads elsewhere" { #expect(StoreFindings(of: ArtifactStore(path: place(one)), width: 1).all == []) }
    let fifth = try story()
    #expect(try SharedCache(place(one), isReadOnly: true).pull(into: fifth.store, width: 1).findings == [])
    _ = fifth.worked()
    #expect(try fifth.run().count(.cached) == 4)
  }

  @Test func whatIsDamagedHereStaysHere() throws {
    let one = try story()
    let report = try one.run()
    let digest = report[stage: "rows"]!.outputs[0].record.digest
    try flip(one.store.folder(of: digest) + "/part-00000.arrow", at: 300)
    let transfer = try SharedCache(place(one)).push(from: one.store, width: 1)
    #expect(transfer.findings.map { "\($0.path): \($0.what)" } == ["objects/\(digest): it is missing or not what was written"])
    #expect(transfer.recipes == 3)
    #expect(StoreFindings(of: ArtifactStore(path: place(one)), width: 1).all == [])
  }

  /// A cache that cannot be reached is told once, and the run goes on.
  @Test func runsGoOnWithoutIt() throws {
    let one = try story()
    try Disk.makeFolders(place(one))
    try one.write("shared/recipes", "no folder")
    let told = Told()
    let report = try run(one, SharedCache(place(one)), observer: told)
    #expect(report.status == .succeeded && report.count(.executed) == 4)
    #expect(told.all.map(\.message) == [
      "the shared cache \"\(place(one))\" is left out: cannot make the folder \"\(place(one))/recipes\": File exists"
    ])
  }

  private final class Told: RunObserver {
    private let diagnostics = Mutex<[Diagnostic]>([])
    var all: [Diagnostic] { diagnostics.withLock { $0 } }
    func cacheFailed(_ diagnostic: Diagnostic) { diagnostics.withLock { $0.append(diagnostic) } }
  }
}
