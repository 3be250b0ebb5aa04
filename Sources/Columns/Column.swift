/// Typed cells in Arrow's layout, immutable. A column is a value; its buffers are shared.
///
///     let prices = Column.decimals([6950, nil, 2100], precision: 12, scale: 3)
///     prices.isNull(1)          // true
///
/// Invariant: under a null lies zero (an empty text, code 0), so that equal columns have equal bytes.
public struct Column: Sendable {
  public let type: ColumnType
  public let count: Int
  public let nullCount: Int
  /// 1 means present; nil when nothing is missing.
  public let validity: Bitmap?
  public let storage: Storage

  public enum Storage: Sendable {
    case bits(Bitmap)
    /// Int32 (int32, date), Int64 (int64, decimal, timestamp) or Double, `count` of them.
    case fixed(Buffer)
    /// Plain text: `count` + 1 Int32 offsets into the bytes.
    case text(TextValues)
    /// Dictionary text: `count` Int32 codes into the values.
    case codes(Buffer, TextValues)
  }

  public init(type: ColumnType, count: Int, validity: Bitmap?, storage: Storage) {
    self.type = type
    self.count = count
    self.storage = storage
    let missing = validity.map { $0.count - $0.setCount } ?? 0
    nullCount = missing
    self.validity = missing == 0 ? nil : validity
  }

  @inlinable @inline(__always) public func isNull(_ row: Int) -> Bool { validity.map { !$0[row] } ?? false }

  /// The cells of a fixed-width column; zero under nulls. Valid while the column lives.
  @inlinable public func values<T: BitwiseCopyable>(as type: T.Type = T.self) -> UnsafeBufferPointer<T> {
    guard case .fixed(let buffer) = storage, self.type.width == MemoryLayout<T>.stride else {
      preconditionFailure("the cells of a \(self.type) column were asked for as \(T.self)")
    }
    return UnsafeBufferPointer(rebasing: buffer.values(as: T.self).prefix(count))
  }

  /// The texts of a string column, plain or dictionary. Valid while the column lives.
  public var text: TextView {
    switch storage {
    case .text(let values): TextView(values: values, codes: nil)
    case .codes(let codes, let values): TextView(values: values, codes: codes.base.assumingMemoryBound(to: Int32.self))
    case .bits, .fixed: preconditionFailure("the texts of a \(type) column were asked for")
    }
  }

  public var bits: Bitmap {
    guard case .bits(let bits) = storage else { preconditionFailure("the bits of a \(type) column were asked for") }
    return bits
  }

  public var isDictionary: Bool { if case .codes = storage { true } else { false } }

  /// Bytes that the column's own cells take.
  public var byteCount: Int {
    let cells =
      switch storage {
      case .bits: (count + 7) / 8
      case .fixed: count * (type.width ?? 0)
      case .text(let values): (count + 1) * 4 + values.byteCount
      case .codes(_, let values): count * 4 + values.byteCount
      }
    return cells + (validity == nil ? 0 : (count + 7) / 8)
  }
}

/// Texts one behind the other: text i is bytes[offsets[i]..<offsets[i+1]].
public final class TextValues: Sendable {
  public let count: Int
  public let offsets: Buffer  // Int32, count + 1
  public let bytes: Buffer

  public init(count: Int, offsets: Buffer, bytes: Buffer) {
    precondition(offsets.byteCount >= (count + 1) * 4, "a text column has too few offsets")
    self.count = count
    self.offsets = offsets
    self.bytes = bytes
  }

  public convenience init(_ texts: some Sequence<String>) {
    var offsets: [Int32] = [0], bytes: [UInt8] = []
    for text in texts {
      bytes.append(contentsOf: text.utf8)
      offsets.append(Int32(bytes.count))
    }
    self.init(count: offsets.count - 1, offsets: Buffer(offsets), bytes: Buffer(bytes))
  }

  /// Bytes of the texts themselves.
  public var byteCount: Int {
    let offsets: UnsafeBufferPointer<Int32> = offsets.values()
    return Int(offsets[count] - offsets[0])
  }

  @inlinable @inline(__always) public subscript(at: Int) -> UnsafeBufferPointer<UInt8> {
    let from = offsets.base.load(fromByteOffset: at &* 4, as: Int32.self)
    let to = offsets.base.load(fromByteOffset: at &* 4 &+ 4, as: Int32.self)
    return UnsafeBufferPointer(
      start: bytes.base.assumingMemoryBound(to: UInt8.self) + Int(from), count: Int(to &- from))
  }

  public func string(_ at: Int) -> String { String(decoding: self[at], as: UTF8.self) }
}

/// Reads a string column row by row, whether plain or dictionary.
public struct TextView: @unchecked Sendable {  // @unchecked: the pointer is into a buffer that never changes
  public let values: TextValues
  public let codes: UnsafePointer<Int32>?

  @inlinable init(values: TextValues, codes: UnsafePointer<Int32>?) {
    self.values = values
    self.codes = codes
  }

  @inlinable @inline(__always) public subscript(row: Int) -> UnsafeBufferPointer<UInt8> {
    if let codes { values[Int(codes[row])] } else { values[row] }
  }

  public func string(_ row: Int) -> String { String(decoding: self[row], as: UTF8.self) }
}

/// Some rows of a table: columns of one length, named by a schema.
public struct Batch: Sendable {
  public let schema: Schema
  public let columns: [Column]
  public let count: Int

  public init(schema: Schema, columns: [Column], count: Int) {
    precondition(columns.count == schema.count, "a batch has \(columns.count) columns where its schema names \(schema.count)")
    for (field, column) in zip(schema.fields, columns) {
      precondition(column.count == count, "column \"\(field.name)\" has \(column.count) rows where its batch has \(count)")
      precondition(column.type == field.type, "column \"\(field.name)\" is \(column.type) where its schema says \(field.type)")
    }
    self.schema = schema
    self.columns = columns
    self.count = count
  }

  public subscript(name: String) -> Column {
    guard let at = schema.index(of: name) else {
      preconditionFailure("column \"\(name)\" was asked for and is not among \(schema.names); the binding has to name it")
    }
    return columns[at]
  }

  public func slice(_ rows: Range<Int>) -> Batch {
    Batch(schema: schema, columns: columns.map { $0.slice(rows) }, count: rows.count)
  }

  public func selecting(_ names: [String]) -> Batch {
    Batch(schema: schema.selecting(names), columns: names.map { self[$0] }, count: count)
  }
}
