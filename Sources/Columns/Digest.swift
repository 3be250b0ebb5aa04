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
  public var description: String { hex(high) + hex(low) }

  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 32, text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
      let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }
}

private func hex(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
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
