import Columns
import Diagnostics
import Expressions
import Pipelines

/// Rows that keep the rules; the others go to quarantine, each under the first rule it breaks.
///
/// One fixed order: trim → replace → cast → fill → require → keep (as listed) → distinct → cap. Rows and the sum of `amount`
/// add up: input = kept + Σ rules.
struct Clean: RuleKeepingStage {
  static let rulesSetting = "keep"

  static let contract = Contract(
    "clean", "Repairs cells, keeps the rows that fulfil every rule, and puts the others in quarantine with the rule they break",
    inputs: [.table("table", help: "rows")],
    outputs: [
      .table("table", help: "rows kept, in source order"),
      .table("quarantine", help: "rows removed, as they came, with `rule` and `reason`"),
    ],
    version: 1, shares: ["expressions": "1", "arrow": "26", "kernels": "1"])

  @Setting("text columns without white space at their ends: true for all, or which") var trim: Either<Bool, [String]> = .first(false)
  @Setting("texts changed by regular expressions (RE2), as { column: { pattern: text } }, in this order; \\1 is the first group") var replace: Named<Named<String>> = [:]
  @Setting("columns read as another type; a cell that cannot be sends its row to quarantine") var cast: Named<String> = [:]
  @Setting("what stands where a cell is null: a value, \"mean\" or \"median\" of the column, or { \"sql\": expression }") var fill: Named<JSONValue> = [:]
  @Setting("columns that must not be null") var require: [String] = []
  @Setting("SQL conditions that must be true; null removes the row with reason \"unknown\"") var keep: [SQLText] = []
  @Setting("of equal rows the first stays: true compares all columns of the input, a list only those") var distinct: Either<Bool, [String]> = .first(false)
  @Setting("outliers moved to a bound, as { column: { \"quantile\": [0.01, 0.99] } } or { column: { \"iqr\": 1.5 } }; bounds come from the rows kept") var cap: Named<CapBounds> = [:]
  @Setting("columns that come out, in this order; default all") var columns: [String]?
  @Setting("SQL expression whose sum is told for the input, the rows kept and every rule") var amount: SQLText?

  init() {}

  func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    let alias = inputs.entries[0].alias
    guard let schema = inputs.schema() else {
      return Binding(outputs: [.init("table", .open), .init("quarantine", .open)], reads: [.init(alias, .all)])
    }
    let plan = try CleanPlan(self, schema, context.parameters.bindings)
    var whole: String?
    if !cap.isEmpty { whole = "cap" }
    if plan.distinctOn != nil { whole = "distinct" }
    let statistic = plan.fills.contains(where: \.isStatistic)
    if statistic { whole = "fill" }
    let order = inputs["table"]?.table?.order ?? .source
    return Binding(
      outputs: [
        .init("table", .table(TableType(plan.output, order: order))), .init("quarantine", .table(TableType(plan.quarantine, order: order))),
      ],
      reads: [.init(alias, plan.readsAll ? .all : .named(plan.input.names), statistic || !cap.isEmpty ? .many : .once)],
      work: whole.map { Binding.Work.whole(because: $0) } ?? .eachPartition, relation: plan.relation(of: .scan(alias)))
  }
}

/// Where outliers are moved to: one of the two.
struct CapBounds: SettingsGroup {
  @Setting("lowest and highest quantile (type 7)") var quantile: [Double]?
  @Setting("so many interquartile ranges below the first and above the third quartile") var iqr: Double?

  init() {}
}
