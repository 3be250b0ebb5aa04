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

/// What goes wrong, and what the next run makes of it.
@Suite(.serialized) struct FaultTests {
  private func fork() throws -> Story {
    let story = Story()
    try story.write("rows.csv", "1,10\n2,20\n")
    story.addReader("rows", file: "rows.csv")
    story.addSum("sum", from: "rows")
    story.addShift("side", from: "rows", add: 1)
    story.addSum("end", from: "side")
    return story
  }

  @Test(arguments: [(keepGoing: false, ran: ["rows", "sum"]), (keepGoing: true, ran: ["end", "rows", "side", "sum"])])
  func aFailureStopsTheRunUnlessToldToKeepGoing(keepGoing: Bool, ran: [String]) throws {
    let story = try fork()
    let work = story["sum"].work
    story["sum"].work = { _, _ in throw Diagnostic("there is no sum of nothing") }
    // One at a time, the failing stage first: its path is made the longest.
    story.addPage("page", from: "sum")
    story.addPage("second", from: "page", file: "second.txt")
    story.stages.removeAll { $0.name == "second" }
    var options = RunOptions(width: 1)
    options.keepGoing = keepGoing
    let failed = try story.run(options)
    #expect(failed.status == .failed)
    #expect(failed[stage: "sum"]?.status == .failed)
    #expect(failed[stage: "sum"]?.mistakes == [Diagnostic("there is no sum of nothing")])
    #expect(failed[stage: "page"]?.status == .skipped)
    #expect(RunRegistry(store: story.store).list().map(\.status) == ["failed"])
    #expect(Disk.names(in: story.store.temporary) == [])
    let before = Set(story.worked() + ["sum"])
    #expect(before.isSubset(of: Set(ran)))
    if keepGoing { #expect(failed.names(.executed) == ["rows", "side", "end"]) }
    story["sum"].work = work
    let repaired = try story.run()
    #expect(repaired.status == .succeeded)
    #expect(Set(story.worked()).isDisjoint(with: failed.names(.executed)))
    #expect(repaired[stage: "rows"]?.status == .cached)
  }

  @Test(arguments: ["missing object", "short file", "flipped bit", "flipped record", "another artifact", "a newer format", "a strange file", "missing recipe"])
  func damageIsFoundAndMended(how: String) throws {
    let story = try fork()
    let first = try story.run()
    _ = story.worked()
    let digest = first[stage: "rows"]!.outputs[0].record.digest
    let folder = story.store.folder(of: digest)
    let part = folder + "/part-00000.arrow"
    switch how {
    case "missing object": Disk.remove(folder)
    case "short file": truncate(part, 100)
    case "flipped bit": try flip(part, at: 300)
    case "flipped record": try flip(folder + "/artifact.json", at: 120)
    case "another artifact":
      Disk.remove(folder)
      rename(story.store.folder(of: first[stage: "side"]!.outputs[0].record.digest), folder)
    case "a newer format":
      // With a right seal: another version of Millrace may have written it.
      let record = Sealed.content(folder + "/artifact.json")!
      Disk.remove(folder + "/artifact.json")
      try Disk.write(Sealed.bytes(.object(record.members!.map { $0.key == "format" ? JSONMember("format", 99) : $0 })), to: folder + "/artifact.json", durably: false)
    case "a strange file":
      Disk.remove(folder)
      try Disk.write([1, 2, 3], to: folder, durably: false)
    default: Disk.remove("\(story.store.recipes)/\(try story.planned()[stage: "rows"]!.recipe.key).json")
    }
    // A stage that has to read the damaged artifact.
    story.addShift("new", from: "rows", add: 3)
    let report = try story.run()
    #expect(report.status == .succeeded)
    #expect(report[stage: "rows"]?.status == .executed)
    let expected: Reason.Kind = how == "missing object" || how == "missing recipe" ? .missing : .damaged
    #expect(report[stage: "rows"]?.reasons.map(\.kind) == [expected])
    #expect(report[stage: "sum"]?.status == .cached)
    #expect(story.worked().filter { $0 == "rows" }.count == 1)
    #expect(report[stage: "rows"]?.outputs[0].record.digest == digest)
    #expect(try story.run().count(.cached) == 5)
    #expect(story.worked() == [])
    guard case .sound(let record) = story.store.condition(of: digest) else {
      Issue.record("the artifact was not mended")
      return
    }
    #expect(story.store.isIntact(record, width: 1))
  }

  private func flip(_ path: String, at offset: Int) throws {
    var bytes = Disk.contents(path)!
    bytes[offset % bytes.count] ^= 1
    Disk.remove(path)
    try Disk.write(bytes, to: path, durably: false)
  }

  @Test func aFileThatChangesWhileItIsReadIsAMistake() throws {
    let story = try fork()
    let work = story["rows"].work, path = story.folder + "/rows.csv"
    story["rows"].work = { inputs, context in
      let metrics = try work(inputs, context)
      Disk.remove(path)
      try Disk.write(Array("7,70\n".utf8), to: path, durably: false)
      return metrics
    }
    let report = try story.run()
    #expect(report[stage: "rows"]?.mistakes.map(\.description) == [
      "rows.csv: error: the file changed while it was read; nothing was kept of this stage\n  hint: run again when the file is complete"
    ])
    #expect(Disk.names(in: story.store.recipes) == [])
    story["rows"].work = work
    #expect(try story.run()[stage: "sum"]?.metrics == ["sum": 7])
  }

  /// What a stage found in a file that was replaced under it is told behind that.
  @Test func aFailureIsLaidToTheFileThatChanged() throws {
    let story = try fork()
    let path = story.folder + "/rows.csv"
    story["rows"].work = { _, _ in
      Disk.remove(path)
      try Disk.write(Array("7,70\n".utf8), to: path, durably: false)
      throw Diagnostic("is cut off", at: .data(file: "rows.csv", line: nil, byte: 5, column: nil))
    }
    #expect(try story.run()[stage: "rows"]?.mistakes.map(\.message) == [
      "the file changed while it was read; nothing was kept of this stage", "is cut off",
    ])
    #expect(Disk.names(in: story.store.recipes) == [])
  }

  @Test func aCancelledRunKeepsWhatIsDone() throws {
    let story = try fork()
    let flag = CancellationFlag()
    let work = story["side"].work
    story["side"].work = { inputs, context in
      flag.cancel()
      try context.checkCancellation()
      return try work(inputs, context)
    }
    let report = try story.run(RunOptions(width: 1), cancellation: flag)
    #expect(report.status == .cancelled)
    #expect(report[stage: "rows"]?.status == .executed)
    #expect(report[stage: "side"]?.status == .skipped)
    #expect(report[stage: "end"]?.status == .skipped)
    #expect(Disk.names(in: story.store.temporary) == [])
    _ = story.worked()
    story["side"].work = work
    #expect(try story.run()[stage: "rows"]?.status == .cached)
    #expect(!story.worked().contains("rows"))
  }

  @Test func twoFilesOfOneNameAreAMistake() throws {
    let story = try fork()
    story.addPage("page", from: "sum")
    story.addPage("other", from: "end")
    let report = try story.run(RunOptions(width: 1))
    #expect(report.status == .failed)
    let mistakes = report.stages.flatMap(\.mistakes)
    #expect(mistakes.count == 1)
    #expect(mistakes.first?.message == "two files are named \"page.txt\"")
  }

  @Test func whatAKilledRunLeftIsSwept() throws {
    let story = try fork()
    try story.store.prepare()
    try Disk.makeFolders(story.store.temporary + "/abandoned/stage-0")
    try Disk.write([], to: story.store.temporary + "/abandoned.lock", durably: false)
    try Disk.makeFolders(story.store.temporary + "/older")
    try story.run()
    #expect(Disk.names(in: story.store.temporary) == [])
  }

  @Test func theStoreMayNotBeAFile() throws {
    let story = try fork()
    try Disk.write([], to: story.store.path, durably: false)
    #expect { try story.run() } throws: { "\($0)" == "error: the store \"\(story.store.path)\" is not a folder" }
  }

  @Test func independentStagesOverlap() throws {
    let story = Story()
    let inside = Mutex(0)
    for name in ["left", "right"] {
      story.add(name, settings: ["name": .string(name)]) { _, context in
        inside.withLock { $0 += 1 }
        // Each waits until the other has begun; the deadline turns a hang into a failure.
        for _ in 0..<10_000 where inside.withLock({ $0 }) < 2 { usleep(1000) }
        precondition(inside.withLock { $0 } == 2, "the other stage did not begin")
        try context.writeTable("table", Story.table(x: [1], y: [1]))
        return Metrics()
      }
    }
    #expect(try story.run(RunOptions(width: 2)).count(.executed) == 2)
  }

  @Test func twoExecutorsMakeAnArtifactOnce() throws {
    let story = try fork()
    let work = story["rows"].work
    story["rows"].work = { inputs, context in
      usleep(100_000)
      return try work(inputs, context)
    }
    let plan = story.plan, store = story.store
    let reports = Mutex<[RunReport]>([])
    DispatchQueue.concurrentPerform(iterations: 2) { _ in
      if let report = try? Executor(store: store).run(plan, RunOptions(width: 2)) { reports.withLock { $0.append(report) } }
    }
    let both = reports.withLock { $0 }
    #expect(both.map(\.status) == [.succeeded, .succeeded])
    #expect(Set(both.map(\.digests)).count == 1)
    #expect(story.worked() == ["end", "rows", "side", "sum"])
    #expect(Set(both.map(\.id)).count == 2)
  }
}
