import Columns
import Pipelines

/// What `objects/<digest>/artifact.json` says about an artifact: its type, its files, their sizes and checksums.
public struct ArtifactRecord: Hashable, Sendable {
  /// Raised when the files of an artifact change their meaning; other formats count as missing.
  static let format = 1

  public enum Content: Hashable, Sendable {
    case table(Table)
    case document(StoredFile)
    case file(StoredFile, name: String, mediaType: String)
  }

  /// Identity of the logical content, and the name of the folder.
  public let digest: Digest
  public let content: Content

  public struct Table: Hashable, Sendable {
    public let schema: Schema
    /// Ascending by key.
    public let partitions: [Partition]

    public var rows: Int { partitions.reduce(0) { $0 + $1.rows } }

    /// Of one column over all partitions.
    public func digest(ofColumn at: Int) -> Digest {
      guard let digest = recordedDigest(ofColumn: at) else {
        preconditionFailure("column \"\(schema.fields[at].name)\" was asked for its digest, which was not taken: nobody read it")
      }
      return digest
    }

    /// Nil of a column that nobody read, in a table that was not kept.
    func recordedDigest(ofColumn at: Int) -> Digest? {
      let all = partitions.compactMap { partition in partition.columns[at].map { (key: partition.key, digest: $0) } }
      return all.count == partitions.count ? TableDigest.column(all) : nil
    }

    public func digest(of columns: [Int]) -> Digest {
      TableDigest.table(columns.map { (schema.fields[$0], digest(ofColumn: $0)) })
    }

    /// Of all columns; one that nobody read enters by that.
    fileprivate var digest: Digest {
      let unread = Digest(of: "not read")
      return TableDigest.table(schema.fields.indices.map { (schema.fields[$0], recordedDigest(ofColumn: $0) ?? unread) })
    }
  }

  public struct Partition: Hashable, Sendable {
    public let key: String
    public let batchRows: [Int]
    /// Nil of rows that were not kept.
    public let file: StoredFile?
    /// Digest of each column, in the order of the schema; nil of one that nobody read, in a table that was not kept.
    public let columns: [Digest?]

    public var rows: Int { batchRows.reduce(0, +) }
  }

  /// One file in the artifact's folder.
  public struct StoredFile: Hashable, Sendable {
    public let name: String
    public let bytes: Int
    public let checksum: Digest
  }

  public var files: [StoredFile] {
    switch content {
    case .table(let table): table.partitions.compactMap(\.file)
    case .document(let file), .file(let file, _, _): [file]
    }
  }

  public var table: Table? { if case .table(let table) = content { table } else { nil } }

  /// What stays known of an artifact that is not kept: everything but the files of its rows.
  var withoutRows: ArtifactRecord {
    guard case .table(let table) = content else { return self }
    return ArtifactRecord(table: Table(schema: table.schema, partitions: table.partitions.map {
      Partition(key: $0.key, batchRows: $0.batchRows, file: nil, columns: $0.columns)
    }))
  }

  /// Whether another may be of the same content: as many rows, and equal columns where both were digested.
  func agrees(with other: ArtifactRecord) -> Bool {
    guard let table, let others = other.table else { return digest == other.digest }
    return table.schema == others.schema && table.partitions.map(\.key) == others.partitions.map(\.key)
      && zip(table.partitions, others.partitions).allSatisfy { mine, theirs in
        mine.rows == theirs.rows && zip(mine.columns, theirs.columns).allSatisfy { $0 == nil || $1 == nil || $0 == $1 }
      }
  }

  /// With the digests of columns that another record of the same content has and this one has not.
  func completed(by other: ArtifactRecord) -> ArtifactRecord {
    guard agrees(with: other), let table, let others = other.table else { return self }
    return ArtifactRecord(table: Table(schema: table.schema, partitions: zip(table.partitions, others.partitions).map { mine, theirs in
      Partition(key: mine.key, batchRows: mine.batchRows, file: mine.file, columns: zip(mine.columns, theirs.columns).map { $0 ?? $1 })
    }))
  }

  /// A table of one of its partitions.
  func part(_ at: Int) -> ArtifactRecord {
    guard let table else { preconditionFailure("only tables have partitions") }
    return ArtifactRecord(table: Table(schema: table.schema, partitions: [table.partitions[at]]))
  }

  /// The same rows with the files that `other`, of which they are a part, has for them.
  func files(from other: ArtifactRecord) -> ArtifactRecord {
    guard let table, let whole = other.table else { return self }
    return ArtifactRecord(table: Table(schema: table.schema, partitions: table.partitions.map { part in
      whole.partitions.first { $0.key == part.key } ?? part
    }))
  }

  public var byteCount: Int { files.reduce(0) { $0 + $1.bytes } }

  init(table: Table) {
    content = .table(table)
    digest = table.digest
  }

  init(document file: StoredFile) {
    content = .document(file)
    digest = Self.digest(["document", file.checksum.description])
  }

  // The name is part of the identity: people and later stages see it.
  init(file: StoredFile, name: String, mediaType: String) {
    content = .file(file, name: name, mediaType: mediaType)
    digest = Self.digest(["file", name, mediaType, file.checksum.description])
  }

  private static func digest(_ parts: [String]) -> Digest {
    let stream = DigestStream()
    for part in parts { stream.update(Digest(of: part)) }
    return stream.digest
  }
}

extension ArtifactRecord {
  var json: JSONValue {
    var members: [JSONMember] = [JSONMember("format", .integer(Self.format)), JSONMember("digest", .string(digest.description))]
    switch content {
    case .table(let table):
      members += [
        JSONMember("kind", "table"),
        JSONMember("schema", .array(table.schema.fields.map { ["name": .string($0.name), "type": .string($0.type.description)] })),
        JSONMember("partitions", .array(table.partitions.map { partition in
          .object([
            JSONMember("key", .string(partition.key)), JSONMember("batches", .array(partition.batchRows.map { .integer($0) })),
            partition.file.map { JSONMember("file", $0.json) },
            JSONMember("columns", .array(partition.columns.map { $0.map { .string($0.description) } ?? .null })),
          ].compactMap { $0 })
        })),
      ]
    case .document(let file): members += [JSONMember("kind", "document"), JSONMember("file", file.json)]
    case .file(let file, let name, let mediaType):
      members += [
        JSONMember("kind", "file"), JSONMember("file", file.json), JSONMember("name", .string(name)),
        JSONMember("mediaType", .string(mediaType)),
      ]
    }
    return .object(members)
  }

  /// Nil when the JSON is of another format or does not add up to the digest it names.
  init?(_ json: JSONValue) {
    guard json["format"]?.int == Self.format, let digest = json["digest"]?.string.flatMap({ Digest($0) }) else { return nil }
    switch json["kind"]?.string {
    case "table":
      guard let fields = Self.fields(json["schema"]), let partitions = json["partitions"]?.array?.map(Partition.init),
        partitions.allSatisfy({ $0?.columns.count == fields.count })
      else { return nil }
      self.init(table: Table(schema: Schema(fields), partitions: partitions.compactMap { $0 }))
    case "document":
      guard let file = json["file"].flatMap(StoredFile.init) else { return nil }
      self.init(document: file)
    case "file":
      guard let file = json["file"].flatMap(StoredFile.init), let name = json["name"]?.string, let type = json["mediaType"]?.string else {
        return nil
      }
      self.init(file: file, name: name, mediaType: type)
    default: return nil
    }
    if self.digest != digest { return nil }
  }

  private static func fields(_ json: JSONValue?) -> [Field]? {
    var fields: [Field] = []
    for field in json?.array ?? [] {
      guard let name = field["name"]?.string, let type = field["type"]?.string.flatMap({ ColumnType($0) }),
        !fields.contains(where: { $0.name == name })
      else { return nil }
      fields.append(Field(name, type))
    }
    return json == nil ? nil : fields
  }
}

extension ArtifactRecord.Partition {
  fileprivate init?(_ json: JSONValue) {
    guard let key = json["key"]?.string, let batches = json["batches"]?.array?.map(\.int), let entries = json["columns"]?.array,
      batches.allSatisfy({ $0 != nil })
    else { return nil }
    let columns = entries.map { $0.string.flatMap { Digest($0) } }
    // Null stands for a column without a digest, and no other text does.
    guard zip(entries, columns).allSatisfy({ $0 == .null || $1 != nil }) else { return nil }
    let file = json["file"].flatMap(ArtifactRecord.StoredFile.init)
    if json["file"] != nil, file == nil { return nil }
    self.init(key: key, batchRows: batches.compactMap { $0 }, file: file, columns: columns)
  }
}

extension ArtifactRecord.StoredFile {
  fileprivate var json: JSONValue { ["name": .string(name), "bytes": .integer(bytes), "checksum": .string(checksum.description)] }

  fileprivate init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, !name.contains("/"), let bytes = json["bytes"]?.int,
      let checksum = json["checksum"]?.string.flatMap({ Digest($0) })
    else { return nil }
    self.init(name: name, bytes: bytes, checksum: checksum)
  }
}
