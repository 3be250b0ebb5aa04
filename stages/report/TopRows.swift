import Charts
import Columns
import Kernels
import Pipelines

/// The first rows of a table, or those with the largest (or smallest) values of a column; among equal ones the earlier
/// rows. No more than these and one batch are held, however long the table is.
struct TopRows {
  let rows: ReportPlan.Rows
  let source: TableArtifact
  private let shown: [String]

  init(_ rows: ReportPlan.Rows, of source: TableArtifact) {
    self.rows = rows
    self.source = source
    shown = rows.columns ?? source.schema.names
  }

  func table(_ context: any RunContext) throws -> Charts.Table {
    let top = try top(context)
    let columns = shown.map { name -> Charts.Table.Column in
      guard top[name].type.isNumeric else { return .text(words(of: name)) }
      return .number(words(of: name), rows.formats.first { $0.column == name }?.format ?? Self.format(of: name, top[name]))
    }
    let cells = (0..<top.count).map { row in
      shown.map { name -> Charts.Table.Cell in
        let column = top[name]
        if column.isNull(row) { return .missing }
        return column.type.isNumeric ? .number(column.slice(row..<row + 1).doubles()[0]) : .text(column.value(at: row).label)
      }
    }
    return Charts.Table(caption: caption(top.count), columns: columns, rows: cells)
  }

  /// Shares read better as percentages; the other numbers of a column have the same decimals, so that they stand under each other.
  private static func format(of name: String, _ column: Column) -> NumberFormat {
    if name == "share" || name.hasSuffix("_share") { return .percent }
    switch column.type {
    case .int32, .int64: return .integer
    case .decimal(_, let scale): return NumberFormat(decimals: min(scale, 2))
    case .float64:
      let numbers = column.doubles().filter(\.isFinite)
      if numbers.allSatisfy({ $0 == $0.rounded(.towardZero) }) { return .integer }
      let largest = numbers.map(abs).max() ?? 0
      // Very small numbers keep the digits that matter, each its own.
      return largest < 0.01 ? .plain : NumberFormat(decimals: largest >= 100_000 ? 0 : largest > 1 ? 2 : 3)
    case .bool, .string, .date, .timestamp: return .plain
    }
  }

  private func caption(_ count: Int) -> String? {
    if source.rows == 0 { return "No rows" }
    let all = NumberFormat.integer.text(Double(source.rows)), few = NumberFormat.integer.text(Double(count))
    let order = rows.sort.map { ", \(rows.descending ? "largest" : "smallest") \(words(of: $0)) first" } ?? ""
    if count == source.rows { return rows.sort == nil ? nil : "\(all) \(count == 1 ? "row" : "rows")\(order)" }
    return "\(few) of \(all) rows\(order)"
  }

  // MARK: Choosing

  private func top(_ context: any RunContext) throws -> Batch {
    let names = (shown + [rows.sort].compactMap(\.self)).unique
    let schema = source.schema.selecting(names)
    var kept = Batch.concatenate([], schema: schema)
    for partition in source.partitions {
      for at in partition.batchRows.indices {
        if rows.sort == nil, kept.count >= rows.count { return kept }
        try context.checkCancellation()
        var batch = try partition.read(at, columns: names)
        if batch.schema != schema { batch = batch.selecting(names) }
        kept = rows.sort == nil
          ? Batch.concatenate([kept, batch.slice(0..<min(batch.count, rows.count - kept.count))], schema: schema) : merged(kept, batch)
      }
    }
    return kept
  }

  /// The top of both; only the sorted column of `batch` is touched for rows that do not get there.
  private func merged(_ kept: Batch, _ batch: Batch) -> Batch {
    let sort = rows.sort!  // only sorted rows are merged
    let keys = Column.concatenate([kept[sort], batch[sort]], type: batch[sort].type)
    let order = first(rows.count, by: keys)
    let ours = order.filter { $0 < Int32(kept.count) }, theirs = order.filter { $0 >= Int32(kept.count) }
    let pool = Batch.concatenate(
      [kept.gather(ours), batch.gather(theirs.map { $0 - Int32(kept.count) })], schema: kept.schema)
    var place: [Int32: Int32] = [:]
    for (at, row) in (ours + theirs).enumerated() { place[row] = Int32(at) }
    return pool.gather(order.map { place[$0]! })
  }

  /// Rows in the wanted order, equal ones as they came, nulls last.
  private func first(_ count: Int, by keys: Column) -> [Int32] {
    let rows = Int32(keys.count)
    if !self.rows.descending { return Array(sortedRows(by: [keys], count: keys.count).prefix(count)) }
    // Upwards from the last row and then turned round, equal keys come out in their own order; nulls are put back behind.
    let backwards = Array((0..<rows).reversed())
    let upwards = sortedRows(by: [keys.gather(backwards)], count: keys.count).map { rows - 1 - $0 }
    let present = upwards.count - keys.nullCount
    return Array((upwards[..<present].reversed() + upwards[present...].reversed()).prefix(count))
  }
}
