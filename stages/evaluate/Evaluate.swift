import Columns
import Diagnostics
import Models
import Pipelines

/// How well predictions met what customers then did: numbers over all of them, by earlier purchases, by predicted rank.
///
/// Without a hold-out, values that stand beside their predictions are compared. Every customer must be on both sides exactly once. Customers without a prediction are left out and counted.
public struct Evaluate: Stage {
  public static let contract = Contract(
    "evaluate", "predictions compared with what happened in the hold-out",
    inputs: [
      .table("predicted", help: "customers with predictions, as predict makes them"),
      .table("holdout", .optional, help: "what the same customers did afterwards, as rfm makes it; without it predicted holds actual values too, as held_out of fit does"),
      .table("transactions", .optional, help: "all purchases, for the output tracking; needs purchases"),
      .document("purchases", .optional, help: "the fitted model of purchases, for the output tracking"),
    ],
    outputs: [
      .document("metrics", help: "errors, bias, correlations and ranking of purchases, and of spend where both sides have it"),
      .table("by_frequency", .optional, help: "means by purchases before"),
      .table("by_decile", help: "means by rank of the prediction"),
      .table("tracking", .optional, help: "with transactions and purchases: expected and actual repeat purchases step by step, and cumulative"),
    ],
    version: 2, shares: ["models": "1", "statistics": "1"])

  @Setting("column that names a customer, in both inputs") var customer = "customer"
  @Setting("column of the repeat purchases before the hold-out") var frequency = "frequency"
  @Setting("predicted purchases") var expectedPurchases = "expected_purchases"
  @Setting("predicted spend per purchase; compared where it and revenue are there") var expectedSpend = "expected_spend"
  @Setting("actual purchases") var purchases = "purchases"
  @Setting("actual spend") var revenue = "revenue"
  @Setting("bounds of the predicted purchases, where they are there: how many actual numbers lie between is told") var low = "purchases_low"
  @Setting("the upper bound") var high = "purchases_high"
  @Setting("bounds of the predicted value, where they are there beside actual spend: how many actual values lie between is told; they and it are taken as they are, so predict without a discount") var valueLow = "clv_low"
  @Setting("the upper bound") var valueHigh = "clv_high"
  @Setting("without a hold-out: the column of the predicted value") var value = "predicted"
  @Setting("without a hold-out: the column of the actual value") var actual = "actual"
  @Setting("customers with so many earlier purchases or more share one row of by_frequency", in: 1...1000) var highestFrequency = 7

  @Setting("how purchases are followed over time, with transactions and purchases connected") var tracking = Tracking()

  public init() {}

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    if inputs["holdout"] == nil { return try ofValues.bind(inputs) }
    let (predicted, holdout) = (inputs.schema("predicted"), inputs.schema("holdout"))
    let standard = Evaluate()
    func place(_ setting: String, _ name: String, _ usual: String, _ port: String) -> Place {
      name == usual ? .input(port: port) : .setting([.key(setting)])
    }
    var mistakes: [Diagnostic?] = [("value", value != standard.value), ("actual", actual != standard.actual)].filter(\.1).map { setting, _ in
      Diagnostic("\"\(setting)\" means nothing beside a hold-out", at: .setting([.key(setting)]))
    }
    if let predicted {
      mistakes += [
        predicted.mistake(finding: customer, of: "predicted", at: place("customer", customer, standard.customer, "predicted")),
        predicted.mistake(
          readingNumbers: frequency, of: "predicted", at: place("frequency", frequency, standard.frequency, "predicted")),
        predicted.mistake(
          readingNumbers: expectedPurchases, of: "predicted",
          at: place("expectedPurchases", expectedPurchases, standard.expectedPurchases, "predicted")),
      ]
    }
    if let holdout {
      mistakes += [
        holdout.mistake(finding: customer, of: "holdout", at: place("customer", customer, standard.customer, "holdout")),
        holdout.mistake(readingNumbers: purchases, of: "holdout", at: place("purchases", purchases, standard.purchases, "holdout")),
      ]
    }
    if let predicted, let holdout, let a = predicted.type(of: customer), let b = holdout.type(of: customer), a != b {
      mistakes.append(
        Diagnostic(
          "column \"\(customer)\" has one type in \"predicted\" and another in \"holdout\"", at: .input(port: "holdout"),
          expected: "\(a)", found: "\(b)"))
    }
    let spend = predicted.flatMap { p in holdout.map { comparesSpend(p, $0) } } ?? false
    if spend, let predicted, let holdout {
      mistakes += [
        predicted.mistake(readingNumbers: expectedSpend, of: "predicted", at: .input(port: "predicted")),
        holdout.mistake(readingNumbers: revenue, of: "holdout", at: .input(port: "holdout")),
      ]
    }
    let bounds = predicted.map { boundColumns($0) + (spend ? valueBoundColumns($0) : []) } ?? []
    if let predicted { mistakes += bounds.map { predicted.mistake(readingNumbers: $0, of: "predicted", at: .input(port: "predicted")) } }
    let tracks = inputs["transactions"] != nil && inputs["purchases"] != nil
    if !tracks, let port = ["transactions", "purchases"].first(where: { inputs[$0] != nil }) {
      mistakes.append(
        Diagnostic(
          "\"\(port)\" means nothing alone", at: .input(port: port), expected: "both \"transactions\" and \"purchases\", for tracking"))
    }
    if tracks, let schema = inputs.schema("transactions") {
      mistakes += tracking.mistakes(in: schema)
      if let a = schema.type(of: tracking.customer), let b = predicted?.type(of: customer), a != b {
        mistakes.append(
          Diagnostic(
            "customers have one type in \"predicted\" and another in \"transactions\"", at: .input(port: "transactions"), expected: "\(b)",
            found: "\(a)"))
      }
    }
    if case .document(let about)? = inputs["purchases"], about != FittedModel.Kind.aboutChosen, !Self.tracked.map(\.about).contains(about) {
      mistakes.append(
        Diagnostic(
          "input \"purchases\" is not a model whose purchases can be followed by the day", at: .input(port: "purchases"),
          expected: "a fitted " + Self.tracked.map(\.rawValue).joined(separator: " or "),
          found: about.hasPrefix("model:") ? "a fitted \(about.dropFirst("model:".count))" : "a document about \"\(about)\""))
    }
    let found = mistakes.compactMap(\.self)
    if !found.isEmpty { throw Mistakes(found) }
    return Binding(
      outputs: [
        .init("metrics", .document(about: "evaluation")),
        .init("by_frequency", .table(TableType(HoldoutTables.frequencySchema, order: .key(["frequency"])))),
        .init("by_decile", .table(TableType(HoldoutTables.decileSchema, order: .key(["decile"])))),
      ] + (tracks ? [.init("tracking", .table(TableType(Tracking.schema, order: .key(["step"]))))] : []),
      reads: [
        .init("predicted", .named([customer, frequency, expectedPurchases] + (spend ? [expectedSpend] : []) + bounds)),
        .init("holdout", .named([customer, purchases] + (spend ? [revenue] : []))),
      ] + (tracks ? [.init("transactions", .named(tracking.columns)), .init("purchases", .all)] : []))
  }

  /// Models of purchases at any time.
  private static let tracked: [FittedModel.Kind] = [.bgNBD, .mbgNBD, .paretoNBD, .nbd, .bgCNBDk, .mbgCNBDk]

  private var ofValues: ValueEvaluation { ValueEvaluation(value: value, actual: actual, low: valueLow, high: valueHigh) }

  private func comparesSpend(_ predicted: Schema, _ holdout: Schema) -> Bool {
    predicted.index(of: expectedSpend) != nil && holdout.index(of: revenue) != nil
  }

  /// Both bounds of an interval, or nothing.
  private func boundColumns(_ predicted: Schema) -> [String] { IntervalCoverage.columns(low, high, in: predicted) }
  private func valueBoundColumns(_ predicted: Schema) -> [String] { IntervalCoverage.columns(valueLow, valueHigh, in: predicted) }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    if inputs["holdout"] == nil { return try ofValues.run(inputs, context) }
    let (predictedTable, holdoutTable) = (inputs.table("predicted"), inputs.table("holdout"))
    if predictedTable.rows == 0 {
      throw Diagnostic("nothing can be evaluated: there are no customers", at: .input(port: "predicted"))
    }
    let spend = comparesSpend(predictedTable.schema, holdoutTable.schema)
    let bounds = boundColumns(predictedTable.schema)
    let valueBounds = spend ? valueBoundColumns(predictedTable.schema) : []
    let predicted = try predictedTable.wholeBatch(
      unique([customer, frequency, expectedPurchases] + (spend ? [expectedSpend] : []) + bounds + valueBounds))
    let holdout = try holdoutTable.wholeBatch(unique([customer, purchases] + (spend ? [revenue] : [])))
    try context.checkCancellation()
    let partner = try CustomerMatch(predicted[customer], holdout[customer], name: customer).partner

    let (x, expected) = (predicted[frequency].doubles(), predicted[expectedPurchases].doubles())
    let spends = spend ? predicted[expectedSpend].doubles() : []
    let bought = holdout[purchases].doubles()
    let paid = spend ? holdout[revenue].doubles() : []
    let rows = expected.indices.filter { row in
      expected[row].isFinite && x[row].isFinite && bought[partner[row]].isFinite
        && (!spend || (spends[row].isFinite && paid[partner[row]].isFinite))
    }
    if rows.isEmpty {
      throw Diagnostic("nothing can be evaluated: no customer has a prediction and an actual number", at: .input(port: "predicted"))
    }
    let leftOut = expected.count - rows.count
    if leftOut > 0 {
      context.warn(
        Diagnostic("\(leftOut) of \(expected.count) customers were left out: a prediction or an actual number is missing", severity: .warning))
    }
    let (guess, actual) = (rows.map { expected[$0] }, rows.map { bought[partner[$0]] })
    let ofPurchases = HoldoutMetrics(predicted: guess, actual: actual)
    var members = [
      JSONMember("customers", .integer(rows.count)), JSONMember("left_out", .integer(leftOut)),
      JSONMember("purchases", .object(Self.members(ofPurchases))),
    ]
    if spend {
      let ofSpend = HoldoutMetrics(predicted: rows.map { expected[$0] * spends[$0] }, actual: rows.map { paid[partner[$0]] })
      members.append(JSONMember("spend", .object(Self.members(ofSpend))))
    }
    for (name, columns, happened) in [("interval", bounds, bought), ("value_interval", valueBounds, paid)] where columns.count == 2 {
      let (least, most) = (predicted[columns[0]].doubles(), predicted[columns[1]].doubles())
      let coverage = IntervalCoverage(low: rows.map { least[$0] }, high: rows.map { most[$0] }, actual: rows.map { happened[partner[$0]] })
      members.append(JSONMember(name, coverage.json))
    }
    if inputs["transactions"] != nil {
      let model = try FittedModel(inputs.document("purchases"), port: "purchases", among: Self.tracked)
      let followed = try tracking.run(inputs.table("transactions"), predicted[customer], model, context)
      try context.writeTable("tracking", followed.table)
      members.append(
        JSONMember(
          "tracking",
          ["cumulative_mape": followed.error.map { .double($0) } ?? .null, "final_error": followed.finalError.map { .double($0) } ?? .null]))
    }
    try context.writeDocument("metrics", .object(members))
    try context.writeTable("by_frequency", HoldoutTables.byFrequency(rows.map { x[$0] }, guess, actual, highest: highestFrequency))
    try context.writeTable("by_decile", HoldoutTables.byDecile(guess, actual))

    var metrics = Metrics()
    metrics["customers"] = .integer(rows.count)
    metrics["left_out"] = .integer(leftOut)
    for member in Self.members(ofPurchases) { metrics[member.key] = member.value }
    return metrics
  }

  private func unique(_ names: [String]) -> [String] {
    names.enumerated().filter { !names[..<$0.offset].contains($0.element) }.map(\.element)
  }

  static func members(_ m: HoldoutMetrics) -> [JSONMember] {
    [
      ("actual_total", m.actualTotal), ("predicted_total", m.predictedTotal), ("mae", m.mae), ("rmse", m.rmse), ("msle", m.msle),
      ("wape", m.wape), ("bias", m.bias), ("pearson", m.pearson), ("spearman", m.spearman),
      ("gini_normalized", m.normalizedGini), ("top_decile_capture", m.topDecileCapture), ("top_decile_lift", m.topDecileLift),
      ("decile_mape", m.decileMAPE), ("calibration_error", m.calibrationError),
    ].map { JSONMember($0.0, .double($0.1)) }
  }
}
