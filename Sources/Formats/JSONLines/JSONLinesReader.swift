import Columns
import Diagnostics
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Reads JSON Lines: an object a line, its keys the columns. In parallel; rows, batches and messages are the same
/// whatever the width.
///
/// A key that a line lacks, and `null`, are null. Objects and arrays become text as they are written. A line that is no
/// object, has a wanted key twice or a value that is not of its column's type goes to quarantine; blank lines are no rows.
/// Keys that nobody asked for are checked for their grammar, and told in the report.
public struct JSONLinesReader: Sendable {
  public let columns: [CSVColumn]
  /// Threads at work; nil: one a processor.
  public var width: Int?
  /// A column that no line has is a mistake; false: it is null.
  public var requiresKeys = true
  let layout: RowLayout
  private let encoding: TextEncoding
  private let point: UInt8
  var windowBytes = 8 << 20
  var unitBytes = 256 << 10
  static let lineLimit = 64 << 20
  /// Names of unknown keys are kept up to so many.
  static let ignoredLimit = 1000

  /// Throws all that is wrong with the columns. Of the dialect, encoding and decimal mark (of numbers in quotes) count.
  public init(columns: [CSVColumn], dialect: CSVDialect = CSVDialect(), sourceRow: String? = nil) throws(Mistakes) {
    let mistakes = columns.filter { if case .position = $0.source { true } else { false } }.map {
      Diagnostic("keys have no position", at: .setting($0.place + ["position"]), hint: "give the key's name as \"source\"")
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    layout = try RowLayout(columns, sourceRow: sourceRow)
    self.columns = columns
    encoding = dialect.encoding
    point = dialect.decimal.asciiValue ?? 46
  }

  public var schema: Schema { layout.schema }

  /// Reads a source to its end. Both callbacks run on the calling thread; batches are never empty.
  @discardableResult public func read(
    _ source: ByteSource, batch: (Batch) throws -> Void, quarantine: (Batch) throws -> Void = { _ in }
  ) throws -> CSVReport {
    let name = source.name
    let keys = columns.map { column -> [UInt8] in if case .name(let name) = column.source { Array(name.utf8) } else { [] } }
    let table = JSONKeyTable(keys)
    let threads = max(1, width ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    var units: [JSONLinesUnit] = []
    var tally = RowTally(schema), seen = [Bool](repeating: false, count: keys.count)
    var ignored: [String] = [], known: Set<String> = []
    var lines = 0
    try forEachJSONWindow(of: source, encoding: encoding, bytes: windowBytes) { base, from, to, bytesBefore in
      let cuts = lineCuts(base, from, to, every: unitBytes)
      while units.count < cuts.count - 1 { units.append(JSONLinesUnit(RowAssembler(layout.plans, point: point), table)) }
      let next = Atomic(0)
      inParallel(min(threads, cuts.count - 1), threads: threads) { [units] _ in
        while true {
          let unit = next.add(1, ordering: .relaxed).oldValue
          if unit >= cuts.count - 1 { return }
          units[unit].read(base, from: cuts[unit], to: cuts[unit + 1])
        }
      }
      for unit in units[..<(cuts.count - 1)] {
        let before = tally.report.rows
        if unit.assembler.rows > 0 {
          let made = unit.assembler.take(schema, rowsBefore: before)
          tally.add(rows: 0, kept: made.count)
          try batch(made)
        }
        var rejects = QuarantineBuilder()
        for bad in unit.bad {
          tally.reject(bad.reason)
          rejects.append(
            file: name, line: lines + bad.line, byte: bytesBefore + bad.byte - from, column: bad.column, text: bad.text, reason: bad.words)
        }
        tally.add(rows: unit.records, kept: 0, blank: unit.blank)
        lines += unit.lines
        for at in seen.indices where unit.seen[at] { seen[at] = true }
        for key in unit.ignored where known.count < Self.ignoredLimit && known.insert(key).inserted { ignored.append(key) }
        if rejects.count > 0 { try quarantine(rejects.finish()) }
      }
      tally.add(rows: 0, kept: 0, bytes: to - from)
    }
    if requiresKeys, tally.report.kept > 0 {
      let mistakes = columns.indices.filter { !seen[$0] }.map { at in
        let key = String(decoding: keys[at], as: UTF8.self)
        return Diagnostic(
          "no line has the key \"\(key)\"", at: .data(file: name, line: nil, byte: nil, column: nil), hint: hint(forUnknown: key, among: ignored))
      }
      if !mistakes.isEmpty { throw Mistakes(mistakes) }
    }
    return tally.finished(ignored: ignored)
  }
}

/// Hands over whole lines of a source as UTF-8, a window at a time: `base[from..<to]`, ended by a line end except perhaps
/// at the end of the source, and the bytes before it.
func forEachJSONWindow(
  of source: ByteSource, encoding: TextEncoding, bytes: Int, _ body: (UnsafePointer<UInt8>, Int, Int, Int) throws -> Void
) throws {
  let (text, skipped) = try utf8Text(source, encoding: encoding)
  var window = TextWindow(bytes: bytes, headroom: 1 << 16), ahead = TextWindow(bytes: bytes, headroom: 1 << 16)
  var before = skipped
  try window.fill(from: text)
  while true {
    let reading = window.atEnd ? nil : ReadAhead(ahead, text)
    defer { reading?.wait() }
    var to = window.end
    if reading != nil { while to > window.begin, window.base[to - 1] != 10 { to -= 1 } }
    if to > window.begin { try body(window.base, window.begin, to, before) }
    before += to - window.begin
    let rest = UnsafeBufferPointer(start: window.base + to, count: window.end - to)
    guard let reading else { return }
    if rest.count > JSONLinesReader.lineLimit {
      throw source.mistake("a line is longer than \(JSONLinesReader.lineLimit) bytes", byte: before, hint: "is it JSON Lines, an object a line?")
    }
    try reading.result()
    ahead.prepend(rest)
    swap(&window, &ahead)
  }
}

/// Borders behind line ends, about `size` bytes apart.
private func lineCuts(_ base: UnsafePointer<UInt8>, _ from: Int, _ to: Int, every size: Int) -> [Int] {
  var cuts = [from], at = from + size
  while at < to {
    while at < to, base[at - 1] != 10 { at += 1 }
    if at < to { cuts.append(at) }
    at += size
  }
  return cuts + [to]
}

/// Keys by their bytes, without a String.
struct JSONKeyTable: Sendable {
  private let keys: [[UInt8]]
  private let slots: [Int32]

  init(_ keys: [[UInt8]]) {
    self.keys = keys
    var room = 16
    while room < keys.count * 3 { room *= 2 }
    var slots = [Int32](repeating: -1, count: room)
    for (at, key) in keys.enumerated() {
      var slot = key.withUnsafeBufferPointer { Self.hash($0) } & (room - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (room - 1) }
      slots[slot] = Int32(at)
    }
    self.slots = slots
  }

  /// FNV-1a, 64 bits.
  private static func hash(_ key: UnsafeBufferPointer<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ hash &>> 32)
  }

  @inline(__always) func isKey(_ at: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    let known = keys[at]
    return known.count == key.count && known.withUnsafeBufferPointer { $0.isEmpty || memcmp($0.baseAddress!, key.baseAddress!, key.count) == 0 }
  }

  func find(_ key: UnsafeBufferPointer<UInt8>) -> Int? {
    var slot = Self.hash(key) & (slots.count - 1)
    while slots[slot] >= 0 {
      if isKey(Int(slots[slot]), key) { return Int(slots[slot]) }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }
}
