import Columns

/// Gives equal keys one number, dense from 0 in order of first appearance. Keys are one or several columns, come batch
/// by batch, and are kept once each; nulls are equal.
///
///     let index = KeyIndex(types: [.string])
///     let groups = index.groups(of: [batch["customer"]], count: batch.count)     // [0, 1, 0, 2, …]
///     index.keys()                                                               // the customers, in that order
// @unchecked: one thread at a time adds keys; concurrent look-ups (`find`) only read.
public final class KeyIndex: @unchecked Sendable {
  private let types: [ColumnType]
  private var stores: [KeyStore]
  private var hashes = Pile<UInt64>()
  /// Slots hold the hash's upper 32 bits and the number + 1; 0 is empty.
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotCount: Int
  public private(set) var count = 0

  public init(types: [ColumnType], expecting keys: Int = 0) {
    self.types = types
    stores = types.map { KeyStore(isText: $0 == .string) }
    slotCount = 64
    while slotCount < keys * 2 { slotCount *= 2 }
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
  }

  deinit {
    slots.deallocate()
    hashes.free()
    for store in stores { store.free() }
  }

  /// The number of each row's key; new keys are added.
  public func groups(of columns: [Column], count: Int) -> [Int32] {
    let cells = columns.map(Cells.init)
    let hashes = rowHashes(columns, count: count)
    return [Int32](unsafeUninitializedCapacity: count) { groups, initialized in
      hashes.withUnsafeBufferPointer { hashes in
        if let to = groups.baseAddress, let hashes = hashes.baseAddress {
          add(cells, hashes: hashes, rows: nil, count: count, into: to)
        }
      }
      initialized = count
    }
  }

  /// The number of each row's key, −1 where it is not known. Rows with a null in a key are never found when `nullsMatch` is false.
  public func find(_ columns: [Column], count: Int, nullsMatch: Bool = true) -> [Int32] {
    let cells = columns.map(Cells.init)
    let hashes = rowHashes(columns, count: count)
    return (0..<count).map { row in
      if !nullsMatch, cells.contains(where: { $0.isNull(row) }) { return -1 }
      var slot = Self.home(hashes[row], slotCount)
      while slots[slot] != 0 {
        if slots[slot] >> 32 == hashes[row] >> 32 {
          let key = Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) - 1
          if matches(cells, row, key) { return Int32(key) }
        }
        slot = (slot &+ 1) & (slotCount - 1)
      }
      return -1
    }
  }

  // The lowest bits choose the slot: the top bits have already chosen the partition, the upper half is the tag.
  @inline(__always) private static func home(_ hash: UInt64, _ slotCount: Int) -> Int {
    Int(truncatingIfNeeded: hash) & (slotCount &- 1)
  }

  @inline(__always) private func matches(_ cells: [Cells], _ row: Int, _ key: Int) -> Bool {
    for at in 0..<cells.count where !stores[at].equals(key, cells[at], row) { return false }
    return true
  }

  /// For `rows` (nil: 0 ..< count) of the cells; `hashes` is indexed by row, `groups` by place in `rows`.
  func add(
    _ cells: [Cells], hashes rowHashes: UnsafePointer<UInt64>, rows: UnsafePointer<Int32>?, count n: Int,
    into groups: UnsafeMutablePointer<Int32>
  ) {
    for at in 0..<n {
      let row = rows.map { Int($0[at]) } ?? at
      let hash = rowHashes[row]
      var slot = Self.home(hash, slotCount)
      var found = -1
      while slots[slot] != 0 {
        if slots[slot] >> 32 == hash >> 32 {
          let key = Int(truncatingIfNeeded: slots[slot] & 0xFFFF_FFFF) &- 1
          if matches(cells, row, key) {
            found = key
            break
          }
        }
        slot = (slot &+ 1) & (slotCount &- 1)
      }
      if found < 0 {
        for column in 0..<cells.count { stores[column].append(cells[column], row) }
        found = insert(hash, at: slot)
      }
      groups[at] = Int32(truncatingIfNeeded: found)
    }
  }

  /// The same for one column, whose key words lie `stride` bytes apart from `words`; the usual key, with everything in
  /// locals. `rows` are looked at for new keys and long texts only. Nulls have to be texts, or told apart by the caller.
  func add(
    words: UnsafeRawPointer, stride: Int, _ cells: Cells, rows: UnsafeRawPointer, count n: Int, into groups: UnsafeMutablePointer<Int32>
  ) {
    var store = stores[0]
    var slots = self.slots, mask = slotCount &- 1
    let isText = store.isText
    for at in 0..<n {
      let word = words.load(fromByteOffset: at &* stride, as: UInt64.self)
      let hash = RowHash.ofRow(word)
      var slot = Int(truncatingIfNeeded: hash) & mask
      var found = -1
      while true {
        let entry = slots[slot]
        if entry == 0 { break }
        if entry >> 32 == hash >> 32 {
          let key = Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) &- 1
          if store.words[key] == word,
            !isText || Cells.isWhole(word) || store.equals(key, cells, Int(rows.load(fromByteOffset: at &* stride, as: Int32.self)))
          {
            found = key
            break
          }
        }
        slot = (slot &+ 1) & mask
      }
      if found < 0 {
        store.append(word, isNull: isText && word == 0, cells, Int(rows.load(fromByteOffset: at &* stride, as: Int32.self)))
        found = insert(hash, at: slot)
        slots = self.slots
        mask = slotCount &- 1
      }
      groups[at] = Int32(truncatingIfNeeded: found)
    }
    stores[0] = store
  }

  private func insert(_ hash: UInt64, at slot: Int) -> Int {
    let key = count
    precondition(key < Int(Int32.max), "more than 2,147,483,646 distinct keys")
    slots[slot] = (hash >> 32) << 32 | UInt64(truncatingIfNeeded: key &+ 1)
    hashes.append(hash)
    count &+= 1
    if count &* 2 > slotCount { grow() }
    return key
  }

  private func grow() {
    slots.deallocate()
    slotCount *= 2
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    for key in 0..<count {
      var slot = Self.home(hashes[key], slotCount)
      while slots[slot] != 0 { slot = (slot &+ 1) & (slotCount &- 1) }
      slots[slot] = (hashes[key] >> 32) << 32 | UInt64(truncatingIfNeeded: key &+ 1)
    }
  }

  /// The bytes of a key of one text column that are not all in its word. Valid until a key is added.
  func longText(_ key: Int) -> UnsafeRawBufferPointer { stores[0].text(key) }

  /// The keys, in order of first appearance: one column of each type.
  public func keys() -> [Column] { zip(stores, types).map { $0.column($1, count: count) } }
}

/// The cells of one key column, as key words; long texts lie in an arena.
private struct KeyStore {
  let isText: Bool
  private(set) var words = Pile<UInt64>()
  private var starts = Pile<Int>()
  private var lengths = Pile<Int32>()
  private var arena = Pile<UInt8>()
  private var missing = Pile<Bool>()

  init(isText: Bool) { self.isText = isText }

  func free() {
    words.free()
    starts.free()
    lengths.free()
    arena.free()
    missing.free()
  }

  @inline(__always) func text(_ key: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: arena.base + starts[key], count: Int(lengths[key]))
  }

  @inline(__always) func equals(_ key: Int, _ cells: borrowing Cells, _ row: Int) -> Bool {
    let null = cells.isNull(row)
    if null != missing[key] { return false }
    if null { return true }
    let word = cells.keyWord(row)
    return words[key] == word && (!isText || Cells.isWhole(word) || equalBytes(text(key), cells.text(row)))
  }

  @inline(__always) mutating func append(_ cells: borrowing Cells, _ row: Int) {
    let null = cells.isNull(row)
    append(null ? 0 : cells.keyWord(row), isNull: null, cells, row)
  }

  /// Of a text that is its word the row is not looked at.
  @inline(__always) mutating func append(_ word: UInt64, isNull: Bool, _ cells: borrowing Cells, _ row: Int) {
    missing.append(isNull)
    words.append(word)
    if !isText { return }
    starts.append(arena.count)
    if Cells.isWhole(word) {
      lengths.append(0)
      return
    }
    let text = cells.text(row)
    lengths.append(Int32(truncatingIfNeeded: text.count))
    let place = arena.extend(by: text.count)
    if let from = text.baseAddress { UnsafeMutableRawPointer(place).copyMemory(from: from, byteCount: text.count) }
  }

  func column(_ type: ColumnType, count: Int) -> Column {
    if isText {
      var texts = TextBuilder(reserving: count, bytes: arena.count + count * 8)
      for key in 0..<count {
        if missing[key] { texts.appendNull() } else if Cells.isWhole(words[key]) {
          let spelled = Cells.spelled(words[key])
          texts.append(low: spelled.low, high: spelled.high, count: spelled.count)
        } else {
          texts.append(text(key).bindMemory(to: UInt8.self))
        }
      }
      return texts.finish()
    }
    if type == .bool { return .bools((0..<count).map { missing[$0] ? nil : words[$0] != 0 }) }
    if type.width == 4 {
      var cells = FixedBuilder<Int32>(type, reserving: count)
      for key in 0..<count {
        if missing[key] { cells.appendNull() } else { cells.append(Int32(truncatingIfNeeded: words[key])) }
      }
      return cells.finish()
    }
    var cells = FixedBuilder<UInt64>(type, reserving: count)
    for key in 0..<count {
      if missing[key] { cells.appendNull() } else { cells.append(words[key]) }
    }
    return cells.finish()
  }
}
