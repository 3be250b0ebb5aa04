import Statistics

/// k-means of points that are not held: centers that move a little with every batch of points drawn (Sculley 2010). Memory follows
/// the centers and the batch, not the points.
///
///     let method = MiniBatchKMeans(k: 8, seed: 1)
///     let start = try method.sample(points, count: n)
///     let found = try method.fit(points, count: n, from: start)
///
/// It starts where `KMeans` ends on the first `round` batches. Each further round reads the points once for the batches that were
/// drawn of them, and the last ones put every center at the mean of its points, as Lloyd does. Draws are of row numbers, and sums are made in
/// fixed chunks, so neither pieces nor threads change a bit.
public struct MiniBatchKMeans: Hashable, Sendable {
  /// How many batches one reading of the points gives.
  public static let round = 32

  public var k: Int
  public var seed: UInt64
  /// Points of a batch.
  public var batch: Int
  /// Starts of the k-means on the first batches.
  public var restarts: Int
  /// Ends when a round moves the centers, squared and summed, less than this share of the columns' mean variance.
  public var tolerance = 1e-4
  public var maximumRounds = 100

  public init(k: Int, seed: UInt64, batch: Int = 1024, restarts: Int = 3) {
    (self.k, self.seed, self.batch, self.restarts) = (k, seed, batch, restarts)
  }

  public struct Result: Sendable {
    /// k × d, row-major.
    public var centers: [Double]
    /// How many batches moved them.
    public var batches: Int
    /// Whether they had come to rest.
    public var converged: Bool
  }

  // MARK: Drawing

  /// The points that the start is found on: the first batches, or all points where there are not more.
  public func sample(_ points: some PointStream, count: Int) throws -> HeldPoints { try drawn(points, count, round: 0) }

  /// Points drawn with equal chances and repetition, one batch behind the other.
  private func drawn(_ points: some PointStream, _ count: Int, round: Int) throws -> HeldPoints {
    let size = batch * Self.round
    if count <= size {
      var all = HeldPoints([[Double]](repeating: [], count: points.width))
      try points.forEachPiece { columns, weights in
        for j in columns.indices { all.columns[j] += columns[j] }
        all.weights += weights
      }
      return all
    }
    var random = RandomStream(seed: seed, substream: 1 << 34 + UInt64(round))
    // Row above, place below: in the order of the rows.
    let order = (0..<size).map { place in UInt64(random.integer(below: count)) << 26 | UInt64(place) }.sorted()
    var drawn = HeldPoints([[Double]](repeating: [Double](repeating: 0, count: size), count: points.width))
    var (next, before) = (0, 0)
    try points.forEachPiece { columns, weights in
      let end = before + columns[0].count
      if !weights.isEmpty, drawn.weights.isEmpty { drawn.weights = [Double](repeating: 0, count: size) }
      while next < size, Int(order[next] >> 26) < end {
        let (row, place) = (Int(order[next] >> 26) - before, Int(order[next] & (1 << 26 - 1)))
        for j in columns.indices { drawn.columns[j][place] = columns[j][row] }
        if !weights.isEmpty { drawn.weights[place] = weights[row] }
        next += 1
      }
      before = end
    }
    return drawn
  }

  // MARK: Centers

  /// `start` is what `sample` gave of the same points.
  public func fit(_ points: some PointStream, count: Int, from start: HeldPoints) throws -> Result {
    precondition((1...1 << 21).contains(batch), "a batch has 1 to 2²¹ points, not \(batch)")
    precondition(start.count >= k, "mini-batch k-means needs at least k = \(k) points to start from, not \(start.count)")
    let first = KMeans(k: k, seed: seed, restarts: restarts).fit(start.columns, weights: start.weights)
    if start.count == count { return Result(centers: first.centers, batches: 0, converged: first.converged) }
    var moving = MovingCenters(first.centers, mass: NearestCenters.of(start, first.centers).mass)
    let threshold = tolerance * Self.meanVariance(start)
    var (batches, converged) = (Self.round, false)
    for round in 1...max(1, maximumRounds) where !converged {
      let drawn = try drawn(points, count, round: round)
      let before = moving.centers
      for at in 0..<Self.round { moving.take(drawn[at * batch..<(at + 1) * batch]) }
      batches += Self.round
      converged = zip(moving.centers, before).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } <= threshold
    }
    return Result(centers: try settled(points, moving.centers), batches: batches, converged: converged)
  }

  /// Every center at the mean of the points nearest to it, again and again while that still helps; one that has none at the farthest
  /// point of others.
  private func settled(_ points: some PointStream, _ start: [Double]) throws -> [Double] {
    let d = points.width
    var (centers, last) = (start, Double.infinity)
    // Of very many points the first reading gains little already.
    for _ in 0..<20 {
      let found = try Self.assign(points, centers, labelling: false) { _ in }
      var far = found.farthest.sorted { $0.square > $1.square }[...]
      var isWhole = true
      for c in 0..<k {
        if found.mass[c] > 0 {
          for j in 0..<d { centers[c * d + j] = found.sums[c * d + j] / found.mass[c] }
        } else if let point = far.popFirst()?.point {
          centers.replaceSubrange(c * d..<(c + 1) * d, with: point)
          isWhole = false
        }
      }
      if isWhole, last - found.inertia <= tolerance * found.inertia || start.count / d == 1 { break }
      last = found.inertia
    }
    return centers
  }

  private static func meanVariance(_ points: HeldPoints) -> Double {
    let weights = points.weights.isEmpty ? [Double](repeating: 1, count: points.count) : points.weights
    let total = Summaries.sum(weights)
    guard total > 0 else { return 0 }
    return Summaries.mean(
      points.columns.map { column in
        let mean = Summaries.sum(zip(column, weights).lazy.map { $0 * $1 }) / total
        return Summaries.sum(zip(column, weights).lazy.map { ($0 - mean) * ($0 - mean) * $1 }) / total
      })
  }

  // MARK: Labels

  /// Weighted sum of squared distances, and the sums and weights of the points of each center; `labels` gets the nearest center of every
  /// point, in the order of the points.
  public static func assigned(
    _ points: some PointStream, to centers: [Double], _ labels: ([Int32]) throws -> Void
  ) throws -> (inertia: Double, sums: [Double], mass: [Double]) {
    let found = try assign(points, centers, labelling: true, labels)
    return (found.inertia, found.sums, found.mass)
  }

  private static func assign(
    _ points: some PointStream, _ centers: [Double], labelling: Bool, _ take: ([Int32]) throws -> Void
  ) throws -> NearestCenters {
    var total = NearestCenters(centers: centers.count / points.width, columns: points.width)
    try points.forEachPiece(of: 1 << 16) { piece in
      var labels = [Int32](repeating: 0, count: labelling ? piece.count : 0)
      total.add(labels.withUnsafeMutableBufferPointer { NearestCenters.of(piece, centers, labels: $0.isEmpty ? nil : $0.baseAddress) })
      // One candidate of a piece is enough.
      total.farthest = total.farthest.sorted { $0.square > $1.square }.prefix(centers.count / points.width).map { $0 }
      if labelling { try take(labels) }
    }
    return total
  }
}

/// Centers that are the weighted means of all points they were nearest to when these came.
struct MovingCenters {
  private(set) var centers: [Double]
  /// By center: what it has taken so far.
  private(set) var mass: [Double]

  init(_ centers: [Double], mass: [Double]) { (self.centers, self.mass) = (centers, mass) }

  /// Points are put to centers as these were before the batch; then each center moves towards its points by their share of all it has
  /// ever taken. A center that never took any goes to the point of the batch that is farthest from its own.
  mutating func take(_ batch: HeldPoints) {
    let (d, found) = (batch.width, NearestCenters.of(batch, centers))
    for c in mass.indices where found.mass[c] > 0 {
      mass[c] += found.mass[c]
      for j in 0..<d {
        centers[c * d + j] += (found.sums[c * d + j] - found.mass[c] * centers[c * d + j]) / mass[c]
      }
    }
    if let empty = mass.firstIndex(of: 0), let far = found.farthest.max(by: { $0.square < $1.square }) {
      centers.replaceSubrange(empty * d..<(empty + 1) * d, with: far.point)
    }
  }
}
