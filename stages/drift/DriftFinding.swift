import Columns
import Pipelines
import Statistics

/// One question, what was found, and whether it is an alarm.
struct DriftFinding {
  enum Question: String { case stability, parameter, parameters, bias, coverage }

  var question: Question
  /// A feature, a parameter or a measure.
  var subject: String
  /// Nil where nothing can be said.
  var value: Double?
  var limit: Double
  var before: Double?
  var now: Double?
  var isAlarm: Bool
  var reason: String

  static let schema = Schema([
    Field("question", .string), Field("subject", .string), Field("value", .float64), Field("limit", .float64), Field("before", .float64),
    Field("now", .float64), Field("alarm", .bool), Field("reason", .string),
  ])

  static func table(_ findings: [DriftFinding]) -> Batch {
    Batch(
      schema: schema,
      columns: [
        .strings(findings.map { $0.question.rawValue }), .strings(findings.map { $0.subject }), .float64s(findings.map { $0.value }),
        .full(.float64, findings.map { $0.limit }), .float64s(findings.map { $0.before }), .float64s(findings.map { $0.now }),
        .bools(findings.map { $0.isAlarm }), .strings(findings.map { $0.reason }),
      ], count: findings.count)
  }

  // MARK: Features

  /// Σ (q − p) ln(q/p) over classes that held equal shares before; half a customer is added to each, so that none is empty. Missing
  /// values are a class of their own.
  static func stability(of name: String, _ before: [Double], _ now: [Double], _ bins: Int, alarm limit: Double) -> DriftFinding {
    let known = before.filter { !$0.isNaN }.sorted()
    var edges: [Double] = []
    for i in 1..<bins {
      let edge = Summaries.quantile(Double(i) / Double(bins), ofSorted: known)
      // Values that many customers share make classes one.
      if !edge.isNaN, edges.last != edge { edges.append(edge) }
    }
    func shares(_ values: [Double]) -> [Double] {
      var counts = [Double](repeating: 0.5, count: edges.count + 2)
      for value in values { counts[value.isNaN ? edges.count + 1 : at(value, edges)] += 1 }
      let all = counts.reduce(0, +)
      return counts.map { $0 / all }
    }
    let psi = Summaries.sum(zip(shares(before), shares(now)).map { ($1 - $0) * Portable.log($1 / $0) })
    func median(_ values: [Double]) -> Double? {
      let there = values.filter { !$0.isNaN }
      return there.isEmpty ? nil : Summaries.median(there)
    }
    let alarm = psi >= limit
    let (a, b) = (median(before), median(now))
    return DriftFinding(
      question: .stability, subject: name, value: psi, limit: limit, before: a, now: b, isAlarm: alarm,
      reason: alarm
        ? "\(name) is distributed otherwise than before: population stability \(digits(psi)), limit \(digits(limit)); its median went from \(a.map(digits) ?? "none") to \(b.map(digits) ?? "none")"
        : "\(name) is distributed as before")
  }

  /// The first class whose upper edge is not below the value.
  private static func at(_ value: Double, _ edges: [Double]) -> Int {
    var (low, high) = (0, edges.count)
    while low < high {
      let middle = (low + high) / 2
      if edges[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Parameters

  /// Differences of the logarithms in standard errors, each and all together (Wald); the fits are taken to be of different customers.
  static func shifts(_ earlier: FittedModel, _ later: FittedModel, alarm limit: Double) -> [DriftFinding] {
    let names = earlier.kind.parameterNames
    let moved = zip(earlier.parameters, later.parameters).map { Portable.log($1 / $0) }
    var both: SymmetricMatrix?
    if let a = earlier.covariance, let b = later.covariance {
      var sum = SymmetricMatrix(order: names.count)
      for i in names.indices {
        for j in 0...i {
          sum[i, j] = a[i][j] / (earlier.parameters[i] * earlier.parameters[j]) + b[i][j] / (later.parameters[i] * later.parameters[j])
        }
      }
      both = sum
    }
    var findings = names.indices.map { i -> DriftFinding in
      let z = both.map { moved[i] / $0[i, i].squareRoot() }
      let alarm = z.map { $0.magnitude > limit } ?? false
      let change = "\(names[i]) went from \(digits(earlier.parameters[i])) to \(digits(later.parameters[i]))"
      return DriftFinding(
        question: .parameter, subject: names[i], value: z, limit: limit, before: earlier.parameters[i], now: later.parameters[i], isAlarm: alarm,
        reason: z.map { alarm ? "\(change), \(digits($0.magnitude)) standard errors" : "\(change), within its errors" }
          ?? "\(change); a fit has no errors, so that nothing can be said")
    }
    if let both, let solved = both.solve(moved) {
      let wald = zip(moved, solved).reduce(0) { $0 + $1.0 * $1.1 }
      // As improbable as the limit is for one parameter.
      let p = Special.gammaQ(Double(names.count) / 2, wald / 2)
      let alarm = p < 2 * Normal.cdf(-limit)
      findings.append(
        DriftFinding(
          question: .parameters, subject: "all", value: wald, limit: chiSquare(2 * Normal.cdf(-limit), Double(names.count)), before: nil, now: nil,
          isAlarm: alarm,
          reason: alarm
            ? "the parameters together moved by more than their errors: Wald statistic \(digits(wald)) with \(names.count) degrees, p \(digits(p))"
            : "the parameters together did not move by more than their errors"))
    }
    return findings
  }

  /// The value that a χ² of so many degrees exceeds with probability p: by halving.
  private static func chiSquare(_ p: Double, _ degrees: Double) -> Double {
    var (low, high) = (0.0, 1e6)
    for _ in 0..<200 {
      let middle = 0.5 * (low + high)
      if Special.gammaQ(degrees / 2, middle / 2) > p { low = middle } else { high = middle }
    }
    return high
  }

  // MARK: Errors

  static func errors(_ metrics: JSONValue, bias most: Double, coverage least: Double) -> [DriftFinding] {
    var findings: [DriftFinding] = []
    for (name, words) in [("purchases", "purchases"), ("spend", "spend"), ("value", "values")] {
      guard let member = metrics[name], let bias = member["bias"]?.double else { continue }
      let alarm = bias.magnitude > most
      findings.append(
        DriftFinding(
          question: .bias, subject: name, value: bias, limit: most, before: member["predicted_total"]?.double, now: member["actual_total"]?.double,
          isAlarm: alarm,
          reason: alarm
            ? "predicted \(words) miss what happened by \(digits(bias * 100)) %, limit \(digits(most * 100)) %"
            : "predicted \(words) agree with what happened"))
    }
    for (name, words, member) in [("purchases", "purchases", "interval"), ("value", "values", "value_interval")] {
      guard let share = metrics[member]?["coverage"]?.double else { continue }
      let alarm = share < least
      findings.append(
        DriftFinding(
          question: .coverage, subject: name, value: share, limit: least, before: nil, now: nil, isAlarm: alarm,
          reason: alarm
            ? "only \(digits(share * 100)) % of the actual \(words) lie in their intervals, limit \(digits(least * 100)) %"
            : "the intervals hold the actual \(words)"))
    }
    return findings
  }

  /// Three significant digits.
  private static func digits(_ x: Double) -> String {
    guard x.isFinite, x != 0 else { return "\(x)" }
    var scale = 1.0
    while x.magnitude * scale < 100, scale < 1e12 { scale *= 10 }
    let rounded = (x * scale).rounded() / scale
    return rounded == rounded.rounded() && rounded.magnitude < 1e15 ? "\(Int(rounded))" : "\(rounded)"
  }
}
