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

/// Stages that fail for the moment, and those that take too long.
@Suite(.serialized) struct RetryTests {
  private func failing(_ times: Int, isTransient: Bool = true) -> Story {
    let story = Story(), left = Mutex(times)
    story.add("source") { _, context in
      let isOver = left.withLock { left in
        left -= 1
        return left < 0
      }
      if !isOver {
        var failure = Diagnostic("the store does not answer")
        failure.isTransient = isTransient
        throw failure
      }
      try context.writeTable("table", Story.table(x: [1, 2], y: [3, 4]))
      return Metrics()
    }
    story.addSum("sum", from: "source")
    return story
  }

  private func retries(_ times: Int, wait: Double = 0.001) -> RetryPolicy {
    var policy = RetryPolicy(times: times)
    policy.wait = Pipelines.Duration(wait, .second)
    return policy
  }

  @Test func whatFailsForTheMomentIsTriedAgain() throws {
    let story = failing(2), told = Told()
    story["source"].retries = retries(3)
    let report = try story.run(observer: told)
    #expect(report.status == .succeeded)
    #expect(story.worked() == ["source", "source", "source", "sum"])
    #expect(report[stage: "source"]?.attempts == 3 && report[stage: "sum"]?.attempts == 1)
    #expect(told.retries == [
      "source: attempt 1 of 4; the next one follows after 0.001 s", "source: attempt 2 of 4; the next one follows after 0.002 s",
    ])
    #expect(Disk.names(in: story.store.temporary) == [] && Disk.names(in: story.store.locks) == [])
    // Retries are no part of what is made.
    story["source"].retries = .never
    #expect(try story.run().count(.cached) == 2)
  }

  @Test func aMistakeIsNotTriedAgain() throws {
    let story = failing(2, isTransient: false)
    story["source"].retries = retries(3)
    #expect(try story.run().names(.failed) == ["source"])
    #expect(story.worked() == ["source"])
  }

  @Test func afterTheLastAttemptItHasFailed() throws {
    let story = failing(9)
    story["source"].retries = retries(2)
    let report = try story.run()
    #expect(report.names(.failed) == ["source"] && report.names(.skipped) == ["sum"])
    #expect(report[stage: "source"]?.attempts == 3)
    #expect(story.worked() == ["source", "source", "source"])
  }

  @Test func othersGoOnWhileOneWaits() throws {
    let story = failing(1)
    story["source"].retries = retries(1, wait: 0.2)
    story.add("other", settings: ["other": true]) { _, context in
      try context.writeTable("table", Story.table(x: [5], y: [6]))
      return Metrics()
    }
    let report = try story.run(RunOptions(width: 1))
    #expect(report.status == .succeeded)
    #expect(report[stage: "other"]!.start! < report[stage: "sum"]!.start!)
  }

  @Test func whoeverStopsTheRunNeedNotWait() throws {
    let story = failing(9), flag = CancellationFlag()
    story["source"].retries = retries(5, wait: 600)
    let report = try story.run(observer: Told { flag.cancel() }, cancellation: flag)
    #expect(report.status == .cancelled)
    #expect(report.names(.skipped) == ["source", "sum"])
    #expect(Disk.names(in: story.store.temporary) == [] && Disk.names(in: story.store.locks) == [])
  }

  @Test func aStageThatTakesTooLongFailsAtItsNextBatch() throws {
    let story = Story()
    try story.write("n.txt", "1")
    story.addSource("slow", file: "n.txt", batches: 1000)
    story.onBatch = { _ in usleep(5_000) }
    story["slow"].timeout = Pipelines.Duration(0.02, .second)
    let report = try story.run()
    #expect(report.names(.failed) == ["slow"])
    #expect(report[stage: "slow"]?.mistakes.map(\.message) == ["it took longer than its time-out of 0.02 seconds"])
    #expect(Disk.names(in: story.store.temporary) == [])
    story.onBatch = nil
    story["slow"].timeout = nil
    #expect(try story.run().status == .succeeded)
  }

  @Test(arguments: [(1, 1.0), (2, 2), (3, 4), (6, 32), (7, 60), (100, 60)]) func theWaitDoublesUpToItsBound(attempt: Int, seconds: Double) {
    #expect(RetryPolicy(times: 100).delay(after: attempt) == seconds)
    #expect(RetryPolicy(times: attempt - 1).delay(after: attempt) == nil)
  }
}

/// Keeps what a run tells of retries.
private final class Told: RunObserver {
  private let lines = Mutex<[String]>([])
  private let whenTold: @Sendable () -> Void

  init(_ whenTold: @escaping @Sendable () -> Void = {}) { self.whenTold = whenTold }

  var retries: [String] { lines.withLock { $0 } }

  func stageRetries(_ stage: String, _ failure: Diagnostic) {
    lines.withLock { $0.append("\(stage): \(failure.hint ?? "")") }
    whenTold()
  }
}
