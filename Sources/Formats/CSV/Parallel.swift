import Dispatch

/// Runs `body` for 0..<count, on the calling thread alone where `threads` is 1. `body` may write only what belongs to its
/// own number.
func inParallel(_ count: Int, threads: Int, _ body: (Int) -> Void) {
  if threads == 1 || count < 2 {
    for i in 0..<count { body(i) }
    return
  }
  withoutActuallyEscaping(body) { body in
    // Safe by the promise above; concurrentPerform returns only when every call has.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: count) { body($0) }
  }
}
