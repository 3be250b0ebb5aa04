import Statistics

/// Customers who share the law of the purchases that are to come if they are alive: those of one x and T.
struct LivingGroups: Sendable {
  var rows: [Int]
  /// Where each group starts in `rows`, and the end. Groups ascend by x.
  var starts: [Int]

  init(_ summary: PurchaseSummary, byRecency: Bool) {
    if byRecency {
      // Each customer has a law of its own.
      rows = Array(0..<summary.count).sorted { summary.x[$0] != summary.x[$1] ? summary.x[$0] < summary.x[$1] : $0 < $1 }
      starts = Array(0...summary.count)
      return
    }
    let pairs = AgePairs(summary)
    starts = [Int](repeating: 0, count: pairs.x.count + 1)
    for slot in pairs.slots { starts[Int(slot) + 1] += 1 }
    for i in 1..<max(starts.count, 1) { starts[i] += starts[i - 1] }
    var next = starts
    rows = [Int](repeating: 0, count: summary.count)
    for (row, slot) in pairs.slots.enumerated() {
      rows[next[Int(slot)]] = row
      next[Int(slot)] += 1
    }
  }

  var count: Int { starts.count - 1 }

  /// A row of a group.
  func first(of group: Int) -> Int { rows[starts[group]] }

  /// Groups of one x, at most 1024 together: units of work.
  func stretches(_ summary: PurchaseSummary) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = 0
    for g in 0..<count where g + 1 == count || g + 1 - start == 1024 || summary.x[first(of: g + 1)] != summary.x[first(of: start)] {
      result.append(start..<g + 1)
      start = g + 1
    }
    return result
  }

  /// For every predictor P(Y = 0), P(Y = 1), … of a living customer, until the mean over them of P(Y ≤ n) reaches `p`; counts beyond
  /// `most` are not told apart.
  static func laws(
    _ predictors: [any PurchasePredictor], x: Double, tx: Double, T: Double, within h: Double, upTo p: Double, most: Int = 1 << 17
  ) -> [[Double]] {
    var n = 7
    while true {
      let laws = predictors.map { $0.livingCounts(x: x, tx: tx, T: T, within: h, through: n) }
      let reached = laws.reduce(0) { $0 + $1.reduce(0, +) } / Double(laws.count)
      if reached >= p || n > most { return laws }
      n = n * 2 + 1
    }
  }
}
