import CArchive
import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Writes a .tar.gz whose bytes depend on names and contents of its members alone: no times, no owners, no name of the packer.
///
///     let archive = try ArchiveWriter(path: "run.tar.gz")
///     try archive.add("run/run.json", FileBytes(path: "run.json"), size: 512)
///     try archive.finish()
// @unchecked: one thread writes it.
public final class ArchiveWriter: @unchecked Sendable {
  public let path: String
  private let archive: OpaquePointer
  private let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)

  /// Makes the file; one that is there is cut to nothing.
  public init(path: String) throws {
    self.path = path
    try loadArchiveLibrary(for: path)
    guard let made = archive_write_new() else { preconditionFailure("libarchive has no memory for a writer") }
    archive = made
    archive_write_set_format_pax_restricted(made)
    archive_write_add_filter_gzip(made)
    // Without it the time of packing is in the header, and the same members give other bytes.
    archive_write_set_options(made, "gzip:!timestamp")
    guard archive_write_open_filename(made, path) == ARCHIVE_OK else { throw failure("cannot be written") }
  }

  deinit {
    archive_write_free(archive)
    room.deallocate()
  }

  /// `size` is what `source` has: members that turn out longer or shorter are a mistake.
  public func add(_ name: String, _ source: any ByteSource, size: Int) throws {
    guard let entry = archive_entry_new() else { preconditionFailure("libarchive has no memory for a member") }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname_utf8(entry, name)
    archive_entry_set_size(entry, Int64(size))
    archive_entry_set_filetype(entry, 0o100000)
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_mtime(entry, 0, 0)
    guard withUTF8Names({ archive_write_header(archive, entry) }) == ARCHIVE_OK else { throw failure("cannot be written") }
    var have = 0
    while true {
      let n = try source.read(into: room)
      if n == 0 { break }
      have += n
      if have > size { break }
      guard archive_write_data(archive, room.baseAddress, n) == n else { throw failure("cannot be written") }
    }
    guard have == size else { throw source.mistake("changed while it was packed") }
  }

  /// Writes what is left and closes the file.
  public func finish() throws {
    guard archive_write_close(archive) == ARCHIVE_OK else { throw failure("cannot be written") }
  }

  private func failure(_ what: String) -> Diagnostic {
    let words = archive_error_string(archive).map { escaped(String(cString: $0)) } ?? "unknown reason"
    return Diagnostic("\(what): \(words)", at: .data(file: path, line: nil, byte: nil, column: nil))
  }
}
