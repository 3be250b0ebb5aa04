import Foundation
import Models
import Statistics
import Testing

/// SciPy's and scikit-learn's numbers (`ReferenceValues/clustering.py`).
struct ClusteringTests {
  struct Points: Sendable, CustomStringConvertible {
    let json: JSON
    var columns: [[Double]] { json["columns"].items.map(\.numbers) }
    var description: String { if case .text(let name) = json["name"] { name } else { "?" } }
  }

  static let sets: [Points] = try! Reference.values("clustering.json")["sets"].items.map(Points.init)

  static func labels(_ json: JSON) -> [Int32] { json.numbers.map(Int32.init) }

  @Test(arguments: sets, Linkage.Method.allCases)
  func linkage(points: Points, method: Linkage.Method) {
    for matrixLimit in [0, 4_000] {
      var linkage = Linkage(method)
      linkage.matrixLimit = matrixLimit
      Self.compare(linkage.fit(points.columns), points, method)
    }
  }

  private static func compare(_ result: Linkage.Result, _ points: Points, _ method: Linkage.Method) {
    let expected = points.json["linkage", method.rawValue]
    #expect(result.condensed == nil)
    let merges = result.dendrogram.merges
    #expect(merges.count == points.columns[0].count - 1)
    for (merge, height) in zip(merges, expected["heights"].numbers) {
      #expect((merge.height - height).magnitude <= 1e-9 * max(1, height))
      #expect(merge.left < merge.right)
    }
    #expect(merges.map(\.size).sorted() == expected["sizes"].numbers)
    #expect(AdjustedRand.index(result.labels(4), labels(expected["cut4"])) == 1)
  }

  @Test(arguments: sets)
  func kMeansAndIndices(points: Points) throws {
    for row in points.json["kmeans"].items {
      let k = Int(row["k"].number)
      let result = KMeans(k: k, seed: 1).fit(points.columns)
      #expect(result.inertia <= row["inertia"].number * (1 + 1e-6), "k = \(k): \(result.inertia)")
      let labels = Self.labels(row["labels"])
      let indices = ClusterIndices(points.columns, labels: labels)
      #expect(relative(indices.inertia, row["inertia"].number) < 1e-9)
      #expect(relative(try #require(indices.daviesBouldin), row["davies_bouldin"].number) < 1e-9)
      #expect(relative(try #require(indices.calinskiHarabasz), row["calinski_harabasz"].number) < 1e-9)
      let silhouette = try #require(Silhouette.estimate(points.columns, labels: labels))
      #expect((silhouette.mean - row["silhouette"].number).magnitude < 1e-9)
      #expect(silhouette.low == silhouette.mean && silhouette.high == silhouette.mean)
    }
  }

  @Test(arguments: sets)
  func mixtures(points: Points) {
    for row in points.json["mixture"].items {
      let k = Int(row["k"].number)
      let result = GaussianMixture(k: k, seed: 1, restarts: 20).fit(points.columns)
      #expect(result.bic <= row["bic"].number + 1e-3, "k = \(k): \(result.bic), not \(row["bic"].number)")
      #expect(relative(result.weights.reduce(0, +), 1) < 1e-12)
    }
  }

  @Test func adjustedRand() throws {
    let json = try Reference.values("clustering.json")["adjusted_rand"]
    let index = AdjustedRand.index(Self.labels(json["a"]), Self.labels(json["b"]))
    #expect((index - json["value"].number).magnitude < 1e-12)
    #expect(AdjustedRand.index([0, 0, 1, 1], [1, 1, 0, 0]) == 1)
    #expect(AdjustedRand.index([0, 0, 0], [0, 0, 0]) == 1)
  }

  /// 200 customers of a mall by SciPy, with equal points and many equal distances.
  @Test(arguments: [("hierarchical_income_score_raw", false), ("hierarchical_three_standardized", true)], Linkage.Method.allCases)
  func mallCustomers(data: (name: String, standardized: Bool), method: Linkage.Method) throws {
    guard let mall = KMeansTests.mall, let json = try Reference.expected("mall_customers.json") else { return }
    let columns = data.standardized ? mall.map(Scaling.standard.apply) : Array(mall[1...])
    let expected = json[data.name, method.rawValue]
    let result = Linkage(method).fit(columns)
    let heights = result.dendrogram.merges.map(\.height)
    #expect(relative(Summaries.sum(heights), expected["sum_of_heights"].number) < 1e-9)
    for (height, known) in zip(heights.reversed(), expected["top10_heights_descending"].numbers) {
      #expect(relative(height, known) < 1e-9)
    }
    #expect(heights.count { $0 == 0 } == Int(expected["zero_height_merges"].number))
    for k in [4, 8] {
      var sizes = [Double](repeating: 0, count: k)
      for label in result.labels(k) { sizes[Int(label)] += 1 }
      #expect(sizes.sorted() == expected["sizes_cut_\(k)_sorted"].numbers)
    }
  }

  /// Where distances are equal the tree depends on which pair is merged first: SciPy's pair (`ReferenceValues/ties.py`).
  @Test(arguments: Linkage.Method.allCases)
  func equalDistances(method: Linkage.Method) throws {
    for set in try Reference.values("ties.json").items {
      let merges = Linkage(method).fit(set["columns"].items.map(\.numbers)).dendrogram.merges
      for (merge, height) in zip(merges, set["heights", method.rawValue].numbers) {
        #expect((merge.height - height).magnitude <= 1e-9 * max(1, height), "\(set["name"])")
      }
    }
  }

  /// The clear twin: every merge is the cheapest of all pairs.
  @Test(arguments: [(2, 300), (3, 700), (6, 400)])
  func wardAgainstAllPairs(d: Int, n: Int) {
    var random = RandomStream(seed: UInt64(n))
    let columns = (0..<d).map { j in (0..<n).map { i in Double(i % 7) * Double(j) + Portable.exp(random.normal()) } }
    var linkage = Linkage(.ward)
    linkage.matrixLimit = 0
    let result = linkage.fit(columns)
    var centers = (0..<n).map { i in columns.map { $0[i] } }
    var sizes = [Double](repeating: 1, count: n)
    for merge in result.dendrogram.merges {
      var (a, b, least) = (0, 0, Double.infinity)
      for i in centers.indices {
        for j in 0..<i {
          let square = zip(centers[i], centers[j]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
          let cost = square * 2 * sizes[i] * sizes[j] / (sizes[i] + sizes[j])
          if cost < least { (a, b, least) = (i, j, cost) }
        }
      }
      guard relative(merge.height, least.squareRoot()) < 1e-9 else {
        Issue.record("a merge at \(merge.height) where the cheapest is \(least.squareRoot())")
        return
      }
      let (s, t) = (sizes[a], sizes[b])
      centers[b] = zip(centers[a], centers[b]).map { ($0 * s + $1 * t) / (s + t) }
      sizes[b] = s + t
      centers.remove(at: a)
      sizes.remove(at: a)
    }
  }

  @Test func weightsAreRepetitions() {
    var random = RandomStream(seed: 4)
    let weights = (0..<200).map { _ in Double(1 + random.integer(below: 4)) }
    let points = (0..<2).map { _ in (0..<200).map { _ in random.normal() } }
    let repeated = points.map { column in zip(column, weights).flatMap { Array(repeating: $0, count: Int($1)) } }
    let (a, b) = (Linkage(.ward).fit(points, weights: weights), Linkage(.ward).fit(repeated))
    for (x, y) in zip(a.dendrogram.merges.reversed(), b.dendrogram.merges.reversed()) {
      #expect(relative(x.height, y.height) < 1e-9)
      #expect(x.size == y.size)
    }
    let (c, e) = (KMeans(k: 3, seed: 1).fit(points, weights: weights), KMeans(k: 3, seed: 1).fit(repeated))
    #expect(relative(c.inertia, e.inertia) < 1e-9)
  }

  /// Points far from each other, blocks half empty, columns that do not vary: labels are those of the plain method.
  @Test(arguments: [(1, 33), (2, 1000), (3, 4097), (5, 700), (12, 500)])
  func kMeansAgainstAllDistances(d: Int, n: Int) {
    var random = RandomStream(seed: 9)
    let columns = (0..<d).map { j in (0..<n).map { _ in j == 4 ? 3 : Portable.exp(3 * random.normal()) } }
    for k in [2, 9] {
      let result = KMeans(k: k, seed: 7, restarts: 2).fit(columns)
      var inertia = 0.0
      for i in 0..<n {
        let distances = (0..<k).map { c in
          (0..<d).reduce(0.0) { $0 + (columns[$1][i] - result.centers[c * d + $1]) * (columns[$1][i] - result.centers[c * d + $1]) }
        }
        #expect(distances[Int(result.labels[i])] == distances.min())
        inertia += distances.min()!
      }
      #expect(relative(inertia, result.inertia) < 1e-12)
      #expect(result.converged)
    }
  }

  @Test func condensed() throws {
    var random = RandomStream(seed: 3)
    let columns = (0..<2).map { j in (0..<4000).map { i in random.normal() + Double(i % 3 * (j + 3)) } }
    let exact = Linkage(.ward).fit(columns)
    var linkage = Linkage(.ward, exactLimit: 1000)
    linkage.microClusters = 500
    let result = linkage.fit(columns)
    let condensed = try #require(result.condensed)
    #expect(condensed.microClusters <= 500 && condensed.microClusters > 450)
    #expect(condensed.withinShare > 0 && condensed.withinShare < 0.005)
    #expect(AdjustedRand.index(exact.labels(3), result.labels(3)) > 0.9)
    #expect(relative(result.dendrogram.merges.last!.size, 4000) < 1e-12)
  }

  @Test func smallTrees() {
    #expect(Linkage(.ward).fit([[5]]).dendrogram.merges.isEmpty)
    #expect(Linkage(.ward).fit([[5]]).labels(1) == [0])
    for method in Linkage.Method.allCases {
      let result = Linkage(method).fit([[2, 2, 2, 7]])
      #expect(result.dendrogram.merges.map(\.size) == [2, 3, 4])
      #expect(result.labels(2) == [0, 0, 0, 1])
      #expect(result.labels(4) == [0, 1, 2, 3])
    }
  }

  @Test func choiceOfK() throws {
    let blobs = Self.sets[0].columns
    let choice = ChoiceOfK(blobs, 2...6, seed: 1) { k in (KMeans(k: k, seed: 1).fit(blobs).labels, nil) }
    #expect(choice.rows.map(\.k) == [2, 3, 4, 5, 6])
    #expect(choice.rows[choice.chosen].k == 4)
    #expect(choice.rows[try #require(choice.gapChoice)].k == 4)
    let mixed = ChoiceOfK(blobs, 1...5, seed: 1, gaps: false) { k in
      let mixture = GaussianMixture(k: k, seed: 1, restarts: 10).fit(blobs)
      return (mixture.labels, mixture.bic)
    }
    #expect(mixed.rows[mixed.chosen].k == 4)
  }

  /// The interval of a sampled silhouette holds that of all points.
  @Test func sampledSilhouette() throws {
    var random = RandomStream(seed: 12)
    let columns = (0..<2).map { _ in (0..<3000).map { i in random.normal() + Double(i % 2 * 3) } }
    let labels = (0..<3000).map { Int32($0 % 2) }
    let all = try #require(Silhouette.estimate(columns, labels: labels))
    var hits = 0
    for seed in 0..<40 {
      let some = try #require(Silhouette.estimate(columns, labels: labels, sample: 400, seed: UInt64(seed)))
      #expect(some.points == 400)
      if some.low <= all.mean, all.mean <= some.high { hits += 1 }
    }
    #expect(hits >= 34)
  }
}
