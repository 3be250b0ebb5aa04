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
  /// What was taken from `BufferMemory`; 0 where it was not.
  private let room: Int

  /// Own memory, 64-byte aligned, zeroed, with 64 bytes of slack behind it so that wide loads may run over the end.
  // Inlined, as are the loops given to it: a closure that is called through a pointer costs a call per cell.
  @inlinable @inline(__always)
  public convenience init(byteCount: Int, initializing body: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let memory = Self.zeroedMemory(byteCount)
    do { try body(UnsafeMutableRawBufferPointer(start: memory, count: byteCount)) } catch {
      Self.release(memory)
      throw error
    }
    self.init(adopting: memory, byteCount: byteCount)
  }

  /// The same without zeroing first: `body` writes every byte, and may write up to 64 bytes beyond.
  @inlinable @inline(__always)
  public convenience init(unzeroed byteCount: Int, filling body: (UnsafeMutableRawPointer) -> Void) {
    let memory = Self.memory(byteCount)
    body(memory)
    Self.zeroSlack(memory, byteCount)
    self.init(adopting: memory, byteCount: byteCount)
  }

  @usableFromInline static func memory(_ byteCount: Int) -> UnsafeMutableRawPointer {
    LargeMemory.allocate((byteCount + 127) & ~63)
  }

  @usableFromInline static func zeroedMemory(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let memory = memory(byteCount)
    memset(memory, 0, (byteCount + 127) & ~63)
    return memory
  }

  @usableFromInline static func zeroSlack(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) {
    memset(memory + byteCount, 0, (byteCount + 127) & ~63 - byteCount)
  }

  @usableFromInline static func release(_ memory: UnsafeMutableRawPointer) { free(memory) }

  /// Takes over memory from `aligned_alloc`; freed with the buffer.
  @usableFromInline init(adopting memory: UnsafeMutableRawPointer, byteCount: Int) {
    base = UnsafeRawPointer(memory)
    self.byteCount = byteCount
    room = 0
    owner = nil
  }

  /// Takes over memory from `BufferMemory`, to which it goes back with the buffer.
  init(taking memory: UnsafeMutableRawPointer, byteCount: Int, room: Int) {
    base = UnsafeRawPointer(memory)
    self.byteCount = byteCount
    self.room = room
    owner = nil
  }

  /// Memory of another, which `owner` keeps alive and unchanged.
  public init(borrowing base: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
    self.base = base
    self.byteCount = byteCount
    self.owner = owner
    room = 0
  }

  public convenience init<T: BitwiseCopyable>(_ values: [T]) {
    self.init(byteCount: values.count * MemoryLayout<T>.stride) { to in
      values.withUnsafeBytes { if $0.count > 0 { to.copyMemory(from: $0) } }
    }
  }

  deinit {
    if owner != nil { return }
    let memory = UnsafeMutableRawPointer(mutating: base)
    if room > 0 { BufferMemory.give(memory, room) } else { free(memory) }
  }

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

  /// From a predicate, 64 rows to a word.
  @inlinable @inline(__always) public init(count: Int, _ holds: (Int) -> Bool) {
    let made = UnfilledBuffer((count + 63) / 64 * 8), words = made.base.assumingMemoryBound(to: UInt64.self)
    for word in 0..<(count + 63) / 64 {
      let first = word &* 64, n = min(64, count &- first)
      var bits: UInt64 = 0
      for i in 0..<n { bits |= (holds(first &+ i) ? 1 : 0) &<< UInt64(truncatingIfNeeded: i) }
      words[word] = bits
    }
    self.init(buffer: made.filled(), count: count)
  }

  /// One behind the other; nil stands for rows that are all present.
  init(joining parts: [(bits: Bitmap?, count: Int)]) {
    let count = parts.reduce(0) { $0 + $1.count }
    let buffer = Buffer(byteCount: (count + 7) / 8) { to in
      var at = 0
      for part in parts {
        for row in 0..<part.count {
          if part.bits.map({ $0[row] }) ?? true { to[at &>> 3] |= 1 &<< UInt8(at & 7) }
          at &+= 1
        }
      }
    }
    self.init(buffer: buffer, count: count)
  }

  /// The bits that are not set.
  public func inverted() -> Bitmap {
    let made = UnfilledBuffer((count + 63) / 64 * 8), words = made.base.assumingMemoryBound(to: UInt64.self)
    for at in 0..<(count + 63) / 64 {
      let left = count &- at &* 64
      words[at] = ~word(at) & (left >= 64 ? ~0 : 1 &<< UInt64(truncatingIfNeeded: left) &- 1)
    }
    return Bitmap(buffer: made.filled(), count: count)
  }

  /// 64 rows from a row that is a multiple of 64 on; zeros behind the last. For loops that skip whole words.
  @inlinable @inline(__always) public func word(_ at: Int) -> UInt64 {
    let first = at &* 64 &+ offset, end = buffer.byteCount
    let byte = first &>> 3, shift = UInt64(truncatingIfNeeded: first & 7)
    var bits: UInt64
    if byte &+ 9 <= end {
      bits = UInt64(littleEndian: buffer.base.loadUnaligned(fromByteOffset: byte, as: UInt64.self))
      if shift > 0 { bits = bits &>> shift | UInt64(buffer.base.load(fromByteOffset: byte &+ 8, as: UInt8.self)) &<< (64 &- shift) }
    } else {
      bits = 0
      for i in byte..<end {
        let place = (i &- byte) &* 8 &- Int(shift)
        let part = UInt64(buffer.base.load(fromByteOffset: i, as: UInt8.self))
        bits |= place >= 0 ? part << UInt64(place) : part &>> UInt64(-place)
      }
    }
    let left = count &- at &* 64
    return left >= 64 ? bits : bits & (1 &<< UInt64(truncatingIfNeeded: left) &- 1)
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
    var total = 0
    for at in 0..<(count + 63) / 64 { total &+= word(at).nonzeroBitCount }
    return total
  }
}
