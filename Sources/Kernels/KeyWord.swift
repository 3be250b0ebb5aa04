import Columns

/// 64 bits that stand for a text among keys. Whole words hold the text itself:
///
/// * up to seven bytes: the bytes, the first lowest, and the length + 1 in the highest byte;
/// * 8 to 14 bytes of `-./0123456789:;<`, as numbers, dates and times are: four bits each, the first lowest, and the
///   length − 7 in the highest four bits.
///
/// Of any other text the word is a hash with the top bit set, and equality is settled by the bytes. 0 is a null.
extension Cells {
  @inline(__always) static func keyWord(_ text: UnsafeRawBufferPointer) -> UInt64 {
    let n = text.count
    guard let base = text.baseAddress else { return 1 << 56 }
    if n > 7 { return longKeyWord(base, n) }
    var word = UInt64(truncatingIfNeeded: n &+ 1) &<< 56
    if n >= 4 {
      word |= UInt64(base.loadUnaligned(as: UInt32.self))
        | UInt64(base.loadUnaligned(fromByteOffset: n &- 4, as: UInt32.self)) &<< UInt64(truncatingIfNeeded: (n &- 4) &* 8)
    } else if n > 0 {
      word |= UInt64(base.load(as: UInt8.self)) | UInt64(base.load(fromByteOffset: n &>> 1, as: UInt8.self)) &<< UInt64(truncatingIfNeeded: (n &>> 1) &* 8)
        | UInt64(base.load(fromByteOffset: n &- 1, as: UInt8.self)) &<< UInt64(truncatingIfNeeded: (n &- 1) &* 8)
    }
    return word
  }

  @inline(__always) private static func longKeyWord(_ base: UnsafeRawPointer, _ n: Int) -> UInt64 {
    if n <= 14 {
      // The first eight bytes and the last eight, which overlap in equal bytes.
      let low = base.loadUnaligned(as: UInt64.self).littleEndian &- lowest
      let high = base.loadUnaligned(fromByteOffset: n &- 8, as: UInt64.self).littleEndian &- lowest
      // A byte below borrows from the next and is beyond the sixteen itself, so it is seen.
      if (low | high) & 0xF0F0_F0F0_F0F0_F0F0 == 0 {
        let place = UInt64(truncatingIfNeeded: n &- 8)
        return squeezed(low) | squeezed(high) &<< (place &* 4) | (place &+ 1) &<< 60
      }
    }
    return RowHash.of(UnsafeRawBufferPointer(start: base, count: n)) | 1 << 63
  }

  /// `-` in each byte.
  private static var lowest: UInt64 { 0x2D2D_2D2D_2D2D_2D2D }

  /// The low four bits of each byte, side by side.
  @inline(__always) private static func squeezed(_ bytes: UInt64) -> UInt64 {
    let pairs = (bytes | bytes &>> 4) & 0x00FF_00FF_00FF_00FF
    let fours = (pairs | pairs &>> 8) & 0x0000_FFFF_0000_FFFF
    return (fours | fours &>> 16) & 0xFFFF_FFFF
  }

  /// Four bits in each byte.
  @inline(__always) private static func spread(_ bits: UInt64) -> UInt64 {
    let fours = (bits | bits &<< 16) & 0x0000_FFFF_0000_FFFF
    let pairs = (fours | fours &<< 8) & 0x00FF_00FF_00FF_00FF
    return (pairs | pairs &<< 4) & 0x0F0F_0F0F_0F0F_0F0F
  }

  /// Whether equal key words alone mean equal cells.
  @inline(__always) static func isWhole(_ keyWord: UInt64) -> Bool { keyWord >> 63 == 0 }

  /// The text of a whole word that is no null: its bytes, the first lowest, zeros behind them.
  @inline(__always) static func spelled(_ keyWord: UInt64) -> (low: UInt64, high: UInt64, count: Int) {
    let length = Int(truncatingIfNeeded: keyWord &>> 60)
    if length == 0 { return (keyWord & (1 << 56 - 1), 0, Int(truncatingIfNeeded: keyWord &>> 56) &- 1) }
    let high = spread(keyWord &>> 32 & 0x0FFF_FFFF) &+ lowest
    return (spread(keyWord & 0xFFFF_FFFF) &+ lowest, high & (1 &<< UInt64(truncatingIfNeeded: (length &- 1) &* 8) &- 1), length &+ 7)
  }
}
