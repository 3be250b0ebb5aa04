import Statistics

/// Rows dealt out at random, the same for the same seed on every machine.
public enum AttributeSplit {
  /// Which rows are held out: a share of them, rounded.
  public static func heldOut(rows: Int, share: Double, seed: UInt64) -> [Bool] {
    var isHeldOut = [Bool](repeating: false, count: rows)
    for row in shuffled(rows, seed).prefix(Int((Double(rows) * share).rounded())) { isHeldOut[row] = true }
    return isHeldOut
  }

  /// The fold of every row, 0 ..< count; folds differ by at most one row.
  public static func folds(rows: Int, count: Int, seed: UInt64) -> [Int] {
    var folds = [Int](repeating: 0, count: rows)
    for (place, row) in shuffled(rows, seed).enumerated() { folds[row] = place % count }
    return folds
  }

  /// Fisher and Yates.
  static func shuffled(_ count: Int, _ seed: UInt64, substream: UInt64 = 0) -> [Int] {
    var random = RandomStream(seed: seed, substream: substream)
    var rows = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) { rows.swapAt(last, random.integer(below: last + 1)) }
    return rows
  }
}
