/// Fits and scores customers for `make bench`, one JSON object out: CPU seconds of each step, and what came out.
///
///     model-benchmark FOLDER       FOLDER holds frequency, recency, age and monetary: doubles, little endian, in days
#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif
import Models
import Statistics

/// User and system of all threads so far.
func cpuSeconds() -> Double {
  var usage = rusage()
  getrusage(RUSAGE_SELF_, &usage)
  return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

#if canImport(Glibc)
  let RUSAGE_SELF_ = __rusage_who_t(RUSAGE_SELF.rawValue)
#else
  let RUSAGE_SELF_ = RUSAGE_SELF
#endif

func column(_ name: String) -> [Double] {
  let path = CommandLine.arguments[1] + "/" + name
  guard let file = fopen(path, "rb") else { fatalError("\(path) cannot be opened") }
  fseek(file, 0, SEEK_END)
  let count = ftell(file) / MemoryLayout<Double>.size
  rewind(file)
  let values = [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
    initialized = fread(buffer.baseAddress, MemoryLayout<Double>.size, count, file)
  }
  fclose(file)
  return values
}

/// What is printed, in its order.
struct Figures {
  private(set) var members: [(name: String, value: Double)] = []

  mutating func timed<Result>(_ name: String, _ work: () throws -> Result) rethrows -> Result {
    let start = cpuSeconds()
    let result = try work()
    members.append((name, cpuSeconds() - start))
    return result
  }

  mutating func add(_ names: [String], _ values: [Double]) { for (name, value) in zip(names, values) { members.append((name, value)) } }
}

var figures = Figures()

let customers = PurchaseSummary(x: column("frequency"), tx: column("recency"), T: column("age"))
let spend = column("monetary")
let week = 7.0
// 10 % a year, by the day.
let rate = Portable.log(1.10) / 365.25

let fit = try figures.timed("bg_nbd") { try BGNBD.fit(customers) }
let pareto = try figures.timed("pareto_nbd") { try ParetoNBD.fit(customers) }
let gammaGamma = try figures.timed("gamma_gamma") { try GammaGamma.fit(x: customers.x, m: spend) }

let (alive, purchases, discounted) = figures.timed("scores") {
  let batch = PredictedBatch(BGNBD.Predictor(fit.parameters), customers)
  let spends = gammaGamma.expectedSpend(x: customers.x, m: spend)
  let value = batch.discounted(.continuous(rate: rate, horizon: 26 * week))
  return (
    batch.alive, batch.purchases(within: 26 * week),
    FixedChunks.fill(count: customers.count, chunk: 1 << 16) { rows, out in for i in rows { out[i] = spends[i] * value[i] } }
  )
}
// What lifetimes gives as value, for comparison: six months of 30 days at 1 %.
let monthly = figures.timed("monthly") {
  let value = PredictedBatch(BGNBD.Predictor(fit.parameters), customers).discounted(.monthly(rate: 0.01, month: 30, months: 6))
  let spends = gammaGamma.expectedSpend(x: customers.x, m: spend)
  return zip(value, spends).map { $0 * $1 }
}

func rows(_ matrix: SymmetricMatrix?) -> [[Double]]? {
  matrix.map { m in (0..<m.order).map { i in (0..<m.order).map { m[i, $0] } } }
}
let bounds = figures.timed("intervals") {
  CountIntervals(.bgNBD, fit.parameters.vector, covariance: rows(fit.covariance)).bounds(customers, within: 26 * week, level: 0.9)
}
let valueBounds = figures.timed("value_intervals") {
  ValueIntervals(
    .bgNBD, fit.parameters.vector, covariance: rows(fit.covariance), spend: gammaGamma.parameters, spendCovariance: rows(gammaGamma.covariance)
  ).bounds(customers, spend: spend, within: 26 * week, level: 0.9)
}

figures.add(
  [
    "customers", "log_likelihood", "log_likelihood_spend", "log_likelihood_pareto", "sum_alive", "sum_purchases", "sum_discounted", "sum_value",
    "sum_high", "sum_value_high",
  ],
  [
    Double(customers.count), fit.logLikelihood, gammaGamma.logLikelihood, pareto.logLikelihood, Summaries.sum(alive), Summaries.sum(purchases),
    Summaries.sum(discounted), Summaries.sum(monthly), Summaries.sum(bounds.high), Summaries.sum(valueBounds.high),
  ])
figures.add(BGNBD.Parameters.names, fit.parameters.vector)
figures.add(GammaGamma.Parameters.names, gammaGamma.parameters.vector)
figures.add(["pareto_r", "pareto_alpha", "pareto_s", "pareto_beta"], pareto.parameters.vector)
print("{" + figures.members.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ") + "}")
