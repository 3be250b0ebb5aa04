import Columns

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Some lines of a window: their typed cells and their bad rows. Used again for the next window.
// @unchecked: written by the one worker that reads the unit, looked at after all workers are done.
final class JSONLinesUnit: @unchecked Sendable {
  struct Bad {
    /// From 1, among the unit's lines.
    let line: Int
    /// In the window.
    let byte: Int
    let column: String?
    let text: String
    let reason: QuarantineReason
    let words: String
  }

  let assembler: RowAssembler
  private let parser = JSONLineParser()
  private let keys: JSONKeyTable
  private(set) var bad: [Bad] = []
  private(set) var lines = 0, records = 0, blank = 0
  /// Columns whose key a line had, and keys of no column in the order of their first appearance.
  private(set) var seen: [Bool]
  private(set) var ignored: [String] = []
  private var known: Set<[UInt8]> = []
  private var badCell: Int?
  /// Keys mostly come in the order of the line before: the column expected behind each column.
  private var following: [Int]
  private var last = 0

  init(_ assembler: RowAssembler, _ keys: JSONKeyTable) {
    self.assembler = assembler
    self.keys = keys
    seen = Array(repeating: false, count: assembler.stores.count)
    following = (0...assembler.stores.count).map { $0 }
  }

  func read(_ base: UnsafePointer<UInt8>, from: Int, to: Int) {
    (lines, records, blank) = (0, 0, 0)
    bad.removeAll(keepingCapacity: true)
    ignored.removeAll(keepingCapacity: true)
    known.removeAll(keepingCapacity: true)
    for at in seen.indices { seen[at] = false }
    let isUTF8 = firstInvalidUTF8(base, from: from, to: to) == nil
    var start = from
    while start < to {
      var end = start
      if let found = memchr(base + start, 10, to - start) { end = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base } else { end = to }
      lines += 1
      readLine(base, start, end, isUTF8: isUTF8)
      start = end + 1
    }
  }

  private func readLine(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, isUTF8: Bool) {
    var at = start
    while at < end, base[at] == 32 || base[at] == 9 || base[at] == 13 { at += 1 }
    if at == end {
      blank += 1
      return
    }
    let ordinal = records
    records += 1
    func reject(_ byte: Int, _ column: String?, _ reason: QuarantineReason, _ words: String) {
      var stop = end
      if stop > start, base[stop - 1] == 13 { stop -= 1 }
      bad.append(Bad(
        line: lines, byte: byte, column: column, text: printable(UnsafeBufferPointer(start: base + start, count: stop - start)), reason: reason,
        words: words))
    }
    if !isUTF8, let byte = firstInvalidUTF8(base, from: start, to: end) { return reject(byte, nil, .encoding, "not UTF-8") }
    badCell = nil
    last = assembler.stores.count
    var sink = Sink(unit: self)
    do throws(JSONLineParser.Flaw) {
      try parser.parse(base, from: start, to: end, into: &sink)
      if let mistake = assembler.finishRow(ordinal: ordinal) { reject(badCell ?? start, mistake.column, mistake.reason, mistake.words) }
    } catch {
      assembler.dropRow()
      reject(error.at, nil, .syntax, error.words)
    }
  }

  private struct Sink: JSONLineSink {
    let unit: JSONLinesUnit

    @inline(__always) mutating func column(_ key: UnsafeBufferPointer<UInt8>) -> Int? {
      let expected = unit.following[unit.last]
      if expected < unit.seen.count, unit.keys.isKey(expected, key) {
        unit.last = expected
        return expected
      }
      return unit.find(key)
    }

    @inline(__always) mutating func cell(_ column: Int, _ kind: CellKind, _ text: UnsafeBufferPointer<UInt8>?, at: Int) -> Bool {
      if unit.assembler.isSet(column) { return false }
      unit.seen[column] = true
      if let text {
        if !unit.assembler.set(column, kind, text) { unit.badCell = at }
      } else {
        unit.assembler.setNull(column)
      }
      return true
    }
  }

  private func find(_ key: UnsafeBufferPointer<UInt8>) -> Int? {
    guard let column = keys.find(key) else {
      if ignored.count < JSONLinesReader.ignoredLimit, known.insert(Array(key)).inserted { ignored.append(String(decoding: key, as: UTF8.self)) }
      return nil
    }
    following[last] = column
    last = column
    return column
  }
}
