#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Memory that is written in stretches, then becomes a `Buffer` without a copy. Used by one thread at a time.
public final class GrowingBuffer {
  private var memory: UnsafeMutableRawPointer
  private var room: Int
  public private(set) var byteCount = 0
  private static let slack = 64

  /// `bytes`: what is expected; a wrong guess costs copies, no more.
  public init(reserving bytes: Int) { (memory, room) = BufferMemory.take(max(bytes, 0) + Self.slack) }

  deinit { BufferMemory.give(memory, room) }

  /// The bytes so far. Valid until the next call.
  public var base: UnsafeMutableRawPointer { memory }

  /// Adds `count` bytes and says where they begin. They hold anything, and 64 more behind them may be written.
  public func extend(by count: Int) -> UnsafeMutableRawPointer {
    let wanted = byteCount + count + Self.slack
    if wanted > room {
      let larger = BufferMemory.take(max(wanted, room * 2))
      memcpy(larger.memory, memory, byteCount)
      BufferMemory.give(memory, room)
      (memory, room) = larger
    }
    byteCount += count
    return memory + (byteCount - count)
  }

  /// The bytes, which this gives up: it is empty again.
  public func finish() -> Buffer {
    memset(memory + byteCount, 0, Self.slack)
    let buffer = Buffer(taking: memory, byteCount: byteCount, room: room)
    (memory, room) = BufferMemory.take(Self.slack)
    byteCount = 0
    return buffer
  }
}
