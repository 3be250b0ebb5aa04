import Columns
import Diagnostics
import Models
import Pipelines

/// Predicted values beside the actual ones in one table.
struct ValueEvaluation {
  let value: String, actual: String

  func bind(_ inputs: Inputs<ArtifactType>) throws(Mistakes) -> Binding {
    let unread = ["transactions", "purchases"].filter { inputs[$0] != nil }.map { (port: String) in
      Diagnostic("\"\(port)\" means nothing without a hold-out", at: .input(port: port), expected: "\"holdout\" beside it")
    }
    if !unread.isEmpty { throw Mistakes(unread) }
    if let schema = inputs.schema("predicted") {
      let standard = Evaluate()
      var missing = [
        schema.mistake(readingNumbers: value, of: "predicted", at: value == standard.value ? .input(port: "predicted") : .setting(["value"])),
        schema.mistake(readingNumbers: actual, of: "predicted", at: actual == standard.actual ? .input(port: "predicted") : .setting(["actual"])),
      ].compactMap(\.self)
      if missing.count == 2 { missing[1].hint = "connect \"holdout\", or name the columns as \"value\" and \"actual\"" }
      if value == actual { missing.append(Diagnostic("\"value\" and \"actual\" are one column, \"\(value)\"", at: .setting(["value"]), expected: "two columns")) }
      if !missing.isEmpty { throw Mistakes(missing) }
    }
    return Binding(
      outputs: [
        .init("metrics", .document(about: "evaluation")),
        .init("by_decile", .table(TableType(HoldoutTables.decileSchema, order: .key(["decile"])))),
      ], reads: [.init("predicted", .named([value, actual]))])
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table("predicted")
    let batch = try table.wholeBatch([value, actual])
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
    try context.writeDocument(
      "metrics",
      ["customers": .integer(rows.count), "left_out": .integer(all.count - rows.count), "value": .object(members)])
    try context.writeTable("by_decile", HoldoutTables.byDecile(guess, happened))
    var metrics = Metrics()
    metrics["customers"] = .integer(rows.count)
    metrics["left_out"] = .integer(all.count - rows.count)
    for member in members { metrics[member.key] = member.value }
    return metrics
  }
}
