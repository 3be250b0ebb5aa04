import Columns
import Diagnostics
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The few things the engine asks of a file system, with failures in words that name the path.
enum Disk {
  /// What the system refused: `cannot write "artifacts/objects": No space left on device`.
  static func failure(_ act: String, _ path: String, code: Int32 = errno) -> Refusal {
    var failure = Diagnostic("cannot \(act) \"\(path)\": \(String(cString: strerror(code)))", hint: hint(code, path))
    failure.isTransient = [EIO, EAGAIN, EBUSY, EINTR, ENFILE, EMFILE, ESTALE, ETIMEDOUT].contains(code)
    return Refusal(failure)
  }

  private static func hint(_ code: Int32, _ path: String) -> String? {
    switch code {
    case ENOSPC, EDQUOT: freeBytes(at: path).map { "\($0) bytes are free there; make room or choose another store with --artifacts" }
    case EROFS, EACCES, EPERM: "choose another store with --artifacts, or change the permissions"
    case EMFILE, ENFILE: "too many files are open; raise the limit with ulimit -n, or run with a smaller -j"
    default: nil
    }
  }

  /// What a library said of a refusal of the system while it wrote for the store, with what to do about it.
  static func advised(_ diagnostic: Diagnostic, store: String) -> Diagnostic {
    guard diagnostic.hint == nil, let code = [ENOSPC, EDQUOT, EMFILE, ENFILE].first(where: { diagnostic.message.contains(String(cString: strerror($0))) }) else {
      return diagnostic
    }
    var advised = diagnostic
    advised.hint = hint(code, store)
    return advised
  }

  // A signal may come at any moment; what it interrupts is begun again.

  static func opened(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
    while true {
      let file = open(path, flags | O_CLOEXEC, mode)
      if file >= 0 || errno != EINTR { return file }
    }
  }

  static func isFlushed(_ file: Int32) -> Bool {
    #if canImport(Darwin)
      // There fsync alone leaves the bytes to the drive's memory.
      if fcntl(file, F_FULLFSYNC) == 0 { return true }
    #endif
    while fsync(file) != 0 { if errno != EINTR { return false } }
    return true
  }

  /// A descriptor is free after an interruption too, and what was flushed is on the disk.
  static func isClosed(_ file: Int32) -> Bool { close(file) == 0 || errno == EINTR }

  static func freeBytes(at path: String) -> UInt64? {
    var at = path
    var status = statvfs()
    while statvfs(at, &status) != 0 {
      let above = folder(of: at)
      if above == at { return nil }
      at = above
    }
    return UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue
  }

  /// `a/b` of `a/b/c`, `.` of `a`, `/` of `/a`.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func name(of path: String) -> String { String(path.split(separator: "/").last ?? "") }

  static func makeFolders(_ path: String) throws {
    if isFolder(path) { return }
    let above = folder(of: path)
    if above != path, above != "." { try makeFolders(above) }
    if mkdir(path, 0o777) != 0, !(errno == EEXIST && isFolder(path)) { throw failure("make the folder", path) }
  }

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// Device and inode; another file of the same name has another identity.
  static func identity(_ path: String) -> String? {
    var status = stat()
    return stat(path, &status) == 0 ? "\(status.st_dev):\(status.st_ino)" : nil
  }

  /// Of a regular file that is no link; nil for everything else.
  static func size(ofFile path: String) -> Int? {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// Nil when there is no such file or it cannot be read; for callers that treat both as missing.
  static func contents(_ path: String) -> [UInt8]? { try? read(path) }

  /// Nil when there is no such file; throws when it cannot be read.
  static func read(_ path: String) throws -> [UInt8]? {
    let file = opened(path, O_RDONLY | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("read", path)
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var have = 0
    while have < bytes.count {
      let n = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress! + have, $0.count - have, off_t(have)) }
      if n < 0, errno == EINTR { continue }
      if n < 0 { throw failure("read", path) }
      // Cut off meanwhile.
      if n == 0 { return nil }
      have += n
    }
    return bytes
  }

  /// The beginning of a file of the system, which has no size; nil when there is none.
  static func text(ofUnsized path: String) -> [UInt8]? {
    let file = opened(path, O_RDONLY)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let n = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress!, $0.count, 0) }
    return n > 0 ? Array(bytes[..<n]) : nil
  }

  /// Writes a new file; `durably`: it is on the disk when this returns.
  static func write(_ bytes: [UInt8], to path: String, durably: Bool) throws {
    let file = opened(path, O_WRONLY | O_CREAT | O_EXCL, 0o666)
    guard file >= 0 else { throw failure("write", path) }
    var failed: Refusal?
    var have = 0
    while have < bytes.count, failed == nil {
      let n = bytes.withUnsafeBytes { systemWrite(file, $0.baseAddress! + have, $0.count - have) }
      if n < 0, errno == EINTR { continue }
      if n < 0 { failed = failure("write", path) } else { have += n }
    }
    if failed == nil, durably, !isFlushed(file) { failed = failure("flush", path) }
    if !isClosed(file), failed == nil { failed = failure("close", path) }
    if let failed { throw failed }
  }

  static func flushFolder(_ path: String) throws {
    let folder = opened(path, O_RDONLY | O_DIRECTORY)
    guard folder >= 0 else { throw failure("open", path) }
    defer { close(folder) }
    // Some file systems cannot flush a folder and say EINVAL; they order renames themselves.
    if !isFlushed(folder), errno != EINVAL { throw failure("flush", path) }
  }

  static func flushFile(_ path: String) throws {
    let file = opened(path, O_RDONLY)
    guard file >= 0 else { throw failure("open", path) }
    defer { close(file) }
    if !isFlushed(file) { throw failure("flush", path) }
  }

  /// Names in a folder, ascending by UTF-8 bytes; empty when it cannot be read.
  static func names(in folder: String) -> [String] { (try? list(folder)) ?? [] }

  /// The same; throws when it cannot be read. A folder that is not there holds nothing.
  static func list(_ folder: String) throws -> [String] {
    guard let opened = opendir(folder) else {
      if errno == ENOENT { return [] }
      throw failure("read", folder)
    }
    defer { closedir(opened) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(opened) else {
        if errno != 0 { throw failure("read", folder) }
        break
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      if let name, name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Removes a file or a folder with all in it; links are removed, not followed. What is not there is gone already.
  static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in names(in: path) { remove(path + "/" + name) }
      rmdir(path)
    } else {
      unlink(path)
    }
  }

  /// A second name for a file's bytes: a hard link, else a copy (another file system, or one without links).
  static func linkOrCopy(_ from: String, to: String) throws {
    if link(from, to) == 0 { return }
    let code = errno
    guard code != EEXIST else { throw failure("write", to, code: code) }
    guard let bytes = contents(from) else { throw failure("read", from) }
    try write(bytes, to: to, durably: false)
  }

  /// The path with links resolved; nil when it does not exist.
  static func resolved(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(validatingCString: found)
  }

  /// `.`, `..` and doubled slashes taken out by spelling alone; relative paths are taken from `base`.
  static func normalized(_ path: String, from base: String) -> String {
    var parts: [Substring] = []
    let whole = path.hasPrefix("/") ? path : base + "/" + path
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  static var currentFolder: String {
    guard let found = getcwd(nil, 0) else { return "/" }
    defer { free(found) }
    return String(cString: found)
  }

  /// `path` as seen from `folder`, when it lies within; nil else.
  static func path(_ path: String, below folder: String) -> String? {
    if folder == "/" { return String(path.dropFirst()) }
    guard path.hasPrefix(folder + "/") else { return nil }
    return String(path.dropFirst(folder.count + 1))
  }

  /// A JSON file of the engine's own; nil when it is missing or damaged.
  static func json(_ path: String) -> JSONValue? {
    guard let bytes = contents(path) else { return nil }
    return JSONReader.readAll(bytes, file: path).document?.value
  }
}

/// The C function, which a method of the same name hides.
private func systemWrite(_ file: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int { write(file, bytes, count) }
