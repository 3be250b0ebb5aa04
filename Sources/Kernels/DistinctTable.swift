import Columns

/// A set of row keys, open addressing, in 64 pieces by a key's top bits; a key's place within its piece is by the bits below, so
/// that a larger table is filled in the order of the smaller one.
// @unchecked: a piece is touched by one piece of work at a time, and `larger` is called when none works.
struct DistinctTable: @unchecked Sendable {
  private let slots: ZeroedMemory<RowKey>
  /// Keys of each piece; behind them a place for each piece that nobody reads.
  private let counts: ZeroedMemory<Int>
  /// A piece's places; a multiple of four.
  private let room: Int
  /// A piece holds so many keys. Nearly all that come are new, and whether a key is new is known at the first free place.
  private var most: Int { room - room / 5 }
  /// Places looked at before the first is worked on: a look that misses the caches lasts as long as a hundred that do not, and
  /// the processor has a dozen on their way at once. Few enough to be in the nearest cache still when their turn comes.
  private static let ahead = 48

  init() { self.init(room: 64) }

  private init(room: Int) {
    self.room = room
    slots = ZeroedMemory(room * Radix.count)
    counts = ZeroedMemory(2 * Radix.count)
  }

  /// Goes through some keys of one piece in order; marks the rows of those that are there already, adds the others. Gives how
  /// far it came: less than all where the piece is full.
  func add(
    _ keys: UnsafePointer<RowKey>, _ rows: UnsafePointer<Int32>, _ range: Range<Int>, piece: Int, marks: UnsafeMutablePointer<Bool>
  ) -> Int {
    let slots = slots.base + piece * room, room = room, lines = UInt64(truncatingIfNeeded: room &>> 2)
    var left = most - counts.base[piece], first = range.lowerBound
    defer { counts.base[piece] = most - left }
    while first < range.upperBound {
      let end = min(range.upperBound, first &+ Self.ahead)
      // Stored, so that the looks ahead are not left out for being of no use.
      var touched: UInt64 = 0
      for at in first..<end { touched |= slots[Self.line(keys[at], lines)].low }
      counts.base[Radix.count &+ piece] = Int(truncatingIfNeeded: touched)
      for at in first..<end {
        let key = keys[at]
        var line = Self.line(key, lines)
        while true {
          let (found, taken) = Self.look(slots + line, for: key)
          if found {
            marks[Int(rows[at])] = true
            break
          }
          if taken < 4 {
            if left == 0 { return at }
            left &-= 1
            slots[line &+ taken] = key
            marks[Int(rows[at])] = false
            break
          }
          line &+= 4
          if line == room { line = 0 }
        }
      }
      first = end
    }
    return range.upperBound
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

  /// Where in its piece to look for a key first: the four places of a cache line, so that few keys need a second line.
  @inline(__always) private static func line(_ key: RowKey, _ lines: UInt64) -> Int {
    Int(truncatingIfNeeded: (key.high &<< UInt64(Radix.bits)).multipliedFullWidth(by: lines).high) &<< 2
  }

  func larger(width: Int) -> DistinctTable {
    // Four times larger while small, so that few keys are moved often; from 32 MiB on by half.
    let bytes = room * MemoryLayout<RowKey>.stride * Radix.count
    let grown = DistinctTable(room: bytes < 32 << 20 ? room * 4 : (room + room / 2) & ~3)
    inPieces(Radix.count, width: width) { piece in
      let from = slots.base + piece * room, to = grown.slots.base + piece * grown.room
      let room = grown.room, lines = UInt64(truncatingIfNeeded: room &>> 2)
      for at in 0..<self.room where from[at].low | from[at].high != 0 {
        var slot = Self.line(from[at], lines)
        while to[slot].low | to[slot].high != 0 {
          slot &+= 1
          if slot == room { slot = 0 }
        }
        to[slot] = from[at]
      }
      grown.counts.base[piece] = counts.base[piece]
    }
    return grown
  }
}
