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
public func repeatedRows(in batches: [DistinctBatch], width: Int) -> [[Bool]] {
  struct Entry: BitwiseCopyable {
    var hash: UInt64
    var batch: Int32, candidate: Int32
  }
  let total = batches.reduce(0) { $0 + $1.candidates }
  if total == 0 { return batches.map { _ in [] } }
  precondition(batches.count < Int(Int32.max), "too many batches for one distinct")

  // Hashes and counts by batch; then every (batch, partition) knows where its entries go.
  let firsts = batches.indices.reduce(into: [0]) { $0.append($0.last! + batches[$1].candidates) }
  let memory = Scratch(
    hashes: .allocate(capacity: total), marks: .allocate(capacity: total),
    counts: .allocate(capacity: batches.count * Radix.count))
  defer { memory.free() }
  memory.counts.initialize(repeating: 0, count: batches.count * Radix.count)
  inPieces(batches.count, width: width) { at in
    let batch = batches[at], hashes = memory.hashes + firsts[at], counts = memory.counts + at * Radix.count
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
    for batch in batches.indices {
      let n = memory.counts[batch * Radix.count + piece]
      memory.counts[batch * Radix.count + piece] = at
      at += n
    }
    starts.append(at)
  }
  let entries = Rows(base: UnsafeMutablePointer<Entry>.allocate(capacity: total))
  defer { entries.base.deallocate() }
  inPieces(batches.count, width: width) { at in
    let hashes = memory.hashes + firsts[at], cursor = memory.counts + at * Radix.count
    for candidate in 0..<batches[at].candidates {
      let hash = hashes[candidate], piece = Radix.piece(of: hash)
      entries.base[cursor[piece]] = Entry(hash: hash, batch: Int32(truncatingIfNeeded: at), candidate: Int32(truncatingIfNeeded: candidate))
      cursor[piece] &+= 1
    }
  }

  // A table per partition; entries come in source order, so the first stays.
  let pieces = starts
  inPieces(Radix.count, width: width) { piece in
    let range = pieces[piece]..<pieces[piece + 1]
    if range.isEmpty { return }
    var slotCount = 16
    while slotCount < range.count * 2 { slotCount *= 2 }
    let slots = UnsafeMutablePointer<Int32>.allocate(capacity: slotCount)
    slots.initialize(repeating: -1, count: slotCount)
    defer { slots.deallocate() }
    let base = entries.base + range.lowerBound
    for at in 0..<range.count {
      let entry = base[at]
      var slot = Int(truncatingIfNeeded: entry.hash) & (slotCount &- 1)
      var repeated = false
      while slots[slot] >= 0 {
        let earlier = base[Int(slots[slot])]
        if earlier.hash == entry.hash {
          let a = batches[Int(earlier.batch)], b = batches[Int(entry.batch)]
          let i = a.rows.map { Int($0[Int(earlier.candidate)]) } ?? Int(earlier.candidate)
          let j = b.rows.map { Int($0[Int(entry.candidate)]) } ?? Int(entry.candidate)
          var same = true
          for column in a.cells.indices where !a.cells[column].equals(i, b.cells[column], j) {
            same = false
            break
          }
          if same {
            repeated = true
            break
          }
        }
        slot = (slot &+ 1) & (slotCount &- 1)
      }
      if !repeated { slots[slot] = Int32(truncatingIfNeeded: at) }
      memory.marks[firsts[Int(entry.batch)] &+ Int(entry.candidate)] = repeated
    }
  }
  return batches.indices.map { Array(UnsafeBufferPointer(start: memory.marks + firsts[$0], count: batches[$0].candidates)) }
}

// @unchecked: every piece of work writes places of its own, and the pieces end before the memory is read.
private struct Scratch: @unchecked Sendable {
  let hashes: UnsafeMutablePointer<UInt64>
  let marks: UnsafeMutablePointer<Bool>
  let counts: UnsafeMutablePointer<Int>

  func free() {
    hashes.deallocate()
    marks.deallocate()
    counts.deallocate()
  }
}

// @unchecked: see Scratch.
private struct Rows<T>: @unchecked Sendable { let base: UnsafeMutablePointer<T> }
