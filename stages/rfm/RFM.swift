import Columns
import Diagnostics
import Expressions
import Kernels
import Pipelines

/// One row per customer in the manner of Fader and Hardie: how often, how lately, for how long, how much.
///
///     { "stage": "rfm", "with": { "customer": "customer", "at": "at", "amount": "revenue", "order": "invoice", "unit": "week" } }
struct RFM: Stage {
  static let contract = Contract(
    "rfm", "Customers by recency, frequency and money, with scores and named segments, and a hold-out where asked for",
    inputs: [.table("table", help: "transactions")],
    outputs: [
      .table("table", help: "one row per customer, ascending by customer"),
      .table("holdout", .optional, help: "what the same customers bought between `until` and `holdout`"),
    ],
    version: 1, shares: ["expressions": "1", "kernels": "1"])

  enum Period: String, SettingChoice { case day, week, month }
  enum Unit: String, SettingChoice { case day, week, month, year }

  @Setting("column that says who bought") var customer: String
  @Setting("column that says when: a date or timestamp") var at: String
  @Setting("column that says for how much, a number, or SQL over columns: quantity * price") var amount: String
  @Setting("column whose distinct values are orders; without it `orders` is null") var order: String?
  @Setting("purchases within one calendar period are one purchase; its day is the first of them") var period = Period.day
  @Setting("what recency and age are measured in; week is days / 7, month 365.25 / 12 days, year 365.25 days") var unit = Unit.day
  @Setting("last day observed, inclusive; default the last day in the data") var until: CivilDate?
  @Setting("last day of the hold-out, inclusive: adds output `holdout`") var holdout: CivilDate?
  @Setting("scores of recency, frequency and money: true for quintiles, or how") var scores: Either<Bool, RFMScores> = .first(false)
  @Setting("ten or eleven for a usual map, or names by the digits of R and F (or R, F and M); the first pattern that fits counts, else `other`")
  var segments: Either<RFMMap, Named<String>> = .second(RFMSegments.usual)

  init() {}

  func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    var mistakes: [Diagnostic] = []
    let schema = inputs.schema()
    func field(_ name: String, _ setting: PathStep, _ needs: String, _ fits: (ColumnType) -> Bool) -> ColumnType? {
      guard let schema else { return nil }
      guard let type = schema.type(of: name) else {
        mistakes.append(.missingColumn(name, in: schema, at: [setting]))
        return nil
      }
      if !fits(type) {
        mistakes.append(Diagnostic("column \"\(name)\" has a type that does not fit", at: .setting([setting]), expected: needs, found: "\(type)"))
        return nil
      }
      return type
    }
    let customerType = field(customer, "customer", "a string, whole number or date") { ![.float64, .bool].contains($0) }
    _ = field(at, "at", "a date or timestamp") { if case .timestamp = $0 { true } else { $0 == .date } }
    let money = boundAmount(schema, context.parameters.bindings)
    mistakes += money.mistakes
    let amountType = money.isColumn ? field(amount, "amount", "a number") { $0.isNumeric } : money.type
    if let order { _ = field(order, "order", "a string, whole number or date") { ![.float64, .bool].contains($0) } }
    if let holdout {
      if let until, holdout.days <= until.days {
        mistakes.append(
          Diagnostic("the hold-out ends before it begins", at: .setting(["holdout"]), expected: "a day after until, \(until)", found: "\(holdout)"))
      } else if until == nil {
        mistakes.append(
          Diagnostic("a hold-out needs the last day of calibration", at: .setting(["holdout"]), hint: "say \"until\" as well"))
      }
    }
    if let scoring { mistakes += scoring.mistakes(order: order, segments: names) }
    guard mistakes.isEmpty else { throw Mistakes(mistakes) }
    let open = schema == nil
    let timeUnit = Duration.Unit(rawValue: unit.rawValue)
    var outputs = [
      Binding.Output(
        "table", open ? .open : .table(TableType(tableSchema(customerType!, amountType!), order: .key(["customer"]), timeUnit: timeUnit)))
    ]
    if holdout != nil {
      outputs.append(
        Binding.Output(
          "holdout", open ? .open : .table(TableType(holdoutSchema(customerType!, amountType!), order: .key(["customer"]), timeUnit: timeUnit))))
    }
    let alias = inputs.entries.first { $0.port == "table" }?.alias ?? "table"
    var work = Binding.Work.whole(because: amountType == .float64 ? "amount" : nil)
    if let schema, let customerType, let amountType, let state = stateSchema(customerType, amountType, order.flatMap { schema.type(of: $0) }) {
      work = .mergeable(state: TableType(state))
    }
    return Binding(
      outputs: outputs, reads: [.init(alias, .named([customer, at] + money.expression.columnNames + (order.map { [$0] } ?? [])), .once)],
      work: work, relation: relation(over: .scan(alias), amount: money.expression))
  }

  /// Names by patterns of scores.
  var names: Named<String> {
    switch segments {
    case .first(let map): map.segments
    case .second(let own): own
    }
  }

  /// How to score, when it is asked for.
  var scoring: RFMScores? {
    switch scores {
    case .first(let wanted): wanted ? RFMScores() : nil
    case .second(let scores): scores
    }
  }

  /// Integers and decimals sum to what they are, as wide as can be; doubles stay doubles.
  func revenueType(_ amount: ColumnType) -> ColumnType { GroupFunction.sum.result(of: amount) }

  func tableSchema(_ customer: ColumnType, _ amount: ColumnType) -> Schema {
    var fields = [
      Field("customer", customer), Field("frequency", .int64), Field("recency", .float64), Field("age", .float64),
      Field("monetary", .float64), Field("orders", .int64), Field("revenue", revenueType(amount)), Field("since_last", .float64),
      Field("first", .date), Field("last", .date),
    ]
    if scoring != nil {
      fields += [
        Field("r_score", .int32), Field("f_score", .int32), Field("m_score", .int32), Field("rfm_score", .string),
        Field("rfm_segment", .string),
      ]
    }
    return Schema(fields)
  }

  func holdoutSchema(_ customer: ColumnType, _ amount: ColumnType) -> Schema {
    Schema([Field("customer", customer), Field("purchases", .int64), Field("revenue", revenueType(amount)), Field("duration", .float64)])
  }

  /// Days in a unit.
  var unitDays: Double {
    switch unit {
    case .day: 1
    case .week: 7
    case .month: 365.25 / 12
    case .year: 365.25
    }
  }
}
