import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Charts on their way to the renderer, put in by any thread.
final class JobQueue: Sendable {
  private struct State {
    var waiting: [(at: Int, job: ChartRenderer.Job)] = []
    var isComplete = false
    var failure: (any Error)?
  }

  private let state = Mutex(State())
  private let wakeEnd: Int32
  /// Something can be read here when something came.
  let readEnd: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    // Without it the conversation looks up only every fraction of a second.
    _ = socketPair(&ends)
    (wakeEnd, readEnd) = (ends[0], ends[1])
  }

  deinit { for end in [wakeEnd, readEnd] where end >= 0 { close(end) } }

  func put(_ at: Int, _ job: ChartRenderer.Job) {
    state.withLock { $0.waiting.append((at, job)) }
    wake()
  }

  /// No more come; `failure` is why they could not be made.
  func complete(_ failure: (any Error)? = nil) {
    state.withLock {
      $0.isComplete = true
      $0.failure = failure
    }
    wake()
  }

  /// What came since the last time, and whether more may come.
  func take() throws -> (jobs: [(at: Int, job: ChartRenderer.Job)], isComplete: Bool) {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      defer { state.waiting = [] }
      return (state.waiting, state.isComplete)
    }
  }

  private func wake() {
    var byte: UInt8 = 1
    if wakeEnd >= 0 { send(wakeEnd, &byte, 1, noSignal | Int32(MSG_DONTWAIT)) }
  }
}
