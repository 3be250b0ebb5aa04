import Statistics

/// k-means: k centers that minimize the sum of squared distances to the nearest one.
///
///     let result = KMeans(k: 5, seed: 42).fit([income, score])   // one array per column
///
/// Lloyd 1982; seeding by greedy k-means++ (Arthur & Vassilvitskii 2007). Distances, labels and sums are computed in
/// fixed blocks and combined in their order, so every width gives the same bytes.
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
    /// Sum of squared distances to the nearest center.
    public var inertia: Double
    public var sizes: [Int]
    public var iterations: Int
    /// True when the last pass moved no point.
    public var converged: Bool
  }

  /// Columns of equal length, finite values. Fewer distinct points than k leave the surplus centers empty.
  public func fit(_ columns: [[Double]]) -> Result {
    let points = KMeansPoints(columns)
    precondition(k >= 1, "k-means needs at least one center, not \(k)")
    precondition(points.n >= k, "k-means needs at least k = \(k) points, not \(points.n)")
    let threshold = tolerance * points.meanVariance
    var best: KMeansPoints.State?
    for restart in 0..<max(restarts, 1) {
      var random = RandomStream(seed: seed, substream: UInt64(restart))
      var state = points.lloyd(
        from: points.seeding(k, &random), maximumIterations: maximumIterations, until: threshold)
      // Only a contender is worth running until nothing moves at all.
      if best == nil || state.inertia < best!.inertia * (1 + 1e-3) {
        let more = points.lloyd(from: state.centers, maximumIterations: 10_000, until: -1)
        state = KMeansPoints.State(
          centers: more.centers, labels: more.labels, inertia: more.inertia,
          iterations: state.iterations + more.iterations, settled: more.settled)
      }
      if best == nil || state.inertia < best!.inertia { best = state }
    }
    var sizes = [Int](repeating: 0, count: k)
    for label in best!.labels { sizes[Int(label)] += 1 }
    return Result(
      centers: best!.centers, labels: best!.labels, inertia: best!.inertia, sizes: sizes, iterations: best!.iterations,
      converged: best!.settled)
  }
}
