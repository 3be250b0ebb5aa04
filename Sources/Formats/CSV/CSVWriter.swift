import Columns

/// Writes batches as delimited text (RFC 4180, LF line ends): quotes only where they are needed, an empty string as `""`, null as
/// nothing. The caller gives a temporary path and renames.
// @unchecked: one thread writes it.
public final class CSVWriter: @unchecked Sendable {
  private let file: OutputFile
  private let delimiter: UInt8
  private let schema: Schema

  /// `header` false: no row of names.
  public init(path: String, schema: Schema, delimiter: Character = ",", header: Bool = true) throws {
    file = try OutputFile(path: path)
    self.delimiter = delimiter.asciiValue ?? 44
    self.schema = schema
    if header { try file.write(Self.headerRow(schema, self.delimiter)) }
  }

  public func append(_ batch: Batch) throws {
    precondition(batch.schema == schema, "a batch was appended to a file of another schema")
    try Self.rows(batch, delimiter) { try file.write($0) }
  }

  /// Flushes to the disk and closes. Returns the size in bytes.
  @discardableResult public func finish() throws -> Int { try file.finish() }

  /// A whole batch as text, with its header.
  public static func text(_ batch: Batch, delimiter: Character = ",") -> [UInt8] {
    let delimiter = delimiter.asciiValue ?? 44
    var bytes = headerRow(batch.schema, delimiter)
    rows(batch, delimiter) { bytes += $0 }
    return bytes
  }

  private static func headerRow(_ schema: Schema, _ delimiter: UInt8) -> [UInt8] {
    var bytes: [UInt8] = []
    for (at, name) in schema.names.enumerated() {
      if at > 0 { bytes.append(delimiter) }
      var name = name
      name.withUTF8 { appendText($0, delimiter, &bytes) }
    }
    bytes.append(10)
    return bytes
  }

  private static func rows<E: Error>(_ batch: Batch, _ delimiter: UInt8, _ write: ([UInt8]) throws(E) -> Void) throws(E) {
    let cells = batch.columns.map(CellWriter.init)
    var bytes: [UInt8] = []
    for row in 0..<batch.count {
      for at in cells.indices {
        if at > 0 { bytes.append(delimiter) }
        if !cells[at].column.isNull(row) { cells[at].append(row, delimiter, &bytes) }
      }
      bytes.append(10)
      if bytes.count > 64 << 10 {
        try write(bytes)
        bytes.removeAll(keepingCapacity: true)
      }
    }
    try write(bytes)
  }

  static func appendText(_ text: UnsafeBufferPointer<UInt8>, _ delimiter: UInt8, _ bytes: inout [UInt8]) {
    var plain = text.count > 0
    for byte in text where byte == delimiter || byte == 34 || byte == 10 || byte == 13 { plain = false }
    if plain {
      bytes.append(contentsOf: text)
      return
    }
    bytes.append(34)
    for byte in text {
      if byte == 34 { bytes.append(34) }
      bytes.append(byte)
    }
    bytes.append(34)
  }
}

/// One column's cells as text.
private struct CellWriter {
  let column: Column
  private let text: TextView?

  init(_ column: Column) {
    self.column = column
    text = column.type == .string ? column.text : nil
  }

  func append(_ row: Int, _ delimiter: UInt8, _ bytes: inout [UInt8]) {
    switch column.type {
    case .string: CSVWriter.appendText(text![row], delimiter, &bytes)
    case .int32: Self.appendInteger(Int64(column.values(as: Int32.self)[row]), &bytes)
    case .int64: Self.appendInteger(column.values(as: Int64.self)[row], &bytes)
    case .decimal(_, let scale):
      // With a decimal comma as delimiter the text needs quotes; ours is always a point.
      let value = column.values(as: Int64.self)[row]
      if scale == 0 { Self.appendInteger(value, &bytes) } else { bytes.append(contentsOf: decimalText(value, scale: scale).utf8) }
    case .bool, .float64, .date, .timestamp: bytes.append(contentsOf: column.value(at: row).description.utf8)
    }
  }

  private static func appendInteger(_ value: Int64, _ bytes: inout [UInt8]) {
    if value < 0 { bytes.append(45) }
    var rest = value.magnitude, digits = 1
    var power: UInt64 = 1
    while rest / power >= 10 {
      power *= 10
      digits += 1
    }
    for _ in 0..<digits {
      bytes.append(48 + UInt8(rest / power))
      rest %= power
      power /= 10
      if power == 0 { break }
    }
  }
}
