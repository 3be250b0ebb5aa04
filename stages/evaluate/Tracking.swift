import Columns
import Diagnostics
import Expressions
import Models
import Pipelines
import Statistics

/// Expected and actual repeat purchases of the customers over time: the curve by which one sees when a model begins to miss.
///
/// A purchase is a day with one, as `rfm` counts with `"period": "day"`. Expected is what the model says of new customers, summed over
/// the days since each customer's first purchase.
struct Tracking: SettingsGroup {
  @Setting("column of the transactions that says who bought") var customer = "customer"
  @Setting("column of the transactions that says when: a date or timestamp") var at = "at"
  @Setting("how long a step is", in: 1...3660) var days = 7
  @Setting("last day that counts, inclusive; default the last day in the transactions") var until: CivilDate?

  init() {}

  var columns: [String] { [customer, at].unique }

  static let schema = Schema([
    Field("step", .int64), Field("from", .date), Field("through", .date), Field("actual", .float64), Field("expected", .float64),
    Field("actual_cumulative", .float64), Field("expected_cumulative", .float64),
  ])

  func mistakes(in schema: Schema) -> [Diagnostic] {
    [
      schema.mistake(finding: customer, of: "transactions", at: .setting(["tracking", "customer"])),
      schema.mistake(readingDays: at, of: "transactions", at: .setting(["tracking", "at"])),
    ].compactMap { $0 }
  }

  struct Result {
    var table: Batch
    /// Mean over the steps of |expected − actual| as a share of the actual, both cumulative.
    var error: Double?
    /// Expected less actual at the end, as a share of the actual.
    var finalError: Double?
  }

  /// `customers` are those of the predictions; nobody else is counted.
  func run(_ table: TableArtifact, _ customers: Column, _ model: FittedModel, _ context: any RunContext) throws -> Result {
    if model.covariates != nil {
      throw Diagnostic("a model with covariates cannot be followed over time: new customers differ", at: .input(port: "purchases"))
    }
    let unit = Duration(1, model.timeUnit!).days  // a model of purchases has one, or FittedModel has thrown
    let predictor = PurchaseModel(rawValue: model.kind.rawValue)!.predictor(model.parameters, stages: model.stages)
    var numberOf: [Value: Int64] = [:]
    for (row, name) in customers.allValues.enumerated() { numberOf[name] = Int64(row) }
    let last = until.map { $0.days } ?? Int(Int32.max)
    let day = table.schema.type(of: at) == .date ? nil : try Expression(.cast(.column(at), .date, orNull: false)).check(table.schema)
    // Customer and day in one word.
    var purchases: [Int64] = []
    try table.forEachBatch(columns) { batch in
      try context.checkCancellation()
      let days = try (day?.evaluate(batch).column ?? batch[at]).doubles()
      for (row, name) in batch[customer].allValues.enumerated() where days[row].magnitude < Self.farthest && days[row] <= Double(last) {
        if let number = numberOf[name] { purchases.append(number << 32 | Int64(Int(days[row]) + Self.zero)) }
      }
    }
    purchases.sort()
    var (firsts, repeats): ([Int: Double], [Int: Double]) = ([:], [:])
    var before: Int64 = -1
    for word in purchases where word != before {
      let day = Int(word & 0xffff_ffff) - Self.zero
      if before < 0 || word >> 32 != before >> 32 { firsts[day, default: 0] += 1 } else { repeats[day, default: 0] += 1 }
      before = word
    }
    guard let start = firsts.keys.min(), let end = until.map({ $0.days }) ?? purchases.map({ Int($0 & 0xffff_ffff) - Self.zero }).max(), end >= start else {
      return Result(table: Batch(schema: Self.schema, columns: Self.schema.fields.map { $0.type == .date ? .full(.date, [Int32]()) : $0.type == .int64 ? .int64s([]) : .float64s([]) }, count: 0))
    }
    if (end - start) / days > Self.most {
      throw Diagnostic(
        "the transactions reach over more steps than can be told", at: .setting(["tracking", "days"]), expected: "at most \(Self.most) steps",
        found: "\((end - start) / days)")
    }
    let born = firsts.keys.sorted().map { (day: $0, count: firsts[$0]!) }
    // Of one age in days all customers expect the same.
    let ages = (0...(end - start)).map { predictor.expectedPurchases(by: Double($0) / unit) }
    var rows: [(from: Int, through: Int, actual: Double, expected: Double)] = []
    var (actual, expected) = (0.0, 0.0)
    var (from, errors) = (start, [Double]())
    while from <= end {
      // The first day of all begins the first step.
      let through = min(from + days - 1, end)
      let happened = (from...through).reduce(0.0) { $0 + (repeats[$1] ?? 0) }
      let now = Summaries.sum(born.lazy.filter { $0.day <= through }.map { $0.count * ages[through - $0.day] })
      rows.append((from, through, happened, now - expected))
      actual += happened
      expected = now
      if actual > 0 { errors.append((expected - actual).magnitude / actual) }
      from = through + 1
    }
    var sums = (actual: 0.0, expected: 0.0)
    let cumulative = rows.map { row -> (Double, Double) in
      sums = (sums.actual + row.actual, sums.expected + row.expected)
      return sums
    }
    return Result(
      table: Batch(
        schema: Self.schema,
        columns: [
          .int64s(rows.indices.map { Int64($0 + 1) }), .full(.date, rows.map { Int32($0.from) }), .full(.date, rows.map { Int32($0.through) }),
          .full(.float64, rows.map(\.actual)), .full(.float64, rows.map(\.expected)), .full(.float64, cumulative.map { $0.0 }),
          .full(.float64, cumulative.map { $0.1 }),
        ], count: rows.count),
      error: errors.isEmpty ? nil : Summaries.mean(errors), finalError: actual > 0 ? (expected - actual) / actual : nil)
  }

  /// Days are counted from here, so that none is negative.
  private static let zero = 1 << 30
  private static let most = 100_000
  /// Days from 1970 that calendars reach; a missing day is none of them.
  private static let farthest = 3_000_000.0
}
