/// Memory for many cells that is used again and again; grows, never shrinks, holds no promise about its content.
// @unchecked: owned by one worker at a time; handed over between the phases of a window, which do not overlap.
final class Slab<T: BitwiseCopyable>: @unchecked Sendable {
  // Owned by one worker at a time, so that asking at each access who else is at it would be time lost.
  @exclusivity(unchecked) private(set) var pointer: UnsafeMutablePointer<T>
  @exclusivity(unchecked) private(set) var capacity: Int

  /// Bytes behind the last cell that wide loads and stores may touch.
  static var slack: Int { 64 }

  init(_ count: Int = 0) {
    capacity = max(count, 64)
    pointer = Self.allocate(capacity)
  }

  deinit { pointer.deallocate() }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<T> {
    UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<T>.stride + slack, alignment: 64)
      .bindMemory(to: T.self, capacity: count)
  }

  /// Room for `count` cells; what was there may be gone.
  func clear(for count: Int) {
    guard count > capacity else { return }
    pointer.deallocate()
    capacity = max(count, capacity + capacity / 2)
    pointer = Self.allocate(capacity)
  }

  /// Room for `count` cells, the first `kept` of which stay.
  func grow(to count: Int, keeping kept: Int) {
    guard count > capacity else { return }
    let room = max(count, capacity * 2)
    let larger = Self.allocate(room)
    larger.update(from: pointer, count: kept)
    pointer.deallocate()
    pointer = larger
    capacity = room
  }
}
