import Columns
import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Any readable table file, or several by a pattern, as partitions. What a file holds is told by its content.
///
///     for partition in try TableSource.open("sales/2011-*.csv.gz", options) {
///       let report = try partition.read { batch in … } quarantine: { batch in … }
///     }
///
/// One file gives one partition with the key "". A pattern, or an archive of which several members are read, gives a
/// partition a file in ascending order of names (UTF-8 bytes); the key is the name below the pattern's fixed folders,
/// or the name in the archive.
public enum TableSource {
  public struct Options: Sendable {
    /// nil: told by content.
    public var kind: FileKind?
    public var dialect = CSVDialect()
    /// Delimited text is read by this instead of `dialect` (but for its decimal mark and encoding): as well as it goes.
    public var loose: LooseDialect?
    /// What of the dialect is found in each file; what it finds goes before `dialect` and `loose`.
    public var auto: AutoDialect?
    /// nil: all columns of the file; as text where the file is text.
    public var columns: [CSVColumn]?
    public var sourceRow: String?
    /// Which members of an archive; nil: its only one.
    public var member: String?
    /// Which sheet of a workbook, by name or by number from 1; nil: its first.
    public var sheet: String?
    /// What to read of a database; nil: all of its only table.
    public var query: String?
    /// Columns of which nothing is told stay text in formats that have types of their own, too (JSON Lines, workbooks).
    public var asText = false
    public var limits = UnpackLimits()
    /// What a column is that a file does not have.
    public var missing = Missing.refused
    /// Threads at work; nil: one a processor.
    public var width: Int?

    public init() {}

    public enum Missing: Sendable { case refused, null }
  }

  public static func open(_ path: String, _ options: Options = Options()) throws -> [TablePartition] {
    if RemoteAddress.isAddress(path) {
      let address = try RemoteAddress(path)
      return try address.objects().flatMap { try open(object: $0.address, name: $0.name, key: address.isPattern ? $0.name : "", options) }
    }
    if PostgresQuery.isAddress(path) {
      guard options.query != nil else { throw Diagnostic("no query says what to read of the database", expected: "one SELECT") }
      return try open(file: path, name: "query", options)
    }
    let glob = Glob(try folderPattern(path))
    let files = try glob.files()
    // The part of the pattern before its first folder with a star.
    let fixed = glob.pattern.split(separator: "/", omittingEmptySubsequences: false).prefix { !Glob(String($0)).isPattern }
      .reduce(0) { $0 + $1.utf8.count + 1 }
    return try files.flatMap { file -> [TablePartition] in
      let base = String(file.split(separator: "/").last ?? "")
      let name = glob.isPattern ? String(decoding: file.utf8.dropFirst(fixed), as: UTF8.self) : base
      return try open(file: file, name: name, key: glob.isPattern ? name : "", options)
    }
  }

  /// A folder means the files in it.
  private static func folderPattern(_ path: String) throws -> String {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return path }
    return path.hasSuffix("/") ? path + "*" : path + "/*"
  }

  /// One file, or the address of an object; `name` is what messages and the quarantine call it.
  public static func open(
    file path: String, name: String, key: String = "", _ options: Options = Options()
  ) throws -> [TablePartition] {
    if RemoteAddress.isAddress(path) { return try open(object: RemoteAddress(path), name: name, key: key, options) }
    if PostgresQuery.isAddress(path) {
      guard let query = options.query else { preconditionFailure("a database was opened without a query") }
      return [try table(PostgresQuery(url: path, name: name, query: query), key, .database, options)]
    }
    let head = try FileBytes(path: path, name: name).head(512)
    let kind = try kind(head, name, options)
    switch kind {
    case .csv, .jsonLines: return [try stream(kind, head, key, name, options) { try FileBytes(path: path, name: name) }]
    case .gzip: return [try stream(.gzip, head, key, name, options) { try FileBytes(path: path, name: name) }]
    case .archive: return try archive(path, name, key, options)
    case .parquet, .arrow, .spreadsheet, .database: return [try part(kind, key, name, options, file: path)]
    }
  }

  /// What is read from front to end is read as it comes; Parquet, in the ranges that are wanted; all else is fetched first, into
  /// a file without a name.
  private static func open(object address: RemoteAddress, name: String, key: String, _ options: Options) throws -> [TablePartition] {
    let bytes: @Sendable () throws -> RemoteBytes = { RemoteBytes(try RemoteObject(address, name: name)) }
    let head = try bytes().head(512)
    let kind = try kind(head, name, options)
    switch kind {
    case .csv, .jsonLines, .gzip: return [try stream(kind, head, key, name, options, bytes)]
    case .parquet: return [try part(.parquet, key, name, options, file: address.uri)]
    case .arrow, .spreadsheet, .database: return [try part(kind, key, name, options, spooling: bytes)]
    case .archive:
      let spooled = try SpooledFile(bytes())
      return try archive(spooled.path, name, key, options).map { $0.holding(spooled) }
    }
  }

  /// Text, packed or not, read from front to end.
  private static func stream(
    _ kind: FileKind, _ head: [UInt8], _ key: String, _ name: String, _ options: Options, _ bytes: @escaping @Sendable () throws -> ByteSource
  ) throws -> TablePartition {
    // Told to be text, it may still be packed.
    guard kind == .gzip || head.starts(with: [0x1F, 0x8B]) else { return try part(kind, key, name, options, bytes) }
    return try part(kind == .gzip ? .inGzip(name: name) : kind, key, name, options) { GzipBytes(try bytes(), limits: options.limits) }
  }

  private static func kind(_ head: [UInt8], _ name: String, _ options: Options) throws -> FileKind {
    let kind = options.kind ?? FileKind(head: head, name: name)
    if options.sheet != nil, kind != .spreadsheet, kind != .archive {
      throw Diagnostic(
        "a sheet is named, and the file is no workbook", at: .data(file: name, line: nil, byte: nil, column: nil),
        expected: "a workbook (.xlsx, .xlsm)", found: kind.rawValue)
    }
    if options.query != nil, kind != .database, kind != .archive, kind != .gzip {
      throw Diagnostic(
        "a query is given, and the file is no database", at: .data(file: name, line: nil, byte: nil, column: nil),
        expected: "an SQLite database", found: kind.rawValue)
    }
    return kind
  }

  /// The members wanted of an archive, each a partition.
  private static func archive(_ path: String, _ name: String, _ key: String, _ options: Options) throws -> [TablePartition] {
    let archive = try Archive(path: path, name: name, limits: options.limits)
    // A workbook is an archive, too, whatever it is called.
    if options.member == nil, options.kind == nil, archive.members.contains("xl/workbook.xml") {
      return [try part(.spreadsheet, key, name, options, file: path)]
    }
    let members = try options.member.map(archive.members(matching:)) ?? archive.members
    if members.isEmpty {
      throw Diagnostic("the archive holds folders only", at: .data(file: name, line: nil, byte: nil, column: nil), expected: "a file")
    }
    if options.member == nil, members.count > 1 {
      throw Diagnostic(
        "the archive has \(members.count) members", at: .data(file: name, line: nil, byte: nil, column: nil),
        expected: "one, or \"member\" to name some",
        found: members.prefix(8).map { "\"\(escaped($0))\"" }.joined(separator: ", ") + (members.count > 8 ? ", …" : ""))
    }
    return try members.map { member in
      let memberKey = members.count == 1 ? key : key.isEmpty ? member : key + "/" + member
      let bytes: @Sendable () throws -> ByteSource = { try archive.open(member) }
      switch options.kind ?? FileKind(name: member) ?? .csv {
      case .csv: return try part(.csv, memberKey, member, options, bytes)
      case .jsonLines: return try part(.jsonLines, memberKey, member, options, bytes)
      case .gzip: return try part(.inGzip(name: member), memberKey, member, options) { GzipBytes(try bytes(), limits: options.limits) }
      case .archive:
        throw Diagnostic(
          "member \"\(escaped(member))\" is an archive, and archives in archives are not opened",
          at: .data(file: name, line: nil, byte: nil, column: nil), hint: "unpack the outer one first")
      case let kind: return try part(kind, memberKey, member, options, spooling: bytes)
      }
    }
  }

  /// A format that is read from front to end.
  private static func part(
    _ kind: FileKind, _ key: String, _ name: String, _ options: Options, _ bytes: @escaping @Sendable () throws -> ByteSource
  ) throws -> TablePartition {
    switch kind {
    case .csv: return try text(key, name, options, bytes)
    case .jsonLines:
      var reader = try JSONLinesReader(
        columns: options.columns ?? JSONLinesReader.columns(of: bytes(), encoding: options.dialect.encoding, asText: options.asText),
        dialect: options.dialect, sourceRow: options.sourceRow)
      reader.width = options.width
      reader.requiresKeys = options.missing == .refused
      let ready = reader
      return TablePartition(key: key, name: name, kind: .jsonLines, schema: reader.schema) { batch, quarantine in
        try ready.read(bytes(), batch: batch, quarantine: quarantine)
      }
    case .parquet, .arrow, .spreadsheet, .database: return try part(kind, key, name, options, spooling: bytes)
    case .gzip, .archive:
      throw Diagnostic(
        "packed data in packed data is not opened", at: .data(file: name, line: nil, byte: nil, column: nil), found: kind.rawValue)
    }
  }

  /// A format that is read here and there, out of an archive or a .gz.
  private static func part(
    _ kind: FileKind, _ key: String, _ name: String, _ options: Options, spooling bytes: () throws -> ByteSource
  ) throws -> TablePartition {
    // SQLite opens files by their names only.
    let spooled = try SpooledFile(bytes(), isNamed: kind == .database)
    let made = try part(kind, key, name, options, file: spooled.path)
    return TablePartition(key: key, name: name, kind: kind, schema: made.schema) { batch, quarantine in
      try withExtendedLifetime(spooled) { try made.reading(batch, quarantine) }
    }
  }

  /// A format that is read here and there.
  private static func part(_ kind: FileKind, _ key: String, _ name: String, _ options: Options, file path: String) throws -> TablePartition {
    switch kind {
    case .parquet:
      let file = try ParquetFile(path: path, name: name)
      let columns = try ForeignColumns(file.fields, options, name)
      return TablePartition(key: key, name: name, kind: .parquet, schema: columns.schema) { batch, quarantine in
        let reading = ForeignReading(columns)
        var misfits = ImportMisfits()
        let fresh = {
          misfits = ImportMisfits()
          return misfits
        }
        for group in 0..<file.groupCount {
          try file.read(group: group, columns: columns.sources.map(\.name), misfits: fresh) { try reading.add($0, misfits, batch, quarantine) }
        }
        return reading.report
      }
    case .arrow:
      let file = try ArrowFile(path: path, trusted: false, name: name)
      let columns = try ForeignColumns(file.fields, options, name)
      return TablePartition(key: key, name: name, kind: .arrow, schema: columns.schema) { batch, quarantine in
        let reading = ForeignReading(columns)
        for at in 0..<file.batchCount {
          let misfits = ImportMisfits()
          let read = try file.read(batch: at, columns: columns.sources.map(\.name), misfits: misfits)
          if read.count > 0 { try reading.add(read, misfits, batch, quarantine) }
        }
        return reading.report
      }
    case .spreadsheet:
      let workbook = try Workbook(path: path, name: name, limits: options.limits)
      let reader = try SheetReader(
        workbook, sheet: options.sheet, columns: options.columns, dialect: options.dialect, sourceRow: options.sourceRow, asText: options.asText,
        missing: options.missing)
      return TablePartition(key: key, name: name, kind: .spreadsheet, schema: reader.schema) { batch, quarantine in
        try reader.read(batch: batch, quarantine: quarantine)
      }
    case .database:
      return try table(SQLiteQuery(path: path, name: name, query: options.query), key, kind, options)
    case .csv, .jsonLines, .gzip, .archive: preconditionFailure("a \(kind.rawValue) file was opened as one that is read here and there")
    }
  }

  private static func table(_ query: some Query, _ key: String, _ kind: FileKind, _ options: Options) throws -> TablePartition {
    let table = try QueryTable(
      query, columns: options.columns, dialect: options.dialect, sourceRow: options.sourceRow, asText: options.asText, missing: options.missing)
    return TablePartition(key: key, name: query.name, kind: kind, schema: table.schema) { try table.read(batch: $0, quarantine: $1) }
  }

  private static func text(
    _ key: String, _ name: String, _ options: Options, _ bytes: @escaping @Sendable () throws -> ByteSource
  ) throws -> TablePartition {
    if let auto = options.auto {
      let schema = try CSVReader(columns: options.columns, sourceRow: options.sourceRow).schema
      return TablePartition(key: key, name: name, kind: .csv, schema: schema, bytes: bytes) { batch, quarantine in
        let settled = try AutoText(bytes, name, auto, options) { try text(key, name, $0, bytes) }
        var report = try text(key, name, settled.options, bytes).read(batch: batch, quarantine: quarantine)
        report.found = settled.found
        return report
      }
    }
    if let loose = options.loose {
      func reader(_ columns: [CSVColumn]?) throws -> LooseReader {
        var reader = try LooseReader(dialect: loose, like: options.dialect, columns: columns, sourceRow: options.sourceRow)
        reader.width = options.width
        return reader
      }
      let whole = try reader(options.columns)
      let ready = try reader(present(options) { try whole.headerTexts(of: bytes()) })
      return filled(whole.schema, key, name, bytes) { try ready.read(bytes(), batch: $0, quarantine: $1) }
    }
    func reader(_ columns: [CSVColumn]?) throws -> CSVReader {
      var reader = try CSVReader(dialect: options.dialect, columns: columns, sourceRow: options.sourceRow)
      reader.width = options.width
      return reader
    }
    let whole = try reader(options.columns)
    let ready = try reader(present(options) { try CSVReader(dialect: options.dialect).header(of: bytes()) })
    return filled(whole.schema, key, name, bytes) { try ready.read(bytes(), batch: $0, quarantine: $1) }
  }

  /// The columns wanted that a text has; all of them where it must.
  private static func present(_ options: Options, names: () throws -> [String]?) throws -> [CSVColumn]? {
    guard options.missing == .null, let columns = options.columns, let names = try names() else { return options.columns }
    return columns.filter { column in if case .name(let name) = column.source { names.contains(name) } else { true } }
  }

  /// A part of which batches have all columns of `schema`, whichever the text has.
  private static func filled(
    _ schema: Schema?, _ key: String, _ name: String, _ bytes: @escaping @Sendable () throws -> ByteSource,
    _ read: @escaping @Sendable ((Batch) throws -> Void, (Batch) throws -> Void) throws -> CSVReport
  ) -> TablePartition {
    TablePartition(key: key, name: name, kind: .csv, schema: schema, bytes: bytes) { batch, quarantine in
      var report = try read({ try batch($0.filled(to: schema)) }, quarantine)
      report.schema = schema ?? report.schema
      return report
    }
  }
}

extension Batch {
  /// With columns of nulls for those of `schema` that are not there.
  fileprivate func filled(to schema: Schema?) -> Batch {
    guard let schema, schema.count > self.schema.count else { return self }
    return Batch(schema: schema, columns: schema.fields.map { field in
      self.schema.index(of: field.name).map { columns[$0] } ?? .nulls(field.type, count: count)
    }, count: count)
  }
}

/// One partition of a source, not read yet.
public struct TablePartition: Sendable {
  public let key: String
  /// What messages and the quarantine call it.
  public let name: String
  public let kind: FileKind
  /// nil where only reading tells: text of which no columns were named.
  public let schema: Schema?
  /// The unpacked bytes of delimited text; nil for all else.
  public let bytes: (@Sendable () throws -> any ByteSource)?
  let reading: @Sendable ((Batch) throws -> Void, (Batch) throws -> Void) throws -> CSVReport

  init(
    key: String, name: String, kind: FileKind, schema: Schema?, bytes: (@Sendable () throws -> any ByteSource)? = nil,
    reading: @escaping @Sendable ((Batch) throws -> Void, (Batch) throws -> Void) throws -> CSVReport
  ) {
    (self.key, self.name, self.kind, self.schema, self.bytes, self.reading) = (key, name, kind, schema, bytes, reading)
  }

  /// Whose rows lie in a file that goes with this value.
  func holding(_ file: SpooledFile) -> TablePartition {
    var opened: (@Sendable () throws -> any ByteSource)?
    if let bytes { opened = { try withExtendedLifetime(file) { try bytes() } } }
    let reading = reading
    return TablePartition(key: key, name: name, kind: kind, schema: schema, bytes: opened) { batch, quarantine in
      try withExtendedLifetime(file) { try reading(batch, quarantine) }
    }
  }

  /// Reads from the beginning to the end; may be called again. Both callbacks run on the calling thread.
  @discardableResult public func read(
    batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void = { _ in }
  ) throws -> CSVReport {
    try reading(batch, quarantine)
  }
}
