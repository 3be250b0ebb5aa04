import Columns

/// A set of row keys, open addressing, in 64 pieces by a key's top bits; a key's place within its piece is by the bits below, so
/// that a larger table is filled in the order of the smaller one.
// @unchecked: a piece is touched by one lane at a time, and `larger` is called when none works.
struct DistinctTable: @unchecked Sendable {
  private let slots: ZeroedMemory<RowKey>
  /// Keys of each piece; behind them a place for each lane that nobody reads.
  private let counts: ZeroedMemory<Int>
  /// A piece's places; a multiple of four.
  private let room: Int
  /// A piece holds so many keys. Nearly all that come are new, and whether a key is new is known at the first free place.
  private var most: Int { room / 10 * 7 }
  /// Places looked at before the first is worked on: a look that misses the caches lasts as long as a hundred that do not, and
  /// the processor has a dozen on their way at once.
  private static let ahead = 128
  /// Every lane looks at all keys for those that are its own: many of them would look more than they work.
  static let mostLanes = 8

  init() { self.init(room: 64) }

  private init(room: Int) {
    self.room = room
    slots = ZeroedMemory(room * Radix.count)
    counts = ZeroedMemory(Radix.count + Self.mostLanes)
  }

  /// Goes through the keys from one on that lie in the lane's own pieces, in order; marks those that are there already, adds the
  /// others. Gives how far it came: less than `count` where a piece is full.
  func add(
    _ keys: UnsafePointer<RowKey>, from: Int, count: Int, lane: Int, of lanes: Int, marks: UnsafeMutablePointer<Bool>
  ) -> Int {
    let slots = slots.base, counts = counts.base, most = most
    return withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.ahead + 1) { own in
      var first = from
      while first < count {
        let end = min(count, first &+ Self.ahead)
        var n = 0
        for at in first..<end {
          own[n] = Int32(truncatingIfNeeded: at &- first)
          n &+= (Radix.piece(of: keys[at].high) &* lanes) &>> Radix.bits == lane ? 1 : 0
        }
        // Stored, so that the looks ahead are not left out for being of no use.
        var touched: UInt64 = 0
        for i in 0..<n { touched |= slots[place(keys[first &+ Int(own[i])])].low }
        counts[Radix.count &+ lane] = Int(truncatingIfNeeded: touched)
        for i in 0..<n {
          let at = first &+ Int(own[i]), key = keys[at], piece = Radix.piece(of: key.high)
          let start = piece &* room, beyond = start &+ room
          var line = place(key)
          while true {
            let (found, taken) = Self.look(slots + line, for: key)
            marks[at] = found
            if found { break }
            if taken < 4 {
              if counts[piece] == most { return at }
              counts[piece] &+= 1
              slots[line &+ taken] = key
              break
            }
            line &+= 4
            if line == beyond { line = start }
          }
        }
        first = end
      }
      return count
    }
  }

  /// Whether one of the four places of a line holds a key, and how many are taken: those in front. Without a branch each, as
  /// nobody knows which it will be.
  @inline(__always) private static func look(_ line: UnsafePointer<RowKey>, for key: RowKey) -> (found: Bool, taken: Int) {
    var same = 0, taken = 0
    for at in 0..<4 {
      let there = line[at]
      same |= (there.low ^ key.low) | (there.high ^ key.high) == 0 ? 1 : 0
      taken &+= there.low | there.high == 0 ? 0 : 1
    }
    return (same != 0, taken)
  }

  /// Where to look first: the four places of a cache line, so that few keys need a second line.
  @inline(__always) private func place(_ key: RowKey) -> Int {
    let lines = UInt64(truncatingIfNeeded: room &>> 2)
    return Radix.piece(of: key.high) &* room &+ Int(truncatingIfNeeded: (key.high &<< UInt64(Radix.bits)).multipliedFullWidth(by: lines).high) &<< 2
  }

  func larger(width: Int) -> DistinctTable {
    // Four times larger while small, so that few keys are moved often; from 32 MiB on by half.
    let bytes = room * MemoryLayout<RowKey>.stride * Radix.count
    let grown = DistinctTable(room: bytes < 8 << 20 ? room * 4 : bytes < 32 << 20 ? room * 3 : (room + room / 2) & ~3)
    inPieces(Radix.count, width: width) { piece in
      let from = slots.base + piece * room, to = grown.slots.base
      let start = piece &* grown.room, beyond = start &+ grown.room
      for at in 0..<room where from[at].low | from[at].high != 0 {
        var slot = grown.place(from[at])
        while to[slot].low | to[slot].high != 0 {
          slot &+= 1
          if slot == beyond { slot = start }
        }
        to[slot] = from[at]
      }
      grown.counts.base[piece] = counts.base[piece]
    }
    return grown
  }
}
