import Columns
import Synchronization

/// 128 bits of a row, by which `distinct` tells rows apart: equal rows have equal ones, and rows that differ agree with a
/// probability of about 2⁻¹²⁴ a pair (docs/decisions/distinct.md).
struct RowKey: BitwiseCopyable {
  var low: UInt64, high: UInt64
}

/// Makes row keys: the sum of what stands for each cell, with secrets of its own for every column. These are drawn anew each
/// time, so that nobody can write rows that collide; they never reach an answer.
///
/// Either half of a cell is the folded 64 × 64 → 128 multiplication of wyhash (Wang Yi, 2019, public domain).
struct RowKeyMaker: Sendable {
  private let seed: UInt64, step: UInt64, textSeed: UInt64
  private let known = KnownTexts()
  private static let blockRows = 512

  init() {
    var random = SystemRandomNumberGenerator()
    (seed, step, textSeed) = (random.next(), random.next() | 1, random.next())
  }

  /// The secrets of a column.
  private struct Secrets {
    let a: UInt64, b: UInt64, c: UInt64, d: UInt64

    @inline(__always) func key(_ words: TextWords) -> RowKey {
      RowKey(low: RowHash.mix(words.low ^ a, words.high ^ b), high: RowHash.mix(words.low ^ c, words.high ^ d))
    }
  }

  private func secrets(_ column: Int) -> Secrets {
    func draw(_ at: Int) -> UInt64 { RowHash.mix(seed ^ UInt64(column * 4 + at + 1) &* 0x9E37_79B9_7F4A_7C15, step) }
    return Secrets(a: draw(0), b: draw(1), c: draw(2), d: draw(3))
  }

  /// Of the first `count` rows, or of the `count` rows named.
  func fill(_ keys: UnsafeMutablePointer<RowKey>, _ columns: [Cells], rows: UnsafePointer<Int32>?, count: Int) {
    let all = columns.indices.map { secrets($0) }
    // What stands for a dictionary's texts is made once where it has fewer than the rows.
    let dictionaries = columns.indices.map { column -> [RowKey]? in
      let (cells, secrets) = (columns[column], all[column])
      guard case .codes(_, let values) = cells.column.storage, values.count > 0 else { return nil }
      return known.keys(of: values, column) { values.count > count / 2 ? nil : values.words(seed: textSeed).map { secrets.key($0) } }
    }
    withUnsafeTemporaryAllocation(of: TextWords.self, capacity: Self.blockRows) { words in
      let words = words.baseAddress!
      for first in stride(from: 0, to: count, by: Self.blockRows) {
        // All columns of some rows, so that their keys stay in the first-level cache.
        let n = min(Self.blockRows, count - first), keys = keys + first
        for at in 0..<n { keys[at] = RowKey(low: 0, high: 0) }
        for (column, cells) in columns.enumerated() {
          let secrets = all[column]
          if let dictionary = dictionaries[column] {
            Self.add(keys, cells, rows, first, n, dictionary, null: secrets.key(.null))
          } else if cells.kind == .text {
            cells.column.textWords(words, first: first, count: n, rows: rows, seed: textSeed)
            Self.add(keys, n) { secrets.key(words[$0]) }
          } else {
            Self.add(keys, cells, rows, first, n, secrets)
          }
        }
        for at in 0..<n {
          let key = keys[at]
          var made = RowKey(low: RowHash.mix(key.low ^ seed, step), high: RowHash.mix(key.high ^ textSeed, step))
          // Two zeros stand for no row.
          if made.low | made.high == 0 { made.low = 1 }
          keys[at] = made
        }
      }
    }
  }

  @inline(__always) private static func add(_ keys: UnsafeMutablePointer<RowKey>, _ n: Int, _ key: (Int) -> RowKey) {
    for at in 0..<n {
      let more = key(at)
      keys[at] = RowKey(low: keys[at].low &+ more.low, high: keys[at].high &+ more.high)
    }
  }

  private static func add(
    _ keys: UnsafeMutablePointer<RowKey>, _ cells: Cells, _ rows: UnsafePointer<Int32>?, _ first: Int, _ n: Int, _ dictionary: [RowKey], null: RowKey
  ) {
    guard let codes = cells.codes else { preconditionFailure("a column without codes was taken for a dictionary") }
    dictionary.withUnsafeBufferPointer { dictionary in
      let texts = dictionary.baseAddress!
      if cells.validity != nil {
        add(keys, n) { at in
          let row = rows.map { Int($0[first &+ at]) } ?? first &+ at
          return cells.isNull(row) ? null : texts[Int(codes[row])]
        }
      } else if let rows {
        add(keys, n) { texts[Int(codes[Int(rows[first &+ $0])])] }
      } else {
        add(keys, n) { texts[Int(codes[first &+ $0])] }
      }
    }
  }

  /// Cells that are no texts: the cell and 1, or two zeros for a null.
  private static func add(
    _ keys: UnsafeMutablePointer<RowKey>, _ cells: Cells, _ rows: UnsafePointer<Int32>?, _ first: Int, _ n: Int, _ secrets: Secrets
  ) {
    @inline(__always) func each(_ word: (Int) -> UInt64) {
      if cells.validity != nil {
        add(keys, n) { at in
          let row = rows.map { Int($0[first &+ at]) } ?? first &+ at
          return secrets.key(cells.isNull(row) ? .null : TextWords(low: word(row), high: 1))
        }
      } else if let rows {
        add(keys, n) { secrets.key(TextWords(low: word(Int(rows[first &+ $0])), high: 1)) }
      } else {
        add(keys, n) { secrets.key(TextWords(low: word(first &+ $0), high: 1)) }
      }
    }
    switch cells.kind {
    case .narrow: each { cells.narrow($0) }
    case .wide: each { cells.wide($0) }
    case .real, .bits: each { cells.word($0) }
    case .text: preconditionFailure("texts were taken for cells of fixed width")
    }
  }
}

/// What stands for the texts of each column's dictionary that was seen last: batches of one file mostly share theirs.
private final class KnownTexts: Sendable {
  private let last = Mutex<[Int: (values: TextValues, keys: [RowKey])]>([:])

  func keys(of values: TextValues, _ column: Int, _ make: () -> [RowKey]?) -> [RowKey]? {
    if let known = last.withLock({ $0[column] }), known.values === values { return known.keys }
    guard let keys = make() else { return nil }
    last.withLock { $0[column] = (values, keys) }
    return keys
  }
}
