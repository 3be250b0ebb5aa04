#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file without a name that holds the bytes, for readers that want a path.
public final class NamelessFile {
  private let descriptor: Int32
  public var path: String { "/proc/self/fd/\(descriptor)" }

  public init(_ bytes: [UInt8]) {
    // O_TMPFILE, which Swift does not import.
    descriptor = open("/tmp", 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0, "no file without a name can be made in /tmp")
    precondition(write(descriptor, bytes, bytes.count) == bytes.count, "the file could not be written")
  }

  deinit { close(descriptor) }
}
