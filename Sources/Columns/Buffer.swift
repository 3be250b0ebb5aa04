#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Bytes that never change once the buffer exists: its own allocation, or memory that `owner` keeps alive (a mapped
/// file, another buffer).
// @unchecked: the bytes are written only inside `init`, before any other thread can see the buffer.
public final class Buffer: @unchecked Sendable {
  public let base: UnsafeRawPointer
  public let byteCount: Int
  private let owner: AnyObject?

  /// Own memory, 64-byte aligned, zeroed, with 64 bytes of slack behind it so that wide loads may run over the end.
  public init(byteCount: Int, initializing body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let room = (byteCount + 127) & ~63
    guard let memory = aligned_alloc(64, room) else { fatalError("out of memory: \(room) bytes for a column") }
    memset(memory, 0, room)
    base = UnsafeRawPointer(memory)
    self.byteCount = byteCount
    owner = nil
    do { try body(UnsafeMutableRawBufferPointer(start: memory, count: byteCount)) } catch {
      free(memory)
      throw error
    }
  }

  /// Takes over memory from `aligned_alloc`; freed with the buffer.
  @usableFromInline init(adopting memory: UnsafeMutableRawPointer, byteCount: Int) {
    base = UnsafeRawPointer(memory)
    self.byteCount = byteCount
    owner = nil
  }

  /// Memory of another, which `owner` keeps alive and unchanged.
  public init(borrowing base: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
    self.base = base
    self.byteCount = byteCount
    self.owner = owner
  }

  public convenience init<T: BitwiseCopyable>(_ values: [T]) {
    self.init(byteCount: values.count * MemoryLayout<T>.stride) { to in
      values.withUnsafeBytes { if $0.count > 0 { to.copyMemory(from: $0) } }
    }
  }

  deinit { if owner == nil { free(UnsafeMutableRawPointer(mutating: base)) } }

  public static let empty = Buffer(byteCount: 0) { _ in }

  /// A view on some of the bytes; no copy.
  public func slice(from start: Int, byteCount: Int) -> Buffer {
    precondition(start >= 0 && byteCount >= 0 && start + byteCount <= self.byteCount, "slice outside of a buffer")
    return Buffer(borrowing: base + start, byteCount: byteCount, owner: self)
  }

  /// The bytes as values; valid while the buffer lives.
  @inlinable public func values<T: BitwiseCopyable>(as type: T.Type = T.self) -> UnsafeBufferPointer<T> {
    UnsafeBufferPointer(start: base.assumingMemoryBound(to: T.self), count: byteCount / MemoryLayout<T>.stride)
  }
}

/// One bit per row, least significant first as in Arrow; `offset` bits of the first byte are skipped.
public struct Bitmap: Sendable {
  public let buffer: Buffer
  public let offset: Int
  public let count: Int

  public init(buffer: Buffer, offset: Int = 0, count: Int) {
    precondition(buffer.byteCount * 8 >= offset + count, "a bitmap's buffer is too short for its rows")
    self.buffer = buffer
    self.offset = offset
    self.count = count
  }

  public init(_ bits: [Bool]) {
    self.init(buffer: Buffer(byteCount: (bits.count + 7) / 8) { to in
      for (i, bit) in bits.enumerated() where bit { to[i >> 3] |= 1 << UInt8(i & 7) }
    }, count: bits.count)
  }

  @inlinable @inline(__always) public subscript(row: Int) -> Bool {
    let bit = row &+ offset
    return buffer.base.load(fromByteOffset: bit &>> 3, as: UInt8.self) &>> UInt8(truncatingIfNeeded: bit & 7) & 1 != 0
  }

  public func slice(_ rows: Range<Int>) -> Bitmap {
    let first = offset + rows.lowerBound
    let start = first >> 3
    return Bitmap(
      buffer: buffer.slice(from: start, byteCount: (first & 7 + rows.count + 7) / 8), offset: first & 7, count: rows.count)
  }

  /// The same bits with no offset and zeros behind the last.
  public func aligned() -> Bitmap {
    if offset == 0 { return self }
    return Bitmap(buffer: Buffer(byteCount: (count + 7) / 8) { to in
      for row in 0..<count where self[row] { to[row >> 3] |= 1 << UInt8(row & 7) }
    }, count: count)
  }

  public var setCount: Int {
    var total = 0, row = 0
    if offset == 0 {
      let bytes: UnsafeBufferPointer<UInt8> = buffer.values()
      for byte in 0..<(count >> 3) { total &+= bytes[byte].nonzeroBitCount }
      row = count & ~7
    }
    while row < count {
      if self[row] { total &+= 1 }
      row &+= 1
    }
    return total
  }
}
