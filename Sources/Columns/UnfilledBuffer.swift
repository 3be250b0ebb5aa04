/// Memory that a loop fills and that then becomes a `Buffer`; whoever makes one has to fill it. For loops whose body is a closure:
/// within a closure that is given to `Buffer` it would not be inlined, and a call per cell costs more than most cells.
public struct UnfilledBuffer {
  /// All bytes have to be written; 64 more may be.
  public let base: UnsafeMutableRawPointer
  @usableFromInline let byteCount: Int

  @inlinable public init(_ byteCount: Int) {
    base = Buffer.memory(byteCount)
    self.byteCount = byteCount
  }

  /// Once.
  @inlinable public func filled() -> Buffer {
    Buffer.zeroSlack(base, byteCount)
    return Buffer(adopting: base, byteCount: byteCount)
  }
}
