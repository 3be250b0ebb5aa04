import Columns

/// The cells of one column, typed as they come; a row's cell counts only once the row is whole.
final class CellStore {
  let plan: ColumnPlan
  private let cells = Slab<UInt64>()
  private let valid = Slab<UInt8>()
  /// Plain text: n + 1 offsets into `bytes`.
  private let offsets = Slab<Int>()
  private let bytes = Slab<UInt8>()
  private var nullCount = 0
  private var used = 0
  /// Of the row that is being read.
  private(set) var isSet = false
  private var isPresent = false
  private var value: UInt64 = 0
  private var end = 0

  private let editor: PatternEditor?
  private let isAdjusted: Bool
  private var decimal: DecimalParser, decimalAsTold: DecimalParser
  private let float = FloatParser(point: UInt8(ascii: ".")), floatAsTold: FloatParser
  private var time: TimeParser, timeAsTold: TimeParser

  /// `point`: the decimal mark in texts; numbers have a point.
  init(_ plan: ColumnPlan, point: UInt8) {
    self.plan = plan
    editor = plan.edits.isEmpty ? nil : PatternEditor(plan.edits)
    isAdjusted = plan.column.trim || !plan.edits.isEmpty || !plan.nulls.isEmpty
    var precision = 18, scale = 0, zone: String?
    if case .decimal(let p, let s) = plan.column.type { (precision, scale) = (p, s) }
    if case .timestamp(let told) = plan.column.type { zone = told }
    decimal = DecimalParser(precision: precision, scale: scale, point: UInt8(ascii: "."))
    decimalAsTold = DecimalParser(precision: precision, scale: scale, point: point)
    floatAsTold = FloatParser(point: point)
    time = TimeParser(zone: zone)
    timeAsTold = TimeParser(zone: zone, format: plan.format)
    offsets.pointer[0] = 0
  }

  var textBytes: Int { used }

  /// The cell of the current row.
  func set(_ kind: CellKind, _ text: UnsafeBufferPointer<UInt8>) -> CellFlaw {
    isSet = true
    if isAdjusted {
      guard let adjusted = adjust(text) else {
        isPresent = false
        return .none
      }
      return adjusted.withUnsafeBufferPointer { read(kind, $0) }
    }
    return read(kind, text)
  }

  func setNull() {
    isSet = true
    isPresent = false
  }

  private func read(_ kind: CellKind, _ text: UnsafeBufferPointer<UInt8>) -> CellFlaw {
    if plan.isText {
      end = used + text.count
      bytes.grow(to: end, keeping: used)
      if text.count > 0 { (bytes.pointer + used).update(from: text.baseAddress!, count: text.count) }
      isPresent = true
      return .none
    }
    guard let base = text.baseAddress, text.count > 0 else {
      isPresent = false
      return .none
    }
    isPresent = true
    if kind == .nested { return .notOfType }
    let flaw = parse(kind, base, text.count)
    if flaw != .none, kind == .number, let plain = plainNumber(text) {
      return plain.withUnsafeBufferPointer { parse(kind, $0.baseAddress!, $0.count) }
    }
    return flaw
  }

  private func parse(_ kind: CellKind, _ text: UnsafePointer<UInt8>, _ count: Int) -> CellFlaw {
    switch plan.column.type {
    case .int32:
      var cell: Int32 = 0
      let flaw = parseInt32(text, count, &cell)
      value = UInt64(UInt32(bitPattern: cell))
      return flaw
    case .int64: return whole { parseInteger(text, count, &$0) }
    case .decimal: return whole { (kind == .text ? decimalAsTold : decimal).parse(text, count, &$0) }
    case .float64:
      var cell = 0.0
      let flaw = (kind == .text ? floatAsTold : float).parse(text, count, &cell)
      value = cell.bitPattern
      return flaw
    case .bool:
      var cell: UInt8 = 0
      let flaw = parseBool(text, count, &cell)
      value = UInt64(cell)
      return flaw
    case .date:
      var cell: Int32 = 0
      // A time of the source's own type that is midnight is a day.
      let length = kind == .timestamp && count == 19 && (10..<19).allSatisfy { text[$0] | 0x10 == 48 || text[$0] == 58 || text[$0] == 32 } ? 10 : count
      let flaw = kind == .text ? timeAsTold.parseDate(text, length, &cell) : time.parseDate(text, length, &cell)
      value = UInt64(UInt32(bitPattern: cell))
      return flaw
    case .timestamp: return whole { kind == .text ? timeAsTold.parseTimestamp(text, count, &$0) : time.parseTimestamp(text, count, &$0) }
    case .string: return .none
    }
  }

  @inline(__always) private func whole(_ body: (inout Int64) -> CellFlaw) -> CellFlaw {
    var cell: Int64 = 0
    let flaw = body(&cell)
    value = UInt64(bitPattern: cell)
    return flaw
  }

  /// Trim, replacements, null texts; nil is null.
  private func adjust(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var cell = Array(text)
    if plan.column.trim {
      let isBlank = { (byte: UInt8) in byte == 32 || byte == 9 }
      while let last = cell.last, isBlank(last) { cell.removeLast() }
      cell = Array(cell.drop(while: isBlank))
    }
    if let editor { cell = Array(editor.edit(String(decoding: cell, as: UTF8.self)).utf8) }
    if cell.isEmpty, !text.isEmpty { return nil }
    return plan.nulls.contains(cell) ? nil : cell
  }

  /// Keeps or forgets the cell of the current row, which becomes row `row`.
  func close(row: Int, keep: Bool) {
    if keep {
      let has = isSet && isPresent
      valid.grow(to: row + 1, keeping: row)
      valid.pointer[row] = has ? 1 : 0
      if !has { nullCount += 1 }
      if plan.isText {
        if has { used = end }
        offsets.grow(to: row + 2, keeping: row + 1)
        offsets.pointer[row + 1] = used
      } else {
        cells.grow(to: row + 1, keeping: row)
        cells.pointer[row] = has ? value : 0
      }
    }
    isSet = false
    isPresent = false
  }

  /// The column of the first `rows` rows, which are forgotten then. At most 2 GiB of text.
  func take(_ rows: Int) -> Column {
    let type = plan.column.type
    let bits = { (from: (Int) -> Bool) in
      Bitmap(buffer: Buffer(byteCount: (rows + 7) / 8) { to in
        for row in 0..<rows where from(row) { to[row >> 3] |= 1 << UInt8(row & 7) }
      }, count: rows)
    }
    let validity = nullCount == 0 ? nil : bits { valid.pointer[$0] != 0 }
    let storage: Column.Storage
    switch type {
    case .string:
      let ends = Buffer(byteCount: (rows + 1) * 4) { to in
        let to = to.bindMemory(to: Int32.self)
        for row in 0...rows { to[row] = Int32(truncatingIfNeeded: offsets.pointer[row]) }
      }
      let texts = Buffer(byteCount: used) { if used > 0 { $0.copyMemory(from: UnsafeRawBufferPointer(start: bytes.pointer, count: used)) } }
      storage = .text(TextValues(count: rows, offsets: ends, bytes: texts))
    case .bool: storage = .bits(bits { cells.pointer[$0] != 0 })
    case .int32, .date:
      storage = .fixed(Buffer(byteCount: rows * 4) { to in
        let to = to.bindMemory(to: UInt32.self)
        for row in 0..<rows { to[row] = UInt32(truncatingIfNeeded: cells.pointer[row]) }
      })
    case .int64, .float64, .decimal, .timestamp:
      storage = .fixed(Buffer(byteCount: rows * 8) { to in
        if rows > 0 { to.copyMemory(from: UnsafeRawBufferPointer(start: cells.pointer, count: rows * 8)) }
      })
    }
    (nullCount, used) = (0, 0)
    return Column(type: type, count: rows, validity: validity, storage: storage)
  }
}
