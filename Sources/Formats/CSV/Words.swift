/// Digits eight at a time: a text's last bytes as one word, where each byte is a digit's value (little-endian: the text's last
/// byte is the word's highest).
///
/// Bytes may be read up to eight before a text; windows have as much in front.
enum Words {
  /// The last `count` bytes (1...8), each XOR "0", zeros in front.
  @inline(__always) static func tail(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    let word = UnsafeRawPointer(text + count).loadUnaligned(fromByteOffset: -8, as: UInt64.self)
    return (word ^ 0x3030_3030_3030_3030) & (~0 &<< UInt64(truncatingIfNeeded: (8 &- count) &* 8))
  }

  /// Whether all eight are 0...9.
  @inline(__always) static func areDigits(_ word: UInt64) -> Bool {
    ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080 == 0
  }

  /// The number that eight digits make: pairs, then fours, then all.
  @inline(__always) static func number(_ digits: UInt64) -> UInt64 {
    let pairs = digits &* 10 &+ (digits &>> 8)
    let high = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
    let low = ((pairs &>> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
    return (high &+ low) &>> 32
  }

  /// Takes the point out of a word: its digits, and how many stand behind the point. `point` is XOR "0" as the word is.
  /// More than one point leaves one that is no digit.
  @inline(__always) static func withoutPoint(_ word: UInt64, _ point: UInt64) -> (digits: UInt64, fraction: Int) {
    let same = word ^ (point &* 0x0101_0101_0101_0101)
    // The lowest byte that is zero gets the lowest bit; what stands above it may be wrong and is not looked at.
    let zeros = (same &- 0x0101_0101_0101_0101) & ~same & 0x8080_8080_8080_8080
    if zeros == 0 { return (word, 0) }
    let shift = UInt64(truncatingIfNeeded: zeros.trailingZeroBitCount &- 7)
    let below = word & ((1 &<< shift) &- 1)
    // Shifted twice, because a shift by 64 would be none.
    let above = word & ((~0 &<< shift) &<< 8)
    return (above | below &<< 8, 7 &- Int(truncatingIfNeeded: shift &>> 3))
  }
}
