import Columns

/// Decodes units of text, one at a time: index → shape → typed cells, a column at a time. One a thread.
final class UnitWorker {
  let index = RecordIndex()
  let starts = Slab<UInt32>(), ends = Slab<UInt32>(), present = Slab<UInt8>(), keep = Slab<UInt8>()
  let edited = Slab<UInt8>()
  let editors: [PatternEditor?]
  /// nil: the column goes the longer way.
  let directPlans: [DirectPlan?]
  let layout: TableLayout

  init(_ layout: TableLayout) {
    self.layout = layout
    directPlans = layout.plans.map { DirectPlan($0, layout) }
    editors = layout.plans.map { plan in
      plan.edits.contains { if case .pattern = $0 { true } else { false } } ? PatternEditor(plan.edits) : nil
    }
  }

  /// `shadow`: offset from the text to as much free memory, where unescaped text is put. `dictionaries`: of the text
  /// columns that have one; nil for all: take it as a trial, put every text into `fresh` and leave the other columns out.
  func decode(
    _ base: UnsafePointer<UInt8>, shadow: Int, from: Int, to: Int, scanner: RecordScanner?,
    dictionaries: [TextDictionary?]?, into result: UnitResult
  ) {
    if let scanner {
      scanner.scan(base, from: from, to: to, into: index)
    } else {
      index.scan(base, from: from, to: to, delimiter: layout.delimiter, quote: layout.quote)
    }
    result.from = from
    result.consumed = index.consumed
    result.lines = index.lines
    result.isDoubtful = index.isDoubtful
    result.bad.removeAll(keepingCapacity: true)
    if index.isDoubtful { return }
    while result.chunks.count < layout.plans.count { result.chunks.append(ColumnChunk()) }
    if index.hasHigh, let bad = firstInvalidUTF8(base, from: from, to: index.consumed) { markInvalid(base, from: bad) }
    shape(base, result)
    for column in layout.plans.indices where !layout.plans[column].isText && dictionaries != nil {
      if !decodeDirectly(base, shadow, column, result) { decodeFixed(base, shadow, column, result) }
    }
    if !result.bad.isEmpty { dropBadRows(result) }
    for column in layout.plans.indices where layout.plans[column].isText {
      if let dictionaries, !index.hasStarts, let direct = directPlans[column] {
        if let dictionary = dictionaries[column] {
          encodeDirectly(base, shadow, column, result, direct, dictionary)
        } else {
          copyTextsDirectly(base, shadow, column, result, direct)
        }
        continue
      }
      let text = locate(base, shadow, column, result.rows)
      let chunk = result.chunks[column]
      if let dictionaries {
        if let dictionary = dictionaries[column] { encode(text, result.rows, dictionary, chunk) } else { copyTexts(text, result.rows, chunk) }
      } else {
        chunk.fresh.removeAll()
        encode(text, result.rows, nil, chunk)
      }
    }
  }

  /// Rows with bytes that are not UTF-8 get a flaw.
  private func markInvalid(_ base: UnsafePointer<UInt8>, from: Int) {
    if !index.hasStarts {
      index.flaws.grow(to: index.rows + 1, keeping: 0)
      index.flaws.pointer.update(repeating: 0, count: index.rows + 1)
    }
    var row = 0, at = from
    while true {
      while Int(index.rowStart.pointer[row + 1]) <= at { row += 1 }
      if index.flaws.pointer[row] == RowFlaw.none { index.flaws.pointer[row] = RowFlaw.badUTF8 }
      let next = Int(index.rowStart.pointer[row + 1])
      guard row + 1 < index.rows, let bad = firstInvalidUTF8(base, from: next, to: index.consumed) else { break }
      at = bad
    }
    hasFlaws = true
  }

  private var hasFlaws = false

  /// Rows with as many fields as the table has stay, at the front of `rowFirst` and `rowStart`.
  private func shape(_ base: UnsafePointer<UInt8>, _ result: UnitResult) {
    let rowFirst = index.rowFirst.pointer, rowStart = index.rowStart.pointer, ends = index.ends.pointer
    let flaws: UnsafeMutablePointer<UInt8>? = index.hasStarts || hasFlaws ? index.flaws.pointer : nil
    let width = layout.fieldCount, rows = index.rows
    hasFlaws = false
    result.blankRows = 0
    var kept = 0, record = 0
    result.ordinals.clear(for: rows)
    let ordinals = result.ordinals.pointer
    for row in 0..<rows {
      let first = rowFirst[row], next = rowFirst[row &+ 1], start = rowStart[row]
      let found = Int(next &- first)
      if found == width, flaws == nil || flaws![row] == RowFlaw.none {
        rowFirst[kept] = first
        rowStart[kept] = start
        ordinals[kept] = UInt32(truncatingIfNeeded: record)
        kept &+= 1
        record &+= 1
        continue
      }
      let end = Int(rowStart[row &+ 1]), flaw = flaws?[row] ?? RowFlaw.none
      if found == 0 || found == 1 && Int(ends[Int(first)]) == Int(start) {
        result.blankRows += 1
        continue
      }
      let reason: BadRow.Reason =
        switch flaw {
        case RowFlaw.textBehindQuote: .textBehindQuote
        case RowFlaw.unclosed: .unclosedQuote
        case RowFlaw.badUTF8: .invalidUTF8
        default: .fieldCount(found: found)
        }
      let place = reason == .invalidUTF8 ? firstInvalidUTF8(base, from: Int(start), to: end) ?? Int(start) : Int(start)
      result.bad.append(BadRow(ordinal: record, start: Int(start), end: end, reason: reason, cell: place..<place))
      record &+= 1
    }
    result.rows = kept
    result.records = record
  }

  /// Moves the rows that every column could read to the front.
  private func dropBadRows(_ result: UnitResult) {
    result.bad.sort { $0.ordinal < $1.ordinal }
    guard let keep = badCells else { return }
    badCells = nil
    let rows = result.rows
    var kept = 0
    for row in 0..<rows where keep[row] != 0 {
      index.rowFirst.pointer[kept] = index.rowFirst.pointer[row]
      index.rowStart.pointer[kept] = index.rowStart.pointer[row]
      result.ordinals.pointer[kept] = result.ordinals.pointer[row]
      kept &+= 1
    }
    for column in layout.plans.indices where !layout.plans[column].isText {
      let chunk = result.chunks[column]
      switch layout.plans[column].column.type.width {
      case 4: compact(UnsafeMutableRawPointer(chunk.cells.pointer).assumingMemoryBound(to: Int32.self), keep, rows)
      case 8: compact(UnsafeMutableRawPointer(chunk.cells.pointer).assumingMemoryBound(to: Int64.self), keep, rows)
      default: compact(chunk.cells.pointer, keep, rows)
      }
      compact(chunk.valid.pointer, keep, rows)
      chunk.nullCount = (0..<kept).reduce(0) { $0 + (chunk.valid.pointer[$1] == 0 ? 1 : 0) }
    }
    result.rows = kept
  }

  private func compact<T>(_ cells: UnsafeMutablePointer<T>, _ keep: UnsafeMutablePointer<UInt8>, _ rows: Int) {
    var kept = 0
    for row in 0..<rows where keep[row] != 0 {
      cells[kept] = cells[row]
      kept &+= 1
    }
  }

  private var badCells: UnsafeMutablePointer<UInt8>?

  @inline(never) func note(_ base: UnsafePointer<UInt8>, _ row: Int, _ column: Int, _ flaw: CellFlaw, _ result: UnitResult) {
    if badCells == nil {
      keep.clear(for: result.rows)
      keep.pointer.update(repeating: 1, count: result.rows)
      badCells = keep.pointer
    }
    guard keep.pointer[row] != 0 else { return }
    keep.pointer[row] = 0
    let first = Int(index.rowFirst.pointer[row]), last = first + layout.fieldCount - 1
    let start = Int(index.rowStart.pointer[row])
    let field = first + layout.positions[column]
    let from = index.hasStarts ? Int(index.starts.pointer[field]) : layout.positions[column] == 0 ? start : Int(index.ends.pointer[field - 1]) + 1
    result.bad.append(BadRow(
      ordinal: Int(result.ordinals.pointer[row]), start: start, end: Int(index.ends.pointer[last]), reason: .cell(column: column, flaw),
      cell: from..<Int(index.ends.pointer[field])))
  }
}
