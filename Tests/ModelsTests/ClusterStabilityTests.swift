import Models
import Statistics
import Testing

/// The clear twins: points repeated as often as they were drawn, clustered by the plainest means, and compared as sets.
struct ClusterStabilityTests {
  static func points(_ n: Int, seed: UInt64) -> [[Double]] {
    var random = RandomStream(seed: seed)
    return (0..<2).map { j in (0..<n).map { i in Double(i % 3 * (j + 2)) + random.normal() } }
  }

  /// Rows of each sample, as often as they were drawn.
  static func samples(_ count: Int, of n: Int, seed: UInt64) -> [[Int]] {
    var random = RandomStream(seed: seed, substream: 1 << 33)
    return (0..<count).map { _ in (0..<n).map { _ in random.integer(below: n) }.sorted() }
  }

  /// Mean over samples of the largest Jaccard similarity of each label's points that were drawn.
  static func plain(_ labels: [Int32], _ k: Int, _ samples: [[Int]], _ cluster: ([Int]) -> [Set<Int>]) -> [Double] {
    (0..<k).map { label in
      samples.reduce(0) { sum, rows in
        let own = Set(rows.filter { labels[$0] == label })
        let best = cluster(rows).map { Double(own.intersection($0).count) / Double(max(1, own.union($0).count)) }.max() ?? 0
        return sum + best
      } / Double(samples.count)
    }
  }

  /// The pair of clusters that is nearest is merged until k are left.
  static func agglomerated(_ columns: [[Double]], _ rows: [Int], _ method: Linkage.Method, _ k: Int) -> [Set<Int>] {
    var clusters = rows.map { [$0] }
    func distance(_ a: Int, _ b: Int) -> Double {
      columns.reduce(0) { $0 + ($1[a] - $1[b]) * ($1[a] - $1[b]) }.squareRoot()
    }
    func apart(_ a: [Int], _ b: [Int]) -> Double {
      let pairs = a.flatMap { x in b.map { distance(x, $0) } }
      switch method {
      case .single: return pairs.min()!
      case .complete: return pairs.max()!
      case .average: return pairs.reduce(0, +) / Double(pairs.count)
      case .ward:
        let square = columns.reduce(0.0) { sum, column in
          let t = a.reduce(0) { $0 + column[$1] } / Double(a.count) - b.reduce(0) { $0 + column[$1] } / Double(b.count)
          return sum + t * t
        }
        return square * Double(a.count * b.count) / Double(a.count + b.count)
      }
    }
    while clusters.count > k {
      var best = (0, 1, Double.infinity)
      for i in clusters.indices {
        for j in 0..<i {
          let apart = apart(clusters[i], clusters[j])
          if apart < best.2 { best = (j, i, apart) }
        }
      }
      clusters[best.0] += clusters[best.1]
      clusters.remove(at: best.1)
    }
    return clusters.map { Set($0) }
  }

  @Test(arguments: Linkage.Method.allCases, 0..<3)
  func trees(method: Linkage.Method, seed: UInt64) {
    let (n, k) = (36, 3)
    let columns = Self.points(n, seed: seed)
    let labels = Linkage(method).fit(columns).labels(k)
    let own = ClusterStability.of(Linkage(method), columns, labels: labels, k: k, seed: seed, samples: 6)
    let plain = Self.plain(labels, k, Self.samples(6, of: n, seed: seed)) { Self.agglomerated(columns, $0, method, k) }
    #expect(zip(own, plain).allSatisfy { relative($0, $1) < 1e-12 }, "\(own), not \(plain)")
    #expect(own.contains { $0 < 1 } && own.allSatisfy { $0 > 0 && $0 <= 1 })
  }

  @Test(arguments: 0..<4)
  func mixtures(seed: UInt64) {
    let (n, k) = (90, 3)
    let columns = Self.points(n, seed: seed)
    let labels = GaussianMixture(k: k, seed: seed).fit(columns).labels
    let own = ClusterStability.ofMixture(columns, labels: labels, k: k, seed: seed, samples: 5)
    let plain = Self.plain(labels, k, Self.samples(5, of: n, seed: seed)) { rows in
      let found = GaussianMixture(k: k, seed: seed, restarts: 1).fit(columns.map { column in rows.map { column[$0] } }).labels
      return (0..<k).map { label in Set(zip(rows, found).filter { $0.1 == label }.map(\.0)) }
    }
    #expect(zip(own, plain).allSatisfy { relative($0, $1) < 1e-12 }, "\(own), not \(plain)")
  }

  /// Also with many equal values, of which one tier may have none.
  @Test(arguments: [(4, 200, 1_000_000), (3, 75, 9), (5, 40, 3)])
  func tiers(tiers: Int, n: Int, values: Int) {
    var random = RandomStream(seed: UInt64(n))
    let sorted = (0..<n).map { _ in Double(random.integer(below: values)) }.sorted()
    func sets(_ rows: [Int]) -> [Set<Int>] {
      let drawn = rows.map { sorted[$0] }.sorted()
      let borders = (1..<tiers).map { Summaries.quantile(Double($0) / Double(tiers), ofSorted: drawn) }
      return (0..<tiers).map { tier in Set(rows.filter { row in borders.filter { sorted[row] <= $0 }.count == tier }) }
    }
    let whole = sets(Array(0..<n))
    let labels = (0..<n).map { row in Int32(whole.firstIndex { $0.contains(row) }!) }
    let own = ClusterStability.ofTiers(sorted, tiers: tiers, seed: 3, samples: 8)
    let plain = Self.plain(labels, tiers, Self.samples(8, of: n, seed: 3), sets)
    #expect(zip(own, plain).allSatisfy { ($0 - $1).magnitude < 1e-12 }, "\(own), not \(plain)")
  }

  /// Groups far from each other come back whole, by any method.
  @Test func farApart() {
    let columns = [(0..<60).map { Double($0 % 3 * 100) + Double($0) / 60 }]
    let labels = (0..<60).map { Int32($0 % 3) }
    for method in Linkage.Method.allCases {
      #expect(ClusterStability.of(Linkage(method), columns, labels: labels, k: 3, seed: 1, samples: 10).allSatisfy { $0 == 1 })
    }
    #expect(ClusterStability.ofMixture(columns, labels: labels, k: 3, seed: 1, samples: 10).allSatisfy { $0 > 0.9 })
  }
}
