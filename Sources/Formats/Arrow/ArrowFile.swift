import CArrowBridge
import Columns
import Diagnostics

/// An Arrow IPC file, mapped: columns point into the mapping, which lives as long as one of them.
// @unchecked: the reader behind the pointer may be called from several threads (CArrowBridge.h), and never changes.
public final class ArrowFile: @unchecked Sendable {
  public let name: String
  public let batchCount: Int
  private let reader: OpaquePointer
  private let foreign: ForeignSchema
  private let trusted: Bool

  /// `trusted`: written by us and checked since; any other file is validated value by value when it is read.
  public init(path: String, trusted: Bool, name: String? = nil) throws {
    self.name = name ?? path
    self.trusted = trusted
    _ = try FileBytes(path: path, name: name)  // a folder or a pipe is said in our words
    var opened: OpaquePointer?, exported = ArrowSchema(), batches: Int64 = 0
    try arrow(self.name) { $0.pointee.ipc_reader_open(path, nil, 0, trusted ? 0 : 1, &opened, &exported, &batches, $1, $2) }
    reader = opened!
    batchCount = Int(batches)
    do { foreign = try ForeignSchema(exported, file: self.name) } catch {
      try ArrowLibrary.table().pointee.ipc_reader_close(opened!)
      throw error
    }
  }

  /// Of the bytes of a file of ours, which are copied; `name` is for messages.
  public init(bytes: [UInt8], name: String) throws {
    self.name = name
    trusted = true
    var opened: OpaquePointer?, exported = ArrowSchema(), batches: Int64 = 0
    try bytes.withUnsafeBytes { bytes in
      try arrow(name) { $0.pointee.ipc_reader_open(name, bytes.baseAddress, Int64(bytes.count), 0, &opened, &exported, &batches, $1, $2) }
    }
    reader = opened!
    batchCount = Int(batches)
    do { foreign = try ForeignSchema(exported, file: name) } catch {
      try ArrowLibrary.table().pointee.ipc_reader_close(opened!)
      throw error
    }
  }

  deinit { if let table = try? ArrowLibrary.table() { table.pointee.ipc_reader_close(reader) } }

  /// The columns whose types we have.
  public var schema: Schema { foreign.schema }
  var fields: [ForeignSchema.Field] { foreign.fields }

  public func rows(batch: Int) throws -> Int {
    var rows: Int64 = 0
    try arrow(name) { $0.pointee.ipc_reader_rows(reader, Int64(batch), &rows, $1, $2) }
    return Int(rows)
  }

  public func rowCount() throws -> Int { try (0..<batchCount).reduce(0) { try $0 + rows(batch: $1) } }

  /// One batch with the columns named, in that order; nil: all. Nothing is copied where the layout is ours.
  /// `misfits` takes cells that our types cannot hold; without it they are mistakes.
  public func read(batch: Int, columns: [String]? = nil, misfits: ImportMisfits? = nil) throws -> Batch {
    let positions = foreign.positions(columns)
    if positions.isEmpty { return Batch(schema: Schema([]), columns: [], count: try rows(batch: batch)) }
    var array = ArrowArray()
    try arrow(name) { $0.pointee.ipc_reader_batch(reader, Int64(batch), positions, Int32(positions.count), &array, $1, $2) }
    return try foreign.batch(array, positions, file: name, trusted: trusted, misfits: misfits)
  }
}
