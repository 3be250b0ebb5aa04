import Diagnostics

/// Reads delimited text that may break the rules, row after row, and says what it did about it.
///
/// The table's number of cells is that of the header or, where most rows have more, of most rows of the first 256 KiB. A row
/// that differs is read again in other ways first: with quotes that end at their line, with a quote in the middle of text
/// as the beginning of a cell, with another delimiter. Then `short` and `long` of the dialect decide.
final class LooseTable {
  /// Where a row stands in the text.
  struct Place: Equatable {
    var line: Int
    var byte: Int
    var end: Int
  }

  let dialect: LooseDialect
  let name: String
  /// The names, several rows of them joined; nil without a header.
  private(set) var header: [String]?
  /// Cells of a row; 0 for text without rows.
  private(set) var width = 0
  private(set) var report = LooseReport()
  /// Rows that could not be read; taken by who reads.
  private(set) var rejects: [LooseReject] = []

  private let source: ByteSource
  private let scanner: LooseScanner
  private var buffer: [UInt8] = []
  private var piece = [UInt8](repeating: 0, count: 64 << 10)
  private var at = 0
  private var atEnd = false
  private var line = 1
  /// Bytes before the buffer.
  private var before: Int
  private var headerRow = LooseRow()
  private var repair: RowRepair?
  private var repairs = 0
  private var isOtherTable = false
  private var spare = LooseRow()
  /// Bytes looked at in vain for the ends of what quotes open, and how far that was in the text.
  private(set) var looked = 0
  private var lookedTo = 0

  private static let sampleBytes = 256 << 10
  /// Repairs take time; a file that needs more of them is no table with a few broken rows.
  private static let mostRepairs = 100_000

  /// `source` gives UTF-8; `skipped` bytes of it went before.
  init(_ source: ByteSource, _ dialect: LooseDialect, skipped: Int = 0) throws {
    self.source = source
    self.dialect = dialect
    name = source.name
    before = skipped
    scanner = LooseScanner(dialect)
    try fill(to: Self.sampleBytes)
    for _ in 0..<dialect.preambleRows { try skipLine() }
    let isEmpty = buffer.isEmpty
    if dialect.headerRows > 0 { try readHeader() }
    if dialect.headerRows > 0, header == nil, !dialect.isTolerant {
      throw Diagnostic(
        isEmpty ? "the file is empty" : "the file has no header row", at: .data(file: name, line: nil, byte: nil, column: nil), expected: "a header row")
    }
    learn()
  }

  func takeRejects() -> [LooseReject] {
    defer { rejects = [] }
    return rejects
  }

  /// The next row of the table; nil at the end.
  func next(into row: inout LooseRow) throws -> Place? {
    while let place = try scan([], scanner, into: &row) {
      if row.isBlank || dialect.isTolerant && width > 1 && row.isAllEmpty {
        advance(to: place)
        // Where a row has one cell, a line without text is a row.
        if dialect.keepsBlankRows || width <= 1 && row.bytes.isEmpty { return kept(place) }
        report.blankRows += 1
        continue
      }
      if isOtherTable {
        reject(place, .otherTable)
        continue
      }
      var place = place
      if !dialect.isTolerant, let bad = invalidByte(to: place.end) {
        reject(place, .notUTF8(byte: bad))
        continue
      }
      if row.count == width, row.flaw == .none {
        advance(to: place)
      } else if !dialect.isTolerant {
        if let reason = LooseReject.Reason(row, width: width) {
          reject(place, reason)
          continue
        }
        advance(to: place)
      } else {
        place = try settle(&row, place)
        if row.count != width, begins(row) {
          isOtherTable = true
          report.otherTable = place.line
          reject(place, .otherTable)
          continue
        }
        guard try fit(&row, place) else { continue }
        advance(to: place)
      }
      if dialect.isTolerant, width > 1, header != nil, row.count == headerRow.count, begins(row) {
        if row.texts == headerRow.texts {
          report.repeatedHeaders += 1
          continue
        }
        isOtherTable = true
        report.otherTable = place.line
        reject(place, .otherTable)
        continue
      }
      return kept(place)
    }
    return nil
  }

  private func kept(_ place: Place) -> Place {
    report.kept += 1
    return place
  }
}

// MARK: Rows that do not fit

extension LooseTable {
  /// Reads a row of another number of cells, or with quotes out of place, in other ways, and takes what fits best.
  private func settle(_ row: inout LooseRow, _ place: Place) throws -> Place {
    guard width > 1, row.count != width || row.flaw != .none else { return place }
    let keeps = dialect.short == .keep && dialect.long == .keep
    if keeps, row.flaw == .none { return place }
    let severalLines = lines(to: place.end) > 1
    var ways: [LooseScanner.Reading] = severalLines ? [.linewise] : []
    if row.flaw != .none { ways += severalLines ? [.quotesBegin, [.linewise, .quotesBegin]] : [.quotesBegin] }
    var best = (score: row.count == width ? repair?.score(row) ?? 0 : -1, place: place, row: row)
    for reading in ways {
      guard let other = try scan(reading, scanner, into: &spare), spare.count == width, spare != best.row else { continue }
      let score = repair?.score(spare) ?? 0
      if score > best.score { best = (score, other, spare) }
    }
    if best.row.count != width, !keeps { try tryOtherDelimiters(&best) }
    if best.row.count == width {
      if best.row != row { report.quotes += 1 }
      row = best.row
      return best.place
    }
    // Text without end: what stands on the line alone.
    if severalLines, row.flaw != .none || row.count > width, let other = try scan(.linewise, scanner, into: &spare) {
      swap(&row, &spare)
      return other
    }
    return place
  }

  /// A single row may have been written with another delimiter; whether it was, other rows tell.
  private func tryOtherDelimiters(_ best: inout (score: Int, place: Place, row: LooseRow)) throws {
    guard let repair, width > 2, repairs < Self.mostRepairs else { return }
    for other in [44, 59, 9, 124, 32] as [UInt8] where dialect.delimiter != [other] {
      let scanner = LooseScanner(delimiter: [other], quote: scanner.quote, escape: scanner.escape)
      guard let place = try scan(.linewise, scanner, into: &spare), spare.count >= width else { continue }
      repairs += 1
      guard let made = spare.count == width ? spare : repair.reading([other]).repaired(spare) else { continue }
      let score = repair.score(made)
      if score >= repair.convincing, score > best.score { best = (score, place, made) }
    }
  }

  /// Pads, trims, mends or rejects. False: the row is gone.
  private func fit(_ row: inout LooseRow, _ place: Place) throws -> Bool {
    guard row.count != width else { return true }
    let isShort = row.count < width
    if isShort ? dialect.short == .keep : dialect.long == .keep { return true }
    if isShort ? dialect.short == .quarantine : dialect.long == .quarantine {
      reject(place, .cellCount(found: row.count, expected: width))
      return false
    }
    if let repair, repairs < Self.mostRepairs {
      repairs += 1
      if let mended = repair.repaired(row) {
        row = mended
        report.mended += 1
        return true
      }
    }
    if isShort {
      report.padded += 1
      row.pad(to: width)
    } else if dialect.long == .mend, (width..<row.count).contains(where: { !row.isEmpty($0) }) {
      reject(place, .cellCount(found: row.count, expected: width))
      return false
    } else {
      report.trimmed += 1
      report.cellsCut += (width..<row.count).filter { !row.isEmpty($0) }.count
      row.cut(to: width)
    }
    return true
  }

  /// Whether the row names columns as the header does: the header again, or that of another table.
  private func begins(_ row: LooseRow) -> Bool {
    guard header != nil, row.count > 1 else { return false }
    var shared = 0, named = 0
    for cell in 0..<headerRow.count where !headerRow.isEmpty(cell) {
      named += 1
      if cell < row.count, row[cell] == headerRow[cell] { shared += 1 }
    }
    return shared >= 2 && shared * 2 >= named && shared * 2 >= row.count
  }
}

// MARK: The beginning

extension LooseTable {
  private func skipLine() throws {
    var row = LooseRow()
    let line = LooseScanner(delimiter: [10], quote: nil, escape: nil)
    if let place = try scan([], line, into: &row) { advance(to: place) }
  }

  private func readHeader() throws {
    var rows: [LooseRow] = []
    var row = LooseRow()
    while rows.count < dialect.headerRows, let place = try scan([], scanner, into: &row) {
      if rows.isEmpty, row.isBlank {
        if !(row.bytes.isEmpty && dialect.keepsBlankRows) {
          advance(to: place)
          continue
        }
      }
      var place = place
      // A quote out of place in the header must not swallow the rows behind it.
      if row.flaw != .none, lines(to: place.end) > 1, let other = try scan(.linewise, scanner, into: &spare) {
        swap(&row, &spare)
        place = other
      }
      if let bad = invalidByte(to: place.end) {
        throw Diagnostic(
          "the text is not UTF-8", at: .data(file: name, line: line, byte: bad, column: nil), hint: "say its encoding, for example latin-1")
      }
      rows.append(row)
      advance(to: place)
    }
    guard let last = rows.last else { return }
    headerRow = last
    header = joinedHeader(rows.map(\.texts))
  }

  /// Width and shapes from the rows at the beginning.
  private func learn() {
    var widths: [Int: Int] = [:], total = 0
    var rows: [LooseRow] = []
    buffer.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      var row = LooseRow(), from = at, inVain = 0
      while from < buffer.count, rows.count < 4000, case .row(let next) = scanner.next(
        base, from: from, limit: buffer.count, atEnd: atEnd, reading: inVain > dialect.lookLimit ? .linewise : [], into: &row) {
        inVain += max(0, row.lookedTo - next)
        from = next
        if row.isBlank || row.isAllEmpty { continue }
        if dialect.isTolerant, begins(row) {
          if row.texts == headerRow.texts { continue }
          break
        }
        widths[row.count, default: 0] += 1
        total += 1
        rows.append(row)
      }
    }
    let common = widths.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 0
    if header != nil { trimHeader(to: common) }
    // Text with a few delimiters in it has as many columns as its longest row.
    let usual = common == 1 ? widths.keys.max() ?? 1 : common
    if let header {
      width = header.count
      if dialect.isTolerant, usual > width, common == 1 || widths[common, default: 0] > widths[header.count, default: 0] { width = usual }
    } else {
      width = dialect.isTolerant ? usual : rows.first?.count ?? 0
    }
    if dialect.isTolerant, dialect.long != .keep, let names = header, names.count < width {
      header = names + Array(repeating: "", count: width - names.count)
    }
    if width == 0, at < buffer.count { width = 1 }
    guard dialect.isTolerant, width > 1, let full = widths[width], full * 5 >= total * 4, full >= 4 else { return }
    var shapes = ColumnShapes(columns: width)
    for row in rows where row.flaw == .none { shapes.add(row) }
    repair = RowRepair(shapes: shapes, delimiter: dialect.delimiter, quote: dialect.quote)
  }

  /// A header with more cells than the rows have: names that are empty go, from the end.
  private func trimHeader(to common: Int) {
    guard common > 1, dialect.isTolerant, dialect.long == .trim || dialect.long == .mend, var names = header else { return }
    while names.count > common, let empty = names.lastIndex(of: "") {
      names.remove(at: empty)
      if headerRow.count > empty { headerRow.removeCell(empty) }
    }
    header = names
  }
}

// MARK: Bytes

extension LooseTable {
  /// Reads the row at the front without taking it; nil at the end. Reads more bytes as they are needed.
  private func scan(_ reading: LooseScanner.Reading, _ scanner: LooseScanner, into row: inout LooseRow) throws -> Place? {
    while true {
      let isLong = buffer.count - at > dialect.rowLimit
      let isHasty = looked > dialect.lookLimit && before + at < lookedTo
      var outcome: LooseScanner.Outcome? = buffer.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress, at < buffer.count else { return nil }
        return scanner.next(
          base, from: at, limit: buffer.count, atEnd: atEnd, reading: isLong || isHasty ? reading.union(.linewise) : reading, into: &row)
      }
      // What stopped the look may open a cell of this row.
      if isHasty, !isLong, case .row(let next) = outcome, before + next > lookedTo {
        outcome = buffer.withUnsafeBufferPointer { buffer in
          buffer.baseAddress.map { scanner.next($0, from: at, limit: buffer.count, atEnd: atEnd, reading: reading, into: &row) }
        }
      }
      switch outcome {
      case .row(let next) where next - at > dialect.rowLimit: throw longRow()
      case .row(let next):
        if row.lookedTo > next {
          looked += row.lookedTo - next
          lookedTo = max(lookedTo, before + row.lookedTo)
        }
        return Place(line: line, byte: before + at, end: next)
      case nil:
        if atEnd { return nil }
        try fill(to: 1 << 16)
      case .incomplete where isLong: throw longRow()
      case .incomplete: try fill(to: max(1 << 16, 2 * (buffer.count - at)))
      }
    }
  }

  private func longRow() -> Diagnostic {
    Diagnostic(
      "a row is longer than \(dialect.rowLimit) bytes", at: .data(file: name, line: line, byte: before + at, column: nil),
      hint: "is the file delimited text, and are quote and line ends as told?")
  }

  /// The first byte of the row at the front that is not UTF-8.
  private func invalidByte(to end: Int) -> Int? {
    buffer.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.flatMap { firstInvalidUTF8($0, from: at, to: end) }.map { before + $0 }
    }
  }

  private func advance(to place: Place) {
    line += lines(to: place.end)
    at = place.end
  }

  private func lines(to end: Int) -> Int {
    buffer.withUnsafeBufferPointer { buffer in
      var count = 0, i = at
      while i < end {
        if buffer[i] == 10 || buffer[i] == 13 && !(i + 1 < buffer.count && buffer[i + 1] == 10) { count += 1 }
        i += 1
      }
      return count
    }
  }

  private func reject(_ place: Place, _ reason: LooseReject.Reason) {
    var end = place.end
    while end > at, buffer[end - 1] == 10 || buffer[end - 1] == 13 { end -= 1 }
    rejects.append(LooseReject(line: place.line, byte: place.byte, text: buffer[at..<end].withUnsafeBufferPointer(printable), reason: reason))
    report.rejected += 1
    report.reasons[reason.kind, default: 0] += 1
    advance(to: place)
  }

  /// Fills the buffer until it holds `count` bytes that are not taken, or the source ends.
  private func fill(to count: Int) throws {
    if at > 0 {
      buffer.removeFirst(at)
      before += at
      at = 0
    }
    while !atEnd, buffer.count < count {
      let n = try piece.withUnsafeMutableBytes { try source.read(into: $0) }
      buffer.append(contentsOf: piece[..<n])
      if n == 0 { atEnd = true }
    }
  }
}
