import Columns

/// Rows of one batch that take part in a `distinct`: its key columns, and which rows (nil: all `count`).
public struct DistinctBatch: Sendable {
  let cells: [Cells]
  let count: Int
  let rows: [Int32]?

  public init(_ columns: [Column], count: Int, rows: [Int32]? = nil) {
    cells = columns.map(Cells.init)
    self.count = count
    self.rows = rows
  }

  var candidates: Int { rows?.count ?? count }
}

/// Which rows repeat an earlier one: for each batch, the candidates in order, true where an equal row came before. The
/// first in source order stays; nulls are equal; rows are equal only when all their cells are.
public func repeatedRows(in batches: [DistinctBatch], width: Int) -> [[Bool]] { DistinctRows().add(batches, width: width) }

/// The rows seen so far, to tell which of those that come repeat one. Batches come in source order, some at a time; how many
/// at a time never changes the answer. Keeps the key columns of all batches, and 24 to 40 bytes for each row that stays.
// @unchecked: `add` is called by one thread at a time; inside, each piece is touched by one piece of work.
public final class DistinctRows: @unchecked Sendable {
  private var batches: [DistinctBatch] = []
  private let pieces = (0..<Radix.count).map { _ in DistinctPiece() }

  public init() {}

  /// For each batch, the candidates in order: true where an equal row came before.
  public func add(_ new: [DistinctBatch], width: Int) -> [[Bool]] {
    let total = new.reduce(0) { $0 + $1.candidates }, firstBatch = batches.count
    batches += new
    if total == 0 { return new.map { _ in [] } }
    precondition(batches.count < Int(Int32.max), "too many batches for one distinct")

    // Hashes and counts by batch; then every (batch, partition) knows where its entries go.
    let firsts = new.indices.reduce(into: [0]) { $0.append($0.last! + new[$1].candidates) }
    let memory = Scratch(
      hashes: .allocate(capacity: total), marks: .allocate(capacity: total),
      counts: .allocate(capacity: new.count * Radix.count), entries: .allocate(capacity: total))
    defer { memory.free() }
    memory.counts.initialize(repeating: 0, count: new.count * Radix.count)
    inPieces(new.count, width: width) { at in
      let batch = new[at], hashes = memory.hashes + firsts[at], counts = memory.counts + at * Radix.count
      if let rows = batch.rows {
        rows.withUnsafeBufferPointer { if let rows = $0.baseAddress { RowHash.fill(hashes, batch.cells, rows: rows, count: $0.count) } }
      } else {
        RowHash.fill(hashes, batch.cells, count: batch.count)
      }
      for candidate in 0..<batch.candidates { counts[Radix.piece(of: hashes[candidate])] &+= 1 }
    }
    var starts = [0]
    var at = 0
    for piece in 0..<Radix.count {
      for batch in new.indices {
        let n = memory.counts[batch * Radix.count + piece]
        memory.counts[batch * Radix.count + piece] = at
        at += n
      }
      starts.append(at)
    }
    inPieces(new.count, width: width) { at in
      let hashes = memory.hashes + firsts[at], cursor = memory.counts + at * Radix.count
      for candidate in 0..<new[at].candidates {
        let hash = hashes[candidate], piece = Radix.piece(of: hash)
        memory.entries[cursor[piece]] = DistinctEntry(
          hash: hash, batch: Int32(truncatingIfNeeded: firstBatch &+ at), candidate: Int32(truncatingIfNeeded: candidate))
        cursor[piece] &+= 1
      }
    }
    let (ranges, all, pieces) = (starts, batches, pieces)
    inPieces(Radix.count, width: width) { piece in
      let entries = UnsafeBufferPointer(start: memory.entries + ranges[piece], count: ranges[piece + 1] - ranges[piece])
      pieces[piece].add(entries, of: all) { entry, repeated in
        memory.marks[firsts[Int(entry.batch) &- firstBatch] &+ Int(entry.candidate)] = repeated
      }
    }
    return new.indices.map { Array(UnsafeBufferPointer(start: memory.marks + firsts[$0], count: new[$0].candidates)) }
  }
}

/// One row on its way to its partition.
private struct DistinctEntry: BitwiseCopyable {
  var hash: UInt64
  var batch: Int32, candidate: Int32
}

/// The rows that stay of one partition; entries come in source order, so the first stays.
// @unchecked: one thread at a time works on a partition.
private final class DistinctPiece: @unchecked Sendable {
  private var kept = Pile<DistinctEntry>()
  private var slots: UnsafeMutablePointer<Int32>
  private var slotCount = 16

  init() {
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: -1, count: slotCount)
  }

  deinit {
    slots.deallocate()
    kept.free()
  }

  func add(_ entries: UnsafeBufferPointer<DistinctEntry>, of batches: [DistinctBatch], mark: (DistinctEntry, Bool) -> Void) {
    makeRoom(for: entries.count)
    for entry in entries {
      var slot = Int(truncatingIfNeeded: entry.hash) & (slotCount &- 1)
      var repeated = false
      while slots[slot] >= 0 {
        let earlier = kept[Int(slots[slot])]
        if earlier.hash == entry.hash, Self.equal(earlier, entry, batches) {
          repeated = true
          break
        }
        slot = (slot &+ 1) & (slotCount &- 1)
      }
      if !repeated {
        precondition(kept.count < Int(Int32.max), "more than 2,147,483,647 distinct rows in one of 64 partitions")
        slots[slot] = Int32(truncatingIfNeeded: kept.count)
        kept.append(entry)
      }
      mark(entry, repeated)
    }
  }

  private static func equal(_ earlier: DistinctEntry, _ entry: DistinctEntry, _ batches: [DistinctBatch]) -> Bool {
    let a = batches[Int(earlier.batch)], b = batches[Int(entry.batch)]
    let i = a.rows.map { Int($0[Int(earlier.candidate)]) } ?? Int(earlier.candidate)
    let j = b.rows.map { Int($0[Int(entry.candidate)]) } ?? Int(entry.candidate)
    for column in a.cells.indices where !a.cells[column].equals(i, b.cells[column], j) { return false }
    return true
  }

  private func makeRoom(for more: Int) {
    if (kept.count + more) * 2 <= slotCount { return }
    while slotCount < (kept.count + more) * 2 { slotCount *= 2 }
    slots.deallocate()
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: -1, count: slotCount)
    for at in 0..<kept.count {
      var slot = Int(truncatingIfNeeded: kept[at].hash) & (slotCount &- 1)
      while slots[slot] >= 0 { slot = (slot &+ 1) & (slotCount &- 1) }
      slots[slot] = Int32(truncatingIfNeeded: at)
    }
  }
}

// @unchecked: every piece of work writes places of its own, and the pieces end before the memory is read.
private struct Scratch: @unchecked Sendable {
  let hashes: UnsafeMutablePointer<UInt64>
  let marks: UnsafeMutablePointer<Bool>
  let counts: UnsafeMutablePointer<Int>
  let entries: UnsafeMutablePointer<DistinctEntry>

  func free() {
    hashes.deallocate()
    marks.deallocate()
    counts.deallocate()
    entries.deallocate()
  }
}
