import CArchive
import Diagnostics

/// A .zip, .tar, .tar.gz (.bz2, .xz, .zst) or .7z, told by its content and read as a stream: nothing is unpacked to the disk.
///
/// An archive that could do harm is refused as a whole: names that lead out of a folder or hold control characters, two
/// members of one name, links, devices, encrypted members, too many entries. Archives inside are not opened.
public struct Archive: Sendable {
  public let path: String
  public let name: String
  public let limits: UnpackLimits
  /// The regular files, ascending by name (UTF-8 bytes).
  public let members: [String]

  public init(path: String, name: String? = nil, limits: UnpackLimits = UnpackLimits()) throws {
    self.path = path
    self.name = name ?? path
    self.limits = limits
    let file = try FileBytes(path: path, name: self.name)
    guard file.size > 0 else { throw file.mistake("the archive is empty") }
    let stream = try ArchiveStream(path: path, name: self.name)
    var members: [String] = [], entries = 0, seen: Set<String> = []
    while let entry = try stream.next() {
      entries += 1
      if entries > limits.entries { throw stream.mistake("the archive has more than the limit of \(limits.entries) entries") }
      try stream.checkName(entry.name)
      switch entry.kind {
      case .folder: continue
      case .other(let what): throw stream.mistake("member \"\(escaped(entry.name))\" is \(what), which is refused", hint: "archives may hold files and folders")
      case .file: break
      }
      if entry.isEncrypted { throw stream.mistake("member \"\(escaped(entry.name))\" is encrypted, which is unsupported") }
      guard seen.insert(entry.name).inserted else {
        throw stream.mistake("the archive has two members named \"\(escaped(entry.name))\"")
      }
      members.append(entry.name)
    }
    guard entries > 0 else { throw file.mistake("the archive has no members") }
    self.members = members.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Members that match; a pattern without `/` also matches a member's last name.
  public func members(matching pattern: String) throws -> [String] {
    let glob = Glob(pattern)
    let found = members.filter { member in
      glob.matches(member) || !pattern.utf8.contains(UInt8(ascii: "/")) && glob.matches(String(member.split(separator: "/").last ?? ""))
    }
    if found.isEmpty {
      throw Diagnostic(
        "the archive has no member \"\(pattern)\"", at: .data(file: name, line: nil, byte: nil, column: nil),
        hint: hint(forUnknown: pattern, among: members.map(escaped)))
    }
    return found
  }

  /// The unpacked bytes of one member; its name is that in the archive.
  public func open(_ member: String) throws -> ByteSource {
    let stream = try ArchiveStream(path: path, name: name)
    while let entry = try stream.next() {
      if entry.kind == .file, entry.name == member { return ArchiveMemberBytes(stream, member, limits) }
    }
    throw stream.mistake("the archive has no member \"\(escaped(member))\"")
  }
}

/// A name for messages: control characters as `\xNN`.
func escaped(_ name: String) -> String {
  name.unicodeScalars.reduce(into: "") { to, scalar in
    if scalar.value < 32 || (127..<160).contains(scalar.value) {
      to += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
    } else {
      to.unicodeScalars.append(scalar)
    }
  }
}

/// libarchive's reader over one file.
// @unchecked: used by one thread at a time.
final class ArchiveStream: @unchecked Sendable {
  let name: String
  private let archive: OpaquePointer
  private var entry: OpaquePointer?

  enum Kind: Equatable {
    case file, folder
    case other(String)
  }

  struct Entry {
    var name: String
    var kind: Kind
    var isEncrypted: Bool
  }

  init(path: String, name: String) throws {
    self.name = name
    guard let made = archive_read_new() else { preconditionFailure("libarchive has no memory for a reader") }
    archive = made
    archive_read_support_filter_all(made)
    for support in [archive_read_support_format_zip, archive_read_support_format_tar, archive_read_support_format_7zip] { _ = support(made) }
    guard archive_read_open_filename(made, path, 256 << 10) == ARCHIVE_OK else { throw failure("cannot be opened as an archive") }
  }

  deinit { archive_read_free(archive) }

  func mistake(_ message: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(message, at: .data(file: name, line: nil, byte: nil, column: nil), hint: hint)
  }

  func failure(_ what: String) -> Diagnostic {
    mistake("\(what): \(archive_error_string(archive).map { escaped(String(cString: $0)) } ?? "unknown reason")")
  }

  func next() throws -> Entry? {
    let code = archive_read_next_header(archive, &entry)
    if code == ARCHIVE_EOF { return nil }
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let entry else { throw failure("the archive is damaged") }
    // A warning is about a name's character set, which is judged below, or about a zip whose two directories disagree on
    // sizes or checksums.
    if code == ARCHIVE_WARN, let words = archive_error_string(archive), String(cString: words).hasPrefix("Inconsistent") {
      throw failure("the archive is damaged")
    }
    guard let raw = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry),
      let name = String(validatingCString: raw)
    else { throw mistake("a member's name is not UTF-8") }
    var kind = Kind.file
    if archive_entry_hardlink(entry) != nil {
      kind = .other("a hard link")
    } else {
      switch archive_entry_filetype(entry) & 0o170000 {
      case 0o100000: kind = .file
      case 0o040000: kind = .folder
      case 0o120000: kind = .other("a symbolic link")
      case 0o010000: kind = .other("a pipe")
      case 0o020000, 0o060000: kind = .other("a device")
      default: kind = .other("neither a file nor a folder")
      }
    }
    if archive_entry_size_is_set(entry) != 0, archive_entry_size(entry) < 0 { throw mistake("member \"\(escaped(name))\" has a negative size") }
    return Entry(name: name, kind: kind, isEncrypted: archive_entry_is_encrypted(entry) != 0)
  }

  /// Refuses names that would lead out of a folder if somebody unpacked them.
  func checkName(_ name: String) throws {
    let parts = name.split(whereSeparator: { $0 == "/" || $0 == "\\" })
    let why: String? =
      if name.isEmpty { "is empty" }
      else if name.hasPrefix("/") || name.hasPrefix("\\") { "is absolute" }
      else if parts.contains("..") { "leads out of its folder" }
      else if parts.first?.last == ":" && parts.first?.count == 2 { "names a drive" }
      else if name.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) { "holds control characters" }
      else { nil }
    if let why { throw mistake("the name of member \"\(escaped(name))\" \(why), which is refused") }
  }

  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    let n = archive_read_data(archive, room.baseAddress, room.count)
    guard n >= 0 else { throw failure("the archive is damaged") }
    return n
  }

  /// Packed bytes consumed so far.
  var packedBytes: Int { Int(archive_filter_bytes(archive, -1)) }
}

/// The bytes of one member.
// @unchecked: by the protocol's contract one thread uses it at a time.
final class ArchiveMemberBytes: ByteSource, @unchecked Sendable {
  let name: String
  private let stream: ArchiveStream
  private let limits: UnpackLimits
  private let packedBefore: Int
  private var unpacked = 0

  init(_ stream: ArchiveStream, _ member: String, _ limits: UnpackLimits) {
    self.stream = stream
    self.limits = limits
    name = member
    packedBefore = stream.packedBytes
  }

  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    let n = try stream.read(into: room)
    unpacked += n
    // The stream is read in blocks, so that a small member seems to need a block at least.
    try limits.check(unpacked: unpacked, packed: max(1, stream.packedBytes - packedBefore), of: self)
    return n
  }
}
