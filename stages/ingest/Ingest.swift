import Columns
import Diagnostics
import Formats
import Pipelines

/// Files become a typed table; rows that cannot be read go to quarantine with their place and reason.
///
/// Text (csv, tsv, blank-aligned), JSON Lines and workbooks (xlsx, xlsm) state their columns here, so that types never
/// depend on data. Parquet and Arrow bring theirs. All of them may be members of zip, tar and 7z, text and JSON Lines also .gz.
public struct Ingest: Stage {
  public static let contract = Contract(
    "ingest", "read files into a typed table; what cannot be read goes to quarantine",
    inputs: [.file("file", .optional, help: "a file made by another stage, in place of `path`")],
    outputs: [
      .table("table", help: "the rows, in the order of the files"),
      .table("quarantine", help: "file, line, byte, column, text and reason of every row that could not be read"),
    ], version: 1, shares: ["csv": "1", "arrow": "26"])

  enum Missing: String, SettingChoice { case error, null }
  enum Dialect: String, SettingChoice { case told, auto }
  enum ShortRows: String, SettingChoice { case pad, quarantine }
  enum LongRows: String, SettingChoice { case mend, trim, quarantine }

  @Setting("a file, a folder or a pattern such as sales/*.csv.gz: then every file is a partition") var path: PathText?
  @Setting("the columns, by the names they get, each with its type or with more; needed for all but Parquet and Arrow") var columns: Named<IngestColumn> = [:]
  @Setting("told: as the settings below say; auto: what they do not say is found in each file, and the run tells what and why") var dialect = Dialect.told
  @Setting("one character, \"tab\", or \"blank\" for columns that stand under each other; with tolerant up to four; default \",\"") var delimiter: String?
  @Setting("encloses cells that hold delimiters or line ends; empty: nothing does; default a double quote") var quote: String?
  @Setting("makes the next character literal; default and empty: a quote inside quotes is written twice") var escape: String?
  @Setting("whether a row of names stands above the data; default true") var header: Bool?
  @Setting("lines in front of the header that are no part of the table; default 0", in: 0...1000) var preambleRows: Int?
  @Setting("lines that begin with this character are left out; empty: none") var comment = ""
  @Setting("the decimal mark: \".\" or \",\"; default \".\"") var decimal: String?
  @Setting("utf-8, utf-16, utf-32, latin-1 or cp1252; default utf-8") var encoding: String?
  @Setting("text that breaks the rules is read as well as it goes; rows that still do not fit are quarantined") var tolerant = false
  @Setting("with tolerant, rows with too few cells: nulls where they fit, or quarantine") var shortRows = ShortRows.pad
  @Setting("with tolerant, rows with too many cells: mended without loss or else quarantined, cut at the end, or all quarantined") var longRows = LongRows.mend
  @Setting("which members of an archive to read, as a pattern") var member: String?
  @Setting("which sheet of a workbook, by name or by number from 1; default: the first") var sheet: String?
  @Setting("a PostgreSQL database by the name under which the person allowed it: --allow-connection NAME=postgresql://host/database") var connection: String?
  @Setting("what to read of a database: one SELECT, with ORDER BY; default of SQLite: all of its only table") var query: String?
  @Setting("a query for one value that changes when rows of a connection do, such as SELECT max(updated_at) FROM sales; without it every run reads anew")
  var version: String?
  @Setting("texts that mean null in every column, besides the empty cell") var nulls: [String] = []
  @Setting("add an int64 column `source_row` that numbers the rows of each file from 1") var sourceRow = false
  @Setting("what a column is that a file does not have: a mistake, or null in its rows") var missing = Missing.error
  @Setting("fail when more rows than this cannot be read", in: 0...) var maxQuarantine: Int?

  public init() {}

  public var sources: [Source] {
    if let connection { return [Source(.query(connection: connection, version: version), setting: ["connection"])] }
    return path.map { [Source(.files($0.text), setting: ["path"])] } ?? []
  }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    var mistakes: [Diagnostic] = []
    let fromPort = inputs["file"] != nil
    if fromPort, path != nil { mistakes.append(Diagnostic("a file comes in and \"path\" names another", at: .setting(["path"]), hint: "remove one of them")) }
    if !fromPort, path == nil, connection == nil { mistakes.append(Diagnostic("nothing to read", at: .setting([]), hint: "set \"path\", or connect a file with \"from\"")) }
    if connection != nil {
      if fromPort || path != nil { mistakes.append(Diagnostic("a connection is read, or files are", at: .setting(["connection"]), hint: "remove one of them")) }
      if query == nil { mistakes.append(Diagnostic("no query says what to read", at: .setting(["connection"]), hint: "\"query\": \"SELECT … FROM … ORDER BY …\"")) }
      if columns.isEmpty { mistakes.append(columnsMissing) }
    } else if version != nil {
      mistakes.append(Diagnostic("only the rows of a connection have a version", at: .setting(["version"]), hint: "files are known by their bytes"))
    }
    for column in columns {
      if column.value.source != nil, column.value.position != nil {
        mistakes.append(Diagnostic("a column has a name or a position in the file, not both", at: .setting(["columns", .key(column.name)])))
      }
      if header == false, column.value.position == nil, column.value.source != nil {
        mistakes.append(Diagnostic(
          "a file without a header has no names", at: .setting(["columns", .key(column.name), "source"]), hint: "give its \"position\""))
      }
    }
    let options: TableSource.Options?
    do throws(Mistakes) { options = try self.options(width: nil) } catch {
      mistakes += error.all
      options = nil
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return Binding(
      outputs: [
        .init("table", try tableType(context, options!, fromPort: fromPort)), .init("quarantine", .table(TableType(Quarantine.schema))),
      ],
      reads: fromPort ? [.init("file", .all)] : [], work: fromPort ? .whole(because: nil) : .eachPartition,
      // Windows of text and their batches, whatever the file's size.
      memory: 256 << 20)
  }

  /// Text: as the settings say. Parquet and Arrow: as the footer says, which `check` does not read.
  private func tableType(_ context: BindContext, _ options: TableSource.Options, fromPort: Bool) throws(Mistakes) -> ArtifactType {
    if !columns.isEmpty {
      if query != nil { try checkQuery(context, options) }
      return .table(TableType(schema))
    }
    if fromPort { throw Mistakes(Diagnostic("the columns are not said", at: .setting(["columns"]), hint: "a file from another stage needs \"columns\"")) }
    guard let file = context.files?.first?.first else {
      if let name = path?.text, FileKind(name: name) == .parquet || FileKind(name: name) == .arrow { return .open }
      throw Mistakes(columnsMissing)
    }
    do {
      guard let part = try TableSource.open(file: file.path, name: file.name, options).first, let schema = part.schema,
        part.kind == .parquet || part.kind == .arrow
      else { throw Mistakes(columnsMissing) }
      return .table(TableType(schema))
    } catch let mistakes as Mistakes { throw mistakes } catch let mistake as Diagnostic { throw Mistakes(mistake) } catch {
      throw Mistakes(Diagnostic("\(error)", at: .setting(["path"])))
    }
  }

  /// A query is put before the database as soon as files may be opened: its mistakes are told with the document's.
  private func checkQuery(_ context: BindContext, _ options: TableSource.Options) throws(Mistakes) {
    do { for file in context.files?.first ?? [] { _ = try TableSource.open(file: file.path, name: file.name, options) } } catch let mistakes as Mistakes {
      throw mistakes
    } catch { throw Mistakes(error as? Diagnostic ?? Diagnostic("\(error)", at: .setting(["query"]))) }
  }

  private var columnsMissing: Diagnostic {
    Diagnostic("the columns of the file are not said", at: .setting(["columns"]), hint: "say each one's name and type under \"columns\"")
  }

  private var schema: Schema {
    Schema(columns.map { Field($0.name, $0.value.type.type) } + (sourceRow ? [Field("source_row", .int64)] : []))
  }

  private func options(width: Int?) throws(Mistakes) -> TableSource.Options {
    var options = TableSource.Options()
    var mistakes: [Diagnostic] = []
    setText(&options, &mistakes)
    options.columns = columns.isEmpty ? nil : columns.enumerated().map { at, column in
      var made = column.value.csvColumn(column.name)
      made.nulls += nulls
      if header == false, column.value.position == nil { made.source = .position(at + 1) }
      return made
    }
    options.member = member
    options.sheet = sheet
    options.query = query
    options.missing = missing == .null ? .null : .refused
    options.sourceRow = sourceRow ? "source_row" : nil
    options.width = width
    if !columns.isEmpty {
      do throws(Mistakes) { _ = try CSVReader(dialect: options.dialect, columns: options.columns, sourceRow: options.sourceRow) } catch { mistakes += error.all }
    } else {
      mistakes += options.dialect.mistakes
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return options
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let options = try options(width: context.width)
    var files: [SourceFile] = []
    if case .file(let file)? = inputs["file"] { files = [SourceFile(name: file.name, path: file.path)] } else { files = context.files(ofSource: 0) }
    let several = files.count > 1 || context.part != nil
    let quarantine = try context.openTable("quarantine", schema: Quarantine.schema)
    var tally = IngestTally()
    var opened = 0
    for entry in try inOrder(files, several: several, options) {
      for part in try entry.open() {
        let wanted = columns.isEmpty ? part.schema ?? Schema([]) : schema
        let sink = try context.openTable("table", schema: wanted, partition: part.key)
        opened += 1
        let report = try part.read { batch in
          for start in stride(from: 0, to: batch.count, by: Self.batchRows) {
            try context.checkCancellation()
            try sink.append(batch.slice(start..<min(batch.count, start + Self.batchRows)))
          }
        } quarantine: { try quarantine.append($0) }
        try sink.close()
        tally.add(report, file: part.name)
        if let most = maxQuarantine, tally.quarantined > most { throw tooMany(tally, most) }
      }
    }
    if opened == 0 { try context.openTable("table", schema: schema).close() }
    try quarantine.close()
    if !tally.ignored.isEmpty {
      context.warn(Diagnostic(
        "\(tally.ignored.count) columns of the source are not ingested: \(tally.ignored.joined(separator: ", "))", severity: .warning))
    }
    return tally.metrics
  }

  /// The rows that one file may have too many of are counted over all.
  public func combined(_ parts: [JSONValue]) throws -> JSONValue {
    let all = IngestTally.sum(of: parts)
    if let most = maxQuarantine, let quarantined = all["quarantined"]?.int, quarantined > most {
      var tally = IngestTally()
      tally.rows = all["rows"]?.int ?? 0
      tally.quarantined = quarantined
      tally.reasons = QuarantineReason.allCases.compactMap { reason in all["reasons"]?[reason.rawValue]?.int.map { (reason, $0) } }
      throw tooMany(tally, most)
    }
    return all
  }

  /// A window of text gives one large batch: stages behind this one share out batches among threads, so they get more of them.
  private static let batchRows = 65_536

  /// Partitions in the order of their keys: the members of an archive among the files have keys of their own.
  private func inOrder(
    _ files: [SourceFile], several: Bool, _ options: TableSource.Options
  ) throws -> [(key: String, open: () throws -> [Formats.TablePartition])] {
    let all = try files.flatMap { file -> [(key: String, open: () throws -> [Formats.TablePartition])] in
      let open = { try TableSource.open(file: file.path, name: file.name, key: several ? file.name : "", options) }
      let parts = try open()
      // Of many files no more than one is open at a time.
      if several, parts.count == 1 { return [(parts[0].key, open)] }
      return parts.map { part in (part.key, { [part] }) }
    }
    return all.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  private func tooMany(_ tally: IngestTally, _ most: Int) -> Diagnostic {
    Diagnostic(
      "\(tally.quarantined) of \(tally.rows) rows cannot be read", at: .setting(["maxQuarantine"]), expected: "at most \(most)",
      found: tally.reasons.map { "\($0.rows) × \($0.reason.rawValue)" }.joined(separator: ", "),
      hint: "raise maxQuarantine and look at the quarantine output, or mend the source")
  }
}
