import ArgumentParser
import Formats

/// What a person says about delimited text. An empty value says nothing, so that scripts may pass on what they do not know.
struct DialectArguments: ParsableArguments {
  @Flag(help: "Read what breaks the rules of its format as well as it goes.") var tolerant = false
  @Option(help: ArgumentHelp("What separates cells: up to four characters, tab, or blank-aligned.", valueName: "c")) var delimiter: String?
  @Option(help: ArgumentHelp("What encloses cells: one character, or none.", valueName: "c")) var quote: String?
  @Option(help: ArgumentHelp("What makes the next character literal; the quote itself: a quote inside quotes is written twice.", valueName: "c"))
  var escape: String?
  @Option(
    help: ArgumentHelp("utf-8, latin-1, windows-1252, utf-16le, utf-16be, utf-32le or utf-32be.", valueName: "name")) var encoding: String?
  @Option(help: ArgumentHelp("Rows of names above the data.", valueName: "n")) var headerRows: Int?
  @Option(help: ArgumentHelp("Lines in front of the header.", valueName: "n")) var preambleRows: Int?
  @Option(help: ArgumentHelp("With --tolerant, of rows with too few cells: pad, keep or quarantine.", valueName: "what")) var shortRows: LooseDialect.ShortRows?
  @Option(help: ArgumentHelp("With --tolerant, of rows with too many cells: trim, mend (quarantined where text would be lost), keep or quarantine.", valueName: "what")) var longRows: LooseDialect.LongRows?
  @Option(help: ArgumentHelp("With --tolerant, of lines without text: skip or keep.", valueName: "what")) var blankRows: BlankRows?

  enum BlankRows: String, CaseIterable, ExpressibleByArgument { case skip, keep }

  func validate() throws {
    if let delimiter, !delimiter.isEmpty, !isBlankAligned, Self.delimiter(delimiter) == nil {
      throw ValidationError("--delimiter takes up to four characters that end no line, found \"\(delimiter)\".")
    }
    if let quote, !quote.isEmpty, quote != "none", Self.byte(quote) == nil { throw ValidationError("--quote takes one ASCII character, found \"\(quote)\".") }
    if let escape, !escape.isEmpty, Self.byte(escape) == nil { throw ValidationError("--escape takes one ASCII character, found \"\(escape)\".") }
    if let encoding, !encoding.isEmpty, TextEncoding(named: encoding) == nil {
      throw ValidationError("--encoding does not know \"\(encoding)\": \(TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    if headerRows ?? 0 < 0 || preambleRows ?? 0 < 0 { throw ValidationError("--header-rows and --preamble-rows take 0 or more.") }
    if !tolerant, shortRows != nil || longRows != nil || blankRows != nil {
      throw ValidationError("--short-rows, --long-rows and --blank-rows go with --tolerant.")
    }
    if tolerant, isBlankAligned { throw ValidationError("--delimiter blank-aligned does not go with --tolerant.") }
  }

  var isBlankAligned: Bool { delimiter == "blank-aligned" }
  var toldEncoding: TextEncoding? { encoding.flatMap(TextEncoding.init(named:)) }

  /// What is left to be found is nil.
  var told: DialectDetection.Told {
    var told = DialectDetection.Told()
    if let delimiter { told.delimiter = Self.delimiter(delimiter) }
    if let quote, !quote.isEmpty { told.quote = .some(Self.byte(quote)) }
    if let escape, let byte = Self.byte(escape) { told.escape = .some(byte == (told.quote ?? 34) ? nil : byte) }
    told.headerRows = headerRows
    told.preambleRows = preambleRows
    return told
  }

  /// With the choices a person has for what breaks the rules.
  func loose(_ found: LooseDialect) -> LooseDialect {
    var dialect = found
    dialect.isTolerant = tolerant
    dialect.short = tolerant ? shortRows ?? .pad : .quarantine
    dialect.long = tolerant ? longRows ?? .trim : .quarantine
    dialect.keepsBlankRows = blankRows == .keep
    return dialect
  }

  private static func delimiter(_ text: String) -> [UInt8]? {
    if text == "tab" || text == "\\t" { return [9] }
    let bytes = Array(text.utf8)
    return bytes.isEmpty || bytes.count > 4 || bytes.contains(10) || bytes.contains(13) ? nil : bytes
  }

  private static func byte(_ text: String) -> UInt8? {
    let bytes = Array(text.utf8)
    return bytes.count == 1 && bytes[0] < 0x80 && bytes[0] != 10 && bytes[0] != 13 ? bytes[0] : nil
  }
}

extension LooseDialect.ShortRows: ExpressibleByArgument {}
extension LooseDialect.LongRows: ExpressibleByArgument {}
