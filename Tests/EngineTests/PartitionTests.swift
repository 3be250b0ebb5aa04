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

/// Stories of many files: what one of them costs.
@Suite(.serialized) struct PartitionTests {
  private static let names = (1...24).map { "sales-\($0 < 10 ? "0" : "")\($0).csv" }

  /// files → shifted → total; shifted by partition, total from states.
  private func chain(_ files: [String] = names, kept: Set<String> = ["rows", "shifted", "total"]) throws -> Story {
    let story = Story()
    for (at, name) in files.enumerated() { try story.write(name, "\(at + 1)") }
    story.addFiles("rows", files)
    story.addMap("shifted", from: "rows", add: 1)
    story["shifted"].cut = .eachPartition
    story.addMerged("total", from: "shifted")
    for at in story.stages.indices { story.stages[at].keep = kept.contains(story.stages[at].name) }
    return story
  }

  /// The same files in another store give the same.
  private func expectAsRebuilt(_ story: Story, _ report: RunReport) throws {
    let other = Story()
    for name in story["rows"].files! { try other.write(name, String(decoding: Disk.contents(story.folder + "/" + name)!, as: UTF8.self)) }
    other.addFiles("rows", story["rows"].files!)
    other.addMap("shifted", from: "rows", add: 1)
    other["shifted"].cut = .eachPartition
    other.addMerged("total", from: "shifted")
    for at in other.stages.indices { other.stages[at].keep = story.stages[at].keep }
    let rebuilt = try other.run(RunOptions(width: 1))
    #expect(rebuilt.digests == report.digests)
    #expect(rebuilt.stages.map(\.metrics) == report.stages.map(\.metrics))
  }

  @Test(arguments: [["rows", "shifted", "total"], ["shifted", "total"], ["total"]], [1, 2]) func aFileCostsAFile(kept: [String], width: Int) throws {
    let story = try chain(kept: Set(kept))
    let options = RunOptions(width: width)
    let first = try story.run(options)
    #expect(first.status == .succeeded, "\(first.stages.flatMap(\.mistakes))")
    #expect(Counted(story.counter.take()) == ["rows": 24, "shifted": 24, "total part": 24, "total merge": 1])
    #expect(first.stages.map(\.parts) == Array(repeating: RunReport.Parts(executed: 24, total: 24), count: 3))
    #expect(first[stage: "rows"]?.metrics == ["rows": 24, "sum": 300])
    #expect(first[stage: "total"]?.metrics == ["sum": 324, "batches": 24])
    #expect(try story.run(options).count(.cached) == 3)
    #expect(story.worked() == [])

    // One more.
    try story.write("sales-25.csv", "100")
    story["rows"].files = Self.names + ["sales-25.csv"]
    #expect(try story.planned()[stage: "rows"]?.reasons.map(\.description) == ["file sales-25.csv changed"])
    var report = try story.run(options)
    #expect(Counted(story.counter.take()) == ["rows": 1, "shifted": 1, "total part": 1, "total merge": 1])
    #expect(report.stages.map(\.parts) == Array(repeating: RunReport.Parts(executed: 1, total: 25), count: 3))
    try expectAsRebuilt(story, report)

    // Another content.
    try story.write("sales-07.csv", "70")
    #expect(try story.planned()[stage: "rows"]?.reasons.map(\.description) == ["file sales-07.csv changed"])
    report = try story.run(options)
    #expect(Counted(story.counter.take()) == ["rows": 1, "shifted": 1, "total part": 1, "total merge": 1])
    #expect(report[stage: "total"]?.metrics == ["sum": 488, "batches": 25])
    try expectAsRebuilt(story, report)

    // One less.
    story["rows"].files = Array(story["rows"].files!.dropFirst())
    report = try story.run(options)
    #expect(Counted(story.counter.take()) == ["total merge": 1])
    #expect(report.stages.map(\.parts) == Array(repeating: RunReport.Parts(executed: 0, total: 24), count: 3))
    try expectAsRebuilt(story, report)
    #expect(Disk.names(in: story.store.temporary) == [])
    #expect(Disk.names(in: story.store.locks) == [])
  }

  @Test func anotherConsumerReadsWhatItNeeds() throws {
    // Only total is kept: another version of it needs every row again.
    let story = try chain(kept: ["total"])
    let first = try story.run()
    _ = story.counter.take()
    story["total"].version = 2
    let report = try story.run()
    #expect(Counted(story.counter.take()) == ["rows": 24, "shifted": 24, "total part": 24, "total merge": 1])
    #expect(report.digests == first.digests)
  }

  @Test func oneFileIsOnePartition() throws {
    let story = try chain(["a.csv"])
    let report = try story.run()
    #expect(report.stages.map(\.parts) == [nil, nil, nil])
    #expect(report[stage: "shifted"]?.outputs[0].record.table?.partitions.map(\.key) == [""])
    // A second one makes it a partition of its own name.
    try story.write("b.csv", "5")
    story["rows"].files = ["a.csv", "b.csv"]
    _ = story.counter.take()
    #expect(try story.run()[stage: "rows"]?.outputs[0].record.table?.partitions.map(\.key) == ["a.csv", "b.csv"])
    #expect(Counted(story.counter.take()) == ["rows": 2, "shifted": 2, "total part": 2, "total merge": 1])
  }

  @Test(arguments: [Set(["rows", "shifted", "total"]), ["total"]]) func whatWasDoneBeforeAFailureStays(kept: Set<String>) throws {
    let story = try chain(kept: kept)
    story.onBatch = { if $0 == "sales-20.csv" { throw Diagnostic("no \($0)") } }
    let failed = try story.run(RunOptions(width: 1))
    #expect(failed.names(.failed) == ["rows"])
    #expect(failed[stage: "rows"]?.mistakes.map(\.message) == ["no sales-20.csv"])
    #expect(failed.names(.skipped) == ["shifted", "total"])
    _ = story.counter.take()
    story.onBatch = nil
    let report = try story.run(RunOptions(width: 1))
    #expect(report.status == .succeeded)
    #expect(story.counter.take()["rows"] == 5)
    try expectAsRebuilt(story, report)
  }

  @Test(arguments: ["rows", "shifted"]) func aDamagedPartitionIsMadeAgainAlone(stage: String) throws {
    let story = try chain()
    let first = try story.run()
    _ = story.counter.take()
    let path = story.store.folder(of: first[stage: stage]!.outputs[0].record.digest) + "/part-00005.arrow"
    var bytes = Disk.contents(path)!
    bytes[bytes.count / 2] ^= 255
    // The bytes of the partition's own artifact are the same file.
    try damage(path, bytes)
    story[stage == "rows" ? "shifted" : "total"].version = 2
    let report = try story.run()
    #expect(report.status == .succeeded, "\(report.stages.flatMap(\.mistakes))")
    let counts = story.counter.take()
    #expect(counts["rows", default: 0] == (stage == "rows" ? 1 : 0))
    #expect(counts["shifted", default: 0] == (stage == "rows" ? 24 : 1))
    #expect(report.digests == first.digests)
    #expect(report[stage: stage]?.reasons.map(\.description) == ["the artifact is damaged"])
    #expect(StoreFindings(of: story.store, width: 2).all == [])
  }

  @Test func aLostPartitionIsMadeAgainOnlyWhenItIsNeeded() throws {
    let story = try chain()
    let first = try story.run()
    _ = story.counter.take()
    // Artifacts of single partitions may go: the whole has their bytes under names of its own.
    for stage in first.stages {
      for name in Disk.names(in: story.store.objects) where name != stage.outputs[0].record.digest.description {
        if let digest = Digest(name), case .sound(let record) = story.store.condition(of: digest), record.table?.partitions.count == 1,
          record.table?.partitions[0].key.isEmpty == false
        {
          Disk.remove(story.store.folder(of: digest))
        }
      }
    }
    #expect(try story.run().count(.cached) == 3)
    try story.write("sales-07.csv", "70")
    let report = try story.run()
    #expect(report.status == .succeeded)
    #expect(story.counter.take()["rows"] == 24)
    try expectAsRebuilt(story, report)
  }

  @Test func forcedMeansEveryPartition() throws {
    let story = try chain()
    try story.run()
    _ = story.counter.take()
    var options = RunOptions(width: 2)
    options.force = ["shifted"]
    #expect(try story.run(options).names(.cached) == ["rows", "total"])
    #expect(Counted(story.counter.take()) == ["shifted": 24])
  }

  @Test func warningsAreToldOnce() throws {
    let story = try chain(["a.csv", "b.csv", "c.csv"])
    let work = story["shifted"].work
    story["shifted"].work = { inputs, context in
      context.warn(Diagnostic("mind \(context.part == "c.csv" ? "c" : "all")"))
      return try work(inputs, context)
    }
    #expect(try story.run()[stage: "shifted"]?.warnings.map(\.message) == ["mind all", "mind c"])
    #expect(try story.run()[stage: "shifted"]?.warnings.map(\.message) == ["mind all", "mind c"])
  }

  /// Overwrites a file in place, as a bad disk would.
  private func damage(_ path: String, _ bytes: [UInt8]) throws {
    guard let file = fopen(path, "r+b") else { preconditionFailure("cannot open \(path)") }
    defer { fclose(file) }
    precondition(fwrite(bytes, 1, bytes.count, file) == bytes.count)
  }
}

/// Counts of work, to compare with a literal.
private struct Counted: Equatable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
  let counts: [String: Int]

  init(_ counts: [String: Int]) { self.counts = counts }
  init(dictionaryLiteral elements: (String, Int)...) { counts = Dictionary(uniqueKeysWithValues: elements) }
  var description: String { counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") }
}
