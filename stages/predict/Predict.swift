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
    "predict", "each customer's chance to be alive, purchases to come and discounted value, or value from attributes, from fitted models",
    inputs: [
      .table("customers", help: "one row a customer, as rfm makes them"),
      .document("purchases", .optional, help: "a fitted model of purchases or contracts"),
      .document("spend", .optional, help: "a fitted gamma-gamma; without it nothing is said of spend and value"),
      .document("value", .optional, help: "in place of the other two: a fitted model of value from attributes"),
    ],
    outputs: [
      .table("table", help: "the customers' columns and the predictions"),
      .document("new_customer", .optional, help: "what a customer whose first purchase is today is expected to do"),
    ],
    version: 2, shares: ["models": "1", "statistics": "1", "trees": BoostedTrees.version])

  @Setting("how far ahead; needed but for value from attributes") var horizon: Duration?
  @Setting(
    "\"10%/year\", {\"delta\": δ, \"per\": unit}, or {\"monthly\": \"1%\", \"month\": \"30 days\", \"months\": 6}; absent: later purchases count in full")
  var discount: DiscountSetting?
  @Setting("also give clv_scaled, the value from 0 (lowest) to 1 (highest)") var scaled = false
  @Setting("also give p_purchase, the chance of at least one purchase within the horizon") var chance = false
  @Setting("also give the distribution of purchases: p_0, p_1, …, and the last for that many and more", in: 1...1000) var counts: Int?
  @Setting(
    "also give purchases_low and purchases_high, between which the purchases lie with this probability, such as 0.9, and with a model of spend clv_low and clv_high; they hold what the fits leave open about the parameters",
    in: 0.01...0.9999) var interval: Double?
  @Setting("also give residual_value, the value of everything still to come; needs a discount and a model of spend") var residual = false
  @Setting("columns of the customers") var columns = PurchaseColumns()
  @Setting("value from attributes: the column of the predicted value") var column = "predicted_value"
  @Setting("value from attributes: features of which contribution_… says what they add to the value (of a model of its logarithm: to that), beside contribution_base and contribution_rest: exact SHAP values of trees and linear forms") var explain: [String] = []

  public init() {}

  private static let farthest = Duration(9000, .year)
  private func fields(spend: Bool) -> [Field] {
    var names = ["p_alive", "expected_purchases"]
    if chance { names.append("p_purchase") }
    if let counts { names += (0..<counts).map { "p_\($0)" } + ["p_\(counts)_and_more"] }
    if interval != nil { names += ["purchases_low", "purchases_high"] }
    if spend { names += ["expected_spend", "clv"] + (interval != nil ? ["clv_low", "clv_high"] : []) + (scaled ? ["clv_scaled"] : []) + (residual ? ["residual_value"] : []) }
    return names.map { Field($0, .float64) }
  }

  /// δ per unit where later purchases count less at a constant rate.
  private func force(_ unit: Duration.Unit) -> Double? {
    guard case .continuous(let rate, _)? = discount?.discount(horizon: 1, unit: unit), rate > 0 else { return nil }
    return rate
  }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    if inputs["value"] != nil { return try AttributePredicting(column: column, explain: explain).bind(inputs, mistakesBesideValue(inputs)) }
    let spend = inputs["spend"] != nil
    var mistakes = mistakesWithoutValue(inputs)
    check(inputs["purchases"], "purchases", FittedModel.Kind.ofPurchases, &mistakes)
    check(inputs["spend"], "spend", [.gammaGamma], &mistakes)
    // The integrals are checked to twice this; no forecast means much so far out.
    if let horizon, horizon.days > Self.farthest.days {
      mistakes.append(
        Diagnostic("the horizon is out of range", at: .setting(["horizon"]), expected: "at most \(Self.farthest)", found: horizon.description))
    }
    if scaled && !spend {
      mistakes.append(
        Diagnostic(
          "\"scaled\" needs a model of spend: without one there is no value to scale", at: .setting(["scaled"]),
          hint: "connect a fitted gamma-gamma as \"spend\""))
    }
    if residual, !spend || force(.day) == nil {
      mistakes.append(
        Diagnostic(
          "\"residual\" needs a model of spend and a discount such as \"10%/year\": what never ends and never counts less has no value",
          at: .setting(["residual"])))
    }
    var output = ArtifactType.open
    if let type = inputs["customers"]?.table {
      mistakes += columns.mistakes(
        reading: roles(of: inputs["purchases"]) + (spend ? [.monetary] : []), in: type.schema, of: "customers")
      let fields = fields(spend: spend)
      let taken = fields.compactMap { type.schema.mistake(adding: $0.name, to: "customers") }
      mistakes += taken
      if taken.isEmpty {
        output = .table(TableType(Schema(type.schema.fields + fields), order: type.order, timeUnit: type.timeUnit))
      }
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return Binding(
      outputs: [.init("table", output), .init("new_customer", .document(about: "new-customer"))],
      reads: [.init("customers", .all), .init("purchases", .all)] + (spend ? [.init("spend", .all)] : []),
      work: .whole(because: nil))
  }

  /// What is missing, or says nothing, where purchases are foretold.
  private func mistakesWithoutValue(_ inputs: Inputs<ArtifactType>) -> [Diagnostic] {
    var mistakes: [Diagnostic] = []
    if inputs["purchases"] == nil {
      mistakes.append(
        Diagnostic(
          "there is no model to predict from", at: .input(port: nil), expected: "input \"purchases\", or \"value\"",
          hint: "connect the output of a stage \"fit\""))
    }
    if horizon == nil {
      mistakes.append(
        Diagnostic(
          "missing setting \"horizon\"", at: .setting(["horizon"]), expected: Duration.formWords,
          hint: "horizon: how far ahead"))
    }
    for (setting, isGiven) in [("column", column != Predict().column), ("explain", !explain.isEmpty)] where isGiven {
      mistakes.append(Diagnostic("\"\(setting)\" means nothing to a model of purchases", at: .setting([.key(setting)]), expected: "input \"value\""))
    }
    return mistakes
  }

  /// What says nothing where a value is foretold from attributes.
  private func mistakesBesideValue(_ inputs: Inputs<ArtifactType>) -> [Diagnostic] {
    let ports = (["purchases", "spend"] as [String]).filter { inputs[$0] != nil }.map { port in
      Diagnostic("\"\(port)\" means nothing beside a model of value from attributes", at: .input(port: port), hint: "take one of them away")
    }
    let given = [
      ("horizon", horizon != nil), ("discount", discount != nil), ("scaled", scaled), ("chance", chance), ("counts", counts != nil),
      ("interval", interval != nil), ("residual", residual),
    ]
    return ports + given.filter(\.1).map { setting, _ in
      Diagnostic("\"\(setting)\" means nothing to a model of value from attributes", at: .setting([.key(setting)]), expected: "input \"purchases\"")
    }
  }

  /// Where the model is not known yet, the columns that most of them read.
  private func roles(of type: ArtifactType?) -> [PurchaseColumns.Role] {
    guard case .document(let about)? = type, let kind = FittedModel.Kind.ofPurchases.first(where: { $0.about == about }) else {
      return FittedModel.Kind.bgNBD.roles
    }
    return kind.roles
  }

  private func check(_ type: ArtifactType?, _ port: String, _ kinds: [FittedModel.Kind], _ mistakes: inout [Diagnostic]) {
    guard case .document(let about)? = type, !kinds.map(\.about).contains(about) else { return }
    if about == FittedModel.Kind.aboutChosen, kinds.contains(.bgNBD) { return }
    mistakes.append(
      Diagnostic(
        "input \"\(port)\" is not a model that it can use", at: .input(port: port),
        expected: kinds.count > 2 ? "a fitted model of purchases" : "a fitted " + kinds.map(\.rawValue).joined(separator: " or "),
        found: about.hasPrefix("model:") ? "a fitted \(about.dropFirst("model:".count))" : "a document about \"\(about)\""))
  }

  /// The columns by which the model tells customers apart beside their purchases.
  private func covariates(of model: FittedModel, _ table: TableArtifact) throws -> [[Double]] {
    guard let names = model.covariates?.columns, !names.isEmpty else { return [] }
    let mistakes = names.compactMap { name in
      table.schema.type(of: name) == .bool ? nil : table.schema.mistake(readingNumbers: name, of: "customers", at: .input(port: "customers"))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    let batch = try table.wholeBatch(names)
    return names.map { batch[$0].doubles() }
  }

  /// A model that was fitted to later days than the customers are known of has seen what it is asked to foretell.
  private func warnOfWhatWasSeen(_ models: [(port: String, model: FittedModel?)], _ table: TableArtifact, _ unit: Duration.Unit, _ context: any RunContext) throws {
    let names = ObservedDays.columns(columns, in: table.schema, timed: true)
    guard !names.isEmpty, models.contains(where: { $0.model?.observed != nil }) else { return }
    guard let known = ObservedDays(try table.wholeBatch(names), columns, timed: true, unit: unit) else { return }
    for (port, model) in models {
      guard let seen = model?.observed, seen.until.days > known.until.days else { continue }
      context.warn(
        Diagnostic(
          "the model was fitted to days up to \(seen.until), but the customers are observed up to \(known.until): of the days between it has seen what it foretells",
          at: .input(port: port), hint: "fit to customers whose observation ends on the same day, or earlier", severity: .warning))
    }
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    if inputs["value"] != nil { return try AttributePredicting(column: column, explain: explain).run(inputs, context) }
    guard let horizon else { preconditionFailure("predict ran without a horizon, which bind asks for") }
    let table = inputs.table("customers")
    let model = try FittedModel(inputs.document("purchases"), port: "purchases", among: FittedModel.Kind.ofPurchases)
    let spend = inputs["spend"] == nil ? nil : try FittedModel(inputs.document("spend"), port: "spend", among: [.gammaGamma])
    let unit = model.timeUnit!  // a model of purchases has one, or FittedModel has thrown
    if let told = table.type.timeUnit, told != unit {
      throw Diagnostic(
        "the model was fitted to times in \(unit.rawValue)s, but the customers are measured in \(told.rawValue)s",
        at: .input(port: "customers"), hint: "make both with one \"unit\" of rfm")
    }
    try warnOfWhatWasSeen([("purchases", model), ("spend", spend)], table, unit, context)
    let roles = model.kind.roles + (spend == nil ? [] : [.monetary])
    let customers = try table.wholeBatch(roles.map { columns[$0] })
    func cells(_ role: PurchaseColumns.Role) -> [Double] { customers[columns[role]].doubles() }
    let known = try covariates(of: model, table)
    try context.checkCancellation()
    let (ahead, tx) = (horizon.count(of: unit), cells(.recency))
    let discount = discount?.discount(horizon: ahead, unit: unit)
    let wishes = CustomerPredictions.Wishes(
      buys: chance, counts: counts, level: interval, residual: residual ? force(unit) : nil)
    let predictions = FixedChunks.bounded(by: { context.width }) {
      CustomerPredictions.make(
        // Renewals of a contract are its purchases.
        model, spend, x: roles.contains(.frequency) ? cells(.frequency) : tx, tx: tx, T: cells(.age),
        m: spend == nil ? nil : cells(.monetary), covariates: known, horizon: ahead, discount: discount, wishes: wishes)
    }
    if !predictions.intervalHoldsParameters {
      context.warn(
        Diagnostic(
          "the intervals take parameters for certain: a model's document has no covariance", at: .input(port: "purchases"),
          severity: .warning))
    }
    if predictions.withoutHistory > 0 {
      context.warn(
        Diagnostic(
          "\(predictions.withoutHistory) of \(table.rows) customers get no prediction: their history is incomplete or impossible",
          expected: "whole \(columns.frequency) ≥ 0, 0 ≤ \(columns.recency) ≤ \(columns.age), \(columns.recency) 0 where \(columns.frequency) is 0",
          severity: .warning))
    }
    var made = [predictions.alive, predictions.purchases]
    if let buys = predictions.buys { made.append(buys) }
    made += predictions.counts
    if let (low, high) = predictions.interval { made += [low, high] }
    if let values = predictions.values {
      made += [values.spend, values.clv]
      if let (low, high) = predictions.valueInterval { made += [low, high] }
      if scaled { made.append(predictions.scaled(values.clv)) }
    }
    if let residual = predictions.residual { made.append(residual) }
    try context.writeTable(
      "table", carrying: table, adding: Array(zip(fields(spend: spend != nil), made.map(predictions.column))))
    try context.writeDocument("new_customer", NewCustomer(model, spend, unit: unit, horizon: ahead, discount: discount).document)
    return predictions.metrics(unit: unit, horizon: ahead)
  }
}
