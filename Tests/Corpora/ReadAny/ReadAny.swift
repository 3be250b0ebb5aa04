import Columns
import Diagnostics
import Formats

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// `read-any IN OUT [--text] [--tolerant] [--unpacked=BYTES]`: reads a file as `millrace convert` does and writes CSV, without the
/// packages that the program needs besides: for runs under a sanitizer. Packed files may give so many bytes; a bomb that is to end
/// at a limit ends at a lower one sooner.
@main struct ReadAny {
  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    let files = words.filter { !$0.hasPrefix("--") }
    guard files.count == 2 else {
      complain("read-any IN OUT [--text] [--tolerant] [--unpacked=BYTES]")
      exit(64)
    }
    let unpacked = words.first { $0.hasPrefix("--unpacked=") }.flatMap { Int($0.dropFirst("--unpacked=".count)) }
    do { try convert(files[0], files[1], asText: words.contains("--text"), isTolerant: words.contains("--tolerant"), unpacked: unpacked) } catch {
      unlink(files[1])
      complain("\(error)")
      exit(1)
    }
  }

  private static func convert(_ source: String, _ target: String, asText: Bool, isTolerant: Bool, unpacked: Int?) throws {
    var options = TableSource.Options()
    if let unpacked { options.limits = UnpackLimits(bytes: unpacked) }
    options.asText = asText
    if let bytes = try TableSource.open(source, options).first?.bytes {
      let found = try DetectedText(bytes(), encoding: nil)
      options.dialect.encoding = found.encoding
      if isTolerant || found.rules() == nil {
        var loose = found.dialect
        loose.isTolerant = isTolerant
        if !isTolerant { (loose.short, loose.long) = (.quarantine, .quarantine) }
        options.loose = loose
      } else if let rules = found.rules() {
        options.dialect = rules
      }
    }
    var writer: CSVWriter?, bad = 0
    for part in try TableSource.open(source, options) {
      let report = try part.read { batch in
        if writer == nil { writer = try CSVWriter(path: target, schema: batch.schema) }
        try writer?.append(batch)
      } quarantine: { bad += $0.count }
      if report.rows != report.kept + report.quarantined { preconditionFailure("kept and quarantined rows are not all rows") }
    }
    if writer == nil { writer = try CSVWriter(path: target, schema: Schema([])) }
    try writer?.finish()
    if bad > 0, !isTolerant { throw Diagnostic("\(bad) rows cannot be read") }
  }

  private static func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(2, line, line.count)
  }
}
