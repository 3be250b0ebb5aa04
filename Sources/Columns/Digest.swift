import CXXHash

/// 128 bits that stand for content: XXH3-128, everywhere (docs/decisions says why). Not against an adversary.
public struct Digest: Hashable, Sendable, Comparable {
  public let high: UInt64, low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Of bytes.
  public init(of bytes: UnsafeRawBufferPointer) {
    let hash = XXH3_128bits(bytes.baseAddress, bytes.count)
    self.init(high: hash.high64, low: hash.low64)
  }

  public init(of text: String) {
    var text = text
    self = text.withUTF8 { Digest(of: UnsafeRawBufferPointer($0)) }
  }

  public static func < (a: Digest, b: Digest) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

extension Digest: CustomStringConvertible {
  /// 32 hexadecimal digits.
  public var description: String {
    String(unsafeUninitializedCapacity: 32) { to in
      write(high, to, 0)
      write(low, to, 16)
      return 32
    }
  }

  public init?(_ text: some StringProtocol) {
    var high: UInt64 = 0, low: UInt64 = 0, count = 0
    for byte in text.utf8 {
      let digit: UInt64
      switch byte {
      case 48...57: digit = UInt64(byte) &- 48
      case 97...102: digit = UInt64(byte) &- 87
      default: return nil
      }
      if count < 16 { high = high &<< 4 | digit } else { low = low &<< 4 | digit }
      count += 1
    }
    if count != 32 { return nil }
    self.init(high: high, low: low)
  }
}

/// 16 hexadecimal digits.
private func write(_ word: UInt64, _ to: UnsafeMutableBufferPointer<UInt8>, _ start: Int) {
  for at in 0..<16 {
    let digit = UInt8(truncatingIfNeeded: word &>> UInt64(60 &- 4 &* at)) & 15
    to[start &+ at] = digit &+ (digit < 10 ? 48 : 87)
  }
}

/// Digests bytes that come piece by piece.
public final class DigestStream {
  private let state: OpaquePointer

  public init() {
    guard let made = XXH3_createState() else { fatalError("out of memory for a digest") }
    state = made
    XXH3_128bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  public func update(_ bytes: UnsafeRawBufferPointer) { millrace_xxh3_update(state, bytes.baseAddress, bytes.count) }

  public func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  public func update(_ digest: Digest) {
    withUnsafeBytes(of: (digest.high.littleEndian, digest.low.littleEndian)) { update($0) }
  }

  public func update(_ number: Int) { withUnsafeBytes(of: Int64(number).littleEndian) { update($0) } }

  /// Of all bytes since the beginning or the last `reset`.
  public var digest: Digest {
    let hash = XXH3_128bits_digest(state)
    return Digest(high: hash.high64, low: hash.low64)
  }

  public func reset() { XXH3_128bits_reset(state) }
}
