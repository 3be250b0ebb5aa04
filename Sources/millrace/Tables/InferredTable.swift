import Columns
import Diagnostics
import Formats
import Pipelines

/// The settings of `ingest` that read a file: its dialect where it is not the ordinary one, and its columns with their types.
///
/// Types come from every cell: those that at least 99 of 100 have. Then the file is read with them, and a column that more rows
/// could not be read for than its cells said is text again. How many rows would be quarantined is told, with an example.
struct InferredTable {
  struct InferredColumn {
    var name: String
    /// As the header has it; nil without a header or where the header has it twice.
    var source: String?
    var position: Int
    var found: ColumnGuess.Found
  }

  private(set) var columns: [InferredColumn] = []
  /// What people should know.
  private(set) var notes: [String] = []
  private var rules = CSVDialect()
  private(set) var decimal: Character = "."
  private(set) var kind = FileKind.csv
  /// Read as well as it goes, and ingest is told to.
  private let isTolerant: Bool
  private var loose: LooseDialect?
  private let path: String
  private let told: TableSource.Options

  init(_ path: String, _ arguments: DialectArguments, member: String?, query: String?, width: Int) throws {
    self.path = path
    isTolerant = arguments.tolerant
    var options = TableSource.Options()
    options.member = member
    options.query = query
    options.width = width
    options.asText = false
    guard let first = try TableSource.open(path, options).first else { preconditionFailure("a source was opened and has no part") }
    kind = first.kind
    guard let bytes = first.bytes else {
      told = options
      guard let schema = first.schema else { preconditionFailure("a file knows its columns and does not say them") }
      columns = schema.fields.enumerated().map { at, field in
        var found = ColumnGuess.Found()
        found.type = field.type
        return InferredColumn(name: field.name, source: field.name, position: at + 1, found: found)
      }
      return
    }
    let detected = try DetectedText(bytes(), encoding: arguments.toldEncoding, told: arguments.told)
    notes = detected.reasons
    if isTolerant { loose = arguments.loose(detected.dialect) }
    guard var rules = detected.rules() else {
      throw Diagnostic(
        "the cells are separated by \"\(String(decoding: detected.dialect.delimiter, as: UTF8.self))\", and ingest reads one character",
        at: .data(file: path, line: nil, byte: nil, column: nil), hint: "millrace convert --tolerant writes it with commas")
    }
    var names: [String]?
    if rules.headerRows == 1 {
      options.dialect = rules
      names =
        try loose.map { try LooseReader(dialect: $0, like: rules, columns: nil, sourceRow: nil).headerTexts(of: bytes()) }
        ?? CSVReader(dialect: rules).headerTexts(of: bytes())
    } else {
      // ingest reads one row of names; several are lines in front of columns told by position.
      rules.preambleRows += rules.headerRows
      rules.headerRows = 0
    }
    loose?.headerRows = rules.headerRows
    loose?.preambleRows = rules.preambleRows
    self.rules = rules
    options.dialect = rules
    options.loose = loose
    told = options
    try guess(names)
  }

  private mutating func guess(_ names: [String]?) throws {
    var guesses: [ColumnGuess] = [], rejected = 0, report: CSVReport?
    for part in try TableSource.open(path, told) {
      let read = try part.read { batch in
        try Interruption.check()
        if guesses.isEmpty { guesses = Array(repeating: ColumnGuess(), count: batch.schema.count) }
        if guesses.count == batch.schema.count { for at in guesses.indices { guesses[at].add(batch.columns[at]) } }
      }
      rejected += read.quarantined
      if report == nil { report = read }
    }
    let fields = report?.schema.fields ?? []
    if guesses.isEmpty { guesses = Array(repeating: ColumnGuess(), count: fields.count) }
    decimal = Self.decimal(guesses, rules)
    var taken: Set<String> = []
    columns = fields.enumerated().map { at, field in
      let source = names.flatMap { at < $0.count ? $0[at] : nil }
      let isOnce = source.map { name in !name.isEmpty && names!.filter { $0 == name }.count == 1 } ?? false
      return InferredColumn(
        name: Self.name(names == nil ? "column_\(at + 1)" : field.name, &taken), source: isOnce ? source : nil, position: at + 1,
        found: (at < guesses.count ? guesses[at] : ColumnGuess()).found(decimal: guesses.contains { $0.decimalVote != nil } ? decimal : nil))
    }
    for (at, column) in columns.enumerated() {
      if let note = column.found.note {
        notes.append("column \"\(column.name)\" \(column.found.type == .string ? "stays text" : "is \(column.found.type)"): \(note)")
      } else if column.found.type == .string, at < guesses.count, let mark = guesses[at].decimalVote, mark != decimal {
        notes.append("column \"\(column.name)\" stays text: its decimal mark is \"\(mark)\", that of the file \"\(decimal)\"")
      }
    }
    try fallBack(rejected)
    if rejected > 0 {
      notes.append("\(counted(rejected, "row")) cannot be read \(isTolerant ? "" : "by the rules ")and would be quarantined\(isTolerant ? "" : " (--tolerant reads more)")")
    }
  }

  /// One decimal mark for the whole file: that of most columns that tell one.
  private static func decimal(_ guesses: [ColumnGuess], _ rules: CSVDialect) -> Character {
    let votes = guesses.compactMap(\.decimalVote)
    return votes.filter { $0 == "," }.count * 2 > votes.count && rules.delimiter != "," ? "," : "."
  }

  /// Reads with the types; columns that more rows could not be read for than their cells said become text.
  private mutating func fallBack(_ rejected: Int) throws {
    for _ in 0...columns.count {
      var options = told, wrong: [String: (rows: Int, example: String)] = [:]
      options.dialect.decimal = decimal
      options.columns = columns.map(\.csvColumn)
      for part in try TableSource.open(path, options) {
        try part.read { _ in try Interruption.check() } quarantine: { batch in
          let name = batch["column"], line = batch["line"], reason = batch["reason"]
          for row in 0..<batch.count where !name.isNull(row) {
            wrong[name.value(at: row).description, default: (0, "line \(line.value(at: row)): \(cut(reason.value(at: row).description, to: 120))")].rows += 1
          }
        }
      }
      var isDone = true
      for at in columns.indices {
        guard let (rows, _) = wrong[columns[at].name], rows > columns[at].found.misfits else { continue }
        columns[at].found = ColumnGuess.Found()
        notes.append("column \"\(columns[at].name)\" stays text: not every cell is read as its type")
        isDone = false
      }
      guard isDone else { continue }
      for column in columns {
        guard let (rows, example) = wrong[column.name] else { continue }
        notes.append("column \"\(column.name)\" is \(column.found.type), and \(counted(rows, "row")) would be quarantined for it, as \(example)")
      }
      return
    }
  }

  /// Small letters, digits and underscores; distinct.
  private static func name(_ text: String, _ taken: inout Set<String>) -> String {
    var name = ""
    for scalar in text.unicodeScalars {
      if scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) { name += String(scalar).lowercased() } else if !name.isEmpty, name.last != "_" { name += "_" }
    }
    while name.last == "_" { name.removeLast() }
    if name.isEmpty { name = "column" }
    var made = name, number = 2
    while !taken.insert(made).inserted {
      made = "\(name)_\(number)"
      number += 1
    }
    return made
  }

  /// The settings, in the order people read them.
  var settings: JSONValue {
    var members: [JSONMember] = []
    if kind == .csv || kind == .gzip || kind == .archive {
      if rules.delimiter != "," { members.append(JSONMember("delimiter", .string(rules.delimiter == "\t" ? "tab" : String(rules.delimiter)))) }
      if rules.quote != "\"" { members.append(JSONMember("quote", .string(rules.quote.map(String.init) ?? ""))) }
      if let escape = rules.escape { members.append(JSONMember("escape", .string(String(escape)))) }
      if rules.headerRows == 0 { members.append(JSONMember("header", .bool(false))) }
      if rules.preambleRows > 0 { members.append(JSONMember("preambleRows", .integer(rules.preambleRows))) }
      if decimal != "." { members.append(JSONMember("decimal", .string(String(decimal)))) }
      if isTolerant { members.append(JSONMember("tolerant", .bool(true))) }
      if rules.encoding != .utf8 { members.append(JSONMember("encoding", .string(rules.encoding.rawValue))) }
    }
    members.append(JSONMember("columns", .object(columns.map { JSONMember($0.name, $0.json) })))
    return .object(members)
  }
}

extension InferredTable.InferredColumn {
  /// What is taken out of the cells: marks between thousands, then zeros behind whole numbers.
  private var edits: [String] {
    let isPoint = { (text: String) in text.first == "." ? "\\" + text : text }
    return [found.thousands.map { isPoint(String($0)) }, found.zeroEnd.map { isPoint($0) + "$" }].compactMap(\.self)
  }

  var csvColumn: CSVColumn {
    CSVColumn(
      name, from: source.map(CSVColumn.Source.name) ?? .position(position), found.type, nulls: found.nulls, format: found.format, trim: found.trim,
      replace: edits.map { .init($0, with: "") })
  }

  var json: JSONValue {
    var members: [JSONMember] = []
    if let source { if source != name { members.append(JSONMember("source", .string(source))) } } else { members.append(JSONMember("position", .integer(position))) }
    members.append(JSONMember("type", .string(found.type.description)))
    if let format = found.format { members.append(JSONMember("format", .string(format))) }
    if !found.nulls.isEmpty { members.append(JSONMember("nulls", .array(found.nulls.map(JSONValue.string)))) }
    if found.trim { members.append(JSONMember("trim", .bool(true))) }
    if !edits.isEmpty { members.append(JSONMember("replace", .object(edits.map { JSONMember($0, .string("")) }))) }
    return .object(members)
  }
}
