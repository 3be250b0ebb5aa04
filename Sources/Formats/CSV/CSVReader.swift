import Columns
import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads delimited text into typed batches, in parallel, and keeps what it cannot read.
///
///     let reader = try CSVReader(columns: [CSVColumn("quantity", from: .name("Quantity"), .int32)])
///     let report = try reader.read(FileBytes(path: "sales.csv")) { batch in … } quarantine: { batch in … }
///
/// Rows come in the order of the file; cells, batches and dictionaries are the same whatever the width and however the
/// source cuts its pieces. An empty file is a mistake where a header is expected, and no rows otherwise; a header
/// alone gives no rows.
public struct CSVReader: Sendable {
  public let dialect: CSVDialect
  /// nil: every column of the file, as text.
  public let columns: [CSVColumn]?
  /// Name of an int64 column that numbers the file's rows from 1, bad ones counted, blank lines not.
  public let sourceRow: String?
  /// Threads at work; nil: one a processor.
  public var width: Int?
  /// Text that is in memory at once (and as much read ahead), and the part of it that one thread takes at once. 256 KiB
  /// and their cells stay in a second-level cache, windows of 4 MiB in a third-level one: 16 MiB cost a fifth more.
  var windowBytes = 4 << 20
  var unitBytes = 256 << 10
  /// Text that is gathered before the header is looked for, in windows that are smaller (only tests have them).
  var headerBytes = 1 << 16
  /// Windows whose rows make one batch.
  var batchWindows = 1

  /// Throws all that is wrong with dialect and columns.
  public init(dialect: CSVDialect = CSVDialect(), columns: [CSVColumn]? = nil, sourceRow: String? = nil) throws(Mistakes) {
    var mistakes = dialect.mistakes
    var seen: Set<String> = []
    for column in columns ?? [] {
      _ = ColumnPlan(column, &mistakes)
      if !seen.insert(column.name).inserted {
        mistakes.append(Diagnostic("two columns are named \"\(column.name)\"", at: .setting(["columns"])))
      }
    }
    if let sourceRow, seen.contains(sourceRow) {
      mistakes.append(Diagnostic("\"\(sourceRow)\" is the name of a column and of the source row", at: .setting(["sourceRow"])))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    self.dialect = dialect
    self.columns = columns
    self.sourceRow = sourceRow
  }

  /// What the batches will look like; nil where the file decides.
  public var schema: Schema? {
    columns.map { Schema($0.map { Field($0.name, $0.type) } + (sourceRow.map { [Field($0, .int64)] } ?? [])) }
  }

  /// Reads a source to its end. Both callbacks run on the calling thread; batches are never empty.
  @discardableResult public func read(
    _ source: ByteSource, batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void = { _ in }
  ) throws -> CSVReport {
    try CSVRun(self, source).run(batch, quarantine)
  }

  /// The names in a file's header, as they stand there; positions where there is none.
  public func header(of source: ByteSource) throws -> [String] {
    let run = try CSVRun(self, source)
    guard try run.start(asText: true), let layout = run.layout else { return [] }
    return layout.plans.map(\.column.name)
  }

  /// The header's cells as they stand there, empty and repeated ones too; nil without a header.
  public func headerTexts(of source: ByteSource) throws -> [String]? {
    let run = try CSVRun(self, source)
    _ = try run.start(asText: true)
    return run.names
  }

  var threads: Int { max(1, width ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
