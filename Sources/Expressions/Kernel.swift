import Columns

/// One operation over operands of `rows` rows, by our own loops.
struct Kernel {
  let operands: [Operand]
  let type: ColumnType
  let rows: Int

  func run(_ operation: Operation) -> (Column, Failures) {
    switch operation {
    case .add, .subtract, .multiply, .divide, .modulo: return arithmetic(operation)
    case .negate, .absolute, .sign, .roundDown, .roundUp, .round: return unary(operation)
    case .elementary(let function): return elementary(function)
    case .isNaN: return (floatTest { $0.isNaN }, Failures())
    case .isFinite: return (floatTest { $0.isFinite }, Failures())
    case .compare(let comparison): return (compare(comparison), Failures())
    case .not: return (not(), Failures())
    case .test(let test): return (truth(test), Failures())
    case .isIn(let values): return (isIn(values), Failures())
    case .greatest: return (extreme { $0 > 0 }, Failures())
    case .least: return (extreme { $0 < 0 }, Failures())
    case .nullIf: return (nullIf(), Failures())
    case .concatenate(let skippingNulls): return (concatenate(skippingNulls: skippingNulls), Failures())
    case .startsWith: return (startsWith(), Failures())
    case .position: return (position(), Failures())
    case .splitPart: return splitPart()
    case .substring: return (substring(), Failures())
    case .left: return (ends(fromLeft: true), Failures())
    case .right: return (ends(fromLeft: false), Failures())
    case .padLeft: return pad(atStart: true)
    case .padRight: return pad(atStart: false)
    case .truncate(let unit): return truncate(unit)
    case .difference(let unit): return (difference(unit), Failures())
    case .advance(let unit): return advance(unit)
    case .makeDate: return makeDate()
    case .epoch: return (epoch(), Failures())
    case .format: return (format(), Failures())
    case .cast, .arrow: preconditionFailure("\(operation) is no kernel of ours; the evaluator has to run it")
    }
  }

  // MARK: What all share

  /// Rows in which every operand is present; nil when all are.
  func validity() -> Bitmap? {
    let missing = operands.filter { $0.column.validity != nil }
    if missing.isEmpty { return nil }
    if missing.contains(where: { $0.isScalar }) { return Bitmap(buffer: Buffer(byteCount: (rows + 7) / 8) { _ in }, count: rows) }
    let maps = missing.compactMap { $0.column.validity?.aligned() }
    if maps.count == 1 { return maps[0] }
    return Bitmap(buffer: Buffer(byteCount: (rows + 7) / 8) { to in
      for byte in 0..<to.count {
        var bits: UInt8 = 0xFF
        for map in maps { bits &= map.buffer.base.load(fromByteOffset: byte, as: UInt8.self) }
        to[byte] = bits
      }
    }, count: rows)
  }

  /// Fixed-width cells from a loop; zeros go under nulls and failed rows.
  func fixed<T: BitwiseCopyable & ExpressibleByIntegerLiteral>(
    _ validity: Bitmap?, failed: [Int32] = [], reason: (Int) -> String = { _ in "" }, _ cells: Buffer, as: T.Type
  ) -> (Column, Failures) {
    let present = self.validity(validity, without: failed)
    if let present {
      let memory = UnsafeMutableRawPointer(mutating: cells.base).assumingMemoryBound(to: T.self)
      // The buffer was made by our caller a moment ago and nobody else has seen it.
      for row in 0..<rows where !present[row] { memory[row] = 0 }
    }
    return (
      Column(type: type, count: rows, validity: present, storage: .fixed(cells)),
      Failures(failed.map { RowFailure(row: $0, reason: reason(Int($0))) })
    )
  }

  func validity(_ validity: Bitmap?, without failed: [Int32]) -> Bitmap? {
    if failed.isEmpty { return validity }
    return Bitmap(buffer: Buffer(byteCount: (rows + 7) / 8) { to in
      for row in 0..<rows where validity.map({ $0[row] }) ?? true { to[row &>> 3] |= 1 &<< UInt8(row & 7) }
      for row in failed { to[Int(row) >> 3] &= ~(1 << UInt8(row & 7)) }
    }, count: rows)
  }

  /// A bool column from a loop over rows; false lies under nulls.
  @inline(__always) func bools(_ validity: Bitmap?, _ holds: (Int) -> Bool) -> Column {
    let bits = Bitmap(count: rows, holds)
    guard let validity else { return Column(type: .bool, count: rows, validity: nil, storage: .bits(bits)) }
    return Column(type: .bool, count: rows, validity: validity, storage: .bits(bits.and(validity)))
  }

  /// Texts row by row; nil is null.
  func texts(_ make: (Int) -> String?) -> Column {
    var builder = TextBuilder(reserving: rows)
    for row in 0..<rows {
      if let text = make(row) { builder.append(text) } else { builder.appendNull() }
    }
    return builder.finish()
  }

  func isNull(_ row: Int) -> Bool { operands.contains { $0.isNull(row) } }
}

extension Bitmap {
  /// Both; byte by byte.
  func and(_ other: Bitmap) -> Bitmap {
    let (a, b) = (aligned(), other.aligned())
    return Bitmap(buffer: Buffer(byteCount: (count + 7) / 8) { to in
      for byte in 0..<to.count { to[byte] = a.buffer.base.load(fromByteOffset: byte, as: UInt8.self) & b.buffer.base.load(fromByteOffset: byte, as: UInt8.self) }
    }, count: count)
  }
}

/// Cells that are read at `row * step`.
struct Cells<T: BitwiseCopyable> {
  let base: UnsafePointer<T>
  let step: Int

  init(_ operand: Operand) {
    base = operand.column.values(as: T.self).baseAddress!
    step = operand.step
  }

  @inline(__always) subscript(row: Int) -> T { base[row &* step] }
}
