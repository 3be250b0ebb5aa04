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
    if let cards = section.cards { blocks += try SegmentCards(cards, of: table(cards.alias)).blocks(context) }
    if pictures.count == 1 { blocks.append(.picture(pictures[0])) } else if !pictures.isEmpty { blocks.append(.pictures(pictures)) }
    if let rows = section.rows { blocks.append(.table(try TopRows(rows, of: table(rows.alias)).table(context))) }
    if !section.quality.isEmpty { blocks += try quality(section.quality) }
    blocks += documents(section.documents.map { alias in (alias, inputs.first { $0.alias == alias }?.value) })
    return Section(section.title, blocks)
  }

  /// What every step kept, and the reasons of what it did not keep, the most frequent first.
  private func quality(_ steps: [ReportPlan.Quality]) throws -> [Block] {
    var rows: [[Charts.Table.Cell]] = [], reasons: [[Charts.Table.Cell]] = []
    for step in steps {
      let (kept, removed) = (table(step.kept).rows, table(step.quarantine))
      let all = kept + removed.rows
      rows.append([
        .text(step.label), .number(Double(kept)), .number(Double(removed.rows)), all > 0 ? .number(Double(removed.rows) / Double(all)) : .missing,
      ])
      if removed.rows == 0 { continue }
      let count = Expression(.aggregate(.count, nil, distinct: false))
      let groups = try Relation.aggregate(.scan("rows"), by: step.reasons.map { .init($0, Expression(.column($0))) }, [.init(" rows", count)])
        .rows(["rows": RowStream(removed, columns: step.reasons)], context).whole(context)
      let counts = groups[" rows"].doubles()
      let order = counts.indices.sorted { counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1 }
      for at in order.prefix(Self.mostReasons) {
        let why = step.reasons.map { groups[$0].value(at: at).label }.unique.joined(separator: ": ")
        reasons.append([.text(step.label), .text(why), .number(counts[at])])
      }
      if order.count > Self.mostReasons {
        let rest = order.dropFirst(Self.mostReasons)
        reasons.append([.text(step.label), .text("\(rest.count) other reasons"), .number(rest.reduce(0) { $0 + counts[$1] })])
      }
    }
    var blocks: [Block] = [
      .table(
        Charts.Table(
          caption: "Rows kept and put into quarantine",
          columns: [.text("step"), .number("kept", .integer), .number("quarantined", .integer), .number("share quarantined", .percent)], rows: rows))
    ]
    if reasons.isEmpty {
      blocks.append(.paragraph("Nothing is in quarantine."))
    } else {
      blocks.append(
        .table(Charts.Table(caption: "Why rows are in quarantine", columns: [.text("step"), .text("reason"), .number("rows", .integer)], rows: reasons)))
    }
    return blocks
  }

  private static let mostReasons = 12

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
