import Charts
import Columns
import Diagnostics
import Expressions
import Pipelines

/// Reads the columns of one chart, batch by batch.
struct ChartData {
  let plan: ChartPlan
  let table: TableArtifact
  let context: any RunContext

  /// Columns of numbers; what is missing is NaN. `labels` come with them, row by row.
  func rows(numbers names: [String], labels: [String] = []) throws -> (numbers: [[Double]], labels: [[Value]]) {
    var numbers = names.map { _ in [Double]() }, values = labels.map { _ in [Value]() }
    for at in numbers.indices { numbers[at].reserveCapacity(table.rows) }
    try RowStream(table, columns: (names + labels).unique).forEach(context) { batch in
      for (at, name) in names.enumerated() { numbers[at] += batch[name].doubles() }
      for (at, name) in labels.enumerated() {
        let column = batch[name]
        for row in 0..<column.count { values[at].append(column.value(at: row)) }
      }
    }
    return (numbers, values)
  }

  /// Columns of numbers, and the labels of one column as codes.
  func rows(numbers names: [String], label: String) throws -> (numbers: [[Double]], labels: LabelCodes) {
    var numbers = names.map { _ in [Double]() }, labels = LabelCodes(expecting: table.rows)
    for at in numbers.indices { numbers[at].reserveCapacity(table.rows) }
    try RowStream(table, columns: (names + [label]).unique).forEach(context) { batch in
      for (at, name) in names.enumerated() { numbers[at] += batch[name].doubles() }
      labels.add(batch[label])
    }
    return (numbers, labels)
  }

  /// Who came back within so many periods, by the period of a customer's first row.
  func cohorts(of customer: String, _ time: String, every: ChartSettings.Every, limit: Int) throws -> CohortCounts {
    let rows = Relation.project(
      .scan("table"), [.init(" customer", Expression(.column(customer))), .init(" period", try start(of: time, every: every))])
    for inOrder in [true, false] {
      var counts = CohortCounts(every: every, customer: table.type.schema.type(of: customer) ?? .string, inOrder: inOrder, limit: limit)
      try rows.rows(["table": RowStream(table, columns: [customer, time].unique)], context).forEach(context) { batch in
        counts.add(batch.columns[0], batch.columns[1])
      }
      if !counts.isOutOfOrder { return counts }
    }
    preconditionFailure("cohorts that take rows in any order did not")
  }

  private func start(of time: String, every: ChartSettings.Every) throws -> Expression {
    try Expression.parse("date_trunc('\(every.rawValue)', \(Expression(.column(time))))")
  }

  /// One row per group, ascending by the columns of `by`; its last column is the chart's aggregate.
  func groups(by names: [String], _ value: Expression) throws -> Batch {
    let aggregate = Relation.aggregate(
      .scan("table"), by: names.map { .init($0, Expression(.column($0))) }, [.init(" value", value)])
    let read = (names + plan.columns.filter { value.columnNames.contains($0) }).unique
    return try aggregate.rows(["table": RowStream(table, columns: read)], context).whole(context)
  }

  /// One row per period of a time, ascending, with an aggregate.
  func periods(of time: String, every: ChartSettings.Every, _ value: Expression) throws -> Batch {
    let start = try start(of: time, every: every)
    let aggregate = Relation.aggregate(
      .scan("table"), by: [.init(" period", start)], [.init(" value", value)])
    let read = ([time] + plan.columns.filter { value.columnNames.contains($0) }).unique
    return try aggregate.rows(["table": RowStream(table, columns: read)], context).whole(context)
  }

  /// Rows side by side: a value for each place along x and each series. A place may not have two values.
  func series() throws -> Pivot {
    let settings = plan.settings
    let labels = [plan.x] + [settings.colour].compactMap(\.self)
    // The ends of a band are series of their own here.
    let shown = settings.y.items + [settings.low, settings.high].compactMap(\.self)
    let (numbers, values) = try rows(numbers: shown, labels: labels)
    var pivot = Pivot(series: settings.colour == nil ? shown.map(words(of:)) : [])
    let names = settings.colour == nil ? [] : Array(Set(values[1].filter { $0 != .null })).sorted(by: Value.precedes)
    pivot.series += names.map(\.label)
    let place = Dictionary(uniqueKeysWithValues: zip(names, names.indices))
    for row in values[0].indices {
      let x = values[0][row]
      for (at, column) in numbers.enumerated() {
        guard x != .null, column[row].isFinite, let series = settings.colour == nil ? at : place[values[1][row]] else {
          pivot.leftOut += 1
          continue
        }
        guard pivot.set(x, series, column[row]) else {
          throw Diagnostic(
            "chart \"\(plan.name)\" has two values for \"\(x.label)\" of column \"\(plan.x)\"",
            at: .setting(["charts", .key(plan.name), "x"]),
            hint: [.bar, .pareto, .treemap].contains(settings.chart)
              ? "say how to bring them together: \"value\": \"sum(\(settings.y[0]))\" in place of \"y\""
              : "bring them together in an aggregate stage before\(settings.colour == nil ? ", or name a \"colour\"" : "")")
        }
      }
    }
    return pivot
  }
}

/// Values by place and series.
struct Pivot {
  var series: [String]
  private(set) var places: [Value] = []
  var leftOut = 0
  private var known: [Value: Int] = [:]
  private var cells: [[Double]] = []  // by place, then by series; NaN is empty

  init(series: [String]) { self.series = series }

  /// False when the cell has a value already.
  mutating func set(_ place: Value, _ series: Int, _ value: Double) -> Bool {
    let at = known[place] ?? places.count
    if at == places.count {
      known[place] = at
      places.append(place)
      cells.append(Array(repeating: .nan, count: self.series.count))
    }
    if !cells[at][series].isNaN { return false }
    cells[at][series] = value
    return true
  }

  func values(_ series: Int) -> [Double] { cells.map { $0[series] } }

  mutating func sort() { take(places.indices.sorted { Value.precedes(places[$0], places[$1]) }) }

  /// The places named, in that order.
  mutating func take(_ order: [Int]) {
    places = order.map { places[$0] }
    cells = order.map { cells[$0] }
  }
}

extension Value {
  /// The order of values of one column: numbers and times upwards, texts by bytes, nulls last.
  static func precedes(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.null, _): false
    case (_, .null): true
    case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
    case (.bool(let a), .bool(let b)): !a && b
    case (.int(let a), .int(let b)), (.timestamp(let a), .timestamp(let b)): a < b
    case (.decimal(let a, _), .decimal(let b, _)): a < b
    case (.date(let a), .date(let b)): a < b
    case (.float(let a), .float(let b)): a < b
    default: preconditionFailure("values of two types in one column")
    }
  }

  /// ISO 8601 in UTC, for an axis of time.
  var instant: String {
    guard case .timestamp(let micros) = self else { return label }
    let text = timestampText(micros)
    return text.hasSuffix(" 00:00:00") ? String(text.dropLast(9)) : String(text.map { $0 == " " ? "T" : $0 }) + "Z"
  }

  var number: Double {
    switch self {
    case .int(let value): Double(value)
    case .float(let value): value
    case .decimal(let unscaled, let scale): Double(decimalText(unscaled, scale: scale)) ?? .nan
    case .null, .bool, .string, .date, .timestamp: .nan
    }
  }
}
