/// Reads rows of delimited text that may break every rule, one byte at a time.
///
/// A quote at a cell's beginning opens only if what follows looks like it: when the next quote that could close stands
/// where another cell opens, or none comes before the end, the first one was a character. Quotes inside text and text
/// behind closing quotes stay text. Blanks around an enclosed cell go.
struct LooseScanner {
  /// How a row is read again when its number of cells does not fit.
  struct Reading: OptionSet {
    let rawValue: UInt8
    /// What is enclosed ends with its line.
    static let linewise = Reading(rawValue: 1)
    /// A quote in the middle of text begins a cell whose delimiter is missing.
    static let quotesBegin = Reading(rawValue: 2)
  }

  enum Outcome: Equatable {
    case row(next: Int)
    case incomplete
  }

  let delimiter: [UInt8]
  let quote: UInt8?
  let escape: UInt8?

  init(_ dialect: LooseDialect) {
    delimiter = dialect.delimiter
    quote = dialect.quote
    escape = dialect.escape == dialect.quote ? nil : dialect.escape
  }

  init(delimiter: [UInt8], quote: UInt8?, escape: UInt8?) {
    self.delimiter = delimiter
    self.quote = quote
    self.escape = escape
  }

  /// Reads the row at `from` into `row`. `atEnd`: nothing comes behind `limit`. `incomplete` only where more may come.
  func next(
    _ base: UnsafePointer<UInt8>, from: Int, limit: Int, atEnd: Bool, reading: Reading = [], into row: inout LooseRow
  ) -> Outcome {
    row.clear()
    let first = delimiter[0], width = delimiter.count
    var at = from
    while true {
      // A cell begins at `at`.
      var opening = at
      if quote != nil { while opening < limit, isBlank(base[opening]) { opening += 1 } }
      if opening < limit, base[opening] == quote {
        switch quoted(base, opening, limit, atEnd, reading, &row) {
        case .incomplete: return .incomplete
        case .cell(let next):
          // Behind blanks quotes enclose only what needs them: ` "B" ` is text, ` "B, C"` is enclosed.
          if opening > at, !needsQuotes(row[row.count - 1]) {
            row.removeCell(row.count - 1)
            let flaw = row.flaw
            guard let next = plain(base, at, limit, atEnd, [], &row) else { return .incomplete }
            row.flaw = flaw
            at = next
          } else {
            at = next
          }
        case .none(let flaw):
          row.flaw = row.flaw == .none ? flaw : row.flaw
          guard let next = plain(base, at, limit, atEnd, [], &row) else { return .incomplete }
          at = next
        }
      } else {
        if opening == limit, !atEnd { return .incomplete }
        guard let next = plain(base, at, limit, atEnd, reading, &row) else { return .incomplete }
        at = next
      }
      // Behind a cell: delimiter, line end, the end, or a quote that begins the next cell without a delimiter.
      if at == limit { return atEnd ? .row(next: at) : .incomplete }
      if base[at] == 10 { return .row(next: at + 1) }
      if base[at] == 13 {
        if at + 1 == limit, !atEnd { return .incomplete }
        return .row(next: at + (at + 1 < limit && base[at + 1] == 10 ? 2 : 1))
      }
      if base[at] == first, isDelimiter(base, at, limit) { at += width }
    }
  }

  @inline(__always) private func isBlank(_ byte: UInt8) -> Bool { (byte == 32 || byte == 9) && byte != delimiter[0] }

  @inline(__always) private func isDelimiter(_ base: UnsafePointer<UInt8>, _ at: Int, _ limit: Int) -> Bool {
    if base[at] != delimiter[0] { return false }
    var i = 1
    while i < delimiter.count {
      if at + i >= limit || base[at + i] != delimiter[i] { return false }
      i += 1
    }
    return true
  }

  /// Text up to the delimiter or line end. Nil: more bytes are needed.
  private func plain(
    _ base: UnsafePointer<UInt8>, _ from: Int, _ limit: Int, _ atEnd: Bool, _ reading: Reading, _ row: inout LooseRow
  ) -> Int? {
    let first = delimiter[0]
    var at = from, copied = from
    func copy(to end: Int) { if end > copied { row.bytes.append(contentsOf: UnsafeBufferPointer(start: base + copied, count: end - copied)) } }
    while at < limit {
      let byte = base[at]
      if byte == 10 || byte == 13 { break }
      if byte == first {
        if isDelimiter(base, at, limit) { break }
        if !atEnd, at + delimiter.count > limit { return nil }
      }
      if byte == escape {
        if at + 1 == limit, !atEnd { return nil }
        // At the end of a line there is nothing to make literal.
        if at + 1 < limit, base[at + 1] != 10, base[at + 1] != 13 {
          copy(to: at)
          copied = at + 1
          at += 2
          continue
        }
      }
      if byte == quote {
        if reading.contains(.quotesBegin), at > from, closes(base, at, limit) { break }
        if row.flaw == .none { row.flaw = .strayQuote }
      }
      at += 1
    }
    if at == limit, !atEnd { return nil }
    copy(to: at)
    row.endCell(quoted: false)
    return at
  }

  /// Whether a quote that begins at `at` encloses text up to a delimiter or line end, on its line.
  private func closes(_ base: UnsafePointer<UInt8>, _ at: Int, _ limit: Int) -> Bool {
    var i = at + 1
    while i < limit, base[i] != 10, base[i] != 13 {
      if base[i] == quote {
        if i + 1 < limit, base[i + 1] == quote {
          i += 2
          continue
        }
        return i > at + 1 && (i + 1 >= limit || base[i + 1] == 10 || base[i + 1] == 13 || isDelimiter(base, i + 1, limit))
      }
      i += 1
    }
    return false
  }

  private enum Quoted {
    case cell(next: Int)
    /// The quote encloses nothing.
    case none(LooseRow.Flaw)
    case incomplete
  }

  private func quoted(
    _ base: UnsafePointer<UInt8>, _ opening: Int, _ limit: Int, _ atEnd: Bool, _ reading: Reading, _ row: inout LooseRow
  ) -> Quoted {
    let before = row.bytes.count
    var at = opening + 1, copied = at
    /// The first quote with text behind it.
    var early: Int?
    func copy(to end: Int) { if end > copied { row.bytes.append(contentsOf: UnsafeBufferPointer(start: base + copied, count: end - copied)) } }
    /// The first place where a doubled quote stands in front of a delimiter: the second of the two may have closed.
    var doubledEnd: (quote: Int, written: Int)?
    func giveUp() -> Quoted {
      row.lookedTo = max(row.lookedTo, at)
      if let end = doubledEnd {
        row.bytes.removeLast(row.bytes.count - end.written)
        row.endCell(quoted: true)
        if row.flaw == .none { row.flaw = .unclosedQuote }
        return .cell(next: end.quote + 1)
      }
      row.bytes.removeLast(row.bytes.count - before)
      let closesEarly = early.map { early in !(opening..<early).contains { base[$0] == 10 || base[$0] == 13 } } ?? false
      return .none(closesEarly ? .textBehindLastQuote : .unclosedQuote)
    }
    while true {
      guard at < limit else { return atEnd ? giveUp() : .incomplete }
      let byte = base[at]
      if byte == escape {
        guard at + 1 < limit else { return atEnd ? giveUp() : .incomplete }
        copy(to: at)
        copied = at + 1
        at += 2
        continue
      }
      if reading.contains(.linewise), byte == 10 || byte == 13 { return giveUp() }
      guard byte == quote else {
        at += 1
        continue
      }
      if at + 1 == limit, !atEnd { return .incomplete }
      if at + 1 < limit, base[at + 1] == quote {
        copy(to: at + 1)
        if doubledEnd == nil, at > opening + 1, at + 2 < limit, base[at + 2] == 10 || base[at + 2] == 13 || isDelimiter(base, at + 2, limit) {
          doubledEnd = (at + 1, row.bytes.count)
        }
        at += 2
        copied = at
        continue
      }
      var behind = at + 1
      while behind < limit, isBlank(base[behind]) { behind += 1 }
      if behind == limit, !atEnd { return .incomplete }
      if behind == limit || base[behind] == 10 || base[behind] == 13 || isDelimiter(base, behind, limit) {
        copy(to: at)
        row.endCell(quoted: true)
        if early != nil, row.flaw == .none { row.flaw = .textBehindQuote }
        return .cell(next: behind)
      }
      // A quote with text behind it. Where a cell could open, it opens one, and the first quote was a character.
      if at > opening + 1, isCellBegin(base, at, from: opening) { return giveUp() }
      early = early ?? at
      at += 1
    }
  }

  private func needsQuotes(_ text: ArraySlice<UInt8>) -> Bool {
    if text.contains(10) || text.contains(13) { return true }
    return text.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return false }
      return (0..<text.count).contains { isDelimiter(base, $0, text.count) }
    }
  }

  private func isCellBegin(_ base: UnsafePointer<UInt8>, _ at: Int, from: Int) -> Bool {
    if base[at - 1] == 10 || base[at - 1] == 13 { return true }
    let start = at - delimiter.count
    return start >= from && isDelimiter(base, start, at)
  }
}
