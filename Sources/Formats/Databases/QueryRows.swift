import Columns

/// One pass over the rows that a query gives, in the order it gives them.
protocol QueryRows: AnyObject {
  /// Of the columns, as the query names them; may be equal or empty.
  var names: [String] { get }
  /// Goes to the next row; false behind the last.
  func next() throws -> Bool
  /// A cell of the current row.
  func cell(_ column: Int) -> QueryCell
}

/// A cell as the database gives it.
enum QueryCell {
  case null
  /// In the spelling of `CellKind`. The bytes stay where they are until another cell is asked for.
  case text(CellKind, UnsafeBufferPointer<UInt8>)
  /// No text and no number: so many bytes.
  case binary(Int)
}

/// One query as both a place for mistakes and something to be asked again: every `open` gives its rows from the first.
protocol Query: Sendable {
  associatedtype Rows: QueryRows
  /// What messages and the quarantine call it.
  var name: String { get }
  func open() throws -> Rows
  /// The narrowest types of all columns; nil where all rows have to be seen for them.
  func types(of rows: Rows) -> [ColumnType]?
}
