import Columns

/// Calendar periods within which several purchases are one.
public enum PurchasePeriod: Sendable {
  case day, week, month

  /// Numbers neighbouring periods; ISO weeks begin on Monday (1970-01-01 was a Thursday).
  @inline(__always) func number(of day: Int32) -> Int32 {
    switch self {
    case .day: return day
    case .week:
      let fromMonday = Int(day) + 3
      return Int32(truncatingIfNeeded: fromMonday >= 0 ? fromMonday / 7 : (fromMonday - 6) / 7)
    case .month:
      let date = CivilDate(days: Int(day))
      return Int32(truncatingIfNeeded: date.year * 12 + date.month - 1)
    }
  }
}
