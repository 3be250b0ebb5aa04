import Diagnostics

/// What a file holds: told by its first bytes, and by its name's ending only where bytes cannot tell.
public enum FileKind: String, CaseIterable, Hashable, Sendable {
  /// Delimited text: csv, tsv, txt, and whatever has no better name.
  case csv
  case jsonLines = "jsonl"
  case parquet
  case arrow
  case gzip
  case archive
  case spreadsheet = "xlsx"
  case database = "sqlite"

  static let packings = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".lz", ".z"]

  /// By the first bytes of bzip2, xz, zstd, lz4, lzip and compress; .gz is read without libarchive.
  static func isPacked(_ head: [UInt8]) -> Bool {
    let marks: [[UInt8]] = [
      [0x42, 0x5A, 0x68], [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], [0x28, 0xB5, 0x2F, 0xFD], [4, 0x22, 0x4D, 0x18], [0x4C, 0x5A, 0x49, 0x50], [0x1F, 0x9D],
    ]
    return marks.contains { head.starts(with: $0) && (head[0] != 0x42 || head.count > 3 && (49...57).contains(head[3])) }
  }

  /// By a name alone; nil when its ending says nothing.
  public init?(name: String) {
    let lower = name.lowercased()
    func ends(_ endings: String...) -> Bool { endings.contains { lower.hasSuffix($0) } }
    if ends(".tar", ".zip", ".7z", ".tgz", ".tbz2", ".txz", ".tzst", ".tlz") || Self.packings.contains(where: { lower.hasSuffix(".tar" + $0) }) { self = .archive }
    else if ends(".gz") { self = .gzip }
    else if ends(".parquet", ".pq") { self = .parquet }
    else if ends(".arrow", ".arrows", ".feather", ".ipc") { self = .arrow }
    else if ends(".jsonl", ".ndjson", ".json") { self = .jsonLines }
    else if ends(".xlsx", ".xlsm", ".xls", ".xlsb", ".ods") { self = .spreadsheet }
    else if ends(".sqlite", ".sqlite3", ".db") { self = .database }
    else if ends(".csv", ".tsv", ".txt", ".tab", ".psv", ".dat") { self = .csv }
    else { return nil }
  }

  /// What is packed in a .gz, by its name without that ending; text where it says nothing.
  static func inGzip(name: String) -> FileKind {
    let lower = name.lowercased()
    return lower.hasSuffix(".gz") ? FileKind(name: String(lower.dropLast(3))) ?? .csv : .csv
  }

  public init(ofFile path: String) throws {
    let head = try FileBytes(path: path).head(512)
    self = FileKind(head: head, name: path)
  }

  /// A stream of Arrow before 0.15 has no mark: the length of its first message, then where a table begins in it.
  private static func isOldArrowStream(_ head: [UInt8]) -> Bool {
    guard head.count > 64, head[2] < 16, head[3] == 0, head[0] % 8 == 0 || head[0] % 4 == 0, head[5] == 0, head[6] == 0, head[7] == 0 else { return false }
    return (8...64).contains(head[4]) && head[4] % 4 == 0 && head[8] == 0 && head[9] == 0
  }

  /// By the first 512 bytes and the name.
  public init(head: [UInt8], name: String) {
    func starts(_ text: String) -> Bool { head.starts(with: Array(text.utf8)) }
    if starts("PAR1") { self = .parquet }
    else if starts("SQLite format 3\u{0}") { self = .database }
    else if starts("ARROW1") || head.starts(with: [0xFF, 0xFF, 0xFF, 0xFF]) || Self.isOldArrowStream(head) { self = .arrow }
    else if head.starts(with: [0x1F, 0x8B]) { self = FileKind(name: name) == .archive ? .archive : .gzip }
    else if starts("PK\u{3}\u{4}") || starts("PK\u{5}\u{6}") { self = FileKind(name: name) == .spreadsheet ? .spreadsheet : .archive }
    else if head.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) { self = .spreadsheet }  // a compound file: old or encrypted, told there
    else if head.starts(with: [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) { self = .archive }
    else if Self.isPacked(head) { self = .archive }
    else if head.count >= 262, Array(head[257..<262]) == Array("ustar".utf8) { self = .archive }
    else {
      // The bytes are no magic: a name that promises one of those (.zip of noise) is still opened as such and refused there.
      self = FileKind(name: name).flatMap { $0 == .gzip && !head.isEmpty ? .csv : $0 } ?? .csv
    }
  }
}
