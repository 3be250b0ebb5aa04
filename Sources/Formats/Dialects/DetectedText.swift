import Diagnostics

/// What the first bytes of delimited text say about all of it.
public struct DetectedText: Sendable {
  public let encoding: TextEncoding
  public let dialect: LooseDialect
  /// What was chosen and why, a sentence each; of the ordinary (UTF-8, commas, double quotes, one header) nothing.
  public let reasons: [String]

  private static let headBytes = 256 << 10

  /// `encoding` nil: found as well.
  public init(_ source: ByteSource, encoding told: TextEncoding?, told dialect: DialectDetection.Told = .init()) throws {
    let head = try source.head(Self.headBytes)
    let isWhole = head.count < Self.headBytes
    if !head.isEmpty, head.allSatisfy({ $0 == 0 }) { throw source.mistake("holds zero bytes and no text", hint: "was its copy cut short?") }
    let found = EncodingDetection.detect(head, isWhole: isWhole)
    // A byte-order mark says more than people do.
    let isMarked = found.reason == EncodingDetection.markReason
    encoding = isMarked ? found.encoding : told ?? found.encoding
    var reasons: [String] = []
    if told == nil, encoding != .utf8 { reasons.append("encoding \(encoding.rawValue): \(found.reason)") }
    let text = Self.text(head, encoding)
    let detected = DialectDetection.detect(text, isWhole: isWhole, told: dialect)
    self.dialect = detected.dialect
    self.reasons = reasons + detected.reasons
  }

  /// The sample as UTF-8; what cannot be decoded here is told when the text is read.
  private static func text(_ head: [UInt8], _ encoding: TextEncoding) -> [UInt8] {
    let unit = switch encoding {
    case .utf8, .latin1, .windows1252: 1
    case .utf16LittleEndian, .utf16BigEndian: 4
    case .utf32LittleEndian, .utf32BigEndian: 4
    }
    var source: ByteSource = MemoryBytes(Array(head[..<(head.count / unit * unit)]))
    do {
      source = try looseUTF8(source, encoding, isTolerant: true).text
    } catch { return head }
    var text: [UInt8] = [], piece = [UInt8](repeating: 0, count: 64 << 10)
    while let n = try? piece.withUnsafeMutableBytes({ try source.read(into: $0) }), n > 0 { text += piece[..<n] }
    return text
  }

  /// Whether text by the ordinary rules is all there is.
  public var isOrdinary: Bool {
    dialect.delimiter == [44] && dialect.quote == 34 && dialect.escape == nil && dialect.preambleRows == 0 && dialect.headerRows == 1 && encoding == .utf8
  }

  /// As the rules of `CSVReader` say it; nil where a delimiter is longer than they allow.
  public func rules(_ base: CSVDialect = CSVDialect()) -> CSVDialect? {
    guard dialect.delimiter.count == 1, dialect.delimiter[0] < 0x80 else { return nil }
    var rules = base
    rules.delimiter = Character(Unicode.Scalar(dialect.delimiter[0]))
    rules.quote = dialect.quote.map { Character(Unicode.Scalar($0)) }
    rules.escape = dialect.escape.map { Character(Unicode.Scalar($0)) }
    rules.headerRows = dialect.headerRows
    rules.preambleRows = dialect.preambleRows
    rules.encoding = encoding
    return rules
  }
}
