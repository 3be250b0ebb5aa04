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
    let keys = UnsafeMutablePointer<RowKey>.allocate(capacity: total), marks = UnsafeMutablePointer<Bool>.allocate(capacity: total)
    defer {
      keys.deallocate()
      marks.deallocate()
    }
    let shared = SharedRows(keys: keys, marks: marks), maker = maker
    inPieces(new.count, width: width) { at in
      let batch = new[at], own = shared.keys + firsts[at]
      if let rows = batch.rows {
        rows.withUnsafeBufferPointer { maker.fill(own, batch.cells, rows: $0.baseAddress, count: $0.count) }
      } else {
        maker.fill(own, batch.cells, rows: nil, count: batch.count)
      }
    }
    let lanes = max(1, min(width, DistinctTable.mostLanes))
    var done = [Int](repeating: 0, count: lanes)
    while true {
      let table = table
      done.withUnsafeMutableBufferPointer { done in
        // Each lane writes its own place.
        nonisolated(unsafe) let done = done
        inPieces(lanes, width: width) { lane in
          done[lane] = table.add(UnsafePointer(shared.keys), from: done[lane], count: total, lane: lane, of: lanes, marks: shared.marks)
        }
      }
      if done.allSatisfy({ $0 == total }) { break }
      self.table = table.larger(width: width)
    }
    return new.indices.map { Array(UnsafeBufferPointer(start: marks + firsts[$0], count: new[$0].candidates)) }
  }
}

// @unchecked: every piece of work writes places of its own, and the pieces end before the memory is read.
private struct SharedRows: @unchecked Sendable {
  let keys: UnsafeMutablePointer<RowKey>
  let marks: UnsafeMutablePointer<Bool>
}
