import CXXHash

/// The digest of a column's *logical* content, from batches of any size.
///
/// A tree over blocks of 65,536 rows counted from the first row of the partition, so that batches, width and
/// compression do not show. Nulls are a tag whatever bytes lie under; dictionary and plain text are equal (each text
/// enters by its `TextWords`); all NaN are one, −0 is 0.
public final class ColumnDigester {
  public static let blockRows = 65_536
  /// Rows at a time, so that what stands for them stays in the first-level cache until it is hashed. Does not show.
  private static let stepRows = 1024

  private let type: ColumnType
  private let blocks = DigestStream()
  private let cells = DigestStream()
  private var presence: [UInt8] = []
  private var rowsInBlock = 0
  private var rows = 0
  private var scratch: [UInt64] = []
  /// Of the dictionary seen last: one text of a dictionary is hashed once, however many rows have it.
  private var dictionary: (values: TextValues, words: [TextWords])?

  public init(type: ColumnType) { self.type = type }

  public func update(_ column: Column) {
    precondition(column.type == type, "a digester for \(type) was given a \(column.type) column")
    var row = 0
    while row < column.count {
      let n = min(column.count - row, Self.blockRows - rowsInBlock, Self.stepRows)
      updateBlock(column, row..<row + n)
      row += n
      rowsInBlock += n
      rows += n
      if rowsInBlock == Self.blockRows { closeBlock() }
    }
  }

  public func finish() -> Digest {
    if rowsInBlock > 0 { closeBlock() }
    blocks.update(rows)
    return blocks.digest
  }

  private func closeBlock() {
    let stream = DigestStream()
    stream.update(cells.digest)
    if !presence.isEmpty {
      presence += Array(repeating: 1, count: rowsInBlock - presence.count)
      presence.withUnsafeBytes { stream.update($0) }
    }
    stream.update(rowsInBlock)
    blocks.update(stream.digest)
    cells.reset()
    presence.removeAll(keepingCapacity: true)
    rowsInBlock = 0
  }

  private func updateBlock(_ column: Column, _ range: Range<Int>) {
    if let validity = column.validity { updatePresence(validity, range) }
    let n = range.count, first = range.lowerBound
    switch column.storage {
    case .fixed(let buffer) where type == .float64:
      let values = buffer.base.assumingMemoryBound(to: Double.self) + first
      withScratch(n) { to in
        for i in 0..<n {
          let value = values[i]
          to[i] = value == 0 ? 0 : value.isNaN ? 0x7FF8_0000_0000_0000 : value.bitPattern
        }
      }
    case .fixed(let buffer):
      let width = type.width ?? 0
      cells.update(UnsafeRawBufferPointer(start: buffer.base + first * width, count: n * width))
    case .bits(let bits):
      let bytes = range.map { bits[$0] && !column.isNull($0) ? UInt8(1) : 0 }
      bytes.withUnsafeBytes { cells.update($0) }
    case .text:
      withScratch(n * 2) { to in
        to.withMemoryRebound(to: TextWords.self, capacity: n) { column.textWords($0, first: first, count: n, seed: 0) }
      }
    case .codes(_, let values):
      if dictionary?.values !== values {
        // Code 0 lies under nulls, whether there is a text or not.
        let words = values.words(seed: 0)
        dictionary = (values, words.isEmpty ? [.null] : words)
      }
      dictionary!.words.withUnsafeBufferPointer { words in
        withScratch(n * 2) { to in
          to.withMemoryRebound(to: TextWords.self, capacity: n) {
            column.textWords($0, first: first, count: n, seed: 0, dictionary: words.baseAddress)
          }
        }
      }
    }
  }

  private func updatePresence(_ validity: Bitmap, _ range: Range<Int>) {
    if presence.isEmpty, validity.slice(range).setCount == range.count { return }
    let n = range.count, had = presence.count, first = range.lowerBound
    // 64 rows at a time where they begin with a byte of the bitmap; a byte of presence each.
    presence += repeatElement(1, count: rowsInBlock - had + n)
    let rows = validity.slice(range)
    presence.withUnsafeMutableBytes { bytes in
      let to = bytes.baseAddress! + (bytes.count - n)
      for at in 0..<n / 64 {
        var bits = rows.word(at)
        for byte in 0..<8 {
          // Bit i of the lowest byte goes to byte i.
          let spread = (bits & 255 &* 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201
          let ones = (spread &+ 0x7F7F_7F7F_7F7F_7F7F | spread) &>> 7 & 0x0101_0101_0101_0101
          to.storeBytes(of: ones.littleEndian, toByteOffset: at &* 64 &+ byte &* 8, as: UInt64.self)
          bits &>>= 8
        }
      }
      for row in n & ~63..<n { to.storeBytes(of: validity[first + row] ? 1 : 0, toByteOffset: row, as: UInt8.self) }
    }
  }

  /// Has `fill` write `words` words and hashes them.
  @inline(__always) private func withScratch(_ words: Int, _ fill: (UnsafeMutablePointer<UInt64>) -> Void) {
    if scratch.count < words { scratch = Array(repeating: 0, count: words) }
    scratch.withUnsafeMutableBufferPointer { buffer in
      fill(buffer.baseAddress!)
      cells.update(UnsafeRawBufferPointer(start: buffer.baseAddress, count: words * 8))
    }
  }
}

extension Column {
  /// Of this column as a whole partition.
  public var digest: Digest {
    let digester = ColumnDigester(type: type)
    digester.update(self)
    return digester.finish()
  }
}

/// The digests of a table: by column over its partitions in key order, and the whole.
public enum TableDigest {
  /// Over the list of (partition key, that partition's column digest) in key order.
  public static func column(_ partitions: [(key: String, digest: Digest)]) -> Digest {
    let stream = DigestStream()
    for (key, digest) in partitions {
      stream.update(Digest(of: key))
      stream.update(digest)
    }
    return stream.digest
  }

  /// Over (name, type, column digest) in column order.
  public static func table(_ columns: [(field: Field, digest: Digest)]) -> Digest {
    let stream = DigestStream()
    for (field, digest) in columns {
      stream.update(Digest(of: field.name))
      stream.update(Digest(of: field.type.description))
      stream.update(digest)
    }
    return stream.digest
  }
}
