import Columns

/// Distinct texts, numbered in order of first appearance. Open addressing; a text of up to 15 bytes is compared in two words, one
/// of up to 32 in four.
// @unchecked: changed by one thread at a time, while no other reads.
final class TextDictionary: @unchecked Sendable {
  /// All of a text of up to 15 bytes, with its length + 1 in the highest byte; 0xFF there for a longer one. Apart from the rest, so
  /// that what short texts need stays in the second-level cache beside the text they come from.
  fileprivate struct Head {
    var low: UInt64, high: UInt64

    @inline(__always) init(_ key: Key, _ length: Int) {
      low = key.low
      high = length > 15 ? 0xFF << 56 : key.high | UInt64(truncatingIfNeeded: length &+ 1) &<< 56
    }
  }

  fileprivate struct Entry {
    var low: UInt64, high: UInt64, third: UInt64, fourth: UInt64
    var offset: UInt32, length: UInt32
  }

  // One thread at a time changes them: asking at each access who else is at it takes longer than to insert a text.
  @exclusivity(unchecked) private(set) var count = 0
  @exclusivity(unchecked) private(set) var byteCount = 0
  /// The bits of `mask` hold code + 1, those above some of the hash; 0 is free. Four bytes, as thousands of articles in a few
  /// columns are more than the second-level cache holds anyway.
  @exclusivity(unchecked) private var slots: UnsafeMutablePointer<UInt32>
  @exclusivity(unchecked) private var mask: Int
  private let heads = Slab<Head>()
  private let entries = Slab<Entry>()
  private let bytes = Slab<UInt8>()
  @exclusivity(unchecked) private var shared: TextValues?

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

  /// A text's first 16 bytes, its last 16 where it has more, and its hash. Reads up to 16 bytes behind the text.
  struct Key {
    var low: UInt64, high: UInt64, third: UInt64, fourth: UInt64, hash: UInt64

    /// `isMostlyLong`: without a branch up to 32 bytes, where lengths on both sides of 16 come in any order; else without one up to
    /// 16. The key is the same.
    @inline(__always) init(_ text: UnsafePointer<UInt8>, _ length: Int, isMostlyLong: Bool = false) {
      let raw = UnsafeRawPointer(text)
      // Shifts take their count modulo 64.
      let bits = UInt64(truncatingIfNeeded: length &* 8)
      low = raw.loadUnaligned(as: UInt64.self) & (length < 8 ? (1 &<< bits) &- 1 : ~0)
      let tail: UInt64 = length < 16 ? (1 &<< bits) &- 1 : ~0
      high = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self) & (length > 8 ? tail : 0)
      hash = Self.mix(low ^ 0x9E37_79B9_7F4A_7C15, high ^ (0xA076_1D64_78BD_642F &* UInt64(truncatingIfNeeded: length | 1)))
      (third, fourth) = (0, 0)
      if isMostlyLong || length > 16 {
        let last = length > 16 ? length &- 16 : 0, mask: UInt64 = length > 16 ? ~0 : 0
        third = raw.loadUnaligned(fromByteOffset: last, as: UInt64.self) & mask
        fourth = raw.loadUnaligned(fromByteOffset: last &+ 8, as: UInt64.self) & mask
        hash &+= Self.mix(third ^ 0xE703_7ED1_A0B4_28DB, fourth ^ 0x8EBC_6AF0_9C88_C6E3) & mask
        if length > 32 {
          var at = 16
          while at < last {
            hash = Self.mix(hash ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self), 0xE703_7ED1_A0B4_28DB)
            at &+= 8
          }
        }
      }
    }

    /// One 64 × 64 → 128 multiplication, both halves folded.
    @inline(__always) private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
      let product = a.multipliedFullWidth(by: b)
      return product.high ^ product.low
    }

    /// Of texts of one length.
    @inline(__always) func begins(like other: Key) -> Bool { (low ^ other.low) | (high ^ other.high) == 0 }
  }

  /// The code of a text; -1 when it is not there.
  func find(_ text: UnsafePointer<UInt8>, _ length: Int, _ key: Key) -> Int32 { lookup.find(text, length, key) }

  /// Whether most texts are longer than 16 bytes.
  var isMostlyLong: Bool { byteCount > count &* 16 }

  /// For finding in a loop; good until the next text is inserted.
  var lookup: Lookup { Lookup(slots: slots, mask: mask, heads: heads.pointer, entries: entries.pointer, bytes: bytes.pointer) }

  struct Lookup {
    fileprivate let slots: UnsafePointer<UInt32>
    fileprivate let mask: Int
    fileprivate let heads: UnsafePointer<Head>
    fileprivate let entries: UnsafePointer<Entry>
    fileprivate let bytes: UnsafePointer<UInt8>

    fileprivate init(
      slots: UnsafePointer<UInt32>, mask: Int, heads: UnsafePointer<Head>, entries: UnsafePointer<Entry>, bytes: UnsafePointer<UInt8>
    ) {
      self.slots = slots
      self.mask = mask
      self.heads = heads
      self.entries = entries
      self.bytes = bytes
    }

    /// The code of a text; -1 when it is not there.
    @inline(__always) func find(_ text: UnsafePointer<UInt8>, _ length: Int, _ key: Key, isMostlyLong: Bool = false) -> Int32 {
      let codes = UInt32(truncatingIfNeeded: mask), tag = UInt32(truncatingIfNeeded: key.hash &>> 32)
      let head = Head(key, length)
      var at = Int(truncatingIfNeeded: key.hash) & mask
      while true {
        let slot = slots[at]
        if slot == 0 { return -1 }
        if (slot ^ tag) & ~codes == 0 {
          let code = Int(truncatingIfNeeded: slot & codes) &- 1
          if !isMostlyLong, length < 16 {
            if (heads[code].low ^ head.low) | (heads[code].high ^ head.high) == 0 { return Int32(truncatingIfNeeded: code) }
          } else {
            let entry = entries + code
            var differ = (entry.pointee.low ^ key.low) | (entry.pointee.high ^ key.high)
            differ |= (entry.pointee.third ^ key.third) | (entry.pointee.fourth ^ key.fourth)
            differ |= UInt64(entry.pointee.length ^ UInt32(truncatingIfNeeded: length))
            if differ == 0, length <= 32 || sameMiddle(entry.pointee.offset, text, length) { return Int32(truncatingIfNeeded: code) }
          }
        }
        at = (at &+ 1) & mask
      }
    }

    /// Between the first and the last 16 bytes.
    @inline(never) private func sameMiddle(_ offset: UInt32, _ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
      let a = UnsafeRawPointer(bytes) + Int(offset), b = UnsafeRawPointer(text)
      var at = 16
      while at < length &- 16 {
        if a.loadUnaligned(fromByteOffset: at, as: UInt64.self) != b.loadUnaligned(fromByteOffset: at, as: UInt64.self) { return false }
        at &+= 8
      }
      return true
    }
  }

  /// The code of a text that `find` did not find.
  func insert(_ text: UnsafePointer<UInt8>, _ length: Int, _ key: Key) -> Int32 {
    if count * 2 >= mask { rehash() }
    heads.grow(to: count + 1, keeping: count)
    heads.pointer[count] = Head(key, length)
    entries.grow(to: count + 1, keeping: count)
    bytes.grow(to: byteCount + length + 16, keeping: byteCount)
    (bytes.pointer + byteCount).update(from: text, count: length)
    entries.pointer[count] = Entry(
      low: key.low, high: key.high, third: key.third, fourth: key.fourth, offset: UInt32(byteCount), length: UInt32(length))
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
    slots[at] = UInt32(truncatingIfNeeded: hash &>> 32) & ~UInt32(truncatingIfNeeded: mask) | UInt32(code + 1)
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
