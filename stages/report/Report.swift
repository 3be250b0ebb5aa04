import Charts
import Columns
import Diagnostics
import Expressions
import Pipelines

/// One page of HTML that needs no network, from its inputs alone: figures, pictures, tables, models.
///
///     "page": { "stage": "report", "from": { "value": "value", "pictures": "pictures" }, "with": {
///       "figures": [{ "label": "customers", "table": "value", "value": "count(*)" }],
///       "sections": [{ "title": "Value", "charts": ["cltv_distribution"] }] } }
public struct Report: Stage {
  public static let contract = Contract(
    "report", "one self-contained HTML page: figures, pictures, tables, models",
    inputs: [Port("inputs", .any, .many, help: "tables and documents, which figures and sections name by their alias")],
    outputs: [.file("page", help: "report.html")], version: 4,
    shares: ["charts": "2", "expressions": TypedExpression.kernelsVersion])

  @Setting("title of the page") var title = "Report"
  @Setting("a line under the title") var subtitle: String?
  @Setting("numbers at the top") var figures: [FigureSettings] = []
  @Setting("what the page shows; default every chart, every document and the first rows of every table") var sections: [SectionSettings]?

  public init() {}

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    let plan = try ReportPlan(self, inputs.many("inputs"), context.parameters)
    return Binding(outputs: [.init("page", .file(mediaType: "text/html"))], reads: plan.reads)
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let all = inputs.many("inputs")
    let types = all.map { alias, artifact -> (alias: String, value: ArtifactType) in
      switch artifact {
      case .table(let table): (alias, .table(table.type))
      // What a document is about is only needed for checks, which have been made.
      case .document: (alias, .document(about: ""))
      case .file(let file): (alias, .file(mediaType: file.mediaType))
      }
    }
    let plan = try ReportPlan(self, types, context.parameters)
    var writer = ReportWriter(plan: plan, inputs: all, context: context)
    let page = try writer.page(title: title, subtitle: subtitle)
    try context.writeFile("page", name: "report.html", mediaType: "text/html", Array(page.html().utf8))
    var metrics = Metrics()
    metrics["figures"] = .array(zip(plan.figures, writer.figures).map { ["label": .string($0.label), "value": .string($1)] })
    metrics["sections"] = .integer(page.sections.count)
    return metrics
  }
}
