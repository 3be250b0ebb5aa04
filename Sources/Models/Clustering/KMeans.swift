import Statistics

/// k-means: k centers that minimize the sum of squared distances to the nearest one.
///
///     let result = KMeans(k: 5, seed: 42).fit([income, score])   // one array per column
///
/// Lloyd 1982 with the pruning of Pelleg & Moore 1999, which changes no label; seeding by greedy k-means++ (Arthur &
/// Vassilvitskii 2007). Sums are made in fixed blocks and combined in their order, so every width gives the same bytes.
public struct KMeans: Hashable, Sendable {
  public var k: Int
  public var seed: UInt64
  /// Independent seedings; the one with the smallest inertia is kept (the earlier one when equal).
  public var restarts = 10
  public var maximumIterations = 300
  /// A restart ends when the centers move, squared and summed, less than this share of the columns' mean variance.
  public var tolerance = 1e-4

  public init(k: Int, seed: UInt64, restarts: Int = 10) {
    self.k = k
    self.seed = seed
    self.restarts = restarts
  }

  public struct Result: Sendable {
    /// k × d, row-major, in the order of the seeding.
    public var centers: [Double]
    public var labels: [Int32]
    /// Sum of squared distances to the nearest center, times the weights where there are any.
    public var inertia: Double
    public var sizes: [Int]
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
    let lloyd = KMeansLloyd(blocks: blocks)
    let threshold = tolerance * Summaries.mean(columns.map { Summaries.variance($0, dropped: 0) })
    var seeding = KMeansSeeding(blocks)
    var best: (state: KMeansLloyd.State, labels: [Int32], inertia: Double)?
    for restart in 0..<max(restarts, 1) {
      var random = RandomStream(seed: seed, substream: UInt64(restart))
      var state = lloyd.iterate(from: seeding.centers(k, &random), maximumIterations: maximumIterations, until: threshold)
      // Only a contender is worth running until nothing moves at all.
      if let best, !state.settled, lloyd.assignment(state.centers).inertia >= best.inertia * (1 + 1e-3) { continue }
      if !state.settled {
        let more = lloyd.iterate(from: state.centers, maximumIterations: 10_000, until: -1)
        state = KMeansLloyd.State(
          centers: more.centers, iterations: state.iterations + more.iterations, settled: more.settled)
      }
      let (labels, _, inertia) = lloyd.assignment(state.centers)
      if best == nil || inertia < best!.inertia { best = (state, labels, inertia) }
    }
    let labels = blocks.restored(best!.labels)
    var sizes = [Int](repeating: 0, count: k)
    for label in labels { sizes[Int(label)] += 1 }
    return Result(
      centers: best!.state.centers, labels: labels, inertia: best!.inertia, sizes: sizes, iterations: best!.state.iterations,
      converged: best!.state.settled)
  }
}
