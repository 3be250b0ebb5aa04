import Columns
import Diagnostics
import Formats
import Pipelines
import Synchronization

/// Takes one partition of a table output where it is wanted, with the digests of each column, and of the file where it becomes one,
/// taken on the way.
// @unchecked: mutable state lies in `state`, a mutex; rows come in one order, so appending is one at a time anyway.
final class TableWriter: TableSink, @unchecked Sendable {
  enum Target: Sendable {
    /// An Arrow file, or its bytes where they are few.
    case file(path: String)
    /// A stage that runs at this moment.
    case stream(@Sendable (Batch) throws -> Void)
    /// Nobody reads it.
    case nowhere
  }

  let key: String
  let target: Target
  private let schema: Schema
  private let width: @Sendable () -> Int
  private let progress: @Sendable (Int) throws -> Void
  private let tallies: OutputTallies?

  struct Closed {
    let batchRows: [Int]
    /// Nil of a column that nobody reads.
    let columns: [Digest?]
    /// Of the file.
    let byteCount: Int
    let checksum: Digest
    /// All of the file, which was not made then.
    let bytes: [UInt8]?
  }

  private struct State {
    let file: ArrowFileWriter?
    let seen: SeenBytes
    let digesters: [ColumnDigester?]
    var batchRows: [Int] = []
    var rows = 0
    var closed: Closed?
  }
  private let state: Mutex<State>
  private static let fewRows = 1024

  /// `asked`: the columns that anybody reads; nil: all. A table of so few bytes is `held`, and becomes a file of its own or a part of one when it gets its place.
  init(
    schema: Schema, key: String, target: Target, held: Int = 0, asked: Set<String>? = nil, tallies: OutputTallies? = nil, width: @escaping @Sendable () -> Int,
    progress: @escaping @Sendable (Int) throws -> Void
  ) {
    self.schema = schema
    self.key = key
    self.target = target
    self.width = width
    self.tallies = tallies
    self.progress = progress
    let seen = SeenBytes(held: held)
    let file: ArrowFileWriter? = if case .file(let path) = target {
      ArrowFileWriter(path: path, schema: schema, held: held) { seen.take($0) }
    } else {
      nil
    }
    state = Mutex(State(file: file, seen: seen, digesters: schema.fields.map { field in
      asked.map { $0.contains(field.name) } ?? true ? ColumnDigester(type: field.type) : nil
    }))
  }

  var closed: Closed? { state.withLock { $0.closed } }

  func append(_ batch: Batch) throws {
    precondition(batch.schema == schema, "a batch with columns \(batch.schema.names) was appended to a table of \(schema.names)")
    if batch.count == 0 { return }
    let rows = try state.withLock { state in
      precondition(state.closed == nil, "rows were appended to a table that is closed")
      let work = Work(digesters: state.digesters, file: state.file)
      // One piece writes, one counts for expectations, the others digest a column each.
      let writing = work.file == nil ? 0 : 1, counting = tallies == nil ? 0 : 1, digested = work.digesters.indices.filter { work.digesters[$0] != nil }
      // Threads are woken for batches that take longer than waking does.
      try performConcurrently(digested.count + writing + counting, width: batch.count < Self.fewRows ? 1 : width()) { piece in
        if piece < writing {
          try work.file?.append(batch)
        } else if piece < writing + counting {
          tallies?.add(batch)
        } else {
          let column = digested[piece - writing - counting]
          work.digesters[column]?.update(batch.columns[column])
        }
      }
      state.batchRows.append(batch.count)
      state.rows += batch.count
      return state.rows
    }
    if case .stream(let hand) = target { try hand(batch) }
    try progress(rows)
  }

  func close() throws {
    try state.withLock { state in
      precondition(state.closed == nil, "a table was closed twice")
      let size = try state.file?.finish(durably: false) ?? 0
      state.closed = Closed(
        batchRows: state.batchRows, columns: state.digesters.map { $0?.finish() }, byteCount: state.seen.digest.byteCount,
        checksum: state.seen.digest.finish(), bytes: state.file != nil && size <= state.seen.held ? state.seen.first : nil)
    }
  }

  /// What goes into a file: its digest, and its bytes as long as they come at once.
  private final class SeenBytes {
    let digest = FileDigestStream()
    let held: Int
    private(set) var first: [UInt8] = []

    init(held: Int) { self.held = held }

    func take(_ bytes: UnsafeRawBufferPointer) {
      first = digest.byteCount == 0 && bytes.count <= held ? Array(bytes) : []
      digest.update(bytes)
    }
  }

  /// What the pieces of one batch share.
  // @unchecked: each digester is used by one piece, the file by another.
  private struct Work: @unchecked Sendable {
    let digesters: [ColumnDigester?]
    let file: ArrowFileWriter?
  }
}
