import Columns
import Kernels

/// How many customers have rows how many periods after that of their first one.
///
/// Where the rows of every customer come in the order of time, as they mostly do, pairs of customer and period are counted as they come;
/// else all of them are kept and sorted.
struct CohortCounts {
  private let every: ChartSettings.Every
  private let customers: KeyIndex
  private let inOrder: Bool
  /// Periods after the first that are told apart: one wrong date must not make a list of millions.
  private let limit: Int
  /// In order: a row came before an earlier one of its customer, and nothing here is right.
  private(set) var isOutOfOrder = false
  /// By customer: the period of the first row and of the last one so far.
  private var first: [Int32] = []
  private var latest: [Int32] = []
  /// By the period of the first row: customers by how many periods later, up to the limit.
  private var active: [Int: [Int]] = [:]
  /// The last period of all.
  private var latestOfAll = Int.min
  /// Not in order: customers in the upper half, periods in the lower, in the order of the rows.
  private var visits: [UInt64] = []
  /// By the start of a period as it is stored, and by its number.
  private var known: [Int64: Int32] = [:]
  private var names: [Int: String] = [:]

  init(every: ChartSettings.Every, customer: ColumnType, inOrder: Bool, limit: Int) {
    self.every = every
    self.inOrder = inOrder
    self.limit = limit
    customers = KeyIndex(types: [customer])
  }

  /// Rows with a customer and the start of a period; what lacks one is passed over.
  mutating func add(_ who: Column, _ when: Column) {
    if isOutOfOrder { return }
    let groups = customers.groups(of: [who], count: who.count)
    let new = customers.count - latest.count
    latest += repeatElement(.min, count: new)
    if inOrder { first += repeatElement(.min, count: new) }
    let days: UnsafeBufferPointer<Int32>? = when.type == .date ? when.values() : nil
    let micros: UnsafeBufferPointer<Int64>? = days == nil ? when.values() : nil
    var (last, number) = (Int64.min, Int32(0))
    for row in 0..<who.count where !who.isNull(row) && !when.isNull(row) {
      let start = days.map { Int64($0[row]) } ?? micros![row]
      if start != last { (last, number) = (start, period(start, when, row)) }
      let customer = Int(groups[row]), before = latest[customer]
      if before == number { continue }
      latest[customer] = number
      guard inOrder else {
        visits.append(UInt64(customer) << 32 | Self.ordered(number))
        continue
      }
      if before == .min { first[customer] = number }
      if number < before {
        isOutOfOrder = true
        return
      }
      count(Int(number), of: Int(first[customer]))
    }
  }

  private mutating func count(_ period: Int, of cohort: Int) {
    latestOfAll = max(latestOfAll, period)
    let later = period - cohort
    if later > limit { return }
    let missing = later + 1 - (active[cohort]?.count ?? 0)
    if missing > 0 { active[cohort, default: []] += repeatElement(0, count: missing) }
    active[cohort]![later] += 1
  }

  private mutating func period(_ start: Int64, _ when: Column, _ row: Int) -> Int32 {
    if let number = known[start] { return number }
    let value = when.value(at: row)
    let number = every.number(of: value)
    known[start] = Int32(number)
    names[number] = every.name(of: value)
    return Int32(number)
  }

  // Periods before 1970 may have numbers below zero.
  private static func ordered(_ period: Int32) -> UInt64 { UInt64(UInt32(bitPattern: period) ^ 0x8000_0000) }
  private static func period(_ visit: UInt64) -> Int { Int(Int32(bitPattern: UInt32(truncatingIfNeeded: visit) ^ 0x8000_0000)) }

  /// By the period of the first row, customers by how many periods later, up to the limit; what the periods are called; the last of all.
  mutating func counted() -> (active: [Int: [Int]], names: [Int: String], last: Int) {
    precondition(!isOutOfOrder, "cohorts were asked for of rows that came in another order than was said")
    if !inOrder { countVisits() }
    return (active, names, latestOfAll)
  }

  private mutating func countVisits() {
    (first, latest) = ([], [])
    visits.sort()
    var (cohort, before) = (0, UInt64.max)
    for visit in visits where visit != before {
      let period = Self.period(visit)
      if before >> 32 != visit >> 32 { cohort = period }
      before = visit
      count(period, of: cohort)
    }
    visits = []
  }
}

extension ChartSettings.Every {
  /// Periods since some fixed one; of the start of a period.
  func number(of start: Value) -> Int {
    let date = Self.day(of: start)
    return switch self {
    case .day: date.days
    // Weeks begin on Monday; 1970-01-05 was one.
    case .week: (date.days + 7_000_003) / 7
    case .month: date.year * 12 + date.month - 1
    case .quarter: date.year * 4 + (date.month - 1) / 3
    case .year: date.year
    }
  }

  /// "2010-01", "2010 Q1", "2010", or the day.
  func name(of start: Value) -> String {
    let date = Self.day(of: start)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return switch self {
    case .day, .week: "\(date.year)-\(two(date.month))-\(two(date.day))"
    case .month: "\(date.year)-\(two(date.month))"
    case .quarter: "\(date.year) Q\((date.month - 1) / 3 + 1)"
    case .year: "\(date.year)"
    }
  }

  private static func day(of start: Value) -> CivilDate {
    switch start {
    case .date(let day): return CivilDate(days: Int(day))
    case .timestamp(let micros):
      // Midnight in a zone is some hours from that of UTC: thirteen hours later it is the same day in both.
      let (day, rest) = (micros &+ 46_800_000_000).quotientAndRemainder(dividingBy: 86_400_000_000)
      return CivilDate(days: Int(day) - (rest < 0 ? 1 : 0))
    case .null, .bool, .int, .float, .decimal, .string: preconditionFailure("a period of a chart begins at no time")
    }
  }
}
