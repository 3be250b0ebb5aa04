import Columns
import Diagnostics
import Formats

/// Files to be converted: opened, their columns known. What was not told about delimited text is found in it.
struct TableInput {
  private let path: String
  private let options: TableSource.Options
  let schema: Schema
  /// A header stands above the rows, or the format names its columns.
  let hasNames: Bool

  /// `asText`: the cells of delimited text stay as they are. `options` hold its dialect.
  init(_ path: String, _ told: TableSource.Options, asText: Bool) throws {
    self.path = path
    var options = told
    hasNames = options.loose.map { $0.headerRows > 0 } ?? (options.dialect.headerRows > 0)
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
      self.options = options
      return
    }
    let fields = zip(schema.fields, guesses).map { Field($0.name, $1.type) }
    self.schema = Schema(fields)
    options.columns = fields.enumerated().map { CSVColumn($1.name, from: .position($0 + 1), $1.type) }
    self.options = options
  }

  /// Every row in order. Returns how many could not be read, the first reasons, and what was done to text that breaks the rules.
  func read(batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void) throws -> (bad: Int, words: String, notes: [String]) {
    var bad = 0, reasons: [(name: String, rows: Int)] = [], notes: [String] = []
    for part in try TableSource.open(path, options) {
      let report = try part.read(batch: batch, quarantine: quarantine)
      bad += report.quarantined
      if let loose = report.loose { notes += loose.words.map { "\(part.name): \($0)" } }
      for (reason, rows) in report.reasons {
        if let at = reasons.firstIndex(where: { $0.name == reason.rawValue }) { reasons[at].rows += rows } else { reasons.append((reason.rawValue, rows)) }
      }
    }
    return (bad, reasons.map { "\($0.name): \(grouped($0.rows))" }.joined(separator: ", "), notes)
  }

  private static func words(_ schema: Schema) -> String { cut(schema.fields.map { "\($0.name) \($0.type)" }.joined(separator: ", "), to: 300) }
}
