import Columns
import Diagnostics

/// The rows of a query, typed. A row with a cell that is not of its column's type goes to quarantine, with its number.
///
/// Numbers of the database become text in their shortest spelling and then the column's type, as in workbooks; texts are read
/// as in CSV. One row is held at a time, besides the batch that is being made.
struct QueryTable<Source: Query>: Sendable {
  private let query: Source
  private let point: UInt8
  private let layout: RowLayout
  /// nil: the query has no such column.
  private let positions: [Int?]
  private let ignored: [String]

  /// `columns` nil: all, with the narrowest types that hold their cells; `asText`: as text.
  init(
    _ query: Source, columns: [CSVColumn]?, dialect: CSVDialect = CSVDialect(), sourceRow: String? = nil, asText: Bool = false,
    missing: TableSource.Options.Missing = .refused
  ) throws {
    self.query = query
    point = dialect.decimal.asciiValue ?? 46
    let rows = try query.open(), names = rows.names
    layout = try RowLayout(columns ?? Self.allColumns(query, rows, asText: asText), sourceRow: sourceRow)
    let plans = layout.plans
    let there = plans.indices.filter { at in
      guard missing == .null, case .name(let name) = plans[at].column.source else { return true }
      return names.contains(name)
    }
    let table = try TableLayout(
      plans: there.map { plans[$0] }, names: names, fieldCount: names.count, dialect: dialect, file: query.name, owner: "the query")
    var positions: [Int?] = Array(repeating: nil, count: plans.count)
    for (at, plan) in there.enumerated() { positions[plan] = table.positions[at] }
    self.positions = positions
    ignored = table.ignored
  }

  var schema: Schema { layout.schema }

  private static func allColumns(_ query: Source, _ rows: Source.Rows, asText: Bool) throws -> [CSVColumn] {
    let names = rows.names
    let all = try TableLayout(plans: nil, names: names, fieldCount: names.count, dialect: CSVDialect(), file: query.name)
    var types = asText ? names.map { _ in ColumnType.string } : query.types(of: rows)
    if types == nil {
      var evidence = names.map { _ in ColumnEvidence(fractionLimit: 4, readsTimes: true) }
      while try rows.next() {
        for at in names.indices { if case .text(let kind, let text) = rows.cell(at) { evidence[at].see(kind, text) } }
      }
      types = evidence.map(\.type)
    }
    return all.plans.indices.map { at in CSVColumn(all.plans[at].column.name, from: .position(at + 1), types![at]) }
  }

  /// Reads all rows. Both callbacks run on the calling thread; batches are never empty.
  @discardableResult func read(batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void = { _ in }) throws -> CSVReport {
    let assembler = RowAssembler(layout.plans, point: point)
    let rows = try query.open()
    var tally = RowTally(schema), ordinal = 0
    while try rows.next() {
      var flaw: (reason: QuarantineReason, column: String, words: String)?
      for (at, position) in positions.enumerated() {
        guard let position else { continue }
        switch rows.cell(position) {
        case .null: continue
        case .text(let kind, let text):
          if kind == .text, let base = text.baseAddress, firstInvalidUTF8(base, from: 0, to: text.count) != nil {
            flaw = flaw ?? (.encoding, layout.plans[at].column.name, "not UTF-8")
          } else {
            assembler.set(at, kind, text)
          }
        case .binary(let count):
          let column = layout.plans[at].column
          flaw = flaw ?? (.type, column.name, "expected \(column.type), found a blob of \(count) bytes; the query may give hex(…) or CAST(… AS TEXT)")
        }
      }
      if flaw != nil {
        assembler.dropRow()
      } else if let mistake = assembler.finishRow(ordinal: ordinal) {
        flaw = (mistake.reason, mistake.column, mistake.words)
      }
      ordinal += 1
      tally.add(rows: 1, kept: flaw == nil ? 1 : 0)
      if let flaw {
        tally.reject(flaw.reason)
        var bad = QuarantineBuilder()
        bad.append(file: query.name, line: ordinal, byte: nil, column: flaw.column, text: Self.words(rows), reason: flaw.words)
        try quarantine(bad.finish())
      }
      if assembler.isFull { try batch(assembler.take(schema)) }
    }
    if assembler.rows > 0 { try batch(assembler.take(schema)) }
    return tally.finished(ignored: ignored)
  }

  /// The whole row, for people: `id=7 | note=left open`.
  private static func words(_ rows: Source.Rows) -> String {
    rows.names.enumerated().map { at, name in
      switch rows.cell(at) {
      case .null: return name + "="
      case .text(_, let text): return name + "=" + printable(text)
      case .binary(let count): return name + "=(\(count) bytes)"
      }
    }.joined(separator: " | ")
  }
}
