#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Memory for many rows at once, freed by whoever took it. Large pieces are asked for in large pages: rows that lie scattered
/// over 4 KiB pages miss the processor's table of pages at each step, and each first touch of a page is an interrupt.
public enum LargeMemory {
  /// Pieces from here on; smaller ones would mostly be rounding.
  @usableFromInline static var largeBytes: Int { 4 << 20 }
  /// A large page of the processors we know.
  public static var pageBytes: Int { 2 << 20 }

  /// At least `byteCount` bytes of any content, 64-byte aligned.
  public static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let isLarge = byteCount >= largeBytes
    let grain = isLarge ? pageBytes : 64
    let room = (max(byteCount, 1) + grain - 1) & ~(grain - 1)
    guard let memory = aligned_alloc(grain, room) else { fatalError("out of memory: \(room) bytes for rows") }
    #if canImport(Glibc)
      // Advice only: a system without large pages says no, and nothing is lost.
      if isLarge { _ = madvise(memory, room, MADV_HUGEPAGE) }
    #endif
    return memory
  }

  public static func free(_ memory: UnsafeMutableRawPointer) { release(memory) }

  /// `count` places for values, not initialized.
  @inlinable public static func rows<T: BitwiseCopyable>(_ count: Int, of type: T.Type) -> UnsafeMutablePointer<T> {
    allocate(count * MemoryLayout<T>.stride).bindMemory(to: T.self, capacity: count)
  }
}

/// The C function, which a method of the same name hides.
private func release(_ memory: UnsafeMutableRawPointer) { free(memory) }
