import Columns
import Models
import Pipelines
import Statistics

/// A forecast as tables and as a document, reconciled with what the customers there are will bring.
struct ForecastTables {
  private let periods: SalesPeriods.Sums
  private let ahead: [Int32]
  private let forecast: SalesForecast
  private(set) var values: [Double]
  private var low: [Double]
  private var high: [Double]
  /// By period, what the customers there are bring.
  private(set) var existing: [Double]?
  private var customers: (total: Double, periods: Int)?
  /// By what share of the forecast the customers' predictions were above it, where they were.
  private(set) var surplus: Double?

  init(_ periods: SalesPeriods.Sums, ahead: [Int32], _ forecast: SalesForecast, level: Double) {
    (self.periods, self.ahead, self.forecast) = (periods, ahead, forecast)
    values = forecast.values
    (low, high) = forecast.bounds(level: level)
  }

  /// The sum of the forecast over the first periods must hold what the customers bring, and what is left is brought by customers to
  /// come: it cannot be negative. Where it would be, the least change of both sums puts them on their mean.
  mutating func reconcile(with total: Double, over count: Int) {
    customers = (total, count)
    let whole = Summaries.sum(values.prefix(count))
    var brought = min(max(total, 0), whole)
    if total > whole, whole > 0 {
      surplus = (total - whole) / whole
      brought = 0.5 * (total + whole)
      let factor = brought / whole
      for i in 0..<count { (values[i], low[i], high[i]) = (values[i] * factor, low[i] * factor, high[i] * factor) }
    }
    let scale = whole > 0 ? brought / Summaries.sum(values.prefix(count)) : 0
    existing = values.indices.map { $0 < count ? values[$0] * scale : .nan }
  }

  static func schema(customers: Bool) -> Schema {
    let plain = [Field("period", .date), Field("forecast", .float64), Field("low", .float64), Field("high", .float64)]
    return Schema(plain + (customers ? ["existing_customers", "new_customers", "before_reconciling"].map { Field($0, .float64) } : []))
  }

  static let seriesSchema = Schema([
    Field("period", .date), Field("actual", .float64), Field("fitted", .float64), Field("forecast", .float64), Field("low", .float64),
    Field("high", .float64),
  ])

  var table: Batch {
    var columns: [Column] = [.full(.date, ahead), .full(.float64, values), .full(.float64, low), .full(.float64, high)]
    if let existing {
      columns += [
        .float64s(existing.map { $0.isNaN ? nil : $0 }),
        .float64s(zip(values, existing).map { $1.isNaN ? nil : max(0, $0 - $1) }), .full(.float64, forecast.values),
      ]
    }
    return Batch(schema: Self.schema(customers: existing != nil), columns: columns, count: ahead.count)
  }

  var series: Batch {
    let (past, future) = (periods.sums.count, ahead.count)
    let (before, after) = ([Double?](repeating: nil, count: past), [Double?](repeating: nil, count: future))
    return Batch(
      schema: Self.seriesSchema,
      columns: [
        .full(.date, periods.starts + ahead), .float64s(periods.sums.map { $0 } + after), .float64s(forecast.fitted + after),
        .float64s(before + values), .float64s(before + low), .float64s(before + high),
      ], count: past + future)
  }

  func document(period: String, level: Double) -> JSONValue {
    let board = forecast.board.map { entry -> JSONValue in
      [
        "method": .string(entry.method.rawValue), "mase": entry.error.isFinite ? .double(entry.error) : .null,
        "failure": entry.failure.map(JSONValue.string) ?? .null,
      ]
    }
    var members: [JSONMember] = [
      JSONMember("method", .string(forecast.method.rawValue)), JSONMember("period", .string(period)),
      JSONMember("periods", .integer(periods.sums.count)), JSONMember("first_period", .string("\(CivilDate(days: Int(periods.starts[0])))")),
      JSONMember("last_period", .string("\(CivilDate(days: Int(periods.starts.last!)))")), JSONMember("interval", .double(level)),
      JSONMember("choice", ["reason": .string(reason), "origins": .integer(forecast.origins), "leader_board": .array(board)]),
    ]
    if let customers {
      members.append(
        JSONMember(
          "customers",
          [
            "expected": .double(customers.total), "periods": .integer(customers.periods),
            "forecast": .double(Summaries.sum(forecast.values.prefix(customers.periods))),
            "reconciled": .double(Summaries.sum(values.prefix(customers.periods))),
            "share": .double(Summaries.sum(existing!.prefix(customers.periods)) / max(Summaries.sum(values.prefix(customers.periods)), 1e-300)),
          ]))
    }
    return .object(members)
  }

  /// What a run prints: why the method was taken, and how all of them did.
  var notes: [String] {
    if forecast.board.count == 1 { return [] }
    return [reason]
      + forecast.board.enumerated().map { place, entry in
        "\(place + 1). \(entry.method.rawValue): " + (entry.failure ?? (entry.error.isFinite ? "MASE \(Self.digits(entry.error))" : "not tried"))
      }
  }

  private var reason: String {
    if forecast.board.count == 1 { return "the document names it" }
    if forecast.origins == 0 { return "too few periods to try methods on earlier ones: the value of a season ago" }
    let board = forecast.board.filter { $0.failure == nil }
    var words = "\(forecast.method.rawValue) had the least error at \(forecast.origins) earlier time\(forecast.origins == 1 ? "" : "s") (MASE \(Self.digits(board[0].error)))"
    if board.count > 1 { words += "; \(board[1].method.rawValue) follows with \(Self.digits(board[1].error))" }
    return words
  }

  static func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
  private static func digits(_ x: Double) -> String { "\((x * 1000).rounded() / 1000)" }
}
