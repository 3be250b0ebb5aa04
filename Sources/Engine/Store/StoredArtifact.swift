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
  /// `place` holds its files: that of the store, or a temporary one of an artifact that is not kept. What several read at the same time is opened once for those that
  /// share `opened`.
  func open(
    _ record: ArtifactRecord, type: ArtifactType, reads: Binding.Read.Columns, in place: ArtifactPlace? = nil, sharing opened: OpenedFiles = OpenedFiles()
  ) throws -> Artifact {
    let place = place ?? self.place(of: record.digest)
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
        type: TableType(schema, order: order, timeUnit: type.table?.timeUnit), partitions: table.partitions.map { partition($0, of: record, schema: schema, in: place, opened) },
        digest: digest))
    case .document(let file):
      guard let bytes = place.contents(file.name),
        let value = JSONReader.readAll(bytes, file: file.name).document?.value
      else { throw DamagedArtifact(digest: record.digest) }
      return .document(value)
    case .file(let file, let name, let mediaType):
      // Only tables and documents are packed.
      guard case .folder(let folder) = place else { throw DamagedArtifact(digest: record.digest) }
      return .file(FileArtifact(path: folder + "/" + file.name, name: name, mediaType: mediaType, digest: record.digest))
    }
  }

  private func partition(
    _ partition: ArtifactRecord.Partition, of record: ArtifactRecord, schema: Schema, in place: ArtifactPlace, _ opened: OpenedFiles
  ) -> Pipelines.TablePartition {
    let file = partition.file.map { LazyArrowFile(place: place, name: $0.name, opened) }
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
  private let place: ArtifactPlace
  private let name: String
  private let opened: OpenedFiles
  private let file = Mutex<ArrowFile?>(nil)

  init(place: ArtifactPlace, name: String, _ opened: OpenedFiles) {
    self.place = place
    self.name = name
    self.opened = opened
  }

  func read(_ batch: Int, columns: [String]) throws -> Batch {
    let shared = try file.withLock { file in
      if let file { return file }
      let found = try opened.file(name, in: place)
      file = found
      return found
    }
    return try shared.read(batch: batch, columns: columns)
  }
}

/// Files that somebody reads at this moment: whoever wants to read one of them, too, gets the same.
final class OpenedFiles: Sendable {
  private struct Opened {
    weak var file: ArrowFile?
  }
  private let files = Mutex<[String: Opened]>([:])

  fileprivate func file(_ name: String, in place: ArtifactPlace) throws -> ArrowFile {
    let path = place.path + name
    if let known = files.withLock({ $0[path]?.file }) { return known }
    let file = try place.arrowFile(name)
    files.withLock { $0[path] = Opened(file: file) }
    return file
  }

  /// After something was written again in its old place.
  func forget() { files.withLock { $0 = [:] } }
}
