import Columns
import Diagnostics
import Formats
import Pipelines

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Which bytes the source files of a stage hold. A file is hashed once and again only when its size, times or inode differ.
struct SourceVersions: Sendable {
  let catalog: Catalog
  let width: Int

  /// What one file of a source was when it was looked at.
  struct File: Hashable, Sendable {
    let file: SourceFile
    /// Of the rows of a query: the query that tells it.
    var query: String?
    let stamp: String
    let digest: Digest
    /// Whether another stamp would show any change since.
    var isSettled = false
  }

  /// By place among the stage's sources.
  func versions(of stage: BoundStage) throws -> [[File]] {
    guard let files = stage.files else {
      if stage.stage.sources.isEmpty { return [] }
      preconditionFailure("stage \"\(stage.name)\" was bound without looking for its files and cannot be run")
    }
    let sources = stage.stage.sources
    return try files.enumerated().map { at, files in try files.map { try version(of: $0, at < sources.count ? sources[at] : nil) } }
  }

  private func version(of file: SourceFile, _ source: Source?) throws -> File {
    if case .query(_, let version)? = source?.version { return try self.version(of: file, asking: version) }
    if let version = try remoteVersion(of: file) { return File(file: file, stamp: version, digest: Digest(of: version)) }
    for _ in 0..<3 {
      let before = try Stamp(file)
      if before.isSettled, let digest = catalog.digest(ofSource: file.path, stamp: before.text) {
        return File(file: file, stamp: before.text, digest: digest, isSettled: true)
      }
      let digest = try digest(of: file)
      let after = try Stamp(file)
      guard before.text == after.text else { continue }
      if before.isSettled { catalog.record(source: file.path, stamp: after.text, digest: digest) }
      return File(file: file, stamp: after.text, digest: digest, isSettled: before.isSettled)
    }
    throw Self.changed(file)
  }

  /// Of the rows of a query, what another query gives; without one they have none, and no run believes the last one.
  private func version(of database: SourceFile, asking query: String?) throws -> File {
    let stamp = try query.map { try PostgresQuery(url: database.path, name: database.name, query: $0).value(setting: "version") } ?? ""
    return File(file: database, query: query, stamp: stamp, digest: Digest(of: "query " + stamp))
  }

  /// Of an object behind an address, what its store says of it: no byte is read. Nil for files.
  private func remoteVersion(of file: SourceFile) throws -> String? {
    guard RemoteAddress.isAddress(file.path) else { return nil }
    return try RemoteObject.version(RemoteAddress(file.path), name: file.name)
  }

  /// A database's newest changes may stand in a log beside it, which SQLite reads with it.
  private func digest(of file: SourceFile) throws -> Digest {
    let own = try FileDigest.of(file.path, width: width), log = file.path + Self.logEnding
    guard Disk.size(ofFile: log) ?? 0 > 0 else { return own }
    let both = DigestStream()
    both.update(own)
    both.update(try FileDigest.of(log, width: width))
    return both.digest
  }

  private static let logEnding = "-wal"

  /// Throws when a file no longer holds the bytes it held; a file that was only touched does.
  func check(_ versions: [[File]]) throws {
    for version in versions.joined() where try hasChanged(version) { throw Self.changed(version.file) }
  }

  /// For a stage that failed: that a file is another than the one it began with, which is why it was cut off, or had no such column.
  func change(among versions: [[File]]) -> Diagnostic? {
    versions.joined().first { (try? hasChanged($0)) ?? false }.map { Self.changed($0.file) }
  }

  private func hasChanged(_ version: File) throws -> Bool {
    if PostgresQuery.isAddress(version.file.path) {
      guard let query = version.query else { return false }
      return try self.version(of: version.file, asking: query).stamp != version.stamp
    }
    if let now = try remoteVersion(of: version.file) { return now != version.stamp }
    if try Stamp(version.file).text == version.stamp { return false }
    return try digest(of: version.file) != version.digest
  }

  private static func changed(_ file: SourceFile) -> Diagnostic {
    // Rows of a live database may change at any time: another run may be luckier, or "version" may say less.
    let isQuery = PostgresQuery.isAddress(file.path)
    return Diagnostic(
      isQuery ? "its version changed while rows were read; nothing was kept of this stage" : "the file changed while it was read; nothing was kept of this stage",
      at: .data(file: file.name, line: nil, byte: nil, column: nil),
      hint: isQuery ? "run again, or let \"version\" be a value that changes less often" : "run again when the file is complete")
  }

  /// What the system says about a file: another stamp means the bytes may differ.
  struct Stamp {
    let text: String
    /// The kernel counts file times in ticks: a file written a moment ago may be written again within the same tick.
    let isSettled: Bool
    /// Longest tick of the kernels we know is 10 ms.
    private static let tick = 20_000_000

    init(_ file: SourceFile) throws {
      var status = stat()
      guard stat(file.path, &status) == 0 else {
        throw Diagnostic(
          "cannot be opened: \(String(cString: strerror(errno)))", at: .data(file: file.name, line: nil, byte: nil, column: nil))
      }
      #if canImport(Glibc)
        let (modified, changed) = (status.st_mtim, status.st_ctim)
      #else
        let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
      #endif
      var text = "\(status.st_size) \(modified.tv_sec).\(modified.tv_nsec) \(changed.tv_sec).\(changed.tv_nsec) \(status.st_dev):\(status.st_ino)"
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      let age = { (time: timespec) in (now.tv_sec &- time.tv_sec) &* 1_000_000_000 &+ (now.tv_nsec &- time.tv_nsec) }
      // Whoever sets `modified` by hand moves `changed` to now.
      var isSettled = age(changed) > Self.tick
      var log = stat()
      if stat(file.path + SourceVersions.logEnding, &log) == 0, log.st_size > 0 {
        #if canImport(Glibc)
          let logged = log.st_mtim
        #else
          let logged = log.st_mtimespec
        #endif
        text += " \(log.st_size) \(logged.tv_sec).\(logged.tv_nsec) \(log.st_ino)"
        isSettled = isSettled && age(logged) > Self.tick
      }
      (self.text, self.isSettled) = (text, isSettled)
    }
  }
}
