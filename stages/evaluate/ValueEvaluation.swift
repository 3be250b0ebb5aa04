import Columns
import Diagnostics
import Models
import Pipelines

/// Predicted values beside the actual ones in one table.
struct ValueEvaluation {
  let value: String, actual: String
  /// Bounds of the value, where the table has them.
  let low: String, high: String

  func bind(_ inputs: Inputs<ArtifactType>) throws(Mistakes) -> Binding {
    let unread = ["transactions", "purchases"].filter { inputs[$0] != nil }.map { (port: String) in
      Diagnostic("\"\(port)\" means nothing without a hold-out", at: .input(port: port), expected: "\"holdout\" beside it")
    }
    if !unread.isEmpty { throw Mistakes(unread) }
    var bounds: [String] = []
    if let schema = inputs.schema("predicted") {
      bounds = IntervalCoverage.columns(low, high, in: schema)
      let standard = Evaluate()
      var missing = [
        schema.mistake(readingNumbers: value, of: "predicted", at: value == standard.value ? .input(port: "predicted") : .setting(["value"])),
        schema.mistake(readingNumbers: actual, of: "predicted", at: actual == standard.actual ? .input(port: "predicted") : .setting(["actual"])),
      ].compactMap(\.self)
      if missing.count == 2 { missing[1].hint = "connect \"holdout\", or name the columns as \"value\" and \"actual\"" }
      if value == actual { missing.append(Diagnostic("\"value\" and \"actual\" are one column, \"\(value)\"", at: .setting(["value"]), expected: "two columns")) }
      missing += bounds.compactMap { schema.mistake(readingNumbers: $0, of: "predicted", at: .input(port: "predicted")) }
      if !missing.isEmpty { throw Mistakes(missing) }
    }
    return Binding(
      outputs: [
        .init("metrics", .document(about: "evaluation")),
        .init("by_decile", .table(TableType(HoldoutTables.decileSchema, order: .key(["decile"])))),
      ], reads: [.init("predicted", .named([value, actual] + bounds))])
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table("predicted")
    let bounds = IntervalCoverage.columns(low, high, in: table.schema)
    let batch = try table.wholeBatch(([value, actual] + bounds).unique)
    let (all, truth) = (batch[value].doubles(), batch[actual].doubles())
    let rows = all.indices.filter { all[$0].isFinite && truth[$0].isFinite }
    if rows.isEmpty {
      throw Diagnostic("nothing can be evaluated: no row has a prediction and an actual number", at: .input(port: "predicted"))
    }
    if rows.count < all.count {
      context.warn(
        Diagnostic("\(all.count - rows.count) of \(all.count) rows were left out: a prediction or an actual number is missing", severity: .warning))
    }
    let (guess, happened) = (rows.map { all[$0] }, rows.map { truth[$0] })
    let errors = RegressionErrors(predicted: guess, actual: happened)
    let members = Evaluate.members(errors.metrics) + [JSONMember("r2", .double(errors.r2))]
    var told = [
      JSONMember("customers", .integer(rows.count)), JSONMember("left_out", .integer(all.count - rows.count)), JSONMember("value", .object(members)),
    ]
    if bounds.count == 2 {
      let (least, most) = (batch[low].doubles(), batch[high].doubles())
      told.append(JSONMember("value_interval", IntervalCoverage(low: rows.map { least[$0] }, high: rows.map { most[$0] }, actual: happened).json))
    }
    try context.writeDocument("metrics", .object(told))
    try context.writeTable("by_decile", HoldoutTables.byDecile(guess, happened))
    var metrics = Metrics()
    metrics["customers"] = .integer(rows.count)
    metrics["left_out"] = .integer(all.count - rows.count)
    for member in members { metrics[member.key] = member.value }
    return metrics
  }
}
