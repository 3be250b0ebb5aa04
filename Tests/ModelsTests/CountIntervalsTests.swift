import Models
import Statistics
import Testing

struct CountIntervalsTests {
  /// Intervals at the true parameters hold at least their share of simulated futures, and little more than discreteness makes.
  @Test func coverage() {
    let truth = BGNBD.Parameters(r: 0.8, α: 8, a: 0.6, b: 3)
    var random = RandomStream(seed: 31)
    var (past, future) = (PurchaseSummary(x: [], tx: [], T: []), [Double]())
    for _ in 0..<20_000 {
      let (rate, p) = (random.gamma(shape: truth.r, rate: truth.α), random.beta(truth.a, truth.b))
      var (now, last, x, later) = (0.0, 0.0, 0.0, 0.0)
      while true {
        now += random.exponential(rate: rate)
        if now > 90 { break }
        if now <= 40 { (x, last) = (x + 1, now) } else { later += 1 }
        if random.uniform() < p { break }
      }
      past.x.append(x)
      past.tx.append(last)
      past.T.append(40)
      future.append(later)
    }
    let (low, high) = CountIntervals(.bgNBD, truth.vector, covariance: nil).bounds(past, within: 50, level: 0.9)
    let inside = future.indices.filter { future[$0] >= low[$0] && future[$0] <= high[$0] }.count
    let share = Double(inside) / Double(future.count)
    #expect(share > 0.895 && share < 0.985, "\(share)")
    #expect(zip(low, high).allSatisfy { $0 >= 0 && $0 <= $1 })
  }

  /// An uncertain parameter widens, a certain one does not; who else is there changes nothing.
  @Test(arguments: [(PurchaseModel.bgNBD, [0.24, 4.4, 0.8, 2.4]), (.paretoNBD, [0.55, 10.6, 0.6, 11.7]), (.nbd, [0.4, 12])])
  func parametersWiden(model: PurchaseModel, parameters: [Double]) {
    let s = PurchaseSummary(x: [0, 2, 7, 29, 7], tx: [0, 30, 37, 38, 37], T: [39, 39, 39, 39, 39])
    func covariance(_ share: Double) -> [[Double]] {
      parameters.indices.map { i in parameters.indices.map { i == $0 ? share * share * parameters[i] * parameters[i] : 0 } }
    }
    let sure = CountIntervals(model, parameters, covariance: nil)
    let nearly = CountIntervals(model, parameters, covariance: covariance(1e-9))
    let unsure = CountIntervals(model, parameters, covariance: covariance(2))
    #expect(!sure.includesParameters && nearly.includesParameters)
    let (a, b, c) = (sure.bounds(s, within: 39, level: 0.9), nearly.bounds(s, within: 39, level: 0.9), unsure.bounds(s, within: 39, level: 0.9))
    #expect(a.low == b.low && a.high == b.high)
    #expect(c.high.reduce(0, +) > a.high.reduce(0, +))
    let alone = PurchaseSummary(x: [7], tx: [37], T: [39])
    #expect(unsure.bounds(alone, within: 39, level: 0.9).high == [c.high[2]])
    #expect(c.high[4] == c.high[2])
  }

  /// The bounds are quantiles of the counts.
  @Test func quantiles() {
    let model = BGNBD.Predictor(.init(r: 0.24, α: 4.4, a: 0.8, b: 2.4))
    let (x, tx, T) = (7.0, 37.0, 39.0)
    let (low, high) = CountIntervals(.bgNBD, model.parameters.vector, covariance: nil)
      .bounds(PurchaseSummary(x: [x], tx: [tx], T: [T]), within: 39, level: 0.8)
    let p = model.counts(x: x, tx: tx, T: T, within: 39, through: 60)
    func below(_ n: Double) -> Double { p.enumerated().filter { Double($0.offset) <= n }.reduce(0) { $0 + $1.element } }
    #expect(below(low[0]) >= 0.1 && (low[0] == 0 || below(low[0] - 1) < 0.1))
    #expect(below(high[0]) >= 0.9 && below(high[0] - 1) < 0.9)
  }
}
