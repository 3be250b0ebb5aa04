import Diagnostics

#if canImport(Glibc)
  import CFlush
  import Glibc
#else
  import Darwin
#endif

/// Flushes a whole file system with one call, `syncfs`, where that does what flushing each file does: many small files cost a fraction so.
// @unchecked: the descriptor is set in init and closed in deinit.
final class FileSystemFlush: @unchecked Sendable {
  private let folder: Int32
  private let path: String

  /// Nil where it is not known that the call waits for the disk and tells what could not be written. Linux does since 5.8 (2020), on the file systems named here;
  /// FUSE and network file systems do what their servers like.
  init?(of path: String) {
    #if os(Linux)
      guard Self.tellsFailures else { return nil }
      let folder = Disk.opened(path, O_RDONLY | O_DIRECTORY)
      guard folder >= 0 else { return nil }
      guard Self.known.contains(millrace_file_system(folder)) else {
        close(folder)
        return nil
      }
      self.folder = folder
      self.path = path
    #else
      return nil
    #endif
  }

  deinit { close(folder) }

  func flush() throws {
    #if os(Linux)
      while syncfs(folder) != 0 { if errno != EINTR { throw Disk.failure("flush", path) } }
    #endif
  }

  #if os(Linux)
    /// ext4, XFS, Btrfs, F2FS, tmpfs, overlayfs, as statfs(2) numbers them.
    private static let known: Set<UInt> = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994, 0x794C_7630]

    private static let tellsFailures: Bool = {
      var system = utsname()
      guard uname(&system) == 0 else { return false }
      let release = withUnsafeBytes(of: &system.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
      return numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 8)
    }()
  #endif
}
