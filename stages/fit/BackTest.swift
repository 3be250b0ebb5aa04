import Columns
import Diagnostics
import Expressions
import Kernels
import Models
import Pipelines
import Statistics

/// Tries models on earlier days: what was known then, and what followed, are made anew from the purchases.
struct BackTest: SettingsGroup {
  @Setting("column of the transactions that says who bought") var customer = "customer"
  @Setting("column of the transactions that says when: a date or timestamp") var at = "at"
  @Setting("how many earlier days are tried, each a horizon before the next", in: 1...24) var origins = 3
  @Setting("how far ahead the models must foretell; default a sixth of the days there are") var horizon: Duration?
  @Setting("last day that counts, inclusive; default the last day in the transactions") var until: CivilDate?

  init() {}

  var columns: [String] { [customer, at] }

  /// The last days that were known at each trial, and how many days after them were foretold.
  struct Cuts {
    var origins: [CivilDate]
    var days: Int
  }

  func mistakes(in schema: Schema) -> [Diagnostic] {
    [
      schema.mistake(finding: customer, of: "transactions", at: .setting(["backtest", "customer"])),
      schema.mistake(readingDays: at, of: "transactions", at: .setting(["backtest", "at"])),
    ].compactMap { $0 }
  }

  func run(_ table: TableArtifact, _ unit: Duration.Unit, prior: WeakPrior?, _ context: any RunContext) throws -> (choice: ModelChoice, cuts: Cuts) {
    let schema = table.schema
    let day = schema.type(of: at) == .date ? nil : try Expression(.cast(.column(at), .date, orNull: false)).check(schema)
    var batches: [PurchaseBatch] = []
    try table.forEachBatch(columns) { batch in
      try context.checkCancellation()
      batches.append(
        PurchaseBatch(
          customer: batch[customer], day: try day?.evaluate(batch).column ?? batch[at],
          amount: .full(.int32, [Int32](repeating: 0, count: batch.count)), order: nil, count: batch.count))
    }
    func history(through latest: Int32) -> PurchaseHistory {
      let history = PurchaseHistory(customer: schema.type(of: customer)!, order: nil, amount: .int32, latest: latest)
      history.add(batches, width: context.width)
      return history
    }
    let all = history(through: until.map { Int32(clamping: $0.days) } ?? .max)
    guard let first = all.firstDay, let last = all.lastDay else {
      throw Diagnostic("no model can be chosen: there are no purchases", at: .input(port: "transactions"))
    }
    let end = until.map { Int32(clamping: $0.days) } ?? last
    let span = Int(end) - Int(first) + 1
    let days = horizon.map { Int(min($0.days, 1e6).rounded()) } ?? span / 6
    // The first origin must have seen at least as much as it foretells.
    if days < 1 || span - origins * days < days {
      throw Diagnostic(
        "no model can be chosen: \(span) days of purchases are too few for \(origins) trials of \(days) days each",
        at: .setting(["backtest"]), hint: "take fewer origins, a shorter horizon, or name a model")
    }
    let scale = Duration(1, unit).days
    let tried = (0..<origins).map { back -> ModelChoice.Origin in
      let origin = Int(end) - (origins - back) * days
      let rows = history(through: Int32(origin + days)).finish(until: Int32(origin), period: .day, width: context.width).rows
      return ModelChoice.Origin(
        summary: PurchaseSummary(
          x: rows.map { Double($0.periods - 1) }, tx: rows.map { Double($0.last - $0.first) / scale },
          T: rows.map { Double(origin - Int($0.first)) / scale }),
        actual: rows.map { Double($0.holdoutPeriods) }, horizon: Double(days) / scale)
    }
    try context.checkCancellation()
    let cuts = Cuts(origins: (0..<origins).map { CivilDate(days: Int(end) - (origins - $0) * days) }, days: days)
    return (FixedChunks.bounded(by: { context.width }) { ModelChoice(tried, prior: prior) }, cuts)
  }
}
