import Columns

/// 64 bits that equal rows share, column by column; dictionary texts are hashed once. Only an index into tables: it
/// never reaches an artifact, and equality is always settled by the cells.
///
/// The mixing step is the folded 64 × 64 → 128 multiplication of wyhash (Wang Yi, 2019, public domain).
enum RowHash {
  private static let seed: UInt64 = 0xA076_1D64_78BD_642F
  private static let step: UInt64 = 0xE703_7ED1_A0B4_28DB
  private static let nothing: UInt64 = of(0)

  @inline(__always) static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  /// Of a row with one column, from the column's key word.
  @inline(__always) static func ofRow(_ keyWord: UInt64) -> UInt64 { mix(seed ^ of(keyWord), step) }

  @inline(__always) static func of(_ word: UInt64) -> UInt64 { mix(word ^ seed, step) }

  static func of(_ text: UnsafeRawBufferPointer) -> UInt64 {
    let n = text.count
    var hash = seed ^ UInt64(truncatingIfNeeded: n)
    guard n > 0, let base = text.baseAddress else { return mix(hash, step) }
    var at = 0
    while at &+ 8 <= n {
      hash = mix(hash ^ base.loadUnaligned(fromByteOffset: at, as: UInt64.self), step)
      at &+= 8
    }
    if at == n { return mix(hash, seed) }
    var rest: UInt64 = 0
    if n >= 8 {
      rest = base.loadUnaligned(fromByteOffset: n &- 8, as: UInt64.self)
    } else if n >= 4 {
      rest = UInt64(base.loadUnaligned(as: UInt32.self)) | UInt64(base.loadUnaligned(fromByteOffset: n &- 4, as: UInt32.self)) &<< 32
    } else {
      rest = UInt64(base.load(as: UInt8.self)) | UInt64(base.load(fromByteOffset: n &>> 1, as: UInt8.self)) &<< 8
        | UInt64(base.load(fromByteOffset: n &- 1, as: UInt8.self)) &<< 16
    }
    return mix(mix(hash ^ rest, step), seed)
  }

  /// Hashes over all columns of the first `count` rows, or of the `count` rows named, written to `hashes`.
  static func fill(_ hashes: UnsafeMutablePointer<UInt64>, _ columns: [Cells], rows: UnsafePointer<Int32>? = nil, count: Int) {
    for at in 0..<count { hashes[at] = seed }
    for cells in columns {
      switch cells.kind {
      case .text:
        if let codes = cells.codes, case .codes(_, let values) = cells.column.storage, values.count <= count / 2 {
          let known = UnsafeMutablePointer<UInt64>.allocate(capacity: max(values.count, 1))
          defer { known.deallocate() }
          for place in 0..<values.count { known[place] = of(Cells.keyWord(cells.text(at: place))) }
          fold(hashes, cells, rows, count) { known[Int(codes[$0])] }
        } else {
          fold(hashes, cells, rows, count) { of(Cells.keyWord(cells.text($0))) }
        }
      case .narrow: fold(hashes, cells, rows, count) { of(cells.narrow($0)) }
      case .wide: fold(hashes, cells, rows, count) { of(cells.wide($0)) }
      case .real, .bits: fold(hashes, cells, rows, count) { of(cells.word($0)) }
      }
    }
  }

  /// One more column; `of` gives the hash of a cell that is not null.
  @inline(__always) private static func fold(
    _ hashes: UnsafeMutablePointer<UInt64>, _ cells: Cells, _ rows: UnsafePointer<Int32>?, _ count: Int, _ of: (Int) -> UInt64
  ) {
    if let rows {
      for at in 0..<count {
        let row = Int(rows[at])
        hashes[at] = mix(hashes[at] ^ (cells.isNull(row) ? nothing : of(row)), step)
      }
    } else {
      for row in 0..<count { hashes[row] = mix(hashes[row] ^ (cells.isNull(row) ? nothing : of(row)), step) }
    }
  }
}

/// A row hash of each of the first `count` rows; equal rows have equal hashes, whether texts are plain or dictionary.
public func rowHashes(_ columns: [Column], count: Int) -> [UInt64] {
  [UInt64](unsafeUninitializedCapacity: count) { hashes, initialized in
    if let base = hashes.baseAddress { RowHash.fill(base, columns.map(Cells.init), count: count) }
    initialized = count
  }
}
