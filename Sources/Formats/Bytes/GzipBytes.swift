import CZlib
import Diagnostics

/// The unpacked bytes of a .gz, all its members one behind the other. A cut or damaged file throws; zero padding behind
/// the last member is allowed, anything else there is refused. File names inside are ignored.
// @unchecked: by the protocol's contract one thread uses it at a time.
public final class GzipBytes: ByteSource, @unchecked Sendable {
  public var name: String { packed.name }
  private let packed: ByteSource
  private let limits: UnpackLimits
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer
  private var packedBytes = 0, unpackedBytes = 0
  private var state = State.betweenMembers

  private enum State { case betweenMembers, inMember, atEnd }

  public init(_ packed: ByteSource, limits: UnpackLimits = UnpackLimits()) {
    self.packed = packed
    self.limits = limits
    input = .allocate(byteCount: 256 << 10, alignment: 64)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15: largest window; + 16: a gzip frame, with its checksum and length checked.
    let failed = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(failed == Z_OK, "zlib refused to start: version or memory")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  public func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    guard room.count > 0 else { return 0 }
    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let wanted = min(room.count, 1 << 30)
    stream.pointee.avail_out = UInt32(wanted)
    while stream.pointee.avail_out == wanted {
      if state == .atEnd { return 0 }
      if state == .betweenMembers {
        guard try startMember() else {
          state = .atEnd
          return 0
        }
      }
      if stream.pointee.avail_in == 0, try !refill() { throw mistake("is cut off: the packed data ends too early", byte: packedBytes) }
      let result = inflate(stream, Z_NO_FLUSH)
      switch result {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END:
        state = .betweenMembers
        inflateReset(stream)
      default:
        let words = stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(result)"
        throw mistake("is damaged: \(words)", byte: packedBytes - Int(stream.pointee.avail_in))
      }
    }
    let n = wanted - Int(stream.pointee.avail_out)
    unpackedBytes += n
    try limits.check(unpacked: unpackedBytes, packed: packedBytes, of: self)
    return n
  }

  /// False at the end of the file.
  private func startMember() throws -> Bool {
    if stream.pointee.avail_in == 0, try !refill() {
      if packedBytes == 0 { throw mistake("is empty", hint: "a .gz of no rows still has a header of 18 bytes") }
      return false
    }
    guard stream.pointee.next_in.pointee != 0x1F else {
      state = .inMember
      return true
    }
    if unpackedBytes == 0, packedBytes <= input.count { throw mistake("is no gzip file") }
    repeat {
      while stream.pointee.avail_in > 0 {
        guard stream.pointee.next_in.pointee == 0 else {
          throw mistake("has other bytes behind its packed data", byte: packedBytes - Int(stream.pointee.avail_in))
        }
        stream.pointee.next_in += 1
        stream.pointee.avail_in -= 1
      }
    } while try refill()
    return false
  }

  private func refill() throws -> Bool {
    let n = try packed.read(into: input)
    stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(n)
    packedBytes += n
    return n > 0
  }
}
