import Columns
import Diagnostics
import Expressions
import Pipelines

/// Sums of a column by calendar period; periods without a row are 0.
struct SalesPeriods {
  let at: String
  let value: String
  let period: Forecast.Period

  struct Sums {
    /// First days of the periods, one after another.
    var starts: [Int32]
    var sums: [Double]
    /// The first day behind them.
    var next: Int32
    var withoutValue: Int
  }

  func mistakes(in schema: Schema) -> [Diagnostic] {
    let standard = Forecast()
    return [
      schema.mistake(readingDays: at, of: "sales", at: at == standard.at ? .input(port: "sales") : .setting(["at"])),
      schema.mistake(readingNumbers: value, of: "sales", at: value == standard.value ? .input(port: "sales") : .setting(["value"])),
    ].compactMap { $0 }
  }

  func read(_ table: TableArtifact, since: CivilDate?, until: CivilDate?, _ context: any RunContext) throws -> Sums {
    let day = table.schema.type(of: at) == .date ? nil : try Expression(.cast(.column(at), .date, orNull: false)).check(table.schema)
    // By day first: what a period is follows from the days that there are. The order of the rows is the order of the sums.
    var sums: [Int32: (sum: Double, lost: Double)] = [:]
    var withoutValue = 0
    var (first, last) = (Int32.max, Int32.min)
    let (from, through) = (since.map { Int32(clamping: $0.days) } ?? .min, until.map { Int32(clamping: $0.days) } ?? .max)
    try table.forEachBatch([at, value].unique) { batch in
      try context.checkCancellation()
      let days = try (day?.evaluate(batch).column ?? batch[at]).doubles()
      let amounts = batch[value].doubles()
      for row in 0..<batch.count {
        guard days[row].magnitude < Self.farthest, amounts[row].isFinite else {
          withoutValue += 1
          continue
        }
        let day = Int32(days[row])
        guard day >= from, day <= through else { continue }
        (first, last) = (min(first, day), max(last, day))
        // Neumaier's compensation.
        let (sum, lost) = sums[day] ?? (0, 0)
        let next = sum + amounts[row]
        sums[day] = (next, lost + (sum.magnitude >= amounts[row].magnitude ? (sum - next) + amounts[row] : (amounts[row] - next) + sum))
      }
    }
    guard first <= last else { return Sums(starts: [], sums: [], next: 0, withoutValue: withoutValue) }
    let (begin, end) = (since.map { Int32(clamping: $0.days) } ?? first, until.map { Int32(clamping: $0.days) } ?? last)
    var start = Self.start(of: period, holding: begin)
    if start < begin { start = Self.next(period, start) }
    var result = Sums(starts: [], sums: [], next: start, withoutValue: withoutValue)
    while case let next = Self.next(period, result.next), Int(next) - 1 <= Int(end), result.starts.count < Self.most {
      var total = 0.0
      for day in result.next..<next { if let (sum, lost) = sums[day] { total += sum + lost } }
      result.starts.append(result.next)
      result.sums.append(total)
      result.next = next
    }
    return result
  }

  /// Days from 1970 that calendars reach; a missing day is none of them.
  private static let farthest = 3_000_000.0
  /// A hundred years of days.
  private static let most = 36_600

  static func starts(of period: Forecast.Period, from first: Int32, count: Int) -> [Int32] {
    var result = [first]
    while result.count < count { result.append(next(period, result.last!)) }
    return result
  }

  private static func start(of period: Forecast.Period, holding day: Int32) -> Int32 {
    let date = CivilDate(days: Int(day))
    switch period {
    case .day: return day
    // 1970-01-01 was a Thursday.
    case .week: return day - ((day + 3) % 7 + 7) % 7
    case .month: return Int32(clamping: CivilDate(year: date.year, month: date.month, day: 1).days)
    case .quarter: return Int32(clamping: CivilDate(year: date.year, month: (date.month - 1) / 3 * 3 + 1, day: 1).days)
    }
  }

  private static func next(_ period: Forecast.Period, _ start: Int32) -> Int32 {
    func months(_ count: Int) -> Int32 {
      let date = CivilDate(days: Int(start))
      let month = date.month - 1 + count
      return Int32(clamping: CivilDate(year: date.year + month / 12, month: month % 12 + 1, day: 1).days)
    }
    switch period {
    case .day: return start + 1
    case .week: return start + 7
    case .month: return months(1)
    case .quarter: return months(3)
    }
  }
}
