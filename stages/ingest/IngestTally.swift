import Formats
import Pipelines

/// What reading all files came to: rows = kept + quarantined.
struct IngestTally {
  var rows = 0, kept = 0, quarantined = 0, blankRows = 0, bytes = 0
  var reasons: [(reason: QuarantineReason, rows: Int)] = []
  var ignored: [String] = []
  private var dialects: [FoundDialect] = []
  private var loose: LooseReport?
  private var notes: [String] = []

  mutating func add(_ report: CSVReport, file: String) {
    rows += report.rows
    kept += report.kept
    quarantined += report.quarantined
    blankRows += report.blankRows
    bytes += report.bytes
    for (reason, count) in report.reasons {
      if let at = reasons.firstIndex(where: { $0.reason == reason }) { reasons[at].rows += count } else { reasons.append((reason, count)) }
    }
    if let found = report.found {
      dialects.append(found)
      if !found.reasons.isEmpty { notes.append("\(found.file): \(found.reasons.joined(separator: "; "))") }
    }
    if let more = report.loose {
      if !more.words.isEmpty { notes.append("\(file): \(more.words.joined(separator: "; "))") }
      loose = (loose ?? LooseReport()) + more
    }
    for name in report.ignored where !ignored.contains(name) { ignored.append(name) }
  }

  var metrics: Metrics {
    var metrics = Metrics()
    metrics["rows"] = .integer(rows)
    metrics["kept"] = .integer(kept)
    metrics["quarantined"] = .integer(quarantined)
    if !reasons.isEmpty {
      metrics["reasons"] = .object(QuarantineReason.allCases.compactMap { reason in
        reasons.first { $0.reason == reason }.map { JSONMember(reason.rawValue, .integer($0.rows)) }
      })
    }
    if blankRows > 0 { metrics["blank_lines"] = .integer(blankRows) }
    if bytes > 0 { metrics["bytes"] = .integer(bytes) }
    if let loose {
      metrics["repaired"] = .object(loose.repairs.map { JSONMember($0.kind, .integer($0.count)) })
      metrics["left_out"] = .object([JSONMember("blank lines", .integer(blankRows)), JSONMember("repeated headers", .integer(loose.repeatedHeaders))])
      metrics["total"] = .integer(rows + blankRows + loose.repeatedHeaders)
    }
    if !dialects.isEmpty { metrics["dialects"] = Self.list(dialects.map(\.json)) }
    if !notes.isEmpty { metrics["notes"] = Self.list(notes.map(JSONValue.string)) }
    return metrics
  }

  /// Metrics of several files: counts add up, and what was found stands file by file.
  static func sum(of parts: [JSONValue]) -> JSONValue {
    guard case .object(var members) = Pipelines.sum(of: parts) else { return [:] }
    for at in members.indices where listed.contains(members[at].key) {
      members[at].value = list(parts.flatMap { $0[members[at].key]?.array ?? [] })
    }
    return .object(members)
  }

  private static let listed = ["dialects", "notes"]
  /// Of more files only the first are told one by one.
  private static let longestList = 100

  private static func list(_ values: [JSONValue]) -> JSONValue { .array(Array(values.prefix(longestList))) }
}

extension FoundDialect {
  fileprivate var json: JSONValue {
    let text = { (bytes: [UInt8]) in JSONValue.string(String(decoding: bytes, as: UTF8.self)) }
    var members = [
      JSONMember("file", .string(file)), JSONMember("encoding", .string(encoding.rawValue)),
      JSONMember("delimiter", dialect.delimiter == [9] ? "tab" : text(dialect.delimiter)),
      JSONMember("quote", text(dialect.quote.map { [$0] } ?? [])), JSONMember("escape", text(dialect.escape.map { [$0] } ?? [])),
      JSONMember("headerRows", .integer(dialect.headerRows)), JSONMember("preambleRows", .integer(dialect.preambleRows)),
      JSONMember("decimal", .string(String(decimal))),
    ]
    if !formats.isEmpty { members.append(JSONMember("formats", .object(formats.map { JSONMember($0.column, .string($0.format)) }))) }
    if !thousands.isEmpty { members.append(JSONMember("thousands", .object(thousands.map { JSONMember($0.column, .string(String($0.mark))) }))) }
    return .object(members)
  }
}
