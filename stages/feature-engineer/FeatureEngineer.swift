import Columns
import Diagnostics
import Expressions
import Pipelines

/// New columns: of each row, or of each customer.
///
///     { "stage": "feature-engineer", "with": { "derive": { "revenue": "quantity * price" } } }
///     { "stage": "feature-engineer", "with": { "by": "customer", "at": "at", "amount": "revenue", "order": "invoice", "asOf": "2011-12-09",
///       "features": ["orders", "mean_days_between_orders", "spend_last_90_days"], "scale": { "orders": "log1p" } } }
///
/// Order: derive → by (aggregates, features) → scale → columns. Scaled columns are new ones, `orders_log1p`; the originals stay.
struct FeatureEngineer: Stage {
  static let contract = Contract(
    "feature-engineer", "Derives columns by SQL, summarizes customers, scales numbers",
    inputs: [.table("table", help: "rows")],
    outputs: [
      .table("table", help: "the rows with new columns, or one row per key"),
      .table("quarantine", help: "rows whose expressions failed, as they came, with `rule` and `reason`"),
    ],
    version: 1, shares: ["expressions": "1", "arrow": "26", "kernels": "1", "statistics": "1"])

  enum Scaling: String, SettingChoice {
    case log1p
    case standard
    case minMax = "min-max"

    var suffix: String { self == .minMax ? "min_max" : rawValue }
  }

  @Setting("new columns of each row by name, as SQL; later ones may use earlier ones") var derive: Named<SQLText> = [:]
  @Setting("key columns: one row per key comes out, ascending") var by: OneOrMany<String> = []
  @Setting("columns of each key by name, as SQL aggregates") var aggregates: Named<SQLText> = [:]
  @Setting(
    "ready columns of each key: orders, items, spend, distinct_products, active_days, mean_days_between_orders, share_of_weekends, spend_last_N_days, orders_last_N_days")
  var features: [String] = []
  @Setting("column that says when, for features: a date or timestamp") var at: String?
  @Setting("column of the amount, for features") var amount: String?
  @Setting("column of the order, for features") var order: String?
  @Setting("column of the product, for features") var product: String?
  @Setting("column of the number of items, for features") var quantity: String?
  @Setting("the day that windows of the last N days end with, inclusive") var asOf: CivilDate?
  @Setting("columns scaled into new ones: log1p (x_log1p), standard (x_standard: mean 0, deviation 1 over all rows), min-max (x_min_max: 0 to 1)") var scale: Named<Scaling> = [:]
  @Setting("columns that come out, in this order; default all") var columns: [String]?

  init() {}

  func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    let alias = inputs.entries[0].alias
    guard let schema = inputs.schema() else {
      return Binding(outputs: [.init("table", .open), .init("quarantine", .open)], reads: [.init(alias, .all)])
    }
    let plan = try FeaturePlan(self, schema, context.parameters.bindings)
    let order = inputs["table"]?.table?.order ?? .source
    let whole: String? = !by.isEmpty ? "by" : plan.scaled.isEmpty ? nil : "scale"
    // Figures of a whole column come before the rows are scaled by them; rows whose expressions fail are looked for again.
    let isOnePass = by.isEmpty ? plan.scaled.isEmpty : plan.derived.isEmpty
    return Binding(
      outputs: [
        .init("table", .table(TableType(plan.output, order: by.isEmpty ? order : .key(by.items)))),
        .init("quarantine", .table(TableType(plan.quarantine, order: order))),
      ],
      reads: [.init(alias, plan.readsAll ? .all : .named(plan.input.names), isOnePass ? .once : .many)],
      work: whole.map { Binding.Work.whole(because: $0) } ?? .eachPartition, relation: plan.relation(of: .scan(alias)))
  }
}
