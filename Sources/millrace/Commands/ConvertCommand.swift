import ArgumentParser
import Columns
import Diagnostics
import Formats

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Converts any readable file to csv, jsonl, parquet or arrow, by the ending of the file to write.",
    discussion: """
      What is not told is detected. Rows that cannot be read end it, unless --quarantine says where they go. With --tolerant \
      broken quotes are read as text, rows get the cells they lack and lose those they have too many of.
      """)

  @Argument(help: ArgumentHelp(SourceArgument.words, valueName: "in")) var source: SourceArgument
  @Argument(help: ArgumentHelp("The file to write; - is standard output.", valueName: "out")) var target: String
  @Option(help: ArgumentHelp("csv, jsonl, parquet or arrow, where the ending does not say it.", valueName: "format")) var format: TableFormat?
  @Option(help: ArgumentHelp("Which members of an archive.", valueName: "glob")) var member: String?
  @Option(help: ArgumentHelp("Which sheet of a workbook, by name or by number from 1. Default: the first.", valueName: "name")) var sheet: String?
  @Option(help: ArgumentHelp("What to read of a database. Default: all of the only table of an SQLite database.", valueName: "sql")) var query: String?
  @Flag(help: "Every column as text, cells untouched.") var text = false
  @Option(help: ArgumentHelp("Where rows go that cannot be read, as CSV.", valueName: "file")) var quarantine: String?
  @OptionGroup var dialect: DialectArguments
  @OptionGroup var width: WidthArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if target == "-", format == nil { throw ValidationError("- needs --format csv, jsonl, parquet or arrow.") }
    if target != "-", format == nil, TableFormat(fileName: target) == nil {
      throw ValidationError("The ending of \"\(target)\" is none of \(TableFormat.words); say it with --format.")
    }
  }

  func run() throws {
    Interruption.begin()
    let options = try settled()
    let format = self.format ?? TableFormat(fileName: target)!
    let write: (String, Character) throws -> Int
    if text, format == .csv, let loose = options.loose {
      write = { try rewrite(loose, options, $0, $1) }
    } else {
      let input = try TableInput(source.path(), typed(options), asText: text)
      write = { try self.write(input, $0, as: format, $1) }
    }
    if target == "-" {
      try streamedToStandardOutput { _ = try write($0, ",") }
    } else {
      let rows = try finishedFile(target) { try write($0, cellDelimiter(ofFile: target)) }
      if !common.quiet { Standard.error("\(target): \(counted(rows, "row"))\n") }
    }
  }

  /// Everything told or found about the source.
  private func settled() throws -> TableSource.Options {
    var options = TableSource.Options()
    options.member = member
    options.sheet = sheet
    options.query = query
    options.asText = text
    options.width = width.width
    options.dialect.blankAligned = dialect.isBlankAligned
    options.dialect.headerRows = dialect.headerRows ?? 1
    options.dialect.preambleRows = dialect.preambleRows ?? 0
    if let encoding = dialect.toldEncoding { options.dialect.encoding = encoding }
    if dialect.isBlankAligned { return options }
    guard let bytes = try TableSource.open(source.path(), options).first?.bytes else { return options }
    let found = try DetectedText(bytes(), encoding: dialect.toldEncoding, told: dialect.told)
    if !common.quiet, !found.isOrdinary { for reason in found.reasons { Standard.error("\(source.shown): \(reason)\n") } }
    options.dialect.encoding = found.encoding
    if dialect.tolerant || text || found.rules() == nil {
      options.loose = dialect.loose(found.dialect)
    } else if let rules = found.rules() {
      options.dialect = rules
    }
    if options.loose == nil, !options.dialect.mistakes.isEmpty { throw Mistakes(options.dialect.mistakes) }
    return options
  }

  /// Rows of a typed table have its cells, and none is blank.
  private func typed(_ settled: TableSource.Options) -> TableSource.Options {
    var options = settled
    options.loose?.keepsBlankRows = false
    if options.loose?.short == .keep { options.loose?.short = .pad }
    if options.loose?.long == .keep { options.loose?.long = .trim }
    return options
  }

  /// Delimited text as delimited text: cells and header as they are.
  private func rewrite(_ loose: LooseDialect, _ options: TableSource.Options, _ path: String, _ delimiter: Character) throws -> Int {
    let file = try OutputFile(path: path)
    return try guarded { quarantine in
      var rows = 0, reasons: [QuarantineReason: Int] = [:], header: [String]?, notes: [String] = []
      for (number, part) in try TableSource.open(source.path(), options).enumerated() {
        guard let bytes = part.bytes else { preconditionFailure("a part of delimited text has no bytes") }
        let outcome = try TextRewriting.rewrite(
          bytes(), encoding: options.dialect.encoding, dialect: loose, delimiter: delimiter.asciiValue ?? 44, withHeader: number == 0, to: file,
          check: Interruption.check, quarantine: quarantine)
        if number > 0, let header, outcome.header != header {
          throw Diagnostic(
            "the columns differ from those of the file before", at: .data(file: part.name, line: nil, byte: nil, column: nil),
            expected: cut(header.joined(separator: ", "), to: 300), found: cut(outcome.header?.joined(separator: ", ") ?? "", to: 300))
        }
        if number == 0 { header = outcome.header }
        rows += outcome.rows
        reasons.merge(outcome.report.reasons, uniquingKeysWith: +)
        notes += outcome.report.words.map { "\(part.name): \($0)" }
      }
      try file.finish()
      let words = QuarantineReason.allCases.compactMap { reason in reasons[reason].map { "\(reason.rawValue): \(grouped($0))" } }
      return (rows, reasons.values.reduce(0, +), words.joined(separator: ", "), notes)
    }
  }

  private func write(_ input: TableInput, _ path: String, as format: TableFormat, _ delimiter: Character) throws -> Int {
    try guarded { quarantine in
      let writer = try TableFileWriter(path, as: format, schema: input.schema, delimiter: delimiter)
      var rows = 0
      let (bad, words, notes) = try input.read(
        batch: { batch in
          try Interruption.check()
          rows += batch.count
          try writer.append(batch)
        }, quarantine: quarantine)
      try writer.finish()
      return (rows, bad, words, notes)
    }
  }

  /// Sees to rows that cannot be read: into their file where one is named, otherwise they are a mistake, unless told to be tolerant.
  private func guarded(
    _ body: (_ quarantine: (Batch) throws -> Void) throws -> (rows: Int, bad: Int, words: String, notes: [String])
  ) throws -> Int {
    func tell(_ notes: [String]) { if !common.quiet { for note in notes { Standard.error(note + "\n") } } }
    if let file = quarantine {
      return try finishedFile(file) { path in
        let bad = try CSVWriter(path: path, schema: Quarantine.schema)
        let outcome = try body { try bad.append($0) }
        try bad.finish()
        tell(outcome.notes)
        if outcome.bad > 0, !common.quiet { Standard.error("\(file): \(counted(outcome.bad, "row")) that cannot be read (\(outcome.words))\n") }
        return outcome.rows
      }
    }
    var first: Batch?
    let outcome = try body { if first == nil { first = $0 } }
    if outcome.bad > 0, !dialect.tolerant {
      let text = first.map { "line \($0["line"].value(at: 0)): \(cut($0["text"].value(at: 0).description, to: 80))" }
      throw Diagnostic(
        "\(source.shown): \(counted(outcome.bad, "row")) cannot be read (\(outcome.words)), and nothing was written", found: text,
        hint: "--quarantine FILE puts them aside, --tolerant reads them as well as it goes")
    }
    tell(outcome.notes)
    if outcome.bad > 0, !common.quiet {
      Standard.error("\(source.shown): \(counted(outcome.bad, "row")) left out (\(outcome.words)); --quarantine FILE puts them aside\n")
    }
    return outcome.rows
  }
}
