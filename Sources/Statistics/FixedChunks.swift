import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Work cut into chunks whose borders depend on the amount of work only, so that sums come out equal at any width.
public enum FixedChunks {
  /// How many threads the chunks made on this thread may use; asked for each piece of work, because it may change.
  @TaskLocal static var granted = Grant { processors }
  /// A type with a name: a task-local function crashes in release builds of Swift 6.3.1, which push it without its type.
  struct Grant: Sendable { let width: @Sendable () -> Int }
  private static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

  /// Does `work` with at most `width` threads; without it chunks take one for each processor.
  ///
  ///     try FixedChunks.bounded(by: { context.width }) { try BGNBD.fit(customers) }
  public static func bounded<Result>(by width: @escaping @Sendable () -> Int, _ work: () throws -> Result) rethrows -> Result {
    try $granted.withValue(Grant(width: width), operation: work)
  }

  /// Runs `body` on every chunk of 0 ..< count and gives the results in chunk order. Chunks within a chunk take no further
  /// threads.
  public static func map<Result>(count: Int, chunk: Int, _ body: (Range<Int>) -> Result) -> [Result] {
    guard count > 0 else { return [] }
    let chunks = (count - 1) / chunk + 1
    if chunks == 1 { return [body(0..<count)] }
    let threads = max(1, min(chunks, granted.width()))
    return [Result](unsafeUninitializedCapacity: chunks) { buffer, initialized in
      // Every iteration writes its own slot, and concurrentPerform returns after the last one.
      nonisolated(unsafe) let slots = buffer.baseAddress!
      nonisolated(unsafe) let body = body
      let next = Atomic<Int>(0)
      DispatchQueue.concurrentPerform(iterations: threads) { _ in
        $granted.withValue(Grant { 1 }) {
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
