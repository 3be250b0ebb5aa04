import Columns

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What the system says of files, which no program moves by accident: kind, size, time of the last change, inode.
extension Disk {
  /// Of one file, links followed; nil when there is none.
  static func stamp(ofFile path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return words(of: status).map { String($0) }.joined(separator: " ")
  }

  /// Of many, below a folder, in one: links are not followed. Nil when one is missing. No time of the inode is in it: a further name for a
  /// file, which a run's folder has, changes nothing of its content.
  static func stamp(of places: [String], in folder: String) -> Digest? {
    let folder = opened(folder, O_RDONLY | O_DIRECTORY)
    guard folder >= 0 else { return nil }
    defer { close(folder) }
    var stamps: [Int] = []
    stamps.reserveCapacity(places.count * 5)
    for place in places {
      var status = stat()
      guard fstatat(folder, place, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
      stamps += words(of: status)
    }
    return stamps.withUnsafeBytes { Digest(of: $0) }
  }

  private static func words(of status: stat) -> [Int] {
    #if canImport(Glibc)
      let modified = status.st_mtim
    #else
      let modified = status.st_mtimespec
    #endif
    return [Int(status.st_mode), Int(status.st_size), modified.tv_sec, modified.tv_nsec, Int(truncatingIfNeeded: status.st_ino)]
  }
}
