import Columns
import Diagnostics

extension JSONLinesReader {
  /// The columns of a source of which none were named: every key in the order of first appearance, with the narrowest
  /// type that holds all its values; `asText`: as text. Reads it to the end. Lines that are no objects say nothing.
  static func columns(of source: ByteSource, encoding: TextEncoding = .utf8, asText: Bool) throws -> [CSVColumn] {
    var sink = Discovery(asText: asText)
    let parser = JSONLineParser()
    let name = source.name
    try forEachJSONWindow(of: source, encoding: encoding, bytes: 8 << 20) { base, from, to, _ in
      var start = from
      while start < to {
        var end = start
        while end < to, base[end] != 10 { end += 1 }
        if firstInvalidUTF8(base, from: start, to: end) == nil { try? parser.parse(base, from: start, to: end, into: &sink) }
        start = end + 1
      }
      if sink.names.count > Self.keyLimit {
        throw Diagnostic(
          "the lines have more than \(Self.keyLimit) different keys", at: .data(file: name, line: nil, byte: nil, column: nil),
          hint: "say the columns wanted")
      }
    }
    if sink.names.isEmpty {
      throw Diagnostic("no line holds an object with a key", at: .data(file: name, line: nil, byte: nil, column: nil), hint: "is it JSON Lines, an object a line?")
    }
    return sink.names.indices.map { CSVColumn(sink.names[$0], asText ? .string : sink.evidence[$0].type) }
  }

  private static let keyLimit = 10_000

  private struct Discovery: JSONLineSink {
    let asText: Bool
    var names: [String] = []
    var evidence: [ColumnEvidence] = []
    private var numbers: [String: Int] = [:]

    init(asText: Bool) { self.asText = asText }

    mutating func column(_ key: UnsafeBufferPointer<UInt8>) -> Int? {
      let name = String(decoding: key, as: UTF8.self)
      if let known = numbers[name] { return known }
      numbers[name] = names.count
      names.append(name)
      evidence.append(ColumnEvidence(fractionLimit: ColumnType.widestDecimal, readsTimes: true))
      return names.count - 1
    }

    mutating func cell(_ column: Int, _ kind: CellKind, _ text: UnsafeBufferPointer<UInt8>?, at: Int) -> Bool {
      if let text, !asText { evidence[column].see(kind, text) }
      return true
    }
  }
}
