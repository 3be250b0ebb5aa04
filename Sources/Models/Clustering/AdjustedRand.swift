/// Agreement of two partitions of the same points, 1 when they are equal and 0 on average by chance (Hubert & Arabie 1985).
public enum AdjustedRand {
  public static func index(_ a: [Int32], _ b: [Int32]) -> Double {
    precondition(a.count == b.count, "two partitions of one set have one length, not \(a.count) and \(b.count)")
    let (rows, columns) = (Int(a.max() ?? -1) + 1, Int(b.max() ?? -1) + 1)
    var cells = [Double](repeating: 0, count: rows * columns)
    var (ofA, ofB) = ([Double](repeating: 0, count: rows), [Double](repeating: 0, count: columns))
    for (x, y) in zip(a, b) {
      cells[Int(x) * columns + Int(y)] += 1
      ofA[Int(x)] += 1
      ofB[Int(y)] += 1
    }
    func pairs(_ sizes: [Double]) -> Double { sizes.reduce(0) { $0 + $1 * ($1 - 1) / 2 } }
    let all = Double(a.count) * Double(a.count - 1) / 2
    let expected = all > 0 ? pairs(ofA) * pairs(ofB) / all : 0
    let most = (pairs(ofA) + pairs(ofB)) / 2
    return most == expected ? 1 : (pairs(cells) - expected) / (most - expected)
  }
}
