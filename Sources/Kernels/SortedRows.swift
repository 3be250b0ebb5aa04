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

struct Keyed: BitwiseCopyable {
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
  if cells.kind == .text { settleTies(keyed, count: n) { compareBytes(cells.text(Int($0)), cells.text(Int($1))) } }
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
func sortByKey(_ keyed: UnsafeMutablePointer<Keyed>, count n: Int, rows: Int) {
  if n < 2 { return }
  var varying: UInt64 = 0, sorted = true
  for at in 1..<n {
    varying |= keyed[at].key ^ keyed[0].key
    if keyed[at &- 1].key > keyed[at].key { sorted = false }
  }
  if sorted { return }
  let spare = LargeMemory.rows(n, of: Keyed.self)
  defer { LargeMemory.free(spare) }
  let rowBits = max(1, Int.bitWidth - rows.leadingZeroBitCount)
  let packing = KeyPacking(varying)
  if packing.bits + rowBits <= 64 { packedSort(keyed, spare, count: n, packing, rowBits: rowBits) } else { radixSort(keyed, spare, count: n) }
}

/// Closes up the bits in which keys differ: of each byte those from the lowest to the highest that varies. The order stays.
private struct KeyPacking {
  var shifts: [UInt64] = [], masks: [UInt64] = []
  var bits = 0

  init(_ varying: UInt64) {
    for byte in 0..<8 {
      let part = varying &>> UInt64(byte * 8) & 255
      if part == 0 { continue }
      let low = part.trailingZeroBitCount, width = 64 - part.leadingZeroBitCount - low
      shifts.append(UInt64(byte * 8 + low - bits))
      masks.append((1 << UInt64(width) - 1) << UInt64(bits))
      bits += width
    }
  }
}

/// Least significant digit first on words of packed key and row: few passes, of half the bytes. Keys become packed ones.
private func packedSort(
  _ keyed: UnsafeMutablePointer<Keyed>, _ spare: UnsafeMutablePointer<Keyed>, count n: Int, _ packing: KeyPacking, rowBits: Int
) {
  let passes = (packing.bits + 10) / 11, width = UInt64((packing.bits + passes - 1) / passes), digits = 1 << Int(width), last = UInt64(digits - 1)
  let counts = UnsafeMutablePointer<Int>.allocate(capacity: passes * digits)
  counts.initialize(repeating: 0, count: passes * digits)
  defer { counts.deallocate() }
  let shift = UInt64(rowBits)
  var from = UnsafeMutableRawPointer(spare).bindMemory(to: UInt64.self, capacity: 2 * n), to = from + n
  packing.shifts.withUnsafeBufferPointer { shifts in
    packing.masks.withUnsafeBufferPointer { masks in
      for at in 0..<n {
        let key = keyed[at].key
        var packed: UInt64 = 0
        for run in 0..<shifts.count { packed |= key &>> shifts[run] & masks[run] }
        from[at] = packed &<< shift | UInt64(UInt32(bitPattern: keyed[at].row))
        for pass in 0..<passes { counts[pass &* digits &+ Int(truncatingIfNeeded: packed &>> (UInt64(pass) &* width) & last)] &+= 1 }
      }
    }
  }
  for pass in 0..<passes {
    let starts = counts + pass * digits
    var next = 0
    for digit in 0..<digits {
      let here = starts[digit]
      starts[digit] = next
      next &+= here
    }
    let low = shift + UInt64(pass) * width
    for at in 0..<n {
      let word = from[at], digit = Int(truncatingIfNeeded: word &>> low & last)
      to[starts[digit]] = word
      starts[digit] &+= 1
    }
    swap(&from, &to)
  }
  let rowMask: UInt64 = 1 << shift - 1
  for at in 0..<n { keyed[at] = Keyed(key: from[at] &>> shift, row: Int32(bitPattern: UInt32(from[at] & rowMask))) }
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
func settleTies(_ keyed: UnsafeMutablePointer<Keyed>, count n: Int, _ compare: (Int32, Int32) -> Int) {
  var start = 0
  while start < n {
    var end = start &+ 1
    while end < n, keyed[end].key == keyed[start].key { end &+= 1 }
    if end - start > 1 {
      let first = keyed[start].row
      var same = true
      for at in start &+ 1..<end where compare(keyed[at].row, first) != 0 {
        same = false
        break
      }
      if !same {
        let ordered = (start..<end).map { (place: $0, row: keyed[$0].row) }.sorted { a, b in
          let order = compare(a.row, b.row)
          return order != 0 ? order < 0 : a.place < b.place
        }
        for (at, entry) in ordered.enumerated() { keyed[start + at].row = entry.row }
      }
    }
    start = end
  }
}
