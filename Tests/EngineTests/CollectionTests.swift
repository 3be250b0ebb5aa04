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

/// `cache verify` and `cache gc`.
@Suite(.serialized) struct CollectionTests {
  /// rows → shifted → sum → page
  private func chain() throws -> Story {
    let story = Story()
    try story.write("rows.csv", "1,10\n2,20\n3,30\n")
    story.addReader("rows", file: "rows.csv")
    story.addShift("shifted", from: "rows", add: 1)
    story.addSum("sum", from: "shifted")
    story.addPage("page", from: "sum")
    return story
  }

  private func files(below folder: String) -> [String] {
    Disk.names(in: folder).flatMap { name -> [String] in
      let path = folder + "/" + name
      return Disk.isFolder(path) ? files(below: path) : [path]
    }
  }

  /// Unique inodes of what a collection counts.
  private func size(of store: ArtifactStore) -> Int {
    var seen: [String: Int] = [:]
    for folder in [store.objects, store.recipes, store.runs] {
      for path in files(below: folder) where Disk.size(ofFile: path) != nil && !path.hasPrefix(store.runs + "/latest/") {
        seen[Disk.identity(path)!] = Disk.size(ofFile: path)
      }
    }
    return seen.values.reduce(0, +)
  }

  // MARK: Verify

  @Test func aSoundStoreHasNoFinding() throws {
    let story = try chain()
    try story.run()
    let findings = StoreFindings(of: story.store, width: 2)
    #expect(findings.all == [])
    #expect((findings.artifacts, findings.recipes) == (4, 4))
    #expect(findings.bytes > 1000)
  }

  /// Every single byte of a whole store, flipped, and every file cut at every length.
  @Test func everyFlipAndCutIsFound() throws {
    let story = try chain()
    try story.run()
    let paths = files(below: story.store.objects) + files(below: story.store.recipes)
    #expect(paths.count == 12)
    var tried = 0
    for path in paths {
      let bytes = Disk.contents(path)!
      // Large Arrow files have long stretches of the same: a prime step meets every kind of place.
      for at in stride(from: 0, to: bytes.count, by: bytes.count > 600 ? 7 : 1) {
        var changed = bytes
        changed[at] ^= UInt8(1 << (at % 8))
        try replace(path, changed)
        #expect(StoreFindings(of: story.store, width: 1).all.contains { path.hasSuffix($0.path) || path.contains($0.path) }, "\(path) flipped at \(at)")
        tried += 1
        if at % 5 == 0 {
          try replace(path, Array(bytes[..<at]))
          #expect(!StoreFindings(of: story.store, width: 1).all.isEmpty, "\(path) cut at \(at)")
        }
      }
      try replace(path, bytes)
    }
    #expect(StoreFindings(of: story.store, width: 2).all == [])
    #expect(tried > 500)
  }

  private func replace(_ path: String, _ bytes: [UInt8]) throws {
    Disk.remove(path)
    try Disk.write(bytes, to: path, durably: false)
  }

  @Test(arguments: [
    ("swapped artifacts", ["objects/A: it holds another artifact, B", "objects/B: it holds another artifact, A"]),
    ("swapped recipes", ["recipes/K.json: it holds another recipe, L", "recipes/L.json: it holds another recipe, K"]),
    ("a file too many", ["objects/A/part-00001.arrow: it is no part of the artifact"]),
    ("a folder too many", ["objects/other: it is not the name of an artifact"]),
    ("a missing artifact", ["recipes/K.json: its artifact A is missing"]),
    ("a missing file", ["objects/A/part-00000.arrow: it is missing"]),
    ("a longer file", ["objects/A/part-00000.arrow: it has N bytes in place of M"]),
    ("a record of another format", ["objects/A/artifact.json: it is of another version of Millrace, or not what was written"]),
    ("a broken record of a run", ["runs/R/run.json: it is no JSON"]),
  ])
  func whatIsFound(how: String, expected: [String]) throws {
    let story = try chain()
    let report = try story.run(), store = story.store
    let (a, b) = (report[stage: "rows"]!, report[stage: "shifted"]!)
    let (rows, shifted) = (a.outputs[0].record.digest.description, b.outputs[0].record.digest.description)
    let swap = { (x: String, y: String) in
      rename(x, x + "-aside")
      rename(y, x)
      rename(x + "-aside", y)
    }
    let folder = store.objects + "/" + rows, part = folder + "/part-00000.arrow"
    let size = Disk.size(ofFile: part)!
    switch how {
    case "swapped artifacts": swap(folder, store.objects + "/" + shifted)
    case "swapped recipes": swap("\(store.recipes)/\(a.recipe).json", "\(store.recipes)/\(b.recipe).json")
    case "a file too many": try Disk.write([1], to: folder + "/part-00001.arrow", durably: false)
    case "a folder too many": try Disk.makeFolders(store.objects + "/other")
    case "a missing artifact": Disk.remove(folder)
    case "a missing file": Disk.remove(part)
    case "a longer file": try replace(part, Disk.contents(part)! + [0])
    case "a record of another format":
      let record = Sealed.content(folder + "/artifact.json")!
      try replace(folder + "/artifact.json", Sealed.bytes(.object(record.members!.map { $0.key == "format" ? JSONMember("format", 2) : $0 })))
    default: try replace("\(store.runs)/\(report.id)/run.json", Array("{".utf8))
    }
    let words = [rows: "A", shifted: "B", a.recipe: "K", b.recipe: "L", report.id: "R", String(size + 1): "N", String(size): "M"]
    let found = StoreFindings(of: store, width: 2).all.map { finding in
      words.sorted { $0.key.count > $1.key.count }.reduce("\(finding.path): \(finding.what)") { $0.replacing($1.key, with: $1.value) }
    }
    #expect(found.sorted() == expected)
  }

  // MARK: Collections

  private func rules(runs: Int = 10, age: Int? = nil, bytes: Int? = nil) -> CollectionRules {
    var rules = CollectionRules()
    (rules.runs, rules.age, rules.bytes) = (runs, age, bytes)
    return rules
  }

  /// Runs with `add` 1, 2, …: of each the artifacts behind `rows` are its own.
  private func several(_ count: Int) throws -> (story: Story, reports: [RunReport]) {
    let story = try chain()
    let reports = try (1...count).map { add -> RunReport in
      let at = story.stages.firstIndex { $0.name == "shifted" }!
      story.addShift("shifted", from: "rows", add: add)
      story.stages.insert(story.stages.removeLast(), at: at)
      return try story.run()
    }
    _ = story.worked()
    return (story, reports)
  }

  @Test func theDryRunIsExact() throws {
    let (story, reports) = try several(4)
    let store = story.store
    let before = size(of: store)
    let dry = try store.collect(rules(runs: 2), isDry: true)
    #expect(size(of: store) == before)
    #expect(dry.runs == reports.prefix(2).map(\.id))
    #expect(dry.artifacts == reports.prefix(2).flatMap { $0.stages.dropFirst().flatMap { $0.outputs.map { "\($0.record.digest)" } } }.sorted())
    let done = try store.collect(rules(runs: 2), isDry: false)
    #expect(done.json == dry.json)
    #expect(size(of: store) == dry.left)
    #expect(before - size(of: store) == dry.bytes)
    #expect(StoreFindings(of: store, width: 1).all == [])
    #expect(RunRegistry(store: store).list().map(\.id) == reports.suffix(2).reversed().map(\.id))
    #expect(try story.run().count(.cached) == 4)
    #expect(try store.collect(rules(runs: 10), isDry: false).artifacts == [])
    #expect(Disk.names(in: store.temporary) == [] && Disk.names(in: store.locks) == [])
  }

  @Test func pinsAgesAndSizes() throws {
    let (story, reports) = try several(5)
    let store = story.store, registry = RunRegistry(store: store)
    #expect(try registry.pin("last~3") == reports[1].id)
    #expect(registry.list().map(\.isPinned) == [false, false, false, true, false])
    #expect(try store.collect(rules(age: 3600), isDry: true).runs == [])
    // Everything is old a long time after: the newest and the pinned one stay.
    for report in reports {
      let path = "\(store.runs)/\(report.id)/run.json"
      var times = [timeval(tv_sec: 1_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000, tv_usec: 0)]
      utimes(path, &times)
    }
    // What was changed by hand a moment ago counts as young.
    #expect(try store.collect(rules(age: 3600), isDry: true).runs == [])
    let whole = try store.collect(rules(), isDry: true).left
    let small = try store.collect(rules(bytes: 1), isDry: true)
    #expect(small.runs == [0, 2, 3].map { reports[$0].id })
    let fitting = try store.collect(rules(bytes: whole - 1), isDry: true)
    #expect(fitting.runs == [reports[0].id])
    #expect(fitting.left < whole)
    #expect(try store.collect(rules(bytes: whole), isDry: true).runs == [])
    _ = try registry.unpin(reports[1].id)
    #expect(try store.collect(rules(runs: 1), isDry: false).runs == reports.prefix(4).map(\.id))
    #expect(try story.run().count(.cached) == 4)
  }

  @Test func runsThatWereKilledGo() throws {
    let (story, reports) = try several(1)
    let store = story.store
    try Disk.makeFolders(store.runs + "/20200101T000000Z-0000")
    try Disk.makeFolders(store.objects + "/" + String(repeating: "0", count: 32))
    let collection = try store.collect(rules(), isDry: false)
    #expect(collection.runs == ["20200101T000000Z-0000"])
    #expect(collection.artifacts == [String(repeating: "0", count: 32)])
    #expect(Disk.names(in: store.runs).filter { $0 != "latest" } == [reports[0].id])
  }

  /// A run that stands still while everything but what it uses is taken.
  @Test func whatARunUsesStays() throws {
    let (story, reports) = try several(3)
    let store = story.store
    // Runs of another pipeline: its newest is not this one's.
    let at = story.stages.firstIndex { $0.name == "shifted" }!
    story.addShift("shifted", from: "rows", add: 1)
    story.stages.insert(story.stages.removeLast(), at: at)
    let collected = Mutex<StoreCollection?>(nil)
    story.add("last", needs: [Story.Need(alias: "table", stage: "shifted", reads: .all)]) { inputs, context in
      let found = try store.collect(rules(runs: 1), isDry: false)
      collected.withLock { $0 = found }
      let batch = try inputs.table().wholeBatch()
      try context.writeTable("table", batch)
      return Metrics()
    }
    let report = try story.run(RunOptions(width: 1))
    #expect(report.status == .succeeded)
    #expect(report.names(.executed) == ["last"])
    let found = try #require(collected.withLock { $0 })
    #expect(found.runs == reports.prefix(2).map(\.id))
    // Of the runs that went only the second one's artifacts: those of the first are used again.
    #expect(found.artifacts == reports[1].stages.dropFirst().flatMap { $0.outputs.map { "\($0.record.digest)" } }.sorted())
    #expect(StoreFindings(of: store, width: 1).all == [])
    #expect(try story.run().count(.cached) == 5)
  }

  /// Pieces of the work of a stage stay as long as their files are read.
  @Test func piecesStayWithTheirWhole() throws {
    let story = Story()
    for name in ["a", "b", "c"] { try story.write(name, "1") }
    story.addFiles("lines", ["a", "b", "c"])
    story.addMerged("sum", from: "lines")
    try story.run()
    try story.write("d", "4")
    Disk.remove(story.folder + "/a")
    story["lines"].files = ["b", "c", "d"]
    let second = try story.run()
    #expect(second[stage: "lines"]?.parts == RunReport.Parts(executed: 1, total: 3))
    let collection = try story.store.collect(rules(runs: 1), isDry: false)
    #expect(collection.recipes.count >= 2)
    try story.write("e", "5")
    story["lines"].files = ["b", "c", "d", "e"]
    #expect(try story.run()[stage: "lines"]?.parts == RunReport.Parts(executed: 1, total: 4))
    #expect(StoreFindings(of: story.store, width: 1).all == [])
  }

  /// What an expectation counted is a recipe without an artifact: it goes with the last run that tells of it.
  @Test func recipesThatGaveNothingGoWithTheirRuns() throws {
    let story = try chain()
    let keys = try (1...2).map { add -> String in
      story.addShift("shifted", from: "rows", add: add)
      story.stages.insert(story.stages.removeLast(), at: 1)
      story.add("counted", needs: [Story.Need(alias: "table", stage: "shifted", reads: .all)], outputs: []) { _, _ in Metrics() }
      return try #require(try story.run()[stage: "counted"]).recipe + ".json"
    }
    #expect(Set(keys).count == 2)
    #expect(try story.store.collect(rules(), isDry: true).recipes == [])
    let collection = try story.store.collect(rules(runs: 1), isDry: false)
    #expect(collection.recipes.contains(keys[0]) && !collection.recipes.contains(keys[1]))
    #expect(!Disk.exists("\(story.store.recipes)/\(keys[0])"))
    #expect(try story.run().count(.cached) == 5)
  }

  @Test func collectionsBesideManyRuns() throws {
    let story = try chain()
    let store = story.store
    try story.run()
    let isDone = Mutex(false)
    let group = DispatchGroup()
    let collections = Mutex(0)
    // On a queue of its own: one that never rests would take a thread from those that the runs share.
    DispatchQueue(label: "collections").async(group: group) {
      while !isDone.withLock({ $0 }) {
        if (try? store.collect(rules(runs: 1), isDry: false)) != nil { collections.withLock { $0 += 1 } }
      }
    }
    for turn in 0..<25 {
      let at = story.stages.firstIndex { $0.name == "shifted" }!
      story.addShift("shifted", from: "rows", add: turn % 3)
      story.stages.insert(story.stages.removeLast(), at: at)
      let report = try story.run()
      #expect(report.status == .succeeded)
      #expect(report[stage: "sum"]?.metrics == ["sum": .integer(6 + 3 * (turn % 3))])
      for stage in report.stages {
        for output in stage.outputs {
          guard case .sound = store.condition(of: output.record.digest) else {
            Issue.record("an artifact of the newest run went")
            continue
          }
        }
      }
    }
    isDone.withLock { $0 = true }
    group.wait()
    #expect(collections.withLock { $0 } > 0)
    #expect(StoreFindings(of: store, width: 1).all == [])
  }
}
