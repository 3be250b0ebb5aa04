import Columns

/// The customers in ascending order with their histories. Valid until more purchases are added.
public struct CustomerHistories: Sendable {
  public let rows: Rows
  /// Customers without a purchase up to the last day observed: not among the rows.
  public let holdoutOnly: Int
  private let type: ColumnType

  init(_ type: ColumnType, _ found: [HistoryPartition.Found], longCustomers: [KeyIndex?], memory: ChunkMemory) {
    self.type = type
    let store = HistoryStore(type, found, longCustomers: longCustomers, memory: memory)
    rows = Rows(store: store)
    holdoutOnly = found.reduce(0) { $0 + $1.holdoutOnly }
  }

  public struct Rows: RandomAccessCollection, Sendable {
    let store: HistoryStore

    public var startIndex: Int { 0 }
    public var endIndex: Int { store.count }
    public subscript(at: Int) -> CustomerHistory { store[at] }
  }

  /// Hands histories over, some neighbours at a time, and gives the column of their customers. Histories lie all over
  /// memory: whoever wants several figures gets each one at one go.
  @discardableResult
  public func read(_ range: Range<Int>, _ body: (UnsafeBufferPointer<CustomerHistory>) -> Void) -> Column {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows.count, "histories were asked for that there are not")
    let room = 256, store = rows.store
    let some = UnsafeMutablePointer<CustomerHistory>.allocate(capacity: room), words = UnsafeMutablePointer<UInt64>.allocate(capacity: room)
    defer {
      some.deallocate()
      words.deallocate()
    }
    var keys = KeyBuilder(type, reserving: range.count)
    for first in stride(from: range.lowerBound, to: range.upperBound, by: room) {
      let n = min(room, range.upperBound - first)
      // One word of each first: so little work that the processor waits for many of them at once.
      for at in 0..<n { words[at] = store.word(first &+ at) }
      for at in 0..<n { some[at] = store[first &+ at] }
      for at in 0..<n { store.append(words[at], of: first &+ at, to: &keys) }
      body(UnsafeBufferPointer(start: some, count: n))
    }
    return keys.finish()
  }

  public var customers: Column { read(0..<rows.count) { _ in } }
}

/// Histories where the partitions put them, and the order of the customers.
// @unchecked: written in `init` only; what it points to is kept by it and changes no more.
final class HistoryStore: @unchecked Sendable {
  let count: Int
  /// Places of the histories: chunk times room of a chunk plus place within the chunk.
  private let order: UnsafeMutablePointer<UInt32>
  private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<StoredHistory>>
  private let holdouts: [UnsafeMutablePointer<MoneySum>]
  private let partitions: UnsafeMutablePointer<UInt8>
  private let longCustomers: [KeyIndex?]
  private let memory: ChunkMemory
  private let chunkCount: Int
  private let isText: Bool

  init(_ type: ColumnType, _ found: [HistoryPartition.Found], longCustomers: [KeyIndex?], memory: ChunkMemory) {
    let room = Chain<StoredHistory>.room
    self.memory = memory
    self.longCustomers = longCustomers
    let all = found.flatMap(\.histories.chunks)
    precondition(all.count * room <= Int(UInt32.max), "more than 4,294,967,295 customers")
    chunks = .allocate(capacity: max(all.count, 1))
    partitions = .allocate(capacity: max(all.count, 1))
    holdouts = found.flatMap(\.holdouts)
    count = found.reduce(0) { $0 + $1.histories.count }
    chunkCount = all.count
    isText = type == .string
    order = LargeMemory.rows(2 * count, of: UInt32.self)
    for (at, chunk) in all.enumerated() { (chunks + at).initialize(to: chunk) }
    var chunk = 0
    for (partition, part) in found.enumerated() {
      for _ in part.histories.chunks {
        partitions[chunk] = UInt8(truncatingIfNeeded: partition)
        chunk += 1
      }
    }
    sort(found)
  }

  deinit {
    LargeMemory.free(order)
    chunks.deallocate()
    partitions.deallocate()
    for sums in holdouts { sums.deallocate() }
  }

  @inline(__always) private func stored(_ place: UInt32) -> StoredHistory {
    chunks[Int(place) / Chain<StoredHistory>.room][Int(place) % Chain<StoredHistory>.room]
  }

  @inline(__always) func word(_ at: Int) -> UInt64 {
    let place = Int(order[at])
    return chunks[place / Chain<StoredHistory>.room][place % Chain<StoredHistory>.room].customer
  }

  @inline(__always) subscript(at: Int) -> CustomerHistory {
    let place = order[at], room = Chain<StoredHistory>.room
    return CustomerHistory(stored: stored(place), holdout: holdouts.isEmpty ? MoneySum() : holdouts[Int(place) / room][Int(place) % room])
  }

  /// A text that is not all in its word.
  private func longText(_ word: UInt64, at place: UInt32) -> UnsafeRawBufferPointer {
    guard let index = longCustomers[Int(partitions[Int(place) / Chain<StoredHistory>.room])] else {
      preconditionFailure("a long text among customers that are no texts")
    }
    return index.longText(Int(word & 0xFFFF_FFFF))
  }

  @inline(__always) func append(_ word: UInt64, of row: Int, to keys: inout KeyBuilder) {
    if !keys.isText || Cells.isWhole(word) { keys.append(word) } else { keys.append(longText(word, at: order[row])) }
  }

  // MARK: Order

  /// Writes `order`, whose memory the sorter has before: fresh memory is dear.
  private func sort(_ found: [HistoryPartition.Found]) {
    let all = found.reduce(UInt64.max) { $0 & $1.allKeys }, any = found.reduce(UInt64(0)) { $0 | $1.anyKey }
    let words = LargeMemory.rows(count, of: UInt64.self), memory = UnsafeMutableRawPointer(order)
    defer { LargeMemory.free(words) }
    let packing = KeyPacking(any & ~all, rows: chunkCount * Chain<StoredHistory>.room)
    var sort = PackedSort(packing, words, spare: memory.bindMemory(to: UInt64.self, capacity: count))
    var chunk = 0
    for (part, longTexts) in zip(found, longCustomers) {
      for index in part.histories.chunks.indices {
        let histories = part.histories.chunks[index], first = chunk &* Chain<StoredHistory>.room
        for at in 0..<part.histories.count(ofChunk: index) {
          sort.append(histories[at].sortKey(isText: isText, longTexts), Int32(bitPattern: UInt32(truncatingIfNeeded: first &+ at)))
        }
        chunk &+= 1
      }
    }
    sort.run()
    var ties: [(Range<Int>, [Int32])] = []
    if isText || !packing.isWhole { sort.forEachTie { tie in ties.append((tie, settled(tie.map { sort.row($0) }, compare))) } }
    // Each place is behind what is still to be read.
    for at in 0..<count { memory.storeBytes(of: UInt32(bitPattern: sort.row(at)), toByteOffset: at &* 4, as: UInt32.self) }
    for (tie, rows) in ties { for (at, row) in zip(tie, rows) { order[at] = UInt32(bitPattern: row) } }
  }

  private func compare(_ a: Int32, _ b: Int32) -> Int {
    let (a, b) = (UInt32(bitPattern: a), UInt32(bitPattern: b))
    if isText { return withText(a) { a in withText(b) { compareBytes(a, $0) } } }
    let (x, y) = (Int64(bitPattern: stored(a).customer), Int64(bitPattern: stored(b).customer))
    return x < y ? -1 : x == y ? 0 : 1
  }

  private func withText<T>(_ place: UInt32, _ body: (UnsafeRawBufferPointer) -> T) -> T {
    let word = stored(place).customer
    if !Cells.isWhole(word) { return body(longText(word, at: place)) }
    let spelled = Cells.spelled(word)
    var bytes = (spelled.low.littleEndian, spelled.high.littleEndian)
    return withUnsafeBytes(of: &bytes) { body(UnsafeRawBufferPointer(rebasing: $0[..<spelled.count])) }
  }
}

/// A column of keys from their words; without nulls.
struct KeyBuilder: ~Copyable {
  let isText: Bool
  private let type: ColumnType
  private var texts: TextBuilder
  private var words: FixedBuilder<UInt64>
  private var halves: FixedBuilder<Int32>

  init(_ type: ColumnType, reserving rows: Int) {
    self.type = type
    isText = type == .string
    texts = TextBuilder(reserving: isText ? rows : 0, bytes: isText ? rows * 9 : 0)
    words = FixedBuilder(type.width == 8 ? type : .int64, reserving: type.width == 8 ? rows : 0)
    halves = FixedBuilder(type.width == 4 ? type : .int32, reserving: type.width == 4 ? rows : 0)
  }

  /// Of texts a whole one.
  @inline(__always) mutating func append(_ word: UInt64) {
    if isText {
      let spelled = Cells.spelled(word)
      texts.append(low: spelled.low, high: spelled.high, count: spelled.count)
    } else if type.width == 4 {
      halves.append(Int32(truncatingIfNeeded: word))
    } else {
      words.append(word)
    }
  }

  mutating func append(_ text: UnsafeRawBufferPointer) { texts.append(text.bindMemory(to: UInt8.self)) }

  consuming func finish() -> Column { isText ? texts.finish() : type.width == 4 ? halves.finish() : words.finish() }
}
