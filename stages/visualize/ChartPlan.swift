import Charts
import Columns
import Diagnostics
import Expressions
import Pipelines

/// One chart whose settings fit the columns of its table.
struct ChartPlan: Sendable {
  let name: String
  let alias: String
  let settings: ChartSettings
  /// Nil while the table's columns are not known.
  let type: TableType?
  let value: Expression?
  /// Sorted out of the settings; nil is for the chart to choose.
  let xFormat: NumberFormat?, yFormat: NumberFormat?, valueFormat: NumberFormat?
  /// What it reads, in order of first mention.
  let columns: [String]
  /// Only for kinds that need one.
  var x: String {
    guard let x = settings.x else { preconditionFailure("a \(settings.chart.rawValue) was planned without its x") }
    return x
  }
  /// The columns of a table of merges.
  static let merges = ["left", "right", "height", "customers"]
  /// The columns of a table of choices that are drawn.
  static let choices = ["k", "inertia", "silhouette", "silhouette_low", "silhouette_high", "chosen"]

  /// What a row is: the table's only key, else a row.
  var noun: String {
    if let noun = settings.noun { return noun }
    if case .key(let names)? = type?.order, names.count == 1 { return words(of: names[0]) }
    return type?.timeUnit == nil ? "row" : "customer"
  }
}

/// Checks charts one after the other and keeps every mistake.
struct ChartCheck {
  /// Tables by alias; nil where the columns are still open.
  let tables: [(alias: String, type: TableType?)]
  let bindings: Expression.Bindings
  var mistakes = SettingMistakes()

  mutating func plan(_ name: String, _ settings: ChartSettings) -> ChartPlan? {
    let before = mistakes.all.count
    let path: [PathStep] = ["charts", .key(name)]
    for given in settings.given where !settings.chart.knows.contains(given) {
      mistakes.all.append(
        Diagnostic(
          "a \(settings.chart.rawValue) takes no \"\(given)\"", at: .settingKey(path + [.key(given)]),
          hint: "taken by " + ChartKind.allCases.filter { $0.knows.contains(given) }.map(\.rawValue).joined(separator: ", ")))
    }
    func format(_ text: String?, _ setting: String) -> NumberFormat? {
      NumberFormat.read(text, at: .setting(path + [.key(setting)]), &mistakes.all)
    }
    let formats = (format(settings.xFormat, "xFormat"), format(settings.yFormat, "yFormat"), format(settings.valueFormat, "valueFormat"))
    checkShape(settings, path)
    let value = settings.value.flatMap { text in
      mistakes.catching(path + ["value"]) { () throws(Mistakes) in try Expression.parse(text.text, bindings: bindings) }
    }
    guard let table = table(settings, path) else { return nil }
    var columns = ([settings.x].compactMap(\.self) + settings.y.items + [settings.colour].compactMap(\.self))
    columns += [settings.low, settings.high].compactMap(\.self)
    if settings.chart == .dendrogram { columns += ChartPlan.merges }
    if settings.chart == .clusterCount { columns += ChartPlan.choices }
    if let schema = table.type?.schema { columns += check(settings, value, schema, path) }
    guard mistakes.all.count == before else { return nil }
    return ChartPlan(
      name: name, alias: table.alias, settings: settings, type: table.type,
      value: value ?? (settings.chart == .heatMap || settings.chart == .flow ? .countOfRows : nil), xFormat: formats.0, yFormat: formats.1, valueFormat: formats.2,
      columns: columns.unique)
  }

  private mutating func table(_ settings: ChartSettings, _ path: [PathStep]) -> (alias: String, type: TableType?)? {
    guard let alias = settings.table else {
      if tables.count == 1 { return tables[0] }
      mistakes.all.append(
        Diagnostic(
          "which table is drawn has to be said", at: .setting(path + ["table"]),
          expected: "one of \(tables.map { "\"\($0.alias)\"" }.joined(separator: ", "))"))
      return nil
    }
    if let table = tables.first(where: { $0.alias == alias }) { return table }
    mistakes.all.append(
      Diagnostic(
        "no input is called \"\(alias)\"", at: .setting(path + ["table"]),
        hint: hint(forUnknown: alias, among: tables.map(\.alias)) ?? "connect it under \"from\""))
    return nil
  }

  /// Whether the kind has the values it needs, whatever the columns are.
  private mutating func checkShape(_ settings: ChartSettings, _ path: [PathStep]) {
    let kind = settings.chart
    for (at, name) in settings.y.enumerated() where settings.y.items[..<at].contains(name) {
      mistakes.all.append(Diagnostic("column \"\(name)\" is named twice", at: .setting(path + ["y", .index(at)])))
    }
    if kind == .heatMap, let x = settings.x, settings.y.contains(x) {
      mistakes.all.append(
        Diagnostic("a heat-map needs two columns", at: .setting(path + ["y"]), expected: "another column than \"x\"", found: "\"\(x)\" again"))
    }
    if kind.needsX, settings.x == nil {
      mistakes.all.append(Diagnostic("the \(kind.rawValue) has no \"x\"", at: .setting(path), expected: "a column as \"x\""))
    }
    func missing(_ expected: String) {
      mistakes.all.append(Diagnostic("the \(kind.rawValue) has no values", at: .setting(path + ["y"]), expected: expected))
    }
    func one(_ what: String) {
      guard settings.y.count > 1 else { return }
      mistakes.all.append(
        Diagnostic("a \(kind.rawValue) \(what) has one \"y\"", at: .setting(path + ["y", 1]), found: "\(settings.y.count) columns"))
    }
    switch kind {
    case .histogram, .lorenz, .dendrogram, .clusterCount: break
    case .matrix:
      one("of cells")
      if settings.y.isEmpty { missing("the column of its rows as \"y\"") }
    case .retention:
      one("of customers")
      if settings.y.isEmpty { missing("the column of the customer as \"y\"") }
    case .trend:
      if settings.value == nil {
        mistakes.all.append(
          Diagnostic("the trend has no values", at: .setting(path + ["value"]), expected: "an aggregate as \"value\"", hint: "sum(revenue)"))
      }
    case .calibration:
      one("of points")
      if settings.y.isEmpty { missing("the column of what happened as \"y\"") }
    case .flow:
      one("of bands")
      if settings.y.isEmpty { missing("the column of the groups on the right as \"y\"") }
    case .correlation:
      if settings.y.count < 2 { missing("two or more columns as \"y\"") }
    case .box:
      one("of boxes")
      if settings.y.isEmpty { missing("a column as \"y\"") }
    case .bar, .pareto, .treemap:
      one("of single values")
      if settings.y.isEmpty && settings.value == nil { missing("a column as \"y\", or an aggregate as \"value\"") }
      if !settings.y.isEmpty && settings.value != nil {
        mistakes.all.append(
          Diagnostic(
            "a \(kind.rawValue) shows a column or an aggregate, not both", at: .setting(path + ["value"]), hint: "leave out \"y\" or \"value\""))
      }
    case .scatter:
      one("of dots")
      if settings.y.isEmpty { missing("a column as \"y\"") }
    case .heatMap:
      one("of cells")
      if settings.y.isEmpty { missing("the column of its rows as \"y\"") }
    case .groupedBar, .line:
      if settings.colour != nil { one("with a \"colour\"") }
      if settings.y.isEmpty { missing("one or more columns as \"y\"") }
      if (settings.low == nil) != (settings.high == nil) {
        mistakes.all.append(
          Diagnostic(
            "a band needs both its ends", at: .setting(path + [settings.low == nil ? "low" : "high"]), expected: "columns as \"low\" and \"high\""))
      }
      if settings.low != nil, settings.y.count != 1 || settings.colour != nil || settings.cumulative {
        mistakes.all.append(
          Diagnostic("a band stands around one line", at: .setting(path + ["low"]), hint: "leave out \"colour\", \"cumulative\" and all but one \"y\""))
      }
    }
  }

  /// The columns that the aggregate reads.
  private mutating func check(_ settings: ChartSettings, _ value: Expression?, _ schema: Schema, _ path: [PathStep]) -> [String] {
    let kind = settings.chart
    func number(_ name: String, _ at: [PathStep], why: String) {
      guard let type = mistakes.type(of: name, in: schema, at: at), !type.isNumeric else { return }
      mistakes.all.append(
        Diagnostic(
          "column \"\(name)\" is not numeric", at: .setting(at), expected: why, found: "\(type)",
          hint: type == .string || type == .bool ? nil : "count by date_trunc in an aggregate stage, and draw a line"))
    }
    if let x = settings.x {
      switch kind {
      case .histogram: number(x, path + ["x"], why: "a number type, to be cut into intervals")
      case .matrix: number(x, path + ["x"], why: "a number type, to be cut into classes")
      case .scatter, .lorenz, .calibration: number(x, path + ["x"], why: "a number type")
      case .retention, .trend:
        if let type = mistakes.type(of: x, in: schema, at: path + ["x"]), !type.isTime {
          mistakes.all.append(
            Diagnostic("column \"\(x)\" is no time", at: .setting(path + ["x"]), expected: "a date or a timestamp", found: "\(type)"))
        }
      case .bar, .groupedBar, .line, .heatMap, .box, .pareto, .treemap, .flow: _ = mistakes.type(of: x, in: schema, at: path + ["x"])
      case .correlation, .dendrogram, .clusterCount: break
      }
    }
    for (name, setting) in [(settings.low, "low"), (settings.high, "high")] {
      if let name { number(name, path + [.key(setting)], why: "a number type") }
    }
    if kind == .clusterCount, let absent = ChartPlan.choices.first(where: { schema.type(of: $0) == nil }) {
      mistakes.all.append(
        Diagnostic(
          "a cluster-count is drawn of choices, and there is no column \"\(absent)\" in this table", at: .setting(path + ["table"]),
          hint: "connect the output \"choices\" of a segment with \"k\": \"auto\""))
    }
    if kind == .dendrogram, let absent = ChartPlan.merges.first(where: { schema.type(of: $0)?.isNumeric != true }) {
      mistakes.all.append(
        Diagnostic(
          "a dendrogram is drawn of merges, and there is no number \"\(absent)\" in this table", at: .setting(path + ["table"]),
          hint: "connect the output \"merges\" of a hierarchical segment"))
    }
    if settings.xLog, kind == .line, let x = settings.x, let type = schema.type(of: x), !type.isNumeric {
      mistakes.all.append(
        Diagnostic("a logarithmic axis needs numbers", at: .setting(path + ["xLog"]), expected: "a number type as \"x\"", found: "\(type)"))
    }
    for (at, name) in settings.y.enumerated() {
      let place = path + (settings.y.count == 1 ? ["y"] : ["y", .index(at)])
      if kind == .heatMap || kind == .retention || kind == .flow { _ = mistakes.type(of: name, in: schema, at: place) } else { number(name, place, why: "a number type") }
    }
    if let colour = settings.colour {
      if kind == .matrix { number(colour, path + ["colour"], why: "a number type") } else { _ = mistakes.type(of: colour, in: schema, at: path + ["colour"]) }
    }
    guard let value else { return [] }
    return mistakes.catching(path + ["value"]) { () throws(Mistakes) -> [String] in
      let typed = try AggregateExpression(value).check(schema)
      if !typed.type.isNumeric {
        throw Mistakes(Diagnostic("the value of a chart is a number", at: .setting([]), expected: "a number type", found: "\(typed.type)"))
      }
      return typed.columnsRead
    } ?? []
  }
}

extension ColumnType {
  fileprivate var isTime: Bool {
    switch self {
    case .date, .timestamp: true
    case .bool, .int32, .int64, .float64, .decimal, .string: false
    }
  }
}

extension Expression {
  static let countOfRows = Expression(.aggregate(.count, nil, distinct: false))
}
