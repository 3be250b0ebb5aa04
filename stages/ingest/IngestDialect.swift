import Diagnostics
import Formats
import Pipelines

/// The settings that say how delimited text is read: told, or found in each file; by the rules, or as well as it goes.
extension Ingest {
  func setText(_ options: inout TableSource.Options, _ mistakes: inout [Diagnostic]) {
    let settled = dialectOptions(&mistakes)
    options.dialect = settled.rules
    let loose = tolerance(settled, &mistakes)
    if dialect == .told {
      options.loose = loose
    } else {
      options.auto = auto(settled, loose, &mistakes)
      // Found as well, and no matter of the commas that stand here until then.
      options.dialect.decimal = "."
    }
  }

  private struct Told {
    var rules = CSVDialect()
    var delimiter: [UInt8]?
    var encoding: TextEncoding?
  }

  private func dialectOptions(_ mistakes: inout [Diagnostic]) -> Told {
    func character(_ text: String?, _ name: PathStep) -> Character? {
      guard let text, !text.isEmpty else { return nil }
      if text.count > 1 { mistakes.append(Diagnostic("setting \(name) does not fit", at: .setting([name]), expected: "one character", found: "\"\(text)\"")) }
      return text.first
    }
    var told = Told()
    switch delimiter {
    case nil: break
    case "tab": told.rules.delimiter = "\t"
    case "blank": told.rules.blankAligned = true
    case ""?:
      mistakes.append(Diagnostic("setting delimiter does not fit", at: .setting(["delimiter"]), expected: "one character, \"tab\" or \"blank\"", found: "an empty text"))
    case let text? where tolerant && (2...4).contains(text.utf8.count) && !text.contains(where: \.isNewline): 
      told.delimiter = Array(text.utf8)
      if let first = text.first { told.rules.delimiter = first }
    case let text?: if let one = character(text, "delimiter") { told.rules.delimiter = one }
    }
    if let delimiter, told.delimiter == nil, !told.rules.blankAligned { told.delimiter = delimiter == "tab" ? [9] : Array(delimiter.utf8) }
    if quote != nil { told.rules.quote = character(quote, "quote") }
    told.rules.escape = character(escape, "escape")
    told.rules.comment = character(comment, "comment")
    if let mark = character(decimal, "decimal") { told.rules.decimal = mark }
    told.rules.headerRows = header == false ? 0 : 1
    told.rules.preambleRows = preambleRows ?? 0
    if let encoding {
      if let known = TextEncoding(named: encoding) {
        told.rules.encoding = known
        told.encoding = known
      } else {
        let names = TextEncoding.allCases.map(\.rawValue)
        mistakes.append(Diagnostic("unknown encoding \"\(encoding)\"", at: .setting(["encoding"]), hint: hint(forUnknown: encoding, among: names)))
      }
    }
    return told
  }

  /// What is done with rows that break the rules; nil: they are quarantined.
  private func tolerance(_ told: Told, _ mistakes: inout [Diagnostic]) -> LooseDialect? {
    guard tolerant else {
      for (name, isSet) in [("shortRows", shortRows != .pad), ("longRows", longRows != .mend)] where isSet {
        mistakes.append(Diagnostic("\(name) goes with tolerant", at: .setting([.key(name)]), hint: "set \"tolerant\": true"))
      }
      return nil
    }
    if told.rules.blankAligned { mistakes.append(unfit("delimiter", "\"blank\" does not go with tolerant")) }
    if told.rules.comment != nil { mistakes.append(unfit("comment", "comments do not go with tolerant")) }
    var loose = LooseDialect(told.rules)
    if let delimiter = told.delimiter { loose.delimiter = delimiter }
    loose.short = shortRows == .pad ? .pad : .quarantine
    loose.long =
      switch longRows {
      case .mend: .mend
      case .trim: .trim
      case .quarantine: .quarantine
      }
    return loose
  }

  private func auto(_ told: Told, _ loose: LooseDialect?, _ mistakes: inout [Diagnostic]) -> AutoDialect {
    if told.rules.blankAligned { mistakes.append(unfit("delimiter", "\"blank\" does not go with dialect auto")) }
    if told.rules.comment != nil { mistakes.append(unfit("comment", "comments do not go with dialect auto")) }
    if columns.isEmpty { mistakes.append(unfit("dialect", "auto is for text, and text needs columns")) }
    if let decimal, decimal != ".", decimal != "," { mistakes.append(unfit("decimal", "the decimal mark is \".\" or \",\"")) }
    var auto = AutoDialect()
    auto.told.delimiter = told.delimiter
    if quote != nil { auto.told.quote = .some(told.rules.quote?.asciiValue) }
    if escape != nil { auto.told.escape = .some(told.rules.escape?.asciiValue) }
    auto.told.headerRows = header.map { $0 ? 1 : 0 }
    auto.told.preambleRows = preambleRows
    auto.encoding = told.encoding
    auto.decimal = decimal == nil ? nil : told.rules.decimal
    auto.tolerant = loose
    return auto
  }

  private func unfit(_ setting: String, _ message: String) -> Diagnostic { Diagnostic(message, at: .setting([.key(setting)])) }
}
