import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Bytes that come one after the other: a file, an unpacked member of an archive, memory. Used by one thread at a time.
public protocol ByteSource: AnyObject, Sendable {
  /// What messages call it: the name the glob or the archive gave.
  var name: String { get }
  /// Fills some of `room` and says how much; 0 is the end, and only the end.
  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteSource {
  /// A mistake of these bytes.
  func mistake(_ message: String, byte: Int? = nil, hint: String? = nil) -> Diagnostic {
    Diagnostic(message, at: .data(file: name, line: nil, byte: byte, column: nil), hint: hint)
  }
}

/// Bytes that are in memory.
// @unchecked: by the protocol's contract one thread uses it at a time.
public final class HeldBytes: ByteSource, @unchecked Sendable {
  public let name: String
  private var left: ArraySlice<UInt8>

  public init(_ bytes: [UInt8], name: String) {
    self.name = name
    left = bytes[...]
  }

  public func read(into room: UnsafeMutableRawBufferPointer) -> Int {
    let next = left.prefix(room.count)
    room.copyBytes(from: next)
    left = left.dropFirst(next.count)
    return next.count
  }
}

/// A regular file. Pipes, devices and folders are refused, because they hang or never end.
// @unchecked: by the protocol's contract one thread uses it at a time.
public final class FileBytes: ByteSource, @unchecked Sendable {
  public let name: String
  public let size: Int
  private let descriptor: Int32
  private var offset = 0

  /// `name` is what messages say; the path else.
  public init(path: String, name: String? = nil) throws {
    self.name = name ?? path
    // Without O_NONBLOCK a pipe without a writer would hang here.
    let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard opened >= 0 else { throw Self.failure("cannot be opened", name: self.name) }
    var status = stat()
    guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      close(opened)
      throw Diagnostic(
        "\(isFolder ? "is a folder" : "is not a regular file")", at: .data(file: self.name, line: nil, byte: nil, column: nil),
        expected: "a file")
    }
    descriptor = opened
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Whether something is there, whatever it is.
  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  public func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let n = pread(descriptor, room.baseAddress, room.count, off_t(offset))
      if n < 0, errno == EINTR { continue }
      guard n >= 0 else { throw Self.failure("cannot be read", name: name) }
      offset += n
      return n
    }
  }

  /// The last bytes, up to `count`; reading goes on where it was.
  func tail(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: min(count, size)), filled = 0
    while filled < bytes.count {
      let from = off_t(size - bytes.count + filled)
      let n = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + filled, $0.count - filled, from) }
      if n < 0, errno == EINTR { continue }
      guard n > 0 else { throw Self.failure("cannot be read", name: name) }
      filled += n
    }
    return bytes
  }

  static func failure(_ what: String, name: String) -> Diagnostic {
    let code = errno
    var failure = Diagnostic("\(what): \(String(cString: strerror(code)))", at: .data(file: name, line: nil, byte: nil, column: nil))
    failure.isTransient = [EIO, EAGAIN, EBUSY, ENFILE, EMFILE, ESTALE, ETIMEDOUT].contains(code)
    return failure
  }
}

/// Bytes in memory, given in pieces of at most `piece`.
// @unchecked: by the protocol's contract one thread uses it at a time.
public final class MemoryBytes: ByteSource, @unchecked Sendable {
  public let name: String
  private let bytes: [UInt8]
  private let piece: Int
  private var offset = 0

  public init(_ bytes: [UInt8], name: String = "memory", piece: Int = .max) {
    self.bytes = bytes
    self.name = name
    self.piece = piece
  }

  public convenience init(_ text: String, name: String = "memory", piece: Int = .max) {
    self.init(Array(text.utf8), name: name, piece: piece)
  }

  public func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    let n = min(room.count, piece, bytes.count - offset)
    bytes.withUnsafeBytes { if n > 0 { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + n])) } }
    offset += n
    return n
  }
}

/// Some bytes that were read already, then the rest of their source.
// @unchecked: by the protocol's contract one thread uses it at a time.
final class PrefixedBytes: ByteSource, @unchecked Sendable {
  var name: String { rest.name }
  private let rest: ByteSource
  private let head: [UInt8]
  private var offset = 0

  init(_ head: [UInt8], then rest: ByteSource) {
    self.head = head
    self.rest = rest
  }

  func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    guard offset < head.count else { return try rest.read(into: room) }
    let n = min(room.count, head.count - offset)
    for i in 0..<n { room[i] = head[offset + i] }
    offset += n
    return n
  }
}

extension ByteSource {
  /// The first bytes, up to `count`.
  public func head(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count), filled = 0
    while filled < count {
      let n = try bytes.withUnsafeMutableBytes { try read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...])) }
      if n == 0 { break }
      filled += n
    }
    return Array(bytes[..<filled])
  }

  /// All bytes; for small sources and tests.
  public func all(atMost limit: Int = 1 << 31) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let n = try piece.withUnsafeMutableBytes { try read(into: $0) }
      if n == 0 { return bytes }
      guard bytes.count + n <= limit else { throw mistake("holds more than \(limit) bytes") }
      bytes += piece[..<n]
    }
  }
}
