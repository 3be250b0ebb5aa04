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
/// at a time never changes the answer. Of a row that stays 128 bits are kept, and no batch is.
// @unchecked: `add` is called by one thread at a time; inside, each piece of the table is touched by one piece of work.
public final class DistinctRows: @unchecked Sendable {
  private let maker = RowKeyMaker()
  private var table = DistinctTable()

  public init() {}

  /// For each batch, the candidates in order: true where an equal row came before.
  public func add(_ new: [DistinctBatch], width: Int) -> [[Bool]] {
    let firsts = new.indices.reduce(into: [0]) { $0.append($0.last! + new[$1].candidates) }
    let total = firsts[new.count]
    if total == 0 { return new.map { _ in [] } }
    let memory = Scratch(
      keys: .allocate(capacity: total), sorted: .allocate(capacity: total), rows: .allocate(capacity: total), marks: .allocate(capacity: total),
      cursors: .allocate(capacity: new.count * Radix.count))
    defer { memory.free() }
    memory.cursors.initialize(repeating: 0, count: new.count * Radix.count)
    let maker = maker
    inPieces(new.count, width: width) { at in
      let batch = new[at], own = memory.keys + firsts[at], counts = memory.cursors + at * Radix.count
      if let rows = batch.rows {
        rows.withUnsafeBufferPointer { maker.fill(own, batch.cells, rows: $0.baseAddress, count: $0.count) }
      } else {
        maker.fill(own, batch.cells, rows: nil, count: batch.count)
      }
      for candidate in 0..<batch.candidates { counts[Radix.piece(of: own[candidate].high)] &+= 1 }
    }
    // Keys go to their pieces in source order: a piece's part of the table is small enough for the processor's table of pages.
    var starts = [0], at = 0
    for piece in 0..<Radix.count {
      for batch in new.indices {
        let n = memory.cursors[batch * Radix.count + piece]
        memory.cursors[batch * Radix.count + piece] = at
        at += n
      }
      starts.append(at)
    }
    inPieces(new.count, width: width) { at in
      let own = memory.keys + firsts[at], cursors = memory.cursors + at * Radix.count
      for candidate in 0..<new[at].candidates {
        let key = own[candidate], piece = Radix.piece(of: key.high), place = cursors[piece]
        memory.sorted[place] = key
        memory.rows[place] = Int32(truncatingIfNeeded: firsts[at] &+ candidate)
        cursors[piece] = place &+ 1
      }
    }
    var done = Array(starts.prefix(Radix.count))
    while true {
      let (table, ends) = (table, starts)
      done.withUnsafeMutableBufferPointer { done in
        // Each piece writes its own place.
        nonisolated(unsafe) let done = done
        inPieces(Radix.count, width: width) { piece in
          done[piece] = table.add(memory.sorted, memory.rows, done[piece]..<ends[piece + 1], piece: piece, marks: memory.marks)
        }
      }
      if done.elementsEqual(starts.dropFirst()) { break }
      self.table = table.larger(width: width)
    }
    let marks = memory.marks
    return new.indices.map { Array(UnsafeBufferPointer(start: marks + firsts[$0], count: new[$0].candidates)) }
  }
}

// @unchecked: every piece of work writes places of its own, and the pieces end before the memory is read.
private struct Scratch: @unchecked Sendable {
  /// In source order, then by piece and in source order, with their rows.
  let keys: UnsafeMutablePointer<RowKey>, sorted: UnsafeMutablePointer<RowKey>
  let rows: UnsafeMutablePointer<Int32>
  /// By row.
  let marks: UnsafeMutablePointer<Bool>
  /// By batch and piece.
  let cursors: UnsafeMutablePointer<Int>

  func free() {
    keys.deallocate()
    sorted.deallocate()
    rows.deallocate()
    marks.deallocate()
    cursors.deallocate()
  }
}
