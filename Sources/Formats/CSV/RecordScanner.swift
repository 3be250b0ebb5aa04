/// The state machine that says what a row is, one byte at a time. It reads what the masks cannot: escapes, comments,
/// blank-aligned columns, and text whose quotes are out of place.
///
/// A quote opens only at a field's beginning; elsewhere it is a character like others. Text behind a closing quote
/// up to the delimiter makes the row a bad one, and only that row.
struct RecordScanner {
  let delimiter: UInt8
  let quote: UInt8?
  let escape: UInt8?
  let comment: UInt8?
  let blankAligned: Bool
  /// False after a quote that is never closed: from there on a line end also ends what is quoted.
  var multiline = true

  init(_ dialect: CSVDialect) {
    delimiter = dialect.delimiter.asciiValue ?? 44
    quote = dialect.quote?.asciiValue
    escape = dialect.escape == dialect.quote ? nil : dialect.escape?.asciiValue
    comment = dialect.comment?.asciiValue
    blankAligned = dialect.blankAligned
  }

  enum Outcome {
    case row(next: Int)
    /// A comment.
    case nothing(next: Int)
    case incomplete(insideQuotes: Bool)
  }

  /// Reads one row into `index`. `atEnd`: nothing comes behind `limit`, and the last line has its end.
  func next(_ base: UnsafePointer<UInt8>, from: Int, limit: Int, atEnd: Bool, into index: RecordIndex) -> Outcome {
    /// The bytes of a line end at `at`: 0, 1 or 2; nil when a CR is the last byte that is known.
    func lineEnd(_ at: Int) -> Int? {
      if base[at] == 10 { return 1 }
      guard base[at] == 13 else { return 0 }
      if at + 1 < limit { return base[at + 1] == 10 ? 2 : 1 }
      return atEnd ? 1 : nil
    }
    func separates(_ byte: UInt8) -> Bool { blankAligned ? byte == 32 || byte == 9 : byte == delimiter }
    var at = from
    if let comment, at < limit, base[at] == comment {
      while at < limit {
        guard let width = lineEnd(at) else { return .incomplete(insideQuotes: false) }
        if width > 0 { return .nothing(next: at + width) }
        at += 1
      }
      return .incomplete(insideQuotes: false)
    }
    var fields = index.fields, flaw = RowFlaw.none
    if blankAligned { while at < limit, separates(base[at]) { at += 1 } }
    while true {
      guard at < limit else { return .incomplete(insideQuotes: false) }
      let start = at
      if blankAligned {
        guard let width = lineEnd(at) else { return .incomplete(insideQuotes: false) }
        if width > 0 {
          finish(index, from: from, fields: fields, flaw: flaw, next: at + width)
          return .row(next: at + width)
        }
      }
      if base[at] == quote {
        at += 1
        quoted: while true {
          guard at < limit else { return .incomplete(insideQuotes: true) }
          let byte = base[at]
          if byte == escape {
            at += 2
          } else if byte == quote {
            if at + 1 == limit, !atEnd { return .incomplete(insideQuotes: true) }
            if escape == nil, at + 1 < limit, base[at + 1] == quote {
              at += 2
            } else {
              at += 1
              break quoted
            }
          } else if !multiline, byte == 10 || byte == 13 {
            flaw = RowFlaw.unclosed
            break quoted
          } else {
            at += 1
          }
        }
      }
      let closed = at
      while true {
        guard at < limit else { return .incomplete(insideQuotes: false) }
        let byte = base[at]
        if separates(byte) { break }
        guard let width = lineEnd(at) else { return .incomplete(insideQuotes: false) }
        if width > 0 { break }
        at += byte == escape ? 2 : 1
      }
      if closed > start, at > closed, flaw == RowFlaw.none { flaw = RowFlaw.textBehindQuote }
      let end = at
      index.ends.grow(to: fields + 64, keeping: fields)
      index.starts.grow(to: fields + 64, keeping: fields)
      index.starts.pointer[fields] = UInt32(start)
      index.ends.pointer[fields] = UInt32(end)
      fields += 1
      if blankAligned { while at < limit, separates(base[at]) { at += 1 } }
      guard at < limit, let width = lineEnd(at) else { return .incomplete(insideQuotes: false) }
      if width > 0 {
        finish(index, from: from, fields: fields, flaw: flaw, next: at + width)
        return .row(next: at + width)
      }
      if !blankAligned { at += 1 }
    }
  }

  private func finish(_ index: RecordIndex, from: Int, fields: Int, flaw: UInt8, next: Int) {
    let row = index.rows
    index.rowFirst.grow(to: row + 64, keeping: row + 1)
    index.rowStart.grow(to: row + 64, keeping: row + 1)
    index.flaws.grow(to: row + 64, keeping: row + 1)
    index.rowStart.pointer[row] = UInt32(from)
    index.flaws.pointer[row] = flaw
    index.fields = fields
    index.rows = row + 1
    index.rowFirst.pointer[row + 1] = UInt32(fields)
    index.rowStart.pointer[row + 1] = UInt32(next)
    index.consumed = next
    index.hasStarts = true
  }

  /// All rows of a unit, which ends where a row does: a CR at its end is a whole line end.
  func scan(_ base: UnsafePointer<UInt8>, from: Int, to: Int, into index: RecordIndex) {
    index.reset(at: from)
    index.hasStarts = true
    var at = from
    reading: while at < to {
      switch next(base, from: at, limit: to, atEnd: true, into: index) {
      case .row(let next): at = next
      case .nothing(let next):
        at = next
        // The row behind a comment begins behind it.
        index.rowStart.pointer[index.rows] = UInt32(next)
      case .incomplete: break reading
      }
    }
    index.consumed = at
    index.lines = lineCount(base, from: from, to: at)
  }
}
