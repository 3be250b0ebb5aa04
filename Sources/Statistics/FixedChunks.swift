import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Work cut into chunks whose borders depend on the amount of work only, so that sums come out equal at any width.
public enum FixedChunks {
  private static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Does `work` with at most `width` threads; without it chunks take one for each processor. Asked for each piece of
  /// work, because it may change.
  ///
  ///     try FixedChunks.bounded(by: { context.width }) { try BGNBD.fit(customers) }
  public static func bounded<Result>(by width: @escaping @Sendable () -> Int, _ work: () throws -> Result) rethrows -> Result {
    try ThreadGrant(width: width).hold(work)
  }

  /// Runs `body` on every chunk of 0 ..< count and gives the results in chunk order. Chunks within a chunk take no further
  /// threads.
  public static func map<Result>(count: Int, chunk: Int, _ body: (Range<Int>) -> Result) -> [Result] {
    guard count > 0 else { return [] }
    let chunks = (count - 1) / chunk + 1
    if chunks == 1 { return [body(0..<count)] }
    let threads = max(1, min(chunks, ThreadGrant.held?.width() ?? processors))
    return [Result](unsafeUninitializedCapacity: chunks) { buffer, initialized in
      // Every iteration writes its own slot, and concurrentPerform returns after the last one.
      nonisolated(unsafe) let slots = buffer.baseAddress!
      nonisolated(unsafe) let body = body
      let next = Atomic<Int>(0)
      DispatchQueue.concurrentPerform(iterations: threads) { _ in
        ThreadGrant.one.hold {
          while case let i = next.wrappingAdd(1, ordering: .relaxed).oldValue, i < chunks {
            (slots + i).initialize(to: body(i * chunk..<min(count, (i + 1) * chunk)))
          }
        }
      }
      initialized = chunks
    }
  }

  /// An array whose elements are computed chunk by chunk: `body` fills the elements of its range.
  public static func fill(
    count: Int, chunk: Int, _ body: (Range<Int>, UnsafeMutablePointer<Double>) -> Void
  ) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let start = buffer.baseAddress { _ = map(count: count, chunk: chunk) { body($0, start) } }
      initialized = count
    }
  }
}

/// How many threads the chunks made on a thread may use. Kept with the thread, not with a task: this runs on Dispatch's
/// threads, where no task is.
private final class ThreadGrant: Sendable {
  let width: @Sendable () -> Int

  static let one = ThreadGrant(width: { 1 })

  init(width: @escaping @Sendable () -> Int) { self.width = width }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    guard pthread_key_create(&key, nil) == 0 else { fatalError("no key is left for what a thread keeps") }
    return key
  }()

  static var held: ThreadGrant? {
    pthread_getspecific(key).map { Unmanaged<ThreadGrant>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Does `work` with this grant, which lives at least as long.
  func hold<Result>(_ work: () throws -> Result) rethrows -> Result {
    let before = pthread_getspecific(Self.key)
    pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
    defer { pthread_setspecific(Self.key, before) }
    return try withExtendedLifetime(self, work)
  }
}
