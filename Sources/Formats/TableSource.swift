import Columns
import Diagnostics

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
    /// nil: all columns of the file; as text where the file is text.
    public var columns: [CSVColumn]?
    public var sourceRow: String?
    /// Which members of an archive; nil: its only one.
    public var member: String?
    /// Which sheet of a workbook, by name or by number from 1; nil: its first.
    public var sheet: String?
    /// Columns of which nothing is told stay text in formats that have types of their own, too (JSON Lines, workbooks).
    public var asText = false
    public var limits = UnpackLimits()
    /// Threads at work; nil: one a processor.
    public var width: Int?

    public init() {}
  }

  public static func open(_ path: String, _ options: Options = Options()) throws -> [TablePartition] {
    let glob = Glob(path)
    let files = try glob.files()
    // The part of the pattern before its first folder with a star.
    let fixed = path.split(separator: "/", omittingEmptySubsequences: false).prefix { !Glob(String($0)).isPattern }
      .reduce(0) { $0 + $1.utf8.count + 1 }
    return try files.flatMap { file -> [TablePartition] in
      let base = String(file.split(separator: "/").last ?? "")
      let name = glob.isPattern ? String(decoding: file.utf8.dropFirst(fixed), as: UTF8.self) : base
      return try open(file: file, name: name, key: glob.isPattern ? name : "", options)
    }
  }

  /// One file; `name` is what messages and the quarantine call it.
  public static func open(
    file path: String, name: String, key: String = "", _ options: Options = Options()
  ) throws -> [TablePartition] {
    let head = try FileBytes(path: path, name: name).head(512)
    let kind = options.kind ?? FileKind(head: head, name: name)
    if options.sheet != nil, kind != .spreadsheet, kind != .archive {
      throw Diagnostic(
        "a sheet is named, and the file is no workbook", at: .data(file: name, line: nil, byte: nil, column: nil),
        expected: "a workbook (.xlsx, .xlsm)", found: kind.rawValue)
    }
    switch kind {
    case .csv, .jsonLines:
      // Told to be text, it may still be packed.
      let packed = head.starts(with: [0x1F, 0x8B])
      return [try part(kind, key, name, options) {
        let file = try FileBytes(path: path, name: name)
        return packed ? GzipBytes(file, limits: options.limits) : file
      }]
    case .gzip:
      return [try part(.inGzip(name: name), key, name, options) { GzipBytes(try FileBytes(path: path, name: name), limits: options.limits) }]
    case .archive: return try archive(path, name, key, options)
    case .parquet, .arrow, .spreadsheet: return [try part(kind, key, name, options, file: path)]
    }
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
      let ready = reader
      return TablePartition(key: key, name: name, kind: .jsonLines, schema: reader.schema) { batch, quarantine in
        try ready.read(bytes(), batch: batch, quarantine: quarantine)
      }
    case .parquet, .arrow, .spreadsheet: return try part(kind, key, name, options, spooling: bytes)
    case .gzip, .archive:
      throw Diagnostic(
        "packed data in packed data is not opened", at: .data(file: name, line: nil, byte: nil, column: nil), found: kind.rawValue)
    }
  }

  /// A format that is read here and there, out of an archive or a .gz.
  private static func part(
    _ kind: FileKind, _ key: String, _ name: String, _ options: Options, spooling bytes: () throws -> ByteSource
  ) throws -> TablePartition {
    let spooled = try SpooledFile(bytes())
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
      let selection = try Selection(file.schema, options, name)
      return TablePartition(key: key, name: name, kind: .parquet, schema: selection.schema) { batch, _ in
        var report = selection.report
        try file.read(columns: selection.sources) { try batch(selection.batch($0, &report)) }
        return report
      }
    case .arrow:
      let file = try ArrowFile(path: path, trusted: false, name: name)
      let selection = try Selection(file.schema, options, name)
      return TablePartition(key: key, name: name, kind: .arrow, schema: selection.schema) { batch, _ in
        var report = selection.report
        for at in 0..<file.batchCount where try file.rows(batch: at) > 0 {
          try batch(selection.batch(file.read(batch: at, columns: selection.sources), &report))
        }
        return report
      }
    case .spreadsheet:
      let workbook = try Workbook(path: path, name: name, limits: options.limits)
      let reader = try SheetReader(
        workbook, sheet: options.sheet, columns: options.columns, dialect: options.dialect, sourceRow: options.sourceRow, asText: options.asText)
      return TablePartition(key: key, name: name, kind: .spreadsheet, schema: reader.schema) { batch, quarantine in
        try reader.read(batch: batch, quarantine: quarantine)
      }
    case .csv, .jsonLines, .gzip, .archive: preconditionFailure("a \(kind.rawValue) file was opened as one that is read here and there")
    }
  }

  private static func text(
    _ key: String, _ name: String, _ options: Options, _ bytes: @escaping @Sendable () throws -> ByteSource
  ) throws -> TablePartition {
    var reader = try CSVReader(dialect: options.dialect, columns: options.columns, sourceRow: options.sourceRow)
    reader.width = options.width
    let ready = reader
    return TablePartition(key: key, name: name, kind: .csv, schema: reader.schema) { batch, quarantine in
      try ready.read(bytes(), batch: batch, quarantine: quarantine)
    }
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
  let reading: @Sendable ((Batch) throws -> Void, (Batch) throws -> Void) throws -> CSVReport

  /// Reads from the beginning to the end; may be called again. Both callbacks run on the calling thread.
  @discardableResult public func read(
    batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void = { _ in }
  ) throws -> CSVReport {
    try reading(batch, quarantine)
  }
}

/// The columns wanted of a file that knows its own types.
private struct Selection {
  let sources: [String]
  let schema: Schema
  private let numbered: Bool
  private let ignored: [String]

  init(_ inFile: Schema, _ options: TableSource.Options, _ name: String) throws {
    var sources: [String] = [], fields: [Field] = [], mistakes: [Diagnostic] = []
    let place = { (column: String?) in Place.data(file: name, line: nil, byte: nil, column: column) }
    for column in options.columns ?? inFile.fields.map({ CSVColumn($0.name, $0.type) }) {
      let source: String
      switch column.source {
      case .name(let name): source = name
      case .position(let at): source = at >= 1 && at <= inFile.count ? inFile.fields[at - 1].name : "#\(at)"
      }
      guard let field = inFile[source] else {
        mistakes.append(Diagnostic("the file has no column \"\(source)\"", at: place(nil), hint: hint(forUnknown: source, among: inFile.names)))
        continue
      }
      if sources.contains(source) {
        mistakes.append(Diagnostic("column \"\(source)\" is read twice", at: place(column.name), hint: "derive a copy in clean or feature-engineer"))
      }
      if field.type != column.type {
        mistakes.append(Diagnostic(
          "column \"\(source)\" is of another type", at: place(column.name), expected: "\(column.type)", found: "\(field.type)",
          hint: "say the type the file has; clean can cast it"))
      }
      if column.trim || column.format != nil || !column.nulls.isEmpty || !column.replace.isEmpty {
        mistakes.append(Diagnostic("trim, nulls, format and replace are for text files", at: place(column.name), hint: "clean can do it"))
      }
      sources.append(source)
      fields.append(Field(column.name, column.type))
    }
    if let number = options.sourceRow {
      if fields.contains(where: { $0.name == number }) {
        mistakes.append(Diagnostic("\"\(number)\" is the name of a column and of the source row", at: place(nil)))
      } else {
        fields.append(Field(number, .int64))
      }
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    self.sources = sources
    schema = Schema(fields)
    numbered = options.sourceRow != nil
    ignored = inFile.names.filter { !sources.contains($0) }
  }

  /// Before the first batch.
  var report: CSVReport {
    var report = CSVReport()
    report.ignored = ignored
    report.schema = schema
    return report
  }

  /// A batch of the file under our names, counted and numbered.
  func batch(_ read: Batch, _ report: inout CSVReport) -> Batch {
    var columns = read.columns
    if numbered { columns.append(.full(.int64, (1...read.count).map { Int64(report.rows + $0) })) }
    report.rows += read.count
    report.kept += read.count
    return Batch(schema: schema, columns: columns, count: read.count)
  }
}
