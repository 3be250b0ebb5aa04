/// Finds the dialect of delimited text from a sample of it, and says why.
///
///     let found = DialectDetection.detect(sample, isWhole: true)
///     found.dialect.delimiter    // [59]
///     found.reasons              // ["delimiter \";\": 412 of 412 rows have 9 cells, 97 % of them typed", …]
///
/// Every delimiter that occurs is tried with every quote. A dialect is good when many rows have the same number of cells
/// (its pattern) and the cells look like numbers, dates, words and not like torn pieces (its types); the score is the
/// product, an idea of van den Burg, Nazábal and Sutton (Data Mining and Knowledge Discovery 33, 2019). What is told is
/// not tried.
public struct DialectDetection: Sendable {
  /// What is known already.
  public struct Told: Sendable {
    public var delimiter: [UInt8]?
    /// A told "none" is `.some(nil)`.
    public var quote: UInt8??
    public var escape: UInt8??
    public var headerRows: Int?
    public var preambleRows: Int?

    public init() {}
  }

  public internal(set) var dialect: LooseDialect
  /// What was chosen and why, a sentence each.
  public internal(set) var reasons: [String]

  static let sampleRows = 400
  static let sampleBytes = 64 << 10

  /// `sample` is UTF-8 text from the beginning of a file.
  public static func detect(_ sample: [UInt8], isWhole: Bool, told: Told = Told()) -> DialectDetection {
    let sample = sample.count > sampleBytes ? Array(sample[..<sampleBytes]) : sample
    let isWhole = isWhole && sample.count < sampleBytes
    var best: DialectTrial?
    for candidate in candidates(sample, told) {
      let trial = DialectTrial(sample, isWhole: isWhole, candidate, skipping: told.preambleRows ?? 0)
      if best == nil || trial.score > best!.score + 1e-9 { best = trial }
    }
    guard let best else { preconditionFailure("no dialect was tried") }
    var dialect = best.candidate
    var reasons = best.reasons(told)
    let frame = TableFrame(best, told)
    dialect.preambleRows = frame.preambleRows
    dialect.headerRows = frame.headerRows
    reasons += frame.reasons
    return DialectDetection(dialect: dialect, reasons: reasons)
  }

  /// In the order of preference where scores are equal.
  private static func candidates(_ sample: [UInt8], _ told: Told) -> [LooseDialect] {
    var seen = [Bool](repeating: false, count: 256)
    var spaced: Set<UInt8> = [], doubled: Set<UInt8> = [], hasEscapedQuote = false
    for (at, byte) in sample.enumerated() {
      seen[Int(byte)] = true
      if at + 1 < sample.count {
        if sample[at + 1] == 32 { spaced.insert(byte) }
        if sample[at + 1] == byte { doubled.insert(byte) }
        if byte == 92, sample[at + 1] == 34 || sample[at + 1] == 39 { hasEscapedQuote = true }
      }
    }
    var delimiters: [[UInt8]] = []
    if let delimiter = told.delimiter { delimiters = [delimiter] } else {
      for byte in [44, 59, 9, 124] as [UInt8] where seen[Int(byte)] { delimiters.append([byte]) }
      for byte in [0x1F, 0x01, 94, 126, 58, 32, 35, 38, 36, 64, 33, 96] as [UInt8] where seen[Int(byte)] { delimiters.append([byte]) }
      for byte in [44, 59, 124] as [UInt8] where spaced.contains(byte) { delimiters.append([byte, 32]) }
      for byte in [124, 58, 126, 94, 59, 36, 38, 64, 33] as [UInt8] where doubled.contains(byte) { delimiters.append([byte, byte]) }
      if delimiters.isEmpty { delimiters = [[44]] }
    }
    let quotes: [UInt8?] = if let quote = told.quote { [quote] } else { seen[39] ? [34, 39] : [34] }
    let escapes: [UInt8?] = if let escape = told.escape { [escape] } else { hasEscapedQuote ? [nil, 92] : [nil] }
    return delimiters.flatMap { delimiter in
      quotes.flatMap { quote in
        escapes.map { escape in
          var dialect = LooseDialect()
          dialect.delimiter = delimiter
          dialect.quote = quote
          dialect.escape = escape
          return dialect
        }
      }
    }
  }
}

/// One dialect tried on the sample.
struct DialectTrial {
  let candidate: LooseDialect
  private(set) var rows: [LooseRow] = []
  /// Cells in most rows.
  private(set) var width = 1
  private(set) var rowsOfWidth = 0
  /// Rows that are not blank.
  private(set) var filledRows = 0
  private(set) var typedShare = 0.0
  private(set) var score = 0.0
  /// Lines ended by CRLF, LF and CR.
  private(set) var lineEnds = [0, 0, 0]

  init(_ sample: [UInt8], isWhole: Bool, _ candidate: LooseDialect, skipping: Int) {
    self.candidate = candidate
    let scanner = LooseScanner(candidate), line = LooseScanner(delimiter: [10], quote: nil, escape: nil)
    sample.withUnsafeBufferPointer { sample in
      guard let base = sample.baseAddress else { return }
      var at = 0, row = LooseRow()
      for _ in 0..<skipping {
        guard case .row(let next) = line.next(base, from: at, limit: sample.count, atEnd: true, into: &row) else { break }
        at = next
      }
      while at < sample.count, rows.count < DialectDetection.sampleRows,
        case .row(let next) = scanner.next(base, from: at, limit: sample.count, atEnd: isWhole, into: &row)
      {
        rows.append(row)
        if base[next - 1] == 10 { lineEnds[next > at + 1 && base[next - 2] == 13 ? 0 : 1] += 1 } else if base[next - 1] == 13 { lineEnds[2] += 1 }
        at = next
      }
    }
    rate()
  }

  private mutating func rate() {
    var widths: [Int: Int] = [:]
    for row in rows where !row.isBlank && !row.isAllEmpty {
      widths[row.count, default: 0] += 1
      filledRows += 1
    }
    guard let common = widths.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }) else { return }
    width = common.key
    rowsOfWidth = common.value
    var typed = 0.0, cells = 0.0, odd = 0.0
    for row in rows where row.count == width && !row.isAllEmpty {
      // Inches and seconds stand in text; apostrophes inside what apostrophes enclose say nothing.
      switch row.flaw {
      case .none: break
      case .strayQuote: odd += 0.1
      case .textBehindQuote: odd += candidate.quote == 39 ? 0 : 1
      case .textBehindLastQuote, .unclosedQuote: odd += 1
      }
      for cell in 0..<row.count {
        let kind = CellLook(row[cell])
        cells += 1
        typed += kind.isTyped ? 1 : kind == .text ? (row.isQuoted[cell] ? 0.7 : 0.35) : 0.8
        if isTorn(row, cell) { odd += 1 }
      }
    }
    typedShare = cells > 0 ? typed / cells : 0
    let pattern = Double(rowsOfWidth) / Double(filledRows)
    // Rows that are off by many cells speak against a dialect as much as many rows do.
    let breadth = width == 1 ? 0.1 : Double(width - 1) / Double(width)
    let sound = max(0.05, 1 - 2 * odd / max(1, Double(rowsOfWidth)))
    score = pattern * pattern * breadth * max(0.01, typedShare) * sound * prior
  }

  /// A quote at one end of a cell alone, or quotes of another kind at both.
  private func isTorn(_ row: LooseRow, _ cell: Int) -> Bool {
    if row.isQuoted[cell] { return false }
    let text = row[cell]
    guard let first = text.first, let last = text.last else { return false }
    if text.count > 1, first == 39, last == 39 { return true }
    return first == 34 || last == 34 && text.filter { $0 == 34 }.count == 1 && candidate.quote != 34
  }

  private var prior: Double {
    switch candidate.delimiter {
    case [44], [59], [9], [124]: 1
    case [0x1F], [0x01]: 1
    case let pair where pair.count == 2 && pair[1] == 32: 1.01
    case let pair where pair.count == 2: 1.05
    case [94], [126]: 0.95
    case [58], [32]: 0.6
    default: 0.5
    }
  }

  func reasons(_ told: DialectDetection.Told) -> [String] {
    var reasons: [String] = []
    if told.delimiter == nil {
      let name = delimiterName(candidate.delimiter)
      reasons.append(
        width > 1
          ? "delimiter \(name): \(rowsOfWidth) of \(filledRows) rows have \(width) cells, \(Int(typedShare * 100)) % of them like values"
          : "delimiter \(name): none parts most lines")
    }
    if told.quote == nil, candidate.quote != 34 {
      reasons.append("quote \(candidate.quote.map { "\"\(Character(Unicode.Scalar($0)))\"" } ?? "none"): it encloses cells")
    }
    if told.escape == nil, let escape = candidate.escape {
      reasons.append("escape \"\(Character(Unicode.Scalar(escape)))\": it stands before quotes inside quotes")
    }
    let names = ["CRLF", "LF", "CR"], found = lineEnds.indices.filter { lineEnds[$0] > 0 }
    if found.count > 1 || found == [2] {
      reasons.append("line ends: " + found.map { "\(lineEnds[$0]) \(names[$0])" }.joined(separator: ", "))
    }
    return reasons
  }
}

/// A delimiter for people: `","`, `tab`, `byte 31`.
func delimiterName(_ delimiter: [UInt8]) -> String {
  if delimiter == [9] { return "tab" }
  if delimiter.contains(where: { $0 < 32 }) { return "byte " + delimiter.map(String.init).joined(separator: " ") }
  return "\"\(String(decoding: delimiter, as: UTF8.self))\""
}
