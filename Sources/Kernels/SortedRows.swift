import Columns

/// The rows in ascending order of the columns, the first leading: nulls last, texts by UTF-8 bytes, false before true,
/// NaN after all numbers; rows with equal keys stay in their order.
public func sortedRows(by columns: [Column], count: Int) -> [Int32] {
  precondition(count <= Int(Int32.max), "more than 2,147,483,647 rows to sort at once")
  var rows = (0..<Int32(count)).map { $0 }
  // Stable passes from the last column to the first.
  for column in columns.reversed() { sort(&rows, by: Cells(column)) }
  return rows
}

private struct Keyed: BitwiseCopyable {
  var key: UInt64
  var row: Int32
}

private func sort(_ rows: inout [Int32], by cells: Cells) {
  var nulls: [Int32] = []
  if cells.validity != nil {
    nulls = rows.filter { cells.isNull(Int($0)) }
    rows.removeAll { cells.isNull(Int($0)) }
  }
  defer { rows += nulls }
  let n = rows.count
  if n < 2 { return }
  let keyed = LargeMemory.rows(n, of: Keyed.self), spare = LargeMemory.rows(n, of: Keyed.self)
  defer {
    LargeMemory.free(keyed)
    LargeMemory.free(spare)
  }
  for at in 0..<n { keyed[at] = Keyed(key: image(of: cells, Int(rows[at])), row: rows[at]) }
  radixSort(keyed, spare, count: n)
  if cells.kind == .text { settleTies(keyed, count: n, cells) }
  for at in 0..<n { rows[at] = keyed[at].row }
}

/// 64 bits in the order of the cells; of a text its first eight bytes.
private func image(of cells: Cells, _ row: Int) -> UInt64 {
  switch cells.kind {
  case .narrow, .wide: return cells.word(row) ^ 1 << 63
  case .real:
    let bits = cells.word(row)
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  case .bits: return cells.word(row)
  case .text:
    let text = cells.text(row)
    var key: UInt64 = 0
    for at in 0..<min(8, text.count) { key |= UInt64(text[at]) &<< UInt64(56 &- at &* 8) }
    return key
  }
}

/// Least significant digit first, bytes that all keys share left out.
private func radixSort(_ keyed: UnsafeMutablePointer<Keyed>, _ spare: UnsafeMutablePointer<Keyed>, count n: Int) {
  let counts = UnsafeMutablePointer<Int>.allocate(capacity: 8 * 256)
  counts.initialize(repeating: 0, count: 8 * 256)
  defer { counts.deallocate() }
  var sorted = true
  for at in 0..<n {
    let key = keyed[at].key
    if at > 0, keyed[at &- 1].key > key { sorted = false }
    for byte in 0..<8 { counts[byte &* 256 &+ Int(truncatingIfNeeded: key &>> UInt64(byte &* 8) & 255)] &+= 1 }
  }
  if sorted { return }
  var from = keyed, to = spare
  for byte in 0..<8 {
    let digits = counts + byte * 256, shift = UInt64(byte * 8)
    if digits[Int(truncatingIfNeeded: from[0].key &>> shift & 255)] == n { continue }
    var at = 0
    for digit in 0..<256 {
      let here = digits[digit]
      digits[digit] = at
      at &+= here
    }
    for at in 0..<n {
      let entry = from[at], digit = Int(truncatingIfNeeded: entry.key &>> shift & 255)
      to[digits[digit]] = entry
      digits[digit] &+= 1
    }
    swap(&from, &to)
  }
  if from != keyed { keyed.update(from: from, count: n) }
}

/// Texts that agree in their first eight bytes (or end within them) are compared whole.
private func settleTies(_ keyed: UnsafeMutablePointer<Keyed>, count n: Int, _ cells: Cells) {
  var start = 0
  while start < n {
    var end = start &+ 1
    while end < n, keyed[end].key == keyed[start].key { end &+= 1 }
    if end - start > 1 {
      let first = cells.text(Int(keyed[start].row))
      var same = true
      for at in start &+ 1..<end where !equalBytes(cells.text(Int(keyed[at].row)), first) {
        same = false
        break
      }
      if !same {
        let ordered = (start..<end).map { (place: $0, row: keyed[$0].row) }.sorted { a, b in
          let order = compareBytes(cells.text(Int(a.row)), cells.text(Int(b.row)))
          return order != 0 ? order < 0 : a.place < b.place
        }
        for (at, entry) in ordered.enumerated() { keyed[start + at].row = entry.row }
      }
    }
    start = end
  }
}
