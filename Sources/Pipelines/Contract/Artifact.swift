import Columns

/// What a port carried, at run time.
public enum Artifact: Sendable {
  case table(TableArtifact)
  case document(JSONValue)
  case file(FileArtifact)
}

/// A table: an ordered list of partitions, read a batch at a time. Only the columns that the binding named can be read.
///
/// An input that the binding reads `.once` may still be arriving: then it has no partitions and no count of rows yet, and
/// `RowStream` or `forEachBatch` read it a single time.
public struct TableArtifact: Sendable {
  public let type: TableType
  /// Identity of the content; nil while it is arriving.
  public let digest: Digest?
  /// The rows of a table that another stage makes at this moment.
  public let arriving: (any ArrivingRows)?
  private let stored: [TablePartition]

  public init(type: TableType, partitions: [TablePartition], digest: Digest) {
    self.type = type
    self.digest = digest
    arriving = nil
    stored = partitions
  }

  public init(type: TableType, arriving: any ArrivingRows) {
    self.type = type
    digest = nil
    self.arriving = arriving
    stored = []
  }

  public var schema: Schema { type.schema }
  public var rows: Int { partitions.reduce(0) { $0 + $1.rows } }

  public var partitions: [TablePartition] {
    precondition(arriving == nil, "a table that is read once, while it arrives, was asked for its partitions")
    return stored
  }

  /// Every batch in order, with the columns named (nil: all that may be read).
  public func forEachBatch(_ columns: [String]? = nil, _ body: (Batch) throws -> Void) throws {
    if let arriving {
      while true {
        let steps = try arriving.next(atMost: 1)
        if steps.isEmpty { return }
        for case .batch(let batch) in steps { try body(columns.map(batch.selecting) ?? batch) }
      }
    }
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
