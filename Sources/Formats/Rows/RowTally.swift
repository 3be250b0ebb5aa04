import Columns
import Diagnostics

/// Counts rows and keeps the bad ones of a source that is read row by row.
struct RowTally {
  private(set) var report = CSVReport()
  private var counts: [QuarantineReason: Int] = [:]

  init(_ schema: Schema) { report.schema = schema }

  mutating func add(rows: Int, kept: Int, blank: Int = 0, bytes: Int = 0) {
    report.rows += rows
    report.kept += kept
    report.blankRows += blank
    report.bytes += bytes
  }

  mutating func reject(_ reason: QuarantineReason) {
    counts[reason, default: 0] += 1
    report.quarantined += 1
  }

  func finished(ignored: [String]) -> CSVReport {
    var report = report
    report.ignored = ignored
    report.reasons = QuarantineReason.allCases.compactMap { reason in counts[reason].map { (reason, $0) } }
    return report
  }
}
