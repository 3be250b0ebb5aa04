import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// What fitted models say of each customer: still alive, purchases to come, spend per purchase, discounted value.
///
/// Rows keep their order. A customer whose history is incomplete or impossible (recency beyond age) gets nulls, and the run
/// says how many.
public struct Predict: Stage {
  public static let contract = Contract(
    "predict", "each customer's chance to be alive, purchases to come and discounted value, from fitted models",
    inputs: [
      .table("customers", help: "one row a customer, as rfm makes them"),
      .document("purchases", help: "a fitted bg-nbd or mbg-nbd"),
      .document("spend", .optional, help: "a fitted gamma-gamma; without it nothing is said of spend and value"),
    ],
    outputs: [.table("table", help: "the customers' columns and the predictions")],
    version: 1, shares: ["models": "1", "statistics": "1"])

  @Setting("how far ahead") var horizon: Duration
  @Setting(
    "\"10%/year\", {\"delta\": δ, \"per\": unit}, or {\"monthly\": \"1%\", \"month\": \"30 days\", \"months\": 6}; absent: later purchases count in full")
  var discount: DiscountSetting?
  @Setting("also give clv_scaled, the value from 0 (lowest) to 1 (highest)") var scaled = false
  @Setting("columns of the customers") var columns = PurchaseColumns()

  public init() {}

  private static let farthest = Duration(9000, .year)
  private static let purchaseRoles: [PurchaseColumns.Role] = [.frequency, .recency, .age]

  private func fields(spend: Bool) -> [Field] {
    let names = ["p_alive", "expected_purchases"] + (spend ? ["expected_spend", "clv"] + (scaled ? ["clv_scaled"] : []) : [])
    return names.map { Field($0, .float64) }
  }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    let spend = inputs["spend"] != nil
    var mistakes: [Diagnostic] = []
    check(inputs["purchases"], "purchases", [.bgNBD, .mbgNBD], &mistakes)
    check(inputs["spend"], "spend", [.gammaGamma], &mistakes)
    // The integrals are checked to twice this; no forecast means much so far out.
    if horizon.days > Self.farthest.days {
      mistakes.append(
        Diagnostic("the horizon is out of range", at: .setting(["horizon"]), expected: "at most \(Self.farthest)", found: horizon.description))
    }
    if scaled && !spend {
      mistakes.append(
        Diagnostic(
          "\"scaled\" needs a model of spend: without one there is no value to scale", at: .setting(["scaled"]),
          hint: "connect a fitted gamma-gamma as \"spend\""))
    }
    var output = ArtifactType.open
    if let type = inputs["customers"]?.table {
      mistakes += columns.mistakes(
        reading: Self.purchaseRoles + (spend ? [.monetary] : []), in: type.schema, of: "customers")
      let fields = fields(spend: spend)
      let taken = fields.compactMap { type.schema.mistake(adding: $0.name, to: "customers") }
      mistakes += taken
      if taken.isEmpty {
        output = .table(TableType(Schema(type.schema.fields + fields), order: type.order, timeUnit: type.timeUnit))
      }
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return Binding(
      outputs: [.init("table", output)],
      reads: [.init("customers", .all), .init("purchases", .all)] + (spend ? [.init("spend", .all)] : []),
      work: .whole(because: nil))
  }

  private func check(_ type: ArtifactType?, _ port: String, _ kinds: [FittedModel.Kind], _ mistakes: inout [Diagnostic]) {
    guard case .document(let about)? = type, !kinds.map(\.about).contains(about) else { return }
    mistakes.append(
      Diagnostic(
        "input \"\(port)\" is not a model that it can use", at: .input(port: port),
        expected: "a fitted " + kinds.map(\.rawValue).joined(separator: " or "),
        found: about.hasPrefix("model:") ? "a fitted \(about.dropFirst("model:".count))" : "a document about \"\(about)\""))
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table("customers")
    let model = try FittedModel(inputs.document("purchases"), port: "purchases", among: [.bgNBD, .mbgNBD])
    let spend = inputs["spend"] == nil ? nil : try FittedModel(inputs.document("spend"), port: "spend", among: [.gammaGamma])
    let unit = model.timeUnit!  // a model of purchases has one, or FittedModel has thrown
    if let told = table.type.timeUnit, told != unit {
      throw Diagnostic(
        "the model was fitted to times in \(unit.rawValue)s, but the customers are measured in \(told.rawValue)s",
        at: .input(port: "customers"), hint: "make both with one \"unit\" of rfm")
    }
    let roles = Self.purchaseRoles + (spend == nil ? [] : [.monetary])
    let customers = try table.wholeBatch(roles.map { columns[$0] })
    let cells = roles.map { customers[columns[$0]].doubles() }
    try context.checkCancellation()
    let predictions = FixedChunks.bounded(by: { context.width }) {
      CustomerPredictions(
        model, spend, x: cells[0], tx: cells[1], T: cells[2], m: spend == nil ? nil : cells[3],
        horizon: horizon.count(of: unit), discount: discount?.discount(horizon: horizon.count(of: unit), unit: unit))
    }
    if predictions.withoutHistory > 0 {
      context.warn(
        Diagnostic(
          "\(predictions.withoutHistory) of \(table.rows) customers get no prediction: their history is incomplete or impossible",
          expected: "whole \(columns.frequency) ≥ 0, 0 ≤ \(columns.recency) ≤ \(columns.age), \(columns.recency) 0 where \(columns.frequency) is 0",
          severity: .warning))
    }
    var made = [predictions.alive, predictions.purchases]
    if let values = predictions.values { made += [values.spend, values.clv] + (scaled ? [predictions.scaled(values.clv)] : []) }
    try context.writeTable(
      "table", carrying: table, adding: Array(zip(fields(spend: spend != nil), made.map(predictions.column))))
    return predictions.metrics(unit: unit, horizon: horizon.count(of: unit))
  }
}
