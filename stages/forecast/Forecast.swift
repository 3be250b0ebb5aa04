import Columns
import Diagnostics
import Models
import Pipelines
import Statistics

/// Foretells sums by period, such as revenue by month, with intervals; the method is the one that foretold best so far.
///
/// With predictions of the customers there are, the forecast is split into what they bring and what customers to come must bring.
public struct Forecast: Stage {
  public static let contract = Contract(
    "forecast", "sums by month, week or day foretold, by the method that foretold best so far",
    inputs: [
      .table("sales", help: "rows with a time and an amount: sales, or sums by period already"),
      .table("customers", .optional, help: "customers with predictions, as predict makes them"),
    ],
    outputs: [
      .table("table", help: "the periods to come"),
      .table("series", help: "the periods that were, what was foretold of each one period before, and the periods to come"),
      .document("model", help: "the method, how it was chosen, and how the customers' predictions agree with it"),
    ],
    version: 1, shares: ["expressions": "1", "models": "1", "statistics": "1"])

  enum Period: String, SettingChoice {
    case day, week, month, quarter

    /// How many make a season where nothing else is said.
    var season: Int {
      switch self {
      case .day: 7
      case .week: 52
      case .month: 12
      case .quarter: 4
      }
    }

    /// How many lie in a duration.
    func count(in duration: Duration) -> Double {
      switch self {
      case .day: duration.count(of: .day)
      case .week: duration.count(of: .week)
      case .month: duration.count(of: .month)
      case .quarter: duration.count(of: .month) / 3
      }
    }
  }

  enum Method: String, SettingChoice {
    case auto
    case seasonalNaive = "seasonal-naive", holtWintersAdditive = "holt-winters-additive"
    case holtWintersMultiplicative = "holt-winters-multiplicative", damped, theta, combination
  }

  @Setting("column that says when: a date or timestamp") var at = "at"
  @Setting("column that is summed") var value = "revenue"
  @Setting("what is foretold; weeks begin on Monday") var period = Period.month
  @Setting("how far ahead; a part of a period counts as one") var horizon: Duration
  @Setting("how many periods make a season, 1 for none; default 7 days, 52 weeks, 12 months, 4 quarters", in: 1...366) var season: Int?
  @Setting(
    "seasonal-naive (the value of a season ago), holt-winters-additive, holt-winters-multiplicative, damped (a trend that dies away), theta, combination (their mean); auto: the one with the least error at earlier times")
  var method = Method.auto
  @Setting("auto: how many earlier times are tried", in: 1...60) var origins = 6
  @Setting("low and high hold a value with this probability", in: 0.01...0.9999) var interval = 0.9
  @Setting("first day that counts; default the first day in the data; a period that began earlier is left out") var since: CivilDate?
  @Setting("last day that counts; default the last day in the data; a period that ends later is left out") var until: CivilDate?
  @Setting("what the customers' predictions reach over; default the horizon") var customersHorizon: Duration?

  public init() {}

  static let most = 1000

  private var sums: SalesPeriods { SalesPeriods(at: at, value: value, period: period) }
  private static let predictions = ["expected_purchases", "expected_spend"]

  public func bind(_ inputs: Inputs<ArtifactType>, _ context: BindContext) throws(Mistakes) -> Binding {
    var mistakes: [Diagnostic] = []
    if period.count(in: horizon) > Double(Self.most) || horizon.count <= 0 {
      mistakes.append(
        Diagnostic(
          "the horizon is out of range", at: .setting(["horizon"]), expected: "more than nothing, at most \(Self.most) periods",
          found: horizon.description))
    }
    if let since, let until, since.days > until.days {
      mistakes.append(Diagnostic("the last day that counts lies before the first", at: .setting(["until"]), expected: "a day from \(since) on", found: "\(until)"))
    }
    if let schema = inputs.schema("sales") { mistakes += sums.mistakes(in: schema) }
    let customers = inputs["customers"] != nil
    if let schema = inputs.schema("customers") {
      for name in Self.predictions {
        if let mistake = schema.mistake(readingNumbers: name, of: "customers", at: .input(port: "customers")) { mistakes.append(mistake) }
      }
    }
    if !customers, customersHorizon != nil {
      mistakes.append(
        Diagnostic(
          "\"customersHorizon\" means nothing without customers", at: .setting(["customersHorizon"]), expected: "input \"customers\""))
    }
    if let reach = customersHorizon, reach.days > horizon.days * (1 + 1e-12) || reach.count <= 0 {
      mistakes.append(
        Diagnostic(
          "the customers' predictions reach further than the forecast", at: .setting(["customersHorizon"]), expected: "at most \(horizon)",
          found: reach.description))
    }
    if !mistakes.isEmpty { throw Mistakes(mistakes) }
    return Binding(
      outputs: [
        .init("table", .table(TableType(ForecastTables.schema(customers: customers), order: .key(["period"])))),
        .init("series", .table(TableType(ForecastTables.seriesSchema, order: .key(["period"])))),
        .init("model", .document(about: "forecast")),
      ],
      reads: [.init("sales", .named([at, value]))] + (customers ? [.init("customers", .named(Self.predictions))] : []))
  }

  public func run(_ inputs: Inputs<Artifact>, _ context: any RunContext) throws -> Metrics {
    let periods = try sums.read(inputs.table("sales"), since: since, until: until, context)
    if periods.withoutValue > 0 {
      context.warn(
        Diagnostic("\(periods.withoutValue) rows were left out: \"\(at)\" or \"\(value)\" is missing", severity: .warning))
    }
    if periods.starts.isEmpty {
      throw Diagnostic("nothing can be foretold: no whole \(period.rawValue) lies in the data", at: .input(port: "sales"))
    }
    let steps = max(1, Int((period.count(in: horizon) - 1e-9).rounded(.up)))
    let forecast: SalesForecast
    do {
      forecast = try SalesForecast(
        periods.sums, period: season ?? period.season, horizon: steps, method: SalesForecast.Method(rawValue: method.rawValue), origins: origins)
    } catch {
      throw Diagnostic("\(error.what): \(error.why)", at: .input(port: "sales"), hint: error.remedy)
    }
    let ahead = SalesPeriods.starts(of: period, from: periods.next, count: steps)
    var result = ForecastTables(periods, ahead: ahead, forecast, level: interval)
    if inputs["customers"] != nil {
      let batch = try inputs.table("customers").wholeBatch(Self.predictions)
      let products = zip(batch[Self.predictions[0]].doubles(), batch[Self.predictions[1]].doubles()).map { $0 * $1 }
      let reach = min(steps, max(1, Int((period.count(in: customersHorizon ?? horizon) - 1e-9).rounded(.up))))
      result.reconcile(with: Summaries.sum(products.lazy.filter(\.isFinite)), over: reach)
      if let surplus = result.surplus {
        context.warn(
          Diagnostic(
            "the customers' predictions are more than the forecast, by \(ForecastTables.percent(surplus)): both were moved to their mean",
            severity: .warning))
      }
    }
    try context.writeTable("table", result.table)
    try context.writeTable("series", result.series)
    try context.writeDocument("model", result.document(period: period.rawValue, level: interval))
    var metrics = Metrics()
    metrics["method"] = .string(forecast.method.rawValue)
    metrics["periods"] = .integer(periods.sums.count)
    metrics["origins"] = .integer(forecast.origins)
    if let error = forecast.board.first?.error, error.isFinite { metrics["mase"] = .double(error) }
    metrics["forecast"] = .double(Summaries.sum(result.values))
    if !result.notes.isEmpty { metrics["notes"] = .array(result.notes.map(JSONValue.string)) }
    if let existing = result.existing { metrics["existing_customers"] = .double(Summaries.sum(existing)) }
    return metrics
  }
}
