import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file that is written from its beginning to its end, then flushed to the disk. The caller gives a temporary name
/// and renames; a file that was never finished is left for the caller to remove.
// @unchecked: one thread writes it.
public final class OutputFile: @unchecked Sendable {
  public let path: String
  public private(set) var byteCount = 0
  private var descriptor: Int32
  private var pending: [UInt8] = []
  private static let pendingLimit = 256 << 10

  /// Makes the file; one that exists already is cut to nothing.
  public init(path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileBytes.failure("cannot be written", name: path) }
    pending.reserveCapacity(Self.pendingLimit + 4096)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  public func write(_ text: String) throws {
    pending.append(contentsOf: text.utf8)
    if pending.count >= Self.pendingLimit { try flush() }
  }

  public func write(_ bytes: [UInt8]) throws {
    pending += bytes
    if pending.count >= Self.pendingLimit { try flush() }
  }

  private func flush() throws {
    var offset = 0
    while offset < pending.count {
      let n = pending.withUnsafeBytes { systemWrite(descriptor, $0.baseAddress! + offset, $0.count - offset) }
      if n < 0, errno == EINTR { continue }
      guard n >= 0 else { throw FileBytes.failure("cannot be written", name: path) }
      offset += n
    }
    byteCount += pending.count
    pending.removeAll(keepingCapacity: true)
  }

  /// Writes what is left, flushes to the disk, closes. Returns the size.
  @discardableResult public func finish() throws -> Int {
    try flush()
    let flushed = fsync(descriptor)
    if flushed != 0 { throw FileBytes.failure("cannot be flushed to the disk", name: path) }
    let closed = close(descriptor)
    descriptor = -1
    if closed != 0 { throw FileBytes.failure("cannot be closed", name: path) }
    return byteCount
  }
}

/// The C function, which a method of the same name hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int { write(descriptor, bytes, count) }
