import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// `fit` for models of a value from attributes: split, fit, test, and what the model leans on.
struct AttributeFitting {
  let kind: AttributeModel.Kind
  let settings: AttributeSettings
  /// Those of the fit, of which the first and the last day and the age say which days were observed.
  let columns: PurchaseColumns

  /// The most rows on which a feature's weight is measured.
  static let sampled = 10_000

  private func key(_ schema: Schema) -> String? { settings.key ?? (schema.index(of: "customer") != nil ? "customer" : nil) }

  private var testColumn: String? { if case .second(let column) = settings.test { column } else { nil } }

  private func reads(_ type: TableType) -> [String] {
    ([settings.target] + settings.features + [testColumn, settings.test == nil ? nil : key(type.schema)].compactMap(\.self)
      + ObservedDays.columns(columns, in: type.schema, timed: isTimed(type))).unique
  }

  /// Whether the end of the observation is known; else it is the last purchase.
  private func isTimed(_ type: TableType) -> Bool {
    type.timeUnit != nil && !ObservedDays.columns(columns, in: type.schema, timed: true).isEmpty
  }

  /// `unfit` are mistakes that were found already.
  func bind(_ inputs: Inputs<ArtifactType>, _ unfit: [Diagnostic]) throws(Mistakes) -> Binding {
    var mistakes = unfit + settings.mistakes(kind)
    var outputs = [Binding.Output("model", .document(about: AttributeModelDocument.about(kind)))]
    var reads: Binding.Read.Columns = .all
    if let type = inputs["customers"]?.table {
      mistakes += settings.mistakes(in: type.schema)
      if let key = key(type.schema), settings.test != nil, key == "actual" || key == "predicted" {
        mistakes.append(
          Diagnostic("held_out has a column \"\(key)\" of its own", at: .setting(["attributes", "key"]), hint: "rename it in the stage before"))
      }
      if mistakes.isEmpty {
        reads = .named(self.reads(type))
        if settings.test != nil { outputs.append(.init("held_out", .table(TableType(heldOutSchema(type.schema), order: .source)))) }
      }
    } else if settings.test != nil {
      outputs.append(.init("held_out", .open))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return Binding(outputs: outputs, reads: [.init("customers", reads)])
  }

  private func heldOutSchema(_ schema: Schema) -> Schema {
    Schema((key(schema).map { [Field($0, schema.type(of: $0)!)] } ?? []) + [Field("actual", .float64), Field("predicted", .float64)])
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table("customers")
    if table.rows == 0 { throw Diagnostic("no model can be fitted: there are no customers", at: .input(port: "customers")) }
    let customers = try table.wholeBatch(reads(table.type))
    do {
      return try FixedChunks.bounded(by: { context.width }) { try run(customers, table.type, context) }
    } catch let error as FitError {
      throw Diagnostic("\(error.what): \(error.why)", at: .input(port: "customers"), hint: error.remedy)
    } catch let list as AttributeEncoder.MistakeList {
      throw Mistakes(list.mistakes.map(words))
    } catch let failure as BoostedTrees.Failure {
      throw failure.diagnostic
    }
  }

  private func run(_ customers: Batch, _ type: TableType, _ context: any RunContext) throws -> Metrics {
    let schema = type.schema
    let rows = try Rows(customers, settings, kind, schema)
    let leftOut = customers.count - rows.known.count
    let check = { try context.checkCancellation() }
    let fit = settings.fit(kind)
    let (train, test) = (rows.train, rows.test)
    var outcome = try fit.fit(rows.attributes(train), rows.target(train), check: check)
    let model = outcome.model
    let ofTrain = try errors(model, rows, train)
    let ofTest = test.isEmpty ? nil : try errors(model, rows, test)
    let folds = try settings.folds.map { try crossValidation(fit, rows, train, folds: $0, check) }
    let weights = try weights(model, rows, test.isEmpty ? train : test, check)
    if settings.test != nil { try writeHeldOut(model, rows, test, customers, schema, context) }
    if settings.refit { outcome = try fit.fit(rows.attributes(rows.known), rows.target(rows.known), check: check) }
    let unfilled = train.count - (settings.refit ? train.count : outcome.rows)
    for (count, why) in [(leftOut, "\"\(settings.target)\" is missing"), (unfilled, "a feature is missing")] where count > 0 {
      context.warn(Diagnostic("\(count) row\(count == 1 ? " was" : "s were") left out of the fit: \(why)", severity: .warning))
    }
    if !outcome.converged { outcome.diagnoses.append("the search ended before the minimum: do not trust the numbers") }
    for sentence in outcome.diagnoses { context.warn(Diagnostic("\(kind.rawValue): \(sentence)", severity: .warning)) }
    let library = kind.isTrees ? "xgboost \(try BoostedTrees.libraryVersion())" : nil
    if let library, library != BoostedTrees.version {
      context.warn(
        Diagnostic(
          "the trees come from \(library); stores take them for those of \(BoostedTrees.version)", hint: "make setup brings that version",
          severity: .warning))
    }
    let document = AttributeFitDocument(
      outcome: outcome, settings: settings, fit: fit, train: ofTrain, test: ofTest, folds: folds, weights: weights, leftOut: leftOut + unfilled,
      library: library, data: FittedData.json(
        customers, [settings.target] + settings.features + [testColumn].compactMap(\.self),
        observed: ObservedDays(customers, columns, timed: isTimed(type), unit: type.timeUnit)))
    guard document.isUsable else {
      throw Diagnostic(
        "the \(kind.rawValue) model cannot be fitted: its numbers are not finite", at: .input(port: "customers"),
        hint: "look for extreme values in \"\(settings.target)\" and the features")
    }
    try context.writeDocument("model", try document.json())
    return document.metrics
  }

  /// NaN where nothing can be said.
  private func errors(_ model: AttributeModel, _ rows: Rows, _ chosen: [Int]) throws -> RegressionErrors? {
    let predicted = try model.values(model.encoder.encode(rows.columns(chosen))), actual = rows.target(chosen)
    let sound = predicted.indices.filter { predicted[$0].isFinite }
    return sound.isEmpty ? nil : RegressionErrors(predicted: sound.map { predicted[$0] }, actual: sound.map { actual[$0] })
  }

  private func crossValidation(
    _ fit: AttributeFit, _ rows: Rows, _ chosen: [Int], folds count: Int, _ check: () throws -> Void
  ) throws -> [RegressionErrors] {
    if chosen.count < count {
      throw Diagnostic(
        "\(chosen.count) rows cannot be cut into \(count) folds", at: .setting(["attributes", "folds"]), hint: "take fewer folds")
    }
    let folds = AttributeSplit.folds(rows: chosen.count, count: count, seed: UInt64(settings.seed))
    return try (0..<count).compactMap { fold in
      try check()
      let inside = chosen.indices.filter { folds[$0] != fold }.map { chosen[$0] }
      let outside = chosen.indices.filter { folds[$0] == fold }.map { chosen[$0] }
      let outcome = try fit.fit(rows.attributes(inside), rows.target(inside), check: check)
      return try errors(outcome.model, rows, outside)
    }
  }

  /// How much each feature matters, in the order of the features; empty where it was not asked for.
  private func weights(_ model: AttributeModel, _ rows: Rows, _ chosen: [Int], _ check: () throws -> Void) throws -> [AttributeFitDocument.Weight] {
    if settings.importance == 0 { return [] }
    let count = min(chosen.count, Self.sampled)
    let sample = (0..<count).map { chosen[$0 * chosen.count / count] }
    let encoded = model.encoder.encode(rows.columns(sample))
    let rises = try model.permutationImportance(
      encoded, rows.target(sample), repeats: settings.importance, seed: UInt64(settings.seed), check: check)
    let contributions = try model.contributions(encoded)?.features
    return settings.features.indices.map { at in
      let sizes = contributions.map { $0[at].map(\.magnitude).filter(\.isFinite) }
      return AttributeFitDocument.Weight(
        feature: settings.features[at], rise: rises[at].mean, deviation: rises[at].deviation,
        contribution: sizes.map { Summaries.mean($0) })
    }
  }

  private func writeHeldOut(
    _ model: AttributeModel, _ rows: Rows, _ test: [Int], _ customers: Batch, _ schema: Schema, _ context: any RunContext
  ) throws {
    let predicted = try model.values(model.encoder.encode(rows.columns(test)))
    let keys = key(schema).map { [customers[$0].gather(test.map(Int32.init))] } ?? []
    try context.writeTable(
      "held_out",
      Batch(
        schema: heldOutSchema(schema),
        columns: keys + [.full(.float64, rows.target(test)), .float64s(predicted.map { $0.isFinite ? $0 : nil })], count: test.count))
  }

  private func words(_ mistake: AttributeEncoder.Mistake) -> Diagnostic {
    let name = settings.features[mistake.feature]
    let encoding: [PathStep] = ["attributes", "encodings", .key(name)]
    let feature = Place.setting(["attributes", "features", .index(mistake.feature)])
    switch mistake.reason {
    case .noSuchLevel(let level, let levels):
      return Diagnostic(
        "\"\(name)\" has no level \"\(level)\" in the rows of the fit", at: .setting(encoding + ["baseline"]), hint: hint(forUnknown: level, among: levels))
    case .notInTheOrder(let levels):
      return Diagnostic(
        "\"order\" leaves out levels of \"\(name)\": " + levels.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ") + (levels.count > 5 ? ", …" : ""),
        at: .setting(encoding + ["order"]), expected: "every level")
    case .tooManyLevels(let count):
      return Diagnostic(
        "\"\(name)\" has \(count) levels, too many for one-hot", at: feature, expected: "at most \(AttributeEncoder.mostLevels)",
        hint: "encode it by target, or leave it out: a name of each row foretells nothing")
    case .nothingThere: return Diagnostic("\"\(name)\" is missing in every row of the fit", at: feature)
    case .notANumber, .noLevels: return Diagnostic("\"\(name)\" cannot be encoded so", at: feature)
    }
  }
}

extension BoostedTrees.Failure {
  var diagnostic: Diagnostic {
    isMissing
      ? Diagnostic(words, at: .setting(["model"]), hint: "make setup brings it into .deps; macOS: brew install xgboost; or name its folder in MILLRACE_LIBRARIES")
      : Diagnostic("the trees could not be used: \(words)")
  }
}
