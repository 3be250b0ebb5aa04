import Foundation
import Models
import Statistics
import Testing

struct KMeansTests {
  static let mall: [[Double]]? = Reference.shared("mall_customers/Mall_Customers.csv").map { data in
    let rows = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).dropFirst().map { $0.split(separator: ",") }
    return (2...4).map { column in rows.map { Double($0[column])! } }
  }

  @Test(arguments: [("kmeans_income_score_raw", false), ("kmeans_three_standardized", true)])
  func mallCustomers(name: String, standardized: Bool) throws {
    guard let mall = Self.mall, let json = try Reference.expected("mall_customers.json") else { return }
    let columns = standardized ? mall.map(Scaling.standard.apply) : Array(mall[1...])
    for row in json[name, "scan"].items {
      let k = Int(row["k"].number)
      let result = KMeans(k: k, seed: 1, restarts: 10).fit(columns)
      #expect(result.converged)
      #expect(result.inertia <= row["inertia_n_init_10"].number * (1 + 1e-9), "k = \(k): \(result.inertia)")
      #expect(result.sizes.reduce(0, +) == 200)
    }
    let detail = json[name, "detail"]
    let result = KMeans(k: Int(detail["k"].number), seed: 1).fit(columns)
    #expect(result.inertia <= detail["best_inertia_n_init_50"].number * (1 + 1e-9))
    let silhouette = try #require(Silhouette.mean(columns, labels: result.labels))
    #expect((silhouette - detail["silhouette"].number).magnitude < 1e-9)
  }

  /// Along one column the optimum is known: clusters are stretches of the sorted values.
  @Test(arguments: [(1, 40), (2, 120), (3, 250)])
  func theOptimumOfOneColumn(seed: UInt64, n: Int) {
    var random = RandomStream(seed: seed)
    let column = (0..<n).map { i in seed == 1 ? random.uniform() : Portable.exp(random.normal()) + Double(i % 5) }.sorted()
    func cost(_ from: Int, _ to: Int) -> Double {
      let own = Array(column[from..<to])
      return Summaries.variance(own, dropped: 0) * Double(own.count)
    }
    // least[i]: the least inertia of the first i values in so many clusters.
    var least = (0...n).map { $0 == 0 ? 0 : cost(0, $0) }
    for k in 2...8 {
      var next = [Double](repeating: .infinity, count: n + 1)
      for to in k...n { for from in (k - 1)..<to where least[from] < next[to] { next[to] = min(next[to], least[from] + cost(from, to)) } }
      least = next
      let result = KMeans(k: k, seed: 5).fit([column])
      #expect(result.inertia <= least[n] * (1 + 1e-9), "k = \(k): \(result.inertia), not \(least[n])")
    }
  }

  /// Small sets of every kind against the best of many plain starts.
  @Test(arguments: 0..<12)
  func asLowAsManyStarts(set: Int) {
    var random = RandomStream(seed: UInt64(1000 + set))
    let (n, d, groups) = (30 + random.integer(below: 120), 1 + random.integer(below: 4), 1 + random.integer(below: 8))
    let columns = (0..<d).map { (j: Int) -> [Double] in
      (0..<n).map { (i: Int) -> Double in
        let center = Double(i % groups * 7919 % 13) * (j == 0 ? 1 : 0.3)
        switch set % 3 {
        case 0: return random.uniform()
        case 1: return random.normal() + center
        default: return Double(random.integer(below: 12))
        }
      }
    }
    for k in [3, 6, 9] {
      var plain = KMeans(k: k, seed: 77, restarts: 200)
      plain.improves = false
      let (own, other) = (KMeans(k: k, seed: 1).fit(columns).inertia, plain.fit(columns).inertia)
      #expect(own <= other * (1 + 1e-6), "k = \(k): \(own), not \(other)")
    }
  }

  /// Points that stand for many lead to the same optimum as all points.
  @Test func manyPoints() {
    var random = RandomStream(seed: 6)
    let n = 70_000
    let columns = (0..<2).map { (j: Int) -> [Double] in
      (0..<n).map { (i: Int) -> Double in
        let center = j == 0 ? i % 4 * 6 : i % 2 * 5
        return random.normal() + Double(center)
      }
    }
    let result = KMeans(k: 4, seed: 1, restarts: 2).fit(columns)
    #expect(result.converged && result.sizes.min()! > n / 5)
    var means = [Double](repeating: 0, count: 8)
    for i in 0..<n { for j in 0..<2 { means[Int(result.labels[i]) * 2 + j] += columns[j][i] } }
    for c in 0..<8 { #expect((means[c] / Double(result.sizes[c / 2]) - result.centers[c]).magnitude < 1e-9) }
  }

  @Test(arguments: [20_000, 70_000])
  func equalAtAnyWidth(n: Int) {
    var random = RandomStream(seed: 8)
    let columns = (0..<3).map { _ in (0..<n).map { _ in random.normal() } }
    let weights = (0..<n).map { _ in Double(random.integer(below: 3)) }
    for weights in [[], weights] {
      let first = FixedChunks.bounded(by: { 1 }) { KMeans(k: 6, seed: 3, restarts: 2).fit(columns, weights: weights) }
      for width in [1, 2, 5] {
        let other = FixedChunks.bounded(by: { width }) { KMeans(k: 6, seed: 3, restarts: 2).fit(columns, weights: weights) }
        #expect(first.centers == other.centers && first.labels == other.labels && first.inertia == other.inertia, "\(width) wide")
      }
    }
  }

  /// The clear twin: every label is the nearest center, every center the mean of its points.
  @Test func aFixedPoint() {
    var random = RandomStream(seed: 2)
    let columns = (0..<2).map { _ in (0..<5000).map { _ in random.uniform() } }
    let result = KMeans(k: 7, seed: 5, restarts: 3).fit(columns)
    var inertia = 0.0
    for i in 0..<5000 {
      let distances = (0..<7).map { (c: Int) -> Double in
        let (dx, dy) = (columns[0][i] - result.centers[c * 2], columns[1][i] - result.centers[c * 2 + 1])
        return dx * dx + dy * dy
      }
      #expect(distances[Int(result.labels[i])] == distances.min())
      inertia += distances.min()!
    }
    #expect(relative(inertia, result.inertia) < 1e-12)
    for c in 0..<7 {
      let mean = Summaries.mean((0..<5000).filter { result.labels[$0] == c }.map { columns[0][$0] })
      #expect((mean - result.centers[c * 2]).magnitude < 1e-12)
    }
  }

  @Test func fewerDistinctPointsThanCenters() {
    let result = KMeans(k: 4, seed: 1, restarts: 2).fit([[1, 1, 1, 2, 2, 2]])
    #expect(result.inertia == 0)
    #expect(result.centers.allSatisfy { $0.isFinite })
    #expect(KMeans(k: 1, seed: 1).fit([[1, 2, 6]]).centers == [3])
  }

  @Test func scaling() {
    #expect(Scaling.range.apply([1, 3, 5]) == [0, 0.5, 1])
    #expect(Scaling.standard.apply([4, 4]) == [0, 0])
    #expect(Scaling.range.apply([]) == [])
  }
}
