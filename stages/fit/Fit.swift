import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// Fits a lifetime model to a table of customers by maximum likelihood, or a model of their value from attributes.
///
/// A search that stops before the maximum gives its result with `"converged": false` and a warning; data that cannot say
/// anything about the parameters (no customers, nobody who bought again) are an error.
public struct Fit: Stage {
  public static let contract = Contract(
    "fit", "a model of purchases, contracts or spend fitted to customers by maximum likelihood, or of their value from attributes",
    inputs: [
      .table("customers", help: "one row a customer, as rfm makes them"),
      .table("transactions", .optional, help: "for auto: the purchases that the customers were made from"),
      .document("earlier", .optional, help: "a model of the same name fitted to older data, from which the search begins; not for auto and value from attributes"),
    ],
    outputs: [
      .document("model", help: "parameters with their errors, log-likelihood, and how the search ended"),
      .table("held_out", .optional, help: "of value from attributes, with \"test\": the rows held out, actual and predicted"),
    ],
    version: StoredModel.version, shares: ["expressions": "1", "kernels": "1", "models": "1", "statistics": "1", "trees": BoostedTrees.version])

  /// A model, or that the data shall choose one.
  enum Model: String, SettingChoice {
    case bgNBD = "bg-nbd", mbgNBD = "mbg-nbd", paretoNBD = "pareto-nbd", nbd, bgCNBDk = "bg-cnbd-k", mbgCNBDk = "mbg-cnbd-k"
    case bgBB = "bg-bb", sBG = "sbg", gammaGamma = "gamma-gamma"
    case auto
    case ols, ridge, elasticNet = "elastic-net", poisson, tweedie, zeroInflatedLognormal = "zero-inflated-lognormal"
    case randomForest = "random-forest", gradientBoosting = "gradient-boosting"
  }

  enum Prior: String, SettingChoice { case none, weak }

  @Setting(
    "purchases at any time and dropout: bg-nbd, mbg-nbd, pareto-nbd, bg-cnbd-k and mbg-cnbd-k (regular buyers), nbd (nobody leaves); whole periods: bg-bb; contracts: sbg; spend: gamma-gamma; auto: the one of bg-nbd, mbg-nbd, pareto-nbd and nbd that foretold best; value from attributes: ols, ridge, elastic-net, poisson, tweedie, zero-inflated-lognormal, random-forest, gradient-boosting"
  ) var model: Model
  @Setting("what the customers' times are measured in; default what the stage before says") var unit: Duration.Unit?
  @Setting("weak: shapes are held near 1 and times near the mean age, loosely (the logarithm within 3 of it), effects of covariates near 0; not for gamma-gamma") var prior = Prior.none
  @Setting("bg-cnbd-k and mbg-cnbd-k: how many stages a purchase takes; default the number the spacing speaks for", in: 1...12) var k: Int?
  @Setting("bg-cnbd-k and mbg-cnbd-k: column of the summed logarithms of the times between a customer's purchases") var spacing: String?
  @Setting("column of how many customers a row stands for; default one; not for gamma-gamma") var weight: String?
  @Setting(
    "purchases at any time, but not auto: columns that say something of a customer beside its purchases, numbers or true and false; what each of them changes is fitted too")
  var covariates: [String] = []
  @Setting("auto: how the models are tried on earlier days") var backtest = BackTest()
  @Setting("bg-nbd, mbg-nbd, pareto-nbd, nbd, auto: other models that the fit is compared with on the same customers: nbd by the likelihood-ratio test, the others by Vuong's")
  var compare: [Comparisons.Rival] = []
  @Setting("columns of the customers") var columns = PurchaseColumns()
  @Setting("value from attributes: which value, which features, and how they are used") var attributes: AttributeSettings?

  public init() {}

  /// A model of value from attributes, or nil.
  private var attributeKind: AttributeModel.Kind? { AttributeModel.Kind(rawValue: model.rawValue) }

  /// Where the data choose, the usual one stands for all candidates: they read the same columns.
  private var kind: FittedModel.Kind { FittedModel.Kind(rawValue: model.rawValue) ?? .bgNBD }

  /// The columns that are read besides those of the roles.
  private var extras: [String] { [spacing, weight].compactMap { $0 } + covariates }
  private var reads: [String] { kind.roles.map { columns[$0] } + extras }
  /// Those of the fit, and those that say which days were observed.
  private func reads(_ schema: Schema?) -> [String] { (reads + (schema.map { ObservedDays.columns(columns, in: $0, timed: kind.knowsTime) } ?? [])).unique }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    if let attributeKind { return try bind(attributeKind, inputs) }
    var binding = Binding(
      outputs: [.init("model", .document(about: model == .auto ? FittedModel.Kind.aboutChosen : kind.about))],
      reads: [.init("customers", .named(reads(inputs["customers"]?.table?.schema)))]
        + (inputs["transactions"] == nil ? [] : [.init("transactions", .named(backtest.columns))])
        + (inputs["earlier"] == nil ? [] : [.init("earlier", .all)]))
    var unfit = settingsMistakes()
    if model == .auto, inputs["transactions"] == nil {
      unfit.append(
        Diagnostic(
          "the models cannot be tried on earlier days without the purchases", at: .setting(["model"]),
          expected: "input \"transactions\"", hint: "connect the table that rfm reads as \"transactions\""))
    }
    if model != .auto, inputs["transactions"] != nil {
      unfit.append(
        Diagnostic(
          "\"transactions\" means nothing to \(model.rawValue)", at: .input(port: "transactions"), expected: "\"model\": \"auto\""))
    }
    if let earlier = inputs["earlier"] { unfit += earlierMistakes(earlier) }
    if model == .auto, let schema = inputs["transactions"]?.table?.schema { unfit += backtest.mistakes(in: schema) }
    guard let type = inputs["customers"]?.table else {
      if !unfit.isEmpty { throw Mistakes(unfit) }
      return binding
    }
    var mistakes = columns.mistakes(reading: kind.roles, in: type.schema, of: "customers")
    for (setting, column) in [("spacing", spacing), ("weight", weight)] {
      guard let column else { continue }
      if kind.roles.contains(where: { columns[$0] == column }) {
        mistakes.append(
          Diagnostic("\(setting) is a column that says something else, \"\(column)\"", at: .setting([.key(setting)]), expected: "a column of its own"))
      } else if let mistake = type.schema.mistake(readingNumbers: column, of: "customers", at: .setting([.key(setting)])) {
        mistakes.append(mistake)
      }
    }
    for (at, column) in covariates.enumerated() {
      let place = Place.setting(["covariates", .index(at)])
      if covariates[..<at].contains(column) || kind.roles.contains(where: { columns[$0] == column }) {
        mistakes.append(Diagnostic("\"\(column)\" is read already", at: place, expected: "a column of its own"))
      } else if type.schema.type(of: column) != .bool, let mistake = type.schema.mistake(readingNumbers: column, of: "customers", at: place) {
        mistakes.append(mistake)
      }
    }
    switch (unit, type.timeUnit) {
    case (nil, nil) where kind.knowsTime:
      mistakes.append(
        Diagnostic(
          "the unit of the customers' times is not known", at: .setting(["unit"]),
          expected: "\"unit\": \"day\", \"week\" or another unit of time",
          hint: "only a table that comes straight from rfm says its unit"))
    case (let unit?, let told?) where unit != told && kind.knowsTime:
      binding.warnings.append(
        Diagnostic(
          "the customers' times are taken as \(unit.rawValue)s, but the stage before measured them in \(told.rawValue)s",
          at: .setting(["unit"]), severity: .warning))
    default: break
    }
    mistakes += unfit
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return binding
  }

  private func earlierMistakes(_ earlier: ArtifactType) -> [Diagnostic] {
    let place = Place.input(port: "earlier")
    if model == .auto {
      return [Diagnostic("\"earlier\" means nothing to auto", at: place, expected: "the name of the earlier model as \"model\"")]
    }
    guard case .document(let about) = earlier, about != kind.about else { return [] }
    return [
      Diagnostic(
        "input \"earlier\" is not a model that the search could begin from", at: place, expected: "a fitted \(kind.rawValue)",
        found: about.hasPrefix("model:") ? "a fitted \(about.dropFirst("model:".count))" : "a document about \"\(about)\"")
    ]
  }

  private func bind(_ kind: AttributeModel.Kind, _ inputs: Inputs<ArtifactType>) throws(Mistakes) -> Binding {
    var mistakes: [Diagnostic] = []
    for (port, expected) in [("transactions", "\"model\": \"auto\""), ("earlier", "a model of purchases or spend")] where inputs[port] != nil {
      mistakes.append(Diagnostic("\"\(port)\" means nothing to \(kind.rawValue)", at: .input(port: port), expected: expected))
    }
    for (setting, isGiven) in [("unit", unit != nil), ("prior", prior != .none), ("k", k != nil), ("spacing", spacing != nil), ("weight", weight != nil),
      ("covariates", !covariates.isEmpty), ("compare", !compare.isEmpty),
    ]
    where isGiven {
      mistakes.append(
        Diagnostic("\"\(setting)\" means nothing to \(kind.rawValue)", at: .setting([.key(setting)]), expected: "a model of purchases or contracts"))
    }
    guard let attributes else {
      mistakes.append(
        Diagnostic(
          "what \(kind.rawValue) is to foretell, and from what, is not known", at: .setting(["attributes"]),
          expected: "\"attributes\": {\"target\": column, \"features\": [columns]}"))
      throw Mistakes(mistakes)
    }
    return try AttributeFitting(kind: kind, settings: attributes, columns: columns).bind(inputs, mistakes)
  }

  /// Settings that say nothing to the model that was chosen.
  private func settingsMistakes() -> [Diagnostic] {
    var mistakes: [Diagnostic] = []
    func refuse(_ setting: String, _ expected: String) {
      mistakes.append(
        Diagnostic("\"\(setting)\" means nothing to \(model.rawValue)", at: .setting([.key(setting)]), expected: expected))
    }
    if kind.hasStages {
      if k == nil, spacing == nil {
        mistakes.append(
          Diagnostic(
            "how many stages a purchase takes is not known", at: .setting(["k"]),
            expected: "\"k\", or \"spacing\": the column from which it is chosen"))
      }
    } else {
      if k != nil { refuse("k", "\"model\": \"bg-cnbd-k\" or \"mbg-cnbd-k\"") }
      if spacing != nil { refuse("spacing", "\"model\": \"bg-cnbd-k\" or \"mbg-cnbd-k\"") }
    }
    if !covariates.isEmpty {
      let able = CovariateFit.models.map(\.rawValue)
      if !able.contains(model.rawValue) { refuse("covariates", "\"model\": " + able.map { "\"\($0)\"" }.joined(separator: " or ")) }
    }
    if !compare.isEmpty {
      if !([.bgNBD, .mbgNBD, .paretoNBD, .nbd, .auto] as [Model]).contains(model) {
        refuse("compare", "\"model\": \"bg-nbd\", \"mbg-nbd\", \"pareto-nbd\", \"nbd\" or \"auto\"")
      }
      for (setting, isGiven) in [("prior", prior != .none), ("weight", weight != nil), ("covariates", !covariates.isEmpty)] where isGiven {
        mistakes.append(Diagnostic("\"compare\" is not possible with \"\(setting)\": the tests are of plain maximum likelihood", at: .setting(["compare"])))
      }
    }
    if attributes != nil { refuse("attributes", "a model of value from attributes, such as \"ols\"") }
    if kind == .gammaGamma {
      if prior != .none { refuse("prior", "a model of purchases") }
      if weight != nil { refuse("weight", "a model of purchases") }
    }
    return mistakes
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    if let attributeKind, let attributes { return try AttributeFitting(kind: attributeKind, settings: attributes, columns: columns).run(inputs, context) }
    let table = inputs.table("customers")
    if table.rows == 0 { throw Diagnostic("no model can be fitted: there are no customers", at: .input(port: "customers")) }
    let customers = try table.wholeBatch(reads(table.schema))
    let earlier = inputs["earlier"] == nil ? nil : try FittedModel(inputs.document("earlier"), port: "earlier", among: [kind])
    try context.checkCancellation()
    var fitted: ModelDocument
    do {
      if kind == .gammaGamma {
        fitted = try FixedChunks.bounded(by: { context.width }) { try spend(customers, earlier) }
      } else {
        guard let unit = unit ?? table.type.timeUnit else {
          throw Diagnostic("the unit of the customers' times is not known", at: .setting(["unit"]))
        }
        if let told = earlier?.timeUnit, told != unit {
          throw Diagnostic(
            "the earlier model was fitted to times in \(told.rawValue)s, but the customers are measured in \(unit.rawValue)s",
            at: .input(port: "earlier"), hint: "make both with one \"unit\" of rfm")
        }
        let found = model == .auto ? try backtest.run(inputs.table("transactions"), unit, prior: weak, context) : nil
        let chosen = found.flatMap { $0.choice.chosen.flatMap { FittedModel.Kind(rawValue: $0.rawValue) } } ?? kind
        fitted = try FixedChunks.bounded(by: { context.width }) { try purchases(customers, chosen, unit, earlier) }
        if let found { fitted.add(found.choice, cuts: found.cuts) }
      }
    } catch let error as FitError {
      throw Diagnostic("\(error.what): \(error.why)", at: .input(port: "customers"), hint: error.remedy)
    }
    guard fitted.isUsable else {
      throw Diagnostic(
        "the \(fitted.model.rawValue) model cannot be fitted: its likelihood is not a number where the search ended",
        at: .input(port: "customers"), hint: "look for extreme values in the columns it reads")
    }
    for sentence in fitted.diagnoses { context.warn(Diagnostic("\(fitted.model.rawValue): \(sentence)", severity: .warning)) }
    for (reason, count) in fitted.leftOut where reason == ModelDocument.missing && count > 0 {
      context.warn(Diagnostic("\(count) customer\(count == 1 ? " was" : "s were") left out of the fit: \(reason)", severity: .warning))
    }
    fitted.add("data", FittedData.json(customers, reads, observed: ObservedDays(customers, columns, timed: kind.knowsTime, unit: unit ?? table.type.timeUnit)))
    try context.writeDocument("model", fitted.document)
    return fitted.metrics
  }

  private var weak: WeakPrior? { prior == .weak ? WeakPrior() : nil }

  private func purchases(_ customers: Batch, _ model: FittedModel.Kind, _ unit: Duration.Unit, _ earlier: FittedModel?) throws -> ModelDocument {
    let (kept, left) = complete(reads.map { customers[$0].doubles() })
    if kept[0].isEmpty { throw allLeftOut(left) }
    func column(_ role: PurchaseColumns.Role) -> [Double] { kept[model.roles.firstIndex(of: role)!] }
    let weights = weight.map { _ in kept[model.roles.count + (spacing == nil ? 0 : 1)] }
    let prior = weak
    let leftOut = [(ModelDocument.missing, left)]
    func document<P: ModelParameters>(_ fit: ModelFit<P>) -> ModelDocument {
      var made = ModelDocument(fit, model, unit, prior: prior, leftOut: leftOut)
      if !compare.isEmpty, let known = PurchaseModel(rawValue: model.rawValue) {
        let comparisons = Comparisons(model: known, parameters: fit.parameters.vector, logLikelihood: fit.logLikelihood)
        made.add("comparisons", comparisons.json(compare, on: PurchaseSummary(x: column(.frequency), tx: column(.recency), T: column(.age))))
      }
      return made
    }
    func start<P: ModelParameters>() -> P? { earlier.map { P($0.parameters) } }
    if model == .sBG {
      return document(
        try ShiftedBetaGeometric.fit(renewals: column(.recency), possible: column(.age), weights: weights, prior: prior, from: start()))
    }
    let summary = PurchaseSummary(x: column(.frequency), tx: column(.recency), T: column(.age))
    if model == .bgBB { return document(try BGBB.fit(summary, weights: weights, prior: prior, from: start())) }
    let gaps = spacing.map { _ in
      let logs = kept[model.roles.count]
      return Summaries.sum(logs.indices.lazy.map { logs[$0] * (weights?[$0] ?? 1) })
    }
    func partial(_ stages: Int) -> [String] {
      gaps == nil && stages > 1 ? ["the log-likelihood leaves out the times between purchases, which were not given: compare it for the same k only"] : []
    }
    if !covariates.isEmpty, let known = PurchaseModel(rawValue: model.rawValue) {
      let fit = try CovariateFit.fit(
        known, summary, covariates: Array(kept.suffix(covariates.count)), names: covariates, weights: weights, k: k, logGaps: gaps, prior: prior,
        from: earlier.map { covariateStart($0) })
      return ModelDocument(
        fit, model, unit, columns: covariates, prior: prior, stages: model.hasStages ? fit.stages : nil, diagnoses: partial(fit.stages), leftOut: leftOut)
    }
    let data = try GroupedSummary(summary, weights: weights)
    switch model {
    case .mbgNBD: return document(try MBGNBD.fit(data, prior: prior, from: start()))
    case .paretoNBD: return document(try ParetoNBD.fit(data, prior: prior, from: start()))
    case .nbd: return document(try NBD.fit(data, prior: prior, from: start()))
    case .bgCNBDk, .mbgCNBDk:
      let fit = try RegularBuyers.fit(
        data, dropoutAtOnce: model == .mbgCNBDk, k: k, logGaps: gaps, prior: prior, from: earlier.map { (.init($0.parameters), $0.stages) })
      return ModelDocument(
        fit.model, model, unit, prior: prior, stages: fit.k, tried: fit.tried, diagnoses: partial(fit.k), leftOut: leftOut)
    default: return document(try BGNBD.fit(data, prior: prior, from: start()))
    }
  }

  /// With what the earlier model knew of the covariates; those that are new to it begin without effect.
  private func covariateStart(_ earlier: FittedModel) -> CovariateFit.Earlier {
    func effects(_ known: [Double]?) -> [Double] {
      covariates.map { name in earlier.covariates?.columns.firstIndex(of: name).flatMap { known?[$0] } ?? 0 }
    }
    return CovariateFit.Earlier(
      parameters: earlier.parameters, purchaseEffects: effects(earlier.covariates?.purchases),
      dropoutEffects: earlier.kind == .nbd ? [] : effects(earlier.covariates?.dropout), stages: earlier.stages)
  }

  private func spend(_ customers: Batch, _ earlier: FittedModel?) throws -> ModelDocument {
    let cells = [PurchaseColumns.Role.frequency, .monetary].map { customers[columns[$0]].doubles() }
    let (kept, left) = complete(cells)
    if kept[0].isEmpty { throw allLeftOut(left) }
    let start = earlier.map { GammaGamma.Parameters(p: $0.parameters[0], q: $0.parameters[1], v: $0.parameters[2]) }
    return ModelDocument(try GammaGamma.fit(x: kept[0], m: kept[1], from: start), of: columns.monetary, leftOut: [(ModelDocument.missing, left)])
  }

  private func allLeftOut(_ count: Int) -> Diagnostic {
    Diagnostic(
      "no model can be fitted: all \(count) customers lack a value of \(kind.roles.map { "\"\(columns[$0])\"" }.joined(separator: ", "))",
      at: .input(port: "customers"))
  }

  /// The rows in which every cell is a finite number, and how many are not so.
  private func complete(_ cells: [[Double]]) -> (kept: [[Double]], left: Int) {
    let rows = cells[0].indices.filter { row in cells.allSatisfy { $0[row].isFinite } }
    let left = cells[0].count - rows.count
    return left == 0 ? (cells, 0) : (cells.map { column in rows.map { column[$0] } }, left)
  }
}
