import Statistics

/// What the usual rules say of several numbers of clusters, side by side.
///
/// The chosen number is that with the largest mean silhouette, the smaller one when equal. The other rules stand beside it
/// for who trusts them more.
public struct ChoiceOfK: Sendable {
  public struct Row: Sendable {
    public var k: Int
    public var labels: [Int32]
    public var indices: ClusterIndices
    public var silhouette: Silhouette.Estimate?
    public var gap: GapStatistic?
    /// Schwarz's criterion of a mixture, less is better; nil for the other methods.
    public var bic: Double?
  }

  public var rows: [Row]
  /// Index in `rows`.
  public var chosen: Int
  /// Where the curve of inertia bends most: the row farthest below the line from its first to its last point.
  public var elbow: Int
  /// The first row whose gap is no smaller than the next one's less its error; nil where no row is.
  public var gapChoice: Int?

  /// `fit` makes labels from 0, and where the method has one a BIC, of a number of clusters.
  public init(
    _ columns: [[Double]], _ range: ClosedRange<Int>, seed: UInt64, gaps: Bool = true,
    _ fit: (Int) throws -> (labels: [Int32], bic: Double?)
  ) rethrows {
    let gaps = gaps ? GapStatistic.scan(columns, range, seed: seed) : range.map { _ in nil }
    rows = try range.enumerated().map { at, k in
      let (labels, bic) = try fit(k)
      return Row(
        k: k, labels: labels, indices: ClusterIndices(columns, labels: labels),
        silhouette: Silhouette.estimate(columns, labels: labels, sample: 5_000, seed: seed), gap: gaps[at], bic: bic)
    }
    chosen = 0
    // A mixture is chosen by its likelihood, which knows of shapes that a silhouette does not.
    for (at, row) in rows.enumerated().dropFirst() {
      let best = rows[chosen]
      if let bic = row.bic, let least = best.bic {
        if bic < least { chosen = at }
      } else if (row.silhouette?.mean ?? -2) > (best.silhouette?.mean ?? -2) {
        chosen = at
      }
    }
    elbow = 0
    if let first = rows.first?.indices.inertia, let last = rows.last?.indices.inertia, first > last {
      var farthest = 0.0
      for (at, row) in rows.enumerated() {
        let line = first + (last - first) * Double(at) / Double(rows.count - 1)
        if line - row.indices.inertia > farthest { (farthest, elbow) = (line - row.indices.inertia, at) }
      }
    }
    gapChoice = rows.indices.dropLast().first { at in
      guard let own = rows[at].gap, let next = rows[at + 1].gap else { return false }
      return own.gap >= next.gap - next.error
    }
  }
}
