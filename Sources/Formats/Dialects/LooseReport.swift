/// What reading a text that breaks the rules came to.
public struct LooseReport: Sendable, Equatable {
  public internal(set) var kept = 0
  public internal(set) var rejected = 0
  public internal(set) var blankRows = 0
  /// Rows in which quotes were read otherwise than they stand.
  public internal(set) var quotes = 0
  /// Rows whose cells were put under the columns they fit.
  public internal(set) var mended = 0
  public internal(set) var padded = 0
  public internal(set) var trimmed = 0
  /// Cells with text that were cut off.
  public internal(set) var cellsCut = 0
  /// The header in the middle of the table: left out.
  public internal(set) var repeatedHeaders = 0
  /// Bytes that are no UTF-8 and were read as windows-1252.
  public internal(set) var westernBytes = 0
  /// The line on which another table begins.
  public internal(set) var otherTable: Int?

  /// Rejected rows by reason.
  public internal(set) var reasons: [QuarantineReason: Int] = [:]

  public init() {}

  /// What was put right, by kind.
  public var repairs: [(kind: String, count: Int)] {
    [
      ("quotes or delimiters", quotes), ("by neighbours", mended), ("short rows padded", padded), ("long rows cut", trimmed),
      ("cells with text cut off", cellsCut), ("bytes read as windows-1252", westernBytes),
    ]
  }

  /// Of two files.
  public static func + (a: LooseReport, b: LooseReport) -> LooseReport {
    var sum = a
    sum.kept += b.kept
    sum.rejected += b.rejected
    sum.blankRows += b.blankRows
    sum.quotes += b.quotes
    sum.mended += b.mended
    sum.padded += b.padded
    sum.trimmed += b.trimmed
    sum.cellsCut += b.cellsCut
    sum.repeatedHeaders += b.repeatedHeaders
    sum.westernBytes += b.westernBytes
    sum.otherTable = a.otherTable ?? b.otherTable
    sum.reasons.merge(b.reasons, uniquingKeysWith: +)
    return sum
  }

  /// What was done, in words; empty when nothing was.
  public var words: [String] {
    var words: [String] = []
    func say(_ count: Int, _ one: String, _ many: String) { if count > 0 { words.append("\(count) \(count == 1 ? one : many)") } }
    say(quotes, "row read with its quotes or delimiters put right", "rows read with their quotes or delimiters put right")
    say(mended, "row mended by its neighbours", "rows mended by their neighbours")
    say(padded, "short row padded", "short rows padded")
    say(trimmed, "long row cut", "long rows cut")
    say(cellsCut, "cell with text cut off", "cells with text cut off")
    say(repeatedHeaders, "repeated header left out", "repeated headers left out")
    say(westernBytes, "byte that is no UTF-8 read as windows-1252", "bytes that are no UTF-8 read as windows-1252")
    if let otherTable { words.append("another table begins on line \(otherTable): \(rejected) row\(rejected == 1 ? "" : "s") not read") }
    return words
  }
}

/// A row that was not read.
struct LooseReject {
  enum Reason: Equatable {
    case cellCount(found: Int, expected: Int)
    case strayQuote
    case textBehindQuote
    case unclosedQuote
    case otherTable
    case notUTF8(byte: Int)

    /// What is wrong with a row by the rules; nil: nothing.
    init?(_ row: LooseRow, width: Int) {
      switch row.flaw {
      case .strayQuote: self = .strayQuote
      case .textBehindQuote, .textBehindLastQuote: self = .textBehindQuote
      case .unclosedQuote: self = .unclosedQuote
      case .none:
        if row.count == width { return nil }
        self = .cellCount(found: row.count, expected: width)
      }
    }

    var kind: QuarantineReason {
      switch self {
      case .cellCount: .fieldCount
      case .strayQuote, .textBehindQuote, .unclosedQuote: .quotes
      case .otherTable: .otherTable
      case .notUTF8: .encoding
      }
    }

    func words(line: Int) -> String {
      switch self {
      case .cellCount(let found, let expected): "expected \(expected) fields, found \(found)"
      case .strayQuote: "a quote inside text that is not in quotes"
      case .textBehindQuote: "text behind a closing quote"
      case .unclosedQuote: "the quote that opens on line \(line) is never closed"
      case .otherTable: "a row of another table"
      case .notUTF8(let byte): "not UTF-8 at byte \(byte)"
      }
    }
  }

  var line: Int
  var byte: Int
  var text: String
  var reason: Reason
}
