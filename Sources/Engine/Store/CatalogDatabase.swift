import CSQLite
import Synchronization

/// The few things that the catalog asks of SQLite: one connection, one user at a time.
// @unchecked: the handle is used only inside of `turn`, a mutex.
final class CatalogDatabase: @unchecked Sendable {
  struct Failure: Error {
    /// SQLite's own, without its details.
    let code: Int32

    /// The file is no database, or no longer a whole one.
    var isDamage: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }
  }

  private let handle: OpaquePointer?
  private let turn = Mutex(())
  private let questions = Questions()
  /// Another process that writes has the file for itself for moments.
  private static let patience: Int32 = 10_000  // ms

  /// Nil: in memory.
  init(path: String?) throws {
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(path ?? ":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK else {
      sqlite3_close_v2(handle)
      throw Failure(code: code & 0xFF)
    }
    self.handle = handle
    sqlite3_busy_timeout(handle, Self.patience)
  }

  deinit {
    questions.forget()
    sqlite3_close_v2(handle)
  }

  /// Statements that were asked before, ready to be asked again: to compile one takes longer than to answer it.
  fileprivate final class Questions {
    var prepared: [String: OpaquePointer] = [:]

    func forget() {
      for statement in prepared.values { sqlite3_finalize(statement) }
      prepared = [:]
    }
  }

  /// One user of the connection, while it has its turn.
  struct Turn: ~Copyable {
    fileprivate let handle: OpaquePointer?
    // Not retained: the database has it for as long as there are turns.
    fileprivate let questions: Unmanaged<Questions>

    /// Statements without parameters and rows.
    func execute(_ statements: String) throws {
      let code = sqlite3_exec(handle, statements, nil, nil, nil)
      if code != SQLITE_OK { throw Failure(code: code & 0xFF) }
    }

    func run(_ statement: String, _ values: Cell...) throws { _ = try rows(statement, values) }

    /// One statement with the values of each of several.
    func run(_ statement: String, ofEach rows: some Sequence<[Cell]>) throws {
      var prepared: OpaquePointer?
      defer { sqlite3_finalize(prepared) }
      for values in rows {
        if prepared == nil {
          let code = sqlite3_prepare_v2(handle, statement, -1, &prepared, nil)
          guard code == SQLITE_OK else { throw Failure(code: code & 0xFF) }
        }
        for (at, value) in values.enumerated() { value.bind(to: prepared, Int32(at + 1)) }
        let code = sqlite3_step(prepared)
        guard code == SQLITE_DONE else { throw Failure(code: code & 0xFF) }
        sqlite3_reset(prepared)
      }
    }

    func rows(_ statement: String, _ values: Cell...) throws -> [[Cell]] { try rows(statement, values) }

    private func rows(_ statement: String, _ values: [Cell]) throws -> [[Cell]] {
      // Without values it is asked once.
      let questions = questions.takeUnretainedValue()
      var prepared = values.isEmpty ? nil : questions.prepared[statement]
      if prepared == nil {
        let code = sqlite3_prepare_v2(handle, statement, -1, &prepared, nil)
        guard code == SQLITE_OK else { throw Failure(code: code & 0xFF) }
        if !values.isEmpty { questions.prepared[statement] = prepared }
      }
      defer {
        if values.isEmpty { sqlite3_finalize(prepared) } else { sqlite3_reset(prepared) }
      }
      for (at, value) in values.enumerated() { value.bind(to: prepared, Int32(at + 1)) }
      var rows: [[Cell]] = []
      while true {
        switch sqlite3_step(prepared) {
        case SQLITE_ROW: rows.append((0..<sqlite3_column_count(prepared)).map { Cell(prepared, $0) })
        case SQLITE_DONE: return rows
        case let code: throw Failure(code: code & 0xFF)
        }
      }
    }
  }

  func read<Result>(_ body: (borrowing Turn) throws -> Result) throws -> Result {
    try turn.withLock { _ in try body(Turn(handle: handle, questions: .passUnretained(questions))) }
  }

  /// All of it or nothing.
  func write(_ body: (borrowing Turn) throws -> Void) throws {
    try turn.withLock { _ in
      let turn = Turn(handle: handle, questions: .passUnretained(questions))
      try turn.execute("BEGIN IMMEDIATE")
      do {
        try body(turn)
        try turn.execute("COMMIT")
      } catch {
        try? turn.execute("ROLLBACK")
        throw error
      }
    }
  }
}

/// A value of SQLite's.
enum Cell {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)

  fileprivate init(_ statement: OpaquePointer?, _ column: Int32) {
    switch sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: self = .integer(sqlite3_column_int64(statement, column))
    case SQLITE_FLOAT: self = .real(sqlite3_column_double(statement, column))
    case SQLITE_TEXT: self = sqlite3_column_text(statement, column).map { .text(String(cString: $0)) } ?? .null
    default: self = .null
    }
  }

  fileprivate func bind(to statement: OpaquePointer?, _ place: Int32) {
    switch self {
    case .null: sqlite3_bind_null(statement, place)
    case .integer(let value): sqlite3_bind_int64(statement, place, value)
    case .real(let value): sqlite3_bind_double(statement, place, value)
    // SQLITE_TRANSIENT, which is no constant to Swift: SQLite copies the bytes.
    case .text(let text): sqlite3_bind_text(statement, place, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
    }
  }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  var real: Double? { if case .real(let value) = self { value } else { integer.map(Double.init) } }
}
