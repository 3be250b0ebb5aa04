import Columns
import Diagnostics

/// Makes typed columns of rows whose cells come one by one. A row with a cell that is not of its column's type is left
/// out whole.
final class RowAssembler {
  struct Mistake {
    let column: String
    let reason: QuarantineReason
    let words: String
  }

  let stores: [CellStore]
  /// Whole rows since the last `take`.
  private(set) var rows = 0
  /// The place of each of them among all rows that were read, from 0.
  private var ordinals: [Int] = []
  private var mistake: Mistake?

  init(_ plans: [ColumnPlan], point: UInt8) { stores = plans.map { CellStore($0, point: point) } }

  func isSet(_ column: Int) -> Bool { stores[column].isSet }
  func setNull(_ column: Int) { stores[column].setNull() }

  /// False: this cell is the first of its row that is not of its column's type.
  @discardableResult @inline(__always) func set(_ column: Int, _ kind: CellKind, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let flaw = stores[column].set(kind, text)
    if flaw == .none || mistake != nil { return true }
    note(column, flaw, text)
    return false
  }

  @inline(never) private func note(_ at: Int, _ flaw: CellFlaw, _ text: UnsafeBufferPointer<UInt8>) {
    let column = stores[at].plan.column
    var cell = printable(UnsafeBufferPointer(rebasing: text.prefix(80)))
    // A cut may fall into a character.
    if text.count > 80 { cell = String(decoding: text.prefix(80), as: UTF8.self) + "…" }
    let found = "expected \(column.type), found \"\(cell)\""
    switch flaw {
    case .outOfRange: mistake = Mistake(column: column.name, reason: .range, words: found + ": out of range")
    case .tooManyDigits: mistake = Mistake(column: column.name, reason: .digits, words: found + ": more digits than the type holds")
    case .none, .notOfType: mistake = Mistake(column: column.name, reason: .type, words: found)
    }
  }

  /// Ends a row. `ordinal`: its place among all rows that were read. Says what keeps it out.
  func finishRow(ordinal: Int) -> Mistake? {
    let found = mistake
    for store in stores { store.close(row: rows, keep: found == nil) }
    if found == nil {
      rows += 1
      ordinals.append(ordinal)
    }
    mistake = nil
    return found
  }

  /// Forgets the cells of a row that turned out to be none.
  func dropRow() {
    for store in stores { store.close(row: rows, keep: false) }
    mistake = nil
  }

  /// Whether what is held should be given out: rows and bytes of text have a bound.
  var isFull: Bool { rows >= 1 << 16 || rows & 255 == 0 && stores.contains { $0.textBytes > 8 << 20 } }

  /// A batch of all whole rows, which are forgotten then. `rowsBefore` is added to each row's place.
  func take(_ schema: Schema, rowsBefore: Int = 0) -> Batch {
    let count = rows
    var columns = stores.map { $0.take(count) }
    if schema.count > columns.count { columns.append(.full(.int64, ordinals.map { Int64(rowsBefore + $0 + 1) })) }
    rows = 0
    ordinals.removeAll(keepingCapacity: true)
    return Batch(schema: schema, columns: columns, count: count)
  }
}

/// What the columns told come to: plans, and what batches will look like.
struct RowLayout {
  let plans: [ColumnPlan]
  let schema: Schema

  init(_ columns: [CSVColumn], sourceRow: String?) throws(Mistakes) {
    var mistakes: [Diagnostic] = [], seen: Set<String> = []
    plans = columns.map { ColumnPlan($0, &mistakes) }
    for column in columns where !seen.insert(column.name).inserted {
      mistakes.append(Diagnostic("two columns are named \"\(column.name)\"", at: .setting(["columns"])))
    }
    if let sourceRow, seen.contains(sourceRow) {
      mistakes.append(Diagnostic("\"\(sourceRow)\" is the name of a column and of the source row", at: .setting(["sourceRow"])))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    schema = Schema(columns.map { Field($0.name, $0.type) } + (sourceRow.map { [Field($0, .int64)] } ?? []))
  }
}
