import Columns
import Synchronization

/// Memory in chunks of one size, for rows of which nobody knows how many will come. Chunks that were given back are handed
/// out again; all of them go with this object.
final class ChunkMemory: Sendable {
  static let chunkBytes = 64 << 10
  private static let largestSlab = 4 << 20

  // Pointers are not Sendable; these are nobody's until taken.
  private struct State: @unchecked Sendable {
    var slabs: [UnsafeMutableRawPointer] = []
    var unused: [UnsafeMutableRawPointer] = []
    var slabBytes = 1 << 20
  }

  private let state = Mutex(State())

  deinit { state.withLock { for slab in $0.slabs { LargeMemory.free(slab) } } }

  func take() -> UnsafeMutableRawPointer {
    state.withLock { state in
      if let chunk = state.unused.popLast() { return chunk }
      let slab = LargeMemory.allocate(state.slabBytes)
      state.slabs.append(slab)
      // The first is handed out, the others from the lowest on.
      for at in stride(from: state.slabBytes - Self.chunkBytes, to: 0, by: -Self.chunkBytes) { state.unused.append(slab + at) }
      state.slabBytes = min(state.slabBytes * 2, Self.largestSlab)
      return slab
    }
  }

  func give(_ chunks: [UnsafeMutableRawPointer]) { state.withLock { $0.unused.append(contentsOf: chunks) } }
}

/// Values one behind the other in chunks of a `ChunkMemory`.
struct Chain<T: BitwiseCopyable> {
  static var room: Int { ChunkMemory.chunkBytes / MemoryLayout<T>.stride }

  private(set) var chunks: [UnsafeMutablePointer<T>] = []
  private(set) var count = 0
  private var next: UnsafeMutablePointer<T>?
  private var left = 0

  @inline(__always) mutating func append(_ value: T, in memory: ChunkMemory) {
    if left == 0 { extend(in: memory) }
    next!.initialize(to: value)
    next! += 1
    left &-= 1
    count &+= 1
  }

  private mutating func extend(in memory: ChunkMemory) {
    let chunk = memory.take().bindMemory(to: T.self, capacity: Self.room)
    chunks.append(chunk)
    next = chunk
    left = Self.room
  }

  @inline(__always) subscript(at: Int) -> T { chunks[at / Self.room][at % Self.room] }

  /// How many values chunk `at` holds.
  func count(ofChunk at: Int) -> Int { min(Self.room, count - at * Self.room) }

  mutating func giveBack(to memory: ChunkMemory) {
    memory.give(chunks.map { UnsafeMutableRawPointer($0) })
    self = Chain()
  }
}
