import Testing

@testable import Charts

/// SplitMix64: the same values for a seed on every machine.
struct Seeded {
  var state: UInt64

  mutating func bits() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
  /// 0 ..< 1
  mutating func unit() -> Double { Double(bits() >> 11) / 9_007_199_254_740_992 }
  /// A long right tail, as customer value has.
  mutating func skewed() -> Double { 100 / (1.0001 - unit()) - 99 }
}

@Suite struct BinsTests {
  @Test(arguments: [
    ("from zero", 0.3, 96.0, 5, false, [0, 20, 40, 60, 80, 100]),
    ("tenths have no dust", 0.0, 0.6, 6, false, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
    ("below zero", -12.0, 9.0, 5, false, [-15, -10, -5, 0, 5, 10]),
    ("whole numbers", 1.0, 4.0, 40, true, [1, 2, 3, 4, 5]),
    ("one value", 7.0, 7.0, 10, true, [7, 8]),
    ("only zero", 0.0, 0.0, 2, false, [0, 0.5]),
  ])
  func linearEdges(_ situation: String, low: Double, high: Double, about: Int, whole: Bool, edges: [Double]) {
    #expect(Bins.linear(from: low, to: high, about: about, whole: whole).edges == edges)
  }

  @Test(arguments: [
    ("1, 2, 5", 3.0, 700.0, 8, [2.0, 5, 10, 20, 50, 100, 200, 500, 1000]),
    ("below one", 0.02, 0.3, 4, [0.02, 0.05, 0.1, 0.2, 0.5]),
    ("a power of ten", 1.0, 1.0, 3, [1.0, 1.25]),
  ])
  func logEdges(_ situation: String, low: Double, high: Double, about: Int, edges: [Double]) {
    let bins = Bins.log(from: low, to: high, about: about)
    if situation == "a power of ten" {
      #expect(bins.edges[0] <= 1 && bins.edges[1] > 1)
    } else {
      #expect(bins.edges == edges)
    }
  }

  @Test func everyValueLiesInExactlyOneBin() {
    for seed in 0..<120 {
      var random = Seeded(state: UInt64(seed))
      let scale = PowerOfTen.value(Int(random.bits() % 25) - 12)
      let shift = seed % 3 == 0 ? -50 * scale : 0
      let values = (0..<200).map { _ in random.skewed() * scale + shift }
      let positive = values.filter { $0 > 0 }
      var all: [(Bins, [Double])] = [
        (.linear(from: values.min()!, to: values.max()!, about: 1 + seed % 60), values)
      ]
      if let low = positive.min() { all.append((.log(from: low, to: positive.max()!, about: 1 + seed % 60), positive)) }
      for (bins, values) in all {
        #expect(zip(bins.edges, bins.edges.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
        for value in values {
          let holding = (0..<bins.count).filter {
            bins.edges[$0] <= value && (value < bins.edges[$0 + 1] || ($0 == bins.count - 1 && value == bins.edges[$0 + 1]))
          }
          #expect(holding == [bins.index(of: value)], "seed \(seed), value \(value)")
        }
        let (inside, outside) = bins.counts(values)
        #expect(inside.reduce(0, +) == values.count && outside == 0, "seed \(seed)")
      }
    }
  }

  @Test(arguments: [
    ("largest", -Double.greatestFiniteMagnitude, Double.greatestFiniteMagnitude),
    ("smallest", .leastNonzeroMagnitude, .leastNonzeroMagnitude * 1000), ("far apart", 1e-300, 1e300), ("next to each other", 1e17, 1e17 + 16),
    ("at the end", 1e308, Double.greatestFiniteMagnitude),
  ])
  func extremesNeitherTrapNorEscape(_ situation: String, low: Double, high: Double) {
    let linear = Bins.linear(from: low, to: high, about: 40)
    #expect(linear.index(of: low) != nil && linear.index(of: high) != nil && linear.count < 200)
    guard low > 0 else { return }
    let log = Bins.log(from: low, to: high, about: 40)
    #expect(log.index(of: low) != nil && log.index(of: high) != nil && log.count < 1000)
  }

  @Test func histogramsLoseNoValue() {
    for seed in 0..<100 {
      var random = Seeded(state: UInt64(seed) &+ 1000)
      var values = (0..<500).map { _ in random.skewed() }
      if seed % 2 == 0 { values = values.map { $0.rounded(.up) } }
      values += [0, -1, .nan, .infinity]
      for scale in [Axis.Scale.linear, .log] {
        let chart = Histogram(
          values: values, frame: Frame("v"), x: Axis("v", .plain, scale: scale, shownShare: 0.95), about: 30)
        #expect(chart.counts.reduce(0, +) + chart.beyond + chart.notPositive + chart.missing == 504, "seed \(seed)")
        // At most a twentieth of what the axis can show lies beyond it.
        #expect(chart.beyond <= 26 && chart.missing == 2 && chart.notPositive == (scale == .log ? 2 : 0), "seed \(seed)")
      }
    }
  }

  @Test func densityHoldsOneInAll() throws {
    for seed in 0..<50 {
      var random = Seeded(state: UInt64(seed))
      let values = (0..<400).map { _ in random.unit() * random.unit() * 100 }.sorted()
      let curve = try #require(Density(sorted: values, from: 0, to: 100))
      let width = curve.at[1] - curve.at[0]
      let total = curve.height.reduce(0) { $0 + $1 * width }
      #expect(abs(total - 1) < 1e-9, "seed \(seed): \(total)")
      #expect(curve.height.allSatisfy { $0 >= 0 })
    }
  }

  /// On a logarithmic axis the curve holds as many values as the bars, and is highest where most are.
  @Test func densityOfLogarithms() throws {
    var random = Seeded(state: 7)
    // Ratios to 50 of the same size up and down.
    let values = [0, -3] + (0..<2000).map { _ in 50 * (1 + 9 * random.unit() * random.unit()) / (1 + 9 * random.unit() * random.unit()) }
    let chart = Histogram(values: values, frame: Frame("Spend"), x: Axis("Spend", scale: .log), density: true)
    let bins = try #require(chart.bins)
    guard case .array(let layers)? = chart.spec(.light)["layer"], case .array(let rows)? = layers[1]["data"]?["values"] else {
      Issue.record("no curve")
      return
    }
    let curve = rows.map { row -> (x: Double, y: Double) in
      guard case .number(let x)? = row["x"], case .number(let y)? = row["y"] else { return (.nan, .nan) }
      return (x, y)
    }
    let held = curve.reduce(0) { $0 + $1.y } * Double(bins.count) / Double(curve.count)
    #expect(abs(held - 2000) < 1e-3)
    #expect(zip(curve, curve.dropFirst()).allSatisfy { $0.x < $1.x } && bins.edges[0] < curve[0].x && curve.last!.x < bins.edges[bins.count])
    let peak = curve.max { $0.y < $1.y }!
    #expect(peak.x > 30 && peak.x < 80)
  }

  @Test func fifthRoots() {
    for value in [1.0, 32, 243, 1e6, 1e10] {
      let root = Density.fifthRoot(value)
      #expect(abs(root * root * root * root * root / value - 1) < 1e-14)
    }
  }

  @Test func samplesAreEvenAndDistinct() {
    for (count, limit) in [(10, 20), (2000, 2000), (2001, 2000), (1_000_000, 2000)] {
      let rows = Scatter.sample(count, limit: limit)
      #expect(rows.count == min(count, limit) && rows == Array(Set(rows)).sorted())
      #expect(rows.allSatisfy { (0..<count).contains($0) })
    }
  }

  @Test func smallGroupsBecomeOther() {
    let (groups, hasOther) = Groups(["a", "b", "c", "a", "d", "c"]).folded(to: 3)
    #expect(hasOther && groups.names == ["a", "c", "other"] && groups.codes == [0, 2, 1, 0, 2, 1])
  }

  @Test(arguments: [
    ("1, 2, 5", 0.3, 40.0, [0.5, 1, 2, 5, 10, 20]), ("decades when many", 1, 1e6, [1, 10, 100, 1000, 10000, 100000, 1e6]),
    ("nothing below zero", -1, 5, []),
  ])
  func ticksOfALogarithmicAxis(_ situation: String, low: Double, high: Double, ticks: [Double]) {
    #expect(Axis.logTicks(low, high) == ticks)
  }
}
