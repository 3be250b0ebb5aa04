import Columns
import Diagnostics
import Synchronization

/// Rows as batches: of a table, or of what relational work makes of one. Batches of a stored table can be had in any order
/// and from any thread; those of one that is arriving come once.
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

  private enum Origin: Sendable {
    /// `partitions` are all keys, of empty partitions too, in order.
    case pieces([Piece], partitions: [String])
    /// With the row-wise work on each batch.
    case arriving(any ArrivingRows, @Sendable (Batch) throws -> Batch)
  }

  public let schema: Schema
  private let origin: Origin
  /// Batches handed over and worked on together: enough to keep all threads busy; more would only be memory.
  private static func wave(_ context: any RunContext) -> Int { max(4, context.width * 2) }

  public init(schema: Schema, pieces: [Piece], partitions: [String]) {
    self.schema = schema
    origin = .pieces(pieces, partitions: partitions)
  }

  private init(schema: Schema, origin: Origin) {
    self.schema = schema
    self.origin = origin
  }

  /// The named columns of a table, in that order (nil: all that may be read).
  public init(_ table: TableArtifact, columns: [String]? = nil) {
    let schema = columns.map(table.schema.selecting) ?? table.schema
    let selecting = { @Sendable (batch: Batch) in batch.schema.names == schema.names ? batch : batch.selecting(schema.names) }
    if let arriving = table.arriving {
      self.init(schema: schema, origin: .arriving(arriving, selecting))
      return
    }
    let pieces = table.partitions.flatMap { partition in
      partition.batchRows.indices.map { at in
        Piece(partition: partition.key) { selecting(try partition.read(at, columns: schema.names)) }
      }
    }
    self.init(schema: schema, pieces: pieces, partitions: table.partitions.map(\.key))
  }

  /// All partition keys, of empty partitions too, in order; of rows that are not arriving.
  public var partitions: [String] {
    guard case .pieces(_, let partitions) = origin else { preconditionFailure("rows that are arriving were asked for their partitions") }
    return partitions
  }

  /// One batch, in one partition.
  public init(_ batch: Batch) {
    self.init(schema: batch.schema, pieces: [Piece(partition: "") { batch }], partitions: [""])
  }

  /// The rows of one stream after those of another, in one partition: which of them a row came from is no partition.
  public init(joining streams: [RowStream]) {
    let pieces = streams.flatMap { stream -> [Piece] in
      guard case .pieces(let pieces, _) = stream.origin else {
        preconditionFailure("streams are put behind each other by their pieces, which an arriving table does not have")
      }
      return pieces.map { Piece(partition: "", read: $0.read) }
    }
    self.init(schema: streams[0].schema, pieces: pieces, partitions: [""])
  }

  /// Row-wise work on each batch.
  public func mapping(_ schema: Schema, _ body: @escaping @Sendable (Batch) throws -> Batch) -> RowStream {
    switch origin {
    case .pieces(let pieces, let partitions):
      RowStream(
        schema: schema, pieces: pieces.map { piece in Piece(partition: piece.partition) { try body(try piece.read()) } },
        partitions: partitions)
    case .arriving(let rows, let before):
      RowStream(schema: schema, origin: .arriving(rows, { try body(try before($0)) }))
    }
  }

  /// Everything in order, some batches at a time: they are read and prepared concurrently, then handed over together.
  /// How many come together never changes what is in them.
  public func forEachWave<T: Sendable>(
    _ context: any RunContext, preparing: @Sendable (Batch) throws -> T, _ body: ([RowStep<T>]) throws -> Void
  ) throws {
    switch origin {
    case .pieces(let pieces, let partitions):
      var todo: [RowStep<Piece>] = []
      var at = 0
      for partition in partitions {
        todo.append(.partition(partition))
        while at < pieces.count, pieces[at].partition == partition {
          todo.append(.batch(pieces[at]))
          at += 1
        }
      }
      precondition(at == pieces.count, "pieces of a table do not stand in the order of its partitions")
      for wave in todo.pieces(of: Self.wave(context)) {
        try context.checkCancellation()
        try body(try Self.prepared(wave, context) { try preparing(try $0.read()) })
      }
    case .arriving(let rows, let work):
      while true {
        try context.checkCancellation()
        let wave = try rows.next(atMost: Self.wave(context))
        if wave.isEmpty { return }
        try body(try Self.prepared(wave, context) { try preparing(try work($0)) })
      }
    }
  }

  private static func prepared<From: Sendable, To: Sendable>(
    _ wave: [RowStep<From>], _ context: any RunContext, _ work: @Sendable (From) throws -> To
  ) throws -> [RowStep<To>] {
    let step = { @Sendable (at: Int) throws -> RowStep<To> in
      switch wave[at] {
      case .partition(let key): .partition(key)
      case .batch(let rows): .batch(try work(rows))
      }
    }
    // To wake a thread for the opening of a partition takes longer than that.
    let batches = wave.reduce(0) { if case .batch = $1 { $0 + 1 } else { $0 } }
    return batches < 2 ? try wave.indices.map(step) : try context.concurrentMap(wave.count, step)
  }

  /// Every batch in order, prepared concurrently, handed over one by one; `opening` is told each partition before its rows.
  public func forEach<T: Sendable>(
    _ context: any RunContext, preparing: @Sendable (Batch) throws -> T, opening: (String) throws -> Void = { _ in },
    _ body: (T) throws -> Void
  ) throws {
    try forEachWave(context, preparing: preparing) { wave in
      for step in wave {
        switch step {
        case .partition(let key): try opening(key)
        case .batch(let rows): try body(rows)
        }
      }
    }
  }

  public func forEach(_ context: any RunContext, _ body: (Batch) throws -> Void) throws {
    try forEach(context, preparing: { $0 }, body)
  }

  /// All rows as one batch.
  public func whole(_ context: any RunContext) throws -> Batch {
    var batches: [Batch] = []
    try forEach(context) { batches.append($0) }
    return Batch.concatenate(batches, schema: schema)
  }

  /// Writes the rows to a table output, a file per partition; gives their count.
  public func write(_ output: String, _ context: any RunContext) throws -> Int {
    var sinks = PartitionedOutput([(output, schema)], context)
    try forEach(context, preparing: { $0 }, opening: { try sinks.open($0) }) { try sinks.append([$0]) }
    try sinks.close()
    return sinks.rows[0]
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
