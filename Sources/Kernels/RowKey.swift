import Columns

/// 128 bits of a row, by which `distinct` tells rows apart: equal rows have equal ones, and of rows that differ two agree
/// with a probability of 2⁻¹²⁸ a pair: 10⁻²¹ for any two among 10⁹ rows (docs/decisions/distinct.md).
struct RowKey: BitwiseCopyable {
  var low: UInt64, high: UInt64
}

/// Makes row keys, column by column. Its secrets are drawn anew each time, so that nobody can write rows that collide; they
/// never reach an answer.
///
/// Either half folds cell after cell by the 64 × 64 → 128 multiplication of wyhash (Wang Yi, 2019, public domain).
struct RowKeyMaker: Sendable {
  private let low: (start: UInt64, step: UInt64, last: UInt64), high: (start: UInt64, step: UInt64, last: UInt64)
  private let textSeed: UInt64
  private static let blockRows = 512

  init() {
    var random = SystemRandomNumberGenerator()
    low = (random.next(), random.next(), random.next() | 1)
    high = (random.next(), random.next(), random.next() | 1)
    textSeed = random.next()
  }

  /// Of the first `count` rows, or of the `count` rows named.
  func fill(_ keys: UnsafeMutablePointer<RowKey>, _ columns: [Cells], rows: UnsafePointer<Int32>?, count: Int) {
    // What a dictionary's texts are is asked once where it is smaller than the rows.
    let dictionaries = columns.map { cells -> [TextWords]? in
      guard case .codes(_, let values) = cells.column.storage, values.count > 0, values.count <= count / 2 else { return nil }
      return values.words(seed: textSeed)
    }
    withUnsafeTemporaryAllocation(of: TextWords.self, capacity: Self.blockRows) { words in
      let words = words.baseAddress!
      for first in stride(from: 0, to: count, by: Self.blockRows) {
        // All columns of some rows, so that their keys stay in the first-level cache.
        let n = min(Self.blockRows, count - first), keys = keys + first
        for at in 0..<n { keys[at] = RowKey(low: low.start, high: high.start) }
        for (column, cells) in columns.enumerated() {
          if cells.kind == .text {
            dictionaries[column].withBase { cells.column.textWords(words, first: first, count: n, rows: rows, seed: textSeed, dictionary: $0) }
          } else {
            Self.words(words, cells, rows, first, n)
          }
          fold(keys, words, n)
        }
        for at in 0..<n {
          let key = keys[at]
          var made = RowKey(low: RowHash.mix(key.low, low.last), high: RowHash.mix(key.high, high.last))
          // Two zeros stand for no row.
          if made.low | made.high == 0 { made.low = 1 }
          keys[at] = made
        }
      }
    }
  }

  private func fold(_ keys: UnsafeMutablePointer<RowKey>, _ words: UnsafePointer<TextWords>, _ n: Int) {
    let (a, b) = (low.step, high.step)
    for at in 0..<n {
      let word = words[at]
      keys[at].low = RowHash.mix(keys[at].low ^ word.low, word.high ^ a)
      keys[at].high = RowHash.mix(keys[at].high ^ word.low, word.high ^ b)
    }
  }

  /// Of cells that are no texts: the cell and 1, or two zeros for a null.
  private static func words(
    _ to: UnsafeMutablePointer<TextWords>, _ cells: Cells, _ rows: UnsafePointer<Int32>?, _ first: Int, _ n: Int
  ) {
    @inline(__always) func each(_ word: (Int) -> UInt64) {
      if let rows {
        for at in 0..<n { to[at] = TextWords(low: word(Int(rows[first &+ at])), high: 1) }
      } else {
        for at in 0..<n { to[at] = TextWords(low: word(first &+ at), high: 1) }
      }
    }
    switch cells.kind {
    case .narrow: each { cells.narrow($0) }
    case .wide: each { cells.wide($0) }
    case .real, .bits: each { cells.word($0) }
    case .text: preconditionFailure("texts were taken for cells of fixed width")
    }
    guard cells.validity != nil else { return }
    for at in 0..<n where cells.isNull(rows.map { Int($0[first &+ at]) } ?? first &+ at) { to[at] = .null }
  }
}

extension Optional<[TextWords]> {
  /// The first element's place; nil where there is nothing.
  fileprivate func withBase(_ body: (UnsafePointer<TextWords>?) -> Void) {
    guard let self else { return body(nil) }
    self.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
