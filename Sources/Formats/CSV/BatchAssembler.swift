import Columns
import Diagnostics
import Dispatch

/// Puts the units of a window together, in their order, to one batch; a column a thread.
struct BatchAssembler {
  let layout: TableLayout
  let schema: Schema
  /// Of the text columns that have one.
  let dictionaries: [TextDictionary?]
  let threads: Int

  /// `firstRow`: how many rows the file had before.
  func batch(_ units: ArraySlice<UnitResult>, firstRow: Int, file: String) throws -> Batch {
    let rows = units.reduce(0) { $0 + $1.rows }
    let columns = Results(count: layout.plans.count)
    inParallel(layout.plans.count, threads: threads) { at in columns[at] = column(at, units, rows, file) }
    var made = try (0..<layout.plans.count).map { try columns[$0]!.get() }
    if schema.count > layout.plans.count { made.append(sourceRows(units, rows, firstRow)) }
    return Batch(schema: schema, columns: made, count: rows)
  }

  /// One place a column.
  // @unchecked: each thread writes its own places, and they are read after all have ended.
  private final class Results: @unchecked Sendable {
    private let places: UnsafeMutablePointer<Result<Column, Diagnostic>?>
    private let count: Int

    init(count: Int) {
      self.count = count
      places = .allocate(capacity: count)
      places.initialize(repeating: nil, count: count)
    }

    deinit {
      places.deinitialize(count: count)
      places.deallocate()
    }

    subscript(at: Int) -> Result<Column, Diagnostic>? {
      get { places[at] }
      set { places[at] = newValue }
    }
  }

  private func column(_ at: Int, _ units: ArraySlice<UnitResult>, _ rows: Int, _ file: String) -> Result<Column, Diagnostic> {
    let type = layout.plans[at].column.type
    let validity = validity(at, units, rows)
    if type == .bool {
      let bits = bits(units, rows) { $0.chunks[at].cells.pointer }
      return .success(Column(type: type, count: rows, validity: validity, storage: .bits(bits)))
    }
    if let width = type.width {
      let cells = Buffer(byteCount: rows * width) { to in
        var row = 0
        for unit in units where unit.rows > 0 {
          (to.baseAddress! + row * width).copyMemory(from: unit.chunks[at].cells.pointer, byteCount: unit.rows * width)
          row += unit.rows
        }
      }
      return .success(Column(type: type, count: rows, validity: validity, storage: .fixed(cells)))
    }
    if let dictionary = dictionaries[at] {
      let codes = codes(at, units, rows, dictionary)
      guard dictionary.byteCount <= Int(Int32.max) else { return .failure(tooMuchText(at, file)) }
      return .success(Column(
        type: type, count: rows, validity: validity, storage: .codes(codes, dictionary.count == 0 ? TextValues([""]) : dictionary.values())))
    }
    let total = units.reduce(0) { $0 + Int($1.chunks[at].offsets.pointer[$1.rows]) }
    guard total <= Int(Int32.max) else { return .failure(tooMuchText(at, file)) }
    return .success(Column(type: type, count: rows, validity: validity, storage: .text(texts(at, units, rows, total))))
  }

  private func tooMuchText(_ at: Int, _ file: String) -> Diagnostic {
    Diagnostic(
      "a column holds more than 2 GiB of text in one batch",
      at: .data(file: file, line: nil, byte: nil, column: layout.plans[at].column.name))
  }

  private func texts(_ at: Int, _ units: ArraySlice<UnitResult>, _ rows: Int, _ total: Int) -> TextValues {
    let offsets = Buffer(byteCount: (rows + 1) * 4) { to in
      let to = to.bindMemory(to: Int32.self)
      var row = 0
      var before: Int32 = 0
      for unit in units {
        let from = unit.chunks[at].offsets.pointer
        for i in 0..<unit.rows { to[row &+ i &+ 1] = before &+ from[i &+ 1] }
        row += unit.rows
        before &+= from[unit.rows]
      }
    }
    let bytes = Buffer(byteCount: total) { to in
      var place = 0
      for unit in units where unit.rows > 0 {
        let count = Int(unit.chunks[at].offsets.pointer[unit.rows])
        if count > 0 { (to.baseAddress! + place).copyMemory(from: unit.chunks[at].bytes.pointer, byteCount: count) }
        place += count
      }
    }
    return TextValues(count: rows, offsets: offsets, bytes: bytes)
  }

  /// Texts that are new get their codes here, unit by unit: order of first appearance, whoever decoded what.
  private func codes(_ at: Int, _ units: ArraySlice<UnitResult>, _ rows: Int, _ dictionary: TextDictionary) -> Buffer {
    Buffer(byteCount: rows * 4) { to in
      let to = to.bindMemory(to: Int32.self)
      var row = 0
      var final: [Int32] = []
      for unit in units {
        let chunk = unit.chunks[at]
        let from = UnsafeMutableRawPointer(chunk.cells.pointer).assumingMemoryBound(to: Int32.self)
        if chunk.fresh.count == 0 {
          if unit.rows > 0 { (to.baseAddress! + row).update(from: from, count: unit.rows) }
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
              to[row &+ i] = code >= 0 ? code : final[Int(-1 &- code)]
            }
          }
        }
        row += unit.rows
      }
    }
  }

  private func validity(_ at: Int, _ units: ArraySlice<UnitResult>, _ rows: Int) -> Bitmap? {
    guard units.contains(where: { $0.rows > 0 && $0.chunks[at].nullCount > 0 }) else { return nil }
    return bits(units, rows) { $0.chunks[at].valid.pointer }
  }

  /// Bytes 0 and 1 as bits.
  private func bits(_ units: ArraySlice<UnitResult>, _ rows: Int, _ bytes: (UnitResult) -> UnsafeMutablePointer<UInt8>) -> Bitmap {
    Bitmap(
      buffer: Buffer(byteCount: (rows + 7) / 8) { to in
        var row = 0
        for unit in units where unit.rows > 0 {
          let from = bytes(unit)
          for i in 0..<unit.rows { to[(row &+ i) &>> 3] |= from[i] &<< UInt8(truncatingIfNeeded: (row &+ i) & 7) }
          row += unit.rows
        }
      }, count: rows)
  }

  private func sourceRows(_ units: ArraySlice<UnitResult>, _ rows: Int, _ firstRow: Int) -> Column {
    let cells = Buffer(byteCount: rows * 8) { to in
      let to = to.bindMemory(to: Int64.self)
      var row = 0, before = firstRow
      for unit in units {
        for i in 0..<unit.rows { to[row &+ i] = Int64(before &+ Int(unit.ordinals.pointer[i]) &+ 1) }
        row += unit.rows
        before += unit.records
      }
    }
    return Column(type: .int64, count: rows, validity: nil, storage: .fixed(cells))
  }
}
