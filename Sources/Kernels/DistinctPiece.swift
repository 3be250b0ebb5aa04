import Columns

/// The row keys seen so far that share their top bits: the keys themselves one behind the other, and a table of four bytes
/// a place, open addressing in cache lines, that says where a key is. Nearly all keys that come are new, which the table alone tells:
/// it is a quarter of the keys, so that it stays in the caches four times as long, and growing moves no key.
// @unchecked: one thread at a time works on a piece.
final class DistinctPiece: @unchecked Sendable {
  /// The keys in the order they came.
  private var keys = Chain<RowKey>()
  /// A key's number + 1 in the lowest bits, bits of the key above; 0 is free.
  private var slots: ZeroedMemory<UInt32>
  /// Places; a multiple of a line's.
  private var room: Int
  /// What is written so that looks ahead are not left out for being of no use.
  private var touched: UInt32 = 0

  private static let lineSlots = 16
  /// Places looked at before the first is worked on: a look that misses the caches lasts as long as a hundred that do not, and
  /// the processor has a dozen on their way at once. Few enough to be in the nearest cache still when their turn comes.
  private static let ahead = 48

  init() {
    room = 4 * Self.lineSlots
    slots = ZeroedMemory(room)
  }

  /// A piece of this room holds so many keys.
  private static func most(_ room: Int) -> Int { room - room / 5 }

  /// The bits of a place that tell keys apart.
  private static func tagMask(_ room: Int) -> UInt32 { ~0 << UInt32(Int.bitWidth - most(room).leadingZeroBitCount) }

  @inline(__always) private static func tag(_ key: RowKey) -> UInt32 { UInt32(truncatingIfNeeded: key.low) }

  /// Where to look for a key first.
  @inline(__always) private static func line(_ key: RowKey, _ lines: UInt64) -> Int {
    Int(truncatingIfNeeded: (key.high &<< UInt64(Radix.bits)).multipliedFullWidth(by: lines).high) &* lineSlots
  }

  /// The keys of one batch, in order: marks the rows whose keys are there already, adds the others.
  func add(_ batch: DistinctKeys, piece: Int, marks: UnsafeMutablePointer<Bool>, in memory: ChunkMemory) {
    let (new, candidates, count) = batch[piece]
    var first = 0
    while first < count {
      if keys.count == Self.most(room) { grow() }
      let end = first &+ min(Self.ahead, count &- first, Self.most(room) &- keys.count)
      add(new, candidates, first..<end, marks, in: memory)
      first = end
    }
  }

  /// For all of which there is room.
  private func add(
    _ new: UnsafePointer<RowKey>, _ candidates: UnsafePointer<Int32>, _ range: Range<Int>, _ marks: UnsafeMutablePointer<Bool>, in memory: ChunkMemory
  ) {
    var keys = keys
    defer { self.keys = keys }
    let slots = slots.base, room = room, lines = UInt64(truncatingIfNeeded: room / Self.lineSlots), mask = Self.tagMask(room)
    var touched: UInt32 = 0
    for at in range { touched |= slots[Self.line(new[at], lines)] }
    self.touched = touched
    for at in range {
      let key = new[at], tag = Self.tag(key) & mask
      var line = Self.line(key, lines)
      while true {
        let (same, taken) = Self.look(slots + line, tag, mask)
        if same, Self.holds(keys, slots + line, key, tag, mask) {
          marks[Int(candidates[at])] = true
          break
        }
        if taken < Self.lineSlots {
          keys.append(key, in: memory)
          slots[line &+ taken] = tag | UInt32(truncatingIfNeeded: keys.count)
          break
        }
        line &+= Self.lineSlots
        if line == room { line = 0 }
      }
    }
  }

  /// Whether a place of a line may hold a key, and how many are taken: those in front. Without a branch, as nobody knows which it
  /// will be; a word that is not zero has its top bit set, or its negative has.
  @inline(__always) private static func look(_ line: UnsafePointer<UInt32>, _ tag: UInt32, _ mask: UInt32) -> (same: Bool, taken: Int) {
    let there = UnsafeRawPointer(line).loadUnaligned(as: SIMD16<UInt32>.self)
    let other = (there ^ SIMD16(repeating: tag)) & SIMD16(repeating: mask)
    let taken = (there | (SIMD16(repeating: 0) &- there)) &>> 31, differ = (other | (SIMD16(repeating: 0) &- other)) &>> 31
    // Both counts at once: one below, one from bit 16 on.
    let both = taken | differ &<< 16
    let eight = both.lowHalf &+ both.highHalf, four = eight.lowHalf &+ eight.highHalf, two = four.lowHalf &+ four.highHalf
    let counts = two[0] &+ two[1]
    return (counts &>> 16 != 16, Int(truncatingIfNeeded: counts & 0xFFFF))
  }

  /// How many places of a line are taken: without a branch, so that the processor goes on to the lines that follow.
  @inline(__always) private static func taken(_ line: UnsafePointer<UInt32>) -> Int {
    let there = UnsafeRawPointer(line).loadUnaligned(as: SIMD16<UInt32>.self)
    let taken = (there | (SIMD16(repeating: 0) &- there)) &>> 31
    let eight = taken.lowHalf &+ taken.highHalf, four = eight.lowHalf &+ eight.highHalf, two = four.lowHalf &+ four.highHalf
    return Int(truncatingIfNeeded: two[0] &+ two[1])
  }

  @inline(never) private static func holds(_ keys: Chain<RowKey>, _ line: UnsafePointer<UInt32>, _ key: RowKey, _ tag: UInt32, _ mask: UInt32) -> Bool {
    for at in 0..<lineSlots where line[at] != 0 && (line[at] ^ tag) & mask == 0 {
      let there = keys[Int(line[at] & ~mask) &- 1]
      if there.low == key.low, there.high == key.high { return true }
    }
    return false
  }

  /// Keys are only read, in their order.
  private func grow() {
    // Four times larger while small, so that few keys are placed often; by half in the end, to the next large page, so that little lies free.
    let page = LargeMemory.pageBytes / MemoryLayout<UInt32>.stride
    let larger = room < 1 << 16 ? room * 4 : room < page ? room * 2 : (room + room / 2 + page - 1) / page * page
    precondition(Self.most(larger) < 1 << 31, "more than 2,147,483,647 different rows in one of 64 pieces")
    let to = ZeroedMemory<UInt32>(larger), base = to.base
    let lines = UInt64(truncatingIfNeeded: larger / Self.lineSlots), mask = Self.tagMask(larger)
    var number: UInt32 = 0, touched: UInt32 = 0
    for (at, chunk) in keys.chunks.enumerated() {
      let count = keys.count(ofChunk: at)
      var first = 0
      while first < count {
        let end = first &+ min(Self.ahead, count &- first)
        for at in first..<end { touched |= base[Self.line(chunk[at], lines)] }
        for at in first..<end {
          let key = chunk[at]
          number &+= 1
          var line = Self.line(key, lines), taken = Self.taken(base + line)
          while taken == Self.lineSlots {
            line &+= Self.lineSlots
            if line == larger { line = 0 }
            taken = Self.taken(base + line)
          }
          base[line &+ taken] = Self.tag(key) & mask | number
        }
        first = end
      }
    }
    self.touched = touched
    slots = to
    room = larger
  }
}
