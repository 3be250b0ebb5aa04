/// Points without repetition, in the order in which they first come.
struct DistinctPoints {
  let columns: [[Double]]
  /// What the repetitions weigh together.
  let weights: [Double]
  /// Distinct point → the first point that is it.
  let first: [Int32]
  /// Point → the first point equal to it.
  let representative: [Int32]

  var count: Int { first.count }

  init(_ columns: [[Double]], weights: [Double] = []) {
    let n = columns[0].count
    precondition(n < 1 << 31, "clusters of 2³¹ points or more are not supported")
    var capacity = 16
    while capacity < 2 * n { capacity *= 2 }
    // Open addressing; entries are numbers in `first`.
    var table = [Int32](repeating: -1, count: capacity)
    var first: [Int32] = []
    var total: [Double] = []
    var representative = [Int32](repeating: 0, count: n)
    for point in 0..<n {
      var hash: UInt64 = 0
      // −0 and 0 are one value.
      for column in columns { hash = (hash ^ (column[point] + 0).bitPattern) &* 0x9e37_79b9_7f4a_7c15 ^ hash >> 29 }
      var at = Int((hash ^ hash >> 32) & UInt64(capacity - 1))
      while table[at] >= 0, !columns.allSatisfy({ $0[point] == $0[Int(first[Int(table[at])])] }) { at = (at + 1) & (capacity - 1) }
      let weight = weights.isEmpty ? 1 : weights[point]
      if table[at] < 0 {
        table[at] = Int32(first.count)
        first.append(Int32(point))
        total.append(weight)
      } else {
        total[Int(table[at])] += weight
      }
      representative[point] = first[Int(table[at])]
    }
    self.columns = columns.map { column in first.map { column[Int($0)] } }
    self.weights = total
    self.first = first
    self.representative = representative
  }
}
