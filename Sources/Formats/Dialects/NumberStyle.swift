import Columns

/// One way to write numbers, tried on every cell of a column: a decimal mark, and what stands between thousands.
struct NumberStyle {
  let mark: UInt8
  /// UTF-8; empty: nothing does.
  let group: [UInt8]
  /// Cells that are written otherwise.
  private(set) var misfits = 0
  private(set) var hasGroups = false
  /// Most digits behind the mark, and before it.
  private(set) var fraction = 0, whole = 1
  /// Every cell with a mark ends in it and one zero.
  private(set) var endsInZero = true

  private init(_ mark: UInt8, _ group: String = "") {
    self.mark = mark
    self.group = Array(group.utf8)
  }

  /// The plain one first. Blanks between thousands may be those that do not break a line (U+00A0, U+202F).
  static let all = [
    NumberStyle(46), NumberStyle(46, ","), NumberStyle(44), NumberStyle(44, "."), NumberStyle(44, " "), NumberStyle(46, " "), NumberStyle(46, "'"),
    NumberStyle(44, "\u{A0}"), NumberStyle(46, "\u{A0}"), NumberStyle(44, "\u{202F}"), NumberStyle(46, "\u{202F}"),
  ]

  var isPlain: Bool { group.isEmpty && mark == 46 }
  /// Whether every number is a whole one with `.0` behind some.
  var isWholeWithZero: Bool { fraction == 1 && endsInZero }
  /// Whether cells tell this style from one with another mark.
  var isTelling: Bool { fraction > 0 || hasGroups }

  /// `plainWhole`: most digits of the cells that were digits only, which nobody showed this style.
  func type(plainWhole: Int) -> ColumnType? {
    let whole = max(whole, plainWhole)
    guard whole + fraction <= ColumnType.widestDecimal, group.isEmpty || hasGroups else { return nil }
    return fraction == 0 || isWholeWithZero ? .int64 : .decimal(precision: whole + fraction, scale: fraction)
  }

  mutating func add(_ cell: UnsafeBufferPointer<UInt8>) { if !reads(cell) { misfits += 1 } }

  private mutating func reads(_ cell: UnsafeBufferPointer<UInt8>) -> Bool {
    var at = cell.first == 45 ? 1 : 0, digits = 0, run = 0, groups = 0, isZero = true
    let start = at
    while at < cell.count {
      let byte = cell[at]
      if byte &- 48 < 10 {
        digits += 1
        run += 1
        if byte != 48 { isZero = false }
        at += 1
      } else if isGroup(cell, at) {
        guard groups == 0 ? (1...3).contains(run) : run == 3 else { return false }
        groups += 1
        run = 0
        at += group.count
      } else {
        break
      }
    }
    // No zeros in front; −0 would come back as 0.
    guard digits > 0, digits == 1 || cell[start] != 48, groups == 0 || run == 3 else { return false }
    var places = 0, zeroOnly = true
    if at < cell.count {
      guard cell[at] == mark else { return false }
      places = cell.count - at - 1
      guard places > 0, cell[(at + 1)...].allSatisfy({ $0 &- 48 < 10 }) else { return false }
      if cell[(at + 1)...].contains(where: { $0 != 48 }) { isZero = false }
      zeroOnly = places == 1 && cell[at + 1] == 48
    }
    if isZero, cell[0] == 45 { return false }
    guard digits + places <= ColumnType.widestDecimal else { return false }
    if groups > 0 { hasGroups = true }
    if !zeroOnly { endsInZero = false }
    whole = max(whole, digits)
    fraction = max(fraction, places)
    return true
  }

  private func isGroup(_ cell: UnsafeBufferPointer<UInt8>, _ at: Int) -> Bool {
    guard !group.isEmpty, at + group.count <= cell.count else { return false }
    for (offset, byte) in group.enumerated() where cell[at + offset] != byte { return false }
    return true
  }
}
