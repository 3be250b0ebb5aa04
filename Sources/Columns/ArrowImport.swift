import CArrowBridge

/// Keeps an imported Arrow array alive as long as a column points into it.
// @unchecked: the array is immutable once imported; release happens once, in deinit.
private final class ImportedArray: @unchecked Sendable {
  private var array: ArrowArray

  init(_ array: ArrowArray) { self.array = array }

  deinit { array.release?(&array) }
}

/// Cells of foreign data that their column's type here cannot hold: a nanosecond, a number beyond int64, a decimal of
/// more digits. They are zero in the column; whoever asked for them has to take their rows out.
public final class ImportMisfits {
  public struct Cell: Sendable {
    public let column: String
    public let row: Int
    /// The value as text.
    public let text: String
    /// More digits than the type holds; else beyond its range.
    public let hasTooManyDigits: Bool
  }

  public private(set) var cells: [Cell] = []
  fileprivate var column = ""

  public init() {}

  fileprivate func add(_ row: Int, _ text: String, digits: Bool = false) {
    cells.append(Cell(column: column, row: row, text: text, hasTooManyDigits: digits))
  }
}

extension Batch {
  /// Takes over a struct array and its schema; buffers are used in place wherever the layout is ours.
  ///
  /// Types widened on the way: smaller and unsigned integers to int32 or int64, float32 to float64, large and view
  /// text to text, decimals to scaled Int64, other units of time to microseconds. `trusted`: written by us, so that what
  /// lies under nulls is zero already. `misfits` takes what does not fit; without it that is a failure.
  public init(
    importing array: ArrowArray, schema arrowSchema: consuming ArrowSchema, trusted: Bool = false, misfits: ImportMisfits? = nil
  ) throws(ArrowFailure) {
    defer { arrowSchema.release?(&arrowSchema) }
    let owner = ImportedArray(array)
    let fields = try Schema(importing: arrowSchema)
    var columns: [Column] = []
    for (i, field) in fields.fields.enumerated() {
      guard let child = array.children?[i]?.pointee, let childSchema = arrowSchema.children?[i]?.pointee else {
        throw ArrowFailure("a batch of Arrow data has fewer columns than its schema")
      }
      misfits?.column = field.name
      columns.append(try Column(reading: child, schema: childSchema, type: field.type, owner: owner, trusted: trusted, misfits: misfits))
    }
    self.init(schema: fields, columns: columns, count: Int(array.length))
  }
}

extension Schema {
  /// The columns of a struct schema; throws naming the first column whose type Millrace has not. Does not release.
  public init(importing schema: ArrowSchema) throws(ArrowFailure) {
    var fields: [Field] = []
    var seen: Set<String> = []
    for i in 0..<Int(schema.n_children) {
      guard let child = schema.children?[i]?.pointee else { continue }
      let name = child.name.map { String(cString: $0) } ?? ""
      guard seen.insert(name).inserted else { throw ArrowFailure("two columns are named \"\(name)\"") }
      let format = String(cString: child.dictionary?.pointee.format ?? child.format)
      guard let type = ColumnType(arrowFormat: format) else {
        throw ArrowFailure("column \"\(name)\" has an unsupported Arrow type (format \"\(format)\")")
      }
      fields.append(Field(name, type))
    }
    self.init(fields)
  }
}

extension ColumnType {
  /// The type that holds an Arrow format without loss; nil when there is none.
  public init?(arrowFormat format: String) {
    switch format {
    case "b": self = .bool
    case "c", "C", "s", "S", "i": self = .int32
    case "I", "l", "L": self = .int64
    case "f", "g": self = .float64
    // "z" is binary: text where the bytes are, which the reader has to look at.
    case "u", "U", "vu", "z": self = .string
    case "tdD": self = .date
    default:
      if format.hasPrefix("d:") {
        let parts = format.dropFirst(2).split(separator: ",").map { Int($0) }
        guard parts.count == 2 || parts.count == 3 && parts[2] == 128 || parts.count == 3 && parts[2] == 64,
          let precision = parts[0], let scale = parts[1], (1...38).contains(precision),
          (0...min(precision, Self.widestDecimal)).contains(scale)
        else { return nil }
        self = .decimal(precision: min(precision, Self.widestDecimal), scale: scale)
      } else if format.hasPrefix("ts"), let colon = format.firstIndex(of: ":"), format.utf8.count >= 4 {
        let zone = String(format[format.index(after: colon)...])
        self = .timestamp(zone: zone.isEmpty ? nil : zone)
      } else {
        return nil
      }
    }
  }
}

extension Column {
  /// One array of the C data interface as a column; takes it over.
  public init(importing array: ArrowArray, schema: consuming ArrowSchema, trusted: Bool = false) throws(ArrowFailure) {
    defer { schema.release?(&schema) }
    let owner = ImportedArray(array)
    let format = String(cString: schema.dictionary?.pointee.format ?? schema.format)
    guard let type = ColumnType(arrowFormat: format) else { throw ArrowFailure("unsupported Arrow type (format \"\(format)\")") }
    self = try Column(reading: array, schema: schema, type: type, owner: owner, trusted: trusted)
  }

  fileprivate init(
    reading array: ArrowArray, schema: ArrowSchema, type: ColumnType, owner: ImportedArray, trusted: Bool, misfits: ImportMisfits? = nil
  ) throws(ArrowFailure) {
    let count = Int(array.length), offset = Int(array.offset)
    let format = String(cString: schema.format)
    var validity: Bitmap?
    if array.null_count != 0, let bits = array.buffers?[0] {
      let first = offset >> 3
      validity = Bitmap(
        buffer: Buffer(borrowing: bits + first, byteCount: (offset & 7 + count + 7) / 8, owner: owner), offset: offset & 7,
        count: count)
      if validity!.setCount == count { validity = nil }
    }
    let storage: Storage
    if let values = array.dictionary?.pointee, let valueSchema = schema.dictionary?.pointee {
      let texts = try Column(reading: values, schema: valueSchema, type: .string, owner: owner, trusted: trusted)
      guard case .text(let plain) = texts.storage else { throw ArrowFailure("a dictionary of another dictionary is unsupported") }
      let codes = try Self.integers(array, format: format, as: Int32.self, owner: owner)
      let n = codes.values(as: Int32.self)
      var highest: UInt32 = 0
      for row in 0..<count { highest = max(highest, UInt32(bitPattern: n[row])) }
      if highest >= plain.count {
        for row in 0..<count where (validity.map { $0[row] } ?? true) && (n[row] < 0 || Int(n[row]) >= plain.count) {
          throw ArrowFailure("a dictionary code lies outside of its dictionary")
        }
      }
      if texts.nullCount > 0 {
        // A null among the values makes its cells null.
        validity = Bitmap((0..<count).map { row in (validity.map { $0[row] } ?? true) && !texts.isNull(Int(n[row])) })
      }
      storage = .codes(codes, plain.count == 0 ? TextValues([""]) : plain)
    } else {
      switch type {
      case .bool:
        guard let bits = array.buffers?[1] ?? (count == 0 ? Buffer.empty.base : nil) else { throw ArrowFailure("a bool column has no values") }
        let first = offset >> 3
        storage = .bits(Bitmap(
          buffer: Buffer(borrowing: bits + first, byteCount: (offset & 7 + count + 7) / 8, owner: owner), offset: offset & 7,
          count: count))
      case .int32, .date: storage = .fixed(try Self.integers(array, format: format, as: Int32.self, owner: owner))
      case .int64: storage = .fixed(try Self.integers(array, format: format, as: Int64.self, owner: owner, validity: validity, misfits: misfits))
      case .timestamp:
        let raw = try Self.integers(array, format: "l", as: Int64.self, owner: owner)
        storage = .fixed(try Self.microseconds(raw, count: count, unit: format.dropFirst(2).first ?? "u", validity: validity, misfits: misfits))
      case .float64: storage = .fixed(Self.floats(array, format: format, owner: owner))
      case .decimal: storage = .fixed(try Self.decimals(array, narrow: format.hasSuffix(",64"), type: type, validity: validity, owner: owner, misfits: misfits))
      case .string: storage = .text(try Self.texts(array, format: format, owner: owner))
      }
    }
    self.init(type: type, count: count, validity: validity, storage: storage)
    if !trusted, nullCount > 0 { self = zeroedUnderNulls() }
  }

  /// Foreign data may hold anything under a null; ours holds zero.
  private func zeroedUnderNulls() -> Column {
    if case .bits(let bits) = storage {
      return Column(
        type: type, count: count, validity: validity,
        storage: .bits(Bitmap((0..<count).map { bits[$0] && !isNull($0) })))
    }
    return gather((0..<count).map { isNull($0) ? -1 : Int32($0) })
  }

  private static func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ array: ArrowArray, format: String, as: T.Type, owner: ImportedArray, validity: Bitmap? = nil, misfits: ImportMisfits? = nil
  ) throws(ArrowFailure) -> Buffer {
    let count = Int(array.length), offset = Int(array.offset)
    guard let base = array.buffers?[1] else {
      if count == 0 { return .empty }
      throw ArrowFailure("a column has no values")
    }
    func widened<S: FixedWidthInteger>(_: S.Type) throws(ArrowFailure) -> Buffer {
      let from = base.assumingMemoryBound(to: S.self) + offset
      var fits = true
      let buffer = Buffer(byteCount: count * MemoryLayout<T>.stride) { bytes in
        let to = bytes.bindMemory(to: T.self)
        for row in 0..<count {
          if let value = T(exactly: from[row]) {
            to[row] = value
          } else if validity.map({ $0[row] }) ?? true {
            if let misfits { misfits.add(row, String(from[row])) } else { fits = false }
          }
        }
      }
      if !fits { throw ArrowFailure("an unsigned integer beyond int64") }
      return buffer
    }
    switch format {
    case "c": return try widened(Int8.self)
    case "C": return try widened(UInt8.self)
    case "s": return try widened(Int16.self)
    case "S": return try widened(UInt16.self)
    case "I": return try widened(UInt32.self)
    case "L": return try widened(UInt64.self)
    case "i" where T.self == Int64.self: return try widened(Int32.self)
    default:
      let width = MemoryLayout<T>.stride
      return Buffer(borrowing: base + offset * width, byteCount: count * width, owner: owner)
    }
  }

  private static func floats(_ array: ArrowArray, format: String, owner: ImportedArray) -> Buffer {
    let count = Int(array.length), offset = Int(array.offset)
    guard let base = array.buffers?[1] else { return .empty }
    if format == "g" { return Buffer(borrowing: base + offset * 8, byteCount: count * 8, owner: owner) }
    let from = base.assumingMemoryBound(to: Float.self) + offset
    return Buffer(byteCount: count * 8) { bytes in
      let to = bytes.bindMemory(to: Double.self)
      for row in 0..<count { to[row] = Double(from[row]) }
    }
  }

  private static func decimals(
    _ array: ArrowArray, narrow: Bool, type: ColumnType, validity: Bitmap?, owner: ImportedArray, misfits: ImportMisfits?
  ) throws(ArrowFailure) -> Buffer {
    let count = Int(array.length), offset = Int(array.offset)
    guard let base = array.buffers?[1] else { return .empty }
    if narrow { return Buffer(borrowing: base + offset * 8, byteCount: count * 8, owner: owner) }
    let from = base.assumingMemoryBound(to: Int64.self) + offset * 2
    if let misfits, case .decimal(_, let scale) = type {
      // Foreign: a wide decimal is told with its text, and is zero here.
      return Buffer(byteCount: count * 8) { bytes in
        let to = bytes.bindMemory(to: Int64.self)
        for row in 0..<count {
          let low = from[2 &* row], high = from[2 &* row &+ 1]
          if high == low &>> 63, low.magnitude < 1_000_000_000_000_000_000 {
            to[row] = low
          } else if validity.map({ $0[row] }) ?? true {
            misfits.add(row, wideDecimalText(Int128(high) << 64 | Int128(UInt64(bitPattern: low)), scale: scale))
          }
        }
      }
    }
    var wide: Int64 = 0
    let buffer = Buffer(unzeroed: count * 8, filling: { bytes in
      let to = bytes.assumingMemoryBound(to: Int64.self)
      for row in 0..<count {
        let low = from[2 &* row]
        to[row] = low
        wide |= from[2 &* row &+ 1] ^ low &>> 63
      }
    })
    if wide == 0 { return buffer }
    // What lies under a null is nobody's number.
    for row in 0..<count where validity.map({ $0[row] }) ?? true {
      if from[2 &* row &+ 1] != from[2 &* row] &>> 63 { throw ArrowFailure("a decimal beyond 18 digits") }
    }
    return buffer
  }

  private static func microseconds(
    _ raw: Buffer, count: Int, unit: Character, validity: Bitmap?, misfits: ImportMisfits?
  ) throws(ArrowFailure) -> Buffer {
    if unit == "u" { return raw }
    let from: UnsafeBufferPointer<Int64> = raw.values()
    var fits = true
    let buffer = Buffer(byteCount: count * 8) { bytes in
      let to = bytes.bindMemory(to: Int64.self)
      for row in 0..<count {
        if unit == "n" {
          to[row] = from[row] / 1000
          if from[row] % 1000 == 0 || !(validity.map { $0[row] } ?? true) { continue }
          guard let misfits else {
            fits = false
            continue
          }
          var (second, rest) = from[row].quotientAndRemainder(dividingBy: 1_000_000_000)
          if rest < 0 { (second, rest) = (second - 1, rest + 1_000_000_000) }
          misfits.add(row, timestampText(second * 1_000_000) + "." + String(1_000_000_000 + rest).dropFirst(), digits: true)
        } else {
          let (value, over) = from[row].multipliedReportingOverflow(by: unit == "s" ? 1_000_000 : 1000)
          to[row] = value
          if !over || !(validity.map { $0[row] } ?? true) { continue }
          to[row] = 0
          if let misfits { misfits.add(row, "\(from[row]) \(unit == "s" ? "s" : "ms") since 1970") } else { fits = false }
        }
      }
    }
    if !fits { throw ArrowFailure("a timestamp that microseconds cannot hold exactly") }
    return buffer
  }

  private static func texts(_ array: ArrowArray, format: String, owner: ImportedArray) throws(ArrowFailure) -> TextValues {
    let count = Int(array.length), offset = Int(array.offset)
    guard count > 0 else { return TextValues([]) }
    guard let second = array.buffers?[1] else { throw ArrowFailure("a text column has no offsets") }
    if format == "u" || format == "z" {
      let offsets = Buffer(borrowing: second + offset * 4, byteCount: (count + 1) * 4, owner: owner)
      let last: UnsafeBufferPointer<Int32> = offsets.values()
      guard let bytes = array.buffers?[2] ?? (last[count] == 0 ? Buffer.empty.base : nil) else { throw ArrowFailure("a text column has no bytes") }
      return TextValues(count: count, offsets: offsets, bytes: Buffer(borrowing: bytes, byteCount: Int(last[count]), owner: owner))
    }
    var builder = TextBuilder(reserving: count)
    if format == "U" {
      let offsets = second.assumingMemoryBound(to: Int64.self) + offset
      guard let bytes = (array.buffers?[2] ?? Buffer.empty.base)?.assumingMemoryBound(to: UInt8.self) else { throw ArrowFailure("a text column has no bytes") }
      guard offsets[count] - offsets[0] <= Int64(Int32.max) else { throw ArrowFailure("a batch with more than 2 GiB of text in one column") }
      for row in 0..<count { builder.append(UnsafeBufferPointer(start: bytes + Int(offsets[row]), count: Int(offsets[row + 1] - offsets[row]))) }
    } else {
      // String views: 16 bytes each; up to 12 bytes inline, else (length, prefix, buffer, offset).
      for row in 0..<count {
        let view = second + (offset + row) * 16
        let length = Int(view.load(as: Int32.self))
        if length <= 12 {
          builder.append(UnsafeBufferPointer(start: (view + 4).assumingMemoryBound(to: UInt8.self), count: length))
        } else {
          let at = Int(view.load(fromByteOffset: 8, as: Int32.self))
          guard let bytes = array.buffers?[2 + at] else { throw ArrowFailure("a text view points to no buffer") }
          let from = Int(view.load(fromByteOffset: 12, as: Int32.self))
          builder.append(UnsafeBufferPointer(start: bytes.assumingMemoryBound(to: UInt8.self) + from, count: length))
        }
      }
    }
    guard case .text(let values) = builder.finish().storage else { preconditionFailure("a text builder made another column") }
    return values
  }
}

/// As `decimalText`, for what an Int64 cannot hold.
private func wideDecimalText(_ unscaled: Int128, scale: Int) -> String {
  var digits = String(unscaled.magnitude)
  if scale == 0 { return (unscaled < 0 ? "-" : "") + digits }
  if digits.utf8.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits }
  return (unscaled < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
}
