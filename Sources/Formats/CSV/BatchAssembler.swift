import Columns
import Diagnostics
import Dispatch

/// Puts the units of one window after the other together, in their order, to one batch; a column a thread. Cells are
/// copied once, to where they stay.
final class BatchAssembler {
  private let layout: TableLayout
  private let schema: Schema
  private let columns: [ColumnAssembler]
  private let threads: Int
  private(set) var rows = 0

  /// `dictionaries`: of the text columns that have one. `windows`: how many will make a batch.
  init(_ layout: TableLayout, _ schema: Schema, dictionaries: [TextDictionary?], windows: Int, threads: Int) {
    self.layout = layout
    self.schema = schema
    self.threads = threads
    columns = schema.fields.enumerated().map { at, field in
      at < layout.plans.count
        ? ColumnAssembler(field.type, .cells(at), dictionaries[at], windows: windows)
        : ColumnAssembler(field.type, .sourceRow, nil, windows: windows)
    }
  }

  /// `firstRow`: how many rows the file had before.
  func append(_ units: ArraySlice<UnitResult>, firstRow: Int, file: String) throws {
    let more = units.reduce(0) { $0 + $1.rows }
    if more == 0 { return }
    let columns = columns
    inParallel(columns.count, threads: threads) { at in columns[at].append(units, more, firstRow: firstRow) }
    rows += more
    if let at = columns.firstIndex(where: { $0.isTooLong }) {
      throw Diagnostic(
        "a column holds more than 2 GiB of text in one batch",
        at: .data(file: file, line: nil, byte: nil, column: layout.plans[at].column.name))
    }
  }

  func finish() -> Batch {
    let count = rows
    rows = 0
    return Batch(schema: schema, columns: columns.map { $0.finish() }, count: count)
  }
}

/// One column of the batch that is being made.
// @unchecked: written by one thread a window, and the windows come one after the other.
private final class ColumnAssembler: @unchecked Sendable {
  enum Content {
    /// Those of the plan with this number.
    case cells(Int)
    case sourceRow
  }

  private let type: ColumnType
  private let content: Content
  private let dictionary: TextDictionary?
  private let windows: Int
  private var rows = 0, nulls = 0
  private var cells: GrowingBuffer, valid: GrowingBuffer, texts: GrowingBuffer
  /// What the batch before took, which the next one is expected to take; 0 before the first.
  private var cellBytes = 0, textBytes = 0
  private(set) var isTooLong = false

  init(_ type: ColumnType, _ content: Content, _ dictionary: TextDictionary?, windows: Int) {
    self.type = type
    self.content = content
    self.dictionary = dictionary
    self.windows = windows
    (cells, valid, texts) = (GrowingBuffer(reserving: 0), GrowingBuffer(reserving: 0), GrowingBuffer(reserving: 0))
  }

  func append(_ units: ArraySlice<UnitResult>, _ more: Int, firstRow: Int) {
    switch content {
    case .sourceRow: appendSourceRows(units, more, firstRow)
    case .cells(let at):
      let missing = units.reduce(0) { $0 + ($1.rows > 0 ? $1.chunks[at].nullCount : 0) }
      // Most columns miss nothing: then nothing is written down about it.
      if missing > 0, nulls == 0 { markPresent() }
      if missing + nulls > 0 { appendBits(valid, units, more) { $0.chunks[at].valid.pointer } }
      nulls += missing
      if type == .bool {
        appendBits(cells, units, more) { $0.chunks[at].cells.pointer }
      } else if let width = type.width {
        var to = place(for: more * width)
        for unit in units where unit.rows > 0 {
          to.copyMemory(from: unit.chunks[at].cells.pointer, byteCount: unit.rows * width)
          to += unit.rows * width
        }
      } else if let dictionary {
        appendCodes(at, units, more, dictionary)
      } else {
        appendTexts(at, units, more)
      }
    }
    rows += more
  }

  /// Room in `cells`; the first window of a file tells how much all of a batch may need.
  private func place(for bytes: Int) -> UnsafeMutableRawPointer {
    if cells.byteCount == 0 { cells = GrowingBuffer(reserving: expected(cellBytes, bytes)) }
    return cells.extend(by: bytes)
  }

  /// A little more than the last batch took, or than the windows will at the first one's rate.
  private func expected(_ before: Int, _ now: Int) -> Int {
    let guess = before > 0 ? before : now.multipliedReportingOverflow(by: windows).partialValue
    return max(now, guess + guess / 16)
  }

  /// The rows so far, in `valid`.
  private func markPresent() {
    let bytes = (rows + 7) / 8
    valid.extend(by: bytes).initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes)
    if rows & 7 != 0 { valid.base.storeBytes(of: 0xFF >> UInt8(8 - rows & 7), toByteOffset: bytes - 1, as: UInt8.self) }
  }

  /// Bytes 0 and 1 as bits.
  private func appendBits(
    _ buffer: GrowingBuffer, _ units: ArraySlice<UnitResult>, _ more: Int, _ bytes: (UnitResult) -> UnsafeMutablePointer<UInt8>
  ) {
    let added = (rows + more + 7) / 8 - buffer.byteCount
    buffer.extend(by: added).initializeMemory(as: UInt8.self, repeating: 0, count: added)
    let to = buffer.base.assumingMemoryBound(to: UInt8.self)
    var row = rows
    for unit in units where unit.rows > 0 {
      let from = bytes(unit), whole = unit.rows & ~7
      var i = 0
      // Eight at a time: the multiplication gathers the lowest bits of eight bytes in the highest byte.
      while i < whole {
        let eight = UnsafeRawPointer(from).loadUnaligned(fromByteOffset: i, as: UInt64.self)
        let bits = UInt16(truncatingIfNeeded: (eight &* 0x0102_0408_1020_4080) &>> 56) &<< UInt16(truncatingIfNeeded: (row &+ i) & 7)
        let byte = (row &+ i) &>> 3
        to[byte] |= UInt8(truncatingIfNeeded: bits)
        if bits > 0xFF { to[byte &+ 1] |= UInt8(truncatingIfNeeded: bits &>> 8) }
        i &+= 8
      }
      while i < unit.rows {
        to[(row &+ i) &>> 3] |= from[i] &<< UInt8(truncatingIfNeeded: (row &+ i) & 7)
        i &+= 1
      }
      row += unit.rows
    }
  }

  private func appendTexts(_ at: Int, _ units: ArraySlice<UnitResult>, _ more: Int) {
    let total = units.reduce(0) { $0 + ($1.rows > 0 ? Int($1.chunks[at].offsets.pointer[$1.rows]) : 0) }
    if texts.byteCount + total > Int(Int32.max) {
      isTooLong = true
      return
    }
    if rows == 0 {
      place(for: 4).storeBytes(of: 0, as: Int32.self)
      texts = GrowingBuffer(reserving: expected(textBytes, total))
    }
    var before = Int32(texts.byteCount)
    var to = place(for: more * 4).assumingMemoryBound(to: Int32.self), bytes = texts.extend(by: total)
    for unit in units where unit.rows > 0 {
      let from = unit.chunks[at].offsets.pointer
      for i in 0..<unit.rows { to[i] = before &+ from[i &+ 1] }
      to += unit.rows
      let count = Int(from[unit.rows])
      if count > 0 { bytes.copyMemory(from: unit.chunks[at].bytes.pointer, byteCount: count) }
      bytes += count
      before &+= Int32(count)
    }
  }

  /// Texts that are new get their codes here, unit by unit: order of first appearance, whoever decoded what.
  private func appendCodes(_ at: Int, _ units: ArraySlice<UnitResult>, _ more: Int, _ dictionary: TextDictionary) {
    var to = place(for: more * 4).assumingMemoryBound(to: Int32.self)
    var final: [Int32] = []
    for unit in units where unit.rows > 0 {
      let chunk = unit.chunks[at]
      let from = UnsafeMutableRawPointer(chunk.cells.pointer).assumingMemoryBound(to: Int32.self)
      if chunk.fresh.count == 0 {
        to.update(from: from, count: unit.rows)
      } else {
        final.removeAll(keepingCapacity: true)
        for code in 0..<chunk.fresh.count {
          let text = chunk.fresh[code]
          let key = TextDictionary.Key(text.baseAddress!, text.count)
          let known = dictionary.find(text.baseAddress!, text.count, key)
          final.append(known >= 0 ? known : dictionary.insert(text.baseAddress!, text.count, key))
        }
        final.withUnsafeBufferPointer { final in
          for i in 0..<unit.rows {
            let code = from[i]
            to[i] = code >= 0 ? code : final[Int(-1 &- code)]
          }
        }
      }
      to += unit.rows
    }
    isTooLong = dictionary.byteCount > Int(Int32.max)
  }

  private func appendSourceRows(_ units: ArraySlice<UnitResult>, _ more: Int, _ firstRow: Int) {
    var to = place(for: more * 8).assumingMemoryBound(to: Int64.self), before = firstRow
    for unit in units {
      for i in 0..<unit.rows { to[i] = Int64(before &+ Int(unit.ordinals.pointer[i]) &+ 1) }
      to += unit.rows
      before += unit.records
    }
  }

  func finish() -> Column {
    let count = rows, hasNulls = nulls > 0
    (cellBytes, textBytes) = (cells.byteCount, texts.byteCount)
    (rows, nulls) = (0, 0)
    let validity = hasNulls ? Bitmap(buffer: valid.finish(), count: count) : nil
    let storage: Column.Storage
    if type == .bool {
      storage = .bits(Bitmap(buffer: cells.finish(), count: count))
    } else if type.width != nil {
      storage = .fixed(cells.finish())
    } else if let dictionary {
      storage = .codes(cells.finish(), dictionary.count == 0 ? TextValues([""]) : dictionary.values())
    } else {
      storage = .text(TextValues(count: count, offsets: cells.finish(), bytes: texts.finish()))
    }
    return Column(type: type, count: count, validity: validity, storage: storage)
  }
}
