import Columns
import Diagnostics
import Pipelines
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The digest of a file's bytes: over the digests of pieces of 4 MiB, so that several threads can share a large file.
enum FileDigest {
  fileprivate static let pieceBytes = 4 << 20
  private static let readBytes = 256 << 10

  /// `isOurs`: a file of the store, which nobody makes shorter. It is mapped, as it is for whoever uses it; others are read.
  static func of(_ path: String, width: Int, isOurs: Bool = false) throws -> Digest {
    let file = Disk.opened(path, O_RDONLY | O_NONBLOCK)
    guard file >= 0 else { throw Disk.failure("read", path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw Disk.failure("read", path) }
    let size = Int(status.st_size)
    let pieces = (size + pieceBytes - 1) / pieceBytes
    let digests = Mutex([Digest](repeating: Digest(high: 0, low: 0), count: pieces))
    try performConcurrently(pieces, width: width) { piece in
      let (start, end) = (piece * pieceBytes, min(size, (piece + 1) * pieceBytes))
      let mapped = isOurs ? self.mappedPiece(of: file, from: start, to: end) : nil
      let digest = try mapped ?? self.piece(of: file, path, from: start, to: end)
      digests.withLock { $0[piece] = digest }
    }
    let stream = DigestStream()
    for digest in digests.withLock({ $0 }) { stream.update(digest) }
    stream.update(size)
    return stream.digest
  }

  /// The same of bytes in memory.
  static func of(_ bytes: [UInt8]) -> Digest {
    let stream = FileDigestStream()
    bytes.withUnsafeBytes { stream.update($0) }
    return stream.finish()
  }

  /// Nil where it cannot be mapped.
  private static func mappedPiece(of file: Int32, from start: Int, to end: Int) -> Digest? {
    guard let memory = mmap(nil, end - start, PROT_READ, MAP_SHARED, file, off_t(start)), memory != MAP_FAILED else { return nil }
    defer { munmap(memory, end - start) }
    let stream = DigestStream()
    stream.update(UnsafeRawBufferPointer(start: memory, count: end - start))
    stream.update(end - start)
    return stream.digest
  }

  private static func piece(of file: Int32, _ path: String, from start: Int, to end: Int) throws -> Digest {
    let stream = DigestStream()
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: readBytes, alignment: 64)
    defer { room.deallocate() }
    var at = start
    while at < end {
      let n = pread(file, room.baseAddress, min(readBytes, end - at), off_t(at))
      if n < 0, errno == EINTR { continue }
      if n < 0 { throw Disk.failure("read", path) }
      if n == 0 { break }
      stream.update(UnsafeRawBufferPointer(rebasing: room[..<n]))
      at += n
    }
    // A file that became shorter meanwhile has another digest than any whole one.
    stream.update(at - start)
    return stream.digest
  }
}

/// The same digest of bytes that come in their order, while a file is written.
final class FileDigestStream {
  private let pieces = DigestStream(), piece = DigestStream()
  private var inPiece = 0
  private(set) var byteCount = 0

  func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !rest.isEmpty {
      let n = min(rest.count, FileDigest.pieceBytes - inPiece)
      piece.update(UnsafeRawBufferPointer(rebasing: rest[..<n]))
      inPiece += n
      byteCount += n
      if inPiece == FileDigest.pieceBytes { closePiece() }
      rest = UnsafeRawBufferPointer(rebasing: rest[n...])
    }
  }

  func finish() -> Digest {
    if inPiece > 0 { closePiece() }
    pieces.update(byteCount)
    return pieces.digest
  }

  private func closePiece() {
    piece.update(inPiece)
    pieces.update(piece.digest)
    piece.reset()
    inPiece = 0
  }
}
