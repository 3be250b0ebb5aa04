#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Memory that grows, then becomes a `Buffer` without a copy.
@usableFromInline struct GrowingBytes: ~Copyable {
  @usableFromInline var memory: UnsafeMutableRawPointer
  @usableFromInline var count = 0
  @usableFromInline var room: Int

  @usableFromInline init(reserving room: Int = 0) {
    self.room = (max(room, 64) + 127) & ~63
    memory = LargeMemory.allocate(self.room)
  }

  deinit { free(memory) }

  /// Makes place for `more` bytes beyond `count`, with 64 bytes of slack behind.
  @inlinable @inline(__always) mutating func reserve(_ more: Int) { if count &+ more &+ 64 > room { grow(more) } }

  @usableFromInline mutating func grow(_ more: Int) {
    let wanted = (max(room * 2, count + more + 64) + 127) & ~63
    let larger = LargeMemory.allocate(wanted)
    memcpy(larger, memory, count)
    free(memory)
    memory = larger
    room = wanted
  }

  @usableFromInline consuming func finish() -> Buffer {
    memset(memory + count, 0, min(64, room - count))
    let buffer = Buffer(adopting: memory, byteCount: count)
    discard self
    return buffer
  }
}

/// Which rows are present; costs nothing until the first null.
public struct ValidityBuilder: ~Copyable {
  @usableFromInline var bits: [UInt8] = []
  @usableFromInline var count = 0
  @usableFromInline var anyNull = false

  public init() {}

  @inlinable @inline(__always) public mutating func append(_ present: Bool) {
    if anyNull || !present { appendSlowly(present) }
    count &+= 1
  }

  mutating func append(present rows: Int) {
    if !anyNull { count += rows } else { for _ in 0..<rows { append(true) } }
  }

  @usableFromInline mutating func appendSlowly(_ present: Bool) {
    if !anyNull {
      anyNull = true
      bits = Array(repeating: 0xFF, count: count / 8 + 1)
      bits[count / 8] = UInt8(truncatingIfNeeded: (1 << (count & 7)) - 1)
    }
    if count & 7 == 0, bits.count <= count / 8 { bits.append(0) }
    if present { bits[count / 8] |= 1 << UInt8(count & 7) }
  }

  public consuming func finish() -> Bitmap? {
    anyNull ? Bitmap(buffer: Buffer(bits), count: count) : nil
  }
}

/// Grows a fixed-width column: Int32, Int64 or Double by the type.
public struct FixedBuilder<T: BitwiseCopyable>: ~Copyable {
  @usableFromInline let type: ColumnType
  @usableFromInline var cells: GrowingBytes
  @usableFromInline var validity = ValidityBuilder()

  public init(_ type: ColumnType, reserving rows: Int = 0) {
    precondition(type.width == MemoryLayout<T>.stride, "a builder of \(T.self) was made for a \(type) column")
    self.type = type
    cells = GrowingBytes(reserving: rows * MemoryLayout<T>.stride)
  }

  @inlinable public var count: Int { validity.count }

  @inlinable @inline(__always) public mutating func append(_ value: T) {
    cells.reserve(MemoryLayout<T>.stride)
    cells.memory.storeBytes(of: value, toByteOffset: cells.count, as: T.self)
    cells.count &+= MemoryLayout<T>.stride
    validity.append(true)
  }

  @inlinable @inline(__always) public mutating func appendNull() {
    cells.reserve(MemoryLayout<T>.stride)
    memset(cells.memory + cells.count, 0, MemoryLayout<T>.stride)
    cells.count &+= MemoryLayout<T>.stride
    validity.append(false)
  }

  public consuming func finish() -> Column {
    let (type, n) = (type, count)
    return Column(type: type, count: n, validity: validity.finish(), storage: .fixed(cells.finish()))
  }
}

/// Grows a plain string column.
public struct TextBuilder: ~Copyable {
  @usableFromInline var offsets: GrowingBytes
  @usableFromInline var bytes: GrowingBytes
  @usableFromInline var validity = ValidityBuilder()

  public init(reserving rows: Int = 0, bytes room: Int = 0) {
    offsets = GrowingBytes(reserving: (rows + 1) * 4)
    bytes = GrowingBytes(reserving: room)
    offsets.memory.storeBytes(of: 0, as: Int32.self)
    offsets.count = 4
  }

  @inlinable public var count: Int { validity.count }
  /// Bytes of text so far; a column holds at most 2 GiB.
  @inlinable public var textBytes: Int { bytes.count }

  @inlinable @inline(__always) public mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
    bytes.reserve(text.count)
    if text.count > 0 { memcpy(bytes.memory + bytes.count, text.baseAddress!, text.count) }
    bytes.count &+= text.count
    close(present: true)
  }

  public mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append($0) }
  }

  /// Up to 16 bytes, the first lowest in `low`; what lies behind them is nobody's.
  @inlinable @inline(__always) public mutating func append(low: UInt64, high: UInt64, count: Int) {
    bytes.reserve(16)
    (bytes.memory + bytes.count).storeBytes(of: low.littleEndian, as: UInt64.self)
    (bytes.memory + bytes.count).storeBytes(of: high.littleEndian, toByteOffset: 8, as: UInt64.self)
    bytes.count &+= count
    close(present: true)
  }

  /// Under a null lies an empty text; that it is one is not noted.
  mutating func append(all values: TextValues) {
    let from: UnsafeBufferPointer<Int32> = values.offsets.values()
    let first = from[0], n = Int(from[values.count] &- first)
    precondition(bytes.count + n <= Int(Int32.max), "a batch holds more than 2 GiB of text; make batches smaller")
    let shift = Int32(truncatingIfNeeded: bytes.count) &- first
    bytes.reserve(n)
    if n > 0 { memcpy(bytes.memory + bytes.count, values.bytes.base + Int(first), n) }
    bytes.count += n
    offsets.reserve(values.count * 4)
    let to = (offsets.memory + offsets.count).assumingMemoryBound(to: Int32.self)
    for row in 0..<values.count { to[row] = from[row &+ 1] &+ shift }
    offsets.count += values.count * 4
    validity.append(present: values.count)
  }

  @inlinable public mutating func appendNull() { close(present: false) }

  @inlinable @inline(__always) mutating func close(present: Bool) {
    precondition(bytes.count <= Int(Int32.max), "a batch holds more than 2 GiB of text; make batches smaller")
    offsets.reserve(4)
    offsets.memory.storeBytes(of: Int32(truncatingIfNeeded: bytes.count), toByteOffset: offsets.count, as: Int32.self)
    offsets.count &+= 4
    validity.append(present)
  }

  /// The texts alone.
  consuming func finishValues() -> TextValues {
    TextValues(count: count, offsets: offsets.finish(), bytes: bytes.finish())
  }

  public consuming func finish() -> Column {
    let n = count
    let values = TextValues(count: n, offsets: offsets.finish(), bytes: bytes.finish())
    return Column(type: .string, count: n, validity: validity.finish(), storage: .text(values))
  }
}
