import Charts
import Columns
import Diagnostics
import Expressions
import Pipelines

/// What the page shows, checked against its inputs: what it reads of each, and every reason why it cannot be made.
struct ReportPlan {
  struct Figure {
    let label: String, note: String?
    let alias: String
    let value: Expression
    let columns: [String]
    let format: NumberFormat?
  }

  struct Rows {
    let alias: String
    /// Nil: all.
    let columns: [String]?
    let sort: String?
    let descending: Bool
    let count: Int
    let formats: [(column: String, format: NumberFormat)]
  }

  struct Quality {
    let label: String
    let kept: String, quarantine: String
    /// Those of rule and reason that the quarantine has.
    let reasons: [String]
  }

  struct Section {
    let title: String, text: String?
    let charts: [String]
    let cards: Rows?
    let quality: [Quality]
    let rows: Rows?
    let documents: [String]
  }

  private(set) var figures: [Figure] = []
  /// Nil: the page lays itself out.
  private(set) var sections: [Section]?
  private(set) var reads: [Binding.Read] = []

  init(_ report: Report, _ inputs: [(alias: String, value: ArtifactType)], _ parameters: [String: ParameterValue]) throws(Mistakes) {
    var check = Check(inputs: inputs, bindings: parameters.bindings)
    for (alias, type) in inputs {
      guard case .file = type else { continue }
      check.mistakes.all.append(
        Diagnostic(
          "input \"\(alias)\" is a file; a report shows tables and documents", at: .input(port: alias),
          hint: "connect the stage itself for its main output, as the charts of visualize"))
    }
    for (at, settings) in report.figures.enumerated() {
      if let figure = check.figure(settings, ["figures", .index(at)]) { figures.append(figure) }
    }
    if let written = report.sections {
      sections = written.enumerated().map { check.section($1, ["sections", .index($0)]) }
    }
    try check.mistakes.throwing()
    reads = inputs.map { alias, type in .init(alias, columns(of: alias, type)) }
  }

  private func columns(of alias: String, _ type: ArtifactType) -> Binding.Read.Columns {
    guard type.table != nil, let sections else { return .all }
    var names = figures.filter { $0.alias == alias }.flatMap(\.columns)
    if sections.contains(where: { $0.cards?.alias == alias }) { return .all }
    for quality in sections.flatMap(\.quality) where quality.quarantine == alias { names += quality.reasons }
    for rows in sections.compactMap(\.rows) where rows.alias == alias {
      guard let columns = rows.columns else { return .all }
      names += columns + [rows.sort].compactMap(\.self)
    }
    return .named(names)
  }

  private struct Check {
    let inputs: [(alias: String, value: ArtifactType)]
    let bindings: Expression.Bindings
    var mistakes = SettingMistakes()

    private mutating func input(_ alias: String, _ what: String, at path: [PathStep]) -> ArtifactType? {
      if let input = inputs.first(where: { $0.alias == alias }) { return input.value }
      mistakes.all.append(
        Diagnostic(
          "no input is called \"\(alias)\"", at: .setting(path),
          hint: hint(forUnknown: alias, among: inputs.map(\.alias)) ?? "connect the \(what) under \"from\""))
      return nil
    }

    private mutating func table(_ alias: String, at path: [PathStep]) -> Schema? {
      guard let type = input(alias, "table", at: path) else { return nil }
      if type.carries == .table || type.carries == nil { return type.table?.schema }
      mistakes.all.append(Diagnostic("input \"\(alias)\" is no table", at: .setting(path), expected: "a table", found: "a document"))
      return nil
    }

    mutating func figure(_ settings: FigureSettings, _ path: [PathStep]) -> Figure? {
      let format = NumberFormat.read(settings.format, at: .setting(path + ["format"]), &mistakes.all)
      let schema = table(settings.table, at: path + ["table"])
      let bindings = bindings
      let value = mistakes.catching(path + ["value"]) { () throws(Mistakes) in try Expression.parse(settings.value.text, bindings: bindings) }
      guard let value else { return nil }
      var columns: [String] = []
      if let schema {
        let typed = mistakes.catching(path + ["value"]) { () throws(Mistakes) in try AggregateExpression(value).check(schema) }
        guard let typed else { return nil }
        columns = typed.columnsRead
        if format != nil && !typed.type.isNumeric {
          mistakes.all.append(
            Diagnostic("only numbers have a format", at: .setting(path + ["format"]), expected: "a number as \"value\"", found: "\(typed.type)"))
        }
      }
      return Figure(label: settings.label, note: settings.note, alias: settings.table, value: value, columns: columns, format: format)
    }

    mutating func section(_ settings: SectionSettings, _ path: [PathStep]) -> Section {
      for (at, name) in settings.charts.enumerated() { chart(name, at: path + ["charts", .index(at)]) }
      for (at, alias) in settings.documents.enumerated() {
        let place = path + ["documents", .index(at)]
        guard let type = input(alias, "document", at: place), type.carries == .table else { continue }
        mistakes.all.append(
          Diagnostic(
            "input \"\(alias)\" is no document", at: .setting(place), expected: "a document", found: "a table",
            hint: "show its rows with \"table\": \"\(alias)\""))
      }
      return Section(
        title: settings.title, text: settings.text, charts: settings.charts.items, cards: cards(settings, path),
        quality: settings.quality.enumerated().map { quality($1, path + ["quality", .index($0)]) }, rows: rows(settings, path),
        documents: settings.documents.items)
    }

    private mutating func cards(_ settings: SectionSettings, _ path: [PathStep]) -> Rows? {
      guard let alias = settings.cards else { return nil }
      if let schema = table(alias, at: path + ["cards"]) {
        let type = mistakes.type(of: "segment_label", in: schema, at: path + ["cards"])
        if let type, type != .string {
          mistakes.all.append(
            Diagnostic("the cards have no names", at: .setting(path + ["cards"]), expected: "text in \"segment_label\"", found: "\(type)"))
        }
        // Formats are those of the section; a table beside it checks them against its own columns.
        if settings.table == nil { for name in settings.formats.names { _ = mistakes.type(of: name, in: schema, at: path + ["formats", .key(name)]) } }
      }
      return Rows(
        alias: alias, columns: nil, sort: nil, descending: false, count: 200, formats: formats(settings, path))
    }

    private mutating func formats(_ settings: SectionSettings, _ path: [PathStep]) -> [(column: String, format: NumberFormat)] {
      settings.formats.compactMap { entry in
        NumberFormat.read(entry.value, at: .setting(path + ["formats", .key(entry.name)]), &mistakes.all).map { (entry.name, $0) }
      }
    }

    private mutating func quality(_ settings: QualitySettings, _ path: [PathStep]) -> Quality {
      _ = table(settings.kept, at: path + ["kept"])
      let schema = table(settings.quarantine, at: path + ["quarantine"])
      let reasons = schema.map { schema in ["rule", "reason"].filter { schema.type(of: $0) == .string } } ?? []
      if schema != nil, reasons.isEmpty {
        mistakes.all.append(
          Diagnostic(
            "table \"\(settings.quarantine)\" does not say why its rows are there", at: .setting(path + ["quarantine"]),
            expected: "a column \"rule\" or \"reason\"", hint: "connect the output \"quarantine\" of a stage"))
      }
      return Quality(label: settings.label, kept: settings.kept, quarantine: settings.quarantine, reasons: reasons)
    }

    private mutating func rows(_ settings: SectionSettings, _ path: [PathStep]) -> Rows? {
      guard let alias = settings.table else {
        for (name, isGiven) in [
          ("columns", !settings.columns.isEmpty), ("sort", settings.sort != nil), ("formats", !settings.formats.isEmpty && settings.cards == nil),
        ] where isGiven {
          mistakes.all.append(
            Diagnostic("\"\(name)\" is about a table, and the section names none", at: .settingKey(path + [.key(name)]), hint: "add \"table\""))
        }
        return nil
      }
      let schema = table(alias, at: path + ["table"])
      if let schema {
        for (at, name) in settings.columns.enumerated() { _ = mistakes.type(of: name, in: schema, at: path + ["columns", .index(at)]) }
        if let sort = settings.sort { _ = mistakes.type(of: sort, in: schema, at: path + ["sort"]) }
      }
      var formats: [(column: String, format: NumberFormat)] = []
      for (name, text) in settings.formats.map({ ($0.name, $0.value) }) {
        let place = path + ["formats", .key(name)]
        if let format = NumberFormat.read(text, at: .setting(place), &mistakes.all) { formats.append((name, format)) }
        guard let schema, let type = mistakes.type(of: name, in: schema, at: place), !type.isNumeric else { continue }
        mistakes.all.append(
          Diagnostic("only numbers have a format", at: .setting(place), expected: "a column of numbers", found: "\(type)"))
      }
      return Rows(
        alias: alias, columns: settings.columns.isEmpty ? nil : settings.columns.unique, sort: settings.sort,
        descending: settings.descending, count: settings.rows, formats: formats)
    }

    /// Charts are known by the type of the documents that hold them: `charts:a,b`.
    private mutating func chart(_ name: String, at path: [PathStep]) {
      var known: [String] = []
      for input in inputs {
        switch input.value {
        case .document(about: ""), .open: return
        case .document(let about) where about.hasPrefix("charts:"):
          known += about.dropFirst("charts:".count).split(separator: ",").map(String.init)
        case .table, .document, .file: break
        }
      }
      guard !known.contains(name) else { return }
      mistakes.all.append(
        Diagnostic(
          "no input holds a chart \"\(name)\"", at: .setting(path),
          hint: known.isEmpty ? "connect the stage that draws it under \"from\"" : hint(forUnknown: name, among: known)))
    }
  }
}
