import Statistics
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct QuadratureTests {
  @Test func legendreOfThree() {
    // Abramowitz & Stegun table 25.4, moved to [0, 1].
    let rule = GaussRule.legendre(count: 3)
    for (found, expected) in zip(rule.nodes + rule.weights, [0.1127016653792583, 0.5, 0.8872983346207417, 5.0 / 18, 8.0 / 18, 5.0 / 18]) {
      #expect((found - expected).magnitude < 1e-15)
    }
  }

  /// n nodes integrate polynomials up to degree 2n − 1 exactly; the moments of a beta law are known.
  @Test(arguments: [(0.79, 2.43), (1.0, 1.0), (0.1, 0.2), (0.79, 5002.4), (1.0, 1e5), (1.1e5, 6.7e5), (2.0, 0.05), (0.5, 0.5)])
  func betaMoments(a: Double, b: Double) {
    for n in [1, 2, 8, 24, 48] {
      let rule = GaussRule.beta(a, b, count: n)
      var moment = 1.0
      for k in 0..<min(2 * n, 12) {
        let found = rule.mean { p in
          var power = 1.0
          for _ in 0..<k { power *= p }
          return power
        }
        #expect((found / moment - 1).magnitude < 2e-12, "E p^\(k), \(n) nodes: \(found), not \(moment)")
        moment *= (a + Double(k)) / (a + b + Double(k))
      }
      #expect(rule.nodes.allSatisfy { $0 >= 0 && $0 <= 1 })
    }
  }
}

struct OptimizerTests {
  @Test func bfgsFindsRosenbrocksValley() {
    let found = BFGS(gradientTolerance: 1e-10).minimize(from: [-1.2, 1]) { x in
      let (u, v) = (x[1] - x[0] * x[0], 1 - x[0])
      return (100 * u * u + v * v, [-400 * x[0] * u - 2 * v, 200 * u])
    }
    #expect(found.converged)
    #expect(found.point.allSatisfy { ($0 - 1).magnitude < 1e-9 })
    #expect(found.evaluations < 100)
  }

  static func rosenbrock(_ x: [Double]) -> Newton.Value {
    let (u, v) = (x[1] - x[0] * x[0], 1 - x[0])
    var h = SymmetricMatrix(order: 2)
    h[0, 0] = -400 * u + 800 * x[0] * x[0] + 2
    h[0, 1] = -400 * x[0]
    h[1, 1] = 200
    return (100 * u * u + v * v, [-400 * x[0] * u - 2 * v, 200 * u], h)
  }

  @Test func newtonFindsItToo() {
    let found = Newton().minimize(from: [-1.2, 1], Self.rosenbrock)
    #expect(found.converged)
    #expect(found.point.allSatisfy { ($0 - 1).magnitude < 1e-12 })
    #expect(found.gradientNorm < 1e-10)
  }

  @Test func newtonStopsAtABound() {
    let found = Newton(lower: [-5, -5], upper: [0.5, 5]).minimize(from: [-1.2, 1], Self.rosenbrock)
    #expect(found.converged)
    #expect(found.atBound == [0])
    #expect((found.point[1] - 0.25).magnitude < 1e-12)
  }
}

struct SymmetricMatrixTests {
  static let matrix: SymmetricMatrix = {
    var m = SymmetricMatrix(order: 3)
    for (i, row) in [[4.0], [1, 3], [0.5, -1, 2]].enumerated() { for (j, v) in row.enumerated() { m[i, j] = v } }
    return m
  }()

  @Test func inverseTimesMatrixIsOne() throws {
    let inverse = try #require(Self.matrix.inverse())
    for i in 0..<3 {
      for j in 0..<3 {
        let product = (0..<3).reduce(0) { $0 + Self.matrix[i, $1] * inverse[$1, j] }
        #expect((product - (i == j ? 1 : 0)).magnitude < 1e-15)
      }
    }
  }

  @Test func eigenvectorsRebuildTheMatrix() {
    let (values, vectors) = Self.matrix.eigen()
    #expect(values == values.sorted())
    for i in 0..<3 {
      for j in 0..<3 {
        let sum = (0..<3).reduce(0) { $0 + values[$1] * vectors[$1][i] * vectors[$1][j] }
        #expect((sum - Self.matrix[i, j]).magnitude < 1e-14)
      }
    }
  }

  @Test func anIndefiniteMatrixHasNoFactor() {
    var m = Self.matrix
    m[0, 0] = -4
    #expect(m.cholesky() == nil)
    #expect(m.inverse() == nil)
  }
}

struct SummariesTests {
  @Test(arguments: [(0.0, 1.0), (0.25, 1.75), (0.5, 2.5), (0.9, 3.7), (1.0, 4.0)])
  func quantileOfType7(p: Double, expected: Double) {
    #expect((Summaries.quantile(p, ofSorted: [1, 2, 3, 4]) - expected).magnitude < 1e-15)
  }

  @Test func compensatedSum() {
    #expect(Summaries.sum([1e16, 1, -1e16]) == 1)
    #expect(Summaries.median([]).isNaN)
    #expect((Summaries.correlation([1, 2, 3], [2, 4, 6]) - 1).magnitude < 1e-15)
  }

  /// Threads seen at once and in all, of chunks that hold chunks; and the same sums at every width.
  @Test(arguments: [1, 2, 3]) func chunksTakeNoMoreThreadsThanGranted(width: Int) {
    let seen = Mutex<Set<pthread_t>>([])
    func part(_ start: Int, _ range: Range<Int>) -> Double {
      var total = 0.0
      for at in range { total += 1 / Double(1 + at + start) }
      return total
    }
    let sums = FixedChunks.bounded(by: { width }) { () -> [Double] in
      FixedChunks.map(count: 200, chunk: 3) { outer -> Double in
        let parts: [Double] = FixedChunks.map(count: 50, chunk: 7) { inner in
          seen.withLock { _ = $0.insert(pthread_self()) }
          return part(outer.lowerBound, inner)
        }
        return parts.reduce(0, +)
      }
    }
    #expect(seen.withLock { $0.count } <= width)
    var expected: [Double] = []
    for start in stride(from: 0, to: 200, by: 3) {
      var total = 0.0
      for at in stride(from: 0, to: 50, by: 7) { total += part(start, at..<min(50, at + 7)) }
      expected.append(total)
    }
    #expect(sums == expected)
  }

  @Test func chunksComeBackInOrder() {
    let chunks = FixedChunks.map(count: 100_003, chunk: 1000) { $0 }
    #expect(chunks.count == 101)
    #expect(chunks.last == 100_000..<100_003)
    #expect(Array(chunks.joined()) == Array(0..<100_003))
    #expect(FixedChunks.fill(count: 5, chunk: 2) { rows, out in for i in rows { out[i] = Double(i) } } == [0, 1, 2, 3, 4])
  }
}
