import Models
import Statistics
import Testing

struct ValueIntervalsTests {
  static let truth = BGNBD.Parameters(r: 0.8, α: 8, a: 0.6, b: 3)
  static let spend = GammaGamma.Parameters(p: 4, q: 3.5, v: 20)

  /// At the true parameters: above the upper bound lie 5 of 100 simulated futures, and between the bounds at least 90.
  @Test func coverage() {
    var random = RandomStream(seed: 63)
    var (past, means, future) = (PurchaseSummary(x: [], tx: [], T: []), [Double](), [Double]())
    for _ in 0..<20_000 {
      let (rate, p) = (random.gamma(shape: Self.truth.r, rate: Self.truth.α), random.beta(Self.truth.a, Self.truth.b))
      let ν = random.gamma(shape: Self.spend.q, rate: Self.spend.v)
      var (now, last, x, sum, later) = (0.0, 0.0, 0.0, 0.0, 0.0)
      while true {
        now += random.exponential(rate: rate)
        if now > 90 { break }
        let amount = random.gamma(shape: Self.spend.p, rate: ν)
        if now <= 40 { (x, last, sum) = (x + 1, now, sum + amount) } else { later += amount }
        if random.uniform() < p { break }
      }
      past.x.append(x)
      past.tx.append(last)
      past.T.append(40)
      means.append(x > 0 ? sum / x : 0)
      future.append(later)
    }
    let intervals = ValueIntervals(.bgNBD, Self.truth.vector, covariance: nil, spend: Self.spend, spendCovariance: nil)
    #expect(!intervals.includesParameters)
    let (low, high) = intervals.bounds(past, spend: means, within: 50, level: 0.9)
    #expect(zip(low, high).allSatisfy { $0 >= 0 && $0 <= $1 && $1 < .infinity })
    let open = future.indices.filter { high[$0] > 0 }
    #expect(open.count > 10_000)
    let above = Double(open.filter { future[$0] > high[$0] }.count) / Double(open.count)
    #expect((above - 0.05).magnitude < 0.005, "\(above)")
    let inside = Double(future.indices.filter { future[$0] >= low[$0] && future[$0] <= high[$0] }.count) / Double(future.count)
    #expect(inside > 0.895 && inside < 0.985, "\(inside)")
  }

  /// The bounds are quantiles of the law: P(total ≤ s) summed straight from its definition.
  @Test(arguments: [(PurchaseModel.bgNBD, [0.8, 8, 0.6, 3]), (.paretoNBD, [0.55, 10.6, 0.6, 11.7]), (.nbd, [0.4, 12])])
  func quantiles(model: PurchaseModel, parameters: [Double]) {
    let predictor = model.predictor(parameters)
    for (p, q, v) in [(4.0, 3.5, 20.0), (0.3, 1.05, 5), (60, 30, 100)] {
      let spend = GammaGamma.Parameters(p: p, q: q, v: v)
      let intervals = ValueIntervals(model, parameters, covariance: nil, spend: spend, spendCovariance: nil)
      for (x, tx, m) in [(0.0, 0.0, 0.0), (7, 37, 24), (3, 30, 0), (40, 38.5, 9)] {
        let s = PurchaseSummary(x: [x], tx: [tx], T: [39])
        let (low, high) = intervals.bounds(s, spend: [m], within: 39, level: 0.8)
        let counts = predictor.counts(x: x, tx: tx, T: 39, within: 39, through: 400)
        let (V, Q) = m > 0 ? (v + x * m, p * x + q) : (v, q)
        func below(_ amount: Double) -> Double {
          counts.enumerated().reduce(0) { sum, item in
            item.offset == 0 ? item.element
              : sum + item.element * Special.betaI(amount / (amount + V), complement: V / (amount + V), p * Double(item.offset), Q)
          }
        }
        #expect(low[0] == 0 ? counts[0] >= 0.1 : (below(low[0]) - 0.1).magnitude < 2e-4, "x \(x), p \(p): \(low[0])")
        #expect(high[0] == 0 ? counts[0] >= 0.9 : (below(high[0]) - 0.9).magnitude < 2e-4, "x \(x), p \(p): \(high[0])")
      }
    }
  }

  /// What is not certain widens; who else is there changes nothing.
  @Test func parametersWiden() {
    let s = PurchaseSummary(x: [0, 2, 7, 29, 7], tx: [0, 30, 37, 38, 37], T: [39, 39, 39, 39, 39])
    let m = [0.0, 12, 30, 8, 0]
    func diagonal(_ p: [Double], _ share: Double) -> [[Double]] {
      p.indices.map { i in p.indices.map { i == $0 ? share * share * p[i] * p[i] : 0 } }
    }
    func bounds(_ share: Double) -> (low: [Double], high: [Double]) {
      let intervals = ValueIntervals(
        .bgNBD, Self.truth.vector, covariance: diagonal(Self.truth.vector, share), spend: Self.spend,
        spendCovariance: diagonal(Self.spend.vector, share))
      #expect(intervals.includesParameters)
      return intervals.bounds(s, spend: m, within: 39, level: 0.9)
    }
    let sure = ValueIntervals(.bgNBD, Self.truth.vector, covariance: nil, spend: Self.spend, spendCovariance: nil)
      .bounds(s, spend: m, within: 39, level: 0.9)
    let (nearly, unsure) = (bounds(1e-7), bounds(0.8))
    for i in m.indices { #expect(relative(nearly.high[i], sure.high[i]) < 1e-4) }
    #expect(unsure.high.reduce(0, +) > 1.05 * sure.high.reduce(0, +))
    let alone = ValueIntervals(.bgNBD, Self.truth.vector, covariance: nil, spend: Self.spend, spendCovariance: nil)
      .bounds(PurchaseSummary(x: [7], tx: [37], T: [39]), spend: [30], within: 39, level: 0.9)
    #expect(alone.high == [sure.high[2]] && alone.low == [sure.low[2]])
    // Seven purchases without an own mean: the population's.
    #expect(sure.high[4] != sure.high[2])
  }
}
