import Statistics

/// Hierarchical clustering of points by Euclidean distances.
///
///     let tree = Linkage(.ward).fit([income, score])
///     tree.dendrogram.labels(5)
///
/// Ward is exact for a million points of three columns (`WardChain`), single linkage by Prim's tree and complete and average
/// linkage by the matrix of distances for tens of thousands. More points are condensed first, and `condensed` says what
/// that costs.
public struct Linkage: Hashable, Sendable {
  public enum Method: String, Hashable, Sendable, CaseIterable { case single, complete, average, ward }

  public var method: Method
  /// Up to so many distinct points nothing is condensed; nil is what takes seconds. The matrix of complete and average linkage
  /// takes four bytes times the square of it.
  public var exactLimit: Int?
  /// Up to so many points the matrix of distances is taken for Ward too, with every point in it, equal ones as well: then ties are broken as
  /// SciPy breaks them.
  public var matrixLimit = 4_000
  /// How many micro-clusters stand for more points than that.
  public var microClusters = 8_000

  public init(_ method: Method, exactLimit: Int? = nil) {
    self.method = method
    self.exactLimit = exactLimit
  }

  /// Boxes keep most clusters out of a search where there are few columns; where there are many, few.
  private func limit(columns: Int) -> Int {
    if let exactLimit { return exactLimit }
    return switch method {
    case .ward: columns <= 3 ? .max : columns <= 5 ? 200_000 : 30_000
    case .single: 50_000
    case .complete, .average: 20_000
    }
  }

  public struct Result: Sendable {
    public var dendrogram: Dendrogram
    /// Point → leaf of the dendrogram: the points themselves unless condensed.
    public var leaf: [Int32]
    public var condensed: Condensation?

    /// Labels of the points for a cut into k.
    public func labels(_ k: Int) -> [Int32] {
      let labels = dendrogram.labels(k)
      if condensed == nil { return labels }
      // Numbered by first points, not by first leaves.
      var name = [Int32](repeating: -1, count: k)
      var found: Int32 = 0
      return leaf.map {
        let label = Int(labels[Int($0)])
        if name[label] < 0 {
          name[label] = found
          found += 1
        }
        return name[label]
      }
    }
  }

  /// What it costs that micro-clusters stand for points.
  public struct Condensation: Hashable, Sendable {
    public var microClusters: Int
    /// Share of the sum of squares that lies within micro-clusters: no cut can see it.
    public var withinShare: Double
    /// Largest distance of a point from its micro-cluster's center. A height of single or complete linkage is off by at most twice
    /// this.
    public var radius: Double
  }

  /// Columns of equal length, finite values.
  public func fit(_ columns: [[Double]], weights: [Double] = []) -> Result {
    let n = columns[0].count
    let distinct = DistinctPoints(columns, weights: weights)
    let limit = limit(columns: columns.count)
    if distinct.count > limit {
      let micro = MicroClusters(columns, weights: weights, count: max(2, min(microClusters, limit)))
      let tree = merges(micro.centers, micro.weights)
      return Result(
        dendrogram: Dendrogram(points: micro.centers[0].count, unordered: tree, weights: micro.weights), leaf: micro.labels,
        condensed: Condensation(
          microClusters: micro.centers[0].count, withinShare: micro.withinShare, radius: micro.radius))
    }
    if method != .single, weights.isEmpty, n <= matrixLimit {
      var matrix = MatrixLinkage(columns, weights: [], method)
      return Result(dendrogram: Dendrogram(points: n, unordered: matrix.merges(), weights: []), leaf: (0..<Int32(n)).map { $0 }, condensed: nil)
    }
    // Equal points are merged at no height before anything else.
    var all: [(a: Int32, b: Int32, height: Double)] = []
    all.reserveCapacity(max(0, n - 1))
    for (point, representative) in distinct.representative.enumerated() where Int32(point) != representative {
      all.append((representative, Int32(point), 0))
    }
    let tree = merges(distinct.columns, distinct.weights)
    for merge in tree { all.append((distinct.first[Int(merge.a)], distinct.first[Int(merge.b)], merge.height)) }
    return Result(
      dendrogram: Dendrogram(points: n, unordered: all, weights: weights), leaf: (0..<Int32(n)).map { $0 }, condensed: nil)
  }

  private func merges(_ columns: [[Double]], _ weights: [Double]) -> [(a: Int32, b: Int32, height: Double)] {
    switch method {
    case .ward:
      var chain = WardChain(columns, weights: weights)
      return chain.merges()
    case .single: return SingleLinkage.merges(columns)
    case .complete, .average:
      var matrix = MatrixLinkage(columns, weights: weights, method)
      return matrix.merges()
    }
  }
}
