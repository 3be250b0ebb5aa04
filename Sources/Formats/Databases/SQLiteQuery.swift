import CSQLite
import Columns
import Diagnostics

/// A query to a file of SQLite, which is only read. A query that is to give its rows in the same order on every machine says ORDER BY.
struct SQLiteQuery: Query {
  let name: String
  private let path: String
  private let query: String

  /// `query` nil: all of the only table.
  init(path: String, name: String, query: String?) throws {
    self.path = path
    self.name = name
    let file = try FileBytes(path: path, name: name)  // a folder or a pipe is said in our words
    if file.size == 0 { throw Diagnostic("the file is empty", at: .data(file: name, line: nil, byte: nil, column: nil), expected: "an SQLite database") }
    self.query = try query ?? Self.onlyTable(SQLiteDatabase(path: path, name: name))
  }

  func open() throws -> SQLiteRows { try SQLiteRows(SQLiteDatabase(path: path, name: name), query) }

  /// A column of SQLite may hold cells of any type, whatever was declared.
  func types(of rows: SQLiteRows) -> [ColumnType]? { nil }

  private static func onlyTable(_ database: SQLiteDatabase) throws -> String {
    let rows = try SQLiteRows(
      database, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
    var tables: [String] = []
    while try rows.next() { if case .text(_, let text) = rows.cell(0) { tables.append(printable(text)) } }
    guard tables.count == 1 else {
      throw Diagnostic(
        tables.isEmpty ? "the database has no table" : "the database has \(tables.count) tables, and no query says what to read",
        at: .data(file: database.name, line: nil, byte: nil, column: nil),
        found: tables.isEmpty ? nil : tables.prefix(8).map { "\"\(escaped($0))\"" }.joined(separator: ", ") + (tables.count > 8 ? ", …" : ""),
        hint: tables.isEmpty ? nil : "say it with a query: SELECT … FROM …")
    }
    return "SELECT * FROM \"\(tables[0].split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
  }
}

/// The rows of one statement.
final class SQLiteRows: QueryRows {
  let names: [String]
  private let database: SQLiteDatabase
  private let statement: OpaquePointer

  /// Refuses all but one statement that reads.
  init(_ database: SQLiteDatabase, _ query: String) throws {
    self.database = database
    let statement = try database.prepare(query)
    self.statement = statement
    names = (0..<sqlite3_column_count(statement)).map { at in sqlite3_column_name(statement, at).map { String(cString: $0) } ?? "" }
  }

  deinit { sqlite3_finalize(statement) }

  func next() throws -> Bool {
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw database.failure("cannot be read")
    }
  }

  func cell(_ column: Int) -> QueryCell {
    let at = Int32(truncatingIfNeeded: column)
    switch sqlite3_column_type(statement, at) {
    case SQLITE_NULL: return .null
    case SQLITE_INTEGER: return number(String(sqlite3_column_int64(statement, at)))
    case SQLITE_FLOAT: return number(shortest(sqlite3_column_double(statement, at)))
    case SQLITE_TEXT:
      // The text first: it may have to be made of UTF-16, and only then its length is known.
      let text = sqlite3_column_text(statement, at)
      return .text(.text, UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, at))))
    default: return .binary(Int(sqlite3_column_bytes(statement, at)))
    }
  }

  private let room = Slab<UInt8>()

  private func number(_ text: String) -> QueryCell {
    let count = text.utf8.count
    room.grow(to: count, keeping: 0)
    for (at, byte) in text.utf8.enumerated() { room.pointer[at] = byte }
    return .text(.number, UnsafeBufferPointer(start: room.pointer, count: count))
  }
}
