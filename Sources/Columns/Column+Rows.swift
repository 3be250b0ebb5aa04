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
    var anyNegative = false
    for row in rows where row < 0 { anyNegative = true }
    var validity: Bitmap?
    if self.validity != nil || anyNegative {
      validity = Bitmap(buffer: Buffer(byteCount: (n + 7) / 8) { to in
        for i in 0..<n where rows[i] >= 0 && !isNull(Int(rows[i])) { to[i &>> 3] |= 1 &<< UInt8(i & 7) }
      }, count: n)
    }
    let storage: Storage
    switch self.storage {
    case .bits(let bits):
      storage = .bits(Bitmap(buffer: Buffer(byteCount: (n + 7) / 8) { to in
        for i in 0..<n where rows[i] >= 0 && bits[Int(rows[i])] { to[i &>> 3] |= 1 &<< UInt8(i & 7) }
      }, count: n))
    case .fixed(let buffer):
      storage = .fixed(type.width == 4 ? Self.gather(buffer, rows, as: Int32.self) : Self.gather(buffer, rows, as: Int64.self))
    case .codes(let codes, let values):
      storage = .codes(Self.gather(codes, rows, as: Int32.self), values)
    case .text(let values):
      storage = .text(Self.gather(values, rows))
    }
    return Column(type: type, count: n, validity: validity, storage: storage)
  }

  private static func gather<T: FixedWidthInteger & BitwiseCopyable>(
    _ buffer: Buffer, _ rows: UnsafeBufferPointer<Int32>, as: T.Type
  ) -> Buffer {
    let from: UnsafeBufferPointer<T> = buffer.values()
    return Buffer(byteCount: rows.count * MemoryLayout<T>.stride) { bytes in
      let to = bytes.bindMemory(to: T.self)
      for i in 0..<rows.count where rows[i] >= 0 { to[i] = from[Int(rows[i])] }
    }
  }

  private static func gather(_ values: TextValues, _ rows: UnsafeBufferPointer<Int32>) -> TextValues {
    var total = 0
    for row in rows where row >= 0 { total &+= values[Int(row)].count }
    precondition(total <= Int(Int32.max), "a batch would hold more than 2 GiB of text; make batches smaller")
    let offsets = Buffer(byteCount: (rows.count + 1) * 4) { bytes in
      let to = bytes.bindMemory(to: Int32.self)
      var at: Int32 = 0
      for i in 0..<rows.count {
        if rows[i] >= 0 { at &+= Int32(truncatingIfNeeded: values[Int(rows[i])].count) }
        to[i &+ 1] = at
      }
    }
    let bytes = Buffer(byteCount: total) { to in
      guard var cursor = to.baseAddress else { return }
      for row in rows where row >= 0 {
        let text = values[Int(row)]
        guard let from = text.baseAddress, text.count > 0 else { continue }
        cursor.copyMemory(from: from, byteCount: text.count)
        cursor += text.count
      }
    }
    return TextValues(count: rows.count, offsets: offsets, bytes: bytes)
  }

  /// The columns one behind the other. Dictionary columns stay so when they share their values.
  public static func concatenate(_ columns: [Column], type: ColumnType) -> Column {
    if columns.count == 1 { return columns[0] }
    let count = columns.reduce(0) { $0 + $1.count }
    var validity: Bitmap?
    if columns.contains(where: { $0.validity != nil }) {
      validity = Bitmap(buffer: Buffer(byteCount: (count + 7) / 8) { to in
        var at = 0
        for column in columns {
          for row in 0..<column.count {
            if !column.isNull(row) { to[at &>> 3] |= 1 &<< UInt8(at & 7) }
            at &+= 1
          }
        }
      }, count: count)
    }
    let storage: Storage
    switch type {
    case .bool:
      storage = .bits(Bitmap(columns.flatMap { column in (0..<column.count).map { column.bits[$0] } }))
    case .string:
      if case .codes(_, let shared)? = columns.first?.storage,
        columns.allSatisfy({ if case .codes(_, let values) = $0.storage { values === shared } else { false } })
      {
        storage = .codes(joined(columns, width: 4) { if case .codes(let codes, _) = $0.storage { codes } else { .empty } }, shared)
      } else {
        var builder = TextBuilder()
        for column in columns {
          let text = column.text
          for row in 0..<column.count { column.isNull(row) ? builder.appendNull() : builder.append(text[row]) }
        }
        return builder.finish()
      }
    default:
      storage = .fixed(joined(columns, width: type.width ?? 0) { if case .fixed(let buffer) = $0.storage { buffer } else { .empty } })
    }
    return Column(type: type, count: count, validity: validity, storage: storage)
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
