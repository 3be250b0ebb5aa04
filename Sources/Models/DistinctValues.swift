/// The distinct values of one or more columns, ascending, found by hashing bit patterns: purchase times come from few
/// days, so tables over them are short.
struct DistinctValues {
  let values: [Double]
  /// For each column, the index of every value.
  let indices: [[UInt32]]

  init(_ columns: [[Double]]) {
    var bits = 10
    var table = [Int32](repeating: -1, count: 1 << bits)
    var values: [Double] = []
    var indices: [[UInt32]] = []
    for column in columns {
      indices.append([UInt32](unsafeUninitializedCapacity: column.count) { out, initialized in
        for i in column.indices {
          let value = column[i]
          var slot = Int((value.bitPattern &* 0x9e3779b97f4a7c15) >> UInt64(64 - bits))
          while table[slot] >= 0, values[Int(table[slot])] != value { slot = (slot + 1) & (table.count - 1) }
          if table[slot] < 0 {
            table[slot] = Int32(values.count)
            values.append(value)
            if values.count * 2 > table.count {
              bits += 2
              table = [Int32](repeating: -1, count: 1 << bits)
              for (j, v) in values.enumerated() {
                var s = Int((v.bitPattern &* 0x9e3779b97f4a7c15) >> UInt64(64 - bits))
                while table[s] >= 0 { s = (s + 1) & (table.count - 1) }
                table[s] = Int32(j)
              }
              out[i] = UInt32(values.count - 1)
              continue
            }
          }
          out[i] = UInt32(table[slot])
        }
        initialized = column.count
      })
    }
    let order = values.indices.sorted { values[$0] < values[$1] }
    var rank = [UInt32](repeating: 0, count: values.count)
    for (position, old) in order.enumerated() { rank[old] = UInt32(position) }
    self.values = order.map { values[$0] }
    self.indices = indices.map { column in
      [UInt32](unsafeUninitializedCapacity: column.count) { out, initialized in
        for i in column.indices { out[i] = rank[Int(column[i])] }
        initialized = column.count
      }
    }
  }
}
