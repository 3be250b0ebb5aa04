import Columns
import Diagnostics
import Synchronization

/// Rows as batches that can be had in any order and from any thread: a table, or what relational work makes of one.
public struct RowStream: Sendable {
  public struct Piece: Sendable {
    /// The partition that the rows belong to.
    public let partition: String
    public let read: @Sendable () throws -> Batch

    public init(partition: String, read: @escaping @Sendable () throws -> Batch) {
      self.partition = partition
      self.read = read
    }
  }

  public let schema: Schema
  public let pieces: [Piece]
  /// All partition keys, of empty partitions too, in order.
  public let partitions: [String]

  public init(schema: Schema, pieces: [Piece], partitions: [String]) {
    self.schema = schema
    self.pieces = pieces
    self.partitions = partitions
  }

  /// The named columns of a table, in that order (nil: all that may be read).
  public init(_ table: TableArtifact, columns: [String]? = nil) {
    let schema = columns.map(table.schema.selecting) ?? table.schema
    self.schema = schema
    partitions = table.partitions.map(\.key)
    pieces = table.partitions.flatMap { partition in
      partition.batchRows.indices.map { at in
        Piece(partition: partition.key) {
          let batch = try partition.read(at, columns: schema.names)
          return batch.schema.names == schema.names ? batch : batch.selecting(schema.names)
        }
      }
    }
  }

  /// One batch, in one partition.
  public init(_ batch: Batch) {
    self.init(schema: batch.schema, pieces: [Piece(partition: "") { batch }], partitions: [""])
  }

  /// Row-wise work on each batch.
  public func mapping(_ schema: Schema, _ body: @escaping @Sendable (Batch) throws -> Batch) -> RowStream {
    RowStream(
      schema: schema, pieces: pieces.map { piece in Piece(partition: piece.partition) { try body(try piece.read()) } },
      partitions: partitions)
  }

  /// Every batch in order. Waves of a fixed size are read and prepared concurrently, then handed over one by one.
  public func forEach<T: Sendable>(
    _ context: any RunContext, preparing: @Sendable (Batch) throws -> T, _ body: (Piece, T) throws -> Void
  ) throws {
    for wave in pieces.indices.pieces(of: 16) {
      try context.checkCancellation()
      let ready = try context.concurrentMap(wave.count) { try preparing(try pieces[wave[$0]].read()) }
      for (at, value) in zip(wave, ready) { try body(pieces[at], value) }
    }
  }

  public func forEach(_ context: any RunContext, _ body: (Piece, Batch) throws -> Void) throws {
    try forEach(context, preparing: { $0 }, body)
  }

  /// All rows as one batch.
  public func whole(_ context: any RunContext) throws -> Batch {
    var batches: [Batch] = []
    try forEach(context) { batches.append($1) }
    return Batch.concatenate(batches, schema: schema)
  }

  /// Writes the rows to a table output, a file per partition; gives their count.
  public func write(_ output: String, _ context: any RunContext) throws -> Int {
    var rows = 0, at = 0
    for partition in partitions {
      let sink = try context.openTable(output, schema: schema, partition: partition)
      var end = at
      while end < pieces.count, pieces[end].partition == partition { end += 1 }
      let part = RowStream(schema: schema, pieces: Array(pieces[at..<end]), partitions: [partition])
      try part.forEach(context) { _, batch in
        rows += batch.count
        try sink.append(batch)
      }
      at = end
      try sink.close()
    }
    return rows
  }
}

extension RunContext {
  /// `work(0)…work(count − 1)` on at most `width` threads, the results in order.
  public func concurrentMap<T: Sendable>(_ count: Int, _ work: @Sendable (Int) throws -> T) throws -> [T] {
    let results = Results<T>(count)
    try concurrently(count) { results.set($0, try work($0)) }
    return results.all
  }
}

/// One result of each piece of work.
private final class Results<T: Sendable>: Sendable {
  private let values: Mutex<[T?]>

  init(_ count: Int) { values = Mutex(Array(repeating: nil, count: count)) }

  func set(_ at: Int, _ value: T) { values.withLock { $0[at] = value } }

  var all: [T] {
    values.withLock { values in
      values.map { value in
        guard let value else { preconditionFailure("a piece of work ended without a result") }
        return value
      }
    }
  }
}

extension RandomAccessCollection where Index == Int {
  /// Neighbouring elements, so many at a time.
  public func pieces(of size: Int) -> [[Element]] {
    stride(from: startIndex, to: endIndex, by: size).map { Array(self[$0..<Swift.min($0 + size, endIndex)]) }
  }
}
