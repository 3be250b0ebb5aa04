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
  let rows = DistinctRows()
  return batches.indices.reduce(into: []) { $0 += rows.add([rows.prepared(batches[$1])], width: width) }
}

/// The rows seen so far, to tell which of those that come repeat one. Batches come in source order, some at a time; how many
/// at a time never changes the answer. Of a row that stays 128 bits are kept, and no batch is.
// @unchecked: `add` is called by one thread at a time, `prepared` uses what guards itself; inside, each piece is touched by one piece of work.
public final class DistinctRows: @unchecked Sendable {
  private let maker = RowKeyMaker()
  private let pieces = (0..<Radix.count).map { _ in DistinctPiece() }
  private let chunks = ChunkMemory()
  private let memory = BatchMemory()

  public init() {}

  /// Of one batch what `add` takes: any thread may ask for it, and the batch is not needed any more.
  public func prepared(_ batch: DistinctBatch) -> DistinctKeys { DistinctKeys(batch, maker, memory) }

  /// For each batch, the candidates in order: true where an equal row came before.
  public func add(_ ready: [DistinctKeys], width: Int) -> [[Bool]] {
    let (pieces, chunks) = (pieces, chunks)
    let firsts = ready.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }, total = firsts[ready.count]
    // Pieces write places of their own, and end before the marks are read.
    nonisolated(unsafe) let marks = UnsafeMutablePointer<Bool>.allocate(capacity: max(total, 1))
    defer { marks.deallocate() }
    marks.initialize(repeating: false, count: total)
    inPieces(Radix.count, width: width) { piece in
      for (at, batch) in ready.enumerated() { pieces[piece].add(batch, piece: piece, marks: marks + firsts[at], in: chunks) }
    }
    return ready.indices.map { Array(UnsafeBufferPointer(start: marks + firsts[$0], count: ready[$0].count)) }
  }
}

/// Row keys of one batch, by the pieces of the table they belong to; within one in row order.
// @unchecked: written in `init` only, before another thread can see it.
public final class DistinctKeys: @unchecked Sendable {
  let count: Int
  private let keys: UnsafeMutablePointer<RowKey>
  /// Which candidate each is of.
  private let candidates: UnsafeMutablePointer<Int32>
  private let starts: [Int]
  private let memory: BatchMemory
  private let block: BatchMemory.Block

  init(_ batch: DistinctBatch, _ maker: RowKeyMaker, _ memory: BatchMemory) {
    count = batch.candidates
    let n = count
    self.memory = memory
    block = memory.take(n * (MemoryLayout<RowKey>.stride + MemoryLayout<Int32>.stride))
    keys = block.base.bindMemory(to: RowKey.self, capacity: n)
    candidates = UnsafeMutableRawPointer(keys + n).bindMemory(to: Int32.self, capacity: n)
    let made = memory.take(n * MemoryLayout<RowKey>.stride), own = made.base.bindMemory(to: RowKey.self, capacity: n)
    defer { memory.give(made) }
    if let rows = batch.rows {
      rows.withUnsafeBufferPointer { maker.fill(own, batch.cells, rows: $0.baseAddress, count: n) }
    } else {
      maker.fill(own, batch.cells, rows: nil, count: n)
    }
    var starts = [Int](repeating: 0, count: Radix.count + 1)
    let (keys, candidates) = (keys, candidates)
    withUnsafeTemporaryAllocation(of: Int.self, capacity: Radix.count) { cursors in
      cursors.initialize(repeating: 0)
      for row in 0..<n { cursors[Radix.piece(of: own[row].high)] &+= 1 }
      var at = 0
      for piece in 0..<Radix.count {
        starts[piece] = at
        at += cursors[piece]
        cursors[piece] = starts[piece]
      }
      starts[Radix.count] = at
      for row in 0..<n {
        let key = own[row], piece = Radix.piece(of: key.high), place = cursors[piece]
        keys[place] = key
        candidates[place] = Int32(truncatingIfNeeded: row)
        cursors[piece] = place &+ 1
      }
    }
    self.starts = starts
  }

  deinit { memory.give(block) }

  subscript(piece: Int) -> (keys: UnsafePointer<RowKey>, candidates: UnsafePointer<Int32>, count: Int) {
    let first = starts[piece]
    return (UnsafePointer(keys + first), UnsafePointer(candidates + first), starts[piece + 1] - first)
  }
}
