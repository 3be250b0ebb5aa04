/// Where one column's cells stand in a unit's good rows, before quotes are taken off.
struct FieldPlaces {
  let base: UnsafePointer<UInt8>
  private let ends: UnsafePointer<UInt32>, rowFirst: UnsafePointer<UInt32>, rowStart: UnsafePointer<UInt32>
  private let position: Int

  /// Of an index that the masks wrote: fields begin where the one before ends.
  init(_ base: UnsafePointer<UInt8>, _ index: RecordIndex, position: Int) {
    precondition(!index.hasStarts, "the state machine's fields have starts of their own")
    self.base = base
    self.position = position
    ends = UnsafePointer(index.ends.pointer)
    rowFirst = UnsafePointer(index.rowFirst.pointer)
    rowStart = UnsafePointer(index.rowStart.pointer)
  }

  @inline(__always) subscript(row: Int) -> (start: Int, end: Int) {
    let field = Int(rowFirst[row]) &+ position
    return (position == 0 ? Int(rowStart[row]) : Int(ends[field &- 1]) &+ 1, Int(ends[field]))
  }
}

/// A literal of up to eight bytes that is cut from the end of every text that ends with it.
struct TailDrop {
  let count: Int
  private let mask: UInt64, value: UInt64

  /// Of no text: cuts nothing.
  static let none = TailDrop(count: .max, mask: 0, value: 0)

  private init(count: Int, mask: UInt64, value: UInt64) {
    self.count = count
    self.mask = mask
    self.value = value
  }

  init?(_ text: [UInt8]) {
    guard (1...8).contains(text.count) else { return nil }
    count = text.count
    mask = ~0 << UInt64((8 - text.count) * 8)
    value = text.enumerated().reduce(0) { word, item in word | UInt64(item.element) << UInt64((8 - text.count + item.offset) * 8) }
  }

  /// The new end. Reads up to eight bytes before the text.
  @inline(__always) func end(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
    if end &- start < count { return end }
    let word = UnsafeRawPointer(base + end).loadUnaligned(fromByteOffset: -8, as: UInt64.self)
    return word & mask == value ? end &- count : end
  }
}
