import CSQLite
import Diagnostics

/// A database file of SQLite that is open for reading. Whatever stands in it or in a query: nothing is written, no other file
/// is opened, no library is loaded.
///
/// A database in write-ahead mode is read with the changes in the log beside it (`-wal`); SQLite keeps its `-shm` there.
final class SQLiteDatabase {
  let name: String
  private var handle: OpaquePointer?
  private let guardian = Guardian()

  /// One cell may hold so much; more ends the query.
  private static let cellLimit: Int32 = 256 << 20
  /// Another program that writes has a database for itself for moments.
  private static let patience: Int32 = 10_000  // ms

  init(path: String, name: String) throws {
    self.name = name
    let opened = sqlite3_open_v2(
      Self.address(path, isComplete: try Self.isComplete(path, name)), &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nil)
    guard opened == SQLITE_OK else {
      let mistake = failure("cannot be opened")
      sqlite3_close_v2(handle)
      handle = nil
      throw mistake
    }
    sqlite3_busy_timeout(handle, Self.patience)
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Self.cellLimit)
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0)
    // The last one looks at the file for the first time.
    for statement in ["PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON", "SELECT count(*) FROM sqlite_master"] {
      guard sqlite3_exec(handle, statement, nil, nil, nil) == SQLITE_OK else { throw failure("cannot be opened") }
    }
    sqlite3_set_authorizer(handle, { context, action, first, second, _, _ in
      guard let context else { return SQLITE_DENY }
      return Unmanaged<Guardian>.fromOpaque(context).takeUnretainedValue().judge(action, first, second)
    }, Unmanaged.passUnretained(guardian).toOpaque())
  }

  deinit { sqlite3_close_v2(handle) }

  /// One statement that gives rows and changes nothing.
  func prepare(_ query: String) throws -> OpaquePointer {
    guard !query.utf8.contains(0) else { throw refused("the query holds a zero byte") }
    var statement: OpaquePointer?, hasMore = false
    let code = query.withCString { text in
      var rest: UnsafePointer<CChar>?
      let code = sqlite3_prepare_v2(handle, text, -1, &statement, &rest)
      // What follows is blank or a comment: no statement comes of it, and no mistake.
      if code == SQLITE_OK, statement != nil, let rest, rest.pointee != 0 {
        var second: OpaquePointer?
        hasMore = sqlite3_prepare_v2(handle, rest, -1, &second, nil) != SQLITE_OK || second != nil
        sqlite3_finalize(second)
      }
      return code
    }
    guard code == SQLITE_OK else {
      if let denied = guardian.denied { throw refused("the query may not use \(denied)") }
      if code & 0xFF == SQLITE_ERROR { throw refused("the query is not understood: \(words)") }
      throw failure("cannot be read")
    }
    guard let statement else { throw refused("the query is empty") }
    if hasMore || sqlite3_stmt_readonly(statement) == 0 || sqlite3_stmt_isexplain(statement) != 0 || sqlite3_column_count(statement) == 0 {
      let mistake = refused(hasMore ? "the query is more than one statement" : "the query gives no rows")
      sqlite3_finalize(statement)
      throw mistake
    }
    return statement
  }

  /// What the last call of SQLite's failed for.
  func failure(_ what: String) -> Diagnostic {
    let code = sqlite3_errcode(handle)
    var hint: String?
    if code & 0xFF == SQLITE_BUSY { hint = "another program is writing; run again when it has finished" }
    if code & 0xFF == SQLITE_CANTOPEN || code & 0xFF == SQLITE_READONLY {
      hint = "a program may have ended in the middle of a change: open the database once with that program or with sqlite3, which mends it"
    }
    return Diagnostic("\(what): \(words)", at: .data(file: name, line: nil, byte: nil, column: nil), hint: hint)
  }

  private var words: String { sqlite3_errmsg(handle).map { String(cString: $0) } ?? "out of memory" }

  private func refused(_ message: String) -> Diagnostic { Diagnostic(message, at: .setting(["query"]), expected: "one SELECT") }

  /// Whether everything is in the file itself, although the database is in write-ahead mode: then nothing has to be made beside it.
  private static func isComplete(_ path: String, _ name: String) throws -> Bool {
    // Bytes 18 and 19: 2 is write-ahead mode (https://www.sqlite.org/fileformat.html).
    let head = try FileBytes(path: path, name: name).head(20)
    guard head.count == 20, head[18] == 2, head[19] == 2 else { return false }
    return try !FileBytes.exists(path + "-wal") || FileBytes(path: path + "-wal", name: name + "-wal").size == 0
  }

  /// As a URI, which alone can say `immutable`.
  private static func address(_ path: String, isComplete: Bool) -> String {
    let digits = Array("0123456789ABCDEF")
    var address = path.hasPrefix("/") ? "file://" : "file:"
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), 48...57, 65...90, 97...122: address.unicodeScalars.append(Unicode.Scalar(byte))
      default: address += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
    return isComplete ? address + "?immutable=1" : address
  }
}

/// Says what a statement may do, while SQLite reads it: select, read columns, call functions that depend on nothing else.
private final class Guardian {
  /// What was refused first.
  private(set) var denied: String?

  /// Functions that reach out of the database, or give other rows each time.
  private static let refusedFunctions: Set<String> = [
    "load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "random", "randomblob", "current_date", "current_time", "current_timestamp",
  ]

  func judge(_ action: Int32, _ first: UnsafePointer<CChar>?, _ second: UnsafePointer<CChar>?) -> Int32 {
    let first = first.map { String(cString: $0) } ?? "", second = second.map { String(cString: $0) } ?? ""
    switch action {
    case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return SQLITE_OK
    case SQLITE_FUNCTION where !Self.refusedFunctions.contains(second.lowercased()): return SQLITE_OK
    // Full-text tables ask for it.
    case SQLITE_PRAGMA where first.lowercased() == "data_version": return SQLITE_OK
    case SQLITE_FUNCTION: deny("the function \(second)")
    case SQLITE_ATTACH: deny("ATTACH")
    case SQLITE_DETACH: deny("DETACH")
    case SQLITE_PRAGMA: deny("PRAGMA \(first)")
    default: deny("statements that change a database")
    }
    return SQLITE_DENY
  }

  private func deny(_ what: String) { if denied == nil { denied = what } }
}
