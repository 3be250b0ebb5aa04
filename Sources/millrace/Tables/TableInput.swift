import Columns
import Diagnostics
import Formats

/// Files to be converted: opened, their columns known. What was not told about delimited text is found in it.
struct TableInput {
  private let path: String
  private var options: TableSource.Options
  let schema: Schema

  /// `asText`: the cells of delimited text stay as they are.
  init(_ path: String, _ told: TableSource.Options, delimiter: Character?, asText: Bool) throws {
    self.path = path
    options = told
    if let delimiter { options.dialect.delimiter = delimiter } else { options.dialect.delimiter = try Self.delimiter(of: path, told) }
    let wrong = options.dialect.mistakes
    if !wrong.isEmpty { throw Mistakes(wrong) }
    var schema: Schema?, guesses: [TypeGuess] = [], isFound = false
    for part in try TableSource.open(path, options) {
      var found = part.schema
      if part.kind == .jsonLines { isFound = true }
      if found == nil {
        found = try part.read { batch in
          try Interruption.check()
          if guesses.isEmpty { guesses = Array(repeating: TypeGuess(), count: batch.schema.count) }
          if guesses.count != batch.schema.count { return }
          if !asText { for at in guesses.indices { guesses[at].add(batch.columns[at]) } }
        }.schema
      }
      guard let found else { preconditionFailure("a file was read and has no schema") }
      if let schema, schema != found {
        throw Diagnostic(
          "the columns differ from those of the file before", at: .data(file: part.name, line: nil, byte: nil, column: nil),
          expected: Self.words(schema), found: Self.words(found))
      }
      schema = found
    }
    guard let schema else { preconditionFailure("a source was opened and has no part") }
    // Found once, and the same for every part.
    if isFound { options.columns = schema.fields.map { CSVColumn($0.name, $0.type) } }
    guard !asText, !guesses.isEmpty else {
      self.schema = schema
      return
    }
    let fields = zip(schema.fields, guesses).map { Field($0.name, $1.type) }
    self.schema = Schema(fields)
    options.columns = fields.enumerated().map { CSVColumn($1.name, from: .position($0 + 1), $1.type) }
  }

  /// Every row in order. Returns how many could not be read, and the first reasons.
  func read(batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void) throws -> (bad: Int, words: String) {
    var bad = 0, reasons: [(name: String, rows: Int)] = []
    for part in try TableSource.open(path, options) {
      let report = try part.read(batch: batch, quarantine: quarantine)
      bad += report.quarantined
      for (reason, rows) in report.reasons {
        if let at = reasons.firstIndex(where: { $0.name == reason.rawValue }) { reasons[at].rows += rows } else { reasons.append((reason.rawValue, rows)) }
      }
    }
    return (bad, reasons.map { "\($0.name): \(grouped($0.rows))" }.joined(separator: ", "))
  }

  private static func words(_ schema: Schema) -> String { cut(schema.fields.map { "\($0.name) \($0.type)" }.joined(separator: ", "), to: 300) }

  private static func delimiter(of path: String, _ told: TableSource.Options) throws -> Character {
    let standard = told.dialect.delimiter
    guard let file = try Glob(path).files().first else { return standard }
    let bytes: any ByteSource
    switch try FileKind(ofFile: file) {
    case .csv: bytes = try FileBytes(path: file)
    case .gzip: bytes = GzipBytes(try FileBytes(path: file), limits: told.limits)
    case .archive:
      let archive = try Archive(path: file, limits: told.limits)
      guard let member = try told.member.map(archive.members(matching:))?.first ?? archive.members.first else { return standard }
      bytes = try archive.open(member)
    case .jsonLines, .parquet, .arrow, .spreadsheet: return standard
    }
    var head = [UInt8](repeating: 0, count: 1 << 16), filled = 0
    while filled < head.count {
      let n = try head.withUnsafeMutableBytes { try bytes.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...])) }
      if n == 0 { break }
      filled += n
    }
    return guessedDelimiter(Array(head[..<filled]), quote: told.dialect.quote, preambleRows: told.dialect.preambleRows)
  }
}
