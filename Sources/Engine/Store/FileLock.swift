import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A process for which another one waits.
public struct LockHolder: Hashable, Sendable, CustomStringConvertible {
  public let process: Int
  /// How long it has held the lock.
  public let seconds: Int

  /// Stopped by a signal or a debugger: it goes on when it is told to, and its locks stay until then.
  public var isStopped: Bool {
    // `/proc/<pid>/stat`: the state follows the name, which stands in parentheses and may hold anything.
    guard let bytes = Disk.text(ofUnsized: "/proc/\(process)/stat"), let end = bytes.lastIndex(of: UInt8(ascii: ")")), end + 2 < bytes.count else { return false }
    return bytes[end + 2] == UInt8(ascii: "T") || bytes[end + 2] == UInt8(ascii: "t")
  }

  /// `process 4711, for 12 s, which is stopped: kill -CONT 4711 lets it go on`.
  public var description: String {
    "process \(process), for \(seconds) s" + (isStopped ? ", which is stopped: kill -CONT \(process) lets it go on" : "")
  }
}

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
      let file = Disk.opened(path, O_RDWR | O_CREAT, 0o666)
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

  /// Who holds it, as the file says, for messages; nil when nobody wrote into it.
  static func holder(_ path: String) -> LockHolder? {
    guard let words = Disk.contents(path), let process = Int(String(decoding: words.prefix { $0 != 10 }, as: UTF8.self)) else { return nil }
    // Written when it was taken, and never after.
    return LockHolder(process: process, seconds: FileTime(ofFile: path)?.age ?? 0)
  }

  /// Gives the file a further name, so that it is the lock of something else too; false where a file has that name already, or the file system
  /// knows no further names. Its age counts from now: a name more is a change.
  func add(_ name: String) -> Bool { link(path, name) == 0 }

  /// Removes the file while the lock is held, then frees the lock.
  func removeFile() { unlink(path) }
}
