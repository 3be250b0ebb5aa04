import Columns

/// Delimited text as text again: every cell untouched, in the common dialect (UTF-8, quotes doubled inside quotes, LF).
public enum TextRewriting {
  public struct Outcome: Sendable {
    /// Rows written, the header not counted.
    public var rows = 0
    public var header: [String]?
    public var report = LooseReport()
  }

  /// Writes one text behind what `file` holds. A text without a header gives none. `quarantine` gets rows that were not read.
  public static func rewrite(
    _ source: ByteSource, encoding: TextEncoding, dialect: LooseDialect, delimiter: UInt8 = 44, withHeader: Bool = true, to file: OutputFile,
    check: () throws -> Void = {}, quarantine: (Batch) throws -> Void
  ) throws -> Outcome {
    let (text, skipped) = try looseUTF8(source, encoding, isTolerant: dialect.isTolerant)
    let table = try LooseTable(text, dialect, skipped: skipped)
    var outcome = Outcome(), bytes: [UInt8] = [], row = LooseRow()
    outcome.header = table.header
    if withHeader, let header = table.header { LooseText.append(names: header, delimiter: delimiter, to: &bytes) }
    func giveRejects() throws {
      let rejects = table.takeRejects()
      if rejects.isEmpty { return }
      var builder = QuarantineBuilder()
      for reject in rejects { append(reject, table.name, to: &builder) }
      try quarantine(builder.finish())
    }
    while try table.next(into: &row) != nil {
      LooseText.append(row, delimiter: delimiter, to: &bytes)
      outcome.rows += 1
      if bytes.count > 64 << 10 {
        try check()
        try file.write(bytes)
        bytes.removeAll(keepingCapacity: true)
        try giveRejects()
      }
    }
    try file.write(bytes)
    try giveRejects()
    outcome.report = table.report
    if let western = text as? WesternFallback { outcome.report.westernBytes = western.westernBytes }
    return outcome
  }
}
