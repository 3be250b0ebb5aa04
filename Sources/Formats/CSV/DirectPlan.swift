import Columns

/// What a column asks of its cells' texts where that can be done in the loop that decodes them: blanks taken off, one literal
/// end cut, texts that mean null. Columns that ask for more go the longer way (`UnitWorker+Cells`).
struct DirectPlan {
  let trims: Bool
  let tail: TailDrop
  /// Bit n: some text that means null has n bytes; bit 63: 63 or more.
  private let nullLengths: UInt64
  private let nulls: [[UInt8]]
  /// Texts stay as they are.
  let isPlain: Bool

  init?(_ plan: ColumnPlan, _ layout: TableLayout) {
    guard layout.escape == nil else { return nil }
    switch plan.edits.count {
    case 0: tail = .none
    case 1:
      guard plan.isText, case .dropSuffix(let text) = plan.edits[0], let drop = TailDrop(text) else { return nil }
      tail = drop
    default: return nil
    }
    // Numbers and dates are looked at as null only when they do not read: a null like -1 has to be found before.
    guard plan.isText || plan.nulls.allSatisfy({ text in !text.contains { (48...57).contains($0) } }) else { return nil }
    trims = plan.column.trim
    nulls = plan.nulls
    isPlain = plan.edits.isEmpty && !plan.column.trim && plan.nulls.isEmpty
    nullLengths = plan.nulls.reduce(0) { $0 | 1 << UInt64(min($1.count, 63)) }
  }

  @inline(__always) func mayBeNull(_ count: Int) -> Bool { nullLengths &>> UInt64(truncatingIfNeeded: min(count, 63)) & 1 != 0 }

  @inline(never) func isNull(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    nulls.contains { null in null.count == count && null.indices.allSatisfy { null[$0] == text[$0] } }
  }

  /// Without blanks and tabs at both ends.
  @inline(__always) static func trim(_ base: UnsafePointer<UInt8>, _ start: inout Int, _ end: inout Int) {
    while start < end, base[start] == 32 || base[start] == 9 { start &+= 1 }
    while start < end, base[end &- 1] == 32 || base[end &- 1] == 9 { end &-= 1 }
  }
}
