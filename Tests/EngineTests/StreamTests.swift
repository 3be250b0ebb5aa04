import Columns
import Diagnostics
import Pipelines
import Synchronization
import Testing

@testable import Engine

/// Stories of stages with `"keep": false`.
@Suite(.serialized) struct StreamTests {
  /// rows → shifted → sum; every stage reads once, batch by batch.
  private func chain(batches: Int = 8, kept: Set<String> = ["sum"]) throws -> Story {
    let story = Story()
    try story.write("rows.csv", "3\n")
    story.addSource("rows", file: "rows.csv", batches: batches)
    story.addMap("shifted", from: "rows", add: 1)
    story.addTotal("sum", from: "shifted")
    for at in story.stages.indices { story.stages[at].keep = kept.contains(story.stages[at].name) }
    return story
  }

  @Test(arguments: [1, 2, 3, 8]) func onlyWhatIsKeptIsStoredAndASecondRunDoesNothing(width: Int) throws {
    let story = try chain()
    let first = try story.run(RunOptions(width: width))
    #expect(first.status == .succeeded, "\(first.stages.flatMap(\.mistakes))")
    #expect(story.worked() == ["rows", "shifted", "sum"])
    #expect(Disk.names(in: story.store.objects) == [first[stage: "sum"]!.outputs[0].record.digest.description])
    #expect(first.stages.map { $0.outputs.map(\.isKept) } == [[false], [false], [true]])
    #expect(first[stage: "sum"]?.metrics == ["sum": 120, "batches": 8])
    let second = try story.run(RunOptions(width: width))
    #expect(story.worked() == [])
    #expect(second.count(.cached) == 3)
    #expect(second.digests == first.digests)
    #expect(Disk.names(in: story.store.temporary) == [])
    #expect(Disk.names(in: story.store.locks) == [])
    // What is stored does not depend on who keeps what.
    let kept = try chain(kept: ["rows", "shifted", "sum"])
    #expect(try kept.run()[stage: "sum"]!.outputs.map(\.record.digest) == first[stage: "sum"]!.outputs.map(\.record.digest))
  }

  @Test func theStagesRunAtOnceAndFewBatchesAreOnTheirWay() throws {
    let story = try chain(batches: 200)
    let log = Mutex<(made: Int, taken: Int, most: Int)>((0, 0, 0))
    story.onBatch = { stage in
      log.withLock {
        if stage == "rows" { $0.made += 1 }
        if stage == "sum" { $0.taken += 1 }
        $0.most = max($0.most, $0.made - $0.taken)
      }
    }
    let report = try story.run(RunOptions(width: 1))
    #expect(report.count(.executed) == 3)
    #expect(log.withLock { $0.made } == 200)
    // Two links of two batches, what the stages have in hand, and a wave of those.
    #expect(log.withLock { $0.most } <= 12)
  }

  @Test func aStaleConsumerMakesTheRowsComeAgain() throws {
    let story = try chain()
    let first = try story.run()
    _ = story.worked()
    story["sum"].version = 2
    let plan = try story.planned()
    #expect(plan.names(.wouldExecute) == ["rows", "shifted", "sum"])
    #expect(plan[stage: "shifted"]?.reasons.map(\.description) == ["not kept, and sum needs it"])
    #expect(plan[stage: "rows"]?.reasons.map(\.description) == ["not kept, and shifted needs it"])
    let second = try story.run()
    #expect(story.worked() == ["rows", "shifted", "sum"])
    #expect(second.digests == first.digests)
    #expect(second[stage: "rows"]?.reasons.map(\.description) == ["not kept, and shifted needs it"])
  }

  /// What is known of the columns x and y of a stage's rows.
  private func known(_ report: RunReport, _ stage: String) -> [Bool] {
    report[stage: stage]!.outputs[0].record.table!.partitions[0].columns.map { $0 != nil }
  }

  @Test(arguments: [1, 2]) func aColumnThatNobodyReadsIsNotDigestedUntilSomebodyDoes(width: Int) throws {
    let story = try chain()
    let first = try story.run(RunOptions(width: width))
    #expect(known(first, "rows") == [true, true])
    #expect(known(first, "shifted") == [true, false])
    #expect(known(first, "sum") == [true, true])
    _ = story.worked()
    story.addTotal("other", from: "shifted", reading: "y")
    let plan = try story.planned()
    #expect(plan.names(.wouldExecute) == ["rows", "shifted", "other"])
    #expect(plan[stage: "shifted"]?.reasons.map(\.description) == ["not kept, and other needs it"])
    // What shifted gives is not known before it has run; sum finds then that nothing changed for it.
    #expect(plan.names(.mayExecute) == ["sum"])
    let second = try story.run(RunOptions(width: width))
    #expect(second.status == .succeeded, "\(second.stages.flatMap(\.mistakes))")
    #expect(story.worked() == ["other", "rows", "shifted"])
    #expect(known(second, "shifted") == [true, true])
    #expect(second[stage: "other"]?.metrics["sum"] == 56)
    // What was digested for one document is known to another that reads less.
    story.stages.removeAll { $0.name == "other" }
    #expect(try story.run(RunOptions(width: width)).count(.cached) == 3)
    story["sum"].version = 2
    #expect(known(try story.run(RunOptions(width: width)), "shifted") == [true, true])
  }

  @Test func anOutputThatNobodyReadsIsCounted() throws {
    let story = try chain()
    story.stages.removeAll { $0.name == "sum" }
    let report = try story.run()
    #expect(known(report, "shifted") == [false, false])
    #expect(report[stage: "shifted"]?.outputs[0].record.table?.rows == 16)
    _ = story.worked()
    #expect(try story.run().count(.cached) == 2)
    #expect(story.worked() == [])
  }

  @Test func otherRowsThanRecordedAreFoundByTheColumnsThatAreKnown() throws {
    let a = ArtifactRecord(table: .init(schema: Story.schema, partitions: [.init(key: "", batchRows: [2], file: nil, columns: [Digest(of: "a"), nil])]))
    let b = ArtifactRecord(table: .init(schema: Story.schema, partitions: [.init(key: "", batchRows: [1, 1], file: nil, columns: [nil, Digest(of: "b")])]))
    let other = ArtifactRecord(table: .init(schema: Story.schema, partitions: [.init(key: "", batchRows: [2], file: nil, columns: [Digest(of: "c"), nil])]))
    let longer = ArtifactRecord(table: .init(schema: Story.schema, partitions: [.init(key: "", batchRows: [3], file: nil, columns: [Digest(of: "a"), nil])]))
    #expect(a.agrees(with: b) && !a.agrees(with: other) && !a.agrees(with: longer))
    #expect(a.completed(by: b).table?.partitions[0].columns == [Digest(of: "a"), Digest(of: "b")])
    #expect(a.completed(by: other) == a)
    #expect(ArtifactRecord(a.json) == a)
  }

  @Test func cutoffHoldsBehindRowsThatAreNotKept() throws {
    let story = try chain()
    story.addTotal("other", from: "shifted", reading: "y")
    try story.run()
    _ = story.worked()
    // Another x, the same y.
    try story.write("rows.csv", "4\n")
    let plan = try story.planned()
    #expect(plan.names(.wouldExecute) == ["rows"])
    #expect(plan.names(.mayExecute) == ["shifted", "sum", "other"])
    let report = try story.run()
    #expect(story.worked() == ["rows", "shifted", "sum"])
    #expect(report.names(.cached) == ["other"])
    #expect(Disk.names(in: story.store.temporary) == [])
  }

  @Test func whatMayBeNeededIsMadeOnlyWhenItIs() throws {
    // left is not kept, right is a file: join reads both and may come out as before.
    let story = Story()
    try story.write("left.csv", "3\n")
    try story.write("right.csv", "5\n")
    story.addSource("left", file: "left.csv", batches: 2)
    story.addSource("right", file: "right.csv", batches: 2)
    story.add("join", needs: [
      Story.Need(alias: "a", stage: "left", reads: .named(["x"])), Story.Need(alias: "b", stage: "right", reads: .named(["y"])),
    ]) { inputs, context in
      let all = inputs.many("table").map { $0.value }
      var cells: [[Int64]] = []
      for case .table(let table) in all { cells.append(Story.cells(try table.wholeBatch(), table.schema.names[0])) }
      try context.writeTable("table", Story.table(x: cells[0].map { $0 + 1 }, y: cells[1]))
      return Metrics()
    }
    story["left"].keep = false
    try story.run()
    _ = story.worked()
    // Another x of the right side, which nobody reads.
    try story.write("right.csv", "6\n")
    #expect(try story.planned().names(.wouldExecute) == ["right"])
    #expect(try story.planned().names(.mayExecute) == ["left", "join"])
    #expect(try story.run().names(.cached) == ["left", "join"])
    #expect(story.worked() == ["right"])
    try story.write("right.csv", "6,7\n")
    let report = try story.run()
    #expect(report.status == .succeeded, "\(report.stages.flatMap(\.mistakes))")
    #expect(story.worked() == ["join", "left", "right"])
    #expect(report[stage: "left"]?.reasons.map(\.description) == ["not kept, and join needs it"])
  }

  @Test func twoConsumersReadATemporaryFile() throws {
    let story = try chain()
    story.addTotal("other", from: "shifted", reading: "y")
    let seen = Mutex<[String]>([])
    let store = story.store
    story.onBatch = { stage in
      if stage == "sum" || stage == "other" { seen.withLock { $0 += Disk.names(in: store.temporary).filter { !$0.hasSuffix(".lock") } } }
    }
    let report = try story.run()
    #expect(report.count(.executed) == 4)
    #expect(report[stage: "other"]?.metrics == ["sum": 56, "batches": 8])
    #expect(!seen.withLock { $0 }.isEmpty)
    #expect(Disk.names(in: store.temporary) == [])
    #expect(try story.run().count(.cached) == 4)
  }

  @Test func aConsumerThatReadsTwiceGetsAFile() throws {
    let story = try chain()
    story["sum"].needs[0].passes = .many
    story["sum"].work = { inputs, context in
      let table = inputs.table()
      let sum = try (0..<2).map { _ in Story.cells(try table.wholeBatch(), "x").reduce(0, +) }
      #expect(sum == [120, 120])
      try context.writeTable("table", Story.table(x: [sum[0]], y: [0]))
      return Metrics()
    }
    let report = try story.run()
    #expect(report.status == .succeeded)
    #expect(report.digests == (try chain().run().digests))
  }

  @Test func aDiamondDoesNotWaitForItself() throws {
    // rows streams its table to "last", which needs "middle", which reads the other output of rows.
    let story = Story()
    try story.write("rows.csv", "3\n")
    story.add(
      "rows", file: "rows.csv", outputs: ["table", "rest"].map { Binding.Output($0, .table(TableType(Story.schema))) }
    ) { _, context in
      let sinks = try ["table", "rest"].map { try context.openTable($0, schema: Story.schema) }
      for at in 0..<50 { for sink in sinks { try sink.append(Story.table(x: [Int64(at)], y: [1])) } }
      for sink in sinks { try sink.close() }
      return Metrics()
    }
    story.addMap("middle", from: "rows", output: "rest", add: 1)
    story.add("last", needs: [
      Story.Need(alias: "a", stage: "rows", reads: .all, passes: .once), Story.Need(alias: "b", stage: "middle", reads: .all, passes: .once),
    ]) { inputs, context in
      var sum: Int64 = 0
      for case .table(let table) in inputs.many("table").map({ $0.value }) { try table.forEachBatch { sum += Story.cells($0, "x").reduce(0, +) } }
      try context.writeTable("table", Story.table(x: [sum], y: [0]))
      return Metrics()
    }
    for name in ["rows", "middle"] { story[name].keep = false }
    for width in [1, 4] {
      let report = try story.run(RunOptions(width: width))
      #expect(report.status == .succeeded, "\(report.stages.flatMap(\.mistakes))")
      #expect(story.worked() == ["last", "middle", "rows"])
      story["last"].version += 1
    }
  }

  @Test(arguments: ["rows", "shifted", "sum"], [1, 2]) func aFailureReleasesTheOthers(failing: String, width: Int) throws {
    let story = try chain(batches: 100)
    story.onBatch = { stage in if stage == failing { throw Diagnostic("no \(stage)") } }
    let report = try story.run(RunOptions(width: width))
    #expect(report.status == .failed)
    #expect(report.names(.failed) == [failing])
    #expect(report[stage: failing]?.mistakes.map(\.message) == ["no \(failing)"])
    #expect(Disk.names(in: story.store.objects) == [])
    #expect(Disk.names(in: story.store.temporary) == [])
    #expect(Disk.names(in: story.store.locks) == [])
    story.onBatch = nil
    #expect(try story.run(RunOptions(width: width)).status == .succeeded)
  }

  @Test func withKeepGoingTheProducersEndWell() throws {
    let story = try chain(batches: 100)
    story.onBatch = { stage in if stage == "sum" { throw Diagnostic("no \(stage)") } }
    var options = RunOptions(width: 2)
    options.keepGoing = true
    let report = try story.run(options)
    #expect(report.names(.failed) == ["sum"])
    #expect(report.names(.executed) == ["rows", "shifted"])
  }

  @Test(arguments: ["rows", "sum"], [1, 2]) func aCancelledRunEnds(at stage: String, width: Int) throws {
    let story = try chain(batches: 100)
    let flag = CancellationFlag()
    story.onBatch = { if $0 == stage { flag.cancel() } }
    let report = try story.run(RunOptions(width: width), cancellation: flag)
    #expect(report.status == .cancelled)
    #expect(report.count(.skipped) == 3)
    #expect(Disk.names(in: story.store.temporary) == [])
  }

  @Test func aConsumerMayTakeNothing() throws {
    let story = try chain()
    story["sum"].work = { _, context in
      try context.writeTable("table", Story.table(x: [0], y: [0]))
      return Metrics()
    }
    let report = try story.run()
    #expect(report.status == .succeeded)
    #expect(report[stage: "shifted"]?.outputs[0].record.table?.rows == 16)
  }

  @Test func otherContentThanRecordedFailsTheStage() throws {
    let story = try chain()
    try story.run()
    let work = story["shifted"].work
    let mood = Mutex<Int64>(0)
    story["shifted"].work = { inputs, context in
      try inputs.table().forEachBatch { _ in }
      try context.writeTable("table", Story.table(x: [mood.withLock { $0 }], y: [0]))
      return Metrics()
    }
    story["sum"].version = 2
    let report = try story.run()
    #expect(report[stage: "shifted"]?.mistakes.map(\.description) == [
      """
      error: stage "shifted" was run again because its rows were not kept, and did not give the same content
        hint: run again with --force shifted
      """,
    ])
    #expect(report.names(.skipped) == ["sum"])
    story["shifted"].work = work
    #expect(try story.run().status == .succeeded)
  }

  @Test func showSaysHowToKeepThem() throws {
    let story = try chain()
    try story.run()
    #expect {
      _ = try ArtifactReader(store: story.store).open(story.plan, stage: "shifted")
    } throws: {
      "\($0)" == """
        error: the outputs of stage "shifted" are not kept
          hint: take "keep": false away from the stage, then millrace run story.json --to shifted
        """
    }
    _ = story.worked()
    story["shifted"].keep = true
    #expect(try story.planned()[stage: "shifted"]?.reasons.map(\.description) == ["not kept before"])
    let report = try story.run()
    #expect(story.worked() == ["rows", "shifted"])
    #expect(report.names(.cached) == ["sum"])
    let opened = try ArtifactReader(store: story.store).open(story.plan, stage: "shifted")
    guard case .table(let table) = opened.artifact else { return #expect(Bool(false)) }
    #expect(table.rows == 16)
    // And back: what is stored stays good.
    story["shifted"].keep = false
    #expect(try story.run().count(.cached) == 3)
  }

  @Test func aDamagedArtifactIsMadeAgainFromRowsThatAreMadeAgain() throws {
    let story = try chain()
    story.addPage("page", from: "sum")
    let first = try story.run()
    _ = story.worked()
    let folder = story.store.folder(of: first[stage: "sum"]!.outputs[0].record.digest)
    var bytes = Disk.contents(folder + "/part-00000.arrow")!
    bytes[bytes.count / 2] ^= 255
    Disk.remove(folder + "/part-00000.arrow")
    try Disk.write(bytes, to: folder + "/part-00000.arrow", durably: false)
    story["page"].version = 2
    let report = try story.run()
    #expect(report.status == .succeeded, "\(report.stages.flatMap(\.mistakes))")
    #expect(story.worked() == ["page", "rows", "shifted", "sum"])
    #expect(report.digests == first.digests)
  }

  @Test func anEmptyPartitionArrivesToo() throws {
    let story = Story()
    try story.write("rows.csv", "3\n")
    story.add("rows", file: "rows.csv") { _, context in
      for key in ["a", "b", "c"] {
        let sink = try context.openTable("table", schema: Story.schema, partition: key)
        if key != "b" { try sink.append(Story.table(x: [1], y: [2])) }
        try sink.close()
      }
      return Metrics()
    }
    story.addMap("shifted", from: "rows", add: 1)
    story["rows"].keep = false
    let report = try story.run()
    #expect(report[stage: "shifted"]?.outputs[0].record.table?.partitions.map(\.key) == ["a", "b", "c"])
    #expect(report[stage: "shifted"]?.outputs[0].record.table?.partitions.map(\.rows) == [1, 0, 1])
  }
}
