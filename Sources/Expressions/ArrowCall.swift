import CArrowBridge
import Columns

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One call of a function of Arrow's registry.
struct ArrowCall {
  let function: String
  let options: ArrowOptions?
  let operands: [Operand]

  /// The result over all rows. When Arrow refuses the batch, the rows that it refuses are found by bisection: they
  /// become null and are listed with Arrow's words.
  func rowByRow(_ rows: Int) throws(ArrowFailure) -> (Column, Failures) {
    do throws(ArrowFailure) {
      return (try call(0..<rows), Failures())
    } catch {
      // A call that fails without rows does not fail because of a row.
      if rows == 0 { throw error }
      _ = try call(0..<0)
    }
    var parts: [Column] = [], failures: [RowFailure] = []
    let empty = try call(0..<0)
    func bisect(_ range: Range<Int>) {
      do throws(ArrowFailure) {
        parts.append(try call(range))
      } catch {
        if range.count == 1 {
          parts.append(.nulls(empty.type, count: 1))
          failures.append(RowFailure(row: Int32(truncatingIfNeeded: range.lowerBound), reason: error.description))
          return
        }
        let middle = range.lowerBound + range.count / 2
        bisect(range.lowerBound..<middle)
        bisect(middle..<range.upperBound)
      }
    }
    bisect(0..<rows)
    return (Column.concatenate(parts, type: empty.type), Failures(failures))
  }

  private func call(_ range: Range<Int>) throws(ArrowFailure) -> Column {
    let table = try ArrowLibrary.table()
    let count = operands.count
    let arrays = UnsafeMutablePointer<ArrowArray>.allocate(capacity: max(1, count))
    let schemas = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: max(1, count))
    defer {
      arrays.deallocate()
      schemas.deallocate()
    }
    var arrayList: [UnsafeMutablePointer<ArrowArray>?] = [], schemaList: [UnsafeMutablePointer<ArrowSchema>?] = []
    var scalars: UInt64 = 0
    let isScalar = operands.allSatisfy(\.isScalar)
    for (i, operand) in operands.enumerated() {
      // With nothing but scalars a call without rows is a call over empty arrays.
      let asScalar = operand.isScalar && !(isScalar && range.isEmpty)
      if asScalar { scalars |= 1 << UInt64(i) }
      let rows = operand.isScalar ? 0..<(asScalar ? 1 : 0) : range
      let column = operand.column.slice(rows).decoded()
      (arrays + i).initialize(to: column.exportArray())
      (schemas + i).initialize(to: column.exportSchema())
      arrayList.append(arrays + i)
      schemaList.append(schemas + i)
    }
    let texts: [UnsafeMutablePointer<CChar>?] = options.map { [$0.kind] + $0.texts }.map { $0.map { strdup($0) } } ?? []
    defer { for text in texts { free(text) } }
    var made = MillraceOptions()
    if let options {
      made.kind = UnsafePointer(texts[0])
      made.text1 = texts.count > 1 ? UnsafePointer(texts[1]) : nil
      made.text2 = texts.count > 2 ? UnsafePointer(texts[2]) : nil
      made.text3 = texts.count > 3 ? UnsafePointer(texts[3]) : nil
      made.integer1 = options.integers.count > 0 ? options.integers[0] : 0
      made.integer2 = options.integers.count > 1 ? options.integers[1] : 0
      made.integer3 = options.integers.count > 2 ? options.integers[2] : 0
    }
    var array = ArrowArray(), schema = ArrowSchema()
    var words = [CChar](repeating: 0, count: 1024)
    let failed = arrayList.withUnsafeMutableBufferPointer { arrayList in
      schemaList.withUnsafeMutableBufferPointer { schemaList in
        words.withUnsafeMutableBufferPointer { words in
          withUnsafePointer(to: made) { made in
            table.pointee.call(
              function, options == nil ? nil : made, arrayList.baseAddress, schemaList.baseAddress, Int32(count), scalars,
              Int64(range.count), &array, &schema, words.baseAddress!, words.count)
          }
        }
      }
    }
    if failed != 0 { throw ArrowFailure(String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)) }
    return try Column(importing: array, schema: schema)
  }
}

extension Operation {
  /// The same by a kernel of Arrow, where it has one that means the same; decimals go as scaled integers.
  func arrowTwin(
    _ operands: [Operand], _ type: ColumnType
  ) -> (function: String, options: ArrowOptions?, operands: [Operand], type: ColumnType)? {
    func plain(_ function: String, _ made: ColumnType? = nil) -> (function: String, options: ArrowOptions?, operands: [Operand], type: ColumnType) {
      let whole = operands.map { operand -> Operand in
        guard case .decimal = operand.column.type else { return operand }
        return Operand(column: operand.column.relabelled(.int64), isScalar: operand.isScalar)
      }
      return (function, nil, whole, made ?? (type == .float64 ? .float64 : .int64))
    }
    // Arrow knows no bound of 18 digits.
    if case .decimal(ColumnType.widestDecimal, _) = type { return nil }
    switch self {
    case .add: return plain("add_checked")
    case .subtract: return plain("subtract_checked")
    case .multiply: return plain("multiply_checked")
    case .divide: return plain("divide_checked")
    case .negate: return plain("negate_checked")
    case .not: return plain("invert", .bool)
    case .compare(let comparison):
      switch comparison {
      case .equal: return plain("equal", .bool)
      case .notEqual: return plain("not_equal", .bool)
      case .less: return plain("less", .bool)
      case .lessOrEqual: return plain("less_equal", .bool)
      case .greater: return plain("greater", .bool)
      case .greaterOrEqual: return plain("greater_equal", .bool)
      default: return nil
      }
    case .test(.null): return plain("is_null", .bool)
    case .startsWith:
      guard operands[1].isScalar, case .string(let prefix) = operands[1].value(0) else { return nil }
      return ("starts_with", ArrowOptions("match", [prefix]), [operands[0]], .bool)
    default: return nil
    }
  }
}
