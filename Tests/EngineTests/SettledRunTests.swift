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

/// Runs with nothing to do that are believed by what the system says of files. The slow twin is a run without words: it binds, plans and looks
/// everything up.
@Suite(.serialized) struct SettledRunTests {
  /// rows → shifted → sum → page, run once with its words, and long enough after its file was written.
  private struct Shop {
    let story = Story()
    var arguments = ["run", "story.json"]

    init() throws {
      try write("1,10\n2,20\n")
      story.addReader("rows", file: "rows.csv")
      story.addShift("shifted", from: "rows", add: 1)
      story.addSum("sum", from: "shifted")
      story.addPage("page", from: "sum")
      usleep(40_000)
    }

    func write(_ rows: String) throws { try story.write("rows.csv", rows) }

    var words: RunWords {
      var words = RunWords(arguments: arguments, document: Array("{}".utf8), toolVersion: "1") { report in
        report.stages.map { "\($0.name) \($0.status.rawValue)" }.joined(separator: ", ")
      }!
      words.found = story.plan.stages.flatMap { stage in zip(stage.stage.sources, stage.files ?? []).map { FoundSource($0, .document, $1) } }
      return words
    }

    var options: RunOptions {
      var options = RunOptions(width: 2)
      options.provenance = Provenance(text: "{}", values: [], allowPath: [], origins: ["parameters": [:]], project: story.folder)
      return options
    }

    @discardableResult func run() throws -> RunReport {
      var options = options
      options.words = words
      return try story.run(options)
    }

    func settled() throws -> SettledEnd? {
      let finder = SourceFinder(project: Project(document: story.folder + "/story.json"))
      return try Executor(store: story.store).runSettled(words, of: "story.json", finder, options, options.provenance!)
    }

    /// Of a run, without what names it and its time.
    func record(_ id: String) throws -> String {
      let members = try #require(try RunRegistry(store: story.store).record(id).members)
      return JSONValue.object(members.filter { !["run", "started", "seconds"].contains($0.key) }).pretty()
    }

    func page(_ heading: RunHeading) throws -> String {
      let page = String(decoding: try #require(Disk.contents("\(story.store.runs)/\(heading.id)/run.html")), as: UTF8.self)
      return page.replacing(heading.id, with: "ID").replacing(heading.started, with: "BEGAN").replacing("took \(duration(heading.seconds))", with: "took")
    }
  }

  @Test func aRunWithTheSameWordsSaysWhatALongOneWouldSay() throws {
    let shop = try Shop()
    let first = try shop.run()
    #expect(first.status == .succeeded && shop.story.worked() == ["page", "rows", "shifted", "sum"])
    let end = try #require(try shop.settled())
    #expect(end.told == "rows cached, shifted cached, sum cached, page cached")
    #expect(end.files.map(\.name) == ["page.txt"])
    #expect(end.heading.cached == 4 && end.heading.executed == 0)
    // Again: what it wrote is no change.
    let again = try #require(try shop.settled())
    #expect(shop.story.worked() == [])
    let long = try shop.story.run(shop.options)
    #expect(shop.story.worked() == [] && long.count(.cached) == 4)
    #expect(try shop.record(end.heading.id) == shop.record(long.id))
    #expect(try shop.record(again.heading.id) == shop.record(long.id))
    #expect(try shop.page(end.heading) == shop.page(long.heading))
    #expect(Disk.contents("\(shop.story.store.runs)/\(end.heading.id)/page.txt") == Array("5".utf8))
    #expect(RunRegistry(store: shop.story.store).list().map(\.id) == [long.id, again.heading.id, end.heading.id, first.id])
    #expect(Disk.names(in: shop.story.store.temporary) == [] && Disk.names(in: shop.story.store.locks) == [])
  }

  @Test func whatWasCachedIsBelievedAsWhatWasMade() throws {
    let shop = try Shop()
    try shop.story.run(shop.options)
    #expect(try shop.settled() == nil)
    try shop.run()
    #expect(try shop.settled() != nil)
  }

  struct Change: CustomTestStringConvertible, Sendable {
    let name: String
    /// What the run after it does.
    let works: [String]
    /// Of the folder and the store.
    let make: @Sendable (_ folder: String, _ store: String) throws -> Void

    init(_ name: String, _ works: [String], _ make: @escaping @Sendable (_ folder: String, _ store: String) throws -> Void) {
      (self.name, self.works, self.make) = (name, works, make)
    }

    var testDescription: String { name }
  }

  private static func first(_ folder: String, where isMeant: (String) -> Bool = { _ in true }) -> String {
    "\(folder)/\(Disk.names(in: folder).sorted().first(where: isMeant)!)"
  }

  private static func recipe(of kind: String, in store: String) -> String {
    first(store + "/recipes") { name in
      String(decoding: Disk.contents("\(store)/recipes/\(name)") ?? [], as: UTF8.self).contains(kind)
    }
  }

  private static func overwrite(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = Disk.contents(path)!
    change(&bytes)
    // In place: the file stays the same file.
    let file = open(path, O_WRONLY | O_TRUNC)
    precondition(file >= 0 && pwrite(file, bytes, bytes.count, 0) == bytes.count)
    close(file)
  }

  static let changes = [
    Change("a source with another row", ["page", "rows", "shifted", "sum"]) { folder, _ in
      try overwrite(folder + "/rows.csv") { $0[5] = UInt8(ascii: "3") }
    },
    Change("a source that was only touched", []) { folder, _ in utimensat(AT_FDCWD, folder + "/rows.csv", nil, 0) },
    Change("a source replaced by one of equal bytes", []) { folder, _ in
      try Disk.write(Array("1,10\n2,20\n".utf8), to: folder + "/new.csv", durably: false)
      rename(folder + "/new.csv", folder + "/rows.csv")
    },
    Change("a recipe that is gone", ["sum"]) { _, store in unlink(recipe(of: "\"of\":\"x\"", in: store)) },
    Change("a flipped bit in a recipe", ["sum"]) { _, store in try overwrite(recipe(of: "\"of\":\"x\"", in: store)) { $0[60] ^= 1 } },
    Change("a record of an artifact with a flipped bit", ["rows"]) { _, store in
      let digest = try rowsDigest(store)
      try overwrite("\(store)/objects/\(digest)/artifact.json") { $0[60] ^= 1 }
    },
    Change("a file of an artifact that was cut", ["rows"]) { _, store in
      let folder = "\(store)/objects/\(try rowsDigest(store))"
      try overwrite(first(folder) { $0 != "artifact.json" }) { $0.removeLast() }
    },
    Change("a file of an artifact that is a link", ["rows"]) { _, store in
      let folder = "\(store)/objects/\(try rowsDigest(store))", file = first(folder) { $0 != "artifact.json" }
      rename(file, store + "/elsewhere")
      symlink(store + "/elsewhere", file)
    },
    Change("an artifact that is gone", ["rows"]) { _, store in Disk.remove("\(store)/objects/\(try rowsDigest(store))") },
    Change("a catalog that is gone", []) { _, store in for end in ["", "-wal", "-shm"] { unlink(store + "/catalog.sqlite" + end) } },
  ]

  private static func rowsDigest(_ store: String) throws -> String {
    let record = try RunRegistry(store: ArtifactStore(path: store)).record("last")
    return try #require(record["stages"]?.array?.first?["outputs"]?["table"]?["digest"]?.string)
  }

  @Test(arguments: changes) func aChangeIsNeverPassedOver(_ change: Change) throws {
    let shop = try Shop()
    try shop.run()
    #expect(try shop.settled() != nil)
    #expect(shop.story.worked() == ["page", "rows", "shifted", "sum"])
    usleep(40_000)
    try change.make(shop.story.folder, shop.story.store.path)
    #expect(try shop.settled() == nil)
    usleep(40_000)
    #expect(try shop.run().status == .succeeded)
    #expect(shop.story.worked() == change.works)
    // And then all is settled again.
    #expect(try shop.settled() != nil)
    #expect(try shop.story.run(shop.options).count(.cached) == 4)
    #expect(shop.story.worked() == [])
  }

  @Test func otherWordsAreAnotherRun() throws {
    var shop = try Shop()
    try shop.run()
    shop.arguments.append("-j8")
    #expect(try shop.settled() == nil)
  }

  /// Its recipes are the last that the catalog tells reasons from.
  @Test func anotherRunOfThePipelineTakesItsPlace() throws {
    let shop = try Shop()
    try shop.run()
    shop.story["shifted"].settings = ["add": 2]
    try shop.story.run(shop.options)
    shop.story["shifted"].settings = ["add": 1]
    #expect(try shop.settled() == nil)
    #expect(try shop.run().count(.cached) == 4)
    #expect(try shop.settled() != nil)
  }

  @Test func aRunThatFailedSettlesNothing() throws {
    let shop = try Shop()
    shop.story.addPage("page", from: "sum")
    shop.story.add("broken", needs: [Story.Need(alias: "table", stage: "sum", reads: .all)]) { _, _ in throw Diagnostic("as told") }
    #expect(try shop.run().status == .failed)
    #expect(try shop.settled() == nil)
  }

  /// Within one tick of the kernel's clock a file may be written twice and look the same.
  @Test func aFileWrittenAMomentAgoIsNotBelieved() {
    let file = SourceFile(name: "rows.csv", path: "/data/rows.csv")
    let found = [FoundSource(Source(.files("rows.csv"), setting: ["path"]), .document, [file])]
    let version = { SourceVersions.File(file: file, stamp: "10 1.0 1.0 1:2", digest: Digest(of: "rows"), isSettled: $0) }
    #expect(SettledRun.sources(found, [version(false)]) == nil)
    #expect(SettledRun.sources(found, [version(true)]) == [["rows.csv", false, [["rows.csv", "/data/rows.csv", "10 1.0 1.0 1:2"]]]])
  }

  @Test func aCollectionLeavesWhatIsBelieved() throws {
    let shop = try Shop()
    try shop.run()
    #expect(try shop.settled() != nil)
    var rules = CollectionRules()
    rules.runs = 1
    _ = try shop.story.store.collect(rules, isDry: false)
    #expect(try shop.settled() != nil)
    #expect(shop.story.worked() == ["page", "rows", "shifted", "sum"])
  }
}
