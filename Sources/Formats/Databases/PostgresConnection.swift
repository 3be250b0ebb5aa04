import CPostgres
import Diagnostics

/// One session with a server, in one transaction that only reads.
final class PostgresConnection {
  private let name: String
  private let connection: OpaquePointer

  /// How long a server may take to answer at all, where the address does not say.
  private static let patience = "10"  // s

  init(url: String, name: String) throws {
    self.name = name
    let place = Place.data(file: name, line: nil, byte: nil, column: nil)
    var words = [CChar](repeating: 0, count: 512)
    if millrace_pg_load(&words, words.count) != 0 {
      throw Diagnostic(
        String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self), at: place,
        hint: "Debian and Ubuntu: apt-get install libpq5; macOS: brew install libpq")
    }
    let misread = Diagnostic("the connection's address is not understood", at: place, expected: "postgresql://user@host:port/database")
    guard PostgresQuery.isAddress(url), millrace_pg_understands(url) != 0 else { throw misread }
    connection = millrace_pg_connect(url, Self.patience)
    guard millrace_pg_is_open(connection) != 0 else {
      let words = Self.line(String(cString: millrace_pg_words(connection)))
      // A password with a slash may be taken for a port, and be repeated as such.
      if words.hasPrefix("invalid ") { throw misread }
      var failure = Diagnostic("the database cannot be reached: \(words)", at: place)
      failure.isTransient = true
      throw failure
    }
    for statement in ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET LOCAL DateStyle = 'ISO, YMD'", "SET LOCAL TimeZone = 'UTC'", "SET LOCAL extra_float_digits = 1"] {
      Self.clear(try run(statement))
    }
  }

  // The server ends the transaction; nothing was changed in it.
  deinit { millrace_pg_close(connection) }

  /// One statement. A refusal is the query's fault where `setting` names one, else the source's, behind so many rows.
  func run(_ statement: String, setting: String? = nil, after rows: Int = 0) throws -> OpaquePointer {
    guard let result = millrace_pg_run(connection, statement) else { throw broken(rows, String(cString: millrace_pg_words(connection))) }
    if millrace_pg_succeeded(result) != 0 { return result }
    defer { millrace_pg_clear(result) }
    func field(_ letter: Character) -> String? { millrace_pg_field(result, Int32(letter.asciiValue!)).map { String(cString: $0) } }
    guard let message = field("M"), millrace_pg_is_open(connection) != 0 else { throw broken(rows, String(cString: millrace_pg_words(connection))) }
    guard let setting else { throw broken(rows, message) }
    throw Diagnostic("the query is refused: \(Self.line(message))", at: .setting([.key(setting)]), expected: "one SELECT", hint: field("H").map(Self.line))
  }

  private func broken(_ rows: Int, _ words: String) -> Diagnostic {
    var failure = Diagnostic(
      "the database stopped\(rows > 0 ? " after \(rows) rows" : ""): \(Self.line(words))", at: .data(file: name, line: nil, byte: nil, column: nil))
    failure.isTransient = true
    return failure
  }

  private static func line(_ words: String) -> String { String(words.split(separator: "\n").first ?? "") }

  func names(of result: OpaquePointer) -> [String] {
    (0..<millrace_pg_columns(result)).map { millrace_pg_name(result, $0).map { String(cString: $0) } ?? "" }
  }

  func types(of result: OpaquePointer) -> [UInt32] { (0..<millrace_pg_columns(result)).map { millrace_pg_type(result, $0) } }

  static func rows(of result: OpaquePointer) -> Int { Int(millrace_pg_rows(result)) }

  /// nil is null.
  static func value(_ result: OpaquePointer, _ row: Int, _ column: Int) -> UnsafeBufferPointer<UInt8>? {
    let (row, column) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
    if millrace_pg_is_null(result, row, column) != 0 { return nil }
    let count = Int(millrace_pg_length(result, row, column))
    return millrace_pg_value(result, row, column).withMemoryRebound(to: UInt8.self, capacity: count) { UnsafeBufferPointer(start: $0, count: count) }
  }

  static func clear(_ result: OpaquePointer?) { if let result { millrace_pg_clear(result) } }
}
