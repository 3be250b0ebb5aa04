import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An advisory lock on a file: the kernel frees it when the process ends, however it ends.
// @unchecked: the descriptor is set in init and closed once, in deinit.
final class FileLock: @unchecked Sendable {
  private let file: Int32
  private let path: String

  private init(file: Int32, path: String) {
    self.file = file
    self.path = path
  }

  deinit { close(file) }

  /// The lock, or nil while another holds it. The file says who: its process number.
  static func attempt(_ path: String) throws -> FileLock? {
    while true {
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard file >= 0 else { throw Disk.failure("lock", path) }
      if flock(file, LOCK_EX | LOCK_NB) != 0 {
        let code = errno
        close(file)
        if code == EWOULDBLOCK { return nil }
        if code == EINTR { continue }
        throw Disk.failure("lock", path, code: code)
      }
      // Whoever held it before may have removed the file: a lock on a file without a name excludes nobody.
      var held = stat(), named = stat()
      guard fstat(file, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev else {
        close(file)
        continue
      }
      let words = Array("\(getpid())\n".utf8)
      ftruncate(file, 0)
      _ = words.withUnsafeBytes { pwrite(file, $0.baseAddress!, $0.count, 0) }
      return FileLock(file: file, path: path)
    }
  }

  /// The process number that the holder wrote, for messages.
  static func holder(_ path: String) -> String? {
    Disk.contents(path).map { String(decoding: $0.prefix { $0 != 10 }, as: UTF8.self) }
  }

  /// Removes the file while the lock is held, then frees the lock.
  func removeFile() { unlink(path) }
}
