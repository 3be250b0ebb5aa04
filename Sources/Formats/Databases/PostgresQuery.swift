import Columns
import Diagnostics

/// A query to a database of PostgreSQL, in a transaction that only reads and sees one moment. Rows come through a cursor, some
/// thousands at a time.
public struct PostgresQuery: Query {
  let name: String
  private let url: String
  private let query: String

  /// `url`: as the person gave it; it may hold a password, so no message repeats it. `name` is what messages say.
  public init(url: String, name: String, query: String) { (self.url, self.name, self.query) = (url, name, query) }

  /// Whether a text names such a database.
  public static func isAddress(_ text: String) -> Bool { text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") }

  func open() throws -> PostgresRows { try PostgresRows(PostgresConnection(url: url, name: name), query, setting: "query") }

  /// They are seen in the rows: a numeric without precision says nothing of its cells.
  func types(of rows: PostgresRows) -> [ColumnType]? { nil }

  /// The one value that the query gives, as a text: the version of the rows of another query. Null is "null".
  public func value(setting: String) throws -> String {
    let rows = try PostgresRows(PostgresConnection(url: url, name: name), query, setting: setting)
    func wrong(_ found: String) -> Diagnostic { Diagnostic("the query does not give one value", at: .setting([.key(setting)]), expected: "one row of one column", found: found) }
    guard rows.names.count == 1 else { throw wrong("\(rows.names.count) columns") }
    guard try rows.next() else { throw wrong("no row") }
    let value: String
    switch rows.cell(0) {
    case .null: value = "null"
    case .text(_, let text): value = "is " + printable(text)
    case .binary(let count): throw wrong("\(count) bytes")
    }
    if try rows.next() { throw wrong("several rows") }
    return value
  }
}

/// The rows of one query, from a cursor of the server's.
final class PostgresRows: QueryRows {
  let names: [String]
  private let connection: PostgresConnection
  private var result: OpaquePointer?
  private var row = -1, count = 0, ordinal = 0
  private let kinds: [Kind]
  private let room = Slab<UInt8>()

  private enum Kind { case text, number, bool, date, timestamp, instant, binary }

  /// At a time. A row of ours seldom passes a hundred bytes.
  private static let fetched = 4096

  init(_ connection: PostgresConnection, _ query: String, setting: String) throws {
    self.connection = connection
    guard !query.utf8.contains(0) else { throw Diagnostic("the query holds a zero byte", at: .setting([.key(setting)]), expected: "one SELECT") }
    // A line of its own: a comment may end the query. The server takes one statement, and a cursor's must be a SELECT or VALUES.
    PostgresConnection.clear(try connection.run("DECLARE millrace NO SCROLL CURSOR FOR \(query)\n", setting: setting))
    let columns = try connection.run("FETCH 0 FROM millrace", setting: setting)
    defer { PostgresConnection.clear(columns) }
    names = connection.names(of: columns)
    // Numbers of types: pg_type.dat of PostgreSQL.
    kinds = connection.types(of: columns).map { type in
      switch type {
      case 20, 21, 23, 26, 700, 701, 1700: .number
      case 16: .bool
      case 1082: .date
      case 1114: .timestamp
      case 1184: .instant
      case 17: .binary
      default: .text
      }
    }
  }

  deinit { PostgresConnection.clear(result) }

  func next() throws -> Bool {
    row += 1
    if row >= count {
      PostgresConnection.clear(result)
      result = nil
      let fetched = try connection.run("FETCH \(Self.fetched) FROM millrace", after: ordinal)
      (result, row, count) = (fetched, 0, PostgresConnection.rows(of: fetched))
      if count == 0 { return false }
    }
    ordinal += 1
    return true
  }

  func cell(_ column: Int) -> QueryCell {
    guard let result, let text = PostgresConnection.value(result, row, column) else { return .null }
    switch kinds[column] {
    case .text: return .text(.text, text)
    case .number: return .text(.number, text)
    case .bool: return .text(.bool, copy(text.first == UInt8(ascii: "t") ? "true" : "false"))
    case .date: return .text(.date, text)
    case .timestamp: return .text(.timestamp, text)
    case .instant: return .text(.timestamp, withOffset(text))
    case .binary: return .binary(max(0, text.count / 2 - 1))  // written as \x and two digits a byte
    }
  }

  private func copy(_ text: StaticString) -> UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount) }

  /// The session's zone is UTC, which the server writes as `+00`; ours is `Z`.
  private func withOffset(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    guard text.count > 3, let base = text.baseAddress, text[text.count - 3] == UInt8(ascii: "+") else { return text }
    room.clear(for: text.count)
    room.pointer.update(from: base, count: text.count - 3)
    room.pointer[text.count - 3] = UInt8(ascii: "Z")
    return UnsafeBufferPointer(start: room.pointer, count: text.count - 2)
  }
}
