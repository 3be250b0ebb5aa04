import Charts
import Columns
import Diagnostics
import Expressions
import Pipelines
import Synchronization

/// Pictures of tables: PNG and SVG files, and a document of all of them that a report embeds.
///
///     "pictures": { "stage": "visualize", "from": { "value": "value" }, "with": { "charts": {
///       "cltv_distribution": { "chart": "histogram", "table": "value", "x": "clv", "clip": 0.98 } } } }
public struct Visualize: Stage {
  public static let contract = Contract(
    "visualize", "charts of tables as PNG, SVG and interactive HTML: histogram, bar, grouped-bar, scatter, line, heat-map, box, pareto, lorenz, correlation, dendrogram, matrix, retention, trend, calibration, treemap, flow, cluster-count",
    inputs: [.table("tables", .many, help: "the tables that charts name by their alias")],
    outputs: [
      .document("charts", help: "every chart with its title, words, SVG and Vega-Lite specification; what report embeds"),
      .file("pictures", .many, help: "of a chart NAME the output NAME is NAME.png, NAME-svg is NAME.svg and NAME-html is NAME.html"),
    ],
    version: 4,
    shares: ["charts": "2", "renderer": ChartRenderer.version, "expressions": TypedExpression.kernelsVersion])

  enum FileFormat: String, SettingChoice, Hashable { case png, svg, html }
  enum Look: String, SettingChoice { case light, dark }

  @Setting("the charts, each under the name of its files") var charts: Named<ChartSettings>
  @Setting("files that are written of each chart") var formats: OneOrMany<FileFormat> = [.png, .svg]
  @Setting("colours; a report shows light charts in dark colours to readers whose screens are dark") var theme = Look.light

  public init() {}

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    let tables = inputs.many("tables").map { (alias: $0.alias, type: $0.value.table) }
    let plans = try plans(tables, context.parameters)
    var reads: [Binding.Read] = []
    for (alias, type) in tables {
      let columns = plans.filter { $0.alias == alias }.flatMap(\.columns)
      reads.append(.init(alias, type == nil ? .all : .named(columns)))
    }
    let outputs = [Binding.Output("charts", .document(about: "charts:" + plans.map(\.name).joined(separator: ",")))]
    return Binding(
      outputs: outputs + plans.flatMap { plan in files(of: plan.name).map { .init($0.output, .file(mediaType: $0.mediaType)) } },
      reads: reads)
  }

  private func plans(
    _ tables: [(alias: String, type: TableType?)], _ parameters: [String: ParameterValue]
  ) throws(Mistakes) -> [ChartPlan] {
    var check = ChartCheck(tables: tables, bindings: parameters.bindings)
    if charts.isEmpty {
      check.mistakes.all.append(Diagnostic("there are no charts to draw", at: .setting(["charts"]), expected: "at least one chart"))
    }
    for name in charts.names {
      if let mistake = Self.mistake(inName: name, among: charts.names) { check.mistakes.all.append(mistake) }
    }
    let plans = charts.compactMap { check.plan($0.name, $0.value) }
    try check.mistakes.throwing()
    return plans
  }

  /// A chart's name is the name of outputs, and with `-svg` behind it of one more.
  private static func mistake(inName name: String, among names: [String]) -> Diagnostic? {
    let place = Place.settingKey(["charts", .key(name)])
    let letters = Array(name.utf8)
    let fits = letters.first.map { (97...122).contains($0) } ?? false
      && letters.count <= 60
      && letters.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    if !fits {
      return Diagnostic(
        "\"\(name)\" cannot name a chart", at: place, expected: "a small letter, then up to 59 small letters, digits, _ or -")
    }
    if name == "charts" { return Diagnostic("\"charts\" names the document of all charts", at: place, hint: "choose another name") }
    for (ending, format) in [("-svg", "SVG"), ("-html", "HTML")] where name.hasSuffix(ending) {
      let other = String(name.dropLast(ending.count))
      if names.contains(other) {
        return Diagnostic("\"\(name)\" is also the \(format) of chart \"\(other)\"", at: place, hint: "choose another name")
      }
    }
    return nil
  }

  private func files(of name: String) -> [(output: String, format: FileFormat, file: String, mediaType: String)] {
    formats.items.unique.map { format in
      switch format {
      case .png: (name, format, name + ".png", "image/png")
      case .svg: (name + "-svg", format, name + ".svg", "image/svg+xml")
      case .html: (name + "-html", format, name + ".html", "text/html")
      }
    }
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    try run(inputs, context, ChartRenderer())
  }

  func run(_ inputs: Inputs<Artifact>, _ context: any RunContext, _ renderer: ChartRenderer) throws -> Metrics {
    let tables = inputs.many("tables").compactMap { alias, artifact -> (alias: String, table: TableArtifact)? in
      if case .table(let table) = artifact { (alias, table) } else { nil }
    }
    let plans = try plans(tables.map { ($0.alias, $0.table.type) }, context.parameters)
    let table = { @Sendable (plan: ChartPlan) -> TableArtifact in
      guard let table = tables.first(where: { $0.alias == plan.alias })?.table else {
        preconditionFailure("a chart was planned for a table that is not there")
      }
      return table
    }
    var wanted: ChartRenderer.Formats = .svg
    if formats.contains(.png) { wanted.insert(.png) }
    if formats.contains(.html) { wanted.insert(.html) }
    let (asked, colours) = (wanted, theme == .dark ? Theme.dark : .light)
    // What takes longest begins first: charts of the most rows.
    let order = plans.indices.sorted { (-table(plans[$0]).rows, $0) < (-table(plans[$1]).rows, $1) }
    let made = Mutex<[(chart: any Chart, spec: Spec)?]>(Array(repeating: nil, count: plans.count))
    let pictures = try renderer.render(count: plans.count, processes: min(2, context.width)) {
      try context.checkCancellation()
    } making: { put in
      // The renderer is at work besides: a thread less, and the columns of fewer charts in memory.
      try performConcurrently(order.count, width: context.width - 1) {
        let (at, plan) = (order[$0], plans[order[$0]])
        let chart = try plan.chart(table(plan), context)
        let spec = chart.spec(colours)
        made.withLock { $0[at] = (chart, spec) }
        put(at, .init(plan.name, spec, asked))
      }
    }
    let charts = made.withLock { $0.compactMap(\.self) }

    var described: [JSONValue] = []
    for (at, plan) in plans.enumerated() {
      described.append([
        "name": .string(plan.name), "title": .string(charts[at].chart.frame.title), "alt": .string(charts[at].chart.alternative),
        "notes": .array(charts[at].chart.notes.map(JSONValue.string)), "svg": .string(pictures[at].svg), "spec": JSONValue(charts[at].spec),
      ])
      for file in files(of: plan.name) {
        let bytes =
          switch file.format {
          case .png: pictures[at].png
          case .svg: Array(pictures[at].svg.utf8)
          case .html: Array(pictures[at].html.utf8)
          }
        try context.writeFile(file.output, name: file.file, mediaType: file.mediaType, bytes)
      }
    }
    try context.writeDocument("charts", ["charts": .array(described)])
    var metrics = Metrics()
    metrics["charts"] = .integer(plans.count)
    return metrics
  }
}

extension JSONValue {
  /// A specification as a document holds it.
  init(_ spec: Spec) {
    switch spec {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .double(value)
    case .string(let text): self = .string(text)
    case .array(let items): self = .array(items.map(JSONValue.init))
    case .object(let fields): self = .object(fields.map { JSONMember($0.0, JSONValue($0.1)) })
    }
  }
}
