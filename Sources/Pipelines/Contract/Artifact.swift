import Columns

/// What a port carried, at run time.
public enum Artifact: Sendable {
  case table(TableArtifact)
  case document(JSONValue)
  case file(FileArtifact)
}

/// A table: an ordered list of partitions, read a batch at a time. Only the columns that the binding named can be read.
public struct TableArtifact: Sendable {
  public let type: TableType
  public let partitions: [TablePartition]
  public let digest: Digest

  public init(type: TableType, partitions: [TablePartition], digest: Digest) {
    self.type = type
    self.partitions = partitions
    self.digest = digest
  }

  public var schema: Schema { type.schema }
  public var rows: Int { partitions.reduce(0) { $0 + $1.rows } }

  /// Every batch in order, with the columns named (nil: all that may be read).
  public func forEachBatch(_ columns: [String]? = nil, _ body: (Batch) throws -> Void) throws {
    for partition in partitions {
      for at in 0..<partition.batchRows.count { try body(try partition.read(at, columns: columns)) }
    }
  }

  /// All rows as one batch: for tables of customers, not of transactions.
  public func wholeBatch(_ columns: [String]? = nil) throws -> Batch {
    var batches: [Batch] = []
    try forEachBatch(columns) { batches.append($0) }
    return Batch.concatenate(batches, schema: columns.map(schema.selecting) ?? batches.first?.schema ?? schema)
  }
}

/// One Arrow file of a table.
public struct TablePartition: Sendable {
  /// The source file's name, or "".
  public let key: String
  /// Rows of each batch.
  public let batchRows: [Int]
  private let reader: @Sendable (Int, [String]?) throws -> Batch

  public init(key: String, batchRows: [Int], reader: @escaping @Sendable (Int, [String]?) throws -> Batch) {
    self.key = key
    self.batchRows = batchRows
    self.reader = reader
  }

  public var rows: Int { batchRows.reduce(0, +) }

  /// One batch, mapped: may be called from several threads; the batch keeps its memory alive.
  public func read(_ batch: Int, columns: [String]? = nil) throws -> Batch { try reader(batch, columns) }
}

/// Any bytes, with a media type and the name under which people get it.
public struct FileArtifact: Hashable, Sendable {
  public let path: String
  public let name: String
  public let mediaType: String
  public let digest: Digest

  public init(path: String, name: String, mediaType: String, digest: Digest) {
    self.path = path
    self.name = name
    self.mediaType = mediaType
    self.digest = digest
  }
}
