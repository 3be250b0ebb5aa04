import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// Fits a lifetime model to a table of customers by maximum likelihood.
///
/// A search that stops before the maximum gives its result with `"converged": false` and a warning; data that cannot say
/// anything about the parameters (no customers, nobody who bought again) are an error.
public struct Fit: Stage {
  public static let contract = Contract(
    "fit", "a lifetime model (BG/NBD, MBG/NBD, Gamma-Gamma) fitted to customers by maximum likelihood",
    inputs: [.table("customers", help: "one row a customer, as rfm makes them")],
    outputs: [.document("model", help: "parameters with their errors, log-likelihood, and how the search ended")],
    version: 1, shares: ["models": "1", "statistics": "1"])

  @Setting("bg-nbd and mbg-nbd for purchases and dropout, gamma-gamma for spend") var model: FittedModel.Kind
  @Setting("what the customers' times are measured in; default what the stage before says") var unit: Duration.Unit?
  @Setting("columns of the customers") var columns = PurchaseColumns()

  public init() {}

  /// The columns that the model reads.
  private var roles: [PurchaseColumns.Role] {
    switch model {
    case .bgNBD, .mbgNBD: [.frequency, .recency, .age]
    case .gammaGamma: [.frequency, .monetary]
    }
  }

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    var binding = Binding(
      outputs: [.init("model", .document(about: model.about))],
      reads: [.init("customers", .named(roles.map { columns[$0] }))])
    guard let type = inputs["customers"]?.table else { return binding }
    var mistakes = columns.mistakes(reading: roles, in: type.schema, of: "customers")
    switch (unit, type.timeUnit) {
    case (nil, nil) where model.knowsTime:
      mistakes.append(
        Diagnostic(
          "the unit of the customers' times is not known", at: .setting(["unit"]),
          expected: "\"unit\": \"day\", \"week\" or another unit of time",
          hint: "only a table that comes straight from rfm says its unit"))
    case (let unit?, let told?) where unit != told && model.knowsTime:
      binding.warnings.append(
        Diagnostic(
          "the customers' times are taken as \(unit.rawValue)s, but the stage before measured them in \(told.rawValue)s",
          at: .setting(["unit"]), severity: .warning))
    default: break
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return binding
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let table = inputs.table("customers")
    if table.rows == 0 { throw Diagnostic("no model can be fitted: there are no customers", at: .input(port: "customers")) }
    let customers = try table.wholeBatch(roles.map { columns[$0] })
    try context.checkCancellation()
    let fitted: ModelDocument
    do {
      switch model {
      case .bgNBD, .mbgNBD:
        guard let unit = unit ?? table.type.timeUnit else {
          throw Diagnostic("the unit of the customers' times is not known", at: .setting(["unit"]))
        }
        fitted = try FixedChunks.bounded(by: { context.width }) { try purchases(customers, unit) }
      case .gammaGamma: fitted = try FixedChunks.bounded(by: { context.width }) { try spend(customers) }
      }
    } catch let error as FitError {
      throw Diagnostic("\(error.what): \(error.why)", at: .input(port: "customers"), hint: error.remedy)
    }
    guard fitted.isUsable else {
      throw Diagnostic(
        "the \(model.rawValue) model cannot be fitted: its likelihood is not a number where the search ended",
        at: .input(port: "customers"), hint: "look for extreme values in the columns it reads")
    }
    for sentence in fitted.diagnoses { context.warn(Diagnostic("\(model.rawValue): \(sentence)", severity: .warning)) }
    for (reason, count) in fitted.leftOut where reason == ModelDocument.missing && count > 0 {
      context.warn(Diagnostic("\(count) customer\(count == 1 ? " was" : "s were") left out of the fit: \(reason)", severity: .warning))
    }
    try context.writeDocument("model", fitted.document)
    return fitted.metrics
  }

  private func purchases(_ customers: Batch, _ unit: Duration.Unit) throws -> ModelDocument {
    let cells = [PurchaseColumns.Role.frequency, .recency, .age].map { customers[columns[$0]].doubles() }
    let (kept, left) = complete(cells)
    let summary = PurchaseSummary(x: kept[0], tx: kept[1], T: kept[2])
    if summary.count == 0 { throw allLeftOut(left) }
    let fit = try model == .mbgNBD ? MBGNBD.fit(summary) : BGNBD.fit(summary)
    return ModelDocument(fit, model, unit, leftOut: [(ModelDocument.missing, left)])
  }

  private func spend(_ customers: Batch) throws -> ModelDocument {
    let cells = [PurchaseColumns.Role.frequency, .monetary].map { customers[columns[$0]].doubles() }
    let (kept, left) = complete(cells)
    if kept[0].isEmpty { throw allLeftOut(left) }
    return ModelDocument(try GammaGamma.fit(x: kept[0], m: kept[1]), leftOut: [(ModelDocument.missing, left)])
  }

  private func allLeftOut(_ count: Int) -> Diagnostic {
    Diagnostic(
      "no model can be fitted: all \(count) customers lack a value of \(roles.map { "\"\(columns[$0])\"" }.joined(separator: ", "))",
      at: .input(port: "customers"))
  }

  /// The rows in which every cell is a finite number, and how many are not so.
  private func complete(_ cells: [[Double]]) -> (kept: [[Double]], left: Int) {
    let rows = cells[0].indices.filter { row in cells.allSatisfy { $0[row].isFinite } }
    let left = cells[0].count - rows.count
    return left == 0 ? (cells, 0) : (cells.map { column in rows.map { column[$0] } }, left)
  }
}
