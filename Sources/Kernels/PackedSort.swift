/// Closes up the bits in which keys differ, of each byte those from the lowest to the highest that varies, so that key and
/// row fit into one word. The order stays.
struct KeyPacking {
  private(set) var shifts: [UInt64] = [], masks: [UInt64] = []
  private(set) var bits = 0
  let rowBits: Int
  /// False where the lowest bytes had to be left out: then equal packed keys may be of different keys.
  let isWhole: Bool

  /// `rows` is more than any row, taken without a sign.
  init(_ varying: UInt64, rows: Int) {
    rowBits = Int.bitWidth - max(rows, 1).leadingZeroBitCount
    var first = 0
    while Self.runs(varying, from: first).reduce(0, { $0 + $1.width }) + rowBits > 64 { first += 1 }
    isWhole = first == 0
    for run in Self.runs(varying, from: first) {
      shifts.append(UInt64(run.low - bits))
      masks.append((1 << UInt64(run.width) - 1) << UInt64(bits))
      bits += run.width
    }
  }

  private static func runs(_ varying: UInt64, from first: Int) -> [(low: Int, width: Int)] {
    (first..<8).compactMap { byte in
      let part = varying &>> UInt64(byte * 8) & 255, low = part.trailingZeroBitCount
      return part == 0 ? nil : (byte * 8 + low, 64 - part.leadingZeroBitCount - low)
    }
  }
}

/// Rows in the order of packed keys, those of equal keys as they came: least significant digit first, on words of key and
/// row, which make few passes over few bytes.
struct PackedSort: ~Copyable {
  private var words: UnsafeMutablePointer<UInt64>
  private var spare: UnsafeMutablePointer<UInt64>
  private var count = 0
  private let shifts: UnsafeMutablePointer<UInt64>
  private let runs: Int
  private let rowBits: UInt64
  private let passes: Int
  private let width: UInt64
  private let digits: Int
  private let counts: UnsafeMutablePointer<Int>

  /// `words` and `spare` have room for all rows.
  init(_ packing: KeyPacking, _ words: UnsafeMutablePointer<UInt64>, spare: UnsafeMutablePointer<UInt64>) {
    self.words = words
    self.spare = spare
    runs = packing.shifts.count
    shifts = .allocate(capacity: 16)
    for (at, shift) in packing.shifts.enumerated() { shifts[at] = shift }
    for (at, mask) in packing.masks.enumerated() { shifts[8 + at] = mask }
    rowBits = UInt64(packing.rowBits)
    passes = (packing.bits + 10) / 11
    width = passes == 0 ? 0 : UInt64((packing.bits + passes - 1) / passes)
    digits = 1 << Int(width)
    counts = .allocate(capacity: max(1, passes * digits))
    counts.initialize(repeating: 0, count: passes * digits)
  }

  deinit {
    shifts.deallocate()
    counts.deallocate()
  }

  @inline(__always) mutating func append(_ key: UInt64, _ row: Int32) {
    var packed: UInt64 = 0
    for run in 0..<runs { packed |= key &>> shifts[run] & shifts[run &+ 8] }
    words[count] = packed &<< rowBits | UInt64(UInt32(bitPattern: row))
    count &+= 1
    var rest = packed
    for pass in 0..<passes {
      counts[pass &* digits &+ Int(truncatingIfNeeded: rest) & (digits &- 1)] &+= 1
      rest &>>= width
    }
  }

  mutating func run() {
    for pass in 0..<passes {
      let starts = counts + pass * digits
      var next = 0
      for digit in 0..<digits {
        let here = starts[digit]
        starts[digit] = next
        next &+= here
      }
      let low = rowBits + UInt64(pass) * width
      for at in 0..<count {
        let word = words[at], digit = Int(truncatingIfNeeded: word &>> low) & (digits &- 1)
        spare[starts[digit]] = word
        starts[digit] &+= 1
      }
      swap(&words, &spare)
    }
  }

  /// Equal where the keys are.
  @inline(__always) func key(_ at: Int) -> UInt64 { words[at] >> rowBits }

  @inline(__always) func row(_ at: Int) -> Int32 { Int32(bitPattern: UInt32(truncatingIfNeeded: words[at] & (1 << rowBits - 1))) }

  /// Ranges of two and more rows of equal keys.
  func forEachTie(_ body: (Range<Int>) -> Void) {
    var start = 0
    while start < count {
      var end = start &+ 1
      while end < count, key(end) == key(start) { end &+= 1 }
      if end &- start > 1 { body(start..<end) }
      start = end
    }
  }
}
