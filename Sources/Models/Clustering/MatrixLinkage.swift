import Statistics

/// Complete, average and Ward's linkage by nearest-neighbour chains (Murtagh 1983) over the matrix of distances, updated by the formulas of
/// Lance and Williams (1967) as SciPy writes them: where distances are equal, rounding decides, and decides alike.
struct MatrixLinkage {
  private let n: Int
  private let method: Linkage.Method
  private var sizes: [Double]
  /// Distances of i < j at i·n − i(i+1)/2 + j − i − 1.
  private var distances: [Double]

  init(_ columns: [[Double]], weights: [Double], _ method: Linkage.Method) {
    let (n, d) = (columns[0].count, columns.count)
    self.n = n
    self.method = method
    sizes = weights.isEmpty ? [Double](repeating: 1, count: n) : weights
    let points = (0..<n).flatMap { i in columns.map { $0[i] } }
    distances = [Double](unsafeUninitializedCapacity: n * max(0, n - 1) / 2) { buffer, initialized in
      nonisolated(unsafe) let out = buffer.baseAddress
      points.withUnsafeBufferPointer { points in
        nonisolated(unsafe) let points = points
        _ = FixedChunks.map(count: n, chunk: 64) { rows in
          for i in rows {
            let row = Self.start(of: i, n)
            for j in i + 1..<max(i + 1, n) {
              var sum = 0.0
              for c in 0..<d {
                let t = points[i &* d &+ c] - points[j &* d &+ c]
                sum += t * t
              }
              (out! + (row &+ j)).initialize(to: sum.squareRoot())
            }
          }
        }
      }
      initialized = n * max(0, n - 1) / 2
    }
  }

  /// Where the row of i starts, less i + 1.
  @inline(__always)
  private static func start(of i: Int, _ n: Int) -> Int { i &* n &- i &* (i &+ 1) / 2 &- i &- 1 }

  /// Uses the matrix up.
  mutating func merges() -> [(a: Int32, b: Int32, height: Double)] {
    var merges: [(a: Int32, b: Int32, height: Double)] = []
    guard n > 1 else { return merges }
    // Clusters that are left, ascending.
    var alive = (0..<n).map { $0 }
    var chain: [Int] = []
    let (n, method) = (n, method)
    distances.withUnsafeMutableBufferPointer { distances in
      sizes.withUnsafeMutableBufferPointer { sizes in
        while alive.count > 1 {
          if chain.isEmpty { chain.append(alive[0]) }
          let x = chain[chain.count - 1]
          var (closest, least) = (-1, Double.infinity)
          if chain.count > 1 {
            closest = chain[chain.count - 2]
            least = distances[Self.at(x, closest, n)]
          }
          alive.withUnsafeBufferPointer { alive in
            let row = Self.start(of: x, n)
            for y in alive where y != x {
              let distance = distances[y < x ? Self.start(of: y, n) &+ x : row &+ y]
              if distance < least { (closest, least) = (y, distance) }
            }
          }
          if closest < 0 { closest = alive.first { $0 != x }! }
          guard chain.count > 1, closest == chain[chain.count - 2] else {
            chain.append(closest)
            continue
          }
          chain.removeLast(2)
          // The higher one becomes the merged one, as in SciPy, so that ties are broken alike.
          let (gone, kept) = (min(x, closest), max(x, closest))
          merges.append((Int32(gone), Int32(kept), least))
          let (a, b) = (sizes[gone], sizes[kept])
          alive.remove(at: alive.firstIndex(of: gone)!)
          for y in alive where y != kept {
            let (at, other) = (Self.at(kept, y, n), Self.at(gone, y, n))
            switch method {
            case .single: distances[at] = min(distances[at], distances[other])
            case .complete: distances[at] = max(distances[at], distances[other])
            case .average: distances[at] = (a * distances[other] + b * distances[at]) / (a + b)
            case .ward:
              let (c, x, y) = (sizes[y], distances[other], distances[at])
              let t = 1 / (a + b + c)
              distances[at] = max(0, (c + a) * t * x * x + (c + b) * t * y * y - c * t * least * least).squareRoot()
            }
          }
          sizes[kept] = a + b
        }
      }
    }
    return merges
  }

  @inline(__always)
  private static func at(_ x: Int, _ y: Int, _ n: Int) -> Int { x < y ? start(of: x, n) &+ y : start(of: y, n) &+ x }
}
