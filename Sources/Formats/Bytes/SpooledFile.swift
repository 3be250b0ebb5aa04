import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A source's bytes as a file of their own, for formats that are not read from front to end (a Parquet file in an
/// archive). The file goes with the value, and on Linux has no name from the beginning, so that a killed process leaves
/// nothing.
// @unchecked: never changed after `init`.
final class SpooledFile: @unchecked Sendable {
  let path: String
  private let descriptor: Int32
  private let isNamed: Bool

  /// `isNamed`: it has a name wherever it is, for those who cannot do without.
  init(_ source: ByteSource, isNamed named: Bool = false) throws {
    let folder = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    var template = Array("\(folder)/millrace-XXXXXX".utf8CString)
    let opened = mkstemp(&template)
    guard opened >= 0 else { throw FileBytes.failure("no temporary file can be made in \(folder)", name: source.name) }
    let made = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    descriptor = opened
    #if os(Linux)
      isNamed = named
    #else
      isNamed = true
    #endif
    path = isNamed ? made : "/proc/self/fd/\(opened)"
    if !isNamed { unlink(made) }
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let n = try piece.withUnsafeMutableBytes { try source.read(into: $0) }
      if n == 0 { return }
      var written = 0
      while written < n {
        let count = piece.withUnsafeBytes { write(opened, $0.baseAddress! + written, n - written) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw FileBytes.failure("cannot be unpacked to \(folder)", name: source.name) }
        written += count
      }
    }
  }

  deinit {
    close(descriptor)
    if isNamed { unlink(path) }
  }
}
