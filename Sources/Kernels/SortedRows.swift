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
  let keyed = LargeMemory.rows(n, of: Keyed.self)
  defer { LargeMemory.free(keyed) }
  for at in 0..<n { keyed[at] = Keyed(key: image(of: cells, Int(rows[at])), row: rows[at]) }
  sortByKey(keyed, count: n, rows: Int(rows.max()!) + 1)
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
  case .text: return leadingBytes(cells.text(row))
  }
}

/// The first eight bytes, so that numbers are in the order of the texts; zeros where a text is shorter.
func leadingBytes(_ text: UnsafeRawBufferPointer) -> UInt64 {
  if text.count >= 8, let base = text.baseAddress { return UInt64(bigEndian: base.loadUnaligned(as: UInt64.self)) }
  var key: UInt64 = 0
  for at in 0..<text.count { key |= UInt64(text[at]) &<< UInt64(56 &- at &* 8) }
  return key
}

/// Stable, by key; keys may become others of the same order. `rows` is more than any row, taken without a sign.
private func sortByKey(_ keyed: UnsafeMutablePointer<Keyed>, count n: Int, rows: Int) {
  if n < 2 { return }
  var varying: UInt64 = 0, sorted = true
  for at in 1..<n {
    varying |= keyed[at].key ^ keyed[0].key
    if keyed[at &- 1].key > keyed[at].key { sorted = false }
  }
  if sorted { return }
  let packing = KeyPacking(varying, rows: rows)
  if packing.isWhole {
    let words = LargeMemory.rows(2 * n, of: UInt64.self)
    defer { LargeMemory.free(words) }
    var sort = PackedSort(packing, words, spare: words + n)
    for at in 0..<n { sort.append(keyed[at].key, keyed[at].row) }
    sort.run()
    for at in 0..<n { keyed[at] = Keyed(key: sort.key(at), row: sort.row(at)) }
  } else {
    let spare = LargeMemory.rows(n, of: Keyed.self)
    defer { LargeMemory.free(spare) }
    radixSort(keyed, spare, count: n)
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
      let rows = settled((start..<end).map { keyed[$0].row }) { compareBytes(cells.text(Int($0)), cells.text(Int($1))) }
      for (at, row) in rows.enumerated() { keyed[start + at].row = row }
    }
    start = end
  }
}

/// Rows by a comparison; those that are equal stay in their order.
func settled(_ rows: [Int32], _ compare: (Int32, Int32) -> Int) -> [Int32] {
  if !rows.contains(where: { compare($0, rows[0]) != 0 }) { return rows }
  return rows.enumerated().sorted { a, b in
    let order = compare(a.element, b.element)
    return order != 0 ? order < 0 : a.offset < b.offset
  }.map { $0.element }
}
