import Models
import Statistics
import Testing

/// 200 simulated data sets: how often the truth lies in the intervals that a fit gives.
struct RecoveryTests {
  /// Intervals of 90 % in the logarithms of the parameters, ± 1.645 standard errors.
  @Test func bgnbd() throws {
    let truth = BGNBD.Parameters(r: 0.7, α: 30, a: 0.9, b: 3)
    let share = FixedChunks.map(count: 200, chunk: 1) { range -> (Int, Int) in
      guard let fit = try? BGNBD.fit(simulated(3000, truth, seed: UInt64(500 + range.lowerBound))) else { return (0, 4) }
      return covered(fit, truth.vector)
    }
    expectNinety(share)
  }

  @Test func paretoNBD() throws {
    let truth = ParetoNBD.Parameters(r: 0.7, α: 20, s: 0.8, β: 80)
    let share = FixedChunks.map(count: 200, chunk: 1) { range -> (Int, Int) in
      guard let fit = try? ParetoNBD.fit(simulated(3000, truth, seed: UInt64(900 + range.lowerBound))) else { return (0, 4) }
      return covered(fit, truth.vector)
    }
    expectNinety(share)
  }

  private func covered<P: ModelParameters>(_ fit: ModelFit<P>, _ truth: [Double]) -> (inside: Int, of: Int) {
    guard let errors = fit.standardErrors else { return (0, truth.count) }
    let inside = truth.indices.filter { i in
      let p = fit.parameters.vector[i]
      return Portable.log(p / truth[i]).magnitude <= 1.6448536269514722 * errors.vector[i] / p
    }
    return (inside.count, truth.count)
  }

  private func expectNinety(_ all: [(Int, Int)]) {
    let share = Double(all.reduce(0) { $0 + $1.0 }) / Double(all.reduce(0) { $0 + $1.1 })
    #expect(share > 0.88 && share < 0.92, "\(share)")
  }
}
