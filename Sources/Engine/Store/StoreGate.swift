import Diagnostics
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Keeps a collection and the runs of a store apart for the moments in which that matters: a run holds the gate while it
/// looks up or commits, a collection while it works. Both are short; a run that computes holds nothing.
// @unchecked: the descriptor is constant, the count lies in a mutex.
final class StoreGate: @unchecked Sendable {
  private let file: Int32
  private let holders = Mutex(0)
  private let path: String
  /// Told who is waited for, when that takes longer than a second.
  private let waits: @Sendable (LockHolder?) -> Void

  /// Nil where the store cannot be written: nobody collects there.
  init?(_ store: ArtifactStore, waits: @escaping @Sendable (LockHolder?) -> Void = { _ in }) {
    path = store.path
    self.waits = waits
    file = Disk.opened(store.path + "/gate", O_RDWR | O_CREAT, 0o666)
    if file < 0 { return nil }
  }

  deinit { close(file) }

  /// Beside other runs. A lock belongs to the open file, which all threads of a run share, so they are counted.
  func hold<Result>(_ body: () throws -> Result) rethrows -> Result {
    holders.withLock { count in
      if count == 0 { lock(LOCK_SH) }
      count += 1
    }
    defer {
      holders.withLock { count in
        count -= 1
        if count == 0 { lock(LOCK_UN) }
      }
    }
    return try body()
  }

  /// Alone.
  func holdAlone<Result>(_ body: () throws -> Result) rethrows -> Result {
    lock(LOCK_EX)
    let words = Array("\(getpid())\n".utf8)
    ftruncate(file, 0)
    _ = words.withUnsafeBytes { pwrite(file, $0.baseAddress!, $0.count, 0) }
    defer {
      ftruncate(file, 0)
      lock(LOCK_UN)
    }
    return try body()
  }

  // A file system without locks has no second process that could collect either.
  private func lock(_ how: Int32) {
    for _ in 0..<1000 {
      if flock(file, how | LOCK_NB) == 0 || errno != EWOULDBLOCK && errno != EINTR { return }
      usleep(1000)
    }
    waits(holder)
    while flock(file, how) != 0, errno == EINTR {}
  }

  /// A collection writes itself into the gate; runs have locks of their own, of which the stopped ones are to blame.
  private var holder: LockHolder? {
    if let collection = FileLock.holder(path + "/gate") { return collection }
    let locks = ArtifactStore(path: path).locks
    let runs = Disk.names(in: locks).filter { $0.hasPrefix(LiveRun.prefix) }.compactMap { FileLock.holder(locks + "/" + $0) }
    return runs.first { $0.isStopped } ?? runs.first { $0.process != Int(getpid()) }
  }
}

/// A run that is under way, for collections: what it looked up or made since it began stays. Ends with its process.
final class LiveRun: Sendable {
  static let prefix = "run-"
  private let lock: FileLock

  init(in store: ArtifactStore) throws {
    while true {
      let name = Self.prefix + String(UInt64.random(in: .min ... .max), radix: 36)
      guard let lock = try FileLock.attempt(store.locks + "/" + name) else { continue }
      self.lock = lock
      return
    }
  }

  func end() { lock.removeFile() }

  /// When the oldest run began that is under way; nil: none is.
  static func oldest(in store: ArtifactStore) -> FileTime? {
    Disk.names(in: store.locks).filter { $0.hasPrefix(prefix) }.compactMap { name -> FileTime? in
      let path = store.locks + "/" + name
      if let free = try? FileLock.attempt(path) {
        free.removeFile()
        return nil
      }
      return FileTime(ofFile: path)
    }.min()
  }
}

/// A time as the file system counts it.
struct FileTime: Comparable {
  let seconds: Int
  let nanoseconds: Int

  /// Of the last change of content or place; nil when there is no such file.
  init?(ofFile path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    #if canImport(Glibc)
      let (modified, changed) = (status.st_mtim, status.st_ctim)
    #else
      let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
    #endif
    let isChangedLater = (changed.tv_sec, changed.tv_nsec) > (modified.tv_sec, modified.tv_nsec)
    seconds = isChangedLater ? changed.tv_sec : modified.tv_sec
    nanoseconds = isChangedLater ? changed.tv_nsec : modified.tv_nsec
  }

  static func < (a: FileTime, b: FileTime) -> Bool { (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds) }

  /// Seconds until now, by the clock on the wall; never negative.
  var age: Int {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return max(0, now.tv_sec &- seconds)
  }
}
