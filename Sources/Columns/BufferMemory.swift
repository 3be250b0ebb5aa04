import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Memory of buffers that were let go, for the next ones of about their size.
///
/// The system hands out large allocations as pages to be zeroed at first touch and takes them back when freed: a reader
/// whose batches come and go would pay for each batch's pages anew, about a tenth of its time.
enum BufferMemory {
  /// Smaller ones the allocator itself keeps.
  private static let smallest = 128 << 10
  /// Larger ones are rare, and holding on to one costs more than its pages.
  private static let largest = 8 << 20
  /// What lies unused at most.
  private static let most = 32 << 20
  /// Rooms are multiples of it, so that batches of about the same number of rows fit each other's.
  private static let grain = 64 << 10

  // Pointers are not Sendable; these are nobody's until taken.
  private struct Unused: @unchecked Sendable {
    var blocks: [(memory: UnsafeMutableRawPointer, room: Int)] = []
    var bytes = 0
  }

  private static let unused = Mutex(Unused())

  /// At least `count` bytes, 64-byte aligned, with any content, and how many they are.
  static func take(_ count: Int) -> (memory: UnsafeMutableRawPointer, room: Int) {
    var room = (count + 63) & ~63
    if room >= smallest, room <= largest {
      room = (room + grain - 1) & ~(grain - 1)
      let found = unused.withLock { unused -> (UnsafeMutableRawPointer, Int)? in
        var best: Int?
        // Up to a quarter larger will do.
        for at in unused.blocks.indices where unused.blocks[at].room >= room && unused.blocks[at].room <= room + room / 4 {
          if best.map({ unused.blocks[at].room < unused.blocks[$0].room }) ?? true { best = at }
        }
        guard let best else { return nil }
        let block = unused.blocks.remove(at: best)
        unused.bytes -= block.room
        return (block.memory, block.room)
      }
      if let found { return found }
    }
    guard let memory = aligned_alloc(64, room) else { fatalError("out of memory: \(room) bytes for a column") }
    return (memory, room)
  }

  static func give(_ memory: UnsafeMutableRawPointer, _ room: Int) {
    guard room >= smallest, room <= largest else {
      free(memory)
      return
    }
    // What has lain longest goes first.
    let surplus = unused.withLock { unused -> [UnsafeMutableRawPointer] in
      unused.blocks.append((memory, room))
      unused.bytes += room
      var surplus: [UnsafeMutableRawPointer] = []
      while unused.bytes > most {
        let oldest = unused.blocks.removeFirst()
        unused.bytes -= oldest.room
        surplus.append(oldest.memory)
      }
      return surplus
    }
    for memory in surplus { free(memory) }
  }
}
