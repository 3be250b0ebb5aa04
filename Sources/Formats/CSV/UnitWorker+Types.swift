import Columns

extension UnitWorker {
  func decodeFixed(_ base: UnsafePointer<UInt8>, _ shadow: Int, _ column: Int, _ result: UnitResult) {
    let cells = locate(base, shadow, column, result.rows)
    let chunk = result.chunks[column], type = layout.plans[column].column.type, rows = result.rows
    chunk.cells.clear(for: rows * (type.width ?? 1))
    chunk.valid.clear(for: rows)
    chunk.valid.pointer.update(from: cells.present, count: rows)
    let raw = UnsafeMutableRawPointer(chunk.cells.pointer)
    func each<T: BitwiseCopyable>(_ zero: T, _ parse: (UnsafePointer<UInt8>, Int, inout T) -> CellFlaw) {
      let to = raw.assumingMemoryBound(to: T.self)
      var nulls = 0
      for row in 0..<rows {
        var value = zero
        if cells.present[row] != 0 {
          let start = Int(cells.starts[row])
          let flaw = parse(cells.base + start, Int(cells.ends[row]) &- start, &value)
          if flaw != .none { note(base, row, column, flaw, result) }
        } else {
          nulls &+= 1
        }
        to[row] = value
      }
      chunk.nullCount = nulls
    }
    switch type {
    case .int32: each(Int32(0)) { parseInt32($0, $1, &$2) }
    case .int64: each(Int64(0)) { parseInteger($0, $1, &$2) }
    case .decimal(let precision, let scale):
      let parser = DecimalParser(precision: precision, scale: scale, point: layout.point)
      each(Int64(0)) { parser.parse($0, $1, &$2) }
    case .float64:
      let parser = FloatParser(point: layout.point)
      each(0.0) { parser.parse($0, $1, &$2) }
    case .date:
      var parser = TimeParser(format: layout.plans[column].format)
      each(Int32(0)) { parser.parseDate($0, $1, &$2) }
    case .timestamp(let zone):
      var parser = TimeParser(zone: zone, format: layout.plans[column].format)
      each(Int64(0)) { parser.parseTimestamp($0, $1, &$2) }
    case .bool: each(UInt8(0)) { parseBool($0, $1, &$2) }
    case .string: preconditionFailure("text was given to be decoded as fixed cells")
    }
  }

  func copyTexts(_ cells: Cells, _ rows: Int, _ chunk: ColumnChunk) {
    chunk.valid.clear(for: rows)
    chunk.offsets.clear(for: rows + 1)
    var total = 0
    for row in 0..<rows where cells.present[row] != 0 { total &+= Int(cells.ends[row] &- cells.starts[row]) }
    chunk.bytes.clear(for: total + 16)
    let valid = chunk.valid.pointer, offsets = chunk.offsets.pointer, to = UnsafeMutableRawPointer(chunk.bytes.pointer)
    let from = UnsafeRawPointer(cells.base)
    var at = 0, nulls = 0
    offsets[0] = 0
    for row in 0..<rows {
      let has = cells.present[row]
      valid[row] = has
      if has != 0 {
        let start = Int(cells.starts[row]), count = Int(cells.ends[row]) &- start
        // 16 bytes at once may run over the end of both: there is slack, and the next text overwrites it.
        var i = 0
        repeat {
          let piece = from.loadUnaligned(fromByteOffset: start &+ i, as: SIMD2<UInt64>.self)
          to.storeBytes(of: piece, toByteOffset: at &+ i, as: SIMD2<UInt64>.self)
          i &+= 16
        } while i < count
        at &+= count
      } else {
        nulls &+= 1
      }
      offsets[row &+ 1] = Int32(truncatingIfNeeded: at)
    }
    chunk.nullCount = nulls
  }

  func encode(_ cells: Cells, _ rows: Int, _ dictionary: TextDictionary?, _ chunk: ColumnChunk) {
    chunk.valid.clear(for: rows)
    chunk.cells.clear(for: rows * 4)
    chunk.fresh.removeAll()
    let valid = chunk.valid.pointer, codes = UnsafeMutableRawPointer(chunk.cells.pointer).assumingMemoryBound(to: Int32.self)
    let fresh = chunk.fresh
    var nulls = 0
    for row in 0..<rows {
      let has = cells.present[row]
      valid[row] = has
      if has != 0 {
        let start = Int(cells.starts[row]), count = Int(cells.ends[row]) &- start, text = cells.base + start
        let key = TextDictionary.Key(text, count)
        var code = dictionary?.find(text, count, key) ?? -1
        if code < 0 {
          code = fresh.find(text, count, key)
          if code < 0 { code = fresh.insert(text, count, key) }
          code = -1 &- code
        }
        codes[row] = code
      } else {
        codes[row] = 0
        nulls &+= 1
      }
    }
    chunk.nullCount = nulls
  }
}
