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

/// What is said of a store and of those who hold it.
@Suite(.serialized) struct StoreCareTests {
  private func chain() throws -> Story {
    let story = Story()
    try story.write("rows.csv", "1,10\n2,20\n")
    story.addReader("rows", file: "rows.csv")
    story.addSum("sum", from: "rows")
    return story
  }

  private final class Waits: RunObserver {
    private let holders = Mutex<[String]>([])
    var all: [String] { holders.withLock { $0 } }
    func stageWaits(_ stage: String, holder: LockHolder?) { holders.withLock { $0.append("\(stage): \(holder?.description ?? "unknown")") } }
  }

  @Test func whoHoldsALockIsNamedWithItsAge() throws {
    let story = try chain()
    try story.run()
    let key = try story.planned()[stage: "rows"]!.recipe.key
    let path = "\(story.store.locks)/\(key)"
    let lock = try #require(try FileLock.attempt(path))
    var times = [timeval(tv_sec: 0, tv_usec: 0), timeval(tv_sec: 0, tv_usec: 0)]
    utimes(path, &times)
    // Setting times counts as a change of a moment ago: the age is that of the lock, not of what was written into its file. A slow machine takes some
    // seconds from here to there.
    let young = { (text: String) in text.replacing(#/for [0-5]?[0-9] s/#, with: "for a moment") }
    let holder = try #require(FileLock.holder(path))
    #expect(holder.process == Int(getpid()))
    #expect(young(holder.description) == "process \(getpid()), for a moment")
    var options = RunOptions(width: 1)
    options.force = ["rows"]
    options.wait = 0
    let waits = Waits()
    let report = try story.run(options, observer: waits)
    #expect(report[stage: "rows"]?.status == .failed)
    let mistakes = report[stage: "rows"]?.mistakes ?? []
    #expect(mistakes.map { young($0.message) } == ["another run makes it (process \(getpid()), for a moment), and did not end within 0 s"])
    #expect(mistakes.map(\.hint) == ["wait longer with --wait, or end that run"])
    #expect(waits.all.map(young) == ["rows: process \(getpid()), for a moment"])
    lock.removeFile()
  }

  @Test func aStoppedProcessIsCalledStopped() throws {
    var child = pid_t()
    let words: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
    #expect(posix_spawnp(&child, "sleep", nil, nil, words, environ) == 0)
    let holder = LockHolder(process: Int(child), seconds: 12)
    #expect(holder.description == "process \(child), for 12 s")
    kill(child, SIGSTOP)
    for _ in 0..<5000 where !holder.isStopped { usleep(1000) }
    #expect(holder.description == "process \(child), for 12 s, which is stopped: kill -CONT \(child) lets it go on")
    kill(child, SIGKILL)
    waitpid(child, nil, 0)
    #expect(!holder.isStopped)
    for word in words { free(word) }
  }

  /// A collection that stands still is named to whoever waits for the gate.
  @Test func aCollectionIsNamed() throws {
    let story = try chain()
    try story.store.prepare()
    let named = Mutex<[LockHolder?]>([])
    let collection = try #require(StoreGate(story.store)), run = try #require(StoreGate(story.store) { holder in named.withLock { $0.append(holder) } })
    let inside = DispatchSemaphore(value: 0), group = DispatchGroup()
    DispatchQueue.global().async(group: group) {
      collection.holdAlone {
        inside.signal()
        for _ in 0..<20_000 where named.withLock({ $0.isEmpty }) { usleep(1000) }
      }
    }
    inside.wait()
    #expect(run.hold { 7 } == 7)
    group.wait()
    #expect(named.withLock { $0 }.map { $0?.process } == [Int(getpid())])
    #expect(Disk.size(ofFile: story.store.path + "/gate") == 0)
  }

  @Test func filesOfSeveralNamesCountOnce() throws {
    let story = Story()
    for name in ["a", "b", "c"] { try story.write(name, "1") }
    story.addFiles("lines", ["a", "b", "c"])
    try story.run()
    let statistics = StoreStatistics(of: story.store)
    var identities: [String: Int] = [:], names = 0
    for object in Disk.names(in: story.store.objects) {
      for file in Disk.names(in: story.store.objects + "/" + object) {
        let path = "\(story.store.objects)/\(object)/\(file)"
        identities[Disk.identity(path)!] = Disk.size(ofFile: path)!
        names += 1
      }
    }
    #expect(names > identities.count)
    #expect(statistics.bytes == identities.values.reduce(0, +))
  }

  /// What cannot be seen is not taken for nothing. The user root reads everything, so a folder is put in the place of a file and a file in that of a folder.
  @Test func acollectionThatCannotReadTakesNothing() throws {
    let story = try chain()
    try story.run()
    let store = story.store
    Disk.remove(store.path + "/runs-aside")
    rename(store.runs, store.path + "/runs-aside")
    try Disk.write([], to: store.runs, durably: false)
    #expect(throws: Refusal.self) { try store.collect(CollectionRules(), isDry: false) }
    #expect(StoreFindings(of: store, width: 1).all.map { "\($0.path): \($0.what)" } == ["runs: it cannot be read"])
    Disk.remove(store.runs)
    rename(store.path + "/runs-aside", store.runs)
    #expect(try story.run().count(.cached) == 2)
  }

  /// `runs list` says the same with a catalog and without.
  @Test func theCatalogOfRunsIsRebuilt() throws {
    let story = try chain()
    var options = RunOptions(width: 1)
    options.provenance = Provenance(text: "{}", values: [], allowPath: [], origins: [:], project: story.folder)
    try story.run(options)
    let before = RunRegistry(store: story.store).list().map(\.summary)
    for name in Disk.names(in: story.store.path) where name.hasPrefix("catalog") { Disk.remove(story.store.path + "/" + name) }
    #expect(RunRegistry(store: story.store).list().map(\.summary) == before)
    #expect(try story.run().count(.cached) == 2)
  }

  @Test func whatTheSystemRefusesIsNoMistake() {
    let refusal = Disk.failure("write", "/nowhere/at/all", code: ENOENT)
    #expect("\(refusal)" == "error: cannot write \"/nowhere/at/all\": No such file or directory")
    #expect(Mistakes(describing: refusal).all == [refusal.diagnostic])
    let told = Disk.advised(Diagnostic("part-1: Error writing bytes to file ([errno 28] No space left on device)"), store: "/")
    #expect(told.hint?.hasSuffix(" bytes are free there; make room or choose another store with --artifacts") == true)
  }
}
