import ArgumentParser
import Columns
import Diagnostics
import Formats

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Converts any readable file to csv, jsonl, parquet or arrow, by the ending of the file to write.",
    discussion: "What is not told is detected. Rows that cannot be read end it, unless --quarantine says where they go.")

  @Argument(help: ArgumentHelp("A file, or a quoted pattern of files of one layout.", valueName: "in")) var source: String
  @Argument(help: ArgumentHelp("The file to write; - is standard output.", valueName: "out")) var target: String
  @Option(help: ArgumentHelp("csv, jsonl, parquet or arrow, where the ending does not say it.", valueName: "format")) var format: TableFormat?
  @Option(help: ArgumentHelp("Which members of an archive.", valueName: "glob")) var member: String?
  @Option(help: ArgumentHelp("Which sheet of a workbook, by name or by number from 1. Default: the first.", valueName: "name")) var sheet: String?
  @Flag(help: "Every column as text, cells untouched.") var text = false
  @Flag(help: "Read what breaks the rules of its format as well as it goes.") var tolerant = false
  @Option(help: ArgumentHelp("Where rows go that cannot be read, as CSV.", valueName: "file")) var quarantine: String?
  @Option(help: ArgumentHelp("What separates cells: one character, tab, or blank-aligned.", valueName: "c")) var delimiter: String?
  @Option(help: ArgumentHelp("What encloses cells: one character, or none.", valueName: "c")) var quote: String?
  @Option(help: ArgumentHelp("What makes the next character literal.", valueName: "c")) var escape: String?
  @Option(help: ArgumentHelp("utf-8, latin-1, windows-1252, utf-16le or utf-16be.", valueName: "name")) var encoding: String?
  @Option(help: ArgumentHelp("Rows of names above the data.", valueName: "n")) var headerRows = 1
  @Option(help: ArgumentHelp("Lines in front of the header.", valueName: "n")) var preambleRows = 0
  @OptionGroup var width: WidthArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if tolerant { throw ValidationError("--tolerant is not supported in this version.") }
    if target == "-", format == nil { throw ValidationError("- needs --format csv, jsonl, parquet or arrow.") }
    if target != "-", format == nil, TableFormat(fileName: target) == nil {
      throw ValidationError("The ending of \"\(target)\" is none of \(TableFormat.words); say it with --format.")
    }
    for (name, value) in [("--delimiter", delimiter), ("--quote", quote), ("--escape", escape)] {
      guard let value, Self.character(value) == nil, !(name == "--delimiter" && value == "blank-aligned"), !(name == "--quote" && value == "none")
      else { continue }
      throw ValidationError("\(name) takes one ASCII character, found \"\(value)\".")
    }
    if let encoding, TextEncoding(named: encoding) == nil {
      throw ValidationError("--encoding does not know \"\(encoding)\": \(TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    if headerRows < 0 || preambleRows < 0 { throw ValidationError("--header-rows and --preamble-rows take 0 or more.") }
  }

  func run() throws {
    Interruption.begin()
    let input = try TableInput(source, options, delimiter: told, asText: text)
    let format = self.format ?? TableFormat(fileName: target)!
    if target == "-" {
      try streamedToStandardOutput { try write(input, $0, as: format, ",") }
    } else {
      let rows = try finishedFile(target) { try write(input, $0, as: format, cellDelimiter(ofFile: target)) }
      if !common.quiet { Standard.error("\(target): \(counted(rows, "row"))\n") }
    }
  }

  private func write(_ input: TableInput, _ path: String, as format: TableFormat, _ delimiter: Character) throws -> Int {
    let writer = try TableFileWriter(path, as: format, schema: input.schema, delimiter: delimiter)
    var rows = 0
    let readAll = { (quarantine: (Batch) throws -> Void) in
      try input.read(
        batch: { batch in
          try Interruption.check()
          rows += batch.count
          try writer.append(batch)
        }, quarantine: quarantine)
    }
    if let file = quarantine {
      try finishedFile(file) { path in
        let bad = try CSVWriter(path: path, schema: Quarantine.schema)
        let (count, words) = try readAll { try bad.append($0) }
        try bad.finish()
        if count > 0, !common.quiet { Standard.error("\(file): \(counted(count, "row")) that cannot be read (\(words))\n") }
      }
    } else {
      var first: Batch?
      let (count, words) = try readAll { if first == nil { first = $0 } }
      if count > 0 {
        let text = first.map { "line \($0["line"].value(at: 0)): \(cut($0["text"].value(at: 0).description, to: 80))" }
        throw Diagnostic(
          "\(source): \(counted(count, "row")) cannot be read (\(words)), and nothing was written", found: text,
          hint: "--quarantine FILE puts them aside, --text leaves cells as they are")
      }
    }
    try writer.finish()
    return rows
  }

  /// Nil: to be found.
  private var told: Character? { delimiter == "blank-aligned" ? " " : delimiter.flatMap(Self.character) }

  private var options: TableSource.Options {
    var options = TableSource.Options()
    options.member = member
    options.sheet = sheet
    options.asText = text
    options.width = width.width
    if let quote { options.dialect.quote = Self.character(quote) }
    if let escape { options.dialect.escape = Self.character(escape) }
    if let encoding, let known = TextEncoding(named: encoding) { options.dialect.encoding = known }
    options.dialect.blankAligned = delimiter == "blank-aligned"
    options.dialect.headerRows = headerRows
    options.dialect.preambleRows = preambleRows
    return options
  }

  private static func character(_ text: String) -> Character? {
    switch text {
    case "tab", "\\t": return "\t"
    default: return text.unicodeScalars.count == 1 && text.first?.asciiValue != nil && text != "\n" ? text.first : nil
    }
  }
}
