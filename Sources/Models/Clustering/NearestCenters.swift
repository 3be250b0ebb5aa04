import Statistics

/// What points add to the centers that they are nearest to (the center of the lower index when two are equally near).
struct NearestCenters {
  /// By center: the weighted sums of its points, d each, and what they weigh.
  var sums: [Double]
  var mass: [Double]
  /// Weighted sum of squared distances.
  var inertia = 0.0
  /// Of each chunk the point farthest from its center, of those that weigh something and are no center.
  var farthest: [(square: Double, point: [Double])] = []

  init(centers k: Int, columns d: Int) {
    sums = [Double](repeating: 0, count: k * d)
    mass = [Double](repeating: 0, count: k)
  }

  /// `labels` takes one a point.
  static func of(_ points: HeldPoints, _ centers: [Double], labels: UnsafeMutablePointer<Int32>? = nil) -> NearestCenters {
    let d = points.width
    // Every chunk writes the labels of its own points.
    nonisolated(unsafe) let labels = labels
    let parts = FixedChunks.map(count: points.count, chunk: 1024) { rows -> NearestCenters in
      var part = NearestCenters(centers: centers.count / d, columns: d)
      withUnsafeTemporaryAllocation(of: UnsafePointer<Double>.self, capacity: d) { columns in
        func bind(_ j: Int) {
          if j == d { return part.look(rows, columns, points.weights, centers, labels) }
          points.columns[j].withUnsafeBufferPointer {
            columns.initializeElement(at: j, to: $0.baseAddress!)
            bind(j + 1)
          }
        }
        bind(0)
      }
      return part
    }
    var total = NearestCenters(centers: centers.count / d, columns: d)
    for part in parts { total.add(part) }
    return total
  }

  mutating func add(_ other: NearestCenters) {
    for i in sums.indices { sums[i] += other.sums[i] }
    for c in mass.indices { mass[c] += other.mass[c] }
    inertia += other.inertia
    farthest += other.farthest
  }

  private mutating func look(
    _ rows: Range<Int>, _ columns: UnsafeMutableBufferPointer<UnsafePointer<Double>>, _ weights: [Double], _ centers: [Double],
    _ labels: UnsafeMutablePointer<Int32>?
  ) {
    let (d, k) = (columns.count, mass.count)
    var (far, most) = (-1, 0.0)
    centers.withUnsafeBufferPointer { centers in
      sums.withUnsafeMutableBufferPointer { sums in
        mass.withUnsafeMutableBufferPointer { mass in
          for row in rows {
            var (nearest, least) = (0, Double.infinity)
            for c in 0..<k {
              var square = 0.0
              for j in 0..<d {
                let t = columns[j][row] - centers[c &* d &+ j]
                square += t * t
              }
              if square < least { (nearest, least) = (c, square) }
            }
            let weight = weights.isEmpty ? 1 : weights[row]
            for j in 0..<d { sums[nearest &* d &+ j] += weight * columns[j][row] }
            mass[nearest] += weight
            inertia += weight * least
            labels?[row] = Int32(truncatingIfNeeded: nearest)
            if least > most, weight > 0 { (far, most) = (row, least) }
          }
        }
      }
    }
    if far >= 0 { farthest = [(most, columns.map { $0[far] })] }
  }
}
