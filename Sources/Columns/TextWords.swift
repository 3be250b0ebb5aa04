import CXXHash

/// 128 bits that stand for a text: of up to 15 bytes the text itself with its length, of a longer one its XXH3-128 with the
/// topmost bit set. Both words are 0 for a null, and for no text.
public struct TextWords: BitwiseCopyable, Equatable, Sendable {
  public var low: UInt64, high: UInt64

  @inlinable @inline(__always) public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  @inlinable public static var null: TextWords { TextWords(low: 0, high: 0) }

  /// `readable`: bytes from the text's first on that may be looked at, of which 16 cost least.
  @inline(__always) init(_ text: UnsafeRawPointer, count: Int, readable: Int, seed: UInt64) {
    if count > 15 || readable < 16 {
      self = Self.slowly(text, count, seed)
      return
    }
    // Without branches: short texts come in any order of lengths. Shifts take their count modulo 64.
    let part: UInt64 = (1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1, fillsLow = count >= 8
    let low = UInt64(littleEndian: text.loadUnaligned(as: UInt64.self))
    let high = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    self.init(low: low & (fillsLow ? ~0 : part), high: high & (fillsLow ? part : 0) | UInt64(truncatingIfNeeded: count &+ 1) &<< 56)
  }

  @inline(never) private static func slowly(_ text: UnsafeRawPointer, _ count: Int, _ seed: UInt64) -> TextWords {
    if count > 15 {
      let hash = millrace_xxh3_128_seeded(text, count, seed)
      return TextWords(low: hash.low64, high: hash.high64 | 1 << 63)
    }
    var low: UInt64 = 0, high: UInt64 = 0
    for at in 0..<count {
      let byte = UInt64(text.load(fromByteOffset: at, as: UInt8.self))
      if at < 8 { low |= byte &<< UInt64(truncatingIfNeeded: at &* 8) } else { high |= byte &<< UInt64(truncatingIfNeeded: at &* 8 &- 64) }
    }
    return TextWords(low: low, high: high | UInt64(truncatingIfNeeded: count &+ 1) &<< 56)
  }
}

extension TextValues {
  /// Of every text. `seed` is the hash's.
  public func words(seed: UInt64) -> [TextWords] {
    [TextWords](unsafeUninitializedCapacity: count) { to, initialized in
      let reader = TextWordsReader(self, seed: seed)
      for at in 0..<count { to[at] = reader[at] }
      initialized = count
    }
  }
}

private struct TextWordsReader {
  let ends: UnsafePointer<Int32>
  let bytes: UnsafeRawPointer
  let limit: Int
  let seed: UInt64

  init(_ values: TextValues, seed: UInt64) {
    ends = values.offsets.base.assumingMemoryBound(to: Int32.self)
    bytes = values.bytes.base
    limit = values.bytes.byteCount
    self.seed = seed
  }

  @inline(__always) subscript(at: Int) -> TextWords {
    let from = Int(ends[at])
    return TextWords(bytes + from, count: Int(ends[at &+ 1]) &- from, readable: limit &- from, seed: seed)
  }
}

extension Column {
  /// The words of `count` texts from row `first` on, or from the `first`th of the rows named. `dictionary`: those of the values
  /// of a dictionary column, where they are known.
  public func textWords(
    _ to: UnsafeMutablePointer<TextWords>, first: Int, count: Int, rows: UnsafePointer<Int32>? = nil, seed: UInt64,
    dictionary: UnsafePointer<TextWords>? = nil
  ) {
    switch storage {
    case .text(let values):
      let reader = TextWordsReader(values, seed: seed)
      if let rows {
        for i in 0..<count { to[i] = reader[Int(rows[first &+ i])] }
      } else {
        for i in 0..<count { to[i] = reader[first &+ i] }
      }
    case .codes(let codes, let values):
      let codes = codes.base.assumingMemoryBound(to: Int32.self)
      if let dictionary {
        if let rows {
          for i in 0..<count { to[i] = dictionary[Int(codes[Int(rows[first &+ i])])] }
        } else {
          for i in 0..<count { to[i] = dictionary[Int(codes[first &+ i])] }
        }
      } else {
        let reader = TextWordsReader(values, seed: seed)
        for i in 0..<count {
          let row = rows.map { Int($0[first &+ i]) } ?? first &+ i
          // Code 0 lies under nulls, whether there is a text or not.
          to[i] = isNull(row) ? .null : reader[Int(codes[row])]
        }
      }
    case .bits, .fixed: preconditionFailure("the texts of a \(type) column were asked for")
    }
    guard let validity else { return }
    if let rows {
      for i in 0..<count where !validity[Int(rows[first &+ i])] { to[i] = .null }
    } else {
      for i in 0..<count where !validity[first &+ i] { to[i] = .null }
    }
  }
}
