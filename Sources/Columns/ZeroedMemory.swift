#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Zeros for many values, that cost memory only where they are written. Large ones in large pages: for tables in which every
/// step lands elsewhere.
// @unchecked: whoever shares it says which places are whose.
public final class ZeroedMemory<T: BitwiseCopyable>: @unchecked Sendable {
  public let base: UnsafeMutablePointer<T>
  /// Of a mapping; 0 where the memory is the allocator's.
  private let mapped: Int

  public init(_ count: Int) {
    let bytes = max(1, count) * MemoryLayout<T>.stride
    if bytes >= LargeMemory.largeBytes {
      // The system's pages are zero already; the allocator's memory would have to be written.
      let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | Int32(MAP_ANON), -1, 0)
      guard let memory, memory != MAP_FAILED else { fatalError("out of memory: \(bytes) bytes for a table") }
      #if canImport(Glibc)
        _ = madvise(memory, bytes, MADV_HUGEPAGE)
      #endif
      base = memory.bindMemory(to: T.self, capacity: count)
      mapped = bytes
    } else {
      // From the beginning of a cache line on.
      let memory = LargeMemory.allocate(bytes)
      memset(memory, 0, bytes)
      base = memory.bindMemory(to: T.self, capacity: count)
      mapped = 0
    }
  }

  deinit { if mapped > 0 { munmap(base, mapped) } else { LargeMemory.free(base) } }
}
