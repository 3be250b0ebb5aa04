import Foundation
import Statistics
import Testing

@testable import Models

struct MiniBatchTests {
  /// The same points in pieces of other lengths.
  struct Pieces: PointStream {
    let points: HeldPoints
    let lengths: [Int]
    var width: Int { points.width }

    func forEachPiece(_ body: ([[Double]], [Double]) throws -> Void) throws {
      var (from, at) = (0, 0)
      while from < points.count {
        let to = min(points.count, from + lengths[at % lengths.count])
        try body(points.columns.map { Array($0[from..<to]) }, points.weights.isEmpty ? [] : Array(points.weights[from..<to]))
        (from, at) = (to, at + 1)
      }
    }
  }

  /// Groups of normal points in the order of their groups, as a sorted table has them.
  static func sorted(_ n: Int, groups: Int, columns d: Int, seed: UInt64, weighted: Bool = false) -> HeldPoints {
    var random = RandomStream(seed: seed)
    let columns = (0..<d).map { j in (0..<n).map { i in Double((i * groups / n + 1) * (j + 2) * 5 % 17) + random.normal() } }
    return HeldPoints(columns, weights: weighted ? (0..<n).map { _ in Double(random.integer(below: 4)) } : [])
  }

  static func fit(_ method: MiniBatchKMeans, _ points: some PointStream, _ n: Int) throws -> (result: MiniBatchKMeans.Result, labels: [Int32], inertia: Double) {
    let result = try method.fit(points, count: n, from: method.sample(points, count: n))
    var labels: [Int32] = []
    let inertia = try MiniBatchKMeans.assigned(points, to: result.centers) { labels += $0 }.inertia
    return (result, labels, inertia)
  }

  /// Sculley's rule, one point after the other: a center goes towards its point by one part in as many as it has taken. Centers that
  /// nothing came to yet go to the farthest point.
  @Test(arguments: 0..<8)
  func theUpdateRule(seed: UInt64) {
    var random = RandomStream(seed: seed)
    let (k, d) = (2 + random.integer(below: 7), 1 + random.integer(below: 4))
    var centers = (0..<k).map { _ in (0..<d).map { _ in 4 * random.normal() } }
    var taken = (0..<k).map { _ in Double(random.integer(below: 3)) }
    var own = MovingCenters(centers.flatMap { $0 }, mass: taken)
    for round in 0..<6 {
      let n = 40 + random.integer(below: 200)
      let points = (0..<n).map { _ in (0..<d).map { _ in 3 * random.normal() + Double(random.integer(below: 3) * 4) } }
      let weights = round % 2 == 0 ? [Double](repeating: 1, count: n) : (0..<n).map { _ in Double(random.integer(below: 3)) }
      own.take(HeldPoints((0..<d).map { j in points.map { $0[j] } }, weights: round % 2 == 0 ? [] : weights))
      func square(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
      let nearest = points.map { point in (0..<k).min { square(point, centers[$0]) < square(point, centers[$1]) }! }
      let least = zip(points, nearest).map { square($0, centers[$1]) }
      for (point, (label, weight)) in zip(points, zip(nearest, weights)) where weight > 0 {
        taken[label] += weight
        for j in 0..<d { centers[label][j] += weight / taken[label] * (point[j] - centers[label][j]) }
      }
      if let empty = taken.firstIndex(of: 0) {
        centers[empty] = points[(0..<n).filter { weights[$0] > 0 }.max { least[$0] < least[$1] }!]
      }
      #expect(zip(own.mass, taken).allSatisfy { $0 == $1 })
      for (a, b) in zip(own.centers, centers.flatMap { $0 }) { #expect((a - b).magnitude <= 1e-12 * max(1, b.magnitude), "round \(round)") }
    }
  }

  @Test(arguments: [false, true])
  func theSameAtAnyWidthAndOfAnyPieces(weighted: Bool) throws {
    let points = Self.sorted(70_000, groups: 5, columns: 3, seed: 4, weighted: weighted)
    let method = MiniBatchKMeans(k: 5, seed: 9, batch: 100)
    let whole = try Self.fit(method, points, points.count)
    #expect(whole.result.batches > 32)
    for (width, lengths) in [(1, [70_000]), (2, [65_537, 3]), (5, [1_000, 1, 999]), (3, [4_096])] {
      let other = try FixedChunks.bounded(by: { width }) { try Self.fit(method, Pieces(points: points, lengths: lengths), points.count) }
      #expect(other.result.centers == whole.result.centers && other.labels == whole.labels && other.inertia == whole.inertia, "\(lengths)")
    }
  }

  /// Near the optimum whatever the seed, in tables that are sorted too; every label is of the nearest center.
  @Test(arguments: 0..<10)
  func nearTheOptimum(seed: UInt64) throws {
    let points = Self.sorted(9_000, groups: 6, columns: 2, seed: seed)
    let best = KMeans(k: 6, seed: 1).fit(points.columns).inertia
    for batch in [20, 60] {
      let found = try Self.fit(MiniBatchKMeans(k: 6, seed: seed, batch: batch), points, points.count)
      #expect(found.inertia >= best * (1 - 1e-12) && found.inertia < best * 1.01, "\(found.inertia / best)")
      var inertia = 0.0
      for i in 0..<points.count {
        let squares = (0..<6).map { c in (0..<2).reduce(0.0) { let t = points.columns[$1][i] - found.result.centers[c * 2 + $1]; return $0 + t * t } }
        #expect(squares[Int(found.labels[i])] == squares.min()!)
        inertia += squares.min()!
      }
      #expect(relative(inertia, found.inertia) < 1e-12)
    }
  }

  /// Up to 32 batches are all held: it is k-means.
  @Test func fewPoints() throws {
    guard let mall = KMeansTests.mall, let json = try Reference.expected("mall_customers.json") else { return }
    for row in json["kmeans_income_score_raw", "scan"].items {
      let found = try Self.fit(MiniBatchKMeans(k: Int(row["k"].number), seed: 1, batch: 20), HeldPoints(Array(mall[1...])), 200)
      #expect(found.inertia <= row["inertia_n_init_10"].number * (1 + 1e-9))
      #expect(found.result.batches == 0 && found.result.converged)
    }
  }

  /// Points that no batch has seen get their centers from the last readings.
  @Test(arguments: [[17, 18, 19], [17, 5_000, 9_999]])
  func rarePoints(rows: [Int]) throws {
    var column = [Double](repeating: 7, count: 10_000)
    for (value, row) in zip([100.0, -3, 40], rows) { column[row] = value }
    for seed in 0..<5 {
      let found = try Self.fit(MiniBatchKMeans(k: 4, seed: UInt64(seed), batch: 2), HeldPoints([column]), column.count)
      #expect(found.inertia == 0 && found.result.centers.sorted() == [-3, 7, 40, 100], "\(found.result.centers)")
    }
  }
}
