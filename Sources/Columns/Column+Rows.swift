/// New columns from the rows of others: slice, gather, concatenate.
extension Column {
  /// Some neighbouring rows; no copy.
  public func slice(_ rows: Range<Int>) -> Column {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "a slice outside of a column")
    if rows.count == count { return self }
    let storage: Storage =
      switch self.storage {
      case .bits(let bits): .bits(bits.slice(rows))
      case .fixed(let buffer):
        .fixed(buffer.slice(from: rows.lowerBound * (type.width ?? 0), byteCount: rows.count * (type.width ?? 0)))
      case .text(let values):
        .text(TextValues(
          count: rows.count, offsets: values.offsets.slice(from: rows.lowerBound * 4, byteCount: (rows.count + 1) * 4),
          bytes: values.bytes))
      case .codes(let codes, let values):
        .codes(codes.slice(from: rows.lowerBound * 4, byteCount: rows.count * 4), values)
      }
    return Column(type: type, count: rows.count, validity: validity?.slice(rows), storage: storage)
  }

  /// The rows named, in the order named; a negative row gives null.
  public func gather(_ rows: [Int32]) -> Column { rows.withUnsafeBufferPointer { gather($0) } }

  public func gather(_ rows: UnsafeBufferPointer<Int32>) -> Column {
    let n = rows.count
    var lowest: Int32 = 0
    for row in rows { lowest = min(lowest, row) }
    var validity: Bitmap?
    if let present = self.validity {
      validity = Self.gather(present, rows)
    } else if lowest < 0 {
      validity = Bitmap(count: n) { rows[$0] >= 0 }
    }
    let storage: Storage
    switch self.storage {
    case .bits(let bits):
      storage = .bits(Self.gather(bits, rows))
    case .fixed(let buffer):
      let (narrow, areAll) = (type.width == 4, lowest >= 0)
      storage = .fixed(narrow ? Self.gather(buffer, rows, areAll, as: Int32.self) : Self.gather(buffer, rows, areAll, as: Int64.self))
    case .codes(let codes, let values):
      storage = .codes(Self.gather(codes, rows, lowest >= 0, as: Int32.self), values)
    case .text(let values):
      storage = .text(Self.gather(values, rows))
    }
    return Column(type: type, count: n, validity: validity, storage: storage)
  }

  /// 0 for a negative row.
  private static func gather(_ bits: Bitmap, _ rows: UnsafeBufferPointer<Int32>) -> Bitmap {
    let from = bits.buffer.base, offset = bits.offset
    return Bitmap(count: rows.count) { at in
      let row = Int(rows[at])
      if row < 0 { return false }
      let bit = row &+ offset
      return from.load(fromByteOffset: bit &>> 3, as: UInt8.self) &>> UInt8(truncatingIfNeeded: bit & 7) & 1 != 0
    }
  }

  /// `areAll`: no row is negative.
  private static func gather<T: FixedWidthInteger & BitwiseCopyable>(
    _ buffer: Buffer, _ rows: UnsafeBufferPointer<Int32>, _ areAll: Bool, as: T.Type
  ) -> Buffer {
    let from = buffer.base.assumingMemoryBound(to: T.self)
    return Buffer(unzeroed: rows.count * MemoryLayout<T>.stride, filling: { bytes in
      let to = bytes.assumingMemoryBound(to: T.self)
      if areAll {
        for i in 0..<rows.count { to[i] = from[Int(rows[i])] }
        return
      }
      for i in 0..<rows.count {
        let row = Int(rows[i])
        to[i] = row >= 0 ? from[row] : 0
      }
    })
  }

  private static func gather(_ values: TextValues, _ rows: UnsafeBufferPointer<Int32>) -> TextValues {
    let ends = values.offsets.base.assumingMemoryBound(to: Int32.self)
    var total = 0
    let offsets = Buffer(unzeroed: (rows.count + 1) * 4, filling: { bytes in
      let to = bytes.assumingMemoryBound(to: Int32.self)
      to[0] = 0
      for i in 0..<rows.count {
        let row = Int(rows[i])
        if row >= 0 { total &+= Int(ends[row &+ 1] &- ends[row]) }
        to[i &+ 1] = Int32(truncatingIfNeeded: total)
      }
    })
    precondition(total <= Int(Int32.max), "a batch would hold more than 2 GiB of text; make batches smaller")
    let source = values.bytes.base, limit = values.bytes.byteCount
    let bytes = Buffer(unzeroed: total, filling: { to in
      var cursor = to
      for i in 0..<rows.count where rows[i] >= 0 {
        let row = Int(rows[i])
        let from = Int(ends[row]), n = Int(ends[row &+ 1]) &- from
        if n <= 16, from &+ 16 <= limit {
          // Short texts, nearly all: one wide copy, the rest of which the next text or the slack takes.
          cursor.storeBytes(of: source.loadUnaligned(fromByteOffset: from, as: SIMD2<UInt64>.self), as: SIMD2<UInt64>.self)
        } else if n > 0 {
          cursor.copyMemory(from: source + from, byteCount: n)
        }
        cursor += n
      }
    })
    return TextValues(count: rows.count, offsets: offsets, bytes: bytes)
  }

  /// The columns one behind the other. Dictionary columns stay so when they share their values.
  public static func concatenate(_ columns: [Column], type: ColumnType) -> Column {
    if columns.count == 1 { return columns[0] }
    let count = columns.reduce(0) { $0 + $1.count }
    var validity: Bitmap?
    if columns.contains(where: { $0.validity != nil }) {
      validity = Bitmap(joining: columns.map { ($0.validity, $0.count) })
    }
    let storage: Storage
    switch type {
    case .bool:
      storage = .bits(Bitmap(joining: columns.map { ($0.bits, $0.count) }))
    case .string:
      if case .codes(_, let shared)? = columns.first?.storage,
        columns.allSatisfy({ if case .codes(_, let values) = $0.storage { values === shared } else { false } })
      {
        storage = .codes(joined(columns, width: 4) { if case .codes(let codes, _) = $0.storage { codes } else { .empty } }, shared)
      } else {
        storage = .text(joinedTexts(columns))
      }
    default:
      storage = .fixed(joined(columns, width: type.width ?? 0) { if case .fixed(let buffer) = $0.storage { buffer } else { .empty } })
    }
    return Column(type: type, count: count, validity: validity, storage: storage)
  }

  private static func joinedTexts(_ columns: [Column]) -> TextValues {
    var builder = TextBuilder(reserving: columns.reduce(0) { $0 + $1.count })
    for column in columns {
      if case .text(let values) = column.storage {
        builder.append(all: values)
      } else {
        let text = column.text
        for row in 0..<column.count { column.isNull(row) ? builder.appendNull() : builder.append(text[row]) }
      }
    }
    return builder.finishValues()
  }

  private static func joined(_ columns: [Column], width: Int, _ buffer: (Column) -> Buffer) -> Buffer {
    Buffer(byteCount: columns.reduce(0) { $0 + $1.count } * width) { to in
      var at = 0
      for column in columns where column.count > 0 {
        (to.baseAddress! + at).copyMemory(from: buffer(column).base, byteCount: column.count * width)
        at += column.count * width
      }
    }
  }

  /// The same text without a dictionary.
  public func decoded() -> Column {
    guard case .codes(let codes, let values) = storage else { return self }
    if let validity {
      // Code 0 lies under a null: its text must not show.
      let rows = (0..<count).map { validity[$0] ? codes.values(as: Int32.self)[$0] : -1 }
      return rows.withUnsafeBufferPointer {
        Column(type: type, count: count, validity: validity, storage: .text(Self.gather(values, $0)))
      }
    }
    let rows = UnsafeBufferPointer(rebasing: codes.values(as: Int32.self).prefix(count))
    return Column(type: type, count: count, validity: nil, storage: .text(Self.gather(values, rows)))
  }
}

extension Batch {
  public func gather(_ rows: [Int32]) -> Batch {
    Batch(schema: schema, columns: columns.map { $0.gather(rows) }, count: rows.count)
  }

  public static func concatenate(_ batches: [Batch], schema: Schema) -> Batch {
    Batch(
      schema: schema,
      columns: schema.fields.indices.map { at in
        batches.isEmpty
          ? Column.nulls(schema.fields[at].type, count: 0)
          : Column.concatenate(batches.map { $0.columns[at] }, type: schema.fields[at].type)
      }, count: batches.reduce(0) { $0 + $1.count })
  }
}
