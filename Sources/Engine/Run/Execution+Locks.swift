import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One run at a time makes what a recipe gives.
extension Execution {
  /// The right to make what a recipe gives; waits while another process has it.
  func lock(_ key: Digest, _ stage: BoundStage) throws -> RecipeLock {
    let path = freshness.store.locks + "/\(key)"
    if let temporary, let idle = try idleLocks.withLock({ $0.popLast() }) ?? FileLock.attempt(temporary.fresh("lock")) {
      if idle.add(path) { return RecipeLock(file: idle, name: path) }
      // Somebody else has it, or was killed and left the file.
      idleLocks.withLock { $0.append(idle) }
    }
    let begin = clock.seconds
    var wasStopped: Bool?, turn = 0
    while true {
      if let lock = try FileLock.attempt(path) { return RecipeLock(file: lock, name: nil) }
      if turn % 50 == 0 {
        let holder = FileLock.holder(path), isStopped = holder?.isStopped ?? false
        if wasStopped != isStopped { observer?.stageWaits(stage.name, holder: holder) }
        wasStopped = isStopped
        if let wait = options.wait, clock.seconds - begin >= wait {
          throw Diagnostic(
            "another run makes it (\(holder.map(\.description) ?? "process unknown")), and did not end within \(Int(wait)) s", hint: "wait longer with --wait, or end that run")
        }
      }
      if cancellation.isCancelled { throw RunCancelled() }
      turn += 1
      usleep(20_000)
    }
  }

  func unlock(_ lock: RecipeLock) {
    guard let name = lock.name else { return lock.file.removeFile() }
    unlink(name)
    idleLocks.withLock { $0.append(lock.file) }
  }
}

/// The right to make what a recipe gives.
struct RecipeLock {
  let file: FileLock
  /// The recipe's name of a file that has another one in the run's temporary folder; nil: it has only this one.
  let name: String?
}
