import Columns
import Diagnostics
import Formats
import Pipelines
import Synchronization

/// Writes one partition of a table output: an Arrow file, with the digests of each column and of the file taken while it is
/// written.
// @unchecked: mutable state lies in `state`, a mutex; rows come in one order, so appending is one at a time anyway.
final class TableWriter: TableSink, @unchecked Sendable {
  let key: String
  let path: String
  private let schema: Schema
  private let width: @Sendable () -> Int
  private let progress: @Sendable (Int) -> Void

  struct Closed {
    let batchRows: [Int]
    let columns: [Digest]
    /// Of the file.
    let byteCount: Int
    let checksum: Digest
  }

  private struct State {
    let file: ArrowFileWriter
    let fileDigest: FileDigestStream
    var digesters: [ColumnDigester]
    var batchRows: [Int] = []
    var rows = 0
    var closed: Closed?
  }
  private let state: Mutex<State>

  init(schema: Schema, key: String, path: String, width: @escaping @Sendable () -> Int, progress: @escaping @Sendable (Int) -> Void) {
    self.schema = schema
    self.key = key
    self.path = path
    self.width = width
    self.progress = progress
    let fileDigest = FileDigestStream()
    let file = ArrowFileWriter(path: path, schema: schema) { fileDigest.update($0) }
    state = Mutex(State(file: file, fileDigest: fileDigest, digesters: schema.fields.map { ColumnDigester(type: $0.type) }))
  }

  var closed: Closed? { state.withLock { $0.closed } }

  func append(_ batch: Batch) throws {
    precondition(batch.schema == schema, "a batch with columns \(batch.schema.names) was appended to a table of \(schema.names)")
    if batch.count == 0 { return }
    let rows = try state.withLock { state in
      precondition(state.closed == nil, "rows were appended to a table that is closed")
      let work = Work(digesters: state.digesters, file: state.file)
      // One piece writes, the others digest a column each.
      try performConcurrently(batch.columns.count + 1, width: width()) { piece in
        if piece == 0 { try work.file.append(batch) } else { work.digesters[piece - 1].update(batch.columns[piece - 1]) }
      }
      state.batchRows.append(batch.count)
      state.rows += batch.count
      return state.rows
    }
    progress(rows)
  }

  func close() throws {
    try state.withLock { state in
      precondition(state.closed == nil, "a table was closed twice")
      try state.file.finish()
      state.closed = Closed(
        batchRows: state.batchRows, columns: state.digesters.map { $0.finish() }, byteCount: state.fileDigest.byteCount,
        checksum: state.fileDigest.finish())
    }
  }

  /// What the pieces of one batch share.
  // @unchecked: each digester is used by one piece, the file by another.
  private struct Work: @unchecked Sendable {
    let digesters: [ColumnDigester]
    let file: ArrowFileWriter
  }
}
