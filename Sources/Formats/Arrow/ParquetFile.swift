import CArrowBridge
import Columns
import Diagnostics

/// A Parquet file: its schema without reading rows, its rows by row group.
// @unchecked: the reader behind the pointer may be called from several threads (CArrowBridge.h), and never changes.
public final class ParquetFile: @unchecked Sendable {
  public let name: String
  public let groupCount: Int
  public let rowCount: Int
  private let reader: OpaquePointer
  private let foreign: ForeignSchema

  public init(path: String, name: String? = nil) throws {
    self.name = name ?? path
    if !RemoteAddress.isAddress(path) { _ = try FileBytes(path: path, name: name) }  // a folder or a pipe is said in our words
    var opened: OpaquePointer?, exported = ArrowSchema(), groups: Int64 = 0, rows: Int64 = 0
    try arrow(self.name) { $0.pointee.parquet_reader_open(path, &opened, &exported, &groups, &rows, $1, $2) }
    reader = opened!
    groupCount = Int(groups)
    rowCount = Int(rows)
    do { foreign = try ForeignSchema(exported, file: self.name) } catch {
      try ArrowLibrary.table().pointee.parquet_reader_close(opened!)
      throw error
    }
  }

  deinit { if let table = try? ArrowLibrary.table() { table.pointee.parquet_reader_close(reader) } }

  /// The columns whose types we have.
  public var schema: Schema { foreign.schema }
  var fields: [ForeignSchema.Field] { foreign.fields }

  public func rows(group: Int) throws -> Int {
    var rows: Int64 = 0
    try arrow(name) { $0.pointee.parquet_reader_rows(reader, Int64(group), &rows, $1, $2) }
    return Int(rows)
  }

  /// The batches of one row group, with the columns named in that order; nil: all.
  /// `misfits` is called before each batch for the place of cells that our types cannot hold; nil: they are mistakes.
  public func read(
    group: Int, columns: [String]? = nil, misfits: (() -> ImportMisfits)? = nil, batch: (Batch) throws -> Void
  ) throws {
    // The bridge gives columns in the file's order.
    let positions = foreign.positions(columns).sorted()
    if positions.isEmpty { return try batch(Batch(schema: Schema([]), columns: [], count: rows(group: group))) }
    var stream = ArrowArrayStream()
    try arrow(name) {
      $0.pointee.parquet_reader_group(reader, Int64(group), positions, Int32(positions.count), 1 << 18, &stream, $1, $2)
    }
    defer { stream.release?(&stream) }
    var exported = ArrowSchema()
    try check(stream.get_schema(&stream, &exported), &stream)
    let inFile = try ForeignSchema(exported, file: name)
    let all = (0..<Int32(positions.count)).map { $0 }
    while true {
      var array = ArrowArray()
      try check(stream.get_next(&stream, &array), &stream)
      if array.release == nil { return }
      let read = try inFile.batch(array, all, file: name, trusted: false, misfits: misfits?())
      if read.count > 0 { try batch(columns.map(read.selecting) ?? read) }
    }
  }

  /// All row groups.
  public func read(columns: [String]? = nil, batch: (Batch) throws -> Void) throws {
    for group in 0..<groupCount { try read(group: group, columns: columns, batch: batch) }
  }

  private func check(_ code: Int32, _ stream: inout ArrowArrayStream) throws {
    guard code != 0 else { return }
    let words = stream.get_last_error(&stream).map { String(cString: $0) } ?? "error \(code)"
    throw Diagnostic(words, at: .data(file: name, line: nil, byte: nil, column: nil))
  }
}

/// Writes batches as one Parquet file.
// @unchecked: one thread writes it.
public final class ParquetFileWriter: @unchecked Sendable {
  public let path: String
  public let schema: Schema
  private var writer: OpaquePointer?

  /// `compression`: snappy, zstd, gzip, lz4, brotli or none.
  public init(path: String, schema: Schema, compression: String = "zstd") throws {
    self.path = path
    self.schema = schema
    var exported = schema.exportSchema(dictionaries: schema.fields.map { _ in false })
    var opened: OpaquePointer?
    try arrow(path) { $0.pointee.parquet_writer_open(path, &exported, compression, 0, &opened, $1, $2) }
    writer = opened
  }

  deinit { if let writer, let table = try? ArrowLibrary.table() { table.pointee.parquet_writer_abort(writer) } }

  public func append(_ batch: Batch) throws {
    precondition(batch.schema == schema, "a batch was appended to a file of another schema")
    guard let writer else { preconditionFailure("a batch was appended to a finished file") }
    var array = Batch(schema: schema, columns: batch.columns.map { $0.decoded() }, count: batch.count).exportArray()
    try arrow(path) { $0.pointee.parquet_writer_append(writer, &array, $1, $2) }
  }

  /// Footer, flush to the disk, close. Returns the size in bytes.
  @discardableResult public func finish() throws -> Int {
    guard let done = writer else { preconditionFailure("a Parquet file was finished twice") }
    writer = nil
    var bytes: Int64 = 0
    try arrow(path) { $0.pointee.parquet_writer_close(done, &bytes, $1, $2) }
    return Int(bytes)
  }
}
