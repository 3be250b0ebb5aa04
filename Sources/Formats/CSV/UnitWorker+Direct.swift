import Columns

/// Columns that have a `DirectPlan` are decoded straight from the text, one pass a column; the others are located, adjusted
/// and then decoded (`UnitWorker+Cells`).
extension UnitWorker {
  /// False when the column has to go the longer way.
  func decodeDirectly(_ base: UnsafePointer<UInt8>, _ shadow: Int, _ column: Int, _ result: UnitResult) -> Bool {
    guard !index.hasStarts, directPlans[column] != nil else { return false }
    let plan = layout.plans[column]
    switch plan.column.type {
    case .int32: each(Int32Cells(), base, shadow, column, result)
    case .int64: each(Int64Cells(), base, shadow, column, result)
    case .decimal(let precision, let scale):
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 8) { factors in
        let cells = DecimalCells(precision: precision, scale: scale, point: layout.point, factors: factors.baseAddress!)
        each(cells, base, shadow, column, result)
      }
    case .float64:
      exactPowers.withUnsafeBufferPointer { powers in
        each(FloatCells(point: layout.point, powers: powers.baseAddress!), base, shadow, column, result)
      }
    case .date: each(DateCells(format: plan.format), base, shadow, column, result)
    case .timestamp(let zone): each(TimestampCells(zone: zone, format: plan.format), base, shadow, column, result)
    case .bool: each(BoolCells(), base, shadow, column, result)
    case .string: preconditionFailure("text was given to be decoded as fixed cells")
    }
    return true
  }

  private func each<Reader: CellReader>(
    _ reader: Reader, _ base: UnsafePointer<UInt8>, _ shadow: Int, _ column: Int, _ result: UnitResult
  ) {
    var reader = reader
    let rows = result.rows, chunk = result.chunks[column]
    let places = FieldPlaces(base, index, position: layout.positions[column])
    chunk.cells.clear(for: rows * MemoryLayout<Reader.Cell>.stride)
    chunk.valid.clear(for: rows)
    let to = UnsafeMutableRawPointer(chunk.cells.pointer).assumingMemoryBound(to: Reader.Cell.self)
    let valid = chunk.valid.pointer
    var nulls = 0
    for row in 0..<rows {
      let (start, end) = places[row]
      var value = Reader.zero
      var has: UInt8 = 1
      if start == end {
        has = 0
        nulls &+= 1
      } else if !reader.fast(base + start, end &- start, &value) {
        has = readSlowly(&reader, &value, base, shadow, start, end, row, column, result)
        nulls &+= 1 &- Int(has)
      }
      to[row] = value
      valid[row] = has
    }
    chunk.nullCount = nulls
  }

  @inline(never) private func readSlowly<Reader: CellReader>(
    _ reader: inout Reader, _ value: inout Reader.Cell, _ base: UnsafePointer<UInt8>, _ shadow: Int, _ start: Int, _ end: Int, _ row: Int,
    _ column: Int, _ result: UnitResult
  ) -> UInt8 {
    var start = start, end = end
    if let quote = layout.quote, base[start] == quote {
      (start, end) = unquoted(base, shadow, start + 1, end - 1, quote: quote, escape: nil)
    }
    if let direct = directPlans[column] {
      if direct.trims { DirectPlan.trim(base, &start, &end) }
      if direct.mayBeNull(end - start), direct.isNull(base + start, end - start) { return 0 }
    }
    if start == end { return 0 }
    let flaw = reader.slow(base + start, end - start, &value)
    if flaw != .none {
      value = Reader.zero
      note(base, row, column, flaw, result)
    }
    return 1
  }

  /// The text of a cell; `has` 0: null, and then the text is empty.
  @inline(__always) private func text(
    _ base: UnsafePointer<UInt8>, _ shadow: Int, _ places: FieldPlaces, _ row: Int, _ direct: DirectPlan, isPlain: Bool, _ quotes: Bool,
    _ quote: UInt8
  ) -> (start: Int, end: Int, has: UInt8) {
    var (start, end) = places[row]
    // No branch for empty cells: they come in any order. What stands there is a delimiter or line end, no quote.
    var has: UInt8 = start != end ? 1 : 0
    if quotes, base[start] == quote { (start, end) = unquoted(base, shadow, start &+ 1, end &- 1, quote: quote, escape: nil) }
    if isPlain { return (start, end, has) }
    if direct.trims, start != end {
      DirectPlan.trim(base, &start, &end)
      if start == end { has = 0 }
    }
    let cut = direct.tail.end(base, start, end)
    if cut != end {
      if cut == start { has = 0 }
      end = cut
    }
    if direct.mayBeNull(end &- start), has != 0, direct.isNull(base + start, end &- start) {
      has = 0
      end = start
    }
    return (start, end, has)
  }

  // Several times each, so that plain columns, most of them, pay for nothing else: `isPlain` is a constant in each.

  func copyTextsDirectly(_ base: UnsafePointer<UInt8>, _ shadow: Int, _ column: Int, _ result: UnitResult, _ direct: DirectPlan) {
    if direct.isPlain {
      copyTexts(base, shadow, column, result, direct, isPlain: true)
    } else {
      copyTexts(base, shadow, column, result, direct, isPlain: false)
    }
  }

  func encodeDirectly(
    _ base: UnsafePointer<UInt8>, _ shadow: Int, _ column: Int, _ result: UnitResult, _ direct: DirectPlan, _ dictionary: TextDictionary
  ) {
    switch (direct.isPlain, dictionary.isMostlyLong) {
    case (true, false): encode(base, shadow, column, result, direct, isPlain: true, dictionary, isMostlyLong: false)
    case (true, true): encode(base, shadow, column, result, direct, isPlain: true, dictionary, isMostlyLong: true)
    case (false, _): encode(base, shadow, column, result, direct, isPlain: false, dictionary, isMostlyLong: false)
    }
  }

  @inline(__always) private func copyTexts(
    _ base: UnsafePointer<UInt8>, _ shadow: Int, _ column: Int, _ result: UnitResult, _ direct: DirectPlan, isPlain: Bool
  ) {
    let rows = result.rows, chunk = result.chunks[column]
    let places = FieldPlaces(base, index, position: layout.positions[column])
    let quote = layout.quote ?? 0, quotes = layout.quote != nil
    chunk.valid.clear(for: rows)
    chunk.offsets.clear(for: rows + 1)
    // Taking off quotes and ends only shortens: a column's texts never need more than the unit's.
    chunk.bytes.clear(for: result.consumed - result.from + 16)
    let valid = chunk.valid.pointer, offsets = chunk.offsets.pointer, to = UnsafeMutableRawPointer(chunk.bytes.pointer)
    let from = UnsafeRawPointer(base)
    var at = 0, nulls = 0
    offsets[0] = 0
    for row in 0..<rows {
      let (start, end, has) = text(base, shadow, places, row, direct, isPlain: isPlain, quotes, quote)
      // 16 bytes at once may run over the end of both: there is slack, and the next text overwrites it.
      let count = end &- start
      from.loadUnaligned(fromByteOffset: start, as: SIMD2<UInt64>.self).store(to, at)
      if count > 16 {
        var i = 16
        repeat {
          from.loadUnaligned(fromByteOffset: start &+ i, as: SIMD2<UInt64>.self).store(to, at &+ i)
          i &+= 16
        } while i < count
      }
      at &+= count
      nulls &+= 1 &- Int(has)
      valid[row] = has
      offsets[row &+ 1] = Int32(truncatingIfNeeded: at)
    }
    chunk.nullCount = nulls
  }

  @inline(__always) private func encode(
    _ base: UnsafePointer<UInt8>, _ shadow: Int, _ column: Int, _ result: UnitResult, _ direct: DirectPlan, isPlain: Bool,
    _ dictionary: TextDictionary, isMostlyLong: Bool
  ) {
    let rows = result.rows, chunk = result.chunks[column]
    let places = FieldPlaces(base, index, position: layout.positions[column])
    let quote = layout.quote ?? 0, quotes = layout.quote != nil
    chunk.valid.clear(for: rows)
    chunk.cells.clear(for: rows * 4)
    chunk.fresh.removeAll()
    let valid = chunk.valid.pointer, codes = UnsafeMutableRawPointer(chunk.cells.pointer).assumingMemoryBound(to: Int32.self)
    let known = dictionary.lookup
    var nulls = 0
    // Lines of one invoice have the same country, of one day the same date: a text like the one before needs no search.
    var last = TextDictionary.Key(base, 0), lastCount = -1, lastCode: Int32 = 0
    for row in 0..<rows {
      let (start, end, has) = text(base, shadow, places, row, direct, isPlain: isPlain, quotes, quote)
      var code: Int32 = 0
      if has != 0 {
        let text = base + start, count = end &- start
        let key = TextDictionary.Key(text, count, isMostlyLong: isMostlyLong)
        if !isMostlyLong, count == lastCount, key.begins(like: last) {
          code = lastCode
        } else {
          code = known.find(text, count, key, isMostlyLong: isMostlyLong)
          if code < 0 { code = -1 &- addFresh(text, count, key, chunk.fresh) }
          if !isMostlyLong { (last, lastCount, lastCode) = (key, count <= 16 ? count : -1, code) }
        }
      }
      nulls &+= 1 &- Int(has)
      valid[row] = has
      codes[row] = code
    }
    chunk.nullCount = nulls
  }

  @inline(never) private func addFresh(
    _ text: UnsafePointer<UInt8>, _ count: Int, _ key: TextDictionary.Key, _ fresh: TextDictionary
  ) -> Int32 {
    let code = fresh.find(text, count, key)
    return code >= 0 ? code : fresh.insert(text, count, key)
  }
}

extension SIMD2<UInt64> {
  @inline(__always) fileprivate func store(_ to: UnsafeMutableRawPointer, _ offset: Int) {
    to.storeBytes(of: self, toByteOffset: offset, as: SIMD2<UInt64>.self)
  }
}
