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
    if bytes >= LargeMemory.pageBytes {
      let memory = Self.mapped(bytes)
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

  /// The system's pages are zero already; the allocator's memory would have to be written. From the beginning of a large page on: what
  /// does not fill one lies in small ones.
  private static func mapped(_ bytes: Int) -> UnsafeMutableRawPointer {
    let page = LargeMemory.pageBytes, room = bytes + page
    guard let memory = mmap(nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | Int32(MAP_ANON), -1, 0), memory != MAP_FAILED else {
      fatalError("out of memory: \(bytes) bytes for a table")
    }
    // Whole pages of the system are given back, on both sides.
    let small = Int(sysconf(Int32(_SC_PAGESIZE))), used = (bytes + small - 1) & ~(small - 1)
    let before = -Int(bitPattern: memory) & (page - 1), start = memory + before
    if before > 0 { munmap(memory, before) }
    if room - before > used { munmap(start + used, room - before - used) }
    #if canImport(Glibc)
      _ = madvise(start, used, MADV_HUGEPAGE)
    #endif
    return start
  }

  deinit { if mapped > 0 { munmap(base, mapped) } else { LargeMemory.free(base) } }
}
