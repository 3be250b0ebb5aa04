import Columns
import Diagnostics
import Formats
import Pipelines

/// The settings of `ingest` that read a file: its dialect where it is not the ordinary one, and its columns with their types.
///
/// Types come from every cell. Then the file is read with them, and a column that a row could not be read for is text again:
/// what is inferred quarantines no row that text would not.
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
  private let path: String
  private let told: TableSource.Options

  init(_ path: String, _ arguments: DialectArguments, member: String?, query: String?, width: Int) throws {
    self.path = path
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
    guard var rules = detected.rules() else {
      throw Diagnostic(
        "the cells are separated by \"\(String(decoding: detected.dialect.delimiter, as: UTF8.self))\", and ingest reads one character",
        at: .data(file: path, line: nil, byte: nil, column: nil), hint: "millrace convert --tolerant writes it with commas")
    }
    var names: [String]?
    if rules.headerRows == 1 {
      options.dialect = rules
      names = try CSVReader(dialect: rules).headerTexts(of: bytes())
    } else {
      // ingest reads one row of names; several are lines in front of columns told by position.
      rules.preambleRows += rules.headerRows
      rules.headerRows = 0
    }
    self.rules = rules
    options.dialect = rules
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
    var taken: Set<String> = []
    columns = fields.enumerated().map { at, field in
      let source = names.flatMap { at < $0.count ? $0[at] : nil }
      let isOnce = source.map { name in !name.isEmpty && names!.filter { $0 == name }.count == 1 } ?? false
      return InferredColumn(
        name: Self.name(names == nil ? "column_\(at + 1)" : field.name, &taken), source: isOnce ? source : nil, position: at + 1,
        found: at < guesses.count ? guesses[at].found : ColumnGuess.Found())
    }
    settleDecimal()
    for column in columns { if let note = column.found.note { notes.append("column \"\(column.name)\" stays text: \(note)") } }
    try fallBack(rejected)
    if rejected > 0 { notes.append("\(counted(rejected, "row")) cannot be read by the rules and would be quarantined") }
  }

  /// One decimal mark for the whole file: that of most columns.
  private mutating func settleDecimal() {
    let commas = columns.filter { $0.found.decimal == "," }.count, points = columns.filter { $0.found.decimal == "." }.count
    if commas > points, rules.delimiter != "," { decimal = "," }
    for at in columns.indices {
      guard let mark = columns[at].found.decimal, mark != decimal else { continue }
      columns[at].found = ColumnGuess.Found()
      notes.append("column \"\(columns[at].name)\" stays text: its decimal mark is \"\(mark)\", that of the file \"\(decimal)\"")
    }
  }

  /// Reads with the types; columns that rows could not be read for become text.
  private mutating func fallBack(_ rejected: Int) throws {
    for _ in 0...columns.count {
      var options = told, wrong: Set<String> = [], bad = 0
      options.dialect.decimal = decimal
      options.columns = columns.map(\.csvColumn)
      for part in try TableSource.open(path, options) {
        bad += try part.read { _ in try Interruption.check() } quarantine: { batch in
          for row in 0..<batch.count where !batch["column"].isNull(row) { wrong.insert(batch["column"].value(at: row).description) }
        }.quarantined
      }
      if bad <= rejected || wrong.isEmpty { return }
      for at in columns.indices where wrong.contains(columns[at].name) {
        columns[at].found = ColumnGuess.Found()
        notes.append("column \"\(columns[at].name)\" stays text: not every cell is read as its type")
      }
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
      if rules.encoding != .utf8 { members.append(JSONMember("encoding", .string(rules.encoding.rawValue))) }
    }
    members.append(JSONMember("columns", .object(columns.map { JSONMember($0.name, $0.json) })))
    return .object(members)
  }
}

extension InferredTable.InferredColumn {
  var csvColumn: CSVColumn {
    CSVColumn(
      name, from: source.map(CSVColumn.Source.name) ?? .position(position), found.type, nulls: found.nulls, format: found.format, trim: found.trim,
      replace: found.thousands.map { [.init($0 == "." ? "\\." : String($0), with: "")] } ?? [])
  }

  var json: JSONValue {
    var members: [JSONMember] = []
    if let source { if source != name { members.append(JSONMember("source", .string(source))) } } else { members.append(JSONMember("position", .integer(position))) }
    members.append(JSONMember("type", .string(found.type.description)))
    if let format = found.format { members.append(JSONMember("format", .string(format))) }
    if !found.nulls.isEmpty { members.append(JSONMember("nulls", .array(found.nulls.map(JSONValue.string)))) }
    if found.trim { members.append(JSONMember("trim", .bool(true))) }
    if let mark = found.thousands { members.append(JSONMember("replace", .object([JSONMember(mark == "." ? "\\." : String(mark), .string(""))]))) }
    return .object(members)
  }
}
