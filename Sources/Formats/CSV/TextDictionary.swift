import Columns

/// Distinct texts, numbered in order of first appearance. Open addressing; a text of up to 16 bytes is compared in two words.
// @unchecked: changed by one thread at a time, while no other reads.
final class TextDictionary: @unchecked Sendable {
  fileprivate struct Entry {
    var low: UInt64, high: UInt64
    var offset: UInt32, length: UInt32
  }

  private(set) var count = 0
  private(set) var byteCount = 0
  /// 32 bits of hash, then code + 1; 0 is free.
  private var slots: UnsafeMutablePointer<UInt64>
  private var mask: Int
  private let entries = Slab<Entry>()
  private let bytes = Slab<UInt8>()
  private var shared: TextValues?

  init() {
    mask = 255
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: 0, count: mask + 1)
  }

  deinit { slots.deallocate() }

  func removeAll() {
    guard count > 0 else { return }
    slots.update(repeating: 0, count: mask + 1)
    count = 0
    byteCount = 0
    shared = nil
  }

  /// A text's first 16 bytes and its hash. Reads up to 16 bytes behind the text.
  struct Key {
    var low: UInt64, high: UInt64, hash: UInt64

    @inline(__always) init(_ text: UnsafePointer<UInt8>, _ length: Int) {
      let raw = UnsafeRawPointer(text)
      // Without branches up to 16 bytes: short texts come in any order of lengths. Shifts take their count modulo 64.
      let bits = UInt64(truncatingIfNeeded: length &* 8)
      low = raw.loadUnaligned(as: UInt64.self) & (length < 8 ? (1 &<< bits) &- 1 : ~0)
      let tail: UInt64 = length < 16 ? (1 &<< bits) &- 1 : ~0
      high = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self) & (length > 8 ? tail : 0)
      var mixed = Self.mix(low ^ 0x9E37_79B9_7F4A_7C15, high ^ (0xA076_1D64_78BD_642F &* UInt64(truncatingIfNeeded: length | 1)))
      if length > 16 {
        // What is left of most texts is in the last 16 bytes.
        var at = 16
        while at &+ 16 < length {
          mixed = Self.mix(mixed ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self), 0xE703_7ED1_A0B4_28DB)
          at &+= 8
        }
        mixed = Self.mix(
          mixed ^ raw.loadUnaligned(fromByteOffset: length &- 16, as: UInt64.self),
          raw.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self) ^ 0x8EBC_6AF0_9C88_C6E3)
      }
      hash = mixed
    }

    /// One 64 × 64 → 128 multiplication, both halves folded.
    @inline(__always) private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
      let product = a.multipliedFullWidth(by: b)
      return product.high ^ product.low
    }
  }

  /// The code of a text; -1 when it is not there.
  func find(_ text: UnsafePointer<UInt8>, _ length: Int, _ key: Key) -> Int32 { lookup.find(text, length, key) }

  /// For finding in a loop; good until the next text is inserted.
  var lookup: Lookup { Lookup(slots: slots, mask: mask, entries: entries.pointer, bytes: bytes.pointer) }

  struct Lookup {
    fileprivate let slots: UnsafePointer<UInt64>
    fileprivate let mask: Int
    fileprivate let entries: UnsafePointer<Entry>
    fileprivate let bytes: UnsafePointer<UInt8>

    fileprivate init(slots: UnsafePointer<UInt64>, mask: Int, entries: UnsafePointer<Entry>, bytes: UnsafePointer<UInt8>) {
      self.slots = slots
      self.mask = mask
      self.entries = entries
      self.bytes = bytes
    }

    /// The code of a text; -1 when it is not there.
    @inline(__always) func find(_ text: UnsafePointer<UInt8>, _ length: Int, _ key: Key) -> Int32 {
      let tag = key.hash &>> 32
      var at = Int(truncatingIfNeeded: key.hash) & mask
      while true {
        let slot = slots[at]
        if slot == 0 { return -1 }
        if slot &>> 32 == tag {
          let code = Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1
          let entry = entries + code
          if entry.pointee.low == key.low, entry.pointee.high == key.high, Int(entry.pointee.length) == length,
            length <= 16 || sameTail(entry.pointee.offset, text, length)
          {
            return Int32(truncatingIfNeeded: code)
          }
        }
        at = (at &+ 1) & mask
      }
    }

    @inline(__always) private func sameTail(_ offset: UInt32, _ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
      let a = UnsafeRawPointer(bytes) + Int(offset), b = UnsafeRawPointer(text)
      // The last 16 bytes; what lies before them in longer texts; without branches where there is nothing.
      let last = length &- 16
      var differ = a.loadUnaligned(fromByteOffset: last, as: UInt64.self) ^ b.loadUnaligned(fromByteOffset: last, as: UInt64.self)
      differ |= a.loadUnaligned(fromByteOffset: last &+ 8, as: UInt64.self) ^ b.loadUnaligned(fromByteOffset: last &+ 8, as: UInt64.self)
      var at = 16
      while at < last {
        differ |= a.loadUnaligned(fromByteOffset: at, as: UInt64.self) ^ b.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        at &+= 8
      }
      return differ == 0
    }
  }

  /// The code of a text that `find` did not find.
  func insert(_ text: UnsafePointer<UInt8>, _ length: Int, _ key: Key) -> Int32 {
    if count * 2 >= mask { rehash() }
    entries.grow(to: count + 1, keeping: count)
    bytes.grow(to: byteCount + length + 16, keeping: byteCount)
    (bytes.pointer + byteCount).update(from: text, count: length)
    entries.pointer[count] = Entry(low: key.low, high: key.high, offset: UInt32(byteCount), length: UInt32(length))
    place(key.hash, code: count)
    byteCount += length
    count += 1
    return Int32(count - 1)
  }

  /// The texts of another that are not there yet.
  func add(all other: TextDictionary) {
    for code in 0..<other.count {
      let text = other[code], key = Key(text.baseAddress!, text.count)
      if find(text.baseAddress!, text.count, key) < 0 { _ = insert(text.baseAddress!, text.count, key) }
    }
  }

  private func place(_ hash: UInt64, code: Int) {
    var at = Int(truncatingIfNeeded: hash) & mask
    while slots[at] != 0 { at = (at + 1) & mask }
    slots[at] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(code + 1)
  }

  private func rehash() {
    slots.deallocate()
    mask = mask * 4 + 3
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: 0, count: mask + 1)
    for code in 0..<count {
      let text = self[code]
      place(Key(text.baseAddress!, text.count).hash, code: code)
    }
  }

  subscript(code: Int) -> UnsafeBufferPointer<UInt8> {
    let entry = entries.pointer[code]
    return UnsafeBufferPointer(start: bytes.pointer + Int(entry.offset), count: Int(entry.length))
  }

  /// All texts so far, as a column's dictionary. The same object until another text comes.
  func values() -> TextValues {
    if let shared, shared.count == count { return shared }
    let offsets = Buffer(byteCount: (count + 1) * 4) { to in
      let to = to.bindMemory(to: Int32.self)
      for code in 0..<count { to[code] = Int32(bitPattern: entries.pointer[code].offset) }
      to[count] = Int32(byteCount)
    }
    let copy = Buffer(byteCount: byteCount) { to in
      if byteCount > 0 { to.copyMemory(from: UnsafeRawBufferPointer(start: bytes.pointer, count: byteCount)) }
    }
    let values = TextValues(count: count, offsets: offsets, bytes: copy)
    shared = values
    return values
  }
}
