import Dispatch
import Synchronization

/// Runs `work(0)…work(count − 1)` on at most `width` threads of Dispatch; returns when all have ended.
///
/// Each index runs exactly once unless an earlier-started one failed; the error of the lowest failed index is thrown, so
/// that messages do not depend on the threads.
public func performConcurrently(_ count: Int, width: Int, _ work: @Sendable (Int) throws -> Void) throws {
  if count <= 0 { return }
  if count == 1 || width <= 1 {
    for index in 0..<count { try work(index) }
    return
  }
  let next = Atomic<Int>(0)
  let failed = Mutex<(index: Int, error: any Error)?>(nil)
  DispatchQueue.concurrentPerform(iterations: min(width, count)) { _ in
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      if index >= count { return }
      do { try work(index) } catch {
        failed.withLock { if $0 == nil || index < $0!.index { $0 = (index, error) } }
        // Later indices need not start; earlier ones have started already.
        next.store(count, ordering: .relaxed)
      }
    }
  }
  if let failure = failed.withLock({ $0 }) { throw failure.error }
}
