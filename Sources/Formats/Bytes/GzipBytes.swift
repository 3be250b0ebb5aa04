import CISAL
import Diagnostics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The unpacked bytes of a .gz, all its members one behind the other. A cut or damaged file throws; zero padding behind
/// the last member is allowed, anything else there is refused. File names inside are ignored.
// @unchecked: by the protocol's contract one thread uses it at a time.
public final class GzipBytes: ByteSource, @unchecked Sendable {
  public var name: String { packed.name }
  private let packed: ByteSource
  private let limits: UnpackLimits
  private let inflater: UnsafeMutableRawPointer
  private var stream = CISALStream()
  private let input: UnsafeMutableRawBufferPointer
  private var packedBytes = 0, unpackedBytes = 0
  private var state = State.betweenMembers

  private enum State { case betweenMembers, inMember, atEnd }

  public init(_ packed: ByteSource, limits: UnpackLimits = UnpackLimits()) {
    self.packed = packed
    self.limits = limits
    input = .allocate(byteCount: 256 << 10, alignment: 64)
    guard let inflater = cisal_new() else { fatalError("out of memory: the state of an inflater") }
    self.inflater = inflater
  }

  deinit {
    free(inflater)
    input.deallocate()
  }

  public func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
    guard room.count > 0 else { return 0 }
    let wanted = UInt32(min(room.count, 1 << 30))
    stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = wanted
    while stream.avail_out == wanted {
      if state == .atEnd { return 0 }
      if state == .betweenMembers {
        guard try startMember() else {
          state = .atEnd
          return 0
        }
      }
      let result = cisal_inflate(inflater, &stream)
      if result < 0 { throw mistake("is damaged: \(Self.words(result))", byte: packedBytes - Int(stream.avail_in)) }
      if result == 1 {
        state = .betweenMembers
      } else if stream.avail_out == wanted, stream.avail_in == 0, try !refill() {
        // The inflater was asked with nothing to read, because it may still hold some.
        throw mistake("is cut off: the packed data ends too early", byte: packedBytes)
      }
    }
    let n = Int(wanted - stream.avail_out)
    unpackedBytes += n
    try limits.check(unpacked: unpackedBytes, packed: packedBytes, of: self)
    return n
  }

  private static func words(_ code: Int32) -> String {
    switch code {
    case ISAL_INVALID_BLOCK: "no such kind of block"
    case ISAL_INVALID_SYMBOL: "no such symbol"
    case ISAL_INVALID_LOOKBACK: "a reference to before the beginning"
    case ISAL_INVALID_WRAPPER: "the header is not gzip's"
    case ISAL_UNSUPPORTED_METHOD: "packed otherwise than by deflate"
    case ISAL_INCORRECT_CHECKSUM: "the checksum is another"
    default: "error \(code)"
    }
  }

  /// False at the end of the file.
  private func startMember() throws -> Bool {
    // The first four bytes of a header: two that say gzip, method, flags.
    while stream.avail_in < 4, try refill() {}
    if stream.avail_in == 0 {
      if packedBytes == 0 { throw mistake("is empty", hint: "a .gz of no rows still has a header of 18 bytes") }
      return false
    }
    guard stream.next_in[0] != 0x1F else {
      // RFC 1952 wants these refused, and ISA-L lets them pass.
      if stream.avail_in >= 4, stream.next_in[3] & 0xE0 != 0 {
        throw mistake("is damaged: the header has unknown flags", byte: packedBytes - Int(stream.avail_in) + 3)
      }
      state = .inMember
      cisal_start(inflater)
      return true
    }
    if unpackedBytes == 0, packedBytes <= input.count { throw mistake("is no gzip file") }
    repeat {
      while stream.avail_in > 0 {
        guard stream.next_in.pointee == 0 else {
          throw mistake("has other bytes behind its packed data", byte: packedBytes - Int(stream.avail_in))
        }
        stream.next_in += 1
        stream.avail_in -= 1
      }
    } while try refill()
    return false
  }

  /// Reads on behind what is left. False at the end.
  private func refill() throws -> Bool {
    let left = Int(stream.avail_in)
    if left > 0, let to = input.baseAddress, let from = stream.next_in { memmove(to, from, left) }
    let n = try packed.read(into: UnsafeMutableRawBufferPointer(rebasing: input[left...]))
    stream.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.avail_in = UInt32(left + n)
    packedBytes += n
    return n > 0
  }
}
