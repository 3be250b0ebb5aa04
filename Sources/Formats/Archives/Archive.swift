import CArchive
import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A .zip, .7z or .tar, packed or not (.gz, .bz2, .xz, .zst, .lz4, .lz, .Z), told by its content and read as a stream: nothing
/// is unpacked to the disk. A single file that is packed so (data.csv.zst) is an archive of one member.
///
/// An archive that could do harm is refused as a whole: names that lead out of a folder or hold control characters, two
/// members of one name, links, devices, encrypted members, too many entries. Archives inside are not opened.
public struct Archive: Sendable {
  public let path: String
  public let name: String
  public let limits: UnpackLimits
  /// The regular files, ascending by name (UTF-8 bytes).
  public let members: [String]
  /// Of a single packed file: its name without the ending that says so.
  private let plainName: String?

  public init(path: String, name: String? = nil, limits: UnpackLimits = UnpackLimits()) throws {
    self.path = path
    self.name = name ?? path
    self.limits = limits
    let file = try FileBytes(path: path, name: self.name)
    guard file.size > 0 else { throw file.mistake("the archive is empty") }
    plainName = try Self.plainName(ofPacked: file)
    let stream = try ArchiveStream(path: path, name: self.name, plainName: plainName)
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
    if let told = try Self.entriesTold(byZip: file), told > entries {
      throw file.mistake("the archive's directory lists \(told) members, and \(entries) can be told apart: entries overlap, which is refused")
    }
    self.members = members.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Members that match; a pattern without `/` also matches a member's last name.
  public func members(matching pattern: String) throws -> [String] {
    if members.isEmpty {
      throw Diagnostic("the archive holds folders only", at: .data(file: name, line: nil, byte: nil, column: nil), expected: "a file")
    }
    let glob = Glob(pattern)
    let found = members.filter { member in
      glob.matches(member) || !pattern.utf8.contains(UInt8(ascii: "/")) && glob.matches(String(member.split(separator: "/").last ?? ""))
    }
    if found.isEmpty {
      throw Diagnostic(
        "the archive has no member \"\(pattern)\"", at: .data(file: name, line: nil, byte: nil, column: nil),
        found: members.prefix(8).map { "\"\(escaped($0))\"" }.joined(separator: ", ") + (members.count > 8 ? ", …" : ""),
        hint: hint(forUnknown: pattern, among: members.map(escaped)))
    }
    return found
  }

  /// The unpacked bytes of one member; its name is that in the archive.
  public func open(_ member: String) throws -> ByteSource {
    let stream = try ArchiveStream(path: path, name: name, plainName: plainName)
    while let entry = try stream.next() {
      if entry.kind == .file, entry.name == member { return ArchiveMemberBytes(stream, member, limits) }
    }
    throw stream.mistake("the archive has no member \"\(escaped(member))\"")
  }

  /// The members one after the other as they lie in the archive, in one pass; the bytes of each live during the call.
  public func forEachMember(_ body: (_ name: String, _ bytes: any ByteSource) throws -> Void) throws {
    let stream = try ArchiveStream(path: path, name: name, plainName: plainName)
    while let entry = try stream.next() {
      if entry.kind == .file { try body(entry.name, ArchiveMemberBytes(stream, entry.name, limits)) }
    }
  }

  /// What the end of a zip's directory says of its length; nil where it cannot (other formats, more than 65,534 members).
  private static func entriesTold(byZip file: FileBytes) throws -> Int? {
    let tail = try file.tail(22 + 65_535)
    guard tail.count >= 22 else { return nil }
    for at in stride(from: tail.count - 22, through: 0, by: -1)
    where tail[at] == 0x50 && tail[at + 1] == 0x4B && tail[at + 2] == 5 && tail[at + 3] == 6 {
      // The record's own comment ends the file.
      guard at + 22 + Int(tail[at + 20]) + Int(tail[at + 21]) << 8 == tail.count else { continue }
      let count = Int(tail[at + 10]) + Int(tail[at + 11]) << 8
      return count == 0xFFFF ? nil : count
    }
    return nil
  }

  /// nil: not packed, or an archive that is packed, as its name says.
  private static func plainName(ofPacked file: FileBytes) throws -> String? {
    guard FileKind.isPacked(try file.head(8)) else { return nil }
    let base = String(file.name.split(separator: "/").last ?? "data"), lower = base.lowercased()
    if lower.contains(".tar") || [".tgz", ".tbz2", ".tbz", ".txz", ".tzst", ".tlz"].contains(where: lower.hasSuffix) { return nil }
    let endings = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".lz", ".lzma", ".z"]
    guard let ending = endings.first(where: lower.hasSuffix), lower.utf8.count > ending.utf8.count else { return base }
    return String(base.dropLast(ending.count))
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

/// Opens libarchive; throws where it is not installed.
func loadArchiveLibrary(for file: String) throws {
  var words = [CChar](repeating: 0, count: 512)
  if millrace_archive_load(&words, words.count) == 0 { return }
  throw Diagnostic(
    String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self), at: .data(file: file, line: nil, byte: nil, column: nil),
    hint: "Debian and Ubuntu: apt-get install libarchive13; macOS: brew install libarchive")
}

/// Runs `body` while this thread's characters are UTF-8: libarchive takes names through the locale.
func withUTF8Names<Result>(_ body: () -> Result) -> Result {
  guard let locale = utf8Locale else { return body() }
  let before = uselocale(locale)
  defer { _ = uselocale(before) }
  return body()
}

// Made once, and never changed or freed.
nonisolated(unsafe) private let utf8Locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil) ?? newlocale(LC_CTYPE_MASK, "en_US.UTF-8", nil)

/// libarchive's reader over one file.
// @unchecked: used by one thread at a time.
final class ArchiveStream: @unchecked Sendable {
  let name: String
  private let archive: OpaquePointer
  private let plainName: String?
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

  /// `plainName`: of a single packed file, which has no name of its own.
  init(path: String, name: String, plainName: String?) throws {
    self.name = name
    self.plainName = plainName
    try loadArchiveLibrary(for: name)
    guard let made = archive_read_new() else { preconditionFailure("libarchive has no memory for a reader") }
    archive = made
    // By name: some of libarchive's other filters would run programs of the system.
    for support in [
      archive_read_support_filter_gzip, archive_read_support_filter_bzip2, archive_read_support_filter_xz, archive_read_support_filter_lzma,
      archive_read_support_filter_lzip, archive_read_support_filter_zstd, archive_read_support_filter_lz4, archive_read_support_filter_compress,
    ] { _ = support(made) }
    if plainName != nil { archive_read_support_format_raw(made) }
    for support in [archive_read_support_format_zip, archive_read_support_format_tar, archive_read_support_format_7zip] { _ = support(made) }
    // Without it two members of a zip from a Mac would be one.
    archive_read_set_options(made, "zip:!mac-ext")
    guard withUTF8Names({ archive_read_open_filename(made, path, 256 << 10) }) == ARCHIVE_OK else { throw failure("cannot be opened as an archive") }
  }

  deinit { archive_read_free(archive) }

  func mistake(_ message: String, hint: String? = nil) -> Diagnostic {
    Diagnostic(message, at: .data(file: name, line: nil, byte: nil, column: nil), hint: hint)
  }

  func failure(_ what: String) -> Diagnostic {
    mistake("\(what): \(archive_error_string(archive).map { escaped(String(cString: $0)) } ?? "unknown reason")")
  }

  func next() throws -> Entry? {
    let code = withUTF8Names { archive_read_next_header(archive, &entry) }
    if code == ARCHIVE_EOF { return nil }
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let entry else { throw failure("the archive is damaged") }
    // A warning is about a name's character set, which is judged below, or about a zip whose two directories disagree on
    // sizes or checksums.
    if code == ARCHIVE_WARN, let words = archive_error_string(archive), String(cString: words).hasPrefix("Inconsistent") {
      throw failure("the archive is damaged")
    }
    // Bytes of a name that is in no known character set are spelled %NN.
    guard let raw = withUTF8Names({ archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) }) else {
      throw mistake("a member's name cannot be read")
    }
    let bytes = UnsafeBufferPointer(start: UnsafeRawPointer(raw).assumingMemoryBound(to: UInt8.self), count: strlen(raw))
    let name = plainName != nil && archive_format(archive) == ARCHIVE_FORMAT_RAW ? plainName ?? "" : Self.decoded(bytes)
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

  private static func decoded(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    String(validating: bytes, as: UTF8.self) ?? printable(bytes).split(separator: "\\x", omittingEmptySubsequences: false).joined(separator: "%")
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
