import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// `predict` from a model of value from attributes: one value a row, and what features add to it where that is asked for.
struct AttributePredicting {
  let column: String
  let explain: [String]

  private var fields: [Field] {
    let parts = explain.isEmpty ? [] : ["base"] + explain + ["rest"]
    return ([column] + parts.map { "contribution_" + $0 }).map { Field($0, .float64) }
  }

  /// `unfit` are mistakes that were found already.
  func bind(_ inputs: Inputs<ArtifactType>, _ unfit: [Diagnostic]) throws(Mistakes) -> Binding {
    var mistakes = unfit
    if case .document(let about)? = inputs["value"] {
      if !AttributeModelDocument.abouts.contains(about) {
        mistakes.append(
          Diagnostic(
            "input \"value\" is not a model that it can use", at: .input(port: "value"), expected: "a fitted model of value from attributes",
            found: about.hasPrefix("model:") ? "a fitted \(about.dropFirst("model:".count))" : "a document about \"\(about)\""))
      } else if !explain.isEmpty, about == AttributeModelDocument.about(.zeroInflatedLognormal) {
        mistakes.append(
          Diagnostic(
            "a zero-inflated-lognormal value is no sum that could be explained feature by feature", at: .setting(["explain"]),
            expected: "another model"))
      }
    }
    for (at, name) in explain.enumerated() where explain[..<at].contains(name) {
      mistakes.append(Diagnostic("\"\(name)\" is named twice", at: .setting(["explain", .index(at)]), expected: "distinct features"))
    }
    var output = ArtifactType.open
    if let type = inputs["customers"]?.table {
      for (at, name) in explain.enumerated() {
        if let mistake = type.schema.mistake(finding: name, of: "customers", at: .setting(["explain", .index(at)])) { mistakes.append(mistake) }
      }
      let taken = fields.compactMap { type.schema.mistake(adding: $0.name, to: "customers") }
      mistakes += taken
      if taken.isEmpty { output = .table(TableType(Schema(type.schema.fields + fields), order: type.order, timeUnit: type.timeUnit)) }
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return Binding(outputs: [.init("table", output)], reads: [.init("customers", .all), .init("value", .all)])
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table("customers")
    let document = try AttributeModelDocument(inputs.document("value"), port: "value")
    let model = document.model
    try check(model, against: table.schema)
    let customers = try table.wholeBatch(model.encoder.features.map(\.name).unique)
    try context.checkCancellation()
    let encoded = model.encoder.encode(model.encoder.features.map { AttributeColumn(customers[$0.name]) })
    try tell(encoded.strangers, model, context)
    let values: [Double], parts: (base: Double, features: [[Double]])?
    do {
      values = try model.values(encoded)
      parts = explain.isEmpty ? nil : try model.contributions(encoded)
    } catch let failure as BoostedTrees.Failure {
      throw failure.diagnostic
    }
    var made = [values]
    if !explain.isEmpty {
      guard let parts else {
        throw Diagnostic("this model is no sum that could be explained feature by feature", at: .setting(["explain"]), expected: "another model")
      }
      let places = explain.map { name in model.encoder.features.firstIndex { $0.name == name }! }
      let others = parts.features.indices.filter { !places.contains($0) }
      made.append(values.map { $0.isFinite ? parts.base : .nan })
      made += places.map { parts.features[$0] }
      made.append(values.indices.map { row in values[row].isFinite ? others.reduce(0) { $0 + parts.features[$1][row] } : .nan })
    }
    let without = values.lazy.filter { !$0.isFinite }.count
    if without > 0 {
      context.warn(
        Diagnostic("\(without) of \(table.rows) rows get no prediction: a feature is missing or of an unknown level", severity: .warning))
    }
    let columns = made.map { Column.float64s($0.map { $0.isFinite ? $0 : nil }) }
    try context.writeTable("table", carrying: table, adding: Array(zip(fields, columns)))
    var metrics = Metrics()
    metrics["customers"] = .integer(table.rows)
    metrics["without_prediction"] = .integer(without)
    metrics[column] = .double(Summaries.sum(values.lazy.filter(\.isFinite)))
    return metrics
  }

  /// That the features are there, and are what they were when the model was fitted.
  private func check(_ model: AttributeModel, against schema: Schema) throws {
    var mistakes: [Diagnostic] = []
    for feature in model.encoder.features {
      if let mistake = schema.mistake(takingFeature: feature.name, of: "customers", at: .input(port: "customers")) {
        mistakes.append(mistake)
        continue
      }
      let isNumber = if case .number = feature.form { true } else { false }
      let type = schema.type(of: feature.name)!
      if isNumber == (type == .string) {
        mistakes.append(
          Diagnostic(
            "column \"\(feature.name)\" of input \"customers\" is not of the type that the model was fitted with", at: .input(port: "customers"),
            expected: isNumber ? "a number, a truth value or a date" : "string", found: "\(type)"))
      }
    }
    for (at, name) in explain.enumerated() where !model.encoder.features.contains(where: { $0.name == name }) {
      mistakes.append(
        Diagnostic(
          "\"\(name)\" is not a feature of the model", at: .setting(["explain", .index(at)]),
          hint: hint(forUnknown: name, among: model.encoder.features.map(\.name))))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
  }

  /// Levels that no row of the fit had: a mistake or a warning, as the model was told.
  private func tell(_ strangers: [(feature: Int, level: String, rows: Int)], _ model: AttributeModel, _ context: any RunContext) throws {
    for at in model.encoder.features.indices {
      let own = strangers.filter { $0.feature == at }
      if own.isEmpty { continue }
      let rows = own.reduce(0) { $0 + $1.rows }
      let shown = own.prefix(5).map { "\"\($0.level)\"" }.joined(separator: ", ") + (own.count > 5 ? ", …" : "")
      let message = "\(rows) row\(rows == 1 ? " has" : "s have") a level of \"\(model.encoder.features[at].name)\" that the model was not fitted to: \(shown)"
      if model.encoder.unseen == .error { throw Diagnostic(message, at: .input(port: "customers"), hint: "fit again, or with another \"unseen\"") }
      context.warn(Diagnostic(message, severity: .warning))
    }
  }
}
