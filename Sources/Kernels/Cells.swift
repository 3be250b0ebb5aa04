import Columns

/// Reads the cells of one column as 64-bit words or as texts, for hashing and exact comparison. The words of equal
/// cells are equal: −0 is 0, all NaN are one, an int32 and an int64 of one value agree.
// @unchecked: the pointers are into the buffers of `column`, which never change and which it keeps alive.
struct Cells: @unchecked Sendable {
  enum Kind { case narrow, wide, real, bits, text }

  let kind: Kind
  let column: Column
  let base: UnsafeRawPointer
  private let bitOffset: Int
  let codes: UnsafePointer<Int32>?
  private let offsets: UnsafePointer<Int32>
  let validity: UnsafePointer<UInt8>?
  private let validityOffset: Int

  init(_ column: Column) {
    self.column = column
    // Rows that were gathered bring a bitmap though none of them may be null.
    let present = column.validity.flatMap { $0.setCount == column.count ? nil : $0 }
    validity = present?.buffer.base.assumingMemoryBound(to: UInt8.self)
    validityOffset = present?.offset ?? 0
    var bitOffset = 0
    var codes: UnsafePointer<Int32>?
    var offsets = UnsafePointer<Int32>(bitPattern: 8)!
    switch column.storage {
    case .bits(let bits):
      kind = .bits
      base = bits.buffer.base
      bitOffset = bits.offset
    case .fixed(let buffer):
      kind = column.type == .float64 ? .real : column.type.width == 4 ? .narrow : .wide
      base = buffer.base
    case .text(let values):
      kind = .text
      base = values.bytes.base
      offsets = values.offsets.base.assumingMemoryBound(to: Int32.self)
    case .codes(let cells, let values):
      kind = .text
      base = values.bytes.base
      offsets = values.offsets.base.assumingMemoryBound(to: Int32.self)
      codes = cells.base.assumingMemoryBound(to: Int32.self)
    }
    self.bitOffset = bitOffset
    self.codes = codes
    self.offsets = offsets
  }

  @inline(__always) func isNull(_ row: Int) -> Bool {
    guard let validity else { return false }
    let bit = row &+ validityOffset
    return validity[bit &>> 3] &>> UInt8(truncatingIfNeeded: bit & 7) & 1 == 0
  }

  @inline(__always) func narrow(_ row: Int) -> UInt64 {
    UInt64(bitPattern: Int64(base.loadUnaligned(fromByteOffset: row &* 4, as: Int32.self)))
  }

  @inline(__always) func wide(_ row: Int) -> UInt64 { base.loadUnaligned(fromByteOffset: row &* 8, as: UInt64.self) }

  /// The cell of a column that is not text; 0 under nulls.
  @inline(__always) func word(_ row: Int) -> UInt64 {
    switch kind {
    case .narrow: narrow(row)
    case .wide: wide(row)
    case .real: Self.canonical(base.loadUnaligned(fromByteOffset: row &* 8, as: Double.self))
    case .bits:
      UInt64((base.load(fromByteOffset: (row &+ bitOffset) &>> 3, as: UInt8.self) &>> UInt8(truncatingIfNeeded: (row &+ bitOffset) & 7)) & 1)
    case .text: 0
    }
  }

  /// 64 bits that stand for a cell among keys: a word as it is, of a text its key word.
  @inline(__always) func keyWord(_ row: Int) -> UInt64 {
    if kind != .text { return word(row) }
    return isNull(row) ? 0 : Self.keyWord(text(row))
  }

  /// The key words of the first `count` rows.
  func keyWords(count: Int, to words: UnsafeMutablePointer<UInt64>) {
    switch kind {
    case .text:
      guard let codes else {
        for row in 0..<count { words[row] = isNull(row) ? 0 : Self.keyWord(text(at: row)) }
        return
      }
      guard case .codes(_, let values) = column.storage, values.count <= count else {
        for row in 0..<count { words[row] = keyWord(row) }
        return
      }
      let known = UnsafeMutablePointer<UInt64>.allocate(capacity: max(values.count, 1))
      defer { known.deallocate() }
      for place in 0..<values.count { known[place] = Self.keyWord(text(at: place)) }
      for row in 0..<count { words[row] = isNull(row) ? 0 : known[Int(codes[row])] }
    case .narrow, .wide, .real, .bits: for row in 0..<count { words[row] = word(row) }
    }
  }

  @inline(__always) static func canonical(_ value: Double) -> UInt64 {
    value == 0 ? 0 : value.isNaN ? Double.nan.bitPattern : value.bitPattern
  }

  @inline(__always) func text(_ row: Int) -> UnsafeRawBufferPointer {
    text(at: codes.map { Int($0[row]) } ?? row)
  }

  /// A text by its place among the values.
  @inline(__always) func text(at place: Int) -> UnsafeRawBufferPointer {
    let from = Int(offsets[place])
    return UnsafeRawBufferPointer(start: base + from, count: Int(offsets[place &+ 1]) &- from)
  }

  /// Whether two cells, perhaps of two batches, are equal; nulls are equal.
  @inline(__always) func equals(_ row: Int, _ other: borrowing Cells, _ otherRow: Int) -> Bool {
    let missing = isNull(row)
    if missing != other.isNull(otherRow) { return false }
    if missing { return true }
    return kind == .text ? equalBytes(text(row), other.text(otherRow)) : word(row) == other.word(otherRow)
  }
}

@inline(__always) func equalBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  if a.count != b.count { return false }
  guard let a = a.baseAddress.map({ (base: $0, count: a.count) }), let b = b.baseAddress else { return true }
  var at = 0
  while at &+ 8 <= a.count {
    if a.base.loadUnaligned(fromByteOffset: at, as: UInt64.self) != b.loadUnaligned(fromByteOffset: at, as: UInt64.self) { return false }
    at &+= 8
  }
  while at < a.count {
    if a.base.load(fromByteOffset: at, as: UInt8.self) != b.load(fromByteOffset: at, as: UInt8.self) { return false }
    at &+= 1
  }
  return true
}

/// −1, 0 or 1 by the bytes, a shorter text before its continuations.
@inline(__always) func compareBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
  let shared = min(a.count, b.count)
  var at = 0
  while at < shared {
    let (x, y) = (a[at], b[at])
    if x != y { return x < y ? -1 : 1 }
    at &+= 1
  }
  return a.count == b.count ? 0 : a.count < b.count ? -1 : 1
}
