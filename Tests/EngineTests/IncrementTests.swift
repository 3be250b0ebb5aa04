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

/// Stories: run, count the work, change one thing, run, count again.
@Suite(.serialized) struct IncrementTests {
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

  @Test func aSecondRunDoesNothing() throws {
    let story = try chain()
    #expect(try story.planned().names(.wouldExecute) == ["rows", "shifted", "sum", "page"])
    let first = try story.run()
    #expect(first.status == .succeeded)
    #expect(story.worked() == ["page", "rows", "shifted", "sum"])
    #expect(first.stages.map { $0.reasons.map(\.kind) } == Array(repeating: [.firstRun], count: 4))
    #expect(try story.planned().names(.cached) == ["rows", "shifted", "sum", "page"])
    let second = try story.run()
    #expect(story.worked() == [])
    #expect(second.count(.cached) == 4)
    #expect(second.digests == first.digests)
    #expect(second[stage: "sum"]?.metrics == ["sum": 9])
    #expect(Disk.contents("\(story.store.runs)/\(second.id)/page.txt") == Array("9".utf8))
    #expect(Disk.contents("\(story.store.runs)/latest/page.txt") == Array("9".utf8))
    #expect(Disk.names(in: story.store.temporary) == [])
    #expect(Disk.names(in: story.store.locks) == [])
  }

  /// What a run leaves in its record beside what it printed.
  @Test func theRecordSaysWhatWasReadAndWhence() throws {
    let story = try chain()
    var options = RunOptions(width: 2)
    options.only = ["all"]
    options.provenance = Provenance(
      text: "{}", values: [("until", "2011-12-09")], allowPath: ["/data"], origins: ["parameters": [:]], project: story.folder)
    let report = try story.run(options)
    let record = try RunRegistry(store: story.store).record("last")
    #expect(record["started-with"]?["text"] == "{}" && record["started-with"]?["set"] == [["name": "until", "value": "2011-12-09"]])
    #expect(record["started-with"]?["only"] == ["all"] && record["started-with"]?["allow"] == ["/data"])
    #expect(record["origins"] == ["parameters": [:]])
    #expect(record["machine"]?["processors"]?.int ?? 0 > 0 && record["machine"]?["architecture"]?.string?.isEmpty == false)
    let rows = try #require(record["stages"]?.array?.first)
    #expect(rows["recipe"]?.string == report[stage: "rows"]?.recipe)
    #expect(rows["sources"]?.members?.map(\.key) == ["rows.csv"] && rows["sources"]?["rows.csv"]?.string?.count == 32)
  }

  @Test(arguments: ["ref", "packed", "detached", "work tree", "none"]) func theCommitIsReadFromTheRepository(how: String) throws {
    let story = Story()
    let (commit, folder) = ("0123456789abcdef0123456789abcdef01234567", story.folder + "/project")
    func file(_ path: String, _ text: String) throws {
      try Disk.makeFolders(Disk.folder(of: path))
      try Disk.write(Array(text.utf8), to: path, durably: false)
    }
    try Disk.makeFolders(folder + "/pipelines")
    let git = folder + "/.git"
    switch how {
    case "ref":
      try file(git + "/HEAD", "ref: refs/heads/main\n")
      try file(git + "/refs/heads/main", commit + "\n")
    case "packed":
      try file(git + "/HEAD", "ref: refs/heads/main\n")
      try file(git + "/packed-refs", "# pack-refs with: peeled fully-peeled sorted\n\(commit) refs/heads/main\n")
    case "detached": try file(git + "/HEAD", commit + "\n")
    case "work tree":
      try file(story.folder + "/repository/worktrees/w/HEAD", "ref: refs/heads/side\n")
      try file(story.folder + "/repository/worktrees/w/commondir", "../..\n")
      try file(story.folder + "/repository/refs/heads/side", commit + "\n")
      try file(git, "gitdir: ../repository/worktrees/w\n")
    default: try file(git + "/HEAD", "ref: refs/heads/main\n")
    }
    #expect(GitState(around: folder + "/pipelines")?.json(looksForChanges: false) == (how == "none" ? nil : ["commit": .string(commit)]))
  }

  @Test func aSettingStopsWhereTheColumnsComeOutEqual() throws {
    let story = try chain()
    try story.run()
    _ = story.worked()
    story.addShift("shifted", from: "rows", add: 2)
    story.stages.sort { ["rows", "shifted", "sum", "page"].firstIndex(of: $0.name)! < ["rows", "shifted", "sum", "page"].firstIndex(of: $1.name)! }
    let plan = try story.planned()
    #expect(plan.names(.wouldExecute) == ["shifted"])
    #expect(plan.names(.mayExecute) == ["sum", "page"])
    #expect(plan[stage: "shifted"]?.reasons == [Reason(.setting, path: "/stages/shifted/with/add", old: 1, new: 2)])
    let report = try story.run()
    #expect(story.worked() == ["page", "shifted", "sum"])
    #expect(report[stage: "sum"]?.reasons.map(\.description) == ["input table.x changed"])
  }

  @Test func aColumnThatIsNotReadStopsTheWave() throws {
    let story = try chain()
    try story.run()
    _ = story.worked()
    try story.write("rows.csv", "1,11\n2,20\n3,30\n")
    let plan = try story.planned()
    #expect(plan.names(.wouldExecute) == ["rows"])
    #expect(plan.names(.mayExecute) == ["shifted", "sum", "page"])
    #expect(plan[stage: "shifted"]?.reasons.map(\.description) == ["rows is made again"])
    let report = try story.run()
    #expect(story.worked() == ["rows", "shifted"])
    #expect(report.names(.cached) == ["sum", "page"])
    #expect(report[stage: "rows"]?.reasons.map(\.description) == ["file rows.csv changed"])
    #expect(report[stage: "shifted"]?.reasons.map(\.description) == ["input table changed"])
  }

  @Test func touchingAFileDoesNothing() throws {
    let story = try chain()
    try story.run()
    _ = story.worked()
    try story.write("rows.csv", "1,10\n2,20\n3,30\n")
    utimes(story.folder + "/rows.csv", nil)
    #expect(try story.run().count(.cached) == 4)
    #expect(story.worked() == [])
  }

  /// A database's newest rows may stand in a log beside it.
  @Test func theLogBesideAFileCountsAsItsBytes() throws {
    let story = try chain()
    try story.run()
    _ = story.worked()
    try story.write("rows.csv-wal", "")
    try story.run()
    #expect(story.worked() == [])
    try story.write("rows.csv-wal", "more")
    #expect(try story.planned().names(.wouldExecute) == ["rows"])
    try story.run()
    #expect(story.worked() == ["rows"])
    try story.write("rows.csv-wal", "most")
    #expect(try story.planned()[stage: "rows"]?.reasons.map(\.description) == ["file rows.csv changed"])
  }

  @Test func goingBackFindsWhatWasMadeBefore() throws {
    let story = try chain()
    try story.run()
    story["shifted"].settings = ["add": 5]
    try story.run()
    _ = story.worked()
    story["shifted"].settings = ["add": 1]
    #expect(try story.run().count(.cached) == 4)
    #expect(story.worked() == [])
  }

  @Test(arguments: ["version", "parameter", "type of a parameter"]) func whatElseStandsInARecipe(what: String) throws {
    let story = try chain()
    story["sum"].parameters = ["until": .string("2011-12-09")]
    try story.run()
    _ = story.worked()
    let expected: Reason
    switch what {
    case "version":
      story["sum"].version = 2
      expected = Reason(.implementation, name: "toy", old: 1, new: 2)
    case "parameter":
      story["sum"].parameters = ["until": .string("2011-12-10")]
      expected = Reason(.parameter, path: "/parameters/until", name: "until", old: ["string", "2011-12-09"], new: ["string", "2011-12-10"])
    default:
      story["sum"].parameters = ["until": .path("2011-12-09")]
      expected = Reason(.parameter, path: "/parameters/until", name: "until", old: ["string", "2011-12-09"], new: ["path", "2011-12-09"])
    }
    #expect(try story.planned()[stage: "sum"]?.reasons == [expected])
    #expect(try story.planned().names(.mayExecute) == ["page"])
    try story.run()
    #expect(story.worked() == ["sum"])
  }

  @Test func aForcedStageRunsAndCutoffHoldsBehindIt() throws {
    let story = try chain()
    try story.run()
    _ = story.worked()
    var options = RunOptions(width: 2)
    options.force = ["shifted"]
    #expect(try story.planned(options).names(.wouldExecute) == ["shifted"])
    #expect(try story.planned(options).names(.mayExecute) == ["sum", "page"])
    let report = try story.run(options)
    #expect(story.worked() == ["shifted"])
    #expect(report.names(.cached) == ["rows", "sum", "page"])
    options.force = ["shiftd"]
    #expect {
      try story.run(options)
    } throws: { "\($0)" == "error: --force names stage \"shiftd\", which pipeline \"story\" does not have\n  hint: did you mean \"shifted\"?" }
  }

  @Test func toAndOnly() throws {
    let story = try chain()
    var only = RunOptions(), to = RunOptions()
    only.only = ["sum"]
    to.to = ["shifted"]
    #expect {
      try story.run(only)
    } throws: { ($0 as? Mistakes)?.all.map(\.message) == [
      "pipeline \"story\", stage \"rows\" (toy): it is needed and is not in the store as it stands now (first run)",
      "pipeline \"story\", stage \"shifted\" (toy): it is needed and is not in the store as it stands now (first run)",
    ] }
    #expect(try story.run(to).stages.map(\.name) == ["rows", "shifted"])
    #expect(story.worked() == ["rows", "shifted"])
    #expect(try story.run(only).names(.executed) == ["sum"])
    #expect(story.worked() == ["sum"])
  }

  @Test func noCacheReadsNothingAndLeavesTheStore() throws {
    let story = try chain()
    let first = try story.run()
    _ = story.worked()
    let objects = Disk.names(in: story.store.objects), recipes = Disk.names(in: story.store.recipes)
    var options = RunOptions(width: 2)
    options.noCache = true
    #expect(try story.planned(options).names(.wouldExecute).count == 4)
    story["shifted"].settings = ["add": 1, "note": "new"]
    let report = try story.run(options)
    #expect(story.worked() == ["page", "rows", "shifted", "sum"])
    #expect(report.digests == first.digests)
    #expect(Disk.contents("\(story.store.runs)/\(report.id)/page.txt") == Array("9".utf8))
    #expect(Disk.names(in: story.store.objects) == objects)
    #expect(Disk.names(in: story.store.recipes) == recipes)
    #expect(Disk.names(in: story.store.temporary) == [])
  }

  @Test func twoStagesOfOneRecipeAreMadeOnce() throws {
    let story = try chain()
    story.addSum("again", from: "shifted")
    story.addShift("after", from: "again", add: 1)
    let plan = try story.planned()
    #expect(plan.names(.cached) == ["again"])
    let report = try story.run(RunOptions(width: 4))
    #expect(report.names(.cached) == ["again"])
    #expect(story.worked() == ["after", "page", "rows", "shifted", "sum"])
    #expect(report[stage: "again"]?.outputs.map(\.record.digest) == report[stage: "sum"]?.outputs.map(\.record.digest))
  }

  @Test func sameDigestsAtAnyWidth() throws {
    var seen: Set<[String]> = []
    for width in [1, 8, 1, 8] {
      let story = try chain()
      story.addShift("side", from: "rows", add: 7)
      seen.insert(try story.run(RunOptions(width: width)).digests)
    }
    #expect(seen.count == 1)
  }

  @Test func theCatalogMayGo() throws {
    let story = try chain()
    try story.run()
    _ = story.worked()
    for noise in [nil, "noise that is no database, and longer than a header of SQLite, which has one hundred bytes in all ......"] {
      for suffix in ["", "-wal", "-shm"] { Disk.remove(story.store.path + "/catalog.sqlite" + suffix) }
      if let noise { try Disk.write(Array(noise.utf8), to: story.store.path + "/catalog.sqlite", durably: false) }
      #expect(try story.run().count(.cached) == 4)
      var options = RunOptions()
      options.force = ["rows"]
      // The index of recipes is rebuilt from the store.
      for suffix in ["", "-wal", "-shm"] { Disk.remove(story.store.path + "/catalog.sqlite" + suffix) }
      #expect(try story.planned(options).names(.mayExecute) == ["shifted", "sum", "page"])
    }
    #expect(story.worked() == [])
    #expect(RunRegistry(store: story.store).list().map(\.status) == ["succeeded", "succeeded", "succeeded"])
  }

  // MARK: Where files lie

  /// The same file under another path is the same source; another name makes the reader run, and nothing behind it.
  @Test func theFolderOfASourceChangesNothingAndItsNameReruns() throws {
    let story = try chain()
    let first = try story.run()
    _ = story.worked()
    try Disk.makeFolders(story.folder + "/elsewhere/deep")
    try story.write("elsewhere/deep/rows.csv", "1,10\n2,20\n3,30\n")
    story["rows"].place = "elsewhere/deep/"
    #expect(try story.planned().names(.cached) == ["rows", "shifted", "sum", "page"])
    #expect(try story.run().digests == first.digests)
    #expect(story.worked() == [])

    try story.write("lines.csv", "1,10\n2,20\n3,30\n")
    let behind = Array(story.stages.dropFirst())
    story.stages = []
    story.addReader("rows", file: "lines.csv")
    story.stages += behind
    #expect(try story.planned()[stage: "rows"]?.reasons.map(\.description) == ["file lines.csv changed", "file rows.csv changed"])
    #expect(try story.run().digests == first.digests)
    #expect(story.worked() == ["rows"])
  }

  /// What leaves the store for another machine must not tell this one's folders.
  @Test func noFolderOfThisMachineLiesInTheStore() throws {
    let story = try chain()
    story["rows"].place = "./"
    try story.run()
    for folder in [story.store.objects, story.store.recipes] {
      for path in files(below: folder) {
        let text = String(decoding: Disk.contents(path) ?? [], as: UTF8.self)
        #expect(!text.contains(story.folder), "\(path)")
      }
    }
    #expect(files(below: story.store.recipes).count == 4)
  }

  private func files(below folder: String) -> [String] {
    Disk.names(in: folder).flatMap { name in
      Disk.isFolder(folder + "/" + name) ? files(below: folder + "/" + name) : [folder + "/" + name]
    }
  }

  // MARK: Reasons

  /// Two outputs of one producer that will run are one reason.
  @Test func aProducerIsNamedOnce() throws {
    let story = Story()
    try story.write("rows.csv", "1,10\n")
    let both = [Binding.Output("table", .table(TableType(Story.schema))), Binding.Output("other", .table(TableType(Story.schema)))]
    story.add("pair", settings: ["turn": 1], outputs: both) { _, context in
      try context.writeTable("table", Story.table(x: [1], y: [1]))
      try context.writeTable("other", Story.table(x: [2], y: [2]))
      return Metrics()
    }
    let reads = ["a", "b"].map { Story.Need(alias: $0, stage: "pair", reads: .all) }
    story.add("sum", needs: reads) { _, context in
      try context.writeTable("table", Story.table(x: [3], y: [3]))
      return Metrics()
    }
    try story.run()
    story["pair"].settings = ["turn": 2]
    #expect(try story.planned()[stage: "sum"]?.reasons == [Reason(.upstream, path: "/stages/sum/from", name: "pair")])
  }
}
