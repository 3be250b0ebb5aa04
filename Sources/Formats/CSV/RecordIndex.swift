import CScan

/// Where the rows and fields of one unit of text are. Offsets count from the window's first byte.
///
/// Field j ends at `ends[j]` (exclusive). Row r has the fields `rowFirst[r]..<rowFirst[r + 1]` and begins at `rowStart[r]`; a field
/// that is not its row's first begins one behind the end of the one before, unless the state machine ran, which
/// writes `starts` too.
final class RecordIndex {
  let ends = Slab<UInt32>(), starts = Slab<UInt32>(), rowFirst = Slab<UInt32>(), rowStart = Slab<UInt32>()
  /// What the state machine found wrong with a row; see `RowFlaw`.
  let flaws = Slab<UInt8>()
  var rows = 0
  var fields = 0
  /// Line ends, those inside quotes too.
  var lines = 0
  /// The offset behind the last whole row.
  var consumed = 0
  /// The masks' reading is not trusted: a quote stands where RFC 4180 has none, or the unit ends inside quotes.
  var isDoubtful = false
  var hasStarts = false
  /// Some byte may not be ASCII.
  var hasHigh = true

  func reset(at offset: Int) {
    rows = 0
    fields = 0
    lines = 0
    consumed = offset
    isDoubtful = false
    hasStarts = false
    hasHigh = true
    rowFirst.pointer[0] = 0
    rowStart.pointer[0] = UInt32(offset)
  }
}

enum RowFlaw {
  static let none: UInt8 = 0, textBehindQuote: UInt8 = 1, unclosed: UInt8 = 2, badUTF8: UInt8 = 3
}

extension RecordIndex {
  /// Reads a unit 64 bytes at a time. The unit begins at a row; it may end inside one.
  ///
  /// Inside quotes is where the number of quotes so far is odd. That is what the state machine says, too, as long as an
  /// opening quote follows a delimiter or line end and a closing one precedes such (or either touches another
  /// quote): anything else is doubtful, and the state machine decides.
  func scan(_ base: UnsafePointer<UInt8>, from: Int, to: Int, delimiter: UInt8, quote: UInt8?) {
    reset(at: from)
    let room = to - from + 128
    ends.clear(for: room)
    rowFirst.clear(for: room / 2 + 64)
    rowStart.clear(for: room / 2 + 64)
    rowFirst.pointer[0] = 0
    rowStart.pointer[0] = UInt32(from)
    var ends = ends.pointer, fields = 0, rows = 0, lines = 0, doubtful: UInt64 = 0
    var rowFirst = rowFirst.pointer, rowStart = rowStart.pointer, rowRoom = self.rowFirst.capacity
    let quoteByte = quote ?? 0, quoted: UInt64 = quote == nil ? 0 : ~0
    var carriedInside: UInt64 = 0, carriedClosing: UInt64 = 0, carriedCR: UInt64 = 0, high: UInt64 = 0
    var position = from
    while position < to {
      if to &- position >= 64, carriedInside | carriedClosing | carriedCR == 0 {
        // Blocks without quote and CR, most of them, need none of what follows.
        var run = CScanRun(position: Int64(position), fields: Int64(fields), rows: Int64(rows), high: high)
        cscan_run(base, Int64(to), delimiter, quote ?? 13, ends, rowFirst, rowStart, Int64(rowRoom), &run)
        lines &+= Int(run.rows) &- rows
        (position, fields, rows, high) = (Int(run.position), Int(run.fields), Int(run.rows), run.high)
        if position >= to { break }
      }
      high |= cscan_has_high(base + position)
      let masks = cscan_masks(base + position, quoteByte, delimiter, 10, 13)
      let left = to &- position
      let valid: UInt64 = left >= 64 ? ~0 : (1 &<< UInt64(left)) &- 1
      let q = masks.a & quoted & valid, d = masks.b & valid, lf = masks.c & valid, cr = masks.d & valid
      var newlines = lf
      if cr != 0 {
        let follows: UInt64 = base[position &+ 64] == 10 ? 1 &<< 63 : 0
        newlines |= cr & ~(masks.c &>> 1 | follows)
      }
      lines &+= newlines.nonzeroBitCount
      var outside: UInt64 = ~0
      if q | carriedInside | carriedClosing != 0 {
        let inside = cscan_prefix_xor(q) ^ carriedInside
        outside = ~inside
        let opening = q & inside, closing = q & outside
        let border = d | lf | cr | q
        let before: UInt64 = position == from ? 1 : Self.isBorder(base[position &- 1], delimiter, quoteByte) ? 1 : 0
        doubtful |= opening & ~(border &<< 1 | before)
        doubtful |= (closing &<< 1 | carriedClosing) & ~border & valid
        carriedInside = 0 &- (inside &>> 63)
        carriedClosing = closing &>> 63
      }
      carriedCR = cr &>> 63
      newlines &= outside
      var stops = (d | newlines) & outside
      let count = stops.nonzeroBitCount
      let all = stops
      // Most blocks hold fewer than nine stops: eight stores without a branch, the rare rest behind.
      let to8 = ends + fields
      for i in 0..<8 {
        to8[i] = UInt32(truncatingIfNeeded: position &+ stops.trailingZeroBitCount)
        stops &= stops &- 1
      }
      if count > 8 {
        var i = 8
        while stops != 0 {
          to8[i] = UInt32(truncatingIfNeeded: position &+ stops.trailingZeroBitCount)
          stops &= stops &- 1
          i &+= 1
        }
      }
      if rows &+ 66 > rowRoom {
        self.rowFirst.grow(to: rowRoom * 2 + 66, keeping: rows + 1)
        self.rowStart.grow(to: rowRoom * 2 + 66, keeping: rows + 1)
        (rowFirst, rowStart) = (self.rowFirst.pointer, self.rowStart.pointer)
        rowRoom = min(self.rowFirst.capacity, self.rowStart.capacity)
      }
      while newlines != 0 {
        let bit = newlines.trailingZeroBitCount
        newlines &= newlines &- 1
        let at = position &+ bit
        let last = fields &+ (all & ((1 &<< UInt64(bit)) &- 1)).nonzeroBitCount
        // The CR of a CRLF belongs to the line end.
        if base[at] == 10, at > Int(rowStart[rows]), base[at &- 1] == 13 { ends[last] = UInt32(truncatingIfNeeded: at &- 1) }
        rows &+= 1
        rowFirst[rows] = UInt32(truncatingIfNeeded: last &+ 1)
        rowStart[rows] = UInt32(truncatingIfNeeded: at &+ 1)
      }
      fields &+= count
      position &+= 64
    }
    ends = self.ends.pointer
    self.fields = fields
    self.rows = rows
    consumed = Int(rowStart[rows])
    // The next window begins with the row that is not whole, and counts its line ends.
    self.lines = consumed < to ? lines &- lineCount(base, from: consumed, to: to) : lines
    isDoubtful = doubtful != 0
    hasHigh = high != 0
  }

  @inline(__always) private static func isBorder(_ byte: UInt8, _ delimiter: UInt8, _ quote: UInt8) -> Bool {
    byte == delimiter || byte == quote || byte == 10 || byte == 13
  }
}

/// Whether a piece of text holds an odd number of quotes.
func quoteParity(_ base: UnsafePointer<UInt8>, from: Int, to: Int, quote: UInt8) -> Bool {
  var position = from, count = 0
  while position < to {
    let left = to &- position
    let valid: UInt64 = left >= 64 ? ~0 : (1 &<< UInt64(left)) &- 1
    count &+= (cscan_mask(base + position, quote) & valid).nonzeroBitCount
    position &+= 64
  }
  return count & 1 == 1
}

/// How many lines end in a piece of text: LF, CRLF or CR each.
func lineCount(_ base: UnsafePointer<UInt8>, from: Int, to: Int) -> Int {
  var count = 0, position = from
  while position < to {
    let byte = base[position]
    if byte == 10 || byte == 13 && base[position &+ 1] != 10 { count &+= 1 }
    position &+= 1
  }
  return count
}
