import Columns

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Comparison, three-valued logic, choice by comparison.
extension Kernel {
  func compare(_ comparison: BinaryOperator) -> Column {
    switch operands[0].column.type {
    case .int32, .date: compare(Int32.self, comparison)
    case .int64, .decimal, .timestamp: compare(Int64.self, comparison)
    case .float64: compare(Double.self, comparison)
    case .bool, .string:
      bools(validity()) { row in
        let order = self.order(operands[0], operands[1], row)
        return switch comparison {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        default: order >= 0
        }
      }
    }
  }

  private func compare<T: Comparable & BitwiseCopyable>(_: T.Type, _ comparison: BinaryOperator) -> Column {
    let a = Cells<T>(operands[0]), b = Cells<T>(operands[1])
    let present = validity()
    if operands[1].isScalar, !operands[0].isScalar, rows > 0 {
      // The hot case: a column beside one value.
      let base = a.base, value = b[0]
      switch comparison {
      case .equal: return bools(present) { base[$0] == value }
      case .notEqual: return bools(present) { base[$0] != value }
      case .less: return bools(present) { base[$0] < value }
      case .lessOrEqual: return bools(present) { base[$0] <= value }
      case .greater: return bools(present) { base[$0] > value }
      default: return bools(present) { base[$0] >= value }
      }
    }
    switch comparison {
    case .equal: return bools(present) { a[$0] == b[$0] }
    case .notEqual: return bools(present) { a[$0] != b[$0] }
    case .less: return bools(present) { a[$0] < b[$0] }
    case .lessOrEqual: return bools(present) { a[$0] <= b[$0] }
    case .greater: return bools(present) { a[$0] > b[$0] }
    default: return bools(present) { a[$0] >= b[$0] }
    }
  }

  /// Negative, 0 or positive; texts by UTF-8 bytes, false before true, NaN beside nothing but itself and last.
  func order(_ a: Operand, _ b: Operand, _ row: Int) -> Int {
    let i = a.at(row), j = b.at(row)
    func sign<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : x > y ? 1 : 0 }
    switch a.column.type {
    case .string: return textOrder(a.column.text[i], b.column.text[j])
    case .bool: return (a.column.bits[i] ? 1 : 0) - (b.column.bits[j] ? 1 : 0)
    case .int32, .date: return sign(a.column.values(as: Int32.self)[i], b.column.values(as: Int32.self)[j])
    case .int64, .decimal, .timestamp: return sign(a.column.values(as: Int64.self)[i], b.column.values(as: Int64.self)[j])
    case .float64:
      let x = a.column.values(as: Double.self)[i], y = b.column.values(as: Double.self)[j]
      return x.isNaN || y.isNaN ? (x.isNaN ? 1 : 0) - (y.isNaN ? 1 : 0) : sign(x, y)
    }
  }

  func not() -> Column {
    let operand = operands[0], bits = operand.column.bits
    guard !operand.isScalar else { return bools(validity()) { !bits[operand.at($0)] } }
    let inverted = bits.inverted()
    guard let present = operand.column.validity else { return Column(type: .bool, count: rows, validity: nil, storage: .bits(inverted)) }
    return Column(type: .bool, count: rows, validity: present, storage: .bits(inverted.and(present)))
  }

  func truth(_ test: TruthTest) -> Column {
    let operand = operands[0]
    guard test != .null else {
      guard operand.column.validity != nil else {
        return Column(type: .bool, count: rows, validity: nil, storage: .bits(Bitmap(count: rows) { _ in false }))
      }
      return bools(nil) { operand.isNull($0) }
    }
    let bits = operand.column.bits, wanted = test == .isTrue
    return bools(nil) { row in
      let at = operand.at(row)
      return !operand.column.isNull(at) && bits[at] == wanted
    }
  }

  /// x IN (…) over constants; a null among them makes "no" unknown.
  func isIn(_ values: [Value]) -> Column {
    let operand = operands[0]
    let known = values.filter { $0 != .null }
    let hasNull = known.count < values.count
    var column: Column
    switch operand.column.type {
    case .int32, .date: column = isMember(Int32.self, known)
    case .int64, .decimal, .timestamp: column = isMember(Int64.self, known)
    case .string:
      let list = Column(values: known, type: .string)
      let sorted = (0..<list.count).sorted { textOrder(list.text[$0], list.text[$1]) < 0 }
      column = forEachText(operand) { text in
        var low = 0, high = sorted.count
        while low < high {
          let middle = (low + high) / 2
          let order = textOrder(text, list.text[sorted[middle]])
          if order == 0 { return true }
          if order < 0 { high = middle } else { low = middle + 1 }
        }
        return false
      }
    case .bool, .float64: column = bools(validity()) { row in known.contains(operand.value(row)) }
    }
    if hasNull {
      let present = bools(nil) { !column.isNull($0) && column.bits[$0] }.bits
      column = Column(type: .bool, count: rows, validity: present, storage: .bits(present))
    }
    return column
  }

  private func isMember<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, _ values: [Value]) -> Column {
    let cells = Cells<T>(operands[0])
    let list = values.map { value -> T in
      switch value {
      case .int(let x), .decimal(let x, _), .timestamp(let x): T(truncatingIfNeeded: x)
      case .date(let x): T(truncatingIfNeeded: x)
      case .null, .bool, .float, .string: preconditionFailure("\(value) stands in a list of whole numbers")
      }
    }
    if list.count <= 8 { return bools(validity()) { list.contains(cells[$0]) } }
    let set = Set(list)
    return bools(validity()) { set.contains(cells[$0]) }
  }

  /// A test of texts, made once per text of a dictionary.
  func forEachText(_ operand: Operand, _ holds: (UnsafeBufferPointer<UInt8>) -> Bool) -> Column {
    let text = operand.column.text
    if case .codes(let codes, let values) = operand.column.storage, values.count < rows, !operand.isScalar {
      let answers = (0..<values.count).map { holds(values[$0]) }
      let cells = codes.values(as: Int32.self)
      return bools(validity()) { answers[Int(cells[$0])] }
    }
    return bools(validity()) { holds(text[operand.at($0)]) }
  }

  func startsWith() -> Column {
    let text = operands[0].column.text, prefix = operands[1].column.text
    let (a, b) = (operands[0], operands[1])
    if b.isScalar, !a.isScalar, case .text(let values) = a.column.storage, !b.isNull(0), !prefix[0].isEmpty {
      // The hot case: one prefix, whose first byte settles most texts.
      let start = prefix[0], first = start[0]
      let ends = values.offsets.base.assumingMemoryBound(to: Int32.self), bytes = values.bytes.base
      if start.count == 1 {
        // Behind the last text there is slack, which may be looked at.
        return bools(validity()) { ends[$0] != ends[$0 &+ 1] && bytes.load(fromByteOffset: Int(ends[$0]), as: UInt8.self) == first }
      }
      return bools(validity()) { row in
        let from = Int(ends[row]), count = Int(ends[row &+ 1]) &- from
        guard count >= start.count, bytes.load(fromByteOffset: from, as: UInt8.self) == first else { return false }
        return memcmp(bytes + from, start.baseAddress!, start.count) == 0
      }
    }
    return bools(validity()) { row in
      let whole = text[a.at(row)], start = prefix[b.at(row)]
      guard whole.count >= start.count else { return false }
      return start.isEmpty || memcmp(whole.baseAddress!, start.baseAddress!, start.count) == 0
    }
  }

  /// The value whose order to the best so far says so; nulls are passed over.
  func extreme(_ isBetter: (Int) -> Bool) -> Column {
    var chosen = [Int32](repeating: -1, count: rows)
    for row in 0..<rows {
      for (at, operand) in operands.enumerated() where !operand.isNull(row) {
        if chosen[row] < 0 || isBetter(order(operand, operands[Int(chosen[row])], row)) { chosen[row] = Int32(truncatingIfNeeded: at) }
      }
    }
    return pick(operands, chosen, type)
  }

  func nullIf() -> Column {
    let chosen = (0..<rows).map { row -> Int32 in
      if operands[0].isNull(row) { return -1 }
      return !operands[1].isNull(row) && order(operands[0], operands[1], row) == 0 ? -1 : 0
    }
    return pick([operands[0]], chosen, type)
  }
}

/// By UTF-8 bytes.
func textOrder(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
  let n = min(a.count, b.count)
  if n > 0 {
    let order = memcmp(a.baseAddress!, b.baseAddress!, n)
    if order != 0 { return Int(order) }
  }
  return a.count - b.count
}

/// AND and OR of three truth values: false AND unknown is false, true OR unknown is true.
func kleene(_ a: Operand, _ b: Operand, isAnd: Bool, rows: Int) -> Column {
  let (left, right) = (a.column.bits, b.column.bits)
  if a.column.validity == nil, b.column.validity == nil, !a.isScalar, !b.isScalar {
    let (x, y) = (left.aligned().buffer.base, right.aligned().buffer.base)
    let bits = Bitmap(buffer: Buffer(byteCount: (rows + 7) / 8) { to in
      for byte in 0..<to.count {
        let (p, q) = (x.load(fromByteOffset: byte, as: UInt8.self), y.load(fromByteOffset: byte, as: UInt8.self))
        to[byte] = isAnd ? p & q : p | q
      }
    }, count: rows)
    return Column(type: .bool, count: rows, validity: nil, storage: .bits(bits))
  }
  // The value that decides alone: false for AND, true for OR.
  let decisive = !isAnd
  let known = Bitmap(count: rows) { row in
    let (p, q) = (!a.isNull(row), !b.isNull(row))
    return p && q || p && left[a.at(row)] == decisive || q && right[b.at(row)] == decisive
  }
  let bits = Bitmap(count: rows) { row in
    let p = a.isNull(row) ? !decisive : left[a.at(row)], q = b.isNull(row) ? !decisive : right[b.at(row)]
    return known[row] && (isAnd ? p && q : p || q)
  }
  return Column(type: .bool, count: rows, validity: known, storage: .bits(bits))
}
