import Columns
import Diagnostics

/// What the units of a window hold goes to the batch that is being made, and to quarantine.
extension CSVRun {
  func giveOutBatch(_ batch: (Batch) throws -> Void) throws {
    guard let assembler, assembler.rows > 0 else { return }
    try batch(assembler.finish())
  }

  func giveOut(_ units: ArraySlice<UnitResult>, _ layout: TableLayout, _ quarantine: (Batch) throws -> Void) throws {
    if assembler == nil {
      assembler = BatchAssembler(
        layout, schema, dictionaries: dictionaries ?? [], windows: windowsPerBatch, threads: reader.threads)
    }
    try assembler?.append(units, firstRow: report.rows, file: name)
    var rejects = QuarantineBuilder()
    for unit in units {
      // Bad rows come in their order: lines are counted on from the one before.
      var line = lines + 1, counted = unit.from
      for bad in unit.bad {
        line += lineCount(window.base, from: counted, to: bad.start)
        counted = bad.start
        reject(bad, line: line, layout, &rejects)
      }
      lines += unit.lines
      report.rows += unit.records
      report.kept += unit.rows
      report.quarantined += unit.bad.count
      report.blankRows += unit.blankRows
    }
    if rejects.count > 0 { try quarantine(rejects.finish()) }
  }

  private func reject(_ bad: BadRow, line: Int, _ layout: TableLayout, _ to: inout QuarantineBuilder) {
    let base = window.base
    var end = bad.end
    while end > bad.start, base[end - 1] == 10 || base[end - 1] == 13 { end -= 1 }
    let text = printable(UnsafeBufferPointer(start: base + bad.start, count: end - bad.start))
    var column: String?
    let kind: QuarantineReason, words: String
    switch bad.reason {
    case .fieldCount(let found): (kind, words) = (.fieldCount, "expected \(layout.fieldCount) fields, found \(found)")
    case .textBehindQuote: (kind, words) = (.quotes, "text behind a closing quote")
    case .unclosedQuote: (kind, words) = (.quotes, "the quote that opens on line \(line) is never closed")
    case .invalidUTF8: (kind, words) = (.encoding, "not UTF-8 at byte \(bytesBefore + bad.cell.lowerBound - window.begin)")
    case .cell(let at, let flaw):
      let plan = layout.plans[at].column
      column = plan.name
      let cell = printable(UnsafeBufferPointer(start: base + bad.cell.lowerBound, count: min(bad.cell.count, 80)))
      let found = "expected \(plan.type), found \"\(cell)\(bad.cell.count > 80 ? "…" : "")\""
      switch flaw {
      case .outOfRange: (kind, words) = (.range, found + ": out of range")
      case .tooManyDigits: (kind, words) = (.digits, found + ": more digits than the type holds")
      case .none, .notOfType: (kind, words) = (.type, found)
      }
    }
    counts[kind, default: 0] += 1
    let byte: Int
    if case .fieldCount = bad.reason { byte = bad.start } else { byte = bad.cell.lowerBound }
    to.append(
      file: name, line: line, byte: bytesBefore + byte - window.begin, column: column, text: text, reason: words)
  }
}
