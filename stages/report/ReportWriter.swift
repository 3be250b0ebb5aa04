import Charts
import Columns
import Diagnostics
import Expressions
import Pipelines

/// Reads the inputs and puts the page together.
struct ReportWriter {
  let plan: ReportPlan
  let inputs: [(alias: String, value: Artifact)]
  let context: any RunContext
  /// The headline figures as shown.
  private(set) var figures: [String] = []
  private let charts: [(name: String, figure: Charts.Figure)]

  init(plan: ReportPlan, inputs: [(alias: String, value: Artifact)], context: any RunContext) {
    self.plan = plan
    self.inputs = inputs
    self.context = context
    charts = inputs.flatMap { _, artifact in
      if case .document(let document) = artifact { Self.charts(document) } else { [(name: String, figure: Charts.Figure)]() }
    }
  }

  private static func charts(_ document: JSONValue) -> [(name: String, figure: Charts.Figure)] {
    (document["charts"]?.array ?? []).compactMap { chart in
      guard let name = chart["name"]?.string, let svg = chart["svg"]?.string else { return nil }
      return (name, Charts.Figure(svg: svg, alternative: chart["alt"]?.string ?? chart["title"]?.string ?? name))
    }
  }

  mutating func page(title: String, subtitle: String?) throws -> Page {
    let headlines = try headlines()
    figures = headlines.map(\.value)
    let sections = try plan.sections?.map(section) ?? ownSections()
    return Page(
      title: title, subtitle: subtitle, headlines: headlines, sections: sections,
      footer: ["Made by Millrace from \(inputs.map(\.alias).joined(separator: ", "))."])
  }

  private func table(_ alias: String) -> TableArtifact {
    guard case .table(let table)? = inputs.first(where: { $0.alias == alias })?.value else {
      preconditionFailure("a report was planned with a table \"\(alias)\" that is not there")
    }
    return table
  }

  // MARK: Figures

  /// Every table is read once for all its figures.
  private func headlines() throws -> [Headline] {
    var values: [String: Column] = [:]
    for alias in plan.figures.map(\.alias).unique {
      let wanted = plan.figures.enumerated().filter { $0.element.alias == alias }
      let table = table(alias)
      let columns = wanted.flatMap(\.element.columns).unique
      // Counting rows needs none of them.
      let rows = columns.isEmpty
        ? RowStream(Batch(schema: Schema([]), columns: [], count: table.rows)) : RowStream(table, columns: columns)
      let total = try Relation.aggregate(.scan(alias), by: [], wanted.map { .init("figure \($0.offset)", $0.element.value) })
        .rows([alias: rows], context).whole(context)
      for figure in wanted { values["figure \(figure.offset)"] = total["figure \(figure.offset)"] }
    }
    return plan.figures.enumerated().map { at, figure in
      guard let column = values["figure \(at)"] else { preconditionFailure("a figure of a report was not computed") }
      let text = column.type.isNumeric
        ? (figure.format ?? (column.type == .int64 ? .integer : .plain)).text(column.doubles()[0])
        : column.isNull(0) ? "–" : column.value(at: 0).label
      return Headline(figure.label, text, note: figure.note)
    }
  }

  // MARK: Sections

  private func section(_ section: ReportPlan.Section) throws -> Section {
    var blocks: [Block] = []
    if let text = section.text { blocks.append(.paragraph(text)) }
    let pictures = try section.charts.map { name in
      guard let chart = charts.first(where: { $0.name == name }) else {
        throw Diagnostic(
          "no input holds a chart \"\(name)\"", at: .setting(["sections"]), hint: hint(forUnknown: name, among: charts.map(\.name)))
      }
      return chart.figure
    }
    if pictures.count == 1 { blocks.append(.picture(pictures[0])) } else if !pictures.isEmpty { blocks.append(.pictures(pictures)) }
    if let rows = section.rows { blocks.append(.table(try TopRows(rows, of: table(rows.alias)).table(context))) }
    blocks += documents(section.documents.map { alias in (alias, inputs.first { $0.alias == alias }?.value) })
    return Section(section.title, blocks)
  }

  private func ownSections() throws -> [Section] {
    var sections: [Section] = []
    if !charts.isEmpty { sections.append(Section("Charts", [.pictures(charts.map(\.figure))])) }
    let others = inputs.filter { _, artifact in
      if case .document(let document) = artifact { Self.charts(document).isEmpty } else { false }
    }
    let blocks = documents(others.map { ($0.alias, $0.value) })
    if !blocks.isEmpty { sections.append(Section(others.count == 1 ? words(of: others[0].alias) : "Documents", blocks)) }
    for (alias, artifact) in inputs {
      guard case .table(let table) = artifact else { continue }
      let rows = ReportPlan.Rows(alias: alias, columns: nil, sort: nil, descending: false, count: 20, formats: [])
      sections.append(Section(words(of: alias), [.table(try TopRows(rows, of: table).table(context))]))
    }
    return sections
  }

  private func documents(_ all: [(alias: String, artifact: Artifact?)]) -> [Block] {
    var cards: [Card] = [], models = 0
    for (alias, artifact) in all {
      guard case .document(let document)? = artifact else { continue }
      let charts = Self.charts(document)
      if charts.isEmpty {
        let document = DocumentCard(document, alias: alias)
        cards.append(document.card)
        models += document.isModel ? 1 : 0
      } else {
        cards.append(Card(words(of: alias), [.pictures(charts.map(\.figure))]))
      }
    }
    // One document has the whole width; a model's name is told in any case.
    return cards.count == 1 && models == 0 ? cards[0].blocks : cards.isEmpty ? [] : [.cards(cards)]
  }
}
