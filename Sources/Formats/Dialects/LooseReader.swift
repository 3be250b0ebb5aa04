import Columns
import Diagnostics

/// Reads delimited text that may break the rules into typed batches. kept + quarantined = rows, as for text that keeps them.
///
/// Cells are decoded by `CSVReader`; this puts every row right first. Quarantined rows are told by their place in the file,
/// and their text is what was made of them.
public struct LooseReader: Sendable {
  public let dialect: LooseDialect
  private let encoding: TextEncoding
  private let inner: CSVDialect
  private let columns: [CSVColumn]?
  private let sourceRow: String?
  /// Threads at work; nil: one a processor.
  public var width: Int?

  /// `rules` gives the encoding, the decimal mark, and nothing else.
  public init(dialect: LooseDialect, like rules: CSVDialect, columns: [CSVColumn]?, sourceRow: String?) throws(Mistakes) {
    self.dialect = dialect
    encoding = rules.encoding
    // What is given out has commas between cells, or semicolons where commas are in numbers.
    inner = CSVDialect(delimiter: rules.decimal == "," ? ";" : ",", headerRows: dialect.headerRows > 0 ? 1 : 0, decimal: rules.decimal)
    self.columns = columns
    self.sourceRow = sourceRow
    _ = try CSVReader(dialect: inner, columns: columns, sourceRow: sourceRow)
  }

  public var schema: Schema? {
    columns.map { Schema($0.map { Field($0.name, $0.type) } + (sourceRow.map { [Field($0, .int64)] } ?? [])) }
  }

  @discardableResult public func read(
    _ source: ByteSource, batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void = { _ in }
  ) throws -> CSVReport {
    let (text, skipped) = try looseUTF8(source, encoding, isTolerant: dialect.isTolerant)
    let table = try LooseTable(text, dialect, skipped: skipped)
    var rules = inner
    if table.header == nil { rules.headerRows = 0 }
    let bytes = LooseBytes(table, delimiter: rules.delimiter.asciiValue ?? 44)
    // A text without anything has no columns, unless they are told.
    if table.width == 0, columns == nil || dialect.isTolerant { rules.headerRows = 0 }
    var reader = try CSVReader(dialect: rules, columns: rules.headerRows == 0 ? byPosition(table) : columns, sourceRow: sourceRow)
    reader.width = width
    var report = try reader.read(bytes, batch: batch) { rejected in
      try quarantine(merged(rejected, bytes, table.name))
    }
    let rest = bytes.takeRejects(before: nil)
    if !rest.isEmpty {
      var builder = QuarantineBuilder()
      for reject in rest { append(reject, table.name, to: &builder) }
      try quarantine(builder.finish())
    }
    var loose = bytes.report
    if let western = text as? WesternFallback { loose.westernBytes = western.westernBytes }
    report.rows += loose.rejected
    report.quarantined += loose.rejected
    report.blankRows += loose.blankRows
    report.loose = loose
    for kind in QuarantineReason.allCases { if let count = loose.reasons[kind] { Self.add(count, kind, to: &report.reasons) } }
    return report
  }

  /// The names in a text's header, as they stand there; nil without one.
  public func headerTexts(of source: ByteSource) throws -> [String]? {
    let (text, skipped) = try looseUTF8(source, encoding, isTolerant: dialect.isTolerant)
    return try LooseTable(text, dialect, skipped: skipped).header
  }

  /// Without a header columns are told by position.
  private func byPosition(_ table: LooseTable) -> [CSVColumn]? {
    guard table.width == 0 else { return columns }
    return columns?.enumerated().map { at, column in
      var column = column
      column.source = .position(at + 1)
      return column
    }
  }

  private static func add(_ count: Int, _ kind: QuarantineReason, to reasons: inout [(reason: QuarantineReason, rows: Int)]) {
    if let at = reasons.firstIndex(where: { $0.reason == kind }) { reasons[at].rows += count } else { reasons.append((kind, count)) }
    let order = QuarantineReason.allCases
    reasons.sort { order.firstIndex(of: $0.reason)! < order.firstIndex(of: $1.reason)! }
  }

  /// Rows of `CSVReader`'s quarantine with their places in the file, and rows rejected before between them.
  private func merged(_ rejected: Batch, _ bytes: LooseBytes, _ name: String) -> Batch {
    var builder = QuarantineBuilder()
    var last = 0
    for row in 0..<rejected.count {
      func text(_ column: String) -> String? { rejected[column].isNull(row) ? nil : rejected[column].value(at: row).description }
      guard case .int(let byte) = rejected["byte"].value(at: row) else { continue }
      last = Int(byte)
      let origin = bytes.origin(of: Int(byte))
      if let origin { for reject in bytes.takeRejects(before: origin.byte) { append(reject, name, to: &builder) } }
      builder.append(
        file: name, line: origin?.line ?? 0, byte: origin?.byte ?? 0, column: text("column"), text: text("text") ?? "", reason: text("reason") ?? "")
    }
    bytes.forget(before: last)
    return builder.finish()
  }
}

func append(_ reject: LooseReject, _ name: String, to builder: inout QuarantineBuilder) {
  builder.append(
    file: name, line: reject.line, byte: reject.byte, column: nil, text: reject.text, reason: reject.reason.words(line: reject.line))
}

/// UTF-8 of a source; where rules may be broken, bytes that are not UTF-8 are windows-1252.
func looseUTF8(_ source: ByteSource, _ encoding: TextEncoding, isTolerant: Bool) throws -> (text: ByteSource, skipped: Int) {
  var (text, skipped) = try utf8Text(source, encoding: encoding)
  if isTolerant, !(text is TranscodedBytes) { text = WesternFallback(text) }
  return (text, skipped)
}
