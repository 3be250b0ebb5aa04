import Columns
import Diagnostics
import Formats
import Pipelines
import Synchronization

extension ArtifactStore {
  /// An artifact as a stage gets it. Tables are mapped at the first batch that is read, not before.
  ///
  /// `reads` are the columns that may be asked for; they come in that order, by name. Of a table whose columns are all
  /// read the order is the table's own.
  ///
  /// `folder` holds its files: that of the store, or a temporary one of an artifact that is not kept.
  func open(_ record: ArtifactRecord, type: ArtifactType, reads: Binding.Read.Columns, in folder: String? = nil) throws -> Artifact {
    let folder = folder ?? self.folder(of: record.digest)
    switch record.content {
    case .table(let table):
      let names: [String]
      switch reads {
      case .all: names = table.schema.names
      case .named(let read): names = read
      }
      let schema = table.schema.selecting(names)
      let order = type.table?.order ?? .source
      let places = names.map { table.schema.index(of: $0)! }
      let digest = if case .all = reads { record.digest } else { table.digest(of: places) }
      return .table(TableArtifact(
        type: TableType(schema, order: order, timeUnit: type.table?.timeUnit), partitions: table.partitions.map { partition($0, of: record, schema: schema, in: folder) },
        digest: digest))
    case .document(let file):
      guard let bytes = Disk.contents(folder + "/" + file.name),
        let value = JSONReader.readAll(bytes, file: file.name).document?.value
      else { throw DamagedArtifact(digest: record.digest) }
      return .document(value)
    case .file(let file, let name, let mediaType):
      return .file(FileArtifact(path: folder + "/" + file.name, name: name, mediaType: mediaType, digest: record.digest))
    }
  }

  private func partition(
    _ partition: ArtifactRecord.Partition, of record: ArtifactRecord, schema: Schema, in folder: String
  ) -> Pipelines.TablePartition {
    let file = partition.file.map { LazyArrowFile(path: folder + "/" + $0.name, digest: record.digest) }
    return Pipelines.TablePartition(key: partition.key, batchRows: partition.batchRows) { batch, columns in
      let names = columns ?? schema.names
      for name in names where schema.index(of: name) == nil {
        preconditionFailure("column \"\(name)\" was asked for and is not among \(schema.names); the binding has to name it")
      }
      let rows = partition.batchRows[batch]
      if names.isEmpty { return Batch(schema: Schema([]), columns: [], count: rows) }
      guard let file else { preconditionFailure("rows were asked for that nobody kept") }
      let read = try file.read(batch, columns: names)
      guard read.count == rows, read.schema == schema.selecting(names) else { throw DamagedArtifact(digest: record.digest) }
      return read
    }
  }
}

/// Bytes of the store that are not what was written.
struct DamagedArtifact: Error, CustomStringConvertible {
  let digest: Digest

  var description: String { "artifact \(digest) in the store is damaged" }
}

/// An Arrow file of the store, opened at the first batch.
// @unchecked: `file` lies in a mutex, and an open file may be read by several threads.
private final class LazyArrowFile: @unchecked Sendable {
  private let path: String
  private let digest: Digest
  private let file = Mutex<ArrowFile?>(nil)

  init(path: String, digest: Digest) {
    self.path = path
    self.digest = digest
  }

  func read(_ batch: Int, columns: [String]) throws -> Batch {
    let opened = try file.withLock { file in
      if let file { return file }
      let opened = try ArrowFile(path: path, trusted: true)
      file = opened
      return opened
    }
    return try opened.read(batch: batch, columns: columns)
  }
}
