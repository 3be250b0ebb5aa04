import Diagnostics
import Pipelines

/// When an attempt of a stage has to end.
struct StageDeadline: Sendable {
  let clock: Stopwatch
  let end: Double
  /// The time-out as the document has it.
  let words: String

  func check() throws {
    if clock.seconds < end { return }
    var late = Diagnostic("it took longer than its time-out of \(words)", hint: "raise \"timeout\", or let it be tried again with \"retries\"")
    late.isTransient = true
    throw late
  }
}

extension Execution {
  /// Seconds to wait before a stage is tried again; nil: it has failed. Tried again is what may be otherwise later: a source or a disk that did not
  /// answer, a time-out. A mistake in a document or in data is the same the next time.
  func retryDelay(_ entry: PlanReport.Stage, _ error: any Error) -> Double? {
    guard plan.stages[entry.index].retries.times > 0, Self.isTransient(error) else { return nil }
    let attempts = ledger.withLock { ledger in
      ledger.attempts[entry.index, default: 0] += 1
      return ledger.attempts[entry.index]!
    }
    guard let delay = plan.stages[entry.index].retries.delay(after: attempts) else {
      ledger.withLock { $0.attempts[entry.index]! -= 1 }
      return nil
    }
    var told = Mistakes(describing: error, in: plan.stages[entry.index]).all[0]
    told.hint = "attempt \(attempts) of \(plan.stages[entry.index].retries.times + 1); the next one follows after \(JSONValue.double(delay).canonical) s"
    observer?.stageRetries(entry.name, told)
    return delay
  }

  private static func isTransient(_ error: any Error) -> Bool {
    switch error {
    case let mistakes as Mistakes: !mistakes.isEmpty && mistakes.all.allSatisfy(\.isTransient)
    case let mistake as Diagnostic: mistake.isTransient
    case let refusal as Refusal: refusal.diagnostic.isTransient
    default: false
    }
  }
}
