import Columns

/// Writes batches as one JSON object a line. Numbers are numbers (decimals with all their digits), dates and times are
/// strings as in CSV; null and what JSON has no number for (NaN, infinity) are null.
// @unchecked: one thread writes it.
public final class JSONLinesWriter: @unchecked Sendable {
  private let file: OutputFile
  private let keys: [[UInt8]]
  private let schema: Schema

  public init(path: String, schema: Schema) throws {
    file = try OutputFile(path: path)
    self.schema = schema
    keys = schema.names.map { name in
      var bytes: [UInt8] = []
      var name = name
      name.withUTF8 { appendJSON($0, &bytes) }
      return bytes + [UInt8(ascii: ":")]
    }
  }

  public func append(_ batch: Batch) throws {
    precondition(batch.schema == schema, "a batch was appended to a file of another schema")
    var bytes: [UInt8] = []
    for row in 0..<batch.count {
      bytes.append(UInt8(ascii: "{"))
      for (at, column) in batch.columns.enumerated() {
        if at > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += keys[at]
        switch column.value(at: row) {
        case .null: bytes += Array("null".utf8)
        case .float(let value) where !value.isFinite: bytes += Array("null".utf8)
        case .string: appendJSON(column.text[row], &bytes)
        case .date, .timestamp:
          bytes.append(34)
          bytes += Array(column.value(at: row).description.utf8)
          bytes.append(34)
        case let value: bytes += Array(value.description.utf8)
        }
      }
      bytes += [UInt8(ascii: "}"), 10]
      if bytes.count > 64 << 10 {
        try file.write(bytes)
        bytes.removeAll(keepingCapacity: true)
      }
    }
    try file.write(bytes)
  }

  /// Flushes to the disk and closes. Returns the size in bytes.
  @discardableResult public func finish() throws -> Int { try file.finish() }
}

/// A JSON string (RFC 8259): quote, backslash and control characters escaped, all else as it is.
private func appendJSON(_ text: UnsafeBufferPointer<UInt8>, _ bytes: inout [UInt8]) {
  let digits = Array("0123456789abcdef".utf8)
  bytes.append(34)
  for byte in text {
    switch byte {
    case 34, 92: bytes += [92, byte]
    case 10: bytes += [92, UInt8(ascii: "n")]
    case 13: bytes += [92, UInt8(ascii: "r")]
    case 9: bytes += [92, UInt8(ascii: "t")]
    case ..<32: bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    default: bytes.append(byte)
    }
  }
  bytes.append(34)
}
