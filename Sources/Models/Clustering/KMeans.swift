import Statistics

/// k-means: k centers that minimize the sum of squared distances to the nearest one.
///
///     let result = KMeans(k: 5, seed: 42).fit([income, score])   // one array per column
///
/// Starts by greedy k-means++ (Arthur & Vassilvitskii 2007), Lloyd 1982 with the pruning of Pelleg & Moore 1999, which changes no
/// label, Hartigan's exchange of single points, and swaps of a center for a better place. All this happens on points that
/// stand for many (`CoarsePoints`) where there are many; the end is Lloyd over all points until nothing moves. Sums are made
/// in fixed blocks and combined in their order, so every width gives the same bytes.
public struct KMeans: Hashable, Sendable {
  public var k: Int
  public var seed: UInt64
  /// Independent seedings; the one with the smallest inertia is kept (the earlier one when equal). Few points get more.
  public var restarts = 10
  /// Whether the best start is looked at again: points exchanged, centers put elsewhere.
  public var improves = true
  public var maximumIterations = 300
  /// A restart ends when the centers move, squared and summed, less than this share of the columns' mean variance.
  public var tolerance = 1e-4

  public init(k: Int, seed: UInt64, restarts: Int = 10) {
    self.k = k
    self.seed = seed
    self.restarts = restarts
  }

  public struct Result: Sendable {
    /// k × d, row-major.
    public var centers: [Double]
    public var labels: [Int32]
    /// Sum of squared distances to the nearest center, times the weights where there are any.
    public var inertia: Double
    public var sizes: [Int]
    /// Passes of the start that was kept, and those over all points behind it.
    public var iterations: Int
    /// True when the last pass moved no point.
    public var converged: Bool
  }

  /// Columns of equal length, finite values; `weights` positive or zero, one a point, or none. Fewer distinct points than k
  /// leave the surplus centers empty.
  public func fit(_ columns: [[Double]], weights: [Double] = []) -> Result {
    precondition(k >= 1, "k-means needs at least one center, not \(k)")
    let blocks = PointBlocks(columns, weights: weights)
    precondition(blocks.n >= k, "k-means needs at least k = \(k) points, not \(blocks.n)")
    let coarse = CoarsePoints.of(columns, weights: weights, blocks, centers: k)
    let search = KMeansLloyd(blocks: coarse ?? blocks)
    let threshold = tolerance * search.blocks.meanVariance
    // Few points have many optima close to each other: the swaps begin at several of them.
    let size = search.blocks.n * k
    let tracks = improves && k > 1 ? (size <= 4_000 ? 8 : size <= 20_000 ? 3 : 1) : 1
    let optima = started(search, until: threshold, keeping: tracks)
    var best = optima[0]
    if improves, k > 1, best.inertia > 0 {
      let swaps = KMeansSwaps(lloyd: search, threshold: threshold, failures: max(10, (size > 50_000 ? 3 : 10) * restarts))
      for var optimum in optima {
        swaps.improve(&optimum)
        if optimum.inertia < best.inertia { best = optimum }
      }
    }
    let lloyd = KMeansLloyd(blocks: blocks)
    let settled = lloyd.iterate(from: best.centers, maximumIterations: 10_000, until: -1)
    let (byPlace, _, inertia) = lloyd.assignment(settled.centers)
    let labels = blocks.restored(byPlace)
    var sizes = [Int](repeating: 0, count: k)
    for label in labels { sizes[Int(label)] += 1 }
    return Result(
      centers: settled.centers, labels: labels, inertia: inertia, sizes: sizes, iterations: best.iterations + settled.iterations,
      converged: settled.settled)
  }

  /// The best of all starts, the lowest first, no two of the same inertia.
  private func started(_ search: KMeansLloyd, until threshold: Double, keeping count: Int) -> [KMeansOptimum] {
    var seeding = KMeansSeeding(search.blocks)
    var best: [KMeansOptimum] = []
    // A start over few points costs next to nothing.
    let starts = max(restarts, 1) * (improves ? max(1, min(20, 20_000 / (search.blocks.n * k))) : 1)
    for start in 0..<starts {
      var random = RandomStream(seed: seed, substream: UInt64(start))
      let state = search.iterate(from: seeding.centers(k, &random), maximumIterations: maximumIterations, until: threshold)
      var found = KMeansOptimum(
        centers: state.centers, inertia: search.assignment(state.centers).inertia, iterations: state.iterations)
      // Only a contender is worth running until nothing moves at all.
      if best.count == count, found.inertia >= best[count - 1].inertia * (1 + search.reach) { continue }
      if improves { search.exchange(&found) } else if !state.settled { search.settle(&found) }
      if best.contains(where: { ($0.inertia - found.inertia).magnitude <= 1e-12 * found.inertia }) { continue }
      best.insert(found, at: best.firstIndex { found.inertia < $0.inertia } ?? best.count)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}

/// Centers that a search has come to.
struct KMeansOptimum {
  var centers: [Double]
  var inertia: Double
  var iterations: Int
}
