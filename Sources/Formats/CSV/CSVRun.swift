import Columns
import Diagnostics
import Dispatch
import Synchronization

/// One reading of one source: header, then window after window.
///
/// A window is cut into units at row ends (the quotes before each cut are counted first), units are decoded in parallel,
/// and put together in their order. Where a unit finds quotes out of place, the state machine reads again from that
/// unit on. While a window is decoded the next one is read ahead.
final class CSVRun {
  let reader: CSVReader
  private let source: ByteSource
  let name: String
  var window: TextWindow, ahead: TextWindow
  private var scanner: RecordScanner
  private(set) var layout: TableLayout?
  /// The header's; nil without one.
  private(set) var names: [String]?
  var schema = Schema([])
  var report = CSVReport()
  var counts: [QuarantineReason: Int] = [:]
  /// nil until the first unit has shown which text columns repeat themselves.
  var dictionaries: [TextDictionary?]?
  private var workers: [UnitWorker] = []
  private var units: [UnitResult] = []
  /// Lines and bytes before the window.
  var lines = 0
  var bytesBefore = 0
  /// Until a line end inside quotes was taken for a unit's border.
  private var speculates = true
  /// Made of the units of `windowsPerBatch` windows, `windowsRead` so far.
  var assembler: BatchAssembler?
  let windowsPerBatch: Int
  private var windowsRead = 0

  init(_ reader: CSVReader, _ source: ByteSource) throws {
    self.reader = reader
    name = source.name
    let (text, skipped) = try utf8Text(source, encoding: reader.dialect.encoding)
    self.source = text
    bytesBefore = skipped
    scanner = RecordScanner(reader.dialect)
    // Many threads need more text at once to share; batches end at the same places.
    let fold = reader.threads > 4 ? reader.batchWindows : 1
    let bytes = reader.windowBytes * fold
    windowsPerBatch = max(1, reader.batchWindows / fold)
    let headroom = max(64, min(1 << 20, bytes))
    window = TextWindow(bytes: bytes, headroom: headroom)
    ahead = TextWindow(bytes: bytes, headroom: headroom)
  }

  func run(_ batch: (Batch) throws -> Void, _ quarantine: (Batch) throws -> Void) throws -> CSVReport {
    guard try start() else { return finished() }
    while true {
      let reading = window.atEnd ? nil : ReadAhead(ahead, source)
      defer { reading?.wait() }
      let consumed = try readWindow(quarantine)
      windowsRead += 1
      if windowsRead % windowsPerBatch == 0 { try giveOutBatch(batch) }
      bytesBefore += consumed - window.begin
      let rest = UnsafeBufferPointer(start: window.base + consumed, count: window.end - consumed)
      guard let reading else {
        try giveOutBatch(batch)
        break
      }
      if rest.count > reader.dialect.rowLimit { try refuseLongRow(rest) }
      try reading.result()
      ahead.prepend(rest)
      ahead.closeLastRow()
      swap(&window, &ahead)
    }
    return finished()
  }

  private func finished() -> CSVReport {
    report.reasons = QuarantineReason.allCases.compactMap { reason in counts[reason].map { (reason, $0) } }
    report.schema = schema
    report.bytes = bytesBefore
    return report
  }

  /// A row without end: either a quote was never closed, then quotes end with their line from here on; or a mistake.
  private func refuseLongRow(_ rest: UnsafeBufferPointer<UInt8>) throws {
    if scanner.multiline, case .incomplete(insideQuotes: true) = scanner.next(
      rest.baseAddress!, from: 0, limit: rest.count, atEnd: false, into: RecordIndex())
    {
      scanner.multiline = false
      return
    }
    throw Diagnostic(
      "a row is longer than \(reader.dialect.rowLimit) bytes", at: .data(file: name, line: lines + 1, byte: bytesBefore, column: nil),
      hint: "is the file delimited text, and are quote and line ends as told?")
  }
}

// MARK: The beginning

extension CSVRun {
  /// Reads the first window, preamble and header. False: an empty source, allowed because no header is expected.
  func start(asText: Bool = false) throws -> Bool {
    try window.fill(from: source)
    while !window.atEnd, window.end - window.begin < reader.headerBytes {
      let rest = Array(UnsafeBufferPointer(start: window.base + window.begin, count: window.end - window.begin))
      try ahead.fill(from: source)
      rest.withUnsafeBufferPointer { ahead.prepend($0) }
      swap(&window, &ahead)
    }
    window.closeLastRow()
    let dialect = reader.dialect
    if window.begin == window.end {
      guard dialect.headerRows == 0 else { throw mistake("the file is empty", expected: "a header row") }
      if let told = reader.schema { schema = told }
      return false
    }
    for _ in 0..<dialect.preambleRows { try skipLine() }
    var header: [[String]] = []
    while header.count < max(1, dialect.headerRows) {
      guard let row = try nextHeaderRow(peek: dialect.headerRows == 0) else { break }
      header.append(row)
    }
    guard let first = header.first, dialect.headerRows == 0 || header.count == dialect.headerRows else {
      if dialect.headerRows == 0 {
        if let told = reader.schema { schema = told }
        return false
      }
      throw mistake("the file has no header row", expected: "\(dialect.headerRows) header row\(dialect.headerRows == 1 ? "" : "s")")
    }
    var names: [String]?
    if dialect.headerRows > 0 { names = Array(joinedHeader(header).prefix(first.count)) }
    self.names = names
    var none: [Diagnostic] = []
    let plans = asText ? nil : reader.columns?.map { ColumnPlan($0, &none) }
    let layout = try TableLayout(plans: plans, names: names, fieldCount: first.count, dialect: dialect, file: name)
    self.layout = layout
    report.ignored = layout.ignored
    let fields = layout.plans.map { Field($0.column.name, $0.column.type) }
    if let number = reader.sourceRow, fields.contains(where: { $0.name == number }) {
      throw mistake("\"\(number)\" is the name of a column and of the source row")
    }
    schema = Schema(fields + (reader.sourceRow.map { [Field($0, .int64)] } ?? []))
    workers = (0..<reader.threads).map { _ in UnitWorker(layout) }
    return true
  }

  private func mistake(_ message: String, expected: String? = nil) -> Diagnostic {
    Diagnostic(message, at: .data(file: name, line: nil, byte: nil, column: nil), expected: expected)
  }

  private func skipLine() throws {
    let base = window.base
    var at = window.begin
    while at < window.end, base[at] != 10, base[at] != 13 { at += 1 }
    if at < window.end { at += base[at] == 13 && base[at + 1] == 10 ? 2 : 1 }
    take(to: at)
  }

  private func take(to offset: Int) {
    lines += lineCount(window.base, from: window.begin, to: offset)
    bytesBefore += offset - window.begin
    window.drop(to: offset)
  }

  /// The texts of the next row that is not blank; nil at the end. `peek`: the row stays to be read as data.
  private func nextHeaderRow(peek: Bool) throws -> [String]? {
    let index = RecordIndex()
    var at = window.begin
    while at < window.end {
      index.reset(at: at)
      switch scanner.next(window.base, from: at, limit: window.end, atEnd: window.atEnd, into: index) {
      case .nothing(let next): at = next
      case .incomplete:
        throw Diagnostic(
          "the header row does not end", at: .data(file: name, line: lines + 1, byte: nil, column: nil),
          hint: "is there a quote that is never closed?")
      case .row(let next):
        let texts = (0..<index.fields).map { field in
          headerText(Int(index.starts.pointer[field]), Int(index.ends.pointer[field]))
        }
        // Where rows are data from the first on, `""` is one: a cell that is empty and not null.
        let isBlank = peek ? index.fields == 1 && index.starts.pointer[0] == index.ends.pointer[0] : texts == [""]
        if texts.isEmpty || isBlank {
          at = next
          continue
        }
        if let bad = firstInvalidUTF8(window.base, from: at, to: next) {
          throw Diagnostic(
            "the text is not UTF-8", at: .data(file: name, line: lines + 1, byte: bytesBefore + bad - window.begin, column: nil),
            hint: "set \"encoding\", for example to \"latin-1\"")
        }
        if !peek { take(to: next) }
        return texts
      }
    }
    return nil
  }

  private func headerText(_ start: Int, _ end: Int) -> String {
    var bytes = Array(UnsafeBufferPointer(start: window.base + start, count: end - start))
    if let quote = reader.dialect.quote?.asciiValue, bytes.first == quote {
      bytes = Array(bytes.dropFirst().dropLast(bytes.count > 1 && bytes.last == quote ? 1 : 0))
      var at = 0
      while at + 1 < bytes.count {
        if bytes[at] == quote, bytes[at + 1] == quote { bytes.remove(at: at) }
        at += 1
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

// MARK: Windows

extension CSVRun {
  /// Reads all whole rows of the window; returns the offset behind them.
  private func readWindow(_ quarantine: (Batch) throws -> Void) throws -> Int {
    guard let layout else { preconditionFailure("a window was read before the header") }
    guard window.begin < window.end else { return window.end }
    if dictionaries == nil { chooseDictionaries(layout) }
    var count = 0
    var consumed = window.begin
    if reader.dialect.isPlain, scanner.multiline {
      let parity = !speculates
      var cuts = plainCuts(parity: parity)
      var wrong = decodePlain(cuts)
      // The first border is true, and a unit that begins at a true border and ends outside quotes proves the next.
      if wrong != nil, !parity {
        speculates = false
        cuts = plainCuts(parity: true)
        wrong = decodePlain(cuts)
      }
      count = wrong ?? cuts.count - 1
      consumed = wrong.map { cuts[$0] } ?? units[count - 1].consumed
      if wrong != nil { consumed = readByStateMachine(from: consumed, after: &count) }
    } else {
      consumed = readByStateMachine(from: consumed, after: &count)
    }
    try giveOut(units[..<count], layout, quarantine)
    return consumed
  }

  /// The first unit that is not as the masks say.
  private func decodePlain(_ cuts: [Int]) -> Int? {
    decode(cuts, from: 0, scanner: nil)
    return (0..<cuts.count - 1).first { at in
      units[at].isDoubtful || units[at].consumed != cuts[at + 1] && (at < cuts.count - 2 || window.atEnd)
    }
  }

  private func readByStateMachine(from: Int, after count: inout Int) -> Int {
    var from = from
    while true {
      let (cuts, unclosed) = exactCuts(from: from)
      if cuts.count > 1 {
        decode(cuts, from: count, scanner: scanner)
        count += cuts.count - 1
        from = cuts[cuts.count - 1]
      }
      // A quote that is never closed spoils its row; the rows behind it are not lost.
      guard unclosed, window.atEnd, scanner.multiline else { return from }
      scanner.multiline = false
    }
  }

  private func decode(_ cuts: [Int], from first: Int, scanner: RecordScanner?) {
    let count = cuts.count - 1
    while units.count < first + count { units.append(UnitResult()) }
    let next = Atomic(0)
    let base = window.base, shadow = window.shadow
    let (workers, units, dictionaries) = (workers, units, dictionaries)
    inParallel(min(reader.threads, count), threads: reader.threads) { worker in
      while true {
        let unit = next.add(1, ordering: .relaxed).oldValue
        if unit >= count { return }
        workers[worker].decode(
          base, shadow: shadow, from: cuts[unit], to: cuts[unit + 1], scanner: scanner, dictionaries: dictionaries, into: units[first + unit])
      }
    }
  }

  /// A text column gets a dictionary when at most a quarter of its texts are distinct, up to the end of one of the first units:
  /// thousands of articles do not repeat themselves before that many rows have gone by. The texts of these units are looked at
  /// once more for that alone, so that the choice depends on the file and on nothing else.
  private func chooseDictionaries(_ layout: TableLayout) {
    let trial = UnitResult()
    var chosen = [TextDictionary?](repeating: nil, count: layout.plans.count)
    var undecided = layout.plans.indices.filter { layout.plans[$0].isText }
    let seen = layout.plans.map { _ in TextDictionary() }
    var present = [Int](repeating: 0, count: layout.plans.count)
    let isPlain = reader.dialect.isPlain && scanner.multiline
    let cuts = isPlain ? plainCuts(parity: true) : exactCuts(from: window.begin, atMost: Self.trialUnits).cuts
    for (from, to) in zip(cuts, cuts.dropFirst()).prefix(Self.trialUnits) where !undecided.isEmpty {
      workers[0].decode(
        window.base, shadow: window.shadow, from: from, to: to, scanner: isPlain ? nil : scanner, dictionaries: nil, into: trial)
      // Quotes out of place: what has been seen must do.
      if trial.isDoubtful { break }
      if trial.rows == 0 { continue }
      for at in undecided {
        let chunk = trial.chunks[at]
        present[at] += trial.rows - chunk.nullCount
        seen[at].add(all: chunk.fresh)
        if seen[at].count > 0, seen[at].count * 4 <= present[at] { chosen[at] = TextDictionary() }
      }
      undecided.removeAll { chosen[$0] != nil }
    }
    dictionaries = chosen
  }

  private static let trialUnits = 8

  /// Unit borders at line ends outside of quotes, as long as quotes are where they should be. Without `parity`: at line
  /// ends, wherever these are.
  private func plainCuts(parity: Bool) -> [Int] {
    let base = window.base, begin = window.begin
    // A CR at the very end may be half of a CRLF.
    let end = !window.atEnd && base[window.end - 1] == 13 ? window.end - 1 : window.end
    let size = reader.unitBytes
    let pieces = max(1, (end - begin + size - 1) / size)
    guard pieces > 1 else { return [begin, end] }
    var odd = [Bool](repeating: false, count: pieces)
    let quote = parity ? reader.dialect.quote?.asciiValue : nil
    if let quote {
      odd.withUnsafeMutableBufferPointer { odd in
        inParallel(pieces, threads: reader.threads) { piece in
          odd[piece] = quoteParity(base, from: begin + piece * size, to: min(end, begin + (piece + 1) * size), quote: quote)
        }
      }
    }
    var cuts = [begin], inside = false
    for piece in 1..<pieces {
      if odd[piece - 1] { inside.toggle() }
      var at = begin + piece * size, quoted = inside
      while at < end {
        let byte = base[at]
        if byte == quote {
          quoted.toggle()
        } else if !quoted, byte == 10 || byte == 13 && base[at + 1] != 10 {
          break
        }
        at += 1
      }
      if at + 1 >= end { break }
      if at + 1 > cuts[cuts.count - 1] { cuts.append(at + 1) }
    }
    return cuts + [end]
  }

  /// Unit borders by the state machine. The last is behind the last whole row; `unclosed`: what follows it is inside quotes
  /// up to the window's end.
  private func exactCuts(from: Int, atMost: Int = .max) -> (cuts: [Int], unclosed: Bool) {
    let index = RecordIndex()
    var cuts = [from], at = from, unclosed = false
    reading: while at < window.end, cuts.count <= atMost {
      index.reset(at: at)
      switch scanner.next(window.base, from: at, limit: window.end, atEnd: window.atEnd, into: index) {
      case .row(let next), .nothing(let next):
        at = next
        if at - cuts[cuts.count - 1] >= reader.unitBytes { cuts.append(at) }
      case .incomplete(let insideQuotes):
        unclosed = insideQuotes
        break reading
      }
    }
    if at > cuts[cuts.count - 1] { cuts.append(at) }
    return (cuts, unclosed)
  }
}
