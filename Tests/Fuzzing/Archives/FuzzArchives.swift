import FuzzFiles

import Formats

/// Any bytes as a file whose name the first byte chooses: archives, packed text, JSON Lines, delimited text.
@_cdecl("LLVMFuzzerTestOneInput") public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let data, count > 1 else { return 0 }
  let file = NamelessFile(Array(UnsafeBufferPointer(start: data + 1, count: count - 1)))
  defer { withExtendedLifetime(file) {} }
  var options = TableSource.Options()
  options.member = "*"
  options.asText = data[0] & 8 == 0
  options.width = 1
  options.limits = UnpackLimits(bytes: 1 << 20, ratio: 100, entries: 100)
  guard let parts = try? TableSource.open(file: file.path, name: FuzzArchives.names[Int(data[0] & 7)], options) else { return 0 }
  for part in parts.prefix(8) {
    var kept = 0, quarantined = 0
    guard let report = try? part.read(batch: { kept += $0.count }, quarantine: { quarantined += $0.count }) else { continue }
    precondition(report.kept == kept && report.quarantined == quarantined && report.rows == kept + quarantined, "kept and quarantined rows are not all rows")
  }
  return 0
}

enum FuzzArchives {
  static let names = ["a.zip", "a.tar", "a.tar.gz", "a.7z", "a.csv.gz", "a.jsonl", "a.csv", "a.xlsx"]
}
